// SPDX-License-Identifier: MIT
// Which message goes to whom (5.0 §3.3.4, §4.7, §4.8.2): one copy for each session that a message matches, with the highest QoS of its subscriptions;
// one for each Shared Subscription, to its members in turn.
import { parseSharedFilter } from '../codec/index.ts'
import type { BrokerSession } from './session.ts'
import type { Delivery, StoredMessage, StoredSubscription } from './store.ts'
import { TopicTree } from './topic-tree.ts'

interface Group { readonly members: Map<BrokerSession, StoredSubscription> }

/** Who has subscribed to one Topic Filter. */
interface Subscribers {
  readonly own: Map<BrokerSession, StoredSubscription>
  readonly groups: Map<string, Group>
}

export class Router {
  private readonly tree: TopicTree<Subscribers> = new TopicTree()
  /** how many subscriptions there are */
  size = 0

  /** Adds a subscription, or replaces the one of this session with the same filter [MQTT-3.8.4-3]; tells whether it is new. */
  add(session: BrokerSession, stored: StoredSubscription): boolean {
    const { shareName, filter } = parseSharedFilter(stored.subscription.filter)
    let subscribers = this.tree.get(filter)
    if (subscribers === undefined) this.tree.set(filter, subscribers = { own: new Map(), groups: new Map() })
    let holders = subscribers.own
    if (shareName !== undefined) {
      const group = subscribers.groups.get(shareName) ?? { members: new Map<BrokerSession, StoredSubscription>() }
      subscribers.groups.set(shareName, group)
      holders = group.members
    }
    const fresh = !holders.has(session)
    if (fresh) this.size++
    holders.set(session, stored)
    return fresh
  }

  remove(session: BrokerSession, wholeFilter: string): void {
    const { shareName, filter } = parseSharedFilter(wholeFilter)
    const subscribers = this.tree.get(filter)
    const holders = shareName === undefined ? subscribers?.own : subscribers?.groups.get(shareName)?.members
    if (subscribers === undefined || holders?.delete(session) !== true) return
    this.size--
    if (shareName !== undefined && holders.size === 0) subscribers.groups.delete(shareName)
    if (subscribers.own.size === 0 && subscribers.groups.size === 0) this.tree.delete(filter)
  }

  /** Delivers a message to everybody who wants it; gives how many sessions that were. */
  route(message: StoredMessage): number {
    const copies = new Map<BrokerSession, Delivery>()
    let count = 0
    for (const { own, groups } of this.tree.matching(message.packet.topic)) {
      for (const [session, stored] of own) {
        if (stored.subscription.noLocal === true && message.from === session.clientId) continue
        copies.set(session, merged(copies.get(session), delivery(message, stored)))
      }
      for (const { members } of groups.values()) count += toOne(message, members)
    }
    for (const [session, copy] of copies) void session.deliver(copy)
    return count + copies.size
  }
}

/** A message as one subscription wants it. */
export function delivery(message: StoredMessage, { subscription, identifier }: StoredSubscription): Delivery {
  const { qos = 0, retain = false } = message.packet
  return {
    ...message,
    qos: Math.min(qos, subscription.qos) as 0 | 1 | 2,
    retain: retain && subscription.retainAsPublished === true,
    identifiers: identifier === undefined ? [] : [identifier],
  }
}

/** Two subscriptions of one session that match: the message comes once, with what both ask for. */
function merged(one: Delivery | undefined, other: Delivery): Delivery {
  if (one === undefined) return other
  return { ...one, qos: Math.max(one.qos, other.qos) as 0 | 1 | 2, retain: one.retain || other.retain, identifiers: [...one.identifiers, ...other.identifiers] }
}

/** The next member in turn, one that is there before one that is away. */
function toOne(message: StoredMessage, members: Map<BrokerSession, StoredSubscription>): number {
  let chosen: readonly [BrokerSession, StoredSubscription] | undefined
  for (const entry of members) {
    chosen ??= entry
    if (entry[0].peer === undefined) continue
    chosen = entry
    break
  }
  if (chosen === undefined) return 0
  const [session, stored] = chosen
  // To the end of the line.
  members.delete(session)
  members.set(session, stored)
  void session.deliver(delivery(message, stored))
  return 1
}
