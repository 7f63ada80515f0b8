// Very many connections of a server in one process: the real machine and the real timer wheel, with a driver's work done by hand and no sockets.
import type { Packet, PacketInput } from '../../src/codec/index.ts'
import type * as fsmModule from '../../src/fsm/index.ts'
import type { Effect, Input, Session, State, TimerName } from '../../src/fsm/index.ts'
import { Timers } from '../../src/transport/timers.ts'
import { insist } from '../promises/check.ts'
import { checkState } from '../promises/state.ts'
import { checkStep } from '../promises/step.ts'
import type { FakeClock } from '../../test/helpers/clock.ts'
import type { Books } from './books.ts'

/** What is under test; a test plants bugs by handing in another. */
export type Machine = Pick<typeof fsmModule, 'initial' | 'opened' | 'transition'>

export class Server {
  transitions = 0
  /** timers that have been armed and neither fired nor disarmed */
  running = 0
  /** connections by why they ended */
  readonly ends: Map<string, number> = new Map()
  readonly states: (State | undefined)[]
  private readonly machine: Machine
  private readonly clock: FakeClock
  private readonly books: Books
  private readonly timers: Timers
  /** connection × timer → its entry in the wheel; -1: none */
  private readonly entries: Int32Array
  /** the one that has just fired, which the machine may disarm with the others */
  private fired = -1
  private readonly closes: Uint8Array
  /** when the last packet came, how long the machine wants it quiet behind that, and how long the standard does; 0: for ever */
  private readonly heard: Float64Array
  private readonly patience: Float64Array
  private readonly due: Float64Array

  constructor(count: number, machine: Machine, clock: FakeClock, books: Books) {
    this.machine = machine
    this.clock = clock
    this.books = books
    this.timers = new Timers(clock)
    this.states = new Array<State | undefined>(count).fill(undefined)
    this.entries = new Int32Array(count * NAMES.length).fill(-1)
    this.closes = new Uint8Array(count)
    this.heard = new Float64Array(count)
    this.patience = new Float64Array(count)
    this.due = new Float64Array(count)
  }

  /** A Network Connection has opened, of a Client with this Keep Alive in seconds. */
  open(i: number, keepAlive: number): void {
    this.due[i] = keepAlive * 1500
    const state = this.machine.initial({ role: 'server' })
    this.states[i] = state
    this.closes[i] = 0
    this.heard[i] = this.clock.now()
    this.perform(i, this.machine.opened(state))
  }

  receive(i: number, packet: Packet): readonly Effect[] {
    this.heard[i] = this.clock.now()
    const entry = this.entries[i * NAMES.length + KEEP_ALIVE]!
    if (entry >= 0) this.timers.arm(entry, this.patience[i]!, this.heard[i]!)
    return this.step(i, { type: 'received', packet })
  }

  send(i: number, packet: PacketInput, token?: unknown, session?: Session): readonly Effect[] {
    return this.step(i, { type: 'send', packet, token, session })
  }

  /** One input and all its effects. What is rare is held to every promise, the rest now and then. */
  step(i: number, input: Input): readonly Effect[] {
    const state = this.states[i]!
    const step = this.machine.transition(state, input)
    this.states[i] = step.state
    this.transitions++
    const looks = this.transitions % SAMPLE === 0 || (input.type === 'send' && input.session !== undefined)
    if (looks) this.look(state, input, step)
    this.perform(i, step.effects)
    if (looks) this.tryLate(i, step.state)
    const { phase } = step.state
    if (phase === 'closed' && state.phase !== 'closed') {
      const left = NAMES.filter((_, t) => this.entries[i * NAMES.length + t]! >= 0)
      this.books.hold(left.length === 0, 'no timer outlives its connection', () => `${i}: ${left.join(', ')}`)
      this.books.hold(this.closes[i] === 1, 'a connection closes exactly once', () => `${i}: ${this.closes[i]} times`)
    }
    if (phase === 'closing' || phase === 'closed') this.books.hold('session' in state && state.session === step.state.session, 'the session at the end is the one that was there', () => `${i}`)
    return step.effects
  }

