// SPDX-License-Identifier: MIT
// A small in-memory MQTT broker, on connack's public API only: who may come in, whose session goes on, what is published to whom.
// Sessions are in session.ts, routing in router.ts, what is kept in store.ts; endings (Wills, expiry) in endings.ts.
import type { Connack, Connect, PacketOf, Publish, PublishInput } from '../codec/index.ts'
import type { CloseCause } from '../fsm/index.ts'
import { Peer, sharedTimers } from '../transport/index.ts'
import type { Duplex, Message, PeerOptions, Timers } from '../transport/index.ts'
import { Endings } from './endings.ts'
import { MemoryStore } from './memory-store.ts'
import { delivery, Router } from './router.ts'
import { BrokerSession } from './session.ts'
import type { Store, StoredMessage, StoredSession, StoredSubscription } from './store.ts'

type Awaitable<T> = T | Promise<T>

export interface BrokerOptions {
  /** true, or the 5.0 Reason Code of the refusal (3.x Clients are told what says the same). Left out: everybody may come in, so listen on loopback only */
  readonly authenticate?: ((connect: Connect, peer: Peer) => Awaitable<true | number>) | undefined
  /** may this Client publish to this Topic Name, or subscribe to this Topic Filter? Left out: it may */
  readonly authorize?: ((clientId: string, action: 'publish' | 'subscribe', topic: string) => Awaitable<boolean>) | undefined
  /** default: this process's memory */
  readonly store?: Store | undefined
  /** sessions, of Clients that are there or away; default 10,000. Further Clients are refused (0x97) */
  readonly maximumSessions?: number | undefined
  /** seconds a session outlives its connection at most; default 7 days. 5.0 Clients are told */
  readonly maximumSessionExpiry?: number | undefined
  /** subscriptions of one session; default 1,000. Further ones are refused (0x97) */
  readonly maximumSubscriptions?: number | undefined
  /** messages of QoS 1 and 2 a Client may send before they are acknowledged; default 100. 5.0 Clients are told */
  readonly receiveMaximum?: number | undefined
  /** Topic Aliases a 5.0 Client may use; default 32 */
  readonly topicAliasMaximum?: number | undefined
  readonly timers?: Timers | undefined
}

/** What a broker has and has done, for whoever watches. */
export interface BrokerCounters {
  readonly connections: number
  readonly sessions: number
  readonly subscriptions: number
  readonly received: number
  readonly delivered: number
  readonly dropped: number
}

const NOT_AUTHORIZED = 0x87
const SERVER_SHUTTING_DOWN = 0x8b
const TAKEN_OVER = 0x8e
const QUOTA_EXCEEDED = 0x97
const NO_MATCHING_SUBSCRIBERS = 0x10
const NO_SUBSCRIPTION_EXISTED = 0x11
const SEVEN_DAYS = 604_800

export class Broker {
  /** gives a connection to the broker: `listenTcp({ port }, broker.handle)` */
  readonly handle: (peer: Peer) => void = (peer) => { this.take(peer) }
  private readonly options: BrokerOptions
  private readonly store: Store
  private readonly router: Router = new Router()
  private readonly sessions: Map<string, BrokerSession> = new Map()
  private readonly peers: Set<Peer> = new Set()
  private readonly endings: Endings
  /** by Client Identifier: CONNECTs are answered one after the other */
  private readonly doors: Map<string, Promise<void>> = new Map()
  private received = 0
  private delivered = 0
  private dropped = 0

  constructor(options: BrokerOptions = {}) {
    this.options = options
    this.store = options.store ?? new MemoryStore()
    this.endings = new Endings(options.timers ?? sharedTimers, (message) => { void this.distribute(message) }, (session) => { void this.forget(session) })
    this.store.subscribe((message) => {
      const count = this.router.route(message)
      this.delivered += count
      return count
    })
  }

  /** Gives a byte stream to the broker; for transports without a `listen` of their own. */
  accept(duplex: Duplex, options?: PeerOptions): Peer {
    const peer = new Peer(duplex, options)
    this.take(peer)
    return peer
  }

  /** Publishes a message of the application's own; gives how many sessions it went to. */
  async publish(message: Message): Promise<number> {
    const payload = typeof message.payload === 'string' ? new TextEncoder().encode(message.payload) : message.payload
    return this.distribute({ packet: { type: 'publish', ...message, payload }, at: Date.now(), from: undefined })
  }

