// The mirror of properties-read.js: property length guessed as one byte and moved when that was wrong, then straight stores.

import { fail, writeText } from './strings.js'

export function u16(b, at, value) {
  b[at] = value >> 8
  b[at + 1] = value
  return at + 2
}

function u32(b, at, value) {
  b[at] = value >>> 24
  b[at + 1] = value >>> 16
  b[at + 2] = value >>> 8
  b[at + 3] = value
  return at + 4
}

export function bytes(b, at, value) {
  const length = value.length
  if (length > 0xffff) fail('more than 65,535 bytes')
  if (at + 2 + length > b.length) fail('target too small')
  u16(b, at, length)
  return raw(b, at + 2, value)
}

/** A copy; below 64 bytes a loop is cheaper than the native call. */
export function raw(b, at, value) {
  const length = value.length
  if (length < 64) for (let i = 0; i < length; i++) b[at + i] = value[i]
  else b.set(value, at)
  return at + length
}

export function varint(b, at, value) {
  while (value > 0x7f) {
    b[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  b[at] = value
  return at + 1
}

const byte = (b, at, id, value) => { b[at] = id; b[at + 1] = value; return at + 2 }
const word = (b, at, id, value) => { b[at] = id; return u16(b, at + 1, value) }
const long = (b, at, id, value) => { b[at] = id; return u32(b, at + 1, value) }
const text = (b, at, id, value) => { b[at] = id; return writeText(b, at + 1, value) }

function pairs(b, at, list) {
  for (let i = 0; i < list.length; i++) {
    b[at] = 0x26
    at = writeText(b, writeText(b, at + 1, list[i][0]), list[i][1])
  }
  return at
}

/** Length in front of what was written from `from + 1`. */
function close(b, from, at) {
  const length = at - from - 1
  if (length < 0x80) {
    b[from] = length
    return at
  }
  const size = length < 0x4000 ? 2 : 3
  b.copyWithin(from + size, from + 1, at)
  varint(b, from, length)
  return at + size - 1
}

export function connectProperties(b, from, p) {
  let at = from + 1
  if (p !== undefined) {
    if (p.sessionExpiryInterval !== undefined) at = long(b, at, 0x11, p.sessionExpiryInterval)
    if (p.receiveMaximum !== undefined) at = word(b, at, 0x21, p.receiveMaximum)
    if (p.maximumPacketSize !== undefined) at = long(b, at, 0x27, p.maximumPacketSize)
    if (p.topicAliasMaximum !== undefined) at = word(b, at, 0x22, p.topicAliasMaximum)
    if (p.requestResponseInformation !== undefined) at = byte(b, at, 0x19, +p.requestResponseInformation)
    if (p.requestProblemInformation !== undefined) at = byte(b, at, 0x17, +p.requestProblemInformation)
    if (p.authenticationMethod !== undefined) at = text(b, at, 0x15, p.authenticationMethod)
    if (p.userProperties !== undefined) at = pairs(b, at, p.userProperties)
  }
  return close(b, from, at)
}

export function willProperties(b, from, p) {
  let at = from + 1
  if (p !== undefined) {
    if (p.willDelayInterval !== undefined) at = long(b, at, 0x18, p.willDelayInterval)
    at = messageProperties(b, at, p)
  }
  return close(b, from, at)
}

export function publishProperties(b, from, p) {
  let at = from + 1
  if (p !== undefined) {
    at = messageProperties(b, at, p)
    if (p.topicAlias !== undefined) at = word(b, at, 0x23, p.topicAlias)
  }
  return close(b, from, at)
}

/** What a Will and a PUBLISH have in common. */
function messageProperties(b, at, p) {
  if (p.payloadFormatIndicator !== undefined) at = byte(b, at, 0x01, p.payloadFormatIndicator)
  if (p.messageExpiryInterval !== undefined) at = long(b, at, 0x02, p.messageExpiryInterval)
  if (p.contentType !== undefined) at = text(b, at, 0x03, p.contentType)
  if (p.responseTopic !== undefined) at = text(b, at, 0x08, p.responseTopic)
  if (p.userProperties !== undefined) at = pairs(b, at, p.userProperties)
  return at
}

export function connackProperties(b, from, p) {
  let at = from + 1
  if (p !== undefined) {
    if (p.sessionExpiryInterval !== undefined) at = long(b, at, 0x11, p.sessionExpiryInterval)
    if (p.receiveMaximum !== undefined) at = word(b, at, 0x21, p.receiveMaximum)
    if (p.maximumQos !== undefined) at = byte(b, at, 0x24, p.maximumQos)
    if (p.retainAvailable !== undefined) at = byte(b, at, 0x25, +p.retainAvailable)
    if (p.maximumPacketSize !== undefined) at = long(b, at, 0x27, p.maximumPacketSize)
    if (p.assignedClientIdentifier !== undefined) at = text(b, at, 0x12, p.assignedClientIdentifier)
    if (p.topicAliasMaximum !== undefined) at = word(b, at, 0x22, p.topicAliasMaximum)
    if (p.reasonString !== undefined) at = text(b, at, 0x1f, p.reasonString)
    if (p.wildcardSubscriptionAvailable !== undefined) at = byte(b, at, 0x28, +p.wildcardSubscriptionAvailable)
    if (p.subscriptionIdentifiersAvailable !== undefined) at = byte(b, at, 0x29, +p.subscriptionIdentifiersAvailable)
    if (p.sharedSubscriptionAvailable !== undefined) at = byte(b, at, 0x2a, +p.sharedSubscriptionAvailable)
    if (p.serverKeepAlive !== undefined) at = word(b, at, 0x13, p.serverKeepAlive)
    if (p.responseInformation !== undefined) at = text(b, at, 0x1a, p.responseInformation)
    if (p.serverReference !== undefined) at = text(b, at, 0x1c, p.serverReference)
    if (p.authenticationMethod !== undefined) at = text(b, at, 0x15, p.authenticationMethod)
    if (p.userProperties !== undefined) at = pairs(b, at, p.userProperties)
  }
  return close(b, from, at)
}

export function endProperties(b, from, p) {
  let at = from + 1
  if (p !== undefined) {
    if (p.sessionExpiryInterval !== undefined) at = long(b, at, 0x11, p.sessionExpiryInterval)
    if (p.reasonString !== undefined) at = text(b, at, 0x1f, p.reasonString)
    if (p.serverReference !== undefined) at = text(b, at, 0x1c, p.serverReference)
    if (p.userProperties !== undefined) at = pairs(b, at, p.userProperties)
  }
  return close(b, from, at)
}
