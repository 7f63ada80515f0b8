import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, ended, running, versionOf } from '../../src/fsm/close.ts'
import type { Ending } from '../../src/fsm/close.ts'
import { initial } from '../../src/fsm/index.ts'
import type { State } from '../../src/fsm/index.ts'
import { CONNECTION_RULES } from '../../src/fsm/rules.ts'
import { authenticating, causeOf, connected, deepFreeze, heard, received, send, steps, told, VERSIONS, WILL } from './helpers.ts'

const ENDING: Ending = { by: 'server', why: 'protocol-error', sentence: 'It is over.' }
const METHOD = { connect: { properties: { authenticationMethod: 'X' } }, connack: { properties: { authenticationMethod: 'X' } } }
const AGAIN = { type: 'auth', reasonCode: 0x19, properties: { authenticationMethod: 'X' } } as const
const pinging = steps(connected('client', 4), send({ type: 'pingreq' })).state

test('from our side: the last packets first, then every running timer off, the close timer on, and close last of all', () => {
  const { state, effects } = closing(pinging, ENDING, { type: 'pingreq' }, { type: 'disconnect' })
  assert.equal(told(effects), ['write pingreq', 'write disconnect', 'disarm keep-alive', 'disarm pingresp', 'arm close 5000', 'close protocol-error'])
  assert.is(state.phase, 'closing')
  assert.equal(Object.keys(state).sort(), ['cause', 'limits', 'phase', 'role', 'session'])
  assert.ok(state.phase === 'closing' && state.cause === causeOf(effects) && state.session === pinging.session && state.limits === pinging.limits)
})

test('the close timer takes limits.closeTimeout', () => {
  const { effects } = closing(initial({ role: 'client', limits: { closeTimeout: 77 } }), ENDING)
  assert.equal(told(effects), ['arm close 77', 'close protocol-error'])
})

test('under us: every running timer off and close, and no timer is left to wait for', () => {
  const { state, effects } = ended(pinging, ENDING)
  assert.equal(told(effects), ['disarm keep-alive', 'disarm pingresp', 'close protocol-error'])
  assert.ok(state.phase === 'closed' && state.cause === causeOf(effects) && state.session === pinging.session)
})

test('which timers can be running, phase by phase', () => {
  const keepAlive = (seconds: number) => ({ connect: { keepAlive: seconds } })
  const table: readonly (readonly [State, readonly string[]])[] = [
    [initial({ role: 'client' }), []],
    [initial({ role: 'server' }), ['connect']],
    [authenticating('server', 4, keepAlive(60)), ['auth']],
    [authenticating('client', 4, keepAlive(60)), ['connect', 'keep-alive']],
    [authenticating('client', 4, keepAlive(0)), ['connect']],
    [connected('client', 4, keepAlive(60)), ['keep-alive']],
    [connected('server', 4, keepAlive(60)), ['keep-alive']],
    [connected('client', 4, keepAlive(0)), []],
    [connected('server', 4, keepAlive(0)), []],
    [pinging, ['keep-alive', 'pingresp']],
    [steps(connected('client', 4, keepAlive(0)), send({ type: 'pingreq' })).state, ['pingresp']],
    [steps(connected('client', 5, METHOD), send(AGAIN)).state, ['keep-alive', 'auth']],
    [steps(connected('server', 5, { ...METHOD, connect: { ...METHOD.connect, keepAlive: 0 } }), received(AGAIN, 5)).state, ['auth']],
    [closing(pinging, ENDING).state, ['close']],
    [ended(pinging, ENDING).state, []],
  ]
  for (const [state, timers] of table) assert.equal(running(state), timers, `${state.role} ${state.phase}`)
})

test('a version is agreed on from CONNECT on', () => {
  assert.is(versionOf(initial({ role: 'client' })), undefined)
  assert.is(versionOf(initial({ role: 'server' })), undefined)
  for (const version of VERSIONS) {
    assert.is(versionOf(authenticating('server', version)), version)
    assert.is(versionOf(connected('client', version)), version)
  }
  assert.is(versionOf(steps(connected('client', 5, METHOD), send(AGAIN)).state), 5)
  assert.is(versionOf(closing(pinging, ENDING).state), 4, 'what is refused afterwards is refused by its rules')
  assert.is(versionOf(ended(pinging, ENDING).state), 4)
})

test('the cause is plain data: who, why, where, in which version, by which statement', () => {
  const cause = causeOf(closing(connected('server', 4), { ...ENDING, rule: CONNECTION_RULES.secondConnect, reasonCode: 0x82, offset: 3 }).effects)
  assert.equal(cause, {
    by: 'server', why: 'protocol-error', phase: 'connected', version: 4, reasonCode: 0x82, reasonString: undefined, serverReference: undefined,
    rule: 'MQTT-3.1.0-2', offset: 3, will: undefined, willDelay: undefined, sessionExpiryInterval: 0, bytes: undefined, sentence: 'It is over.',
  })
  assert.is(causeOf(closing(connected('server', 5), { ...ENDING, rule: CONNECTION_RULES.secondConnack }).effects).rule, 'MQTT-3.2.0-2')
  assert.is(causeOf(closing(connected('server', 5), { ...ENDING, rule: 'MQTT-1.5.4-2' }).effects).rule, 'MQTT-1.5.4-2')
  assert.is(causeOf(closing(initial({ role: 'server' }), { ...ENDING, version: 3 }).effects).version, 3)
  assert.is(causeOf(ended(initial({ role: 'server' }), ENDING).effects).version, undefined)
})

