// SPDX-License-Identifier: MIT
// One Client's session on this broker: its subscriptions, what is on its way to it, and the connection it has just now. A new connection has a new one.
//  - QoS 0 goes out at once or not at all: a Client that is away or does not read misses it.
//  - QoS 1 and 2 go through the store's mailbox, in order, and from there to the Client as fast as it acknowledges.
//  - What is asked of the store for one session is asked in order, the next thing when the last is done.
import { encodedSize } from '../codec/index.ts'
import type { Packet, PropertiesOf, ProtocolVersion, PublishInput } from '../codec/index.ts'
import { reopened, restoreSession, saveSession, sizeOf } from '../fsm/index.ts'
import type { Session } from '../fsm/index.ts'
import type { Message, Peer } from '../transport/index.ts'
import type { Tally } from './options.ts'
import { secondsLeft, then } from './store.ts'
import type { Awaitable, Delivery, Store, StoredMessage, StoredSession, StoredSubscription } from './store.ts'

/** Messages of QoS 1 and 2 in flight to one Client, whatever its Receive Maximum, and about how many bytes of them: the last one may go beyond. */
const WINDOW = 64
const WINDOW_BYTES = 1_048_576
/** Retained messages of new subscriptions, and what of QoS 0 comes behind them, that wait for one Client. */
const MAXIMUM_FRESH = 10_000

/** Messages of Shared Subscriptions that went out with QoS 1, by their payload: the one thing the machine hands back as it was. */
const SHARED = new WeakMap<object, Delivery>()

export class BrokerSession {
  readonly clientId: string
  readonly claim: number
  readonly subscriptions: Map<string, StoredSubscription> = new Map()
  /** seconds it had left when its Client came back: what it has if that comes to nothing */
  readonly remaining: number
  /** connected, or just about to be */
  peer: Peer | undefined = undefined
  /** what the machine goes on with at the next connection */
  machine: Session | undefined
  /** taken out of the mailbox and not sent: first in line */
  private readonly next: Delivery[]
  /** retained messages of new subscriptions, and QoS 0 that must not overtake them */
  private fresh: Delivery[] = []
  /** SUBACK is to go out before them */
  private held = false
  private window = WINDOW
  /** in flight, at most: counted anew where it matters */
  private bytes = 0
  private version: ProtocolVersion = 5
  private pumping = false
  /** there may be something to send that the pump has not seen */
  private wanted = false
  /** the last of what has been asked of the store and is not done */
  private tail: Promise<unknown> | undefined = undefined
  /** QoS 2 messages of its Client, by Packet Identifier, that have come and are not with those who want them */
  private readonly undistributed: Set<number> = new Set()
  private distributing: Promise<void> | undefined = undefined
  private readonly store: Store
  private readonly tally: Tally

  constructor(clientId: string, claim: number, stored: StoredSession | undefined, store: Store, tally: Tally) {
    this.clientId = clientId
    this.claim = claim
    this.store = store
    this.tally = tally
    this.machine = stored && restoreSession(stored.saved)
    this.remaining = stored === undefined ? 0 : Math.max(0, (stored.expiresAt - tally.now()) / 1000)
    this.next = [...stored?.pending ?? []]
    for (const one of stored?.subscriptions ?? []) this.subscriptions.set(one.subscription.filter, one)
  }

  /** The Client is there; CONNACK is the next thing it is sent. */
  attach(peer: Peer): void {
    const { version, properties } = peer.connect!
    this.peer = peer
    this.version = version
    this.window = Math.min(WINDOW, properties?.receiveMaximum ?? WINDOW)
    this.bytes = this.machine === undefined ? 0 : bytesOf(this.machine)
    const others = peer.onPacket
    peer.onPacket = (packet: Packet) => {
      // Also of messages that an earlier connection has sent.
      if (packet.type !== 'puback' && packet.type !== 'pubrec' && packet.type !== 'pubcomp') return others?.(packet)
      this.pump()
    }
    this.pump()
  }

  /** The Client is gone; the session, as far as it goes on, keeps what was on its way. */
  detach(): void {
    this.machine = this.peer?.session ?? this.machine
    this.peer = undefined
  }

