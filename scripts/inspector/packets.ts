// Bytes into packets, each with its annotations: where one ends, in which version they are, and how its fields belong together.
import { annotate, decode, encode, toHex, toJson } from '../../src/codec/index.ts'
import type { Annotation, MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion } from '../../src/codec/index.ts'

export const VERSION_NAMES: { readonly [V in ProtocolVersion]: string } = { 3: '3.1', 4: '3.1.1', 5: '5.0' }
const VERSIONS: readonly ProtocolVersion[] = [5, 4, 3]
/** More than these are counted and not shown. */
const MAXIMUM_PACKETS = 100

export interface Inspected {
  /** from the first byte pasted */
  readonly start: number
  readonly bytes: Uint8Array
  readonly version: ProtocolVersion
  readonly annotations: readonly Annotation[]
  /** what is wrong; undefined in a packet that is well formed */
  readonly error: MalformedPacket | ProtocolError | undefined
  readonly packet: Packet | undefined
  /** as JSON text; '' where there is no packet */
  readonly json: string
  /** what an encoder gives for this packet, where that is something else */
  readonly reencoded: string | undefined
}

export interface Inspection {
  readonly packets: readonly Inspected[]
  readonly version: ProtocolVersion
  /** why this version, in a few words */
  readonly why: string
  /** bytes behind the last packet shown */
  readonly more: number
}

/** `wanted`: the version to read them in; undefined: find out. */
export function inspect(bytes: Uint8Array, wanted: ProtocolVersion | undefined): Inspection {
  const { version, why } = wanted === undefined ? guess(bytes) : { version: wanted, why: 'your choice' }
  const packets = read(bytes, version)
  const last = packets.at(-1)
  return { packets, version, why, more: last === undefined ? 0 : bytes.length - last.start - last.bytes.length }
}

function read(bytes: Uint8Array, version: ProtocolVersion): Inspected[] {
  const out: Inspected[] = []
  let start = 0
  while (start < bytes.length && out.length < MAXIMUM_PACKETS) {
    const size = frameSize(bytes, start)
    const one = inspectOne(bytes, start, size === undefined ? bytes.length : Math.min(start + size, bytes.length), version)
    // What speaks another protocol has no frames: all of it is one piece.
    const piece = one.error?.foreign === undefined ? one : inspectOne(bytes, start, bytes.length, version)
    out.push(piece)
    start += piece.bytes.length
  }
  return out
}

function inspectOne(all: Uint8Array, start: number, end: number, version: ProtocolVersion): Inspected {
  const bytes = all.subarray(start, end)
  const annotations = annotate(bytes, version, { mask: false })
  const error = annotations.find((one) => one.error !== undefined)?.error
  if (error !== undefined) return { start, bytes, version, annotations, error, packet: undefined, json: '', reencoded: undefined }
  const packet = decode(bytes, version)
  const own = packet.type === 'connect' ? packet.version : version
  return { start, bytes, version: own, annotations, error, packet, json: jsonText(packet), reencoded: reencoded(packet, own, bytes) }
}

/** Made to be read: what holds no further object or list, and is short, stays on one line. */
export function jsonText(packet: Packet | PacketInput): string {
  return laidOut(toJson(packet), '')
}

