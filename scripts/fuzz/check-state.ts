// The properties of the connection machine, whatever happens in whatever order: it never throws, its states are plain data, it says close
// once and nothing behind it, what it writes of itself can be written, and its sessions keep their promises (scripts/promises).
import { fromJson, toJson } from '../../src/codec/index.ts'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import type * as fsmModule from '../../src/fsm/index.ts'
import type { CloseCause, Effect, State, Step, TimerName } from '../../src/fsm/index.ts'
import { checkState as checkSessions } from '../promises/state.ts'
import { checkStep } from '../promises/step.ts'
import { describe, isUsageError } from './check-codec.ts'
import type { Codec } from './check-codec.ts'
import { equal } from './equal.ts'
import { frozen, happening, MOST_HAPPENINGS, openingOf, STATE_CHOICES } from './machine.ts'
import type { Happening, Stock } from './machine.ts'
import { hashOf } from './random.ts'
import { Broken, hold } from './target.ts'

/** What is under test; a test plants bugs by handing in another. */
export type Machine = Pick<typeof fsmModule, 'initial' | 'opened' | 'transition' | 'running'>

/** What a connection has seen and done so far, besides its state. */
interface Life {
  readonly armed: Set<TimerName>
  readonly settled: Set<unknown>
  closes: number
  steps: number
  /** whether everything is frozen, so that a change throws; that is dear, so it is done in one life of four */
  readonly freeze: boolean
}

function begin(freeze: boolean): Life {
  return { armed: new Set(), settled: new Set(), closes: 0, steps: 0, freeze }
}

/** Plays a program; returns the phases it passed through and how it ended. */
export function checkState(machine: Machine, codec: Codec, stock: Stock, program: Uint8Array): readonly string[] {
  const { options, version } = openingOf(program)
  let state = machine.initial(options)
  const life = begin(hashOf(program) % 4 === 0)
  keepBooks(machine.opened(state), life)
  const outcomes: string[] = []
  for (let at = STATE_CHOICES; at < Math.min(program.length, LAST_BYTE); at += 3) {
    const input = happening(stock, program.subarray(at, at + 3), state, version, `token ${at}`)
    if (input === undefined) continue
    const before = state
    state = step(machine, codec, state, input, life)
    if (state !== before) outcomes.push(`${state.role} ${before.phase} ${input.type}${'packet' in input ? ` ${input.packet.type}` : ''} ${state.phase}${'cause' in state ? ` ${state.cause.why} ${state.cause.rule}` : ''}`)
  }
  return outcomes
}

/** The log of a program: what happened, as data. */
export function logOf(machine: Machine, codec: Codec, stock: Stock, program: Uint8Array): readonly object[] {
  const { options, version } = openingOf(program)
  const log: object[] = [{ initial: options }]
  const life = begin(false)
  let state = machine.initial(options)
  for (let at = STATE_CHOICES; at < Math.min(program.length, LAST_BYTE); at += 3) {
    const input = happening(stock, program.subarray(at, at + 3), state, version, `token ${at}`)
    if (input === undefined) continue
    log.push(toJson('error' in input && input.error !== undefined ? { ...input, error: { name: input.error.name, message: input.error.message } } : input) as object)
    try {
      state = step(machine, codec, state, input, life)
    } catch {
      break
    }
  }
  return log
}

function step(machine: Machine, codec: Codec, state: State, input: Happening, life: Life): State {
  if (input.type === 'save') return saved(state)
  if (input.type === 'open') return reopened(machine, state, life)
  if (input.type === 'timer') life.armed.delete(input.timer)
  let next: Step
  try {
    next = life.freeze ? frozen(machine.transition(frozen(state), frozen(input))) : machine.transition(state, input)
  } catch (error) {
    throw new Broken('transition never throws', `${describe(input)} while ${state.phase}: ${String(error)}`, error)
  }
  const { effects } = next
  if (life.steps++ % 8 === 0) hold(equal(toData(machine.transition(state, input)), toData(next)), 'transition is a function', () => `${describe(input)} while ${state.phase} has two answers`)
  // As the driver does: a step whose packets cannot be encoded is not taken, if it was our application that asked for it.
  if (!canBeWritten(codec, state, next, input)) return state
  checkEffects(state, next, life)
  checkStep(state, input, next, (truth, promise, detail) => hold(truth, promise, () => `${detail?.() ?? ''} ${describe(input)} while ${state.phase}`))
  if (next.state.session !== state.session || next.state.phase !== state.phase) checkSessions(next.state, (truth, promise, detail) => hold(truth, promise, () => `${detail?.() ?? ''} after ${describe(input)} while ${state.phase}`))
  keepBooks(effects, life)
  for (const timer of life.armed) hold(machine.running(next.state).includes(timer), 'no timer outlives its phase', () => `${timer} runs while ${next.state.phase}, after ${describe(input)} while ${state.phase}`)
  checkPlain(next.state, 'state')
  if (next.state.phase === 'authenticating') hold(next.state.held.length <= next.state.limits.heldPackets, 'what is held is bounded', () => `${(next.state as { held?: readonly unknown[] }).held?.length} packets`)
  return next.state
}

