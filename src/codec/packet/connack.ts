// SPDX-License-Identifier: MIT
// CONNACK (5.0 §3.2; 3.1.1 §3.2): the Server's answer to CONNECT.
import type { PropertiesOf } from '../property.ts'
import { readProperties, refuseProperties, writeProperties } from '../property.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { BitNames, Reader } from '../reader.ts'
import { REASONS } from '../reason.ts'
import { isReason, readReason, writeReason } from '../reason-field.ts'
import type { Writer } from '../writer.ts'

/** The Server's answer to CONNECT (5.0 §3.2; 3.1.1 §3.2). */
export interface Connack {
  readonly type: 'connack'
  /** the Server has kept a session for this Client Identifier (3.1 cannot say so: always false) */
  readonly sessionPresent: boolean
  /** 5.0: Connect Reason Code, 0x80 and above refuse. 3.x: Connect Return code, 1 to 5 refuse. */
  readonly reasonCode: number
  readonly properties?: PropertiesOf<'connack'> | undefined
}

/** CONNACK to encode: `sessionPresent` left out is false, as it has to be where the code refuses [MQTT-3.2.2-6]. */
export interface ConnackInput extends Omit<Connack, 'sessionPresent'> {
  readonly sessionPresent?: boolean | undefined
}

const ACKNOWLEDGE_FLAGS: BitNames = [['Reserved', 7], ['Session Present', 1]]

export function readConnack(r: Reader, version: ProtocolVersion): Connack {
  const at = r.position
  if (version === 5 && r.end - at === 2) return readConnackOf311(r)
  const flags = r.flags('Connect Acknowledge Flags', ACKNOWLEDGE_FLAGS)
  // 3.1 §3.2: the byte is reserved, not used.
  if (flags > 1 && version > 3) throw r.fault('acknowledgeFlags', at, `flags 0b${flags.toString(2).padStart(8, '0')}`)
  const sessionPresent = flags === 1 && version > 3
  const reasonCode = readReason(r, 'connack', version)
  if (sessionPresent && reasonCode !== 0) throw r.fault('sessionPresentRefused', at, `Session Present with code ${reasonCode}`)
  const properties = version === 5 ? readProperties(r, 'connack') : undefined
  r.finish('nothingLeft')
  return { type: 'connack', sessionPresent, reasonCode, properties }
}

/** Two bytes in answer to a CONNECT of 5.0: the Server has only understood that it does not understand. */
function readConnackOf311(r: Reader): Connack {
  r.object('connackForm', r.end, 'no Property Length')
  const { sessionPresent, reasonCode } = readConnack(r, 4)
  const code = Object.entries(REASONS).find(([, { v3 }]) => v3 === reasonCode)![0]
  return { type: 'connack', sessionPresent, reasonCode: Number(code), properties: undefined }
}

/** `header` with the two bytes of a CONNACK of 3.x in it if all is well; else 0, and `writeConnack` says what is wrong. */
export function shortConnack(header: number, { sessionPresent, reasonCode, properties }: ConnackInput, version: ProtocolVersion): number {
  if (properties !== undefined || !isReason('connack', reasonCode, version)) return 0
  if (sessionPresent === undefined || sessionPresent === false) return header | reasonCode
  return sessionPresent === true && reasonCode === 0 ? header | (version > 3 ? 0x0100 : 0) : 0
}

export function writeConnack(w: Writer, packet: ConnackInput, version: ProtocolVersion): number {
  const { sessionPresent = false, reasonCode } = packet
  if (typeof sessionPresent !== 'boolean') throw w.wrongType(sessionPresent, 'sessionPresent', 'a boolean')
  if (sessionPresent && reasonCode !== 0) throw w.misuse('sessionPresentRefused', 'sessionPresent', `true with code ${reasonCode}`)
  // 3.1 has no such flag: the byte goes out as 0 also for a resumed session.
  w.u8(sessionPresent && version > 3 ? 1 : 0)
  writeReason(w, 'connack', reasonCode, version)
  if (version === 5) writeProperties(w, 'connack', packet.properties)
  else refuseProperties(w, packet.properties)
  return 0
}
