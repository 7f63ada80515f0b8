// A broker and its clients over streams in memory, on a clock that stands still; and a store that takes its time.
import * as assert from 'uvu/assert'
import type { ConnectInput, ProtocolVersion, Publish } from '../../src/codec/index.ts'
import type { Session } from '../../src/fsm/index.ts'
import { Broker, MemoryStore } from '../../src/broker/index.ts'
import type { BrokerOptions, Store } from '../../src/broker/index.ts'
import { Client, Timers } from '../../src/transport/index.ts'
import type { ClientOptions, Peer, PeerOptions } from '../../src/transport/index.ts'
import { FakeClock } from './clock.ts'
import { pair, quiet } from './pair.ts'
import type { Pair } from './pair.ts'
import { randomFrom } from './random.ts'

/** What it takes to keep a session for `seconds`, and to begin with it or anew, in each version. */
export function keeping(version: ProtocolVersion, seconds = 3600, cleanStart = false): Partial<ConnectInput> {
  return { version, cleanStart, ...(version === 5 ? { properties: { sessionExpiryInterval: seconds } } : {}) }
}

export interface Guest {
  readonly client: Client
  readonly peer: Peer
  readonly wire: Pair
  /** messages as `topic=payload qN`, with `r` for RETAIN and `d` for DUP */
  readonly heard: string[]
  readonly messages: Publish[]
}

export interface More {
  readonly client?: Omit<ClientOptions, 'connect'>
  readonly session?: Session | undefined
  readonly peer?: PeerOptions
  readonly heard?: string[]
  readonly piece?: number
  /** what the client answers; a promise holds it up */
  readonly answer?: ClientOptions['onPublish']
}

export class House {
  readonly clock: FakeClock = new FakeClock()
  readonly timers: Timers = new Timers(this.clock)
  readonly broker: Broker
  readonly errors: unknown[] = []

  constructor(options: BrokerOptions = {}, clock?: FakeClock) {
    if (clock !== undefined) {
      this.clock = clock
      this.timers = new Timers(clock)
    }
    this.broker = new Broker({ timers: this.timers, now: () => this.clock.time, onError: (error) => { this.errors.push(error) }, ...options })
  }

  /** Somebody comes; keep alive is off unless given. */
  async come(clientId: string, connect: Partial<ConnectInput> = {}, more: More = {}): Promise<Guest> {
    const wire = pair(more.piece)
    const peer = this.broker.accept(wire.server, { timers: this.timers, ...more.peer })
    const heard = more.heard ?? []
    const messages: Publish[] = []
    const client = await Client.connect(wire.client, {
      timers: this.timers, ...more.client, session: more.session, connect: { clientId, cleanStart: true, keepAlive: 0, ...connect },
      onPublish: (message) => {
        messages.push(message)
        heard.push(said(message))
        return more.answer?.(message)
      },
    })
    return { client, peer, wire, heard, messages }
  }

  /** Seconds go by, one after the other, and whatever is due happens. */
  async pass(seconds: number): Promise<void> {
    this.clock.pass(seconds * 1000)
    await quiet()
  }
}

export function said({ topic, payload, qos, retain, dup }: Publish): string {
  return `${topic}=${new TextDecoder().decode(payload)} q${qos}${retain ? ' r' : ''}${dup ? ' d' : ''}`
}

/** The connection breaks, and both ends know. */
export async function cut({ wire, client, peer }: Guest): Promise<void> {
  wire.cut()
  await Promise.all([client.closed, peer.closed])
}

export async function failure(promise: Promise<unknown>): Promise<Error & { readonly cause: { readonly reasonCode?: number, readonly why?: string } }> {
  return promise.then(() => { throw new Error('it did not fail') }, (error: Error) => error as Error & { readonly cause: object })
}

/** Waits for something that may take a store some turns, and not for ever. */
export async function until(what: () => boolean, turns = 3000): Promise<void> {
  for (let i = 0; i < turns; i++) {
    if (what()) return
    await quiet(1)
  }
  assert.unreachable('it did not come to pass')
}

/** A store whose every answer takes a random number of turns, before it does anything and after; `fail` makes a method of it fail. */
export function slowly(store: Store, seed: number): { readonly store: Store, readonly fail: Set<keyof Store>, readonly calls: Map<string, number> } {
  const random = randomFrom(seed)
  const fail = new Set<keyof Store>()
  const calls = new Map<string, number>()
  const late = <M extends Exclude<keyof Store, 'subscribe'>>(name: M) => async (...args: Parameters<Store[M]>): Promise<Awaited<ReturnType<Store[M]>>> => {
    calls.set(name, (calls.get(name) ?? 0) + 1)
    await quiet(random(6))
    if (fail.has(name)) throw new Error(`${name} failed`)
    const answer = await (store[name] as (...args: unknown[]) => unknown).apply(store, args)
    await quiet(random(6))
    return answer as Awaited<ReturnType<Store[M]>>
  }
  return {
    fail, calls,
    store: {
      claim: late('claim') as Store['claim'], save: late('save') as Store['save'], remove: late('remove') as Store['remove'], post: late('post') as Store['post'],
      take: late('take') as Store['take'], retain: late('retain') as Store['retain'], retained: late('retained') as Store['retained'], publish: late('publish') as Store['publish'],
      subscribe: (listener) => store.subscribe(listener),
    },
  }
}

export { MemoryStore }