/** Another connection of the same session; its timers and its end are its own. */
function reopened(machine: Machine, { role, limits, session }: State, life: Life): State {
  const state = machine.initial({ role, limits, session })
  life.armed.clear()
  life.closes = 0
  keepBooks(machine.opened(state), life)
  return state
}

function canBeWritten(codec: Codec, state: State, { effects }: Step, input: Happening): boolean {
  const cause = effects.find((effect): effect is Extract<Effect, { type: 'close' }> => effect.type === 'close')?.cause
  for (const effect of effects) {
    if (effect.type !== 'write') continue
    const { packet } = effect
    const version = versionOf(state, cause) ?? (packet.type === 'connect' ? packet.version : undefined)
    hold(version !== undefined, 'what is written has a version', () => `${describe(packet)} while ${state.phase}`)
    try {
      codec.encode(packet, version)
    } catch (error) {
      hold(isUsageError(error) && input.type === 'send', 'what the machine writes can be written', () => `${describe(packet)} in version ${version} while ${state.phase}: ${String(error)}`)
      return false
    }
  }
  return true
}

function versionOf(state: State, cause: CloseCause | undefined): ProtocolVersion | undefined {
  return 'agreement' in state ? state.agreement.version : cause?.version
}

function checkEffects(state: State, { state: next, effects }: Step, life: Life): void {
  let closed = life.closes > 0
  for (const effect of effects) {
    if (closed) hold(effect.type === 'disarm' || effect.type === 'refuse', 'nothing comes behind close', () => `${describe(effect)} while ${state.phase}`)
    if (effect.type === 'close') closed = true
    if (effect.type === 'settle') hold(!life.settled.has(effect.token), 'an exchange ends once', () => `${String(effect.token)} was settled before`)
  }
  const over = next.phase === 'closing' || next.phase === 'closed'
  hold(closed === over, 'what is over has said close, and nothing else has', () => `${describe(effects)} led from ${state.phase} to ${next.phase}`)
}

function keepBooks(effects: readonly Effect[], life: Life): void {
  for (const effect of effects) {
    if (effect.type === 'arm') {
      hold(effect.ms > 0 && Number.isInteger(effect.ms), 'a timer is some milliseconds', () => describe(effect))
      life.armed.add(effect.timer)
    }
    if (effect.type === 'disarm') life.armed.delete(effect.timer)
    if (effect.type === 'settle') life.settled.add(effect.token)
    if (effect.type === 'close') {
      life.closes++
      hold(life.closes === 1, 'close comes once', () => describe(effect))
      hold(effect.cause.sentence.length > 10 && !effect.cause.sentence.includes('undefined'), 'a cause is told in a sentence', () => describe(effect.cause))
    }
  }
}

/** The state as it comes back from a store: what happens next must not show the difference. */
function saved(state: State): State {
  const copy = fromJson(JSON.parse(JSON.stringify(toJson(state)))) as State
  hold(equal(copy, state), 'a state survives JSON', () => `${describe(state)} became ${describe(copy)}`)
  return copy
}

/** Plain data: nothing that JSON would lose or a store could not keep, but bytes. */
function checkPlain(value: unknown, path: string): void {
  if (typeof value === 'object' && value !== null) {
    if (plain.has(value)) return
    plain.add(value)
    if (value instanceof Uint8Array) return
    const prototype: unknown = Object.getPrototypeOf(value)
    hold(prototype === Object.prototype || prototype === Array.prototype, 'a state is plain data', () => `${path} is no plain object`)
    for (const [name, field] of Object.entries(value)) checkPlain(field, `${path}.${name}`)
  } else {
    hold(value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value), 'a state is plain data', () => `${path} is ${String(value)}`)
  }
}

const LAST_BYTE = STATE_CHOICES + 3 * MOST_HAPPENINGS
const plain = new WeakSet<object>()

/** Errors compare by what they say. */
function toData({ state, effects }: Step): unknown {
  return { state, effects: effects.map((effect) => ('error' in effect ? { ...effect, error: effect.error.message } : effect)) }
}
