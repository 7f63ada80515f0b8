// SPDX-License-Identifier: MIT
// What each side has announced that it can take, and how much of it is in use on this Network Connection (5.0 §3.1.2.11, §3.2.2.3, §4.9).
//  1. A limit binds the other side: rows name who announced it, and what we send and what we receive are judged alike.
//  2. Nothing here outlives the connection; what does is in session.ts.
import { parseSharedFilter } from '../codec/index.ts'
import type { PropertiesOf, Sender } from '../codec/index.ts'
import { countIds, getId } from './packet-ids.ts'
import type { IdMap } from './packet-ids.ts'
import type { ConnectionRule } from './rules.ts'
import type { Exchanges } from './session.ts'
import type { Agreement, Role, SendInput } from './types.ts'

/** What a side can take. A 3.x peer announces nothing: it can take everything but Topic Aliases. */
export interface Announced {
  /** QoS 1 and 2 messages it may be sent before it has answered, 1 to 65,535 */
  readonly receiveMaximum: number
  /** bytes; undefined: whatever fits the protocol */
  readonly maximumPacketSize: number | undefined
  /** 0: none */
  readonly topicAliasMaximum: number
  /** Client: Reason Strings and User Properties may come with any packet */
  readonly problemInformation: boolean
  /** Client: CONNACK may hold Response Information */
  readonly responseInformation: boolean
  /** Server: the highest QoS of a PUBLISH */
  readonly maximumQos: 0 | 1 | 2
  readonly retain: boolean
  readonly wildcards: boolean
  readonly sharedSubscriptions: boolean
  readonly subscriptionIdentifiers: boolean
}

/** What each side has announced in CONNECT and CONNACK (5.0 §3.1.2.11, §3.2.2.3). */
export type Terms = { readonly [S in Sender]: Announced }

/** The default of every property. */
const NOTHING_ANNOUNCED: Announced = /* @__PURE__ */ Object.freeze({
  receiveMaximum: 65_535, maximumPacketSize: undefined, topicAliasMaximum: 0, problemInformation: true, responseInformation: false,
  maximumQos: 2, retain: true, wildcards: true, sharedSubscriptions: true, subscriptionIdentifiers: true,
})

/** Neither side has announced anything; shared by all connections of which that is true. */
export const DEFAULT_TERMS: Terms = /* @__PURE__ */ Object.freeze({ client: NOTHING_ANNOUNCED, server: NOTHING_ANNOUNCED })

export function termsOfConnect(properties: PropertiesOf<'connect'> | undefined): Terms {
  if (properties === undefined) return DEFAULT_TERMS
  const { receiveMaximum, maximumPacketSize, topicAliasMaximum, requestProblemInformation, requestResponseInformation } = properties
  return {
    client: {
      ...NOTHING_ANNOUNCED, maximumPacketSize,
      receiveMaximum: receiveMaximum ?? NOTHING_ANNOUNCED.receiveMaximum,
      topicAliasMaximum: topicAliasMaximum ?? 0,
      problemInformation: requestProblemInformation ?? true,
      responseInformation: requestResponseInformation ?? false,
    },
    server: NOTHING_ANNOUNCED,
  }
}

export function termsOfConnack(terms: Terms, properties: PropertiesOf<'connack'> | undefined): Terms {
  if (properties === undefined) return terms
  const { receiveMaximum, maximumPacketSize, topicAliasMaximum, maximumQos, retainAvailable, wildcardSubscriptionAvailable, sharedSubscriptionAvailable, subscriptionIdentifiersAvailable } = properties
  return {
    client: terms.client,
    server: {
      ...NOTHING_ANNOUNCED, maximumPacketSize,
      receiveMaximum: receiveMaximum ?? NOTHING_ANNOUNCED.receiveMaximum,
      topicAliasMaximum: topicAliasMaximum ?? 0,
      maximumQos: maximumQos ?? 2,
      retain: retainAvailable ?? true,
      wildcards: wildcardSubscriptionAvailable ?? true,
      sharedSubscriptions: sharedSubscriptionAvailable ?? true,
      subscriptionIdentifiers: subscriptionIdentifiersAvailable ?? true,
    },
  }
}

/** What the other side has announced: it binds us. */
export function peerTerms(role: Role, { terms }: Agreement): Announced {
  return terms[role === 'client' ? 'server' : 'client']
}

