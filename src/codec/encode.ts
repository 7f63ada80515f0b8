// SPDX-License-Identifier: MIT
// One Control Packet into bytes: the body first, then the fixed header before it.
import { checkVersion } from './decode.ts'
import { UsageError } from './errors.ts'
import type { PacketInput } from './packet.ts'
import { shortAck, writeAck } from './packet/acks.ts'
import { writeAuth } from './packet/auth.ts'
import { shortConnack, writeConnack } from './packet/connack.ts'
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
import { carve, carveOutput } from './slab.ts'
import { Writer } from './writer.ts'

/**
 * Encodes one Control Packet into a new array of exactly its size; small ones share a buffer, see slab.ts. `version` (3, 4 or 5) says in whose form.
 * Throws UsageError, with the field's path, for whatever decoding would refuse.
 */
export function encode(packet: PacketInput, version: ProtocolVersion): Uint8Array {
  const short = shortForm(packet, version)
  if (short !== 0) {
    const out = carve(sizeOf(short))
    writeShort(short, out, 0)
    return out
  }
  const start = writePacket(packet, version)
  const { position, tail } = shared
  const size = position - start
  const out = carveOutput(size + tail.length)
  shared.copyTo(out, 0, start)
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
  const short = shortForm(packet, version)
  if (short !== 0) {
    const end = offset + sizeOf(short)
    if (offset >= 0 && end <= target.length && Number.isInteger(offset)) {
      writeShort(short, target, offset)
      return end
    }
  }
  const start = writePacket(packet, version)
  const { position, tail } = shared
  const size = position - start
  const end = offset + size + tail.length
  if (!(Number.isInteger(offset) && offset >= 0 && end <= target.length)) {
    shared.release()
    throw new UsageError(`${packet.type}: ${size + tail.length} bytes do not fit a target of ${target.length} at offset ${offset}`, { packet: packet.type, rule: 'encodeInto', path: '' })
  }
  shared.copyTo(target, offset, start)
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

/**
 * A packet that is two or four bytes, as one number of 32 bits with its first byte on top: the pings, the bare DISCONNECT, acknowledgements
 * that say no more than Success, and CONNACK of 3.x. 0 for any other, and for what is to be refused. Twin: `writePacket`.
 */
function shortForm(packet: PacketInput, version: ProtocolVersion): number {
  if (!(version === 3 || version === 4 || version === 5)) return 0
  switch (packet?.type) {
    case 'pingreq': return 0xc000_0000 | 0
    case 'pingresp': return 0xd000_0000 | 0
    case 'disconnect': return (packet.reasonCode === undefined || packet.reasonCode === 0) && packet.properties === undefined ? 0xe000_0000 | 0 : 0
    case 'puback': return shortAck(0x4002_0000, packet)
    case 'pubrec': return shortAck(0x5002_0000, packet)
    case 'pubrel': return shortAck(0x6202_0000, packet)
    case 'pubcomp': return shortAck(0x7002_0000, packet)
    case 'connack': return version < 5 ? shortConnack(0x2002_0000, packet, version) : 0
    default: return 0
  }
}

/** The whole size of a short form: the first bytes of those of two bytes are 0xc0 and above, which makes the number negative. */
function sizeOf(short: number): number {
  return short < 0 ? 2 : 4
}

function writeShort(short: number, target: Uint8Array, offset: number): void {
  target[offset] = short >>> 24
  if (short < 0) target[offset + 1] = 0
  else {
    target[offset + 1] = 2
    target[offset + 2] = short >>> 8
    target[offset + 3] = short
  }
}

/** Leaves the packet in the shared writer: bytes[start, position), then its tail. */
function writePacket(packet: PacketInput, version: ProtocolVersion): number {
  if (!(version === 3 || version === 4 || version === 5)) refuseVersion(packet, version)
  shared.open(packet?.type, version)
  return shared.close(writeBody(shared, packet, version))
}

/** Encoding never calls out, so one writer serves all. */
const shared: Writer = /* @__PURE__ */ new Writer()

/** Writes everything behind the fixed header and returns its first byte. The writers give the flags where there are any to set. */
function writeBody(w: Writer, packet: PacketInput, version: ProtocolVersion): number {
  switch (packet?.type) {
    case 'connect': return FIRST.connect | writeConnect(w, packet, version)
    case 'connack': return FIRST.connack | writeConnack(w, packet, version)
    case 'publish': return FIRST.publish | writePublish(w, packet, version)
    case 'puback': return FIRST.puback | writeAck(w, packet, version)
    case 'pubrec': return FIRST.pubrec | writeAck(w, packet, version)
    case 'pubrel': return FIRST.pubrel | writeAck(w, packet, version) | PACKETS.pubrel.flags
    case 'pubcomp': return FIRST.pubcomp | writeAck(w, packet, version)
    case 'subscribe': return FIRST.subscribe | writeSubscribe(w, packet, version)
    case 'suback': return FIRST.suback | writeSuback(w, packet, version)
    case 'unsubscribe': return FIRST.unsubscribe | writeUnsubscribe(w, packet, version)
    case 'unsuback': return FIRST.unsuback | writeUnsuback(w, packet, version)
    case 'pingreq': return FIRST.pingreq | writePing()
    case 'pingresp': return FIRST.pingresp | writePing()
    case 'disconnect': return FIRST.disconnect | writeDisconnect(w, packet, version)
    case 'auth':
      if (version < PACKETS.auth.since) throw w.misuse('packetType', '', 'there is no AUTH before 5.0')
      return FIRST.auth | writeAuth(w, packet)
    default: throw noSuchPacket(packet)
  }
}

/** The first byte of each packet without its flags. */
const FIRST: { readonly [T in PacketType]: number } = /* @__PURE__ */ firstBytes()

function firstBytes(): typeof FIRST {
  return Object.fromEntries(Object.entries(PACKETS).map(([type, { number }]) => [type, number << 4])) as typeof FIRST
}

function noSuchPacket(packet: never): UsageError {
  return new UsageError(`there is no packet of type ${String((packet as PacketInput | undefined)?.type)}`, { packet: undefined, rule: '5.0 §2.1.2', path: 'type' })
}

function refuseVersion(packet: PacketInput, version: ProtocolVersion): void {
  if (!Object.hasOwn(PACKETS, packet?.type)) throw noSuchPacket(packet as never)
  checkVersion(version, packet.type)
}