  get counters(): BrokerCounters {
    const { size } = this.peers
    const lost = [...this.sessions.values()].reduce((sum, { dropped }) => sum + dropped, this.dropped)
    return { connections: size, sessions: this.sessions.size, subscriptions: this.router.size, received: this.received, delivered: this.delivered, dropped: lost }
  }

  /** Disconnects everybody (5.0: 0x8b Server shutting down) and resolves when all are gone. Sessions stay in the store. */
  async close(): Promise<void> {
    await Promise.all([...this.peers].map((peer) => peer.disconnect(SERVER_SHUTTING_DOWN)))
    this.endings.close()
  }

  private take(peer: Peer): void {
    this.peers.add(peer)
    void peer.closed.then(() => this.peers.delete(peer))
    peer.onConnect = (connect) => this.connect(peer, connect)
  }

  /** Whoever comes with one Client Identifier comes in one at a time. */
  private async connect(peer: Peer, connect: Connect): Promise<void> {
    const verdict = await this.options.authenticate?.(connect, peer) ?? true
    if (verdict !== true) return peer.refuse(verdict)
    const clientId = connect.clientId === '' ? `auto-${globalThis.crypto.randomUUID()}` : connect.clientId
    const before = this.doors.get(clientId)
    const door = (before ?? Promise.resolve()).then(() => this.enter(peer, connect, clientId))
    const through = door.then(() => {}, () => {})
    this.doors.set(clientId, through)
    try {
      await door
    } finally {
      if (this.doors.get(clientId) === through) this.doors.delete(clientId)
    }
  }

  private async enter(peer: Peer, connect: Connect, clientId: string): Promise<void> {
    const { version, cleanStart } = connect
    const old = this.sessions.get(clientId)
    if (old === undefined && this.sessions.size >= (this.options.maximumSessions ?? 10_000)) return peer.refuse(QUOTA_EXCEEDED)
    // Its own copy of the session is the fuller one, unless another broker has had the session since.
    const newest = old !== undefined && await this.leave(old, cleanStart)
    const { claim, session: stored } = await this.store.claim(clientId, cleanStart)
    // The Client may not have waited.
    if (peer.state.phase !== 'authenticating') return
    const session = this.begin(clientId, claim, stored)
    const machine = newest ? old!.resumable : session.resumable
    peer.onPublish = (message) => this.incoming(session, message)
    peer.onSubscribe = (packet) => this.subscribe(session, packet)
    peer.onUnsubscribe = (packet) => this.unsubscribe(session, packet)
    peer.onClose = (cause) => { this.closed(session, peer, cause) }
    await peer.accept({ session: stored === undefined ? undefined : machine, sessionPresent: stored !== undefined && version !== 3, properties: version === 5 ? this.announcement(connect, clientId) : undefined })
    session.attach(peer)
  }

  /** The session of a Client that is coming, in the place of the one there was. */
  private begin(clientId: string, claim: number, stored: StoredSession | undefined): BrokerSession {
    const session = new BrokerSession(clientId, claim, this.store, stored)
    this.sessions.set(clientId, session)
    for (const one of session.subscriptions.values()) this.router.add(session, one)
    return session
  }

  /** Another connection of this Client has come: its old one, if there still is one, goes [MQTT-3.1.4-3]; its Will and expiry are settled. */
  private async leave(session: BrokerSession, cleanStart: boolean): Promise<boolean> {
    session.succeeded = cleanStart ? 'clean' : 'resumed'
    const { peer } = session
    if (peer !== undefined) {
      void peer.disconnect(TAKEN_OVER)
      session.detach()
    }
    this.endings.back(session, cleanStart)
    if (!this.drop(session) || cleanStart) return false
    return this.store.save(session.stored(undefined), session.claim)
  }

  /** Nothing more is routed to it; false where that was so already. */
  private drop(session: BrokerSession): boolean {
    if (this.sessions.get(session.clientId) !== session) return false
    for (const filter of session.subscriptions.keys()) this.router.remove(session, filter)
    this.dropped += session.dropped
    return this.sessions.delete(session.clientId)
  }

  private announcement({ clientId, properties }: Connect, assigned: string): Connack['properties'] {
    const { receiveMaximum = 100, topicAliasMaximum = 32, maximumSessionExpiry = SEVEN_DAYS } = this.options
    const wanted = properties?.sessionExpiryInterval ?? 0
    return {
      receiveMaximum, topicAliasMaximum,
      ...(clientId === '' ? { assignedClientIdentifier: assigned } : {}),
      ...(wanted > maximumSessionExpiry ? { sessionExpiryInterval: maximumSessionExpiry } : {}),
    }
  }

