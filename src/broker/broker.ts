// SPDX-License-Identifier: MIT
// A small MQTT broker, on connack's public API only: who may come in, whose session goes on, and what becomes of it when its Client goes.
// What Clients ask for is in requests.ts, sessions in session.ts, routing in router.ts, what is kept in store.ts; Wills and expiry in endings.ts.
import { encodedSize } from '../codec/index.ts'
import type { Connack, Connect, PublishInput } from '../codec/index.ts'
import type { CloseCause } from '../fsm/index.ts'
import { Peer, sharedTimers } from '../transport/index.ts'
import type { Duplex, Message, PeerOptions } from '../transport/index.ts'
import { Endings } from './endings.ts'
import { MemoryStore } from './memory-store.ts'
import { Tally } from './options.ts'
import type { BrokerCounters, BrokerOptions } from './options.ts'
import { Requests } from './requests.ts'
import { Router } from './router.ts'
import { BrokerSession } from './session.ts'
import { then } from './store.ts'
import type { Awaitable, Store, StoredMessage, StoredSession } from './store.ts'

const NOT_AUTHORIZED = 0x87
const SERVER_UNAVAILABLE = 0x88
const SERVER_SHUTTING_DOWN = 0x8b
const BAD_AUTHENTICATION_METHOD = 0x8c
const TAKEN_OVER = 0x8e
const QUOTA_EXCEEDED = 0x97
const SEVEN_DAYS = 604_800

/** A small MQTT broker for 3.1, 3.1.1 and 5.0. It listens nowhere by itself: give `handle` to a `listen…`, or a byte stream to `accept`. Ends by `close`. */
export class Broker {
  /** gives a connection to the broker: `listenTcp({ port }, broker.handle)` */
  readonly handle: (peer: Peer) => void = (peer) => { this.take(peer) }
  private readonly options: BrokerOptions
  private readonly store: Store
  private readonly router: Router = new Router()
  private readonly tally: Tally
  private readonly requests: Requests
  private readonly sessions: Map<string, BrokerSession> = new Map()
  private readonly peers: Set<Peer> = new Set()
  private readonly endings: Endings
  /** Client Identifiers that will be sessions, and are none yet */
  private readonly coming: Set<string> = new Set()
  /** what is asked of the store and nobody waits for, but `close` */
  private readonly working: Set<Promise<unknown>> = new Set()
  private readonly leaveStore: () => void
  private closing = false

  constructor(options: BrokerOptions = {}) {
    this.options = options
    this.store = options.store ?? new MemoryStore()
    this.tally = new Tally(options.now ?? Date.now)
    this.requests = new Requests(options, this.store, this.router, this.tally)
    this.endings = new Endings(options.timers ?? sharedTimers, (will) => { this.publishWill(will) }, (session) => { this.end(session) })
    this.leaveStore = this.store.subscribe({
      deliver: (message) => then(this.router.route(message), (count) => {
        this.tally.delivered += count
        return count
      }),
      release: (clientId, clean) => this.release(clientId, clean),
      moved: (clientId) => { this.moved(clientId) },
    })
  }

  /** Gives a byte stream to the broker; for transports without a `listen` of their own. */
  accept(duplex: Duplex, options?: PeerOptions): Peer {
    const peer = new Peer(duplex, options)
    this.take(peer)
    return peer
  }

  /** Publishes a message of the application's own, whose payload is copied at once; gives how many sessions it went to. Rejects with UsageError for one that the standard forbids. */
  async publish(message: Message): Promise<number> {
    encodedSize({ type: 'publish', ...message, qos: 0 }, 5)
    return this.requests.distribute(this.requests.message(message, undefined))
  }

  /** Looks after sessions that an earlier broker has left in the store: messages are kept for them, and they expire. Others wait for their Clients. */
  async adopt(clientIds: Iterable<string>): Promise<void> {
    for (const clientId of clientIds) {
      if (!this.sessions.has(clientId)) await this.store.claim(clientId, false, this.tally.now(), (claim, stored) => { this.begin(undefined, clientId, claim, stored) })
    }
  }