test('MQTT-3.1.2-8: a Server owes the Will once it has accepted the Client, however the connection ends', () => {
  for (const version of VERSIONS) {
    const will = heard({ type: 'connect', version, clientId: 'kitchen', cleanStart: true, keepAlive: 0, will: WILL }, version)
    assert.ok(will.type === 'connect')
    const state = deepFreeze(connected('server', version, { connect: { will: WILL } }))
    for (const end of [closing, ended]) {
      assert.equal(causeOf(end(state, ENDING).effects).will, will.will)
      assert.equal(causeOf(end(state, { ...ENDING, willDiscarded: false }).effects).will, will.will)
    }
  }
})

test('MQTT-3.1.2-23 (5.0), SPEC-3.1.2.11.2-1 (5.0): the cause says how long the session outlives the connection: as agreed, or as the DISCONNECT has changed it', () => {
  const of = (state: State, more: Partial<typeof ENDING> & { readonly sessionExpiryInterval?: number } = {}): number | undefined => causeOf(ended(state, { ...ENDING, ...more }).effects).sessionExpiryInterval
  for (const role of ['client', 'server'] as const) {
    const sixty = connected(role, 5, { connect: { properties: { sessionExpiryInterval: 60 } } })
    assert.equal([of(sixty), of(sixty, { sessionExpiryInterval: 5 }), of(sixty, { sessionExpiryInterval: 0 })], [60, 5, 0])
    assert.is(of(connected(role, 5, { connect: { properties: { sessionExpiryInterval: 60 } }, connack: { properties: { sessionExpiryInterval: 7 } } })), 7)
    assert.is(of(connected(role, 5, { connect: { properties: { sessionExpiryInterval: 0xffff_ffff } } })), 0xffff_ffff)
    assert.is(of(connected(role, 5)), 0)
    for (const version of [3, 4] as const) assert.equal([of(connected(role, version)), of(connected(role, version, { connect: { cleanStart: false } }))], [0, 0xffff_ffff])
    assert.is(of(authenticating(role, 5)), undefined)
  }
  const cause = causeOf(steps(connected('server', 5, { connect: { properties: { sessionExpiryInterval: 60 } } }), received({ type: 'disconnect', properties: { sessionExpiryInterval: 9 } }, 5)).effects)
  assert.is(cause.sessionExpiryInterval, 9)
})

test('a Will waits for its Will Delay Interval, but no longer than the session lasts', () => {
  const delay = (willDelayInterval: number | undefined, sessionExpiryInterval: number | undefined, more: object = {}): number | undefined =>
    causeOf(ended(connected('server', 5, { connect: { will: { ...WILL, properties: { willDelayInterval } }, properties: { sessionExpiryInterval } } }), { ...ENDING, ...more }).effects).willDelay
  assert.equal([delay(10, 60), delay(60, 10), delay(undefined, 60), delay(10, undefined), delay(10, 0xffff_ffff)], [10, 10, 0, 0, 10])
  assert.is(delay(10, 60, { sessionExpiryInterval: 5 }), 5)
  assert.is(delay(10, 60, { willDiscarded: true }), undefined)
  assert.is(causeOf(ended(connected('server', 4, { connect: { will: WILL } }), ENDING).effects).willDelay, 0)
  assert.is(causeOf(ended(connected('server', 5), ENDING).effects).willDelay, undefined)
})

test('the cause keeps the last 64 bytes it is given, as a copy', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i)
  const kept = causeOf(closing(connected('client', 5), { ...ENDING, bytes }).effects).bytes
  assert.equal(kept, bytes.subarray(36))
  assert.is.not(kept!.buffer, bytes.buffer)
  assert.equal(causeOf(closing(connected('client', 5), { ...ENDING, bytes: bytes.subarray(0, 3) }).effects).bytes, bytes.subarray(0, 3))
})

test('MQTT-3.2.2-15 (5.0): not even the last packet goes to a peer that would find it too large', () => {
  const state = connected('client', 5, { connack: { properties: { maximumPacketSize: 2 } } })
  const last = { type: 'disconnect', reasonCode: 0x82 } as const
  assert.equal(told(closing(state, ENDING, last, { type: 'disconnect' }).effects), ['write disconnect', 'disarm keep-alive', 'arm close 5000', 'close protocol-error'])
  assert.equal(told(closing(initial({ role: 'server' }), ENDING, last).effects)[0], 'write disconnect')
})

test('MQTT-3.14.4-3: a Will the DISCONNECT has discarded is not due', () => {
  const state = connected('server', 5, { connect: { will: WILL } })
  for (const end of [closing, ended]) assert.is(causeOf(end(state, { ...ENDING, willDiscarded: true }).effects).will, undefined)
})

test('no Will is due before acceptance, none without one, and none of a Client', () => {
  const made = { connect: { will: WILL } }
  const states = [authenticating('server', 5, made), connected('server', 5), connected('client', 5, made), authenticating('client', 5, made), initial({ role: 'server' })]
  for (const state of states) assert.is(causeOf(ended(state, ENDING).effects).will, undefined)
})

test.run()
