// MQTT 5.0 properties for the floor: one function and one literal per carrier, a switch on the id, no tables.
// Not checked, on purpose: repeats and forbidden values. A length that does not come out even is.

import { fail, readText } from './strings.js'

export const u16 = (b, at) => (b[at] << 8) | b[at + 1]
export const u32 = (b, at) => ((b[at] << 24) | (b[at + 1] << 16) | (b[at + 2] << 8) | b[at + 3]) >>> 0

export function text(b, at, end) {
  const length = u16(b, at)
  if (at + 2 + length > end) fail('text runs over')
  return readText(b, at + 2, length)
}

export function view(b, at, end) {
  const length = u16(b, at)
  if (at + 2 + length > end) fail('bytes run over')
  return new Uint8Array(b.buffer, b.byteOffset + at + 2, length)
}

/** A minimal Variable Byte Integer of two to four bytes. */
export function longVarint(b, at, end) {
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    if (at >= end) fail('varint runs over')
    const byte = b[at++]
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return byte === 0 && shift > 0 ? fail('varint not minimal') : value
  }
  return fail('varint longer than four bytes')
}

export const varint = (b, at, end) => (b[at] < 0x80 ? b[at] : longVarint(b, at, end))
export const varintSize = (value) => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4)

const even = (at, end) => { if (at !== end) fail('properties do not come out even') }

function pair(b, at, end) {
  const key = text(b, at, end)
  return [key, text(b, at + 2 + u16(b, at), end)]
}

const afterText = (b, at) => at + 2 + u16(b, at)
const afterPair = (b, at) => afterText(b, afterText(b, at))

export function connectProperties(b, at, end) {
  let sessionExpiryInterval, receiveMaximum, maximumPacketSize, topicAliasMaximum
  let requestResponseInformation, requestProblemInformation, authenticationMethod, authenticationData, userProperties
  while (at < end) {
    switch (b[at++]) {
      case 0x11: sessionExpiryInterval = u32(b, at); at += 4; break
      case 0x21: receiveMaximum = u16(b, at); at += 2; break
      case 0x27: maximumPacketSize = u32(b, at); at += 4; break
      case 0x22: topicAliasMaximum = u16(b, at); at += 2; break
      case 0x19: requestResponseInformation = b[at++] === 1; break
      case 0x17: requestProblemInformation = b[at++] === 1; break
      case 0x15: authenticationMethod = text(b, at, end); at = afterText(b, at); break
      case 0x16: authenticationData = view(b, at, end); at = afterText(b, at); break
      case 0x26: (userProperties ??= []).push(pair(b, at, end)); at = afterPair(b, at); break
      default: fail('unknown property')
    }
  }
  even(at, end)
  return {
    sessionExpiryInterval, receiveMaximum, maximumPacketSize, topicAliasMaximum,
    requestResponseInformation, requestProblemInformation, authenticationMethod, authenticationData, userProperties,
  }
}

export function willProperties(b, at, end) {
  let willDelayInterval, payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperties
  while (at < end) {
    switch (b[at++]) {
      case 0x18: willDelayInterval = u32(b, at); at += 4; break
      case 0x01: payloadFormatIndicator = b[at++]; break
      case 0x02: messageExpiryInterval = u32(b, at); at += 4; break
      case 0x03: contentType = text(b, at, end); at = afterText(b, at); break
      case 0x08: responseTopic = text(b, at, end); at = afterText(b, at); break
      case 0x09: correlationData = view(b, at, end); at = afterText(b, at); break
      case 0x26: (userProperties ??= []).push(pair(b, at, end)); at = afterPair(b, at); break
      default: fail('unknown property')
    }
  }
  even(at, end)
  return { willDelayInterval, payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperties }
}

