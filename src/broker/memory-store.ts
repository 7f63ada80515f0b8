// SPDX-License-Identifier: MIT
// The store that a broker has unless it is given another: this process's memory, with a bound on everything.
import type { Delivery, Store, StoredMessage, StoredSession } from './store.ts'
import { TopicTree } from './topic-tree.ts'

export interface MemoryStoreOptions {
  /** messages in one session's mailbox; default 1,000 */
  readonly maximumMailbox?: number | undefined
  /** bytes of their payloads; default 1 MiB */
  readonly maximumMailboxBytes?: number | undefined
  /** retained messages; default 10,000 */
  readonly maximumRetained?: number | undefined
}

interface Mailbox { readonly deliveries: Delivery[], read: number, bytes: number }

export class MemoryStore implements Store {
  private readonly maximumMailbox: number
  private readonly maximumMailboxBytes: number
  private readonly maximumRetained: number
  private readonly sessions: Map<string, { claim: number, session: StoredSession | undefined }> = new Map()
  private readonly mailboxes: Map<string, Mailbox> = new Map()
  private readonly messages: TopicTree<StoredMessage> = new TopicTree()
  private readonly brokers: ((message: StoredMessage) => number)[] = []
  private claims = 0

  constructor({ maximumMailbox = 1_000, maximumMailboxBytes = 1_048_576, maximumRetained = 10_000 }: MemoryStoreOptions = {}) {
    this.maximumMailbox = maximumMailbox
    this.maximumMailboxBytes = maximumMailboxBytes
    this.maximumRetained = maximumRetained
  }

  claim(clientId: string, clean: boolean): { readonly claim: number, readonly session: StoredSession | undefined } {
    const session = clean ? undefined : this.sessions.get(clientId)?.session
    if (clean) this.mailboxes.delete(clientId)
    const claim = ++this.claims
    this.sessions.set(clientId, { claim, session })
    return { claim, session }
  }

  save(session: StoredSession, claim: number): boolean {
    const kept = this.sessions.get(session.clientId)
    if (kept?.claim !== claim) return false
    kept.session = session
    return true
  }

  remove(clientId: string, claim: number): boolean {
    if (this.sessions.get(clientId)?.claim !== claim) return false
    this.mailboxes.delete(clientId)
    return this.sessions.delete(clientId)
  }

  post(clientId: string, delivery: Delivery): boolean {
    let box = this.mailboxes.get(clientId)
    if (box === undefined) this.mailboxes.set(clientId, box = { deliveries: [], read: 0, bytes: 0 })
    const bytes = box.bytes + delivery.packet.payload.length
    if (box.deliveries.length - box.read >= this.maximumMailbox || bytes > this.maximumMailboxBytes) return false
    box.deliveries.push(delivery)
    box.bytes = bytes
    return true
  }

  take(clientId: string, count: number): readonly Delivery[] {
    const box = this.mailboxes.get(clientId)
    if (box === undefined) return []
    const taken = box.deliveries.slice(box.read, box.read + count)
    box.read += taken.length
    for (const { packet } of taken) box.bytes -= packet.payload.length
    if (box.read === box.deliveries.length) this.mailboxes.delete(clientId)
    // What has been read goes in lots: `shift` would move the whole box for each message.
    else if (box.read > 256) box.deliveries.splice(0, box.read), box.read = 0
    return taken
  }

  retain(message: StoredMessage): boolean {
    const { topic, payload } = message.packet
    if (payload.length === 0) {
      this.messages.delete(topic)
      return true
    }
    if (this.messages.size >= this.maximumRetained && this.messages.get(topic) === undefined) return false
    this.messages.set(topic, message)
    return true
  }

  retained(filter: string): readonly StoredMessage[] {
    return this.messages.under(filter)
  }

  publish(message: StoredMessage): number {
    return this.brokers.reduce((count, deliver) => count + deliver(message), 0)
  }

  subscribe(deliver: (message: StoredMessage) => number): void {
    this.brokers.push(deliver)
  }
}
