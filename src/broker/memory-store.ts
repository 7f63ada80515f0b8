// SPDX-License-Identifier: MIT
// The store that a broker has unless it is given another: this process's memory, with a bound on everything.
import { secondsLeft, then } from './store.ts'
import type { Awaitable, Delivery, Store, StoredMessage, StoredSession, StoreListener } from './store.ts'
import { TopicTree } from './topic-tree.ts'

/** The bounds of a MemoryStore. Beyond them `post` and `retain` give false: the message is lost to that session or name, and the broker counts it as dropped. */
export interface MemoryStoreOptions {
  /** messages in one session's mailbox; default 1,000 */
  readonly maximumMailbox?: number | undefined
  /** bytes of them; default 1 MiB */
  readonly maximumMailboxBytes?: number | undefined
  /** bytes in all mailboxes, a message counted in each; default 256 MiB */
  readonly maximumMailboxesBytes?: number | undefined
  /** retained messages; default 10,000 */
  readonly maximumRetained?: number | undefined
  /** bytes of them; default 64 MiB */
  readonly maximumRetainedBytes?: number | undefined
}

interface Mailbox { readonly deliveries: Delivery[], read: number, bytes: number }

const MIB = 1_048_576

/** A Store in this process's memory, gone with it. Its sessions are bounded by the broker's `maximumSessions`, all else by its options. */
export class MemoryStore implements Store {
  private readonly bounds: { readonly [O in keyof MemoryStoreOptions]-?: number }
  private readonly sessions: Map<string, { claim: number, session: StoredSession | undefined }> = new Map()
  private readonly claiming: Map<string, Promise<void>> = new Map()
  private readonly mailboxes: Map<string, Mailbox> = new Map()
  private readonly messages: TopicTree<StoredMessage> = new TopicTree()
  private readonly listeners: Set<StoreListener> = new Set()
  private claims = 0
  private mailboxesBytes = 0
  private retainedBytes = 0
  private swept = -Infinity

  constructor({ maximumMailbox = 1_000, maximumMailboxBytes = MIB, maximumMailboxesBytes = 256 * MIB, maximumRetained = 10_000, maximumRetainedBytes = 64 * MIB }: MemoryStoreOptions = {}) {
    this.bounds = { maximumMailbox, maximumMailboxBytes, maximumMailboxesBytes, maximumRetained, maximumRetainedBytes }
  }

  /** What there is at the moment, for whoever watches. */
  get counters(): { readonly sessions: number, readonly queued: number, readonly queuedBytes: number, readonly retained: number, readonly retainedBytes: number } {
    const queued = [...this.mailboxes.values()].reduce((sum, { deliveries, read }) => sum + deliveries.length - read, 0)
    return { sessions: this.sessions.size, queued, queuedBytes: this.mailboxesBytes, retained: this.messages.size, retainedBytes: this.retainedBytes }
  }

  claim(clientId: string, clean: boolean, now: number, begin: (claim: number, session: StoredSession | undefined) => void): Awaitable<void> {
    const release = (): Awaitable<unknown> => {
      const waits = [...this.listeners].map((listener) => listener.release(clientId, clean)).filter((one): one is Promise<void> => typeof one === 'object')
      return waits.length === 0 ? undefined : Promise.all(waits)
    }
    const done = then(this.claiming.get(clientId), () => then(release(), () => { this.handOver(clientId, clean, now, begin) }))
    if (!(done instanceof Promise)) return
    // The next claim waits for this one, whatever comes of it.
    const over = done.then(() => {}, () => {}).then(() => { if (this.claiming.get(clientId) === over) this.claiming.delete(clientId) })
    this.claiming.set(clientId, over)
    return done
  }

  save(session: StoredSession, claim: number): boolean {
    const kept = this.sessions.get(session.clientId)
    if (kept?.claim !== claim) return false
    kept.session = session
    return true
  }

  remove(clientId: string, claim: number): boolean {
    if (this.sessions.get(clientId)?.claim !== claim) return false
    this.take(clientId, Infinity)
    return this.sessions.delete(clientId)
  }

  post(clientId: string, delivery: Delivery): boolean {
    const { maximumMailbox, maximumMailboxBytes, maximumMailboxesBytes } = this.bounds
    const box = this.mailboxes.get(clientId) ?? { deliveries: [], read: 0, bytes: 0 }
    const { size } = delivery
    const full = box.deliveries.length - box.read >= maximumMailbox || box.bytes + size > maximumMailboxBytes || this.mailboxesBytes + size > maximumMailboxesBytes
    if (full || !this.sessions.has(clientId)) return false
    this.mailboxes.set(clientId, box)
    box.deliveries.push(delivery)
    box.bytes += size
    this.mailboxesBytes += size
    return true
  }

  take(clientId: string, count: number): readonly Delivery[] {
    const box = this.mailboxes.get(clientId)
    if (box === undefined) return []
    const taken = box.deliveries.slice(box.read, box.read + count)
    box.read += taken.length
    const bytes = taken.reduce((sum, { size }) => sum + size, 0)
    box.bytes -= bytes
    this.mailboxesBytes -= bytes
    if (box.read === box.deliveries.length) this.mailboxes.delete(clientId)
    // What has been read goes in lots: `shift` would move the whole box for each message.
    else if (box.read > 256) box.deliveries.splice(0, box.read), box.read = 0
    return taken
  }

  retain(message: StoredMessage): boolean {
    const { maximumRetained, maximumRetainedBytes } = this.bounds
    const { topic, payload } = message.packet
    const before = this.messages.get(topic)
    // The message before is gone in any case: an old one in its place would be worse than none [3.1.1 MQTT-3.3.1-7].
    if (before !== undefined) this.forget(before)
    if (payload.length === 0) return true
    const fits = (): boolean => this.messages.size < maximumRetained && this.retainedBytes + message.size <= maximumRetainedBytes
    if (!fits()) this.sweep(message.at)
    if (!fits()) return false
    this.messages.set(topic, message)
    this.retainedBytes += message.size
    return true
  }

  retained(filter: string, now: number): readonly StoredMessage[] {
    return this.messages.under(filter).filter((message) => (secondsLeft(message, now) ?? 1) > 0)
  }

  publish(message: StoredMessage): Awaitable<number> {
    return [...this.listeners].reduce<Awaitable<number>>((sum, listener) => {
      const here = listener.deliver(message)
      return sum instanceof Promise || here instanceof Promise ? Promise.all([sum, here]).then(([a, b]) => a + b) : sum + here
    }, 0)
  }

  subscribe(listener: StoreListener): () => void {
    this.listeners.add(listener)
    return () => { this.listeners.delete(listener) }
  }

  private handOver(clientId: string, clean: boolean, now: number, begin: (claim: number, session: StoredSession | undefined) => void): void {
    const before = this.sessions.get(clientId)?.session
    const session = clean || before === undefined || before.expiresAt <= now ? undefined : before
    if (session === undefined) this.take(clientId, Infinity)
    const claim = ++this.claims
    this.sessions.set(clientId, { claim, session })
    for (const listener of this.listeners) listener.moved(clientId)
    begin(claim, session)
  }

  /** Retained messages that have expired make room; looked for where there is none, and once a second at most. */
  private sweep(now: number): void {
    if (now - this.swept < 1000) return
    this.swept = now
    for (const message of this.messages.all()) if ((secondsLeft(message, now) ?? 1) <= 0) this.forget(message)
  }

  private forget(message: StoredMessage): void {
    this.messages.delete(message.packet.topic)
    this.retainedBytes -= message.size
  }
}
