// SPDX-License-Identifier: MIT
// SUBSCRIBE (5.0 §3.8; 3.1.1 §3.8): Topic Filters, each with its Subscription Options (before 5.0: the requested QoS).
import { readPacketId, writePacketId } from '../packet-id.ts'
import type { PropertiesOf } from '../property.ts'
import { readProperties, refuseProperties, writeProperties } from '../property.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { BitNames, Reader } from '../reader.ts'
import { topicFilterFault } from '../topic.ts'
import type { Writer } from '../writer.ts'

/** A Topic Filter with its Subscription Options (5.0 §3.8.3.1); before 5.0 the requested QoS is the only one. To encode: what is left out is false or 0. */
export interface Subscription {
  readonly filter: string
  /** the largest that messages come with [MQTT-3.8.4-8] */
  readonly qos: 0 | 1 | 2
  /** 5.0; undefined before */
  readonly noLocal?: boolean | undefined
  /** 5.0; undefined before */
  readonly retainAsPublished?: boolean | undefined
  /** 5.0; undefined before: 0 send retained messages at each SUBSCRIBE, 1 only for a new subscription, 2 never */
  readonly retainHandling?: 0 | 1 | 2 | undefined
}

/** A Client asks for messages (5.0 §3.8; 3.1.1 §3.8): one Subscription at least [MQTT-3.8.3-2]. */
export interface Subscribe {
  readonly type: 'subscribe'
  /** 1 to 65,535 */
  readonly packetId: number
  readonly subscriptions: readonly Subscription[]
  readonly properties?: PropertiesOf<'subscribe'> | undefined
}

/** SUBSCRIBE to encode: only the options inside a Subscription have defaults. */
export type SubscribeInput = Subscribe

const OPTIONS: BitNames = [['Reserved', 2], ['Retain Handling', 2], ['Retain As Published', 1], ['No Local', 1], ['QoS', 2]]
const REQUESTED_QOS: BitNames = [['Reserved', 6], ['QoS', 2]]

export function readSubscribe(r: Reader, version: ProtocolVersion): Subscribe {
  const packetId = readPacketId(r)
  const properties = version === 5 ? readProperties(r, 'subscribe') : undefined
  if (r.position === r.end) throw r.fault('subscribeEmpty', r.end, 'no Topic Filter')
  const subscriptions: Subscription[] = []
  while (r.position < r.end) {
    const filter = readFilter(r, version)
    subscriptions.push(version === 5 ? readOptions(r, filter) : readRequestedQos(r, filter, version))
  }
  return { type: 'subscribe', packetId, subscriptions, properties }
}

export function writeSubscribe(w: Writer, packet: SubscribeInput, version: ProtocolVersion): number {
  const { packetId, subscriptions, properties } = packet
  writePacketId(w, packetId)
  if (version === 5) writeProperties(w, 'subscribe', properties)
  else refuseProperties(w, properties)
  if (!Array.isArray(subscriptions)) throw w.wrongType(subscriptions, 'subscriptions', 'an array')
  if (subscriptions.length === 0) throw w.misuse('subscribeEmpty', 'subscriptions', 'no Topic Filter')
  w.base = 'subscriptions'
  for (let i = 0; i < subscriptions.length; i++) {
    w.baseItem = i
    const subscription = (subscriptions as readonly Subscription[])[i]!
    if (typeof subscription !== 'object' || subscription === null) throw w.wrongType(subscription, '', 'an object')
    writeFilter(w, subscription.filter, version, 'filter')
    writeOptions(w, subscription, version)
  }
  w.base = ''
  w.baseItem = -1
  return 0b0010
}

export function readFilter(r: Reader, version: ProtocolVersion): string {
  const at = r.position
  const filter = r.string('Topic Filter')
  const fault = topicFilterFault(filter, version)
  if (fault !== undefined) throw r.fault(fault, at, `Topic Filter ${JSON.stringify(filter)}`)
  return filter
}

export function writeFilter(w: Writer, filter: string, version: ProtocolVersion, path: string): void {
  w.topic(filter, path)
  // Without wildcards and $share only '' is ill-formed.
  if (w.wildcard < 0 && filter !== '' && filter[0] !== '$') return
  const fault = topicFilterFault(filter, version, Math.max(0, w.wildcard))
  if (fault !== undefined) throw w.misuse(fault, path, JSON.stringify(filter))
}

function readRequestedQos(r: Reader, filter: string, version: ProtocolVersion): Subscription {
  const at = r.position
  const options = r.flags('Requested QoS', REQUESTED_QOS)
  // 3.1 §3.8: the upper six bits are reserved, not used.
  if (options > 3 && version > 3) throw r.fault('subscriptionReserved', at, `options 0x${options.toString(16)}`)
  if ((options & 3) === 3) throw r.fault('subscriptionQos', at, 'QoS 3')
  return { filter, qos: (options & 3) as 0 | 1 | 2 }
}

function readOptions(r: Reader, filter: string): Subscription {
  const at = r.position
  const options = r.flags('Subscription Options', OPTIONS)
  const retainHandling = (options >> 4) & 3
  const noLocal = (options & 0b0100) !== 0
  if ((options & 0b1100_0000) !== 0) throw r.fault('subscriptionReserved', at, `options 0x${options.toString(16)}`)
  if (retainHandling === 3) throw r.fault('retainHandling', at, 'Retain Handling 3')
  if ((options & 3) === 3) throw r.fault('subscriptionQosFive', at, 'QoS 3')
  if (noLocal && filter.startsWith('$share/')) throw r.fault('noLocalShared', at, `No Local on ${filter}`)
  return { filter, qos: (options & 3) as 0 | 1 | 2, noLocal, retainAsPublished: (options & 0b1000) !== 0, retainHandling: retainHandling as 0 | 1 | 2 }
}

function writeOptions(w: Writer, subscription: Subscription, version: ProtocolVersion): void {
  const { filter, qos, noLocal = false, retainAsPublished = false, retainHandling = 0 } = subscription
  if (qos !== 0 && qos !== 1 && qos !== 2) throw w.misuse(version === 5 ? 'subscriptionQosFive' : 'subscriptionQos', 'qos', String(qos))
  if (typeof noLocal !== 'boolean') throw w.wrongType(noLocal, 'noLocal', 'a boolean')
  if (typeof retainAsPublished !== 'boolean') throw w.wrongType(retainAsPublished, 'retainAsPublished', 'a boolean')
  if (retainHandling !== 0 && retainHandling !== 1 && retainHandling !== 2) throw w.misuse('retainHandling', 'retainHandling', String(retainHandling))
  if (noLocal && filter.startsWith('$share/')) throw w.misuse('noLocalShared', 'noLocal', `No Local on ${filter}`)
  if (version < 5 && (noLocal || retainAsPublished || retainHandling !== 0)) throw w.misuse('versionFive', '', 'Subscription Options in a SUBSCRIBE of MQTT 3.x')
  w.u8((retainHandling << 4) | (retainAsPublished ? 0b1000 : 0) | (noLocal ? 0b0100 : 0) | qos)
}
