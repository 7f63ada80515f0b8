// SPDX-License-Identifier: MIT
// Which message goes to whom (5.0 §3.3.4, §4.7, §4.8.2): one copy for each session that a message matches, with the highest QoS of its subscriptions;
// one for each Shared Subscription, to its members in turn. It is shared among the sessions of one broker, not among brokers.
import type { BrokerSession } from './session.ts'
import type { Awaitable, Delivery, StoredMessage, StoredSubscription } from './store.ts'
import { TopicTree } from './topic-tree.ts'

type Holders = Map<BrokerSession, StoredSubscription>

/** Who has subscribed to one Topic Filter: the groups by Share Name, and under undefined everybody for himself. */
type Subscribers = Map<string | undefined, Holders>

export class Router {
  private readonly tree: TopicTree<Subscribers> = new TopicTree()
  /** how many subscriptions there are */
  size = 0

  add(session: BrokerSession, stored: StoredSubscription): void {
    const { shareName, filter } = stored
    let subscribers = this.tree.get(filter)
    if (subscribers === undefined) this.tree.set(filter, subscribers = new Map())
    let holders = subscribers.get(shareName)
    if (holders === undefined) subscribers.set(shareName, holders = new Map())
    if (!holders.has(session)) this.size++
    holders.set(session, stored)
  }

  remove(session: BrokerSession, { shareName, filter }: StoredSubscription): void {
    const subscribers = this.tree.get(filter)
    const holders = subscribers?.get(shareName)
    if (subscribers === undefined || holders?.delete(session) !== true) return
    this.size--
    if (holders.size === 0) subscribers.delete(shareName)
    if (subscribers.size === 0) this.tree.delete(filter)
  }

  /** Delivers a message to everybody who wants it; gives how many sessions those are, once it is with them. */
  route(message: StoredMessage): Awaitable<number> {
    const copies = new Map<BrokerSession, Delivery>()
    const chosen: (readonly [BrokerSession, Delivery])[] = []
    for (const subscribers of this.tree.matching(message.packet.topic)) {
      for (const [shareName, holders] of subscribers) {
        if (shareName !== undefined) chosen.push(nextOf(holders, message))
        else {
          for (const [session, stored] of holders) {
            if (stored.subscription.noLocal === true && message.from === session.clientId) continue
            copies.set(session, merged(copies.get(session), deliveryOf(message, stored)))
          }
        }
      }
    }
    return handOut([...copies, ...chosen])
  }

  /** A message of a Shared Subscription whose member has gone: to another one, if there is one. */
  again(delivery: Delivery): Awaitable<number> {
    const { packet, size, at, from, shared } = delivery
    const holders = this.tree.get(shared!.filter)?.get(shared!.shareName)
    return holders === undefined ? 0 : handOut([nextOf(holders, { packet, size, at, from })])
  }
}

/** A message as one subscription wants it. */
export function deliveryOf(message: StoredMessage, stored: StoredSubscription): Delivery {
  const { qos = 0, retain = false } = message.packet
  const { subscription, identifier, shareName } = stored
  return {
    ...message,
    qos: Math.min(qos, subscription.qos) as 0 | 1 | 2,
    retain: retain && subscription.retainAsPublished === true,
    identifiers: identifier === undefined ? [] : [identifier],
    shared: shareName === undefined ? undefined : stored,
  }
}

/** Two subscriptions of one session that match: the message comes once, with what both ask for. */
function merged(one: Delivery | undefined, other: Delivery): Delivery {
  if (one === undefined) return other
  return { ...one, qos: Math.max(one.qos, other.qos) as 0 | 1 | 2, retain: one.retain || other.retain, identifiers: [...one.identifiers, ...other.identifiers] }
}

/** The next member in turn, one that is there before one that is away; it goes to the end of the line. */
function nextOf(members: Holders, message: StoredMessage): readonly [BrokerSession, Delivery] {
  let chosen: readonly [BrokerSession, StoredSubscription] | undefined
  for (const entry of members) {
    chosen ??= entry
    if (entry[0].peer === undefined) continue
    chosen = entry
    break
  }
  // A group without members is not kept.
  const [session, stored] = chosen!
  members.delete(session)
  members.set(session, stored)
  return [session, deliveryOf(message, stored)]
}

function handOut(copies: readonly (readonly [BrokerSession, Delivery])[]): Awaitable<number> {
  let waits: Promise<unknown>[] | undefined
  for (const [session, copy] of copies) {
    const posted = session.deliver(copy)
    if (posted instanceof Promise) (waits ??= []).push(posted)
  }
  return waits === undefined ? copies.length : Promise.all(waits).then(() => copies.length)
}
