// The totality walk: breadth-first over every state that can be reached × every input of an alphabet, each step held to what must be true of
// all of them. It takes `transition` as a parameter, so that the walk itself can be tried on machines with a bug in them.
import * as assert from 'uvu/assert'
import { encode, toJson } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import type { Check as Insist } from '../../scripts/promises/check.ts'
import { checkState } from '../../scripts/promises/state.ts'
import { checkStep } from '../../scripts/promises/step.ts'
import { initial, LIFECYCLE, opened, running, TIMERS } from '../../src/fsm/index.ts'
import type { Effect, Input, Phase, State, Step, TimerName } from '../../src/fsm/index.ts'
import { destination, ENDINGS, eventOf } from '../../src/fsm/lifecycle.ts'
import { getId } from '../../src/fsm/packet-ids.ts'
import { ACKNOWLEDGED } from '../../src/fsm/session.ts'
import { canonical, isPlain, keyOf, remember } from './canonical.ts'
import { deepFreeze } from './helpers.ts'

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
  check(next === state || reached.text !== place.text, 'a state that has not changed is the very same')
  check(sameSet(after, new Set(running(next))), () => `the timers running are ${[...after].join(', ') || 'none'}, and by the state ${running(next).join(', ') || 'none'}`)
  checkTimers(state, effects, check)

  const last = checkWrites(state, input, step, version, check)
  checkClose(state, input, step, last, check)
  checkWords(state, input, effects, check)
  if (!refuses && !idle) checkDestination(state, input, next, visited.taken, check)
  noteAcknowledged(state, input, next, visited.taken)
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
  const will = state.role === 'server' && (cause.phase === 'connected' || cause.phase === 'reauthenticating') && !discards(cause) ? agreement?.will : undefined
  check(cause.will === will, 'the Will, where one is due')
}

/** DISCONNECT 0x00 of the Client. */
function discards({ by, why, reasonCode }: { readonly by: string, readonly why: string, readonly reasonCode?: number | undefined }): boolean {
  return by === 'client' && why === 'disconnect' && reasonCode === 0
}

/** What is delivered came from the peer, but for a Topic Name in place of its alias; what is refused is so by a UsageError. Tokens are in promises/tokens.ts. */
function checkWords(state: State, input: Input, effects: readonly Effect[], check: Check): void {
  for (const effect of effects) {
    if (effect.type === 'deliver') {
      const { packet } = effect
      const came = input.type === 'received' ? [input.packet] : 'held' in state ? state.held : []
      check(packet === undefined ? input.type === 'received' : came.some((one) => one === packet || (one.type === 'publish' && one.topic === '' && packet.type === 'publish' && one.payload === packet.payload)), 'delivers what has come')
    }
    if (effect.type === 'refuse') check(effect.error.name === 'UsageError', 'refuses by a UsageError')
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

/** An acknowledgement has met an exchange of ours, and the connection goes on. */
function noteAcknowledged(state: State, input: Input, next: State, taken: Set<string>): void {
  if (input.type !== 'received' || !('packetId' in input.packet) || !('pinging' in state) || isOver(next)) return
  const { packet } = input
  const awaits = getId(state.session.exchanges.ours, packet.packetId!)?.awaits
  if (awaits !== undefined && ACKNOWLEDGED[awaits][packet.type] !== undefined) taken.add(`${awaits} ${packet.type}`)
}

/** All that walks of both roles can take. */
export function entries(): readonly string[] {
  const packets = Object.entries(LIFECYCLE).flatMap(([phase, row]) => Object.keys(row).map((event) => `${phase} ${event}`))
  const timers = Object.entries(TIMERS).flatMap(([timer, row]) =>
    (['client', 'server'] as const).flatMap((role) => Object.keys(row[role]).map((phase) => `${phase} timer ${timer} ${role}`)))
  const acknowledged = Object.entries(ACKNOWLEDGED).flatMap(([awaits, row]) => Object.keys(row).map((type) => `${awaits} ${type}`))
  const endings = ['opening', 'awaiting-connect', 'authenticating', 'connected', 'reauthenticating'].flatMap((phase) => [`${phase} malformed`, `${phase} closed`])
  return [...packets, ...timers, ...acknowledged, ...endings, 'closing closed']
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
  return { state, armed, text: canonical(state), key: `${keyOf(state)} ${[...armed].sort().join(' ')}` }
}
