// The totality walk: breadth-first over every state that can be reached × every input of an alphabet, each step held to what must be true of
// all of them. It takes `transition` as a parameter, so that the walk itself can be tried on machines with a bug in them.
import * as assert from 'uvu/assert'
import { toJson } from '../../src/codec/index.ts'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import type { Check as Insist } from '../../scripts/promises/check.ts'
import { checkState } from '../../scripts/promises/state.ts'
import { checkStep } from '../../scripts/promises/step.ts'
import { initial, opened, running } from '../../src/fsm/index.ts'
import type { Effect, Input, Phase, State, Step, TimerName } from '../../src/fsm/index.ts'
import { canonical, isPlain, keyOf, remember } from './canonical.ts'
import { deepFreeze } from './helpers.ts'
import { checkClose, checkDestination, checkTimers, checkWords, checkWrites, noteAcknowledged } from './walk-checks.ts'
import type { Check } from './walk-checks.ts'

export type Transition = (state: State, input: Input) => Step

export interface World {
  readonly start: State
  readonly version: ProtocolVersion
  /** by a name that says in an error which it was; some can only be made where there is a session to hand in */
  readonly alphabet: readonly (readonly [name: string, input: Input | ((state: State) => Input | undefined)])[]
  /** keeps a space finite where the application could make it grow for ever */
  readonly allows?: (state: State, input: Input) => boolean
  /** when a connection has closed, another one of the same session is opened */
  readonly again?: boolean
}

export interface Visited {
  states: number
  steps: number
  readonly phases: Set<Phase>
  /** what has been done legally: `connected client publish`, `connected timer pingresp client`, `opening malformed` */
  readonly taken: Set<string>
}

/** A place in the space: a state, the timers that are running there as the effects on the way have told, and what makes it another place. */
interface Place {
  readonly state: State
  readonly armed: ReadonlySet<TimerName>
  /** the state as text, with all that behave like it */
  readonly like: string
  readonly key: string
}

/** Walks the whole world and returns what it saw; throws an error that names the step for the first broken promise. */
export function walk(transition: Transition, world: World): Visited {
  // Hundreds of thousands of refusals need no stack.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return explore(transition, world)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function explore(transition: Transition, { start, version, alphabet, allows = () => true, again = false }: World): Visited {
  const visited: Visited = { states: 0, steps: 0, phases: new Set(), taken: new Set() }
  const before = textOf(alphabet)
  deepFreeze(alphabet)
  const known = new Set<string>()
  let frontier: Place[] = []
  const discover = (place: Place): void => {
    if (known.has(place.key)) return
    known.add(place.key)
    remember(place.state)
    checkState(place.state, (truth, promise, detail) => { if (!truth) throw new Error(`${place.state.role} ${place.state.phase}: ${promise}${detail === undefined ? '' : `, ${detail()}`}`) })
    frontier.push(place)
    visited.phases.add(place.state.phase)
  }
  const visit = (place: Place): void => {
    if (again && place.state.phase === 'closed') discover(open(initial({ role: start.role, limits: start.limits, session: place.state.session })))
    for (const [name, letter] of alphabet) {
      const input = typeof letter === 'function' ? deepFreeze(letter(place.state)) : letter
      if (input === undefined || !allows(place.state, input)) continue
      visited.steps++
      const reached = take(transition, place, input, name, version, visited)
      if (reached !== place) discover(reached)
    }
  }
  discover(open(start))
  while (frontier.length > 0) {
    const places = frontier
    frontier = []
    for (const place of places) visit(place)
  }
  visited.states = known.size
  // Bytes cannot be frozen: look at them all once more.
  assert.is(textOf(alphabet), before, 'an input was changed')
  return visited
}

/** A connection that has just opened. */
function open(start: State): Place {
  return placeOf(deepFreeze(start), play(new Set(), opened(start)))
}

function textOf(alphabet: World['alphabet']): string {
  return JSON.stringify(toJson(alphabet.filter(([, letter]) => typeof letter !== 'function')))
}

/** One step, judged; gives the place it leads to, which is the same one when nothing has changed. */
function take(transition: Transition, place: Place, input: Input, name: string, version: ProtocolVersion, visited: Visited): Place {
  const { state, armed } = place
  const where = (): string => `${state.role} ${state.phase}, ${name}`
  let step: Step
  try {
    step = deepFreeze(transition(state, input))
  } catch (error) {
    throw new Error(`${where()}: transition threw ${String(error)}`, { cause: error })
  }
  const { state: next, effects } = step
  const check: Check = (truth, promise) => {
    if (!truth) throw new Error(`${where()}: ${typeof promise === 'string' ? promise : promise()}\n${JSON.stringify(toJson(step), undefined, 1)}`)
  }

  const insist: Insist = (truth, promise, detail) => { check(truth, () => (detail === undefined ? promise : `${promise}, ${detail()}`)) }
  // Most steps change nothing, and say nothing or one refusal.
  if (next === state && input.type !== 'timer' && (effects.length === 0 || (effects.length === 1 && effects[0]!.type === 'refuse'))) {
    checkStep(state, input, step, insist)
    checkWords(state, input, effects, check)
    if (effects.length === 0) checkDestination(state, input, next, visited.taken, check)
    return place
  }
  check(isPlain(next), 'the state is plain data')
  check(next.role === state.role && next.limits === state.limits, 'role and limits stay')
  checkStep(state, input, step, insist)

  const refuses = effects.some(({ type }) => type === 'refuse') && next === state
  const idle = input.type === 'timer' && !armed.has(input.timer)
  check(!idle || (next === state && effects.length === 0), 'a timer that is not running does nothing')

  const fired = new Set(armed)
  if (input.type === 'timer') fired.delete(input.timer)
  const after = play(fired, effects, (timer) => { check(armed.has(timer), () => `disarms ${timer}, which is not running`) })
  const reached = next === state && sameSet(after, armed) ? place : placeOf(next, after)
  check(next === state || reached.like !== place.like || canonical(next) !== canonical(state), 'a state that has not changed is the very same')
  check(sameSet(after, new Set(running(next))), () => `the timers running are ${[...after].join(', ') || 'none'}, and by the state ${running(next).join(', ') || 'none'}`)
  checkTimers(state, effects, check)

  const last = checkWrites(state, input, step, version, check)
  checkClose(state, input, step, last, check)
  checkWords(state, input, effects, check)
  if (!refuses && !idle) checkDestination(state, input, next, visited.taken, check)
  noteAcknowledged(state, input, next, visited.taken)
  return reached
}

/** The timers running after these effects. */
function play(armed: ReadonlySet<TimerName>, effects: readonly Effect[], disarming: (timer: TimerName) => void = () => {}): Set<TimerName> {
  const after = new Set(armed)
  for (const effect of effects) {
    if (effect.type === 'arm') after.add(effect.timer)
    if (effect.type === 'disarm') {
      if (!after.has(effect.timer)) disarming(effect.timer)
      after.delete(effect.timer)
    }
  }
  return after
}

function sameSet(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one))
}

function placeOf(state: State, armed: ReadonlySet<TimerName>): Place {
  const like = keyOf(state)
  return { state, armed, like, key: `${like} ${[...armed].sort().join(' ')}` }
}