  /** Keeps it as it is once everything before is done. What its Client has sent with QoS 2 counts as received if it has been distributed, and will come again if not. */
  save(expiresAt: number): Awaitable<boolean> {
    const { clientId, machine } = this
    return then(this.distributing, () => this.inOrder(() => {
      const saved = machine === undefined ? { clientId } : saveSession(reopened(machine))
      const received = saved.received?.filter((id) => !this.undistributed.has(id))
      return then(this.postFresh(), () => this.store.save({ clientId, expiresAt, saved: { ...saved, received }, subscriptions: [...this.subscriptions.values()], pending: [...this.next] }, this.claim))
    }))
  }

  /** Retained messages that have not gone out are a matter of the mailbox now, and its bounds. */
  private postFresh(): Awaitable<void> {
    const left = this.fresh.splice(0).filter(({ qos }) => qos > 0)
    if (left.length > 0) return (async () => { for (const delivery of left) if (!await this.store.post(this.clientId, delivery)) this.lose() })()
  }

  /** A message of QoS 2 has come from its Client. */
  taking(packetId: number): void {
    this.undistributed.add(packetId)
  }

  /** A message of its Client is on its way to others. The next connection waits for that, so that nothing overtakes it, and what has arrived does not come again. */
  distribute(packetId: number | undefined, distributed: Awaitable<number>): Awaitable<number> {
    const answer = then(distributed, (count) => {
      this.undistributed.delete(packetId!)
      return count
    })
    if (answer instanceof Promise) {
      const distributing: Promise<void> = answer.then(() => {}, () => {}).then(() => { if (this.distributing === distributing) this.distributing = undefined })
      this.distributing = distributing
    }
    return answer
  }

  /** Ends it, here and in the store; gives what other members of its Shared Subscriptions should have (5.0 §4.8.2). */
  end(): Awaitable<readonly Delivery[]> {
    return this.inOrder(() => then(this.left(), (left) => then(this.store.remove(this.clientId, this.claim), () => left)))
  }

  /** Resolves when nothing that was begun for it is under way. */
  settled(): Awaitable<unknown> {
    return then(this.distributing, () => this.tail)
  }

  /** A message for this Client; resolves when it is with its session, or lost. */
  deliver(delivery: Delivery): Awaitable<void> {
    return this.inOrder(() => {
      if (delivery.qos === 0) return this.sendNow(delivery)
      return then(this.store.post(this.clientId, delivery), (kept) => {
        if (!kept) this.lose()
        this.pump()
      })
    })
  }

  /** The retained messages of a new subscription: before everything that comes after them, whatever its QoS, but not before `release`. */
  holdRetained(filter: string, wanted: (message: StoredMessage) => Delivery | undefined): Awaitable<void> {
    this.held = true
    return this.inOrder(() => then(this.store.retained(filter, this.tally.now()), (messages) => {
      for (const message of messages) {
        const delivery = wanted(message)
        if (delivery !== undefined) this.keepFresh(delivery)
      }
    }))
  }

  /** SUBACK is out. */
  release(): void {
    this.held = false
    this.pump()
  }

  private inOrder<T>(ask: () => Awaitable<T>): Awaitable<T> {
    const answer = this.tail === undefined ? ask() : this.tail.then(ask)
    if (!(answer instanceof Promise)) return answer
    const tail: Promise<unknown> = answer.then(() => {}, () => {}).then(() => { if (this.tail === tail) this.tail = undefined })
    this.tail = tail
    return answer
  }

  /** What never went out, and what went out with QoS 1 and is not acknowledged. Of QoS 2 nothing that has gone out [MQTT-4.8.2-5]. */
  private left(): Awaitable<readonly Delivery[]> {
    if (![...this.subscriptions.values()].some(({ shareName }) => shareName !== undefined)) return []
    const sent = this.machine === undefined ? [] : saveSession(this.machine).sent!
    const inFlight = sent.flatMap(({ message }) => (message === undefined ? [] : SHARED.get(message.payload as object) ?? []))
    return then(this.store.take(this.clientId, Infinity), (queued) => [...inFlight, ...this.next, ...queued].filter(({ shared }) => shared !== undefined))
  }

  private sendNow(delivery: Delivery): void {
    if (this.fresh.length > 0) return this.keepFresh(delivery)
    const packet = this.packet(delivery)
    if (this.peer === undefined || packet === undefined) return this.lose()
    // Refused where the Client does not read and its bound is reached, or where it would find the message too large.
    this.peer.publish(packet).catch(() => { this.lose() })
  }

  private keepFresh(delivery: Delivery): void {
    if (this.fresh.length >= MAXIMUM_FRESH) this.lose()
    else this.fresh.push(delivery)
  }