  /** A message of a Client; gives the Reason Code of its acknowledgement. */
  private incoming(session: BrokerSession, { topic, payload, qos, retain, properties }: Publish): Awaitable<number> {
    this.received++
    return then(this.options.authorize?.(session.clientId, 'publish', topic) ?? true, (allowed) => {
      if (!allowed) return NOT_AUTHORIZED
      // The payload is a view of what the socket gave: a copy of its own may stay.
      const packet: PublishInput = { type: 'publish', topic, payload: payload.slice(), qos, retain, properties }
      return then(this.distribute({ packet, at: Date.now(), from: session.clientId }), (count) => (count === 0 ? NO_MATCHING_SUBSCRIBERS : 0))
    })
  }

  private distribute(message: StoredMessage): Awaitable<number> {
    if (message.packet.retain !== true) return this.store.publish(message)
    return then(this.store.retain(message), (kept) => {
      if (!kept) this.dropped++
      return this.store.publish(message)
    })
  }

  private async subscribe(session: BrokerSession, { subscriptions, properties }: PacketOf<'subscribe'>): Promise<readonly number[]> {
    const codes: number[] = []
    for (const subscription of subscriptions) {
      const { filter, qos, retainHandling = 0 } = subscription
      const full = session.subscriptions.size >= (this.options.maximumSubscriptions ?? 1_000) && !session.subscriptions.has(filter)
      const allowed = await this.options.authorize?.(session.clientId, 'subscribe', filter) !== false
      codes.push(!allowed ? NOT_AUTHORIZED : full ? QUOTA_EXCEEDED : qos)
      if (!allowed || full) continue
      const stored: StoredSubscription = { subscription, identifier: properties?.subscriptionIdentifier }
      const fresh = this.router.add(session, stored)
      session.subscriptions.set(filter, stored)
      if (retainHandling === 0 || (retainHandling === 1 && fresh)) await this.sendRetained(session, stored)
    }
    return codes
  }

  /** The retained messages of a new subscription; none for a shared one (5.0 §4.8.2). */
  private async sendRetained(session: BrokerSession, stored: StoredSubscription): Promise<void> {
    const { filter, noLocal } = stored.subscription
    if (filter.startsWith('$share/')) return
    for (const message of await this.store.retained(filter)) {
      if (noLocal === true && message.from === session.clientId) continue
      // RETAIN is 1 in these whatever Retain As Published says [MQTT-3.3.1-8].
      void session.deliver({ ...delivery(message, stored), retain: true })
    }
  }

  private unsubscribe(session: BrokerSession, { filters }: PacketOf<'unsubscribe'>): readonly number[] {
    return filters.map((filter) => {
      if (!session.subscriptions.delete(filter)) return NO_SUBSCRIPTION_EXISTED
      this.router.remove(session, filter)
      return 0
    })
  }

  private closed(session: BrokerSession, peer: Peer, cause: CloseCause): void {
    const { will, willDelay = 0 } = cause
    const expiry = Math.min(cause.sessionExpiryInterval ?? 0, this.options.maximumSessionExpiry ?? SEVEN_DAYS)
    const message = will && { packet: { type: 'publish' as const, topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain, properties: withoutDelay(will.properties) }, at: Date.now(), from: session.clientId }
    const current = this.sessions.get(session.clientId) === session && session.peer === peer
    if (current) session.detach()
    // A session that went over to another connection still has its Will, unless the delay lets the Client off.
    this.endings.away(session, message, session.succeeded === 'clean' ? 0 : willDelay, current ? expiry : undefined)
    if (current && expiry > 0) void this.store.save(session.stored(Date.now() + expiry * 1000), session.claim)
  }

  /** A session has ended: nothing of it is left [MQTT-4.1.0-2]. */
  private async forget(session: BrokerSession): Promise<void> {
    if (this.drop(session)) await this.store.remove(session.clientId, session.claim)
  }
}

/** An in-memory broker; see Broker. */
export function createBroker(options: BrokerOptions = {}): Broker {
  return new Broker(options)
}

/** As `await`, but at once where there is nothing to wait for: a promise a message would stop and start its socket for each. */
function then<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

function withoutDelay(properties: NonNullable<Connect['will']>['properties']): PublishInput['properties'] {
  const { willDelayInterval: _, ...rest } = properties ?? {}
  return Object.keys(rest).length === 0 ? undefined : rest
}
