// SPDX-License-Identifier: MIT
// Messages of a client that comes back: what is published and not settled, in the order it was published, whatever happens to connections meanwhile.
//  - A message that a connection has taken into its session is the session's: it settles on this connection or a later one.
//  - A message that none has taken waits here and goes out on the next one, before anything published later.
import { UsageError } from '../codec/index.ts'
import type { Redo } from '../fsm/index.ts'
import type { Client } from './client.ts'
import { ConnectionClosed } from './driver-options.ts'
import type { Message } from './outcome.ts'
import type { Request } from './requests.ts'

type Outcome = Awaited<ReturnType<Client['publish']>>

interface Entry {
  readonly message: Message
  /** its place among all messages */
  readonly order: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: Error) => void
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
      const entry = { message, order: this.published++, resolve, reject }
      this.open.add(entry)
      if (client === undefined) this.waiting.push(entry)
      else this.send(entry, client)
    })
  }

  /** A connection is there: first what a lost session has left, then what waits. */
  connected(client: Client): void {
    const waiting = [...this.again(client.redo), ...this.waiting]
    this.waiting = []
    for (const entry of waiting) this.send(entry, client)
  }

  close(reason: Error): void {
    this.over = reason
    for (const { reject } of this.open) reject(reason)
    this.open.clear()
    this.waiting = []
  }

  /**
   * Messages the Server may or may not have had when it lost the session. Sent again: for QoS 1 that is what "at least once" asks for; for QoS 2 "exactly
   * once" ends where its memory does, and a message twice is told apart more easily than one that never came.
   */
  private again(redo: readonly Redo[]): readonly Entry[] {
    return redo.map(({ packet, token }, i): Entry => {
      const { type: _, ...message } = packet
      const request = token as Request | undefined
      const entry = { message, order: i - redo.length - this.published, resolve: (outcome: Outcome) => { request?.resolve(outcome) }, reject: (error: Error) => { request?.reject(error) } }
      this.open.add(entry)
      return entry
    })
  }

  private send(entry: Entry, client: Client): void {
    client.publish(entry.message).then((outcome) => {
      if (this.open.delete(entry)) entry.resolve(outcome)
    }, (error: unknown) => {
      // The connection went before the message was in its session; QoS 0 has no session to be in, and may have arrived.
      if (error instanceof ConnectionClosed && (entry.message.qos ?? 0) > 0 && this.open.has(entry)) return this.wait(entry)
      if (this.open.delete(entry)) entry.reject(error as Error)
    })
  }

  private wait(entry: Entry): void {
    const at = this.waiting.findIndex(({ order }) => order > entry.order)
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, entry)
  }
}
