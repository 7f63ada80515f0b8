// SPDX-License-Identifier: MIT
// PUBACK, PUBREC, PUBREL and PUBCOMP (5.0 §3.4 to §3.7): four names for one layout. Before 5.0 they are a Packet Identifier and nothing else.
import type { PropertiesOf } from '../property.ts'
import { refuseProperties } from '../property.ts'
import { readPacketId, writePacketId } from '../packet-id.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { Reader } from '../reader.ts'
import { readEnding, writeEnding } from '../reason-field.ts'
import type { Writer } from '../writer.ts'

type AckType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

interface Ack<T extends AckType> {
  readonly type: T
  /** 1 to 65,535 */
  readonly packetId: number
  /** 0x00 Success, also in 3.x and when left out on the wire */
  readonly reasonCode: number
  readonly properties?: PropertiesOf<T> | undefined
}

interface AckInput<T extends AckType> extends Omit<Ack<T>, 'reasonCode'> {
  readonly reasonCode?: number | undefined
}

/** The answer to PUBLISH of QoS 1 (5.0 §3.4; 3.1.1 §3.4). A code of 0x80 or above refuses the message. */
export type Puback = Ack<'puback'>
/** The first answer to PUBLISH of QoS 2 (5.0 §3.5; 3.1.1 §3.5). A code of 0x80 or above refuses the message and ends the exchange [MQTT-4.4.0-2]. */
export type Pubrec = Ack<'pubrec'>
/** The answer to PUBREC (5.0 §3.6; 3.1.1 §3.6). Code 0x00, or 0x92 Packet Identifier not found. */
export type Pubrel = Ack<'pubrel'>
/** The answer to PUBREL, and the end of a QoS 2 exchange (5.0 §3.7; 3.1.1 §3.7). Code 0x00, or 0x92 Packet Identifier not found. */
export type Pubcomp = Ack<'pubcomp'>
/** PUBACK to encode: `reasonCode` left out is 0x00; before 5.0 there is no other, and no properties. */
export type PubackInput = AckInput<'puback'>
/** PUBREC to encode, as PubackInput. */
export type PubrecInput = AckInput<'pubrec'>
/** PUBREL to encode, as PubackInput. */
export type PubrelInput = AckInput<'pubrel'>
/** PUBCOMP to encode, as PubackInput. */
export type PubcompInput = AckInput<'pubcomp'>

export function readAck<T extends AckType>(r: Reader, version: ProtocolVersion, type: T): Ack<T> {
  const packetId = readPacketId(r)
  if (version < 5) r.finish('nothingLeft')
  if (r.position === r.end) return { type, packetId, reasonCode: 0, properties: undefined }
  const { reasonCode, properties } = readEnding(r, type)
  return { type, packetId, reasonCode, properties }
}

/** `header` with the Packet Identifier in it, if nothing else is to be said and all is well; else 0, and `writeAck` says what is wrong. */
export function shortAck(header: number, { packetId, reasonCode, properties }: PubackInput | PubrecInput | PubrelInput | PubcompInput): number {
  if (properties !== undefined || (reasonCode !== undefined && reasonCode !== 0)) return 0
  return typeof packetId === 'number' && packetId > 0 && packetId <= 0xffff && Number.isInteger(packetId) ? header | packetId : 0
}

export function writeAck<T extends AckType>(w: Writer, packet: AckInput<T>, version: ProtocolVersion): number {
  const { type, packetId, reasonCode = 0, properties } = packet
  writePacketId(w, packetId)
  if (version === 5) writeEnding(w, type, reasonCode, properties)
  else {
    if (reasonCode !== 0) throw w.misuse('versionFive', 'reasonCode', `code ${String(reasonCode)} in a ${type.toUpperCase()} of MQTT 3.x`)
    refuseProperties(w, properties)
  }
  return 0
}