  private lose(): void {
    this.tally.dropped++
  }

  /** Sends what waits as long as the Client has room for it: retained messages first, then what is in the mailbox. */
  private pump(): void {
    this.wanted = true
    if (this.pumping || this.peer === undefined) return
    this.pumping = true
    void this.pumpOn()
  }

  private async pumpOn(): Promise<void> {
    try {
      // Whoever has published this may be in the middle of a step of the same connection.
      await Promise.resolve()
      while (this.wanted) {
        this.wanted = false
        while (await this.sendNext()) { /* and the next */ }
      }
    } catch (error) {
      this.peer?.abort(new Error('the store failed', { cause: error }))
    } finally {
      this.pumping = false
    }
  }

  /** Sends the first message in line; false where there is none, or it has to wait. */
  private async sendNext(): Promise<boolean> {
    const first = (): Delivery[] => (this.fresh.length > 0 && !this.held ? this.fresh : this.next)
    if (first().length === 0 && this.room() > 0) {
      await this.inOrder(() => then(this.store.take(this.clientId, this.room()), (taken) => { this.next.push(...taken) }))
    }
    const line = first()
    const delivery = line[0]
    const { peer } = this
    // The connection may have gone while the store was asked: what was taken waits for the next one.
    if (delivery === undefined || peer === undefined || (delivery.qos > 0 && this.room() <= 0)) return false
    const packet = this.packet(delivery)
    if (packet !== undefined) return this.send(peer, packet, delivery, line)
    line.shift()
    this.lose()
    return true
  }

  /** Hands a message to the machine, as soon as the Client reads; false where the connection is over and it is for the next one. */
  private async send(peer: Peer, packet: Message, delivery: Delivery, line: Delivery[]): Promise<boolean> {
    const before = this.underWay()
    const answer = peer.publish(packet).then(() => undefined, (error: Error & { readonly rule?: string }) => error)
    // Taken into the session at once, or not at all; QoS 0 is nobody's any more.
    const taken = this.underWay() > before
    if (taken || delivery.qos === 0) line.shift()
    if (taken) {
      this.bytes += delivery.size
      if (delivery.qos === 1 && delivery.shared !== undefined) SHARED.set(packet.payload as object, delivery)
      return true
    }
    const error = await answer
    if (error?.rule === 'maximumUnsent') {
      await peer.drained()
      if (delivery.qos === 0) this.lose()
    } else if (error !== undefined && error.name !== 'ConnectionClosed') {
      // The Client would find it too large [5.0 MQTT-3.1.2-25].
      this.lose()
      if (delivery.qos > 0) line.shift()
    }
    return error?.name !== 'ConnectionClosed'
  }

  /** How many more messages of QoS 1 and 2 may be in flight. */
  private room(): number {
    const session = this.peer?.session
    if (session === undefined) return 0
    if (this.bytes > WINDOW_BYTES) this.bytes = bytesOf(session)
    return this.bytes > WINDOW_BYTES ? 0 : this.window - this.underWay()
  }

  private underWay(): number {
    const session = this.peer?.session
    return session === undefined ? 0 : sizeOf(session).ours
  }

  /** The message as it goes out now; undefined when it has expired [MQTT-3.3.2-5]. */
  private packet(delivery: Delivery): Message | undefined {
    const { packet: { topic, payload, properties }, qos, retain, identifiers } = delivery
    const left = secondsLeft(delivery, this.tally.now())
    if (left !== undefined && left <= 0) return undefined
    if (this.version < 5) return { topic, payload, qos, retain }
    const { messageExpiryInterval: _, ...rest } = properties ?? {}
    const out: PropertiesOf<'publish'> = { ...rest, ...(left === undefined ? {} : { messageExpiryInterval: left }), ...(identifiers.length === 0 ? {} : { subscriptionIdentifiers: identifiers }) }
    return { topic, payload, qos, retain, properties: out }
  }
}

/** Of the messages in flight. */
function bytesOf(session: Session): number {
  return saveSession(session).sent!.reduce((sum, { message }) => sum + (message === undefined ? 0 : sizeOfMessage(message)), 0)
}

/** As it counts towards bounds. */
export function sizeOfMessage(packet: PublishInput): number {
  return packet.properties === undefined ? packet.topic.length + packet.payload.length : encodedSize({ ...packet, qos: 0, dup: false }, 5)
}
