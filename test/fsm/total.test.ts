// Totality: every state that can be reached × every input, both roles, every version. See walk.ts for what must be true of each step.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import { LIFECYCLE, initial, newSession, transition } from '../../src/fsm/index.ts'
import type { Effect, Role, State, Step, TimerName } from '../../src/fsm/index.ts'
import { alphabet } from './alphabet.ts'
import { VERSIONS } from './helpers.ts'
import { entries, walk } from './walk.ts'
import type { Transition, World } from './walk.ts'

/** Every CONNECT, and one packet held behind it. */
function wide(role: Role, version: ProtocolVersion): World {
  return {
    start: initial({ role, limits: { versions: [version], heldPackets: 1 }, session: role === 'client' ? newSession('kitchen') : undefined }),
    version,
    alphabet: alphabet(role, version),
    // Two PINGREQ that the application waits for are as good as any number.
    allows: (state, input) => !(input.type === 'send' && input.packet.type === 'pingreq' && input.token !== undefined && state.phase === 'connected' && state.pingTokens.length > 1),
  }
}

/** One CONNECT, and every pair of packets held behind it. */
function deep(version: ProtocolVersion): World {
  const letters = alphabet('server', version).filter(([name]) => name === 'received connect kept 60 will' || !name.startsWith('received connect '))
  return { start: initial({ role: 'server', limits: { versions: [version], heldPackets: 2 } }), version, alphabet: letters }
}

/** What the walks are known to see: a walk that shrinks has lost something. */
const LEAST = { client: { states: 2100, steps: 260_000 }, server: { states: 2350, steps: 315_000 } }
const taken = new Set<string>()

for (const role of ['client', 'server'] as const) {
  test(`totality: every state of a ${role} that can be reached takes every input, and keeps every promise`, () => {
    const seen = { states: 0, steps: 0 }
    for (const version of VERSIONS) {
      const worlds = role === 'client' ? [wide('client', version)] : [wide('server', version), deep(version)]
      for (const world of worlds) {
        const visited = walk(transition, world)
        seen.states += visited.states
        seen.steps += visited.steps
        for (const entry of visited.taken) taken.add(entry)
        const first = role === 'client' ? 'opening' : 'awaiting-connect'
        assert.equal([...visited.phases].sort(), [first, 'authenticating', 'connected', 'closing', 'closed'].sort())
      }
    }
    assert.ok(seen.states >= LEAST[role].states && seen.steps >= LEAST[role].steps, `${seen.states} states, ${seen.steps} steps`)
  })
}

test('totality: the walks have taken every entry of LIFECYCLE, TIMERS and ENDINGS', () => {
  assert.equal(entries().filter((entry) => !taken.has(entry)), [])
  assert.ok(entries().length > 50 && Object.keys(LIFECYCLE).length === 6)
})

/** A machine with a bug: what the real one says, and what is done to it. */
type Bug = readonly [title: string, promise: RegExp, role: Role, version: ProtocolVersion, bug: Transition]

