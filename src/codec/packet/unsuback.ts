// SPDX-License-Identifier: MIT
// UNSUBACK (5.0 §3.11; 3.1.1 §3.11). Before 5.0 it says no more than that the UNSUBSCRIBE was done.
import { readPacketId, writePacketId } from '../packet-id.ts'
import type { PropertiesOf } from '../property.ts'
import { readProperties, refuseProperties, writeProperties } from '../property.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { Reader } from '../reader.ts'
import { readReason, writeReason } from '../reason-field.ts'
import type { Writer } from '../writer.ts'

/** The answer to UNSUBSCRIBE (5.0 §3.11; 3.1.1 §3.11). */
export interface Unsuback {
  readonly type: 'unsuback'
  /** 1 to 65,535 */
  readonly packetId: number
  /** 5.0: one for each Topic Filter, in order. 3.x: empty */
  readonly reasonCodes: readonly number[]
  readonly properties?: PropertiesOf<'unsuback'> | undefined
}

/** UNSUBACK to encode: in 5.0 one code for each Topic Filter, at least one. */
export interface UnsubackInput extends Omit<Unsuback, 'reasonCodes'> {
  /** must be left out or empty in 3.x */
  readonly reasonCodes?: readonly number[] | undefined
}

export function readUnsuback(r: Reader, version: ProtocolVersion): Unsuback {
  const packetId = readPacketId(r)
  if (version < 5) {
    r.finish('nothingLeft')
    return { type: 'unsuback', packetId, reasonCodes: [], properties: undefined }
  }
  const properties = readProperties(r, 'unsuback')
  if (r.position === r.end) throw r.fault('unsubackEmpty', r.end, 'no Reason Code')
  const reasonCodes: number[] = []
  while (r.position < r.end) reasonCodes.push(readReason(r, 'unsuback', version))
  return { type: 'unsuback', packetId, reasonCodes, properties }
}

export function writeUnsuback(w: Writer, packet: UnsubackInput, version: ProtocolVersion): number {
  const { packetId, reasonCodes = [], properties } = packet
  writePacketId(w, packetId)
  if (!Array.isArray(reasonCodes)) throw w.wrongType(reasonCodes, 'reasonCodes', 'an array')
  if (version < 5) {
    refuseProperties(w, properties)
    if (reasonCodes.length > 0) throw w.misuse('versionFive', 'reasonCodes', 'Reason Codes in an UNSUBACK of MQTT 3.x')
    return 0
  }
  writeProperties(w, 'unsuback', properties)
  if (reasonCodes.length === 0) throw w.misuse('unsubackEmpty', 'reasonCodes', 'no Reason Code')
  for (let i = 0; i < reasonCodes.length; i++) {
    w.item = i
    writeReason(w, 'unsuback', reasonCodes[i]!, version, 'reasonCodes')
  }
  w.item = -1
  return 0
}
