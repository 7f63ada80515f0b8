// SPDX-License-Identifier: MIT
// One Control Packet into bytes: the body first, then the fixed header before it.
import { checkVersion } from './decode.ts'
import { UsageError } from './errors.ts'
import type { PacketInput, PacketInputOf } from './packet.ts'
import { writeAck } from './packet/acks.ts'
import { writeAuth } from './packet/auth.ts'
import { writeConnack } from './packet/connack.ts'
import { writeConnect } from './packet/connect.ts'
import { writeDisconnect } from './packet/disconnect.ts'
import { writePing } from './packet/ping.ts'
import { writePublish } from './packet/publish.ts'
import { writeSuback } from './packet/suback.ts'
import { writeSubscribe } from './packet/subscribe.ts'
import { writeUnsuback } from './packet/unsuback.ts'
import { writeUnsubscribe } from './packet/unsubscribe.ts'
import { PACKETS } from './protocol.ts'
import type { PacketType, ProtocolVersion } from './protocol.ts'
import { carve, carveOutput, copyBytes } from './slab.ts'
import { Writer } from './writer.ts'

/**
 * Encodes one Control Packet into a new array of exactly its size; small ones share a buffer, see slab.ts. `version` (3, 4 or 5) says in whose form.
 * Throws UsageError, with the field's path, for whatever decoding would refuse.
 */
export function encode(packet: PacketInput, version: ProtocolVersion): Uint8Array {
  const first = bodiless(packet, version)
  if (first !== 0) {
    const two = carve(2)
    two[0] = first
    return two
  }
  const start = writePacket(packet, version)
  const { bytes, position, tail } = shared
  const size = position - start
  const out = carveOutput(size + tail.length)
  copyBytes(bytes, start, size, out, 0)
  if (tail.length > 0) {
    out.set(tail, size)
    shared.release()
  }
  return out
}

/**
 * Encodes one Control Packet into `target` from `offset` on and returns the offset behind it.
 * Throws UsageError for whatever decoding would refuse and for a target too small; then `target` is as it was.
 */
export function encodeInto(packet: PacketInput, version: ProtocolVersion, target: Uint8Array, offset: number): number {
  const first = bodiless(packet, version)
  if (first !== 0 && offset >= 0 && offset + 1 < target.length && Number.isInteger(offset)) {
    target[offset] = first
    target[offset + 1] = 0
    return offset + 2
  }
  const start = writePacket(packet, version)
  const { bytes, position, tail } = shared
  const size = position - start
  const end = offset + size + tail.length
  if (!(Number.isInteger(offset) && offset >= 0 && end <= target.length)) {
    shared.release()
    throw new UsageError(`${packet.type}: ${size + tail.length} bytes do not fit a target of ${target.length} at offset ${offset}`, { packet: packet.type, rule: 'encodeInto', path: '' })
  }
  copyBytes(bytes, start, size, target, offset)
  if (tail.length > 0) {
    target.set(tail, offset + size)
    shared.release()
  }
  return end
}

/** The size of a packet in bytes, known before a byte of it is written anywhere. Throws UsageError as `encode` does. */
export function encodedSize(packet: PacketInput, version: ProtocolVersion): number {
  const start = writePacket(packet, version)
  const size = shared.position - start + shared.tail.length
  shared.release()
  return size
}

/**
 * A PUBLISH in two pieces, for one gathering write: everything before the payload, and the payload itself, not copied. For any other packet,
 * and for a payload that was text, the second piece is what would follow all the same (often empty).
 */
export function encodeParts(packet: PacketInput, version: ProtocolVersion): readonly [head: Uint8Array, payload: Uint8Array] {
  const start = writePacket(packet, version)
  const { bytes, position, tail } = shared
  shared.release()
  return [bytes.slice(start, position), tail]
}

/** The first byte of a packet that is two bytes in every version, PINGREQ, PINGRESP and the bare DISCONNECT; 0 for any other. Twin: `writePacket`. */
function bodiless(packet: PacketInput, version: ProtocolVersion): number {
  if (!(version === 3 || version === 4 || version === 5)) return 0
  switch (packet?.type) {
    case 'pingreq': return 0xc0
    case 'pingresp': return 0xd0
    case 'disconnect': return (packet.reasonCode === undefined || packet.reasonCode === 0) && packet.properties === undefined ? 0xe0 : 0
    default: return 0
  }
}

/** Leaves the packet in the shared writer: bytes[start, position), then its tail. */
function writePacket(packet: PacketInput, version: ProtocolVersion): number {
  const type = packet?.type
  const encoder = ENCODERS[type]
  if (encoder === undefined) throw new UsageError(`there is no packet of type ${String(type)}`, { packet: undefined, rule: '5.0 §2.1.2', path: 'type' })
  checkVersion(version, type)
  shared.open(type, version)
  if (version < encoder.since) throw shared.misuse('packetType', '', `there is no ${type.toUpperCase()} before 5.0`)
  return shared.close(encoder.first | encoder.write(shared, packet, version))
}

/** Encoding never calls out, so one writer serves all. */
const shared: Writer = /* @__PURE__ */ new Writer()

/** Each writes the body and returns the fixed header flags. */
const WRITERS: { readonly [T in PacketType]: (w: Writer, packet: PacketInputOf<T>, version: ProtocolVersion) => number } = {
  connect: writeConnect,
  connack: writeConnack,
  publish: writePublish,
  puback: writeAck,
  pubrec: writeAck,
  pubrel: (w, packet, version) => writeAck(w, packet, version) | PACKETS.pubrel.flags,
  pubcomp: writeAck,
  subscribe: writeSubscribe,
  suback: writeSuback,
  unsubscribe: writeUnsubscribe,
  unsuback: writeUnsuback,
  pingreq: writePing,
  pingresp: writePing,
  disconnect: writeDisconnect,
  auth: writeAuth,
}

interface Encoder {
  readonly first: number
  readonly since: ProtocolVersion
  readonly write: (w: Writer, packet: PacketInput, version: ProtocolVersion) => number
}

/** WRITERS and PACKETS in one look-up, which has no prototype to find other names in. */
const ENCODERS: { readonly [type: string]: Encoder | undefined } = /* @__PURE__ */ Object.assign(
  Object.create(null) as object,
  /* @__PURE__ */ Object.fromEntries(/* @__PURE__ */ Object.entries(PACKETS).map(([type, { number, since }]) =>
    // The table takes each packet to its own writer, which TypeScript cannot follow.
    [type, { first: number << 4, since, write: WRITERS[type as PacketType] as Encoder['write'] }])),
)