/** What is in use on one Network Connection. */
export interface Flow {
  /** our messages of the session that did not fit the peer's Receive Maximum when it was resumed, in order; those before `resent` have gone out since */
  readonly resend: readonly number[]
  readonly resent: number
  /** how many exchanges still wait for that */
  readonly waiting: number
  /** SUBSCRIBE and UNSUBSCRIBE of ours that are not answered */
  readonly requests: number
  /** QoS 1 and 2 messages the peer has sent here and we have not answered to the end */
  readonly receiving: number
  /** client: turns of PUBACK and PUBREC: what the next message gets, and whose it is; modulo 65,536 */
  readonly nextPuback: number
  readonly duePuback: number
  readonly nextPubrec: number
  readonly duePubrec: number
  /** Topic Aliases in force, ours and the peer's */
  readonly ourAliases: IdMap<string>
  readonly theirAliases: IdMap<string>
}

/** Nothing is in use: shared by all connections of which that is true. */
export const NO_FLOW: Flow = /* @__PURE__ */ Object.freeze({
  resend: /* @__PURE__ */ Object.freeze([]), resent: 0, waiting: 0, requests: 0, receiving: 0, nextPuback: 0, duePuback: 0, nextPubrec: 0, duePubrec: 0, ourAliases: undefined, theirAliases: undefined,
})

/** The flow with other counts of our side. By hand, not by `...`, as `moved` in step.ts: both come by with each QoS 1 and 2 packet. */
export function sending(flow: Flow, resend: Flow['resend'], resent: number, waiting: number, requests: number): Flow {
  const { receiving, nextPuback, duePuback, nextPubrec, duePubrec, ourAliases, theirAliases } = flow
  return { resend, resent, waiting, requests, receiving, nextPuback, duePuback, nextPubrec, duePubrec, ourAliases, theirAliases }
}

/** The same for the peer's. */
export function receiving(flow: Flow, count: number, nextPuback: number, duePuback: number, nextPubrec: number, duePubrec: number): Flow {
  const { resend, resent, waiting, requests, ourAliases, theirAliases } = flow
  return { resend, resent, waiting, requests, receiving: count, nextPuback, duePuback, nextPubrec, duePubrec, ourAliases, theirAliases }
}

/**
 * How many messages may still be sent before the peer has answered one (5.0 §4.9). Every message of ours that is not finished counts, also one of
 * an earlier connection that only waits for PUBCOMP, so the peer never has more than its maximum in hand.
 */
export function sendQuota(receiveMaximum: number, { ours }: Exchanges, { waiting, requests }: Flow): number {
  return receiveMaximum - (countIds(ours) - requests - waiting)
}

/** The rule that a packet of `sender` breaks by what the other side has announced; sizes and quotas are judged elsewhere. */
export function termsFault(sender: Sender, packet: SendInput, { terms: { server } }: Agreement): ConnectionRule | undefined {
  if (sender === 'server' || server === NOTHING_ANNOUNCED) return undefined
  if (packet.type === 'publish') {
    if ((packet.qos ?? 0) > server.maximumQos) return 'maximumQos'
    return packet.retain === true && !server.retain ? 'retainAvailable' : undefined
  }
  if (packet.type !== 'subscribe') return undefined
  const filters = packet.subscriptions.map(({ filter }) => filter)
  if (!server.wildcards && filters.some((filter) => /[+#]/.test(filter))) return 'wildcardsAvailable'
  if (!server.sharedSubscriptions && filters.some((filter) => parseSharedFilter(filter).shareName !== undefined)) return 'sharedAvailable'
  return !server.subscriptionIdentifiers && packet.properties?.subscriptionIdentifier !== undefined ? 'identifiersAvailable' : undefined
}

/** The rule that a Topic Alias of `sender` breaks, the Topic Name being empty or not (5.0 §3.3.2.3.4). */
export function aliasFault(sender: Sender, topic: string, alias: number, { terms }: Agreement, known: IdMap<string>): ConnectionRule | undefined {
  if (alias > terms[sender === 'client' ? 'server' : 'client'].topicAliasMaximum) return sender === 'client' ? 'topicAliasOfClient' : 'topicAliasOfServer'
  return topic === '' && getId(known, alias) === undefined ? 'topicAliasUnknown' : undefined
}
