// SPDX-License-Identifier: MIT
// `connack connect URL`: the handshake, one ping and a DISCONNECT against any real broker, byte by byte, and one sentence if it was refused.
import type { ConnectInput, ProtocolVersion } from '../codec/index.ts'
import { ConnectionClosed } from '../transport/index.ts'
import type { TraceRecord } from '../transport/index.ts'
import { connectTcp } from '../transport/tcp.ts'
import type { Screen } from './stage.ts'
import { Misused, safe } from './io.ts'
import type { Io } from './io.ts'
import { text } from './options.ts'
import type { Words } from './options.ts'
import { ladder, namedWrites, packetLines, toLeft, toRight } from './render.ts'
import { hostPort, targetOf, versionOf } from './target.ts'
import { VERSIONS } from './versions.ts'

/** The command: its words into options. */
export async function connectWords(words: Words, io: Io): Promise<number> {
  const { scheme, host, port, username = '', password = '', clientId = `connack-${process.pid}`, keepAlive } = targetOf(words)
  if (scheme !== 'mqtt') throw new Misused(`connect speaks TCP and not ${scheme} yet: connack doctor does`)
  const url = new URL(`mqtt://${hostPort(host, port)}`)
  url.username = encodeURIComponent(username)
  url.password = encodeURIComponent(password)
  return connectCommand({ url, version: versionOf(text(words, 'version') ?? '4'), clientId, keepAlive }, io)
}

export interface ConnectOptions {
  readonly url: URL
  readonly version: ProtocolVersion
  readonly clientId: string
  readonly keepAlive: number
}

/** Exit status when the connection was lost or never there; a refusal exits with its CONNACK code. */
const LOST = 7

export async function connectCommand({ url, version, clientId, keepAlive }: ConnectOptions, screen: Screen): Promise<number> {
  const { print, paint } = screen
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? 1883 : Number(url.port)
  const connect: Partial<ConnectInput> = {
    version, clientId, cleanStart: true, keepAlive,
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  }
  print(paint.dim(` ${'client'.padEnd(18)}${'wire'.padEnd(46)}${host}:${port}`))
  try {
    const client = await connectTcp({ host, port, connect, trace: (record) => { show(record, version, screen) } })
    await client.ping()
    const cause = await client.disconnect()
    print(paint.green(`Connected with MQTT ${VERSIONS[version]} as ${JSON.stringify(client.clientId)}, pinged and disconnected. ${cause.sentence}`))
    return 0
  } catch (error) {
    print(paint.red(explain(error as Error, host, port)))
    if (!(error instanceof ConnectionClosed)) return LOST
    return error.cause.why === 'refused' ? error.cause.reasonCode ?? LOST : LOST
  }
}

/** One sentence for a person. */
function explain(error: Error, host: string, port: number): string {
  if (error instanceof ConnectionClosed) {
    const { reasonString, serverReference, sentence } = error.cause
    return [sentence, reasonString === undefined ? '' : `It says: ${safe(reasonString)}.`, serverReference === undefined ? '' : `Use ${safe(serverReference)} instead.`].filter(Boolean).join(' ')
  }
  if ((error as { code?: string }).code === 'ECONNREFUSED') return `Nothing listens on ${host}:${port}.`
  return `No connection to ${host}:${port}: ${error.message}`
}

function show(record: TraceRecord, version: ProtocolVersion, { print, paint }: Screen): void {
  const { input, before, after, received } = record
  if (received !== undefined && received.length > 0) {
    const name = input.type === 'received' ? input.packet.type.toUpperCase() : 'not MQTT'
    print(ladder(paint, before.phase, toLeft(name), ''))
    for (const line of packetLines(paint, received, version)) print(line)
  }
  for (const [name, bytes] of namedWrites(record)) {
    print(ladder(paint, after.phase, toRight(name), ''))
    for (const line of packetLines(paint, bytes, version)) print(line)
  }
}
