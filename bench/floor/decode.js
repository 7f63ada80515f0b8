// The floor's decoder: bounds, header flags, U+0000, UTF-8 and trailing bytes are checked; property repeats,
// Reason Codes, wildcards and reserved protocol levels are not. It shows what is possible, not how to write it.

import {
  connackProperties, connectProperties, endProperties, longVarint, publishProperties, text, u16, varint, varintSize, view,
  willProperties,
} from './properties-read.js'
import { fail, readText } from './strings.js'

const PINGREQ = Object.freeze({ type: 'pingreq' })
const PINGRESP = Object.freeze({ type: 'pingresp' })
const DISCONNECT = Object.freeze({ type: 'disconnect', reasonCode: 0, properties: undefined })
const ACK_NAMES = { 0x40: 'puback', 0x50: 'pubrec', 0x62: 'pubrel', 0x70: 'pubcomp' }

/** Exactly one packet. */
export function decode(bytes, version) {
  const end = bytes.length
  if (end < 2) fail('shorter than a fixed header')
  let remaining = bytes[1]
  let at = 2
  if (remaining > 0x7f) {
    remaining = longVarint(bytes, 1, end)
    at = 1 + varintSize(remaining)
  }
  if (at + remaining !== end) fail('not exactly one packet')
  return decodeBody(bytes, bytes[0], at, end, version)
}

/** The whole first byte is the key, so a reserved flag has no case to land in. */
export function decodeBody(b, first, at, end, version) {
  switch (first) {
    case 0x10: return connect(b, at, end)
    case 0x20: return connack(b, at, end, version)
    case 0x40: case 0x50: case 0x62: case 0x70: return ack(b, first, at, end, version)
    case 0x82: return subscribe(b, at, end, version)
    case 0xc0: return at === end ? PINGREQ : fail('bytes after PINGREQ')
    case 0xd0: return at === end ? PINGRESP : fail('bytes after PINGRESP')
    case 0xe0: return at === end ? DISCONNECT : disconnect(b, at, end, version)
  }
  if ((first & 0xf0) === 0x30) return publish(b, first, at, end, version)
  return fail('unknown type or reserved flags')
}

function connect(b, at, end) {
  if (end - at < 12) fail('CONNECT too short')
  if (b[at] !== 0 || b[at + 1] !== 4 || b[at + 2] !== 0x4d || b[at + 3] !== 0x51 || b[at + 4] !== 0x54 || b[at + 5] !== 0x54) {
    fail('not MQTT')
  }
  const version = b[at + 6]
  const flags = b[at + 7]
  const keepAlive = u16(b, at + 8)
  if (version !== 4 && version !== 5) fail('unknown protocol level')
  if ((flags & 0x01) !== 0 || (flags & 0x18) === 0x18) fail('reserved connect flag or QoS 3')
  if ((flags & 0x04) === 0 && (flags & 0x38) !== 0) fail('will flags without a will')
  if (version === 4 && (flags & 0xc0) === 0x40) fail('password without user name')
  at += 10
  let properties
  if (version === 5) {
    const length = varint(b, at, end)
    at += varintSize(length)
    if (at + length > end) fail('properties run over')
    properties = connectProperties(b, at, at + length)
    at += length
  }
  const clientId = text(b, at, end)
  at += 2 + u16(b, at)
  let will, username, password
  if ((flags & 0x04) !== 0) {
    let willProps
    if (version === 5) {
      const length = varint(b, at, end)
      at += varintSize(length)
      if (at + length > end) fail('will properties run over')
      willProps = willProperties(b, at, at + length)
      at += length
    }
    const topic = text(b, at, end)
    at += 2 + u16(b, at)
    will = { topic, payload: view(b, at, end), qos: (flags >> 3) & 3, retain: (flags & 0x20) !== 0, properties: willProps }
    at += 2 + u16(b, at)
  }
  if ((flags & 0x80) !== 0) {
    username = text(b, at, end)
    at += 2 + u16(b, at)
  }
  if ((flags & 0x40) !== 0) {
    password = view(b, at, end)
    at += 2 + u16(b, at)
  }
  if (at !== end) fail('bytes after CONNECT')
  return { type: 'connect', version, clientId, cleanStart: (flags & 0x02) !== 0, keepAlive, username, password, will, properties }
}

