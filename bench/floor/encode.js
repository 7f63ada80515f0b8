// The floor's encoder: one pass, body first behind a guessed header, no length pass, no garbage.

import { bytes, connackProperties, connectProperties, endProperties, publishProperties, raw, u16, varint, willProperties } from './properties-write.js'
import { fail, writeText } from './strings.js'

const SLAB = 65_536
const encoder = new TextEncoder()
const PINGREQ = Uint8Array.of(0xc0, 0)
const PINGRESP = Uint8Array.of(0xd0, 0)
const DISCONNECT = Uint8Array.of(0xe0, 0)

let slab = new Uint8Array(SLAB)
let used = 0

/** An exact-size view of a slab that is never written again. Packets without a body are shared constants. */
export function encode(packet, version) {
  switch (packet.type) {
    case 'pingreq': return PINGREQ
    case 'pingresp': return PINGRESP
    case 'disconnect': if (!packet.reasonCode && packet.properties === undefined) return DISCONNECT
  }
  const bound = packet.type === 'publish' ? packet.payload.length + 3 * packet.topic.length + 1024 : 4096
  if (bound > SLAB / 8) {
    const large = new Uint8Array(bound)
    return large.subarray(0, encodeInto(packet, version, large, 0))
  }
  if (used + bound > SLAB) {
    slab = new Uint8Array(SLAB)
    used = 0
  }
  const from = used
  const end = encodeInto(packet, version, slab, from)
  used = end
  return new Uint8Array(slab.buffer, from, end - from)
}

export function encodeInto(packet, version, target, from) {
  const end = write(packet, version, target, from)
  if (end > target.length) fail('target too small')
  return end
}

function write(packet, version, b, from) {
  switch (packet.type) {
    case 'connect': return connect(packet, b, from)
    case 'connack': return connack(packet, version, b, from)
    case 'publish': return publish(packet, version, b, from)
    case 'puback': return ack(packet, version, b, from, 0x40)
    case 'pubrec': return ack(packet, version, b, from, 0x50)
    case 'pubrel': return ack(packet, version, b, from, 0x62)
    case 'pubcomp': return ack(packet, version, b, from, 0x70)
    case 'subscribe': return subscribe(packet, version, b, from)
    case 'pingreq': return u16(b, from, 0xc000)
    case 'pingresp': return u16(b, from, 0xd000)
    case 'disconnect': return disconnect(packet, version, b, from)
  }
  return fail('unknown type')
}

/** The fixed header before a body that was written behind `guess` bytes; the body moves when the guess was wrong. */
function close(b, from, first, guess, end) {
  const remaining = end - from - guess
  const size = remaining < 0x80 ? 2 : remaining < 0x4000 ? 3 : remaining < 0x200000 ? 4 : 5
  if (size !== guess) b.copyWithin(from + size, from + guess, end)
  b[from] = first
  if (remaining < 0x80) b[from + 1] = remaining
  else varint(b, from + 1, remaining)
  return end + size - guess
}

function connect(packet, b, from) {
  const { version, will, username, password } = packet
  const v5 = version === 5
  const guess = v5 && packet.properties !== undefined ? 3 : 2
  let at = from + guess
  if (at + 10 > b.length) fail('target too small')
  b[at] = 0
  b[at + 1] = 4
  b[at + 2] = 0x4d
  b[at + 3] = 0x51
  b[at + 4] = 0x54
  b[at + 5] = 0x54
  b[at + 6] = version
  let flags = packet.cleanStart ? 0x02 : 0
  if (will !== undefined) {
    if (will.qos > 2) fail('will QoS')
    flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0)
  }
  if (username !== undefined) flags |= 0x80
  if (password !== undefined) flags |= 0x40
  b[at + 7] = flags
  at = u16(b, at + 8, packet.keepAlive)
  if (v5) at = connectProperties(b, at, packet.properties)
  at = writeText(b, at, packet.clientId)
  if (will !== undefined) {
    if (v5) at = willProperties(b, at, will.properties)
    at = writeText(b, at, will.topic)
    at = bytes(b, at, will.payload)
  }
  if (username !== undefined) at = writeText(b, at, username)
  if (password !== undefined) at = bytes(b, at, password)
  return close(b, from, 0x10, guess, at)
}

function connack(packet, version, b, from) {
  let at = from + 2
  b[at++] = packet.sessionPresent ? 1 : 0
  b[at++] = packet.reasonCode
  if (version === 5) at = connackProperties(b, at, packet.properties)
  return close(b, from, 0x20, 2, at)
}

function publish(packet, version, b, from) {
  const { topic, qos } = packet
  const payload = typeof packet.payload === 'string' ? encoder.encode(packet.payload) : packet.payload
  const size = payload.length
  const about = size + topic.length + 4
  const guess = about < 0x70 ? (version === 5 && about > 0x60 ? 3 : 2) : about < 0x4000 ? 3 : about < 0x200000 ? 4 : 5
  if (qos > 2) fail('QoS')
  let at = writeText(b, from + guess, topic)
  if (qos > 0) {
    if (!(packet.packetId > 0)) fail('no packet identifier')
    at = u16(b, at, packet.packetId)
  }
  if (version === 5) at = publishProperties(b, at, packet.properties)
  if (at + size > b.length) fail('target too small')
  at = raw(b, at, payload)
  return close(b, from, 0x30 | (packet.dup ? 8 : 0) | (qos << 1) | (packet.retain ? 1 : 0), guess, at)
}

function ack(packet, version, b, from, first) {
  if (!(packet.packetId > 0)) fail('no packet identifier')
  let at = u16(b, from + 2, packet.packetId)
  if (version === 5 && (packet.reasonCode || packet.properties !== undefined)) {
    b[at++] = packet.reasonCode
    if (packet.properties !== undefined) at = endProperties(b, at, packet.properties)
  }
  return close(b, from, first, 2, at)
}

function subscribe(packet, version, b, from) {
  let at = u16(b, from + 2, packet.packetId)
  if (version === 5) b[at++] = 0
  for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of packet.subscriptions) {
    at = writeText(b, at, filter)
    b[at++] = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | ((retainHandling ?? 0) << 4)
  }
  return close(b, from, 0x82, 2, at)
}

function disconnect(packet, version, b, from) {
  if (version !== 5 || (!packet.reasonCode && packet.properties === undefined)) return u16(b, from, 0xe000)
  b[from + 2] = packet.reasonCode
  const at = packet.properties === undefined ? from + 3 : endProperties(b, from + 3, packet.properties)
  return close(b, from, 0xe0, 2, at)
}
