// SPDX-License-Identifier: MIT
// One Control Packet out of its bytes: the fixed header, then the reader of its type.
import { UsageError } from './errors.ts'
import { readingOf, STRICT } from './lenient.ts'
import type { LenientOptions } from './lenient.ts'
import type { Packet } from './packet.ts'
import { readAck } from './packet/acks.ts'
import { readAuth } from './packet/auth.ts'
import { readConnack } from './packet/connack.ts'
import { readConnect } from './packet/connect.ts'
import { NORMAL_DISCONNECTION, readDisconnect } from './packet/disconnect.ts'
import { PINGREQ, PINGRESP, readPingreq, readPingresp } from './packet/ping.ts'
import { readPublish } from './packet/publish.ts'
import { readSuback } from './packet/suback.ts'
import { readSubscribe } from './packet/subscribe.ts'
import { readUnsuback } from './packet/unsuback.ts'
import { readUnsubscribe } from './packet/unsubscribe.ts'
import { PACKETS, PACKET_TYPES } from './protocol.ts'
import type { PacketType, ProtocolVersion } from './protocol.ts'
import { Reader } from './reader.ts'
import type { BitNames } from './reader.ts'

/** How bytes are read; without options strictly, and binary fields are views. */
export interface DecodeOptions extends LenientOptions {
  /** copy payloads, passwords and other binary fields instead of giving views of the input; default false */
  readonly copy?: boolean | undefined
}

/**
 * Decodes exactly one Control Packet. `version` (3, 4 or 5) says whose rules hold; CONNECT brings its own.
 * Binary fields are views of `bytes`: copy what you keep, or pass `copy`.
 * Throws MalformedPacket or ProtocolError, with offset, Reason Code and statement.
 */
export function decode(bytes: Uint8Array, version: ProtocolVersion, options: DecodeOptions = NO_OPTIONS): Packet {
  if (bytes.length === 2 && bytes[1] === 0 && version !== undefined) {
    const packet = BODILESS[bytes[0]!]
    if (packet !== undefined) return packet
  }
  // Undefined is a CONNECT's own, for those who come without types.
  if (version !== undefined) checkVersion(version)
  shared.open(bytes, 0, bytes.length, version, options === NO_OPTIONS ? STRICT : readingOf(options), true)
  let packet
  try {
    packet = readPacket(shared)
  } catch (error) {
    shared.forgiven = undefined
    shared.release()
    throw error
  }
  shared.release()
  return packet
}

/** Throws UsageError for a version there is none of. */
export function checkVersion(version: ProtocolVersion, packet?: PacketType): void {
  if (version === 3 || version === 4 || version === 5) return
  throw new UsageError(`there is no version ${String(version)}: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0`, { packet, rule: '5.0 §3.1.2.2', path: 'version' })
}

/**
 * The packets that are the same two bytes in every version, by their first one: no reader is opened for what has nothing to read.
 * A test holds them against `readPacket`.
 */
export const BODILESS: readonly (Packet | undefined)[] = /* @__PURE__ */ bodiless({ 0xc0: PINGREQ, 0xd0: PINGRESP, 0xe0: NORMAL_DISCONNECTION })

/** Reads the one packet a reader has been opened on; its end must be the packet's. */
export function readPacket(r: Reader): Packet {
  const { version } = r
  const first = r.flags('Packet type and flags', PACKET_TYPE_AND_FLAGS)
  if (version === undefined || LEGAL[version][first] === 0) checkFirstByte(r, first, version)
  r.packet = PACKET_TYPES[first >> 4]
  // What CONNECT's own header must look like depends on the version it announces: packet/connect.ts looks back.
  if (first >> 4 === PACKETS.connect.number) r.version = undefined
  r.delimit(r.varint('Remaining Length'))
  // `version` is there for every type but CONNECT, whose reader does not look at it.
  return READERS[first >> 4]!(r, version!, first & 0x0f)
}

/** Judges the first byte of a packet at the reader's start: type and flags (5.0 §2.1). Names the packet in the reader for later errors. */
export function checkFirstByte(r: Reader, first: number, version: ProtocolVersion | undefined): void {
  const type = PACKET_TYPES[first >> 4]
  if (type === undefined) throw r.fault('packetType', r.start, 'packet type 0')
  r.packet = type
  if (type === 'connect') return
  if (version === undefined) throw r.fault('firstPacket', r.start, `${type.toUpperCase()} comes first`)
  const { flags, since } = PACKETS[type]
  if (version < since) throw r.fault('packetType', r.start, `packet type ${first >> 4}`)
  if (flags !== 'publish' && LEGAL[version][first] === 0) r.object('headerFlags', r.start, `flags ${bits(first & 0x0f)}, not ${bits(flags)}`)
}

/** Can this byte begin a packet in this version, as far as the byte alone tells? */
export function isFirstByte(first: number, version: ProtocolVersion | undefined): boolean {
  return version === undefined ? first >> 4 === PACKETS.connect.number : LEGAL[version][first] === 1
}

function bits(flags: number): string {
  return `0b${flags.toString(2).padStart(4, '0')}`
}

function bodiless(packets: { readonly [first: number]: Packet }): (Packet | undefined)[] {
  return Array.from({ length: 256 }, (_, first) => packets[first])
}

const NO_OPTIONS: DecodeOptions = {}
const PACKET_TYPE_AND_FLAGS: BitNames = [['Packet type', 4], ['Flags', 4]]

/** PACKETS turned around: for each version and first byte, 1 where type and flags are legal. */
const LEGAL: { readonly [V in ProtocolVersion]: Uint8Array } = /* @__PURE__ */ legalFirstBytes()

function legalFirstBytes(): { [V in ProtocolVersion]: Uint8Array } {
  const legal = (version: ProtocolVersion): Uint8Array => Uint8Array.from({ length: 256 }, (_, first) => {
    const type = PACKET_TYPES[first >> 4]
    if (type === undefined || version < PACKETS[type].since) return 0
    const { flags } = PACKETS[type]
    // PUBLISH has a meaning for each flag, CONNECT is judged by the version it announces.
    if (flags === 'publish' || type === 'connect') return 1
    // 3.1 §2.1: DUP and RETAIN are not used outside PUBLISH, nor is QoS but in the three packets that go out as QoS 1.
    const checked = version > 3 ? 0b1111 : flags === 0b0010 ? 0b0110 : 0
    return ((first ^ flags) & checked) === 0 ? 1 : 0
  })
  return { 3: legal(3), 4: legal(4), 5: legal(5) }
}

/** Reading a packet never calls out, so one reader serves all. */
const shared: Reader = /* @__PURE__ */ new Reader()

const READERS_BY_TYPE: { readonly [T in PacketType]: (r: Reader, version: ProtocolVersion, flags: number) => Packet } = {
  connect: readConnect,
  connack: readConnack,
  publish: readPublish,
  puback: (r, version) => readAck(r, version, 'puback'),
  pubrec: (r, version) => readAck(r, version, 'pubrec'),
  pubrel: (r, version) => readAck(r, version, 'pubrel'),
  pubcomp: (r, version) => readAck(r, version, 'pubcomp'),
  subscribe: readSubscribe,
  suback: readSuback,
  unsubscribe: readUnsubscribe,
  unsuback: readUnsuback,
  pingreq: readPingreq,
  pingresp: readPingresp,
  disconnect: readDisconnect,
  auth: readAuth,
}

/** The same by packet number. */
const READERS: readonly ((r: Reader, version: ProtocolVersion, flags: number) => Packet)[] = /* @__PURE__ */ PACKET_TYPES.map((type) => READERS_BY_TYPE[type ?? 'connect'])
