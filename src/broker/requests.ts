// SPDX-License-Identifier: MIT
// What a Client that is in may ask for, and what it gets: its messages are distributed, its subscriptions kept, what may not be is refused.
import { parseSharedFilter } from '../codec/index.ts'
import type { PacketOf, Publish, PublishInput } from '../codec/index.ts'
import type { Peer, Reply } from '../transport/index.ts'
import type { BrokerOptions, Tally } from './options.ts'
import { deliveryOf } from './router.ts'
import type { Router } from './router.ts'
import { sizeOfMessage } from './session.ts'
import type { BrokerSession } from './session.ts'
import { then } from './store.ts'
import type { Awaitable, Store, StoredMessage, StoredSubscription } from './store.ts'

const NO_MATCHING_SUBSCRIBERS = 0x10
const NO_SUBSCRIPTION_EXISTED = 0x11
const NOT_AUTHORIZED = 0x87
const TOPIC_FILTER_INVALID = 0x8f
const TOPIC_NAME_INVALID = 0x90
const QUOTA_EXCEEDED = 0x97

export class Requests {
  private readonly options: BrokerOptions
  private readonly store: Store
  private readonly router: Router
  private readonly tally: Tally

  constructor(options: BrokerOptions, store: Store, router: Router, tally: Tally) {
    this.options = options
    this.store = store
    this.router = router
    this.tally = tally
  }

  /** Answers everything this Client asks from now on. */
  serve(session: BrokerSession, peer: Peer): void {
    peer.onPublish = (packet) => this.publish(session, peer, packet)
    peer.onSubscribe = (packet) => this.subscribe(session, peer, packet)
    peer.onUnsubscribe = (packet) => this.unsubscribe(session, packet)
  }

  allowed(clientId: string, action: 'publish' | 'subscribe', topic: string): Awaitable<boolean> {
    const { authorize } = this.options
    return authorize === undefined ? action === 'subscribe' || !topic.startsWith('$') : authorize(clientId, action, topic)
  }

  /** A message as it is kept and handed on: what came is a view of what the socket gave, so its bytes are copied. */
  message({ topic, payload, qos, retain, properties }: Omit<PublishInput, 'type'>, from: string | undefined): StoredMessage {
    const { topicAlias: _, subscriptionIdentifiers: __, ...rest } = properties ?? {}
    const { correlationData } = rest
    const kept = correlationData === undefined ? rest : { ...rest, correlationData: correlationData.slice() }
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload.slice()
    const packet: PublishInput = { type: 'publish', topic, payload: bytes, qos, retain, properties: Object.keys(kept).length === 0 ? undefined : kept }
    return { packet, size: sizeOfMessage(packet), at: this.tally.now(), from }
  }

  /** To everybody who wants it, and, if it says so, to those who will; gives how many sessions it went to. */
  distribute(message: StoredMessage): Awaitable<number> {
    if (message.packet.retain !== true) return this.store.publish(message)
    return then(this.store.retain(message), (kept) => {
      if (!kept) this.tally.dropped++
      return this.store.publish(message)
    })
  }

  /** A message of a Client; gives the Reason Code of its acknowledgement, which is due when it is with every session that wants it. */
  private publish(session: BrokerSession, peer: Peer, packet: Publish): Awaitable<number> {
    this.tally.received++
    if (packet.qos === 2) session.taking(packet.packetId!)
    if (this.tooDeep(packet.topic)) return TOPIC_NAME_INVALID
    return then(this.allowed(session.clientId, 'publish', packet.topic), (allowed) => {
      if (!allowed) return NOT_AUTHORIZED
      // Another connection has taken the session over, and the Client will send it there again.
      if (session.peer !== peer) throw new Error('the session was taken over')
      return then(session.distribute(packet.packetId, this.distribute(this.message(packet, session.clientId))), (count) => (count === 0 ? NO_MATCHING_SUBSCRIBERS : 0))
    })
  }

  /** SUBACK goes out before the retained messages: not every Client expects them sooner. */
  private async subscribe(session: BrokerSession, peer: Peer, { packetId, subscriptions, properties }: PacketOf<'subscribe'>): Promise<Reply> {
    const { version } = peer.connect!
    const codes: number[] = []
    const retained: StoredSubscription[] = []
    for (const subscription of subscriptions) {
      const shared = version === 5 ? parseSharedFilter(subscription.filter) : { shareName: undefined, filter: subscription.filter }
      const stored: StoredSubscription = { subscription, identifier: properties?.subscriptionIdentifier, ...shared }
      const refusal = this.refusal(session, stored) ?? (await this.allowed(session.clientId, 'subscribe', shared.filter) ? undefined : NOT_AUTHORIZED)
      // Another connection may have taken the session over meanwhile.
      if (session.peer !== peer) return 'later'
      codes.push(refusal ?? subscription.qos)
      if (refusal !== undefined) continue
      const { retainHandling = 0 } = subscription
      const fresh = this.add(session, stored)
      // None for a Shared Subscription (5.0 §4.8.2).
      if (shared.shareName === undefined && (retainHandling === 0 || (retainHandling === 1 && fresh))) retained.push(stored)
    }
    if (version === 3 && codes.some((code) => code >= 0x80)) throw new Error('SUBACK of MQTT 3.1 cannot say that a subscription failed')
    // Asked for before SUBACK, so that what is published after it does not come twice.
    for (const stored of retained) {
      await session.holdRetained(stored.filter, (message) => {
        if (stored.subscription.noLocal === true && message.from === session.clientId) return undefined
        // RETAIN is 1 in these whatever Retain As Published says (5.0 §3.3.1.3).
        return { ...deliveryOf(message, stored), retain: true }
      })
    }
    await peer.send({ type: 'suback', packetId, reasonCodes: version === 5 ? codes : codes.map((code) => Math.min(code, 0x80)) })
    session.release()
    return 'later'
  }

  private refusal({ subscriptions }: BrokerSession, { subscription, filter }: StoredSubscription): number | undefined {
    if (this.tooDeep(filter)) return TOPIC_FILTER_INVALID
    return subscriptions.size >= (this.options.maximumSubscriptions ?? 1_000) && !subscriptions.has(subscription.filter) ? QUOTA_EXCEEDED : undefined
  }

  /** Keeps a subscription, in the place of the one with the same filter [MQTT-3.8.4-3]; tells whether there was none. */
  private add(session: BrokerSession, stored: StoredSubscription): boolean {
    const { filter } = stored.subscription
    const before = session.subscriptions.get(filter)
    // The same words may have been a Shared Subscription in one version and none in another.
    if (before !== undefined && before.shareName !== stored.shareName) this.router.remove(session, before)
    this.router.add(session, stored)
    session.subscriptions.set(filter, stored)
    return before === undefined
  }

  private unsubscribe(session: BrokerSession, { filters }: PacketOf<'unsubscribe'>): readonly number[] {
    return filters.map((filter) => {
      const stored = session.subscriptions.get(filter)
      if (stored === undefined) return NO_SUBSCRIPTION_EXISTED
      session.subscriptions.delete(filter)
      this.router.remove(session, stored)
      return 0
    })
  }

  private tooDeep(topic: string): boolean {
    let levels = 1
    for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels++
    return levels > (this.options.maximumLevels ?? 128)
  }
}
