// SPDX-License-Identifier: MIT
// What a broker is given, and what it counts.
import type { Connect } from '../codec/index.ts'
import type { Peer, Timers } from '../transport/index.ts'
import type { Awaitable, Store } from './store.ts'

/** Whom a broker lets in, what they may do, what it keeps and how much of it. Everything may be left out. */
export interface BrokerOptions {
  /** true, or the 5.0 Reason Code of the refusal (3.x Clients are told what says the same). Left out: everybody may come in, so listen on loopback only */
  readonly authenticate?: ((connect: Connect, peer: Peer) => Awaitable<true | number>) | undefined
  /** Authentication Methods (5.0 §4.12) that `authenticate` deals with, by `peer.auth` and `peer.onPacket`; others are refused (0x8c). Default: none */
  readonly authenticationMethods?: readonly string[] | undefined
  /**
   * May this Client publish to this Topic Name (also as its Will), or subscribe to this Topic Filter (without its `$share/name/`)? Left out: it may, but for publishing
   * to names that begin with $, which are the Server's (5.0 §4.7.2)
   */
  readonly authorize?: ((clientId: string, action: 'publish' | 'subscribe', topic: string) => Awaitable<boolean>) | undefined
  /** default: this process's memory */
  readonly store?: Store | undefined
  /** sessions, of Clients that are there or away; default 10,000. Further Clients are refused (0x97) */
  readonly maximumSessions?: number | undefined
  /** seconds a session outlives its connection at most; default 7 days. 5.0 Clients are told */
  readonly maximumSessionExpiry?: number | undefined
  /** subscriptions of one session; default 1,000. Further ones are refused (0x97) */
  readonly maximumSubscriptions?: number | undefined
  /** levels of a Topic Name or Topic Filter; default 128. Others are refused (0x90, 0x8f) */
  readonly maximumLevels?: number | undefined
  /** messages of QoS 1 and 2 a Client may send before they are acknowledged; default 100. 5.0 Clients are told; for 3.x it is `limits.receiveMaximum` of `listenTcp` */
  readonly receiveMaximum?: number | undefined
  /** Topic Aliases a 5.0 Client may use; default 32 */
  readonly topicAliasMaximum?: number | undefined
  /** told where the store has failed and no Client is there to be told by its end: what was to be kept may be lost */
  readonly onError?: ((error: unknown) => void) | undefined
  readonly timers?: Timers | undefined
  /** the time in ms since 1970; default Date.now */
  readonly now?: (() => number) | undefined
}

/** What a broker has and has done, for whoever watches. */
export interface BrokerCounters {
  readonly connections: number
  readonly sessions: number
  readonly subscriptions: number
  /** messages that Clients have published */
  readonly received: number
  /** sessions that messages went to */
  readonly delivered: number
  /** messages for one session or one name to retain that were lost: no room, expired, or QoS 0 for a Client that is away or does not read */
  readonly dropped: number
}

/** What the parts of a broker count together, and the clock they go by. */
export class Tally {
  readonly now: () => number
  received = 0
  delivered = 0
  dropped = 0

  constructor(now: () => number) {
    this.now = now
  }
}
