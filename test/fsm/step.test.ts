import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { transition } from '../../src/fsm/index.ts'
import { NO_EXCHANGES } from '../../src/fsm/session.ts'
import { DELIVER, exchangesOf, moved, NOTHING, pinged, stay, unchanged } from '../../src/fsm/step.ts'
import { authenticating, connected, heard, steps, timer } from './helpers.ts'
import { ask, publish } from './talk.ts'

const PROPERTIES = { authenticationMethod: 'SCRAM-SHA-1' }
const AGAIN = { type: 'auth', reasonCode: 0x19, properties: PROPERTIES } as const

test('a step that changes nothing is the same value every time, for the same state and effects', () => {
  const [one, other] = [connected('client', 5), connected('client', 5)]
  const step = stay(one, DELIVER)
  assert.is(stay(one, DELIVER), step)
  assert.equal(step, { state: one, effects: [{ type: 'deliver' }] })
  assert.is.not(stay(other, DELIVER), step)
  assert.is(stay(one, DELIVER).state, one)
  const nothing = unchanged(one)
  assert.equal([nothing.state === one, nothing.effects], [true, []])
  assert.is(unchanged(one), nothing)
  assert.ok(Object.isFrozen(DELIVER) && Object.isFrozen(NOTHING) && Object.isFrozen(DELIVER[0]))
})

test('a stream of QoS 0 PUBLISH makes no step: the machine gives the same one, in both roles and in a re-authentication', () => {
  const made = { connect: { properties: PROPERTIES }, connack: { properties: PROPERTIES } }
  for (const state of [connected('client', 4), connected('server', 4), connected('server', 5), steps(connected('client', 5, made), ask(AGAIN)).state]) {
    const input = { type: 'received', packet: heard(publish(0), state.phase === 'reauthenticating' ? 5 : 4) } as const
    const step = transition(state, input)
    for (let i = 0; i < 3; i++) assert.is(transition(state, input), step)
    assert.is(step.state, state)
  }
})

test('what did not move is not copied: the same exchanges and flow give the very same state', () => {
  for (const state of [connected('client', 4), authenticating('client', 4), authenticating('client', 4, { connect: { cleanStart: false } })]) {
    assert.ok('flow' in state)
    assert.is(moved(state, exchangesOf(state), state.flow), state)
  }
})

test('what moved is there, and everything else is as it was, in every phase that packets flow in', () => {
  const made = { connect: { properties: PROPERTIES }, connack: { properties: PROPERTIES } }
  const pinging = steps(connected('client', 5, made), timer('keep-alive'), ask({ type: 'pingreq' }, 'mine')).state
  const again = steps(pinging, ask(AGAIN, 'who')).state
  const before = authenticating('client', 5)
  for (const state of [pinging, again, before] as const) {
    assert.ok('flow' in state)
    const exchanges = { ...NO_EXCHANGES, nextId: 9 }
    const flow = { ...state.flow, requests: 1 }
    assert.equal(moved(state, exchanges, flow), { ...state, session: { clientId: 'kitchen', exchanges }, flow })
    const onlyFlow = moved(state, state.session!.exchanges, flow)
    assert.is(onlyFlow.session, state.session)
    assert.equal(onlyFlow, { ...state, flow })
    assert.equal(moved(state, exchanges, state.flow), { ...state, session: { clientId: 'kitchen', exchanges } })
  }
})

test('a client that has no session before CONNACK has nothing under way, and a changed flow leaves it so', () => {
  const state = authenticating('client', 4, { connect: { cleanStart: false } })
  assert.ok(state.phase === 'authenticating' && state.session === undefined)
  assert.is(exchangesOf(state), NO_EXCHANGES)
  const next = moved(state, NO_EXCHANGES, { ...state.flow, requests: 1 })
  assert.equal([next.session, next.flow.requests], [undefined, 1])
})

test('a ping is noted, and nothing else changes, in a re-authentication too', () => {
  const made = { connect: { properties: PROPERTIES }, connack: { properties: PROPERTIES } }
  for (const state of [connected('client', 5, made), steps(connected('client', 5, made), ask(AGAIN)).state]) {
    assert.ok(state.phase === 'connected' || state.phase === 'reauthenticating')
    assert.equal(pinged(state, true, ['x']), { ...state, pinging: true, pingTokens: ['x'] })
  }
})

test.run()