  /** What there is and has been so far; a copy. */
  get counters(): BrokerCounters {
    const { received, delivered, dropped } = this.tally
    return { connections: this.peers.size, sessions: this.sessions.size, subscriptions: this.router.size, received, delivered, dropped }
  }

  /** Disconnects everybody (5.0: 0x8b Server shutting down) and resolves when all are gone and saved. Wills that wait for their delay are published. */
  async close(): Promise<void> {
    this.closing = true
    for (const peer of this.peers) disconnect(peer, SERVER_SHUTTING_DOWN)
    await Promise.all([...this.peers].map(({ closed }) => closed))
    this.endings.close()
    while (this.working.size > 0) await Promise.all(this.working)
    this.leaveStore()
  }

  private take(peer: Peer): void {
    this.peers.add(peer)
    void peer.closed.then(() => this.peers.delete(peer))
    // Not as its promise: `authenticate` may have to hear AUTH meanwhile.
    peer.onConnect = (connect) => { this.connect(peer, connect).catch((error: unknown) => { peer.abort(error as Error) }) }
  }

  /** CONNECT: whether its Client may come in, then its session, wherever that is. */
  private async connect(peer: Peer, connect: Connect): Promise<void> {
    const verdict = await this.judge(peer, connect)
    // The Client may not have waited.
    if (peer.state.phase !== 'authenticating') return
    if (verdict !== true) return peer.refuse(verdict)
    const clientId = connect.clientId === '' ? `auto-${globalThis.crypto.randomUUID()}` : connect.clientId
    if (!this.sessions.has(clientId)) {
      if (this.sessions.size + this.coming.size >= (this.options.maximumSessions ?? 10_000)) return peer.refuse(QUOTA_EXCEEDED)
      this.coming.add(clientId)
    }
    try {
      await this.store.claim(clientId, connect.cleanStart, this.tally.now(), (claim, stored) => { this.begin(peer, clientId, claim, stored) })
    } finally {
      this.coming.delete(clientId)
    }
  }

  private async judge(peer: Peer, connect: Connect): Promise<true | number> {
    const { authenticate, authenticationMethods = [] } = this.options
    const method = connect.properties?.authenticationMethod
    if (this.closing) return SERVER_UNAVAILABLE
    if (method !== undefined && !authenticationMethods.includes(method)) return BAD_AUTHENTICATION_METHOD
    const verdict = await authenticate?.(connect, peer) ?? true
    if (verdict !== true || connect.will === undefined) return verdict
    return await this.requests.allowed(connect.clientId, 'publish', connect.will.topic) ? true : NOT_AUTHORIZED
  }

  /** The session is ours: messages are kept for it from now on, and its Client, if there is one, is accepted. */
  private begin(peer: Peer | undefined, clientId: string, claim: number, stored: StoredSession | undefined): void {
    const session = new BrokerSession(clientId, claim, stored, this.store, this.tally)
    this.coming.delete(clientId)
    this.sessions.set(clientId, session)
    for (const one of session.subscriptions.values()) this.router.add(session, one)
    if (peer === undefined || peer.state.phase !== 'authenticating' || this.closing) return this.endings.away(session, undefined, 0, session.remaining)
    this.requests.serve(session, peer)
    peer.onClose = (cause) => { if (session.peer === peer) this.part(session, cause) }
    session.attach(peer)
    const { connect } = peer
    // Where it fails the connection ends, and with it what has been begun here.
    peer.accept({ session: stored && session.machine, properties: connect!.version === 5 ? this.announcement(connect!, clientId) : undefined }).catch(() => {})
  }

  private announcement({ clientId, properties }: Connect, assigned: string): Connack['properties'] {
    const { receiveMaximum = 100, topicAliasMaximum = 32, maximumSessionExpiry = SEVEN_DAYS } = this.options
    const { sessionExpiryInterval = 0, authenticationMethod } = properties ?? {}
    return {
      receiveMaximum, topicAliasMaximum, authenticationMethod,
      ...(clientId === '' ? { assignedClientIdentifier: assigned } : {}),
      ...(sessionExpiryInterval > maximumSessionExpiry ? { sessionExpiryInterval: maximumSessionExpiry } : {}),
    }
  }