export function publishProperties(b, at, end) {
  let payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData
  let topicAlias, subscriptionIdentifiers, userProperties
  while (at < end) {
    switch (b[at++]) {
      case 0x01: payloadFormatIndicator = b[at++]; break
      case 0x02: messageExpiryInterval = u32(b, at); at += 4; break
      case 0x03: contentType = text(b, at, end); at = afterText(b, at); break
      case 0x08: responseTopic = text(b, at, end); at = afterText(b, at); break
      case 0x09: correlationData = view(b, at, end); at = afterText(b, at); break
      case 0x23: topicAlias = u16(b, at); at += 2; break
      case 0x0b: {
        const id = varint(b, at, end)
        ;(subscriptionIdentifiers ??= []).push(id)
        at += varintSize(id)
        break
      }
      case 0x26: (userProperties ??= []).push(pair(b, at, end)); at = afterPair(b, at); break
      default: fail('unknown property')
    }
  }
  even(at, end)
  return {
    payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData,
    topicAlias, subscriptionIdentifiers, userProperties,
  }
}

export function connackProperties(b, at, end) {
  let sessionExpiryInterval, receiveMaximum, maximumQos, retainAvailable, maximumPacketSize, assignedClientIdentifier
  let topicAliasMaximum, reasonString, userProperties, wildcardSubscriptionAvailable, subscriptionIdentifiersAvailable
  let sharedSubscriptionAvailable, serverKeepAlive, responseInformation, serverReference, authenticationMethod, authenticationData
  while (at < end) {
    switch (b[at++]) {
      case 0x11: sessionExpiryInterval = u32(b, at); at += 4; break
      case 0x21: receiveMaximum = u16(b, at); at += 2; break
      case 0x24: maximumQos = b[at++]; break
      case 0x25: retainAvailable = b[at++] === 1; break
      case 0x27: maximumPacketSize = u32(b, at); at += 4; break
      case 0x12: assignedClientIdentifier = text(b, at, end); at = afterText(b, at); break
      case 0x22: topicAliasMaximum = u16(b, at); at += 2; break
      case 0x1f: reasonString = text(b, at, end); at = afterText(b, at); break
      case 0x28: wildcardSubscriptionAvailable = b[at++] === 1; break
      case 0x29: subscriptionIdentifiersAvailable = b[at++] === 1; break
      case 0x2a: sharedSubscriptionAvailable = b[at++] === 1; break
      case 0x13: serverKeepAlive = u16(b, at); at += 2; break
      case 0x1a: responseInformation = text(b, at, end); at = afterText(b, at); break
      case 0x1c: serverReference = text(b, at, end); at = afterText(b, at); break
      case 0x15: authenticationMethod = text(b, at, end); at = afterText(b, at); break
      case 0x16: authenticationData = view(b, at, end); at = afterText(b, at); break
      case 0x26: (userProperties ??= []).push(pair(b, at, end)); at = afterPair(b, at); break
      default: fail('unknown property')
    }
  }
  even(at, end)
  return {
    sessionExpiryInterval, receiveMaximum, maximumQos, retainAvailable, maximumPacketSize, assignedClientIdentifier,
    topicAliasMaximum, reasonString, userProperties, wildcardSubscriptionAvailable, subscriptionIdentifiersAvailable,
    sharedSubscriptionAvailable, serverKeepAlive, responseInformation, serverReference, authenticationMethod, authenticationData,
  }
}

/** DISCONNECT, and the acknowledgements with what they may carry of it. */
export function endProperties(b, at, end) {
  let sessionExpiryInterval, reasonString, serverReference, userProperties
  while (at < end) {
    switch (b[at++]) {
      case 0x11: sessionExpiryInterval = u32(b, at); at += 4; break
      case 0x1f: reasonString = text(b, at, end); at = afterText(b, at); break
      case 0x1c: serverReference = text(b, at, end); at = afterText(b, at); break
      case 0x26: (userProperties ??= []).push(pair(b, at, end)); at = afterPair(b, at); break
      default: fail('unknown property')
    }
  }
  even(at, end)
  return { sessionExpiryInterval, reasonString, serverReference, userProperties }
}
