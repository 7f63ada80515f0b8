// SPDX-License-Identifier: MIT
// One Client's session on this broker: its subscriptions, what is on its way to it, and the connection it has just now.
//  - QoS 0 goes out at once or not at all: a Client that is away or does not read misses it.
//  - QoS 1 and 2 go through the store's mailbox, in order, and from there to the Client as fast as it acknowledges.
import type { PropertiesOf, ProtocolVersion } from '../codec/index.ts'
import { restoreSession, saveSession, sizeOf } from '../fsm/index.ts'
import type { Session } from '../fsm/index.ts'
import type { Peer } from '../transport/index.ts'
import type { Delivery, Store, StoredSession, StoredSubscription } from './store.ts'

/** Messages on their way to one Client at a time, whatever its Receive Maximum. */
const WINDOW = 64

export class BrokerSession {
  readonly clientId: string
  readonly claim: number
  readonly subscriptions: Map<string, StoredSubscription> = new Map()
  peer: Peer | undefined = undefined
  /** what became of it when another connection of its Client came */
  succeeded: 'clean' | 'resumed' | undefined = undefined
  /** messages of QoS 0 that were not sent, and of QoS 1 and 2 for which there was no room */
  dropped = 0
  /** taken out of the mailbox and not sent: first in line */
  private readonly next: Delivery[]
  private machine: Session | undefined
  private window = WINDOW
  private version: ProtocolVersion = 5
  private pumping = false
  private readonly store: Store

  constructor(clientId: string, claim: number, store: Store, stored: StoredSession | undefined) {
    this.clientId = clientId
    this.claim = claim
    this.store = store
    this.machine = stored && restoreSession(stored.saved)
    this.next = [...stored?.pending ?? []]
    for (const one of stored?.subscriptions ?? []) this.subscriptions.set(one.subscription.filter, one)
  }

  /** What the machine goes on with at the next connection. */
  get resumable(): Session | undefined {
    return this.machine
  }

  /** The Client is there, and accepted. */
  attach(peer: Peer): void {
    const { version, properties } = peer.connect!
    this.peer = peer
    this.version = version
    this.window = Math.min(WINDOW, properties?.receiveMaximum ?? WINDOW)
    this.pump()
  }

  /** The Client is gone; the session, as far as it goes on, keeps what was on its way. */
  detach(): void {
    this.machine = this.peer?.session ?? this.machine
    this.peer = undefined
  }

  stored(expiresAt: number | undefined): StoredSession {
    const { clientId, machine, subscriptions } = this
    return { clientId, saved: machine === undefined ? { clientId } : saveSession(machine), subscriptions: [...subscriptions.values()], pending: [...this.next], expiresAt }
  }

  /** A message for this Client; false if it is lost. */
  deliver(delivery: Delivery): boolean | Promise<boolean> {
    if (delivery.qos === 0) return this.sendNow(delivery)
    const posted = this.store.post(this.clientId, delivery)
    return posted instanceof Promise ? posted.then((kept) => this.posted(kept)) : this.posted(posted)
  }

  private posted(kept: boolean): boolean {
    if (!kept) this.dropped++
    this.pump()
    return kept
  }

  private sendNow(delivery: Delivery): boolean {
    const packet = this.packet(delivery)
    if (this.peer === undefined || packet === undefined) {
      this.dropped++
      return false
    }
    // Refused where the Client does not read and its bound is reached, or where it would find the message too large.
    this.peer.publish(packet).catch(() => { this.dropped++ })
    return true
  }

  /** Takes messages out of the mailbox as long as the Client has room for them. */
  private pump(): void {
    if (this.pumping || this.peer === undefined) return
    this.pumping = true
    this.pumpOn().catch(() => { this.peer?.abort(new Error('the store failed')) }).finally(() => { this.pumping = false })
  }

  private async pumpOn(): Promise<void> {
    // Whoever has published this may be in the middle of a step of the same connection.
    await Promise.resolve()
    for (;;) {
      const room = this.window - this.underWay()
      if (room <= 0) return
      if (this.next.length === 0) {
        const taken = this.store.take(this.clientId, room)
        this.next.push(...(taken instanceof Promise ? await taken : taken))
      }
      const delivery = this.next[0]
      const { peer } = this
      // The connection may have gone while the store was asked: what was taken waits for the next one.
      if (delivery === undefined || peer === undefined) return
      this.next.shift()
      const packet = this.packet(delivery)
      if (packet === undefined) this.dropped++
      else if (!await this.sendQueued(peer, packet)) {
        this.next.unshift(delivery)
        await peer.drained()
      }
    }
  }

  /** Hands a message to the machine; false where the Client does not read just now, and the message is to be tried again. */
  private async sendQueued(peer: Peer, packet: Parameters<Peer['publish']>[0]): Promise<boolean> {
    const before = this.underWay()
    const answer = peer.publish(packet).then(() => true, (error: Error) => (error as { rule?: string }).rule !== 'maximumUnsent')
    // Taken into the session at once, or not at all.
    if (this.underWay() > before) {
      void answer.then(() => { this.pump() })
      return true
    }
    return answer
  }

  private underWay(): number {
    const session = this.peer?.session
    return session === undefined ? 0 : sizeOf(session).ours
  }

  /** The message as it goes out now; undefined when it has expired [MQTT-3.3.2-5]. */
  private packet({ packet, at, qos, retain, identifiers }: Delivery): Parameters<Peer['publish']>[0] | undefined {
    const { topic, payload, properties } = packet
    const expiry = properties?.messageExpiryInterval
    const left = expiry === undefined ? undefined : expiry - Math.floor((Date.now() - at) / 1000)
    if (left !== undefined && left <= 0) return undefined
    if (this.version < 5) return { topic, payload, qos, retain }
    const { topicAlias: _, subscriptionIdentifiers: __, messageExpiryInterval: ___, ...rest } = properties ?? {}
    const out: PropertiesOf<'publish'> = {
      ...rest, ...(left === undefined ? {} : { messageExpiryInterval: left }), ...(identifiers.length === 0 ? {} : { subscriptionIdentifiers: identifiers }),
    }
    return { topic, payload, qos, retain, properties: out }
  }
}