  /** The connection of a session is over; `clean`: another one of the same Client begins anew. */
  private part(session: BrokerSession, cause: CloseCause, clean = false): void {
    session.detach()
    // Where CONNACK never went out, it is what it was.
    const expiry = cause.sessionExpiryInterval === undefined ? session.remaining : Math.min(cause.sessionExpiryInterval, this.options.maximumSessionExpiry ?? SEVEN_DAYS)
    const will = cause.will && this.requests.message({ ...cause.will, properties: withoutDelay(cause.will.properties) }, session.clientId)
    if (expiry > 0 && !clean) this.background(() => session.save(this.tally.now() + expiry * 1000))
    this.endings.away(session, will, cause.willDelay ?? 0, expiry)
    // A Will that waits is sent where the Client begins anew, and not where it is back: see `moved` (5.0 §3.1.4).
    if (clean) this.endings.back(session, true)
  }

  /** Somebody claims the session: of two connections of one Client the older one goes [MQTT-3.1.4-3]. */
  private release(clientId: string, clean: boolean): Awaitable<void> {
    const session = this.sessions.get(clientId)
    if (session === undefined) return
    const { peer } = session
    if (peer !== undefined) this.takeOver(session, peer, clean)
    else if (clean) this.endings.back(session, true)
    if (clean) this.end(session)
    return then(session.settled(), () => {})
  }

  private takeOver(session: BrokerSession, peer: Peer, clean: boolean): void {
    peer.onClose = undefined
    this.part(session, disconnect(peer, TAKEN_OVER), clean)
  }

  /** It has been claimed: what still is here is here no more. */
  private moved(clientId: string): void {
    const session = this.sessions.get(clientId)
    if (session === undefined) return
    // A store that did not wait for `release`.
    if (session.peer !== undefined) this.takeOver(session, session.peer, false)
    this.endings.back(session, false)
    this.drop(session)
  }

  /** A session has ended: nothing of it is left [MQTT-4.1.0-2], and what others of its Shared Subscriptions should have they get (5.0 §4.8.2). */
  private end(session: BrokerSession): void {
    if (!this.drop(session)) return
    this.background(() => then(session.end(), async (left) => {
      for (const delivery of left) await this.router.again(delivery)
    }))
  }

  /** Nothing more is routed to it; false where that was so already. */
  private drop(session: BrokerSession): boolean {
    if (this.sessions.get(session.clientId) !== session) return false
    for (const one of session.subscriptions.values()) this.router.remove(session, one)
    return this.sessions.delete(session.clientId)
  }

  /** Its Message Expiry Interval counts from here (5.0 §3.1.3.2.4). */
  private publishWill(will: StoredMessage): void {
    this.background(() => this.requests.distribute({ ...will, at: this.tally.now() }))
  }

  /** Nobody waits for it, so whoever watches is told where it fails. */
  private background(work: () => Awaitable<unknown>): void {
    const working: Promise<unknown> = (async () => work())().catch((error: unknown) => { this.options.onError?.(error) }).finally(() => { this.working.delete(working) })
    this.working.add(working)
  }
}

/** A broker; see Broker. Its sessions are in memory unless it is given another store. */
export function createBroker(options: BrokerOptions = {}): Broker {
  return new Broker(options)
}

/** Ends a connection; gives how it has ended. */
function disconnect(peer: Peer, reasonCode: number): CloseCause {
  peer.disconnect(reasonCode).catch(() => {})
  return (peer.state as Extract<Peer['state'], { readonly cause: CloseCause }>).cause
}

function withoutDelay({ willDelayInterval: _, ...rest }: NonNullable<Connect['will']>['properties'] & object = {}): PublishInput['properties'] {
  return rest
}
