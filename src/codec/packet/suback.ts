// SPDX-License-Identifier: MIT
// SUBACK (5.0 §3.9; 3.1.1 §3.9): one code for each Topic Filter of the SUBSCRIBE, in its order.
import { readPacketId, writePacketId } from '../packet-id.ts'
import type { PropertiesOf } from '../property.ts'
import { readProperties, refuseProperties, writeProperties } from '../property.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { Reader } from '../reader.ts'
import { readReason, writeReason } from '../reason-field.ts'
import type { Writer } from '../writer.ts'

/** The answer to SUBSCRIBE: one code for each Topic Filter, in its order (5.0 §3.9; 3.1.1 §3.9). At least one. */
export interface Suback {
  readonly type: 'suback'
  /** 1 to 65,535 */
  readonly packetId: number
  /** granted QoS 0 to 2, or a failure: 0x80 in 3.1.1, 0x80 and above in 5.0, none in 3.1 */
  readonly reasonCodes: readonly number[]
  readonly properties?: PropertiesOf<'suback'> | undefined
}

/** SUBACK to encode: nothing has a default. */
export type SubackInput = Suback

export function readSuback(r: Reader, version: ProtocolVersion): Suback {
  const packetId = readPacketId(r)
  const properties = version === 5 ? readProperties(r, 'suback') : undefined
  if (r.position === r.end) throw r.fault('subackEmpty', r.end, 'no code')
  const reasonCodes: number[] = []
  while (r.position < r.end) reasonCodes.push(readReason(r, 'suback', version))
  return { type: 'suback', packetId, reasonCodes, properties }
}

export function writeSuback(w: Writer, packet: SubackInput, version: ProtocolVersion): number {
  const { packetId, reasonCodes, properties } = packet
  writePacketId(w, packetId)
  if (version === 5) writeProperties(w, 'suback', properties)
  else refuseProperties(w, properties)
  if (!Array.isArray(reasonCodes)) throw w.wrongType(reasonCodes, 'reasonCodes', 'an array')
  if (reasonCodes.length === 0) throw w.misuse('subackEmpty', 'reasonCodes', 'no code')
  for (let i = 0; i < reasonCodes.length; i++) {
    w.item = i
    writeReason(w, 'suback', reasonCodes[i]!, version, 'reasonCodes')
  }
  w.item = -1
  return 0
}