function laidOut(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const list = Array.isArray(value)
  const parts = Object.entries(value).map(([name, part]) => `${list ? '' : `${JSON.stringify(name)}: `}${laidOut(part, `${indent}  `)}`)
  const [open, close] = list ? '[]' : '{}'
  if (parts.length === 0) return `${open}${close}`
  const line = list ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`
  if (indent !== '' && line.length < 64 && !line.includes('\n')) return line
  return `${open}\n${parts.map((part) => `${indent}  ${part}`).join(',\n')}\n${indent}${close}`
}

/** What is read leniently by the standard itself goes out in one form only (5.0 §3.14.2.1 and others). */
function reencoded(packet: Packet, version: ProtocolVersion, bytes: Uint8Array): string | undefined {
  try {
    const hex = toHex(encode(packet, version))
    return hex === toHex(bytes) ? undefined : hex
  } catch {
    return undefined
  }
}

/** The size that the fixed header announces; undefined where it announces none. */
export function frameSize(bytes: Uint8Array, start: number): number | undefined {
  let length = 0
  for (let i = 1; i <= 4 && start + i < bytes.length; i++) {
    const byte = bytes[start + i]!
    length += (byte & 0x7f) * 128 ** (i - 1)
    if (byte < 0x80) return 1 + i + length
  }
  return undefined
}

/** A CONNECT says it; else the version in which most is right, and of several the newest. */
function guess(bytes: Uint8Array): { readonly version: ProtocolVersion, readonly why: string } {
  const level = bytes[0]! >> 4 === 1 ? announced(bytes) : undefined
  if (level !== undefined) return { version: level, why: 'CONNECT says so' }
  if (read(bytes, 5)[0]?.error?.foreign !== undefined) return { version: 5, why: 'but they are not' }
  const scores = VERSIONS.map((version) => ({ version, score: score(read(bytes, version)) }))
  const best = Math.max(...scores.map(({ score }) => score))
  const alike = scores.filter(({ score }) => score === best).map(({ version }) => version)
  const [version] = alike as [ProtocolVersion]
  if (alike.length === VERSIONS.length) return { version, why: best === Infinity ? 'they would do in every version' : 'wrong alike in every version' }
  return { version, why: alike.length > 1 ? `they would do in ${VERSION_NAMES[alike[1]!]} too` : 'they fit no other as well' }
}

/** Whole packets count most, then how far the first wrong one is right. */
function score(packets: readonly Inspected[]): number {
  const right = packets.findIndex(({ error }) => error !== undefined)
  if (right < 0) return Infinity
  return right * 1_000_000 + Math.min(packets[right]!.error!.offset, 999_999)
}

function announced(bytes: Uint8Array): ProtocolVersion | undefined {
  try {
    const packet = decode(bytes.subarray(0, frameSize(bytes, 0) ?? bytes.length), 5)
    return packet.type === 'connect' ? packet.version : undefined
  } catch (error) {
    return (error as MalformedPacket).version
  }
}

export type Section = 'Fixed header' | 'Variable header' | 'Properties' | 'Will Properties' | 'Payload' | 'Behind the fault'

export interface Field {
  readonly section: Section
  /** its number among the annotations of the packet */
  readonly index: number
  readonly annotation: Annotation
}

/** The first field of the payload, by packet type; those that are not here have none. */
const PAYLOAD: { readonly [type: string]: readonly string[] } = {
  connect: ['Client Identifier'], publish: ['Payload'], subscribe: ['Topic Filter'], unsubscribe: ['Topic Filter'], suback: ['Reason Code', 'Return code'], unsuback: ['Reason Code'],
}
const TYPES: readonly string[] = ['', 'connect', 'connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'subscribe', 'suback', 'unsubscribe', 'unsuback', 'pingreq', 'pingresp', 'disconnect', 'auth']

/** Which part of the packet each annotation belongs to (5.0 §2). */
export function fieldsOf({ bytes, annotations }: Inspected): readonly Field[] {
  const opens = PAYLOAD[TYPES[bytes[0]! >> 4]!] ?? []
  let payload = false
  let properties = 0
  return annotations.map((annotation, index) => {
    const { name, start, end, value, text, error } = annotation
    if (opens.includes(name)) payload = true
    if (name === 'Property Length') properties = end + (typeof value === 'number' ? value : 0)
    const section = ((): Section => {
      if (error === undefined && text === 'behind the fault') return 'Behind the fault'
      if (index < 2 && start < 5) return 'Fixed header'
      if (name === 'Property Length' || start < properties) return payload ? 'Will Properties' : 'Properties'
      return payload ? 'Payload' : 'Variable header'
    })()
    return { section, index, annotation }
  })
}

/** The name in capitals, as the standard writes it, from the first byte alone. */
export function titleOf({ bytes, error }: Inspected): string {
  if (error?.foreign !== undefined) return `Not MQTT but ${error.foreign}`
  const type = TYPES[bytes[0]! >> 4]!
  return type === '' ? 'Packet type 0' : type.toUpperCase()
}
