// The totality walk: breadth-first over every state that can be reached × every input of an alphabet, each step held to what must be true of
// all of them. It takes `transition` as a parameter, so that the walk itself can be tried on machines with a bug in them.
import * as assert from 'uvu/assert'
import { encode, toJson } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import { LIFECYCLE, opened, running, TIMERS } from '../../src/fsm/index.ts'
import type { Effect, Input, Phase, State, Step, TimerName } from '../../src/fsm/index.ts'
import { destination, ENDINGS, eventOf } from '../../src/fsm/lifecycle.ts'
import { canonical, isPlain, remember } from './canonical.ts'
import { deepFreeze } from './helpers.ts'

export type Transition = (state: State, input: Input) => Step

export interface World {
  readonly start: State
  readonly version: ProtocolVersion
  /** by a name that says in an error which it was */
  readonly alphabet: readonly (readonly [name: string, input: Input])[]
  /** keeps a space finite where the application could make it grow for ever */
  readonly allows?: (state: State, input: Input) => boolean
}

export interface Visited {
  states: number
  steps: number
  readonly phases: Set<Phase>
  /** what has been done legally: `connected client publish`, `connected timer pingresp client`, `opening malformed` */
  readonly taken: Set<string>
}

/** A place in the space: a state, the timers that are running there as the effects on the way have told, and both as text. */
interface Place {
  readonly state: State
  readonly armed: ReadonlySet<TimerName>
  readonly text: string
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

function explore(transition: Transition, { start, version, alphabet, allows = () => true }: World): Visited {
  const visited: Visited = { states: 0, steps: 0, phases: new Set(), taken: new Set() }
  const before = JSON.stringify(toJson(alphabet))
  deepFreeze(alphabet)
  const known = new Set<string>()
  const frontier: Place[] = []
  const discover = (place: Place): void => {
    if (known.has(place.key)) return
    known.add(place.key)
    remember(place.state)
    frontier.push(place)
    visited.phases.add(place.state.phase)
  }
  discover(placeOf(deepFreeze(start), play(new Set(), opened(start))))
  for (let place = frontier.shift(); place !== undefined; place = frontier.shift()) {
    for (const [name, input] of alphabet) {
      if (!allows(place.state, input)) continue
      visited.steps++
      const reached = take(transition, place, input, name, version, visited)
      if (reached !== place) discover(reached)
    }
  }
  visited.states = known.size
  // Bytes cannot be frozen: look at them all once more.
  assert.is(JSON.stringify(toJson(alphabet)), before, 'an input was changed')
  return visited
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

  check(isPlain(next), 'the state is plain data')
  check(next.role === state.role && next.limits === state.limits, 'role and limits stay')

  const refuses = effects.some(({ type }) => type === 'refuse')
  check(!refuses || (input.type === 'send' && effects.length === 1 && next === state), 'a refusal changes nothing and is all there is')
  const idle = input.type === 'timer' && !armed.has(input.timer)
  check(!idle || (next === state && effects.length === 0), 'a timer that is not running does nothing')

  const fired = new Set(armed)
  if (input.type === 'timer') fired.delete(input.timer)
  const after = play(fired, effects, (timer) => { check(armed.has(timer), () => `disarms ${timer}, which is not running`) })
  const reached = next === state && sameSet(after, armed) ? place : placeOf(next, after)
  check(next === state || reached.text !== place.text, 'a state that has not changed is the very same')
  check(sameSet(after, new Set(running(next))), () => `the timers running are ${[...after].join(', ') || 'none'}, and by the state ${running(next).join(', ') || 'none'}`)
  checkTimers(state, effects, check)

  const last = checkWrites(state, input, step, version, check)
  checkClose(state, input, step, last, check)
  checkWords(state, input, effects, check)
  if (!refuses && !idle) checkDestination(state, input, next, visited.taken, check)
  return reached
}

type Check = (truth: boolean, promise: string | (() => string)) => void

/** Every packet we write is ours to send in the phase it is written in, and its bytes exist. Gives the phase the last one leads to. */
function checkWrites(state: State, input: Input, { state: next, effects }: Step, agreed: ProtocolVersion, check: Check): Phase {
  let phase = state.phase
  // What is answered has come first: an answer to CONNECT, also to one that cannot be read, is given behind it.
  if (phase === 'awaiting-connect' && (input.type === 'received' || input.type === 'malformed')) phase = destination(phase, 'client connect', 5)!
  for (const effect of effects) {
    if (effect.type !== 'write') continue
    const { packet } = effect
    const form = packet.type === 'connect' ? packet.version : 'agreement' in state ? state.agreement.version : ('cause' in next ? next.cause.version : undefined) ?? agreed
    const to = destination(phase, eventOf(state.role, packet), form)
    check(to !== undefined, () => `writes ${packet.type} while ${phase}`)
    phase = to!
    // What the application gives us to send may have no bytes; the driver then does not take the step.
    if (input.type !== 'send' || packet !== input.packet) check(encodes(packet, form), () => `writes a ${packet.type} that version ${form} cannot encode`)
  }
  return phase
}

/** `close` comes once, last, on the way from a phase that is not over to one that is, and says why. */
function checkClose(state: State, input: Input, { state: next, effects }: Step, last: Phase, check: Check): void {
  const closes = effects.filter((effect) => effect.type === 'close')
  const ends = !isOver(state) && isOver(next)
  check(closes.length === (ends ? 1 : 0), () => `close ${ends ? 'comes exactly once' : 'comes only with the end'}, and here ${closes.length} times`)
  check(last !== 'closing' || isOver(next), 'a last packet ends the connection')
  const [close] = closes
  if (close === undefined) {
    check(isOver(next) === isOver(state) && (!('cause' in next) || !('cause' in state) || next.cause === state.cause), 'over stays over, for the same cause')
    return
  }
  const { cause } = close
  check(effects.at(-1) === close, 'nothing follows close')
  check('cause' in next && next.cause === cause, 'the cause is the state\'s')
  check(/^The .+\.$|^No .+\.$/s.test(cause.sentence) && !cause.sentence.includes('undefined'), () => `a sentence that can be read: ${cause.sentence}`)
  const replayed = input.type === 'send' && input.packet.type === 'connack' && input.packet.reasonCode === 0
  check(cause.phase === (replayed ? 'connected' : state.phase), () => `the phase it ended in, not ${cause.phase}`)
  const agreement = 'agreement' in state ? state.agreement : undefined
  check(agreement === undefined || cause.version === agreement.version, 'the version agreed on')
  const will = state.role === 'server' && cause.phase === 'connected' && !discards(cause) ? agreement?.will : undefined
  check(cause.will === will, 'the Will, where one is due')
}

/** DISCONNECT 0x00 of the Client. */
function discards({ by, why, reasonCode }: { readonly by: string, readonly why: string, readonly reasonCode?: number | undefined }): boolean {
  return by === 'client' && why === 'disconnect' && reasonCode === 0
}

/** What is delivered came from the peer, what is settled was asked for. */
function checkWords(state: State, input: Input, effects: readonly Effect[], check: Check): void {
  const tokens: unknown[] = 'token' in state ? [state.token] : 'pingTokens' in state ? [...state.pingTokens] : []
  for (const effect of effects) {
    if (effect.type === 'deliver') {
      check(effect.packet === undefined ? input.type === 'received' : 'held' in state && state.held.includes(effect.packet), 'delivers what has come')
    }
    if (effect.type === 'settle') check(tokens.splice(tokens.indexOf(effect.token) >>> 0, 1).length === 1, 'settles what was asked for, once')
    if (effect.type === 'refuse') check(input.type === 'send' && effect.token === input.token && effect.error.name === 'UsageError', 'refuses by a UsageError with the token')
  }
}

/** Durations are sane, and only keep alive counts silence: the Client's its own, the Server's the Client's. */
function checkTimers({ role }: State, effects: readonly Effect[], check: Check): void {
  for (const effect of effects) {
    if (effect.type !== 'arm') continue
    check(Number.isInteger(effect.ms) && effect.ms > 0, () => `arms ${effect.timer} for ${effect.ms} ms`)
    check(effect.quiet === (effect.timer !== 'keep-alive' ? undefined : role === 'client' ? 'sent' : 'received'), () => `arms ${effect.timer}, quiet ${effect.quiet}`)
  }
}

/** The phase is the one that the tables lead to; what they do not know leads out. Notes which of their entries were taken. */
function checkDestination(state: State, input: Input, next: State, taken: Set<string>, check: Check): void {
  const { role, phase } = state
  if (isOver(state) && input.type !== 'closed' && input.type !== 'timer') return check(next === state, 'what comes after the end is not read')
  switch (input.type) {
    case 'timer': {
      const to = TIMERS[input.timer][role][phase]
      check(next.phase === to, () => `timer ${input.timer} leads to ${String(to)}, not ${next.phase}`)
      taken.add(`${phase} timer ${input.timer} ${role}`)
      return
    }
    case 'malformed':
    case 'closed': {
      check(next.phase === ENDINGS[input.type], () => `${input.type} leads to ${ENDINGS[input.type]}, not ${next.phase}`)
      taken.add(`${phase} ${input.type}`)
      return
    }
    case 'send':
    case 'received': {
      const sender = (input.type === 'send') === (role === 'client') ? 'client' : 'server'
      const version = 'agreement' in state ? state.agreement.version : 5
      const event = eventOf(sender, input.packet)
      const to = destination(phase, event, version)
      if (to !== undefined && next.phase === to) taken.add(`${phase} ${event}`)
      // A request the table does not know is refused, but for the silent close of a Server of 3.x.
      if (input.type === 'send') check(to !== undefined || (event === 'server disconnect' && version < 5), () => `sends ${event} while ${phase}`)
      // Legal packets may still break a rule that the table cannot see; then they end the connection, as illegal ones do.
      const held = input.type === 'received' && 'held' in next && next.held.at(-1) === input.packet
      check(next.phase === (held ? phase : to) || next.phase === 'closing', () => `${event} leads to ${to ?? 'closing'}, not ${next.phase}`)
    }
  }
}

/** All that walks of both roles can take. */
export function entries(): readonly string[] {
  const packets = Object.entries(LIFECYCLE).flatMap(([phase, row]) => Object.keys(row).map((event) => `${phase} ${event}`))
  const timers = Object.entries(TIMERS).flatMap(([timer, row]) =>
    (['client', 'server'] as const).flatMap((role) => Object.keys(row[role]).map((phase) => `${phase} timer ${timer} ${role}`)))
  const endings = ['opening', 'awaiting-connect', 'authenticating', 'connected'].flatMap((phase) => [`${phase} malformed`, `${phase} closed`])
  return [...packets, ...timers, ...endings, 'closing closed']
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

function encodes(packet: PacketInput, version: ProtocolVersion): boolean {
  try {
    return encode(packet, version).length > 0
  } catch {
    return false
  }
}

function isOver({ phase }: State): boolean {
  return phase === 'closing' || phase === 'closed'
}

function sameSet(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one))
}

function placeOf(state: State, armed: ReadonlySet<TimerName>): Place {
  const text = canonical(state)
  return { state, armed, text, key: `${text} ${[...armed].sort().join(' ')}` }
}
