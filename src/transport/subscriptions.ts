// SPDX-License-Identifier: MIT
// Subscriptions of a client that comes back: made again where the Server has not kept the session, and requests that a connection has cut short.
import { UsageError } from '../codec/index.ts'
import type { PacketOf, PropertiesOf, Subscription } from '../codec/index.ts'
import type { Client } from './client.ts'
import { ConnectionClosed } from './driver-options.ts'
import { Refused } from './outcome.ts'

interface Kept {
  subscriptions: readonly Subscription[]
  readonly properties: PropertiesOf<'subscribe'> | undefined
  /** the Server has granted it, in the session it has */
  made: boolean
}

interface Pending {
  readonly ask: (client: Client) => Promise<readonly number[]>
  readonly resolve: (codes: readonly number[]) => void
  readonly reject: (error: Error) => void
}

export class Subscriptions {
  private readonly maximum: number
  private kept: Kept[] = []
  private readonly pending: Set<Pending> = new Set()
  private over: Error | undefined = undefined

  /** `maximum`: requests that are not answered */
  constructor(maximum: number) {
    this.maximum = maximum
  }

  subscribe(subscriptions: readonly Subscription[], properties: PropertiesOf<'subscribe'> | undefined, client: Client | undefined): Promise<readonly number[]> {
    const keep = (codes: readonly number[] | undefined): void => {
      this.forget(subscriptions.map(({ filter }) => filter))
      const granted = subscriptions.filter((_, i) => (codes?.[i] ?? 0) < 0x80)
      if (granted.length > 0) this.kept.push({ subscriptions: granted, properties, made: true })
    }
    return this.request((on) => on.subscribe(subscriptions, properties), client).then((codes) => {
      keep(codes)
      return codes
    }, (error: unknown) => {
      // Some may have been granted all the same.
      if (error instanceof Refused) keep((error.packet as PacketOf<'suback'>).reasonCodes)
      throw error
    })
  }

  unsubscribe(filters: readonly string[], client: Client | undefined): Promise<readonly number[]> {
    return this.request((on) => on.unsubscribe(filters), client).then((codes) => {
      this.forget(filters)
      return codes
    })
  }

  /** A connection is there: what the Server does not know any more is subscribed again. `refused` is told of what it does not want any more. */
  connected(client: Client, refused: (filters: readonly string[], error: Error) => void): void {
    for (const one of this.kept) one.made &&= client.connack.sessionPresent
    for (const one of this.kept.filter(({ made }) => !made)) {
      const { subscriptions } = one
      client.subscribe(subscriptions, one.properties).then(() => { one.made = true }, (error: unknown) => {
        // The next connection asks again: that the session is there then does not mean that this has come.
        if (error instanceof ConnectionClosed) return
        one.made = true
        const codes = error instanceof Refused ? (error.packet as PacketOf<'suback'>).reasonCodes : []
        const filters = subscriptions.map(({ filter }) => filter).filter((_, i) => (codes[i] ?? 0x80) >= 0x80)
        this.forget(filters)
        refused(filters, error as Error)
      })
    }
    for (const one of [...this.pending]) this.ask(one, client)
  }

  close(reason: Error): void {
    this.over = reason
    for (const { reject } of this.pending) reject(reason)
    this.pending.clear()
  }

  private request(ask: Pending['ask'], client: Client | undefined): Promise<readonly number[]> {
    if (this.over !== undefined) return Promise.reject(this.over)
    if (this.pending.size >= this.maximum) {
      const text = `${this.pending.size} requests to subscribe and unsubscribe are not answered, and maximumBacklog is ${this.maximum}; wait for the promise of an earlier one`
      return Promise.reject(new UsageError(text, { packet: 'subscribe', rule: 'maximumBacklog', path: '' }))
    }
    return new Promise((resolve, reject) => {
      const one = { ask, resolve, reject }
      this.pending.add(one)
      if (client !== undefined) this.ask(one, client)
    })
  }

  private ask(one: Pending, client: Client): void {
    one.ask(client).then((codes) => {
      if (this.pending.delete(one)) one.resolve(codes)
    }, (error: unknown) => {
      // Cut short: asked again on the next connection.
      if (error instanceof ConnectionClosed) return
      if (this.pending.delete(one)) one.reject(error as Error)
    })
  }

  private forget(filters: readonly string[]): void {
    const gone = new Set(filters)
    for (const one of this.kept) one.subscriptions = one.subscriptions.filter(({ filter }) => !gone.has(filter))
    this.kept = this.kept.filter(({ subscriptions }) => subscriptions.length > 0)
  }
}
