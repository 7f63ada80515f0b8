// SPDX-License-Identifier: MIT
// What a broker keeps, and where: a port that others can fill (Redis, NATS JetStream, a file). Everything may be asynchronous.
//  1. What survives a broker is decided here and nowhere else.
//  2. This file knows nothing of connections: who is connected, and what is on its way to whom, is session.ts.
import type { PublishInput, Subscription } from '../codec/index.ts'
import type { SavedSession } from '../fsm/index.ts'

type Awaitable<T> = T | Promise<T>

/** An Application Message inside a broker: whole Topic Name, no Packet Identifier, no Topic Alias. */
export interface StoredMessage {
  readonly packet: PublishInput
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
}

export interface StoredSubscription {
  readonly subscription: Subscription
  readonly identifier: number | undefined
}

/** A session as it is kept; plain data. */
export interface StoredSession {
  readonly clientId: string
  /** the machine's part: messages in flight */
  readonly saved: SavedSession
  readonly subscriptions: readonly StoredSubscription[]
  /** taken out of the mailbox and not sent: first in line */
  readonly pending: readonly Delivery[]
  /** ms since 1970 when it ends; Infinity: never. While its Client is connected: undefined */
  readonly expiresAt: number | undefined
}

/**
 * The store. Sessions are claimed by compare and set: `claim` gives the session and a number, and only who has the latest number may write it, so of two
 * brokers that a Client reaches at once one wins.
 */
export interface Store {
  /** takes the session over, or begins one; the claims before it are worth nothing from now on. `clean`: whatever was there is discarded */
  claim(clientId: string, clean: boolean): Awaitable<{ readonly claim: number, readonly session: StoredSession | undefined }>
  /** keeps it; false where somebody else has claimed it since */
  save(session: StoredSession, claim: number): Awaitable<boolean>
  /** ends it, its mailbox included; false where somebody else has claimed it since */
  remove(clientId: string, claim: number): Awaitable<boolean>

  /** puts a message into a session's mailbox; false: it is full, and the message is not in it */
  post(clientId: string, delivery: Delivery): Awaitable<boolean>
  /** takes up to `count` messages out of it, oldest first */
  take(clientId: string, count: number): Awaitable<readonly Delivery[]>

  /** keeps the retained message of a Topic Name, or (an empty payload) forgets it; false: no room for another */
  retain(message: StoredMessage): Awaitable<boolean>
  /** the retained messages that a Topic Filter matches */
  retained(filter: string): Awaitable<Iterable<StoredMessage>>

  /** hands a message to every broker that shares the store, this one included */
  publish(message: StoredMessage): Awaitable<number>
  /** who is told of each message; gives how many sessions it went to, as far as this broker knows */
  subscribe(deliver: (message: StoredMessage) => number): void
}
