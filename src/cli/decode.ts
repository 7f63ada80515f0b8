// SPDX-License-Identifier: MIT
// `connack decode`: every byte of every packet named, and the first wrong one with the statement it breaks.
import { writeFileSync } from 'node:fs'
import { toJson } from '../codec/index.ts'
import type { ProtocolVersion } from '../codec/index.ts'
import { maskedHex, nameOf, sentence } from './bytemap.ts'
import { htmlPage } from './html.ts'
import { readInput } from './input.ts'
import type { Conversation, Source } from './input.ts'
import { Misused, Refused, safe, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { text } from './options.ts'
import type { Words } from './options.ts'
import { packetLines } from './render.ts'
import { judgeAll } from './split.ts'
import type { Judged, Piece } from './split.ts'
import { svgOf } from './svg.ts'
import { hostPort, versionOf } from './target.ts'
import { VERSIONS } from './versions.ts'

/** A piece with where and when it was found. */
export interface Found extends Piece {
  readonly source: Source
  readonly time: number | undefined
  /** ms since the first packet of the conversation */
  readonly after: number | undefined
}

const MQTT_PORT = 1883

export async function decodeCommand(words: Words, io: Io): Promise<number> {
  const wanted = text(words, 'version')
  const given = wanted === undefined || wanted === 'auto' ? undefined : versionOf(wanted)
  const secrets = words.values['show-secrets'] === true
  const { conversations, notes } = await readInput(words.positionals, io, ports(words))
  const all: Found[] = []
  for (const note of notes) io.complain(note)
  for (const [i, conversation] of conversations.entries()) {
    const judged = judgeAll(conversation.sources.map(({ bytes }) => bytes), given)
    const found = inOrder(conversation, judged)
    for (const one of found) all.push(one)
    for (const note of [...conversation.notes, ...remarks(judged, given)]) io.complain(conversation.title === undefined ? note : `${conversation.title}: ${note}`)
    if (words.values['json'] === true) for (const one of found) io.print(JSON.stringify(jsonOf(one, conversations.length > 1 || one.source.from !== undefined ? i + 1 : undefined, secrets)))
    else show(conversation, found, judged, secrets, io)
  }
  write(words, 'svg', (path) => { save(path, svgOf(all, { secrets })) })
  write(words, 'html', (path) => { save(path, htmlPage(all, { secrets })) })
  return all.length > 0 && all.every(({ error }) => error === undefined) ? STATUS.fine : STATUS.wrong
}

/** Pieces of all sides by the time at which each was complete. */
function inOrder({ sources }: Conversation, judged: readonly Judged[]): Found[] {
  const found = judged.flatMap(({ pieces }, i) => pieces.map((piece): Found => {
    const source = sources[i]!
    return { ...piece, source, time: source.timeAt?.(piece.offset + piece.bytes.length), after: undefined }
  }))
  if (sources.length > 1) found.sort((a, b) => (a.time ?? 0) - (b.time ?? 0))
  const first = found[0]?.time
  return first === undefined ? found : found.map((one) => ({ ...one, after: one.time === undefined ? undefined : one.time - first }))
}

/** Whose rules were applied, where that was not plain. */
function remarks(judged: readonly Judged[], given: ProtocolVersion | undefined): string[] {
  const [first] = judged
  if (first === undefined || judged.every(({ pieces }) => pieces.length === 0)) return []
  const { why, version, also } = first
  if (why === 'connect') return given !== undefined && version !== undefined && given !== version ? [`the CONNECT says MQTT ${VERSIONS[version]}, so that is what counts, and not --version`] : []
  if (why === 'given') return []
  const others = also.length === 0 ? 'the only version that reads this far' : `as good as ${also.map((other) => VERSIONS[other]).join(' and ')}`
  return [`no CONNECT says which version this is: read as MQTT ${VERSIONS[version!]}, ${others} (--version chooses)`]
}

function show({ title }: Conversation, found: readonly Found[], judged: readonly Judged[], secrets: boolean, { print, paint }: Io): void {
  if (title !== undefined) print(paint.bold(title))
  for (const one of found) {
    const { offset, bytes, version, error, source: { from, to }, after } = one
    const way = from === undefined ? '' : `  ${hostPort(from.address, from.port)} → ${hostPort(to!.address, to!.port)}`
    const when = after === undefined ? '' : `  +${(after / 1000).toFixed(6)} s`
    print(`${paint.bold(safe(nameOf(one)))}  ${count(bytes.length)} at ${offset}${version === undefined ? '' : `, MQTT ${VERSIONS[version]}`}${when}${way}`)
    const width = Math.max(4, String(offset + bytes.length).length + 1)
    for (const line of packetLines(paint, bytes, version, { secrets, margin: (at) => `${(at === undefined ? '' : String(at)).padStart(width)}  ` })) print(line)
    if (error !== undefined) print(paint.red(` ✗ ${sentence(one)}`))
  }
  for (const { unread } of judged) if (unread > 0) print(paint.dim(`   ${count(unread)} behind it are not read: after an error a connection is over`))
}

/** A packet, or what is wrong with it, as `encode` takes it back. */
function jsonOf(one: Found, connection: number | undefined, secrets: boolean): object {
  const { offset, bytes, version, packet, error, cut, source: { from, to }, time } = one
  const place = connection === undefined ? {} : {
    connection,
    ...(time === undefined ? {} : { time: time / 1000 }),
    ...(from === undefined ? {} : { from: hostPort(from.address, from.port), to: hostPort(to!.address, to!.port) }),
  }
  const outcome = packet !== undefined ? { packet: secrets ? toJson(packet) : masked(toJson(packet)) } : {
    error: { name: error!.name, reasonCode: error!.reasonCode, offset: error!.offset, rule: error!.rule, message: error!.message },
    ...(cut === true ? { cut } : {}),
  }
  return { ...place, offset, size: bytes.length, ...(version === undefined ? {} : { version }), hex: maskedHex(bytes, version, secrets), ...outcome }
}

/** The same without secrets: their length stays. */
export function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, SECRET_FIELDS.has(name) ? { masked: byteCount(field) } : masked(field)]))
}

const SECRET_FIELDS: ReadonlySet<string> = new Set(['password', 'authenticationData'])

function byteCount(field: unknown): number {
  return (field as { readonly hex: string }).hex.split(' ').filter(Boolean).length
}

function ports(words: Words): number[] {
  return [MQTT_PORT, ...words.given.filter(([name]) => name === 'port').map(([, value]) => {
    const port = Number(value)
    if (!(Number.isInteger(port) && port > 0 && port < 65_536)) throw new Misused(`--port is 1 to 65535, not ${String(value)}`)
    return port
  })]
}

function write(words: Words, option: string, draw: (path: string) => void): void {
  const path = text(words, option)
  if (path !== undefined) draw(path)
}

function save(path: string, content: string): void {
  try {
    writeFileSync(path, content)
  } catch (error) {
    throw new Refused((error as Error).message)
  }
}

function count(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes.toLocaleString('en-US')} bytes`
}