function connack(b, at, end, version) {
  if (end - at < 2) fail('CONNACK too short')
  const flags = b[at]
  const reasonCode = b[at + 1]
  if (flags > 1) fail('reserved acknowledge flag')
  at += 2
  let properties
  if (version === 5) {
    const length = varint(b, at, end)
    at += varintSize(length)
    if (at + length !== end) fail('properties do not end the packet')
    properties = connackProperties(b, at, end)
    at = end
  }
  if (at !== end) fail('bytes after CONNACK')
  return { type: 'connack', sessionPresent: flags === 1, reasonCode, properties }
}

function publish(b, first, at, end, version) {
  const qos = (first >> 1) & 3
  if (qos === 3 || (first & 0x0e) === 0x08) fail('QoS 3, or a duplicate of QoS 0')
  if (end - at < 2) fail('PUBLISH too short')
  const length = u16(b, at)
  at += 2
  if (at + length > end) fail('topic runs over')
  const topic = readText(b, at, length)
  at += length
  let packetId, properties
  if (qos > 0) {
    packetId = u16(b, at)
    at += 2
    if (at > end || packetId === 0) fail('no packet identifier')
  }
  if (version === 5) {
    const size = varint(b, at, end)
    at += varintSize(size)
    if (at + size > end) fail('properties run over')
    properties = size === 0 ? undefined : publishProperties(b, at, at + size)
    at += size
  }
  return {
    type: 'publish', topic, payload: new Uint8Array(b.buffer, b.byteOffset + at, end - at), qos,
    retain: (first & 0x01) !== 0, dup: (first & 0x08) !== 0, packetId, properties,
  }
}

function ack(b, first, at, end, version) {
  const packetId = u16(b, at)
  if (end - at < 2 || packetId === 0) fail('no packet identifier')
  at += 2
  let reasonCode = 0
  let properties
  if (at < end && version === 5) {
    reasonCode = b[at++]
    if (at < end) {
      const size = varint(b, at, end)
      at += varintSize(size)
      if (at + size !== end) fail('properties do not end the packet')
      properties = endProperties(b, at, end)
      at = end
    }
  }
  if (at !== end) fail('bytes after the acknowledgement')
  return { type: ACK_NAMES[first], packetId, reasonCode, properties }
}

function subscribe(b, at, end, version) {
  const packetId = u16(b, at)
  if (end - at < 5 || packetId === 0) fail('SUBSCRIBE too short')
  at += 2
  if (version === 5 && b[at++] !== 0) fail('the floor knows no SUBSCRIBE properties')
  const subscriptions = []
  while (at < end) {
    const filter = text(b, at, end)
    at += 2 + u16(b, at)
    const options = b[at++]
    if (at > end || (options & (version === 5 ? 0xc0 : 0xfc)) !== 0 || (options & 3) === 3) fail('subscription options')
    subscriptions.push({
      filter, qos: options & 3, noLocal: (options & 4) !== 0, retainAsPublished: (options & 8) !== 0, retainHandling: (options >> 4) & 3,
    })
  }
  return { type: 'subscribe', packetId, subscriptions, properties: undefined }
}

function disconnect(b, at, end, version) {
  if (version !== 5) fail('bytes after DISCONNECT')
  const reasonCode = b[at++]
  let properties
  if (at < end) {
    const size = varint(b, at, end)
    at += varintSize(size)
    if (at + size !== end) fail('properties do not end the packet')
    properties = endProperties(b, at, end)
  }
  return { type: 'disconnect', reasonCode, properties }
}
