// SPDX-License-Identifier: MIT
// What `decode` is given: hexadecimal words, a file, or standard input; and what is in it.
import { readFileSync, statSync } from 'node:fs'
import type { Endpoint } from './capture/pcapng-write.ts'
import { isCapture } from './capture/read.ts'
import { readCapture, startsWithConnect } from './capture/reassemble.ts'
import type { Connection, Stream } from './capture/reassemble.ts'
import { asText, fromText, looksLikeHex } from './hex.ts'
import { Refused } from './io.ts'
import type { Io } from './io.ts'
import { hostPort } from './target.ts'

/** Files and standard input are read whole, up to here. */
export const MAXIMUM_INPUT = 268_435_456

/** Bytes of one side of one connection, in order. */
export interface Source {
  readonly bytes: Uint8Array
  /** where they come from; absent where the input does not say */
  readonly from?: Endpoint | undefined
  readonly to?: Endpoint | undefined
  /** when the byte before this offset was there, in ms since 1970 */
  readonly timeAt?: ((end: number) => number | undefined) | undefined
}

/** Streams that share a version: the two sides of a connection, or the one that there is. */
export interface Conversation {
  readonly title: string | undefined
  readonly sources: readonly Source[]
  readonly notes: readonly string[]
}

export interface Input {
  readonly conversations: readonly Conversation[]
  readonly notes: readonly string[]
}

/** Reads what the words name. `ports` are those whose connections are MQTT even where no CONNECT was captured. */
export async function readInput(words: readonly string[], io: Io, ports: readonly number[]): Promise<Input> {
  if (words.length === 0 || (words.length === 1 && words[0] === '-')) return interpret(await io.input(MAXIMUM_INPUT), ports)
  // Hexadecimal first: whoever has a file that is called so can say ./c0.
  if (looksLikeHex(words)) return plain(fromText(words.join(' ')))
  if (words.length > 1) throw new Refused(`not hexadecimal, and one file at a time: ${words.join(' ').slice(0, 80)}`)
  return interpret(readFile(words[0]!), ports)
}

/** A capture, text that spells hexadecimal, or else the bytes themselves. */
export function interpret(file: Uint8Array, ports: readonly number[]): Input {
  if (isCapture(file)) return fromCapture(file, ports)
  if (file[0] === 0x1f && file[1] === 0x8b) throw new Refused('this is gzip: unpack it first')
  const text = asText(file)
  return plain(text === undefined ? new Uint8Array(file) : fromText(text.replace(/^\ufeff/, '')))
}

function plain(bytes: Uint8Array): Input {
  return { conversations: [{ title: undefined, sources: [{ bytes }], notes: [] }], notes: bytes.length === 0 ? ['there are no bytes in it'] : [] }
}

function readFile(path: string): Uint8Array {
  try {
    const { size } = statSync(path)
    if (size > MAXIMUM_INPUT) throw new Refused(`${path} has ${size} bytes, and no more than ${MAXIMUM_INPUT} are read`)
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused((error as { code?: string }).code === 'ENOENT' ? `${path} is neither hexadecimal nor a file` : (error as Error).message)
  }
}

/** What stands at the beginning of a stream that is not MQTT, and what to do about it. */
const OTHERS: readonly (readonly [opening: RegExp, what: string])[] = [
  [/^\x16\x03/, 'TLS: what is in it cannot be read'],
  [/^(GET|HTTP\/1\.[01]) /, 'HTTP, perhaps MQTT over WebSocket: that is not read from captures yet'],
]

function fromCapture(file: Uint8Array, ports: readonly number[]): Input {
  const { connections, notes } = readCapture(file)
  const conversations: Conversation[] = []
  const said = [...notes]
  let others = 0
  for (const [i, connection] of connections.entries()) {
    const { fromClient, fromServer, client, server } = connection
    const title = `connection ${i + 1}: ${hostPort(client.address, client.port)} to ${hostPort(server.address, server.port)}`
    const opening = String.fromCharCode(...(fromClient.bytes.length > 0 ? fromClient : fromServer).bytes.subarray(0, 16))
    const other = OTHERS.find(([pattern]) => pattern.test(opening))
    if (other !== undefined) said.push(`${title} is ${other[1]}`)
    else if (startsWithConnect(fromClient.bytes) || ports.includes(server.port)) conversations.push(conversationOf(title, connection))
    else others++
  }
  if (others > 0) said.push(`${others} other TCP connections are neither on port ${ports.join(', ')} nor begin with a CONNECT: -p names another port`)
  if (conversations.length === 0) said.push(`no MQTT among ${connections.length} TCP connections`)
  return { conversations, notes: said }
}

function conversationOf(title: string, { client, server, fromClient, fromServer }: Connection): Conversation {
  const source = (stream: Stream, from: Endpoint, to: Endpoint): Source => ({ bytes: stream.bytes, from, to, timeAt: (end) => timeAt(stream, end) })
  const sides = [['client', fromClient], ['server', fromServer]] as const
  return {
    title,
    sources: [source(fromClient, client, server), source(fromServer, server, client)],
    notes: sides.flatMap(([side, { missing, late, bytes }]) => [
      ...missing > 0 ? [`${missing} bytes of the ${side} are missing from the capture behind its first ${bytes.length}: nothing is read beyond`] : [],
      ...late && bytes.length > 0 ? [`the capture begins inside what the ${side} sent: its first bytes may be half a packet`] : [],
    ]),
  }
}

/** When the segment came with which the bytes up to `end` were complete. Binary search: a capture may have a million segments. */
function timeAt({ arrivals }: Stream, end: number): number | undefined {
  let [low, high] = [0, arrivals.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (arrivals[middle]!.end < end) low = middle + 1
    else high = middle
  }
  return arrivals[low]?.time
}
