// SPDX-License-Identifier: MIT
// Messages of a client that comes back: what is published and not settled, in the order it was published, whatever happens to connections meanwhile.
//  - A message that a connection has taken into its session is the session's: it settles on this connection or a later one.
//  - A message that none has taken waits here and goes out on the next one, before anything published later.
import { UsageError } from '../codec/index.ts'
import type { Packet } from '../codec/index.ts'
import type { Redo } from '../fsm/index.ts'
import type { Client } from './client.ts'
import { ConnectionClosed } from './driver-options.ts'
import { published } from './outcome.ts'
import type { Message } from './outcome.ts'
import type { Request } from './requests.ts'

type Outcome = Awaited<ReturnType<Client['publish']>>

/** A message and its promise. It is the token the machine is given, so it is known again when a session is lost. */
class Entry implements Request {
  readonly message: Message
  /** its place among all messages */
  readonly order: number
  readonly done: 'message' | 'handed'
  readonly resolve: (packet: Packet | undefined) => void
  readonly reject: (error: Error) => void

  constructor(backlog: Backlog, message: Message, order: number, resolve: (outcome: Outcome) => void, reject: (error: Error) => void) {
    this.message = message
    this.order = order
    this.done = (message.qos ?? 0) > 0 ? 'message' : 'handed'
    this.resolve = (packet) => {
      backlog.settled(this)
      try {
        resolve(published(packet, message.topic))
      } catch (error) {
        reject(error as Error)
      }
    }
    this.reject = (error) => { if (!backlog.takesBack(this, error)) reject(error) }
  }
}

export class Backlog {
  private readonly maximum: number
  /** not settled, whoever has them */
  private readonly open: Set<Entry> = new Set()
  /** nobody's yet, by order */
  private waiting: Entry[] = []
  private published = 0
  private over: Error | undefined = undefined

  constructor(maximum: number) {
    this.maximum = maximum
  }

  publish(message: Message, client: Client | undefined): Promise<Outcome> {
    if (this.over !== undefined) return Promise.reject(this.over)
    if (this.open.size >= this.maximum) {
      const text = `publish: ${this.open.size} messages are not settled, and maximumBacklog is ${this.maximum}; wait for the promise of an earlier one`
      return Promise.reject(new UsageError(text, { packet: 'publish', rule: 'maximumBacklog', path: '' }))
    }
    return new Promise((resolve, reject) => {
      const entry = new Entry(this, message, this.published++, resolve, reject)
      this.open.add(entry)
      if (client === undefined) this.waiting.push(entry)
      else client.hand(message, entry)
    })
  }

  /** A connection is there: first what a lost session has left, then what waits. */
  connected(client: Client): void {
    const again = client.redo.map((redo, i) => this.again(redo, i - client.redo.length))
    const waiting = [...again, ...this.waiting].sort((a, b) => a.order - b.order)
    this.waiting = []
    for (const entry of waiting) client.hand(entry.message, entry)
  }

  close(reason: Error): void {
    this.over = reason
    for (const { reject } of this.open) reject(reason)
    this.open.clear()
    this.waiting = []
  }

  settled(entry: Entry): void {
    this.open.delete(entry)
  }

  /** The connection went before the message was in its session: then it waits for the next one. QoS 0 has no session to be in, and may have arrived. */
  takesBack(entry: Entry, error: Error): boolean {
    if (!(error instanceof ConnectionClosed) || entry.done === 'handed' || this.over !== undefined) {
      this.open.delete(entry)
      return false
    }
    const at = this.waiting.findIndex(({ order }) => order > entry.order)
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, entry)
    return true
  }

  /**
   * A message the Server may or may not have had when it lost the session. Sent again: for QoS 1 that is what "at least once" asks for; for QoS 2 "exactly
   * once" ends where its memory does, and a message twice is told apart more easily than one that never came. One of a stored session has no promise.
   */
  private again({ packet: { type: _, ...message }, token }: Redo, order: number): Entry {
    if (token instanceof Entry) return token
    const { resolve, reject } = (token ?? NOBODY) as Request
    const entry = new Entry(this, message, order, resolve, reject)
    this.open.add(entry)
    return entry
  }
}

const NOBODY: Request = /* @__PURE__ */ Object.freeze({ done: 'message', resolve: () => {}, reject: () => {} })
