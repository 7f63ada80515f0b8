// SPDX-License-Identifier: MIT
// UNSUBSCRIBE (5.0 §3.10; 3.1.1 §3.10): the Topic Filters to give up.
import { readPacketId, writePacketId } from '../packet-id.ts'
import type { PropertiesOf } from '../property.ts'
import { readProperties, refuseProperties, writeProperties } from '../property.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { readFilter, writeFilter } from './subscribe.ts'

/** A Client gives up Topic Filters, spelled as it subscribed to them (5.0 §3.10; 3.1.1 §3.10): at least one [MQTT-3.10.3-2]. */
export interface Unsubscribe {
  readonly type: 'unsubscribe'
  /** 1 to 65,535 */
  readonly packetId: number
  readonly filters: readonly string[]
  readonly properties?: PropertiesOf<'unsubscribe'> | undefined
}

/** UNSUBSCRIBE to encode: nothing has a default. */
export type UnsubscribeInput = Unsubscribe

export function readUnsubscribe(r: Reader, version: ProtocolVersion): Unsubscribe {
  const packetId = readPacketId(r)
  const properties = version === 5 ? readProperties(r, 'unsubscribe') : undefined
  if (r.position === r.end) throw r.fault('unsubscribeEmpty', r.end, 'no Topic Filter')
  const filters: string[] = []
  while (r.position < r.end) filters.push(readFilter(r, version))
  return { type: 'unsubscribe', packetId, filters, properties }
}

export function writeUnsubscribe(w: Writer, packet: UnsubscribeInput, version: ProtocolVersion): number {
  const { packetId, filters, properties } = packet
  writePacketId(w, packetId)
  if (version === 5) writeProperties(w, 'unsubscribe', properties)
  else refuseProperties(w, properties)
  if (!Array.isArray(filters)) throw w.wrongType(filters, 'filters', 'an array')
  if (filters.length === 0) throw w.misuse('unsubscribeEmpty', 'filters', 'no Topic Filter')
  for (let i = 0; i < filters.length; i++) {
    w.item = i
    writeFilter(w, filters[i]!, version, 'filters')
  }
  w.item = -1
  return 0b0010
}
