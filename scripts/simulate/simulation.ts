// A day of a server, in two minutes of a fake clock: everybody connects, most ping and publish, some fall silent, break a rule, drop out and come
// back to their session, and at the end all go. Every random number is the seed's.
import type { Session } from '../../src/fsm/index.ts'
import * as fsmModule from '../../src/fsm/index.ts'
import { FakeClock } from '../../test/helpers/clock.ts'
import { Random } from '../fuzz/random.ts'
import { Books } from './books.ts'
import { Clients } from './client.ts'
import { Server } from './server.ts'
import type { Machine } from './server.ts'

export interface Options {
  readonly connections: number
  readonly seed: number
  /** PUBLISH and SUBSCRIBE conversations, both ways, besides pings */
  readonly messages: number
  readonly machine?: Machine
  /** called when all are connected and idle, and when all is over */
  readonly at?: (moment: 'empty' | 'idle' | 'over') => void
}

export interface Outcome {
  readonly transitions: number
  readonly kept: ReadonlyMap<string, number>
  readonly ends: ReadonlyMap<string, number>
  readonly resumed: number
}

export function simulate({ connections, seed, messages, machine = fsmModule, at = () => {} }: Options): Outcome {
  const random = new Random(seed)
  const clock = new FakeClock()
  const books = new Books()
  const server = new Server(connections, machine, clock, books)
  const clients = new Clients(server, books, random)
  const kinds = Uint8Array.from({ length: connections }, () => KINDS[random.below(KINDS.length)]!)
  const keepAlives = Uint8Array.from({ length: connections }, () => KEEP_ALIVES[random.below(KEEP_ALIVES.length)]!)
  const clean = Uint8Array.from({ length: connections }, () => random.below(2))
  const away: Map<number, Session> = new Map()
  let resumed = 0
  at('empty')
  for (let i = 0; i < connections; i++) {
    server.open(i, keepAlives[i]!)
    if (kinds[i] !== NEVER) clients.connect(i, keepAlives[i]!, clean[i] === 1, undefined)
  }
  at('idle')

  const begin = clock.now()
  const until = (ms: number): void => { clock.pass(begin + ms - clock.now()) }
  const isUp = (i: number): boolean => server.states[i]!.phase === 'connected'
  const converse = (): void => {
    const i = random.below(connections)
    if ((kinds[i] !== USUAL && kinds[i] !== DROPPING) || !isUp(i)) return
    const qos = random.below(3) as 0 | 1 | 2
    const what = random.below(16)
    if (what === 0) clients.subscribe(i)
    else if (what < 9) clients.publish(i, qos)
    else if (what < 15) clients.notify(i, qos)
    // More than a Client may be sent before it has answered.
    else for (let burst = 0; burst < 5; burst++) clients.notify(i, 1, true)
  }
  /** A Network Connection breaks; a session that outlives it is kept. */
  const drop = (i: number): void => {
    server.step(i, { type: 'closed', error: RESET })
    if (clean[i] === 1) clients.forget(i)
    else away.set(i, server.states[i]!.session!)
  }
  const comeBack = (i: number, session: Session): void => {
    away.delete(i)
    server.open(i, keepAlives[i]!)
    // What comes back from a store has no tokens, so one that is still counted on stays in memory.
    clients.connect(i, keepAlives[i]!, false, session)
    resumed++
  }
  for (let second = 1; second <= SECONDS; second++) {
    for (const [i, session] of away) if (random.oneIn(4)) comeBack(i, session)
    const talks = Math.floor(messages * second / SECONDS) - Math.floor(messages * (second - 1) / SECONDS)
    const pause = Math.max(1, Math.floor(connections / 128))
    let said = 0
    for (let i = 0; i < connections; i++) {
      // Time passes while they speak.
      if (i % pause === 0) until((second - 1) * 1000 + Math.floor(1000 * i / connections))
      for (; said < talks * i / connections; said++) converse()
      if (!isUp(i)) continue
      const kind = kinds[i]!
      const keepAlive = keepAlives[i]!
      if (keepAlive > 0 && (i + second) % keepAlive === 0 && (kind === USUAL || kind === DROPPING)) clients.ping(i)
      if (kind === DROPPING && (i + second) % 37 === 0) drop(i)
      if (kind === FAULTY && (i + second) % 60 === 0) clients.misbehave(i)
    }
    until(second * 1000)
    for (; said < talks; said++) converse()
    if (second % 10 === 0) server.checkSilence()
  }
  // All go: every other one with DISCONNECT. Those that are closing already are closed by the peer, or given up.
  for (let i = 0; i < connections; i++) {
    if (isUp(i) && i % 2 === 0) server.receive(i, DISCONNECT)
    if (server.states[i]!.phase !== 'closed' && (isUp(i) || i % 4 === 0)) server.step(i, { type: 'closed' })
  }
  until(SECONDS * 1000 + 60_000)
  for (let i = 0; i < connections; i++) books.hold(server.states[i]!.phase === 'closed', 'every connection is closed in the end', () => `${i}: ${server.states[i]!.phase}`)
  books.hold(server.running === 0, 'no timer is left', () => `${server.running} are`)
  at('over')
  return { transitions: server.transitions, kept: books.kept, ends: server.ends, resumed }
}

const SECONDS = 120
/** What a Client does: the usual, or it sends no CONNECT, says nothing behind it, breaks a rule, loses its connection. */
const [USUAL, NEVER, SILENT, FAULTY, DROPPING] = [0, 1, 2, 3, 4]
const KINDS: readonly number[] = [...Array<number>(40).fill(USUAL), NEVER, SILENT, SILENT, SILENT, FAULTY, DROPPING, DROPPING, DROPPING]
const KEEP_ALIVES: readonly number[] = [0, 20, 30, 40]
const RESET = Object.freeze(new Error('ECONNRESET'))
const DISCONNECT = Object.freeze({ type: 'disconnect', reasonCode: 0, properties: undefined } as const)
