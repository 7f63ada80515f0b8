// SPDX-License-Identifier: MIT
// One Control Packet out of its bytes: the fixed header, then the reader of its type.
import type { Packet } from './packet.ts'
import { readAck } from './packet/acks.ts'
import { readAuth } from './packet/auth.ts'
import { readConnack } from './packet/connack.ts'
import { readConnect } from './packet/connect.ts'
import { readDisconnect } from './packet/disconnect.ts'
import { readPingreq, readPingresp } from './packet/ping.ts'
import { readPublish } from './packet/publish.ts'
import { readSuback } from './packet/suback.ts'
import { readSubscribe } from './packet/subscribe.ts'
import { readUnsuback } from './packet/unsuback.ts'
import { readUnsubscribe } from './packet/unsubscribe.ts'
import { PACKETS, PACKET_TYPES } from './protocol.ts'
import type { PacketType, ProtocolVersion } from './protocol.ts'
import { Reader } from './reader.ts'
import type { BitNames } from './reader.ts'

export interface DecodeOptions {
  /** copy payloads, passwords and other binary fields instead of giving views of the input; default false */
  readonly copy?: boolean | undefined
}

/**
 * Decodes exactly one Control Packet. `version` (3, 4 or 5) says whose rules hold; CONNECT brings its own.
 * Binary fields are views of `bytes`: copy what you keep, or pass `copy`.
 * Throws MalformedPacket or ProtocolError, with offset, Reason Code and statement.
 */
export function decode(bytes: Uint8Array, version: ProtocolVersion, options: DecodeOptions = {}): Packet {
  shared.open(bytes, 0, bytes.length, version, options.copy === true, true)
  const packet = readPacket(shared)
  shared.release()
  return packet
}

/** Reads the one packet a reader has been opened on; its end must be the packet's. */
export function readPacket(r: Reader): Packet {
  const { version } = r
  const first = r.flags('Packet type and flags', PACKET_TYPE_AND_FLAGS)
  const type = checkFirstByte(r, first, version)
  // What CONNECT's own header must look like depends on the version it announces: packet/connect.ts looks back.
  if (type === 'connect') r.version = undefined
  r.delimit(r.varint('Remaining Length'))
  // `version` is there for every type but CONNECT, whose reader does not look at it.
  return READERS[type](r, version!, first & 0x0f)
}

/** Judges the first byte of a packet at the reader's start: type and flags (5.0 §2.1). Names the packet in the reader for later errors. */
export function checkFirstByte(r: Reader, first: number, version: ProtocolVersion | undefined): PacketType {
  const type = PACKET_TYPES[first >> 4]
  if (type === undefined) throw r.fault('packetType', r.start, 'packet type 0')
  r.packet = type
  if (type === 'connect') return type
  if (version === undefined) throw r.fault('firstPacket', r.start, `${type.toUpperCase()} comes first`)
  const { flags, since } = PACKETS[type]
  if (version < since) throw r.fault('packetType', r.start, `packet type ${first >> 4}`)
  if (flags === 'publish') return type
  // 3.1 §2.1: DUP and RETAIN are not used outside PUBLISH, nor is QoS but in the three packets that go out as QoS 1.
  const checked = version > 3 ? 0b1111 : flags === 0b0010 ? 0b0110 : 0
  if (((first ^ flags) & checked) !== 0) throw r.fault('headerFlags', r.start, `flags 0b${(first & 0x0f).toString(2).padStart(4, '0')}, not 0b${flags.toString(2).padStart(4, '0')}`)
  return type
}

const PACKET_TYPE_AND_FLAGS: BitNames = [['Packet type', 4], ['Flags', 4]]

/** Decoding never calls out, so one reader serves all. */
const shared: Reader = /* @__PURE__ */ new Reader()

const READERS: { readonly [T in PacketType]: (r: Reader, version: ProtocolVersion, flags: number) => Packet } = {
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
