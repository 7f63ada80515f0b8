// SPDX-License-Identifier: MIT
// PUBLISH (5.0 §3.3; 3.1.1 §3.3): the only packet whose fixed header flags carry data.
import { readPacketId, writePacketId } from '../packet-id.ts'
import type { PropertiesOf } from '../property.ts'
import { readProperties, refuseProperties, writeProperties } from '../property.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'

/** An Application Message, from either side (5.0 §3.3; 3.1.1 §3.3). */
export interface Publish {
  readonly type: 'publish'
  /** '' only in 5.0, where `properties.topicAlias` then stands for it */
  readonly topic: string
  /** a view of the input unless decoded with `copy` */
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly dup: boolean
  /** 1 to 65,535; undefined for QoS 0 */
  readonly packetId?: number | undefined
  readonly properties?: PropertiesOf<'publish'> | undefined
}

/** PUBLISH to encode: `qos` left out is 0, `retain` and `dup` false. `packetId` belongs to QoS 1 and 2 and to them only [MQTT-2.2.1-2]. */
export interface PublishInput extends Omit<Publish, 'payload' | 'qos' | 'retain' | 'dup'> {
  /** text is sent as its UTF-8 bytes */
  readonly payload: Uint8Array | string
  readonly qos?: 0 | 1 | 2 | undefined
  readonly retain?: boolean | undefined
  readonly dup?: boolean | undefined
}

export function readPublish(r: Reader, version: ProtocolVersion, flags: number): Publish {
  const qos = (flags >> 1) & 3
  const retain = (flags & 1) !== 0
  const dup = (flags & 8) !== 0
  if (qos === 3) throw r.fault('publishQos', r.start, 'QoS 3')
  if (dup && qos === 0) throw r.fault('publishDup', r.start, 'DUP with QoS 0')
  const topicAt = r.position
  const topic = r.topic('Topic Name')
  if (r.wildcard) throw r.fault('topicWildcard', topicAt, `Topic Name ${JSON.stringify(topic)}`)
  if (topic === '' && version < 5) throw r.fault('topicEmpty', topicAt, 'Topic Name ""')
  const packetId = qos === 0 ? undefined : readPacketId(r)
  const properties = version === 5 ? readProperties(r, 'publish') : undefined
  if (topic === '' && properties?.topicAlias === undefined) throw r.fault('topicEmpty', topicAt, 'Topic Name "" without Topic Alias')
  const payload = r.rest('Payload')
  return { type: 'publish', topic, payload, qos: qos as 0 | 1 | 2, retain, dup, packetId, properties }
}

export function writePublish(w: Writer, packet: PublishInput, version: ProtocolVersion): number {
  const { topic, qos = 0, retain = false, dup = false, packetId, properties } = packet
  if (qos !== 0 && qos !== 1 && qos !== 2) throw w.misuse('publishQos', 'qos', String(qos))
  if (typeof retain !== 'boolean') throw w.wrongType(retain, 'retain', 'a boolean')
  if (typeof dup !== 'boolean') throw w.wrongType(dup, 'dup', 'a boolean')
  if (dup && qos === 0) throw w.misuse('publishDup', 'dup', 'true with QoS 0')
  w.topic(topic, 'topic')
  if (w.wildcard >= 0) throw w.misuse('topicWildcard', 'topic', JSON.stringify(topic))
  if (topic === '' && !(version === 5 && properties?.topicAlias !== undefined)) throw w.misuse('topicEmpty', 'topic', JSON.stringify(topic))
  if (qos === 0 ? packetId !== undefined : packetId === undefined) throw w.misuse('publishPacketId', 'packetId', `${String(packetId)} with QoS ${qos}`)
  if (packetId !== undefined) writePacketId(w, packetId)
  if (version === 5) writeProperties(w, 'publish', properties)
  else refuseProperties(w, properties)
  w.tail = w.asBytes(packet.payload, 'payload')
  return (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
}
