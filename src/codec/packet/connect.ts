// SPDX-License-Identifier: MIT
// CONNECT (5.0 §3.1; 3.1.1 §3.1; 3.1 §3.1): the first packet, and the only one that says which version it is in.
import type { PropertiesOf } from '../property.ts'
import { readProperties, refuseProperties, writeProperties } from '../property.ts'
import { PROTOCOL_NAMES } from '../protocol.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { BitNames, Reader } from '../reader.ts'
import { topicNameFault } from '../topic.ts'
import type { Writer } from '../writer.ts'

/** What the Server publishes for a Client that goes without DISCONNECT. */
export interface Will {
  readonly topic: string
  /** 0 to 65,535 bytes; a view of the input unless decoded with `copy` */
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly properties?: PropertiesOf<'will'> | undefined
}

/** The first packet of a Client (5.0 §3.1; 3.1.1 §3.1; 3.1 §3.1), and the only one that says which version it is in. */
export interface Connect {
  readonly type: 'connect'
  readonly version: ProtocolVersion
  /** may be empty: then the Server assigns one (5.0) or names the Client for itself (3.1.1 with Clean Session) */
  readonly clientId: string
  /** Clean Start of 5.0, Clean Session of 3.x */
  readonly cleanStart: boolean
  /** seconds, 0 to 65,535; 0 turns it off */
  readonly keepAlive: number
  readonly username?: string | undefined
  /** a view of the input unless decoded with `copy` */
  readonly password?: Uint8Array | undefined
  readonly will?: Will | undefined
  /** 3.x only, and not in the standard: bit 7 of the level, by which a bridge makes itself known; decoded only with the quirk `bridge-level` */
  readonly bridge?: true | undefined
  readonly properties?: PropertiesOf<'connect'> | undefined
}

/** A Will to encode (5.0 §3.1.3.2 to §3.1.3.4): `qos` left out is 0, `retain` false. */
export interface WillInput extends Omit<Will, 'payload' | 'qos' | 'retain'> {
  /** text is sent as its UTF-8 bytes */
  readonly payload: Uint8Array | string
  readonly qos?: 0 | 1 | 2 | undefined
  readonly retain?: boolean | undefined
}

/** CONNECT to encode; `version` must be the one it is encoded as. Before 5.0 a password needs a username [3.1.1 MQTT-3.1.2-22]. */
export interface ConnectInput extends Omit<Connect, 'password' | 'will'> {
  /** text is sent as its UTF-8 bytes */
  readonly password?: Uint8Array | string | undefined
  readonly will?: WillInput | undefined
}

const BRIDGE = 0x80

const CONNECT_FLAGS: BitNames = [
  ['User Name Flag', 1], ['Password Flag', 1], ['Will Retain', 1], ['Will QoS', 2], ['Will Flag', 1], ['Clean Start', 1], ['Reserved', 1],
]

export function readConnect(r: Reader): Connect {
  const { version, bridge } = readProtocol(r)
  checkHeader(r, version)
  const flagsAt = r.position
  const flags = r.flags('Connect Flags', CONNECT_FLAGS)
  checkFlags(r, flagsAt, flags, version)
  const keepAlive = r.u16('Keep Alive')
  const properties = version === 5 ? readProperties(r, 'connect') : undefined
  if (r.position === r.end) throw r.fault('clientIdMissing', r.end, 'the packet ends before the Client Identifier')
  const clientId = r.string('Client Identifier')
  const will = (flags & 0x04) === 0 ? undefined : readWill(r, version, flags)
  const username = (flags & 0x80) === 0 || endsEarly(r, version, 'usernameMissing') ? undefined : r.string('User Name')
  const password = (flags & 0x40) === 0 || endsEarly(r, version, 'passwordMissing') ? undefined : r.binary('Password')
  r.finish('nothingLeft')
  return { type: 'connect', version, clientId, cleanStart: (flags & 0x02) !== 0, keepAlive, username, password, will, bridge, properties }
}

export function writeConnect(w: Writer, packet: ConnectInput, version: ProtocolVersion): number {
  const { clientId, cleanStart, keepAlive, username, password, will } = packet
  if (packet.version !== version) throw w.misuse('protocolLevel', 'version', `${String(packet.version)}, encoded as ${version}`)
  if (typeof cleanStart !== 'boolean') throw w.wrongType(cleanStart, 'cleanStart', 'a boolean')
  if (packet.bridge === true && version === 5) throw w.misuse('bridgeLevel', 'bridge', 'true in 5.0')
  if (version < 5 && password !== undefined && username === undefined) throw w.misuse('passwordWithoutUsername', 'password', 'no username')
  writeProtocolName(w, version)
  w.u8(packet.bridge === true ? version | BRIDGE : version)
  w.u8((username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40) | (will === undefined ? 0 : willFlags(w, will)) | (cleanStart ? 0x02 : 0))
  w.u16(keepAlive, 'keepAlive')
  if (version === 5) writeProperties(w, 'connect', packet.properties)
  else refuseProperties(w, packet.properties)
  w.string(clientId, 'clientId')
  checkClientId(w, clientId, cleanStart, version)
  if (will !== undefined) writeWill(w, will, version)
  if (username !== undefined) w.string(username, 'username')
  if (password !== undefined) w.binary(password, 'password')
  return 0
}

/** Six bytes as two numbers, `00 04 4d 51` and `54 54`: half the price of the string. Twin: `string`. */
function writeProtocolName(w: Writer, version: ProtocolVersion): void {
  if (version === 3) return w.string(PROTOCOL_NAMES[3], 'version')
  w.u32(0x0004_4d51, 'version')
  w.u16(0x5454, 'version')
}

