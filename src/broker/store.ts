// SPDX-License-Identifier: MIT
// What a broker keeps, and where: a port that others can fill (Redis, NATS JetStream, a file). Everything may be asynchronous.
//  1. What survives a broker is decided here and nowhere else.
//  2. This file knows nothing of connections: who is connected, and what is on its way to whom, is session.ts.
// A session is saved when its connection ends. What a broker that dies has not saved is lost: what was in flight, and subscriptions of that connection.
import type { PublishInput, Subscription } from '../codec/index.ts'
import type { SavedSession } from '../fsm/index.ts'

export type Awaitable<T> = T | Promise<T>

/** An Application Message inside a broker: whole Topic Name, no Packet Identifier, no Topic Alias; its bytes are its own. */
export interface StoredMessage {
  readonly packet: PublishInput
  /** bytes, as it counts towards bounds */
  readonly size: number
  /** when it came, in ms since 1970; Message Expiry Interval counts from here (5.0 §3.3.2.3.3) */
  readonly at: number
  /** who published it: No Local keeps it from there; undefined: the broker's own application */
  readonly from: string | undefined
}

/** A message on its way to one session, as its subscriptions want it. */
export interface Delivery extends StoredMessage {
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** of the subscriptions that it matches [MQTT-3.3.4-3] */
  readonly identifiers: readonly number[]
  /** the Shared Subscription it is from */
  readonly shared: StoredSubscription | undefined
}

/** A subscription as it is kept; `identifier` is its Subscription Identifier, 1 to 268,435,455 (5.0 §3.8.2.1.2), undefined where it has none. */
export interface StoredSubscription {
  readonly subscription: Subscription
  readonly identifier: number | undefined
  /** the Share Name (5.0 §4.8.2); undefined: it is not shared */
  readonly shareName: string | undefined
  /** what is matched: the Topic Filter without its `$share/name/` */
  readonly filter: string
}

/** A session as it is kept; plain data. */
export interface StoredSession {
  readonly clientId: string
  /** the machine's part: messages in flight */
  readonly saved: SavedSession
  readonly subscriptions: readonly StoredSubscription[]
  /** taken out of the mailbox and not sent: first in line */
  readonly pending: readonly Delivery[]
  /** ms since 1970 when it ends; Infinity: never */
  readonly expiresAt: number
}

/** A broker, seen by its store. */
export interface StoreListener {
  /** a message somebody has published; gives how many sessions of this broker it went to, once it is with them */
  deliver(message: StoredMessage): Awaitable<number>
  /** somebody claims this session: if it is here, its connection ends, and what there is to save is saved when it resolves. Messages still go to it */
  release(clientId: string, clean: boolean): Awaitable<void>
  /** it is somebody else's now: nothing more goes to it from here */
  moved(clientId: string): void
}

/**
 * The store. Sessions are claimed by compare and set: a claim gives the session and a number, and only who has the latest number may write it, so of two
 * brokers that a Client reaches at once one wins.
 */
export interface Store {
  /**
   * Takes a session over, or begins one. Claims of one session go one after the other; each lets every listener `release` it (for as long as the store sees
   * fit), tells them that it has `moved`, and calls `begin`, these two in one piece, so that no message falls between them. Claims before it are worth
   * nothing from then on. `clean`, and a session that has expired by `now`: whatever was there is discarded, its mailbox included.
   */
  claim(clientId: string, clean: boolean, now: number, begin: (claim: number, session: StoredSession | undefined) => void): Awaitable<void>
  /** keeps it; false where somebody else has claimed it since */
  save(session: StoredSession, claim: number): Awaitable<boolean>
  /** ends it, its mailbox included; false where somebody else has claimed it since */
  remove(clientId: string, claim: number): Awaitable<boolean>

  /** puts a message into a session's mailbox; false: it is full, or there is no such session */
  post(clientId: string, delivery: Delivery): Awaitable<boolean>
  /** takes up to `count` messages out of it, oldest first; Infinity: all */
  take(clientId: string, count: number): Awaitable<readonly Delivery[]>

  /** keeps the retained message of a Topic Name, or (an empty payload) forgets it; false: no room for another */
  retain(message: StoredMessage): Awaitable<boolean>
  /** the retained messages that a Topic Filter matches and that have not expired by `now` */
  retained(filter: string, now: number): Awaitable<Iterable<StoredMessage>>

  /** hands a message to every broker that shares the store, this one included; gives how many sessions it went to, as far as is known */
  publish(message: StoredMessage): Awaitable<number>
  /** a broker begins; what it gives is called when it ends */
  subscribe(listener: StoreListener): () => void
}

/** Seconds until a message expires: undefined where it never does, 0 or less where it has [MQTT-3.3.2-5, MQTT-3.3.2-6]. */
export function secondsLeft({ packet, at }: StoredMessage, now: number): number | undefined {
  const expiry = packet.properties?.messageExpiryInterval
  return expiry === undefined ? undefined : expiry - Math.floor((now - at) / 1000)
}

/** As `await`, but at once where there is nothing to wait for: a promise a message would stop and start its socket for each. */
export function then<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}