const BUGS: readonly Bug[] = [
  ['a stale pingresp timer closes a connection whose PINGRESP came', /connected, timer pingresp: a timer that is not running does nothing/, 'client', 4, (state, input) => (
    input.type === 'timer' && input.timer === 'pingresp' && state.phase === 'connected' ? transition({ ...state, pinging: true }, input) : transition(state, input)
  )],
  ['PINGRESP does not disarm its timer', /received pingresp: the timers running are .*pingresp, and by the state/, 'client', 4, (state, input) => (
    input.type === 'received' && input.packet.type === 'pingresp' ? without(transition(state, input), 'disarm', 'pingresp') : transition(state, input)
  )],
  ['the connect timer runs on when CONNECT has come', /received connect .*: the timers running are connect, auth, and by the state auth/, 'server', 4, (state, input) => (
    state.phase === 'awaiting-connect' && input.type === 'received' ? without(transition(state, input), 'disarm', 'connect') : transition(state, input)
  )],
  ['keep alive is left running at the end', /the timers running are .*keep-alive.*close/, 'server', 3, (state, input) => without(transition(state, input), 'disarm', 'keep-alive')],
  ['a Server writes DISCONNECT before CONNACK', /server authenticating, .*: writes disconnect while authenticating/, 'server', 5, (state, input) => {
    const step = transition(state, input)
    if (state.phase !== 'authenticating') return step
    const refuses = (effect: Effect): boolean => effect.type === 'write' && effect.packet.type === 'connack' && effect.packet.reasonCode >= 0x80
    return { ...step, effects: step.effects.map((effect) => (refuses(effect) ? { type: 'write', packet: { type: 'disconnect', reasonCode: 0x82 } } : effect)) }
  }],
  ['a Server answers CONNECT of an unknown level by CONNACK at any time', /server connected, malformed: .*: writes connack while connected/, 'server', 4, (state, input) => {
    const step = transition(state, input)
    const unknown = input.type === 'malformed' && input.error.reasonCode === 0x84 && state.phase === 'connected'
    return unknown ? { ...step, effects: [{ type: 'write', packet: { type: 'connack', reasonCode: 1 } }, ...step.effects] } : step
  }],
  ['a packet is written that has no bytes', /writes a disconnect that version 4 cannot encode/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    return state.phase === 'connected' && input.type === 'malformed' ? { ...step, effects: [{ type: 'write', packet: { type: 'disconnect', reasonCode: 0x81 } }, ...step.effects] } : step
  }],
  ['the state is changed where it is', /transition threw TypeError: Cannot assign to read only property 'pinging'/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    if (state.phase === 'connected' && input.type === 'received' && input.packet.type === 'pingresp') (state as { pinging: boolean }).pinging = false
    return step
  }],
  ['what is held is kept in a list that grows where it is', /transition threw TypeError: Cannot add property 0/, 'server', 4, (state, input) => {
    if (state.phase === 'authenticating' && input.type === 'received' && input.packet.type === 'pingreq') (state.held as unknown[]).push(input.packet)
    return transition(state, input)
  }],
  ['a second close effect when the Network Connection ends', /closing, closed: close comes only with the end, and here 1 times/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    return state.phase === 'closing' && input.type === 'closed' ? { ...step, effects: [...step.effects, { type: 'close', cause: state.cause }] } : step
  }],
  ['an end without a close effect', /close comes exactly once, and here 0 times/, 'server', 4, (state, input) => without(transition(state, input), 'close')],
  ['PINGRESP behind close', /writes pingresp while closing|nothing follows close/, 'server', 4, (state, input) => {
    const step = transition(state, input)
    return step.effects.at(-1)?.type === 'close' ? { ...step, effects: [...step.effects, { type: 'write', packet: { type: 'pingresp' } }] } : step
  }],
  ['a copy of a state that has not changed', /a state that has not changed is the very same/, 'server', 4, (state, input) => {
    const { state: next, effects } = transition(state, input)
    return { state: state.phase === 'connected' && input.type === 'received' ? { ...next } : next, effects }
  }],
  ['a state that no store can keep', /the state is plain data/, 'server', 4, (state, input) => {
    const { state: next, effects } = transition(state, input)
    return { state: next.phase === 'connected' && state.phase !== 'connected' ? { ...next, since: new Date(0) } as State : next, effects }
  }],
  ['a Will that is forgotten when the socket breaks', /connected, closed by an error: the Will, where one is due/, 'server', 4, (state, input) => (
    state.phase === 'connected' && input.type === 'closed' && input.error !== undefined ? transition({ ...state, agreement: { ...state.agreement, will: undefined } }, input) : transition(state, input)
  )],
  ['a refusal that changes something', /a refusal changes nothing/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    return step.effects[0]?.type === 'refuse' && state.phase === 'connected' ? { ...step, state: { ...state, pinging: true } } : step
  }],
  ['an input that is thrown at', /transition threw Error: boom/, 'server', 4, (state, input) => {
    if (state.phase === 'connected' && input.type === 'received') throw new Error('boom')
    return transition(state, input)
  }],
]

for (const [title, promise, role, version, bug] of BUGS) {
  test(`the walk finds a planted bug: ${title}`, () => {
    assert.throws(() => walk(bug, wide(role, version)), promise)
  })
}

/** The step without its effects of this kind. */
function without(step: Step, type: Effect['type'], timer?: TimerName): Step {
  const keep = (effect: Effect): boolean => effect.type !== type || (timer !== undefined && 'timer' in effect && effect.timer !== timer)
  return step.effects.every(keep) ? step : { ...step, effects: step.effects.filter(keep) }
}

test.run()