/** Protocol Name and Protocol Version; from here on the reader knows which version's rules hold. */
function readProtocol(r: Reader): { readonly version: ProtocolVersion, readonly bridge: true | undefined } {
  r.version = undefined
  const nameAt = r.position
  const name = r.string('Protocol Name')
  if (name !== 'MQTT' && name !== 'MQIsdp') throw r.fault('protocolName', nameAt, `Protocol Name ${JSON.stringify(name)}`)
  const levelAt = r.position
  const level = r.u8('Protocol Version')
  if (name === 'MQTT' ? level === 4 || level === 5 : level === 3) return { version: (r.version = level as ProtocolVersion), bridge: undefined }
  // The answer, if any, should be in a form this client may understand: the nearest version that uses this name.
  r.version = name === 'MQIsdp' ? 3 : level > 5 ? 5 : 4
  if (level === (name === 'MQTT' ? 4 : 3) + BRIDGE) {
    r.version = (level - BRIDGE) as ProtocolVersion
    r.object('bridgeLevel', levelAt, `Protocol Version 0x${level.toString(16)}`)
    return { version: r.version, bridge: true }
  }
  throw r.fault('protocolLevel', levelAt, `Protocol Name ${name} with version ${level}`)
}

/** CONNECT's own fixed header can only be judged once its version is known: 3.1 does not use these flags, 5.0 wants minimal lengths. */
function checkHeader(r: Reader, version: ProtocolVersion): void {
  const { bytes, start } = r
  const flags = bytes[start]! & 0x0f
  if (flags !== 0 && version > 3) r.object('headerFlags', start, `flags 0b${flags.toString(2).padStart(4, '0')}`)
  if (version !== 5 || bytes[start + 1]! < 0x80) return
  let last = start + 2
  while (bytes[last]! > 0x7f) last++
  if (bytes[last] === 0) r.object('minimalVarint', last, 'a Remaining Length longer than it need be')
}

function checkFlags(r: Reader, at: number, flags: number, version: ProtocolVersion): void {
  // 3.1 §3.1: bit 0 is not used, and without the Will Flag the Will bits are disregarded.
  if ((flags & 0x01) !== 0 && version > 3) r.object('reservedConnectFlag', at, flagsText(flags))
  if ((flags & 0x04) === 0 && version > 3) {
    if ((flags & 0x18) !== 0) throw r.fault('willQosWithoutWill', at, flagsText(flags))
    if ((flags & 0x20) !== 0) throw r.fault('willRetainWithoutWill', at, flagsText(flags))
  }
  if ((flags & 0x1c) === 0x1c) throw r.fault('willQos', at, flagsText(flags))
  if ((flags & 0xc0) === 0x40 && version < 5) r.object('passwordWithoutUsername', at, flagsText(flags))
}

function flagsText(flags: number): string {
  return `flags 0b${flags.toString(2).padStart(8, '0')}`
}

/**
 * Is a flagged field missing because the packet ends before it? A fault, except in 3.1, where the Remaining Length "takes precedence"
 * over the flags and such a CONNECT "should be allowed to continue" (3.1 §3.1).
 */
function endsEarly(r: Reader, version: ProtocolVersion, rule: 'usernameMissing' | 'passwordMissing'): boolean {
  if (r.position < r.end) return false
  if (version > 3) throw r.fault(rule, r.end, 'the packet ends before it')
  return true
}

function readWill(r: Reader, version: ProtocolVersion, flags: number): Will {
  if (r.position === r.end) throw r.fault('willMissing', r.end, 'the packet ends before the Will')
  const properties = version === 5 ? readProperties(r, 'will') : undefined
  const topicAt = r.position
  const topic = r.string('Will Topic')
  if (topicNameFault(topic) !== undefined) throw r.fault('willTopic', topicAt, `Will Topic ${JSON.stringify(topic)}`)
  const payload = r.binary('Will Payload')
  return { topic, payload, qos: ((flags >> 3) & 3) as 0 | 1 | 2, retain: (flags & 0x20) !== 0, properties }
}

function willFlags(w: Writer, will: WillInput): number {
  if (typeof will !== 'object' || will === null) throw w.wrongType(will, 'will', 'an object')
  const { qos = 0, retain = false } = will
  if (qos !== 0 && qos !== 1 && qos !== 2) throw w.misuse('willQos', 'will.qos', String(qos))
  if (typeof retain !== 'boolean') throw w.wrongType(retain, 'will.retain', 'a boolean')
  return 0x04 | (qos << 3) | (retain ? 0x20 : 0)
}

function writeWill(w: Writer, will: WillInput, version: ProtocolVersion): void {
  if (version === 5) writeProperties(w, 'will', will.properties, 'will.properties')
  else refuseProperties(w, will.properties, 'will.properties')
  w.topic(will.topic, 'will.topic')
  if (w.wildcard >= 0 || will.topic === '') throw w.misuse('willTopic', 'will.topic', JSON.stringify(will.topic))
  w.binary(will.payload, 'will.payload')
}

function checkClientId(w: Writer, clientId: string, cleanStart: boolean, version: ProtocolVersion): void {
  if (version === 3) {
    // Characters, of which one beyond U+FFFF is two units of a JavaScript string.
    const characters = clientId.length <= 23 ? clientId.length : Array.from(clientId).length
    if (characters < 1 || characters > 23) throw w.misuse('clientIdLength', 'clientId', `${characters} characters`)
  }
  if (version === 4 && clientId === '' && !cleanStart) throw w.misuse('emptyClientId', 'clientId', 'empty with cleanStart false')
}