  private look(state: State, input: Input, step: { readonly state: State, readonly effects: readonly Effect[] }): void {
    checkState(step.state, insist)
    checkStep(state, input, step, insist)
    this.books.hold(true, 'the promises of sessions (scripts/promises), looked at now and then and at every resumption', () => '')
  }

  /** A timer that is not running fires all the same, as one that comes late does. */
  private tryLate(i: number, state: State): void {
    const stale = NAMES.find((_, t) => this.entries[i * NAMES.length + t] === -1)!
    const { state: next, effects } = this.machine.transition(state, { type: 'timer', timer: stale })
    this.books.hold(next === state && effects.length === 0, 'a timer that comes late does nothing', () => `${stale} while ${state.phase}`)
  }

  private perform(i: number, effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'arm': this.arm(i, effect.timer, effect.ms); break
        case 'disarm': this.disarm(i, effect.timer); break
        case 'close':
          this.closes[i]!++
          this.books.hold(this.closes[i] === 1, 'close is said once', () => `${i}: ${effect.cause.sentence}`)
          this.ends.set(effect.cause.why, (this.ends.get(effect.cause.why) ?? 0) + 1)
          this.checkTime(i, effect.cause.why, effect.cause.sentence)
          break
        default:
      }
    }
  }

  /** A connection that is closed for its silence has been silent for that long, and no longer than the wheel's resolution beyond. */
  private checkTime(i: number, why: string, sentence: string): void {
    if (why !== 'keep-alive-timeout' && why !== 'connect-timeout') return
    const silent = this.clock.now() - this.heard[i]!
    const due = why === 'connect-timeout' ? 10_000 : this.due[i]!
    this.books.hold(silent >= due && silent <= due + TICK, `${why} comes between its time and ${TICK} ms later`, () => `${i}: ${silent} ms, due ${due}. ${sentence}`)
  }

  /** Nobody is silent for longer than that and still there [MQTT-3.1.2-22]. */
  checkSilence(): void {
    const now = this.clock.now()
    const overdue = this.states.findIndex((state, i) => state!.phase === 'connected' && this.due[i]! > 0 && now > this.heard[i]! + this.due[i]! + TICK)
    this.books.hold(overdue === -1, 'nobody is silent for more than 1.5 times Keep Alive and still connected', () => `${overdue}: ${now - this.heard[overdue]!} ms, due ${this.due[overdue]!}`)
  }

  private arm(i: number, name: TimerName, ms: number): void {
    const at = i * NAMES.length + NAMES.indexOf(name)
    if (this.entries[at] === -1) {
      this.running++
      this.entries[at] = this.timers.create(() => {
        this.release(at)
        const { phase } = this.states[i]!
        this.books.hold(phase !== 'closed', 'no timer fires behind the end', () => `${i}: ${name}`)
        this.fired = at
        this.step(i, { type: 'timer', timer: name })
        this.fired = -1
      })
    }
    if (name === 'keep-alive') this.patience[i] = ms
    this.timers.arm(this.entries[at]!, ms, this.clock.now())
  }

  private disarm(i: number, name: TimerName): void {
    const at = i * NAMES.length + NAMES.indexOf(name)
    if (at === this.fired) return
    this.books.hold(this.entries[at]! >= 0, 'what is disarmed was running', () => `${i}: ${name}`)
    this.release(at)
  }

  private release(at: number): void {
    this.timers.release(this.entries[at]!)
    this.entries[at] = -1
    this.running--
  }
}

/** Resolution of the wheel. */
const TICK = 16
const SAMPLE = 61
const NAMES = ['connect', 'auth', 'keep-alive', 'pingresp', 'close'] as const
const KEEP_ALIVE = 2
