// How a connection ends, from both sides, and what its cause says of it in one sentence.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketInput } from '../../src/codec/index.ts'
import { initial, newSession } from '../../src/fsm/index.ts'
import type { Input, Role, State } from '../../src/fsm/index.ts'
import { authenticating, broken, causeOf, connected, ended, ignored, received, refused, send, step, steps, timer, told, VERSIONS, violates, wire } from './helpers.ts'

const PUBLISH: PacketInput = { type: 'publish', topic: 'a', payload: '' }

function reauthenticating(role: Role): State {
  const properties = { authenticationMethod: 'SCRAM-SHA-1' }
  const again = { type: 'auth', reasonCode: 0x19, properties } as const
  return step(connected(role, 5, { connect: { properties }, connack: { properties } }), role === 'client' ? send(again) : received(again, 5)).state
}

test('MQTT-3.14.4-1, MQTT-3.14.4-2: a Client\'s DISCONNECT goes out, then the connection closes, before CONNACK too', () => {
  for (const version of VERSIONS) {
    for (const [state, timers] of [[authenticating('client', version), ['disarm connect', 'disarm keep-alive']], [connected('client', version), ['disarm keep-alive']]] as const) {
      const { state: after, effects } = step(state, send({ type: 'disconnect' }))
      assert.equal(wire(effects, version), ['e0 00'])
      assert.equal(told(effects), ['write disconnect', ...timers, 'arm close 5000', 'close disconnect'])
      const { by, why, reasonCode, sentence } = causeOf(effects)
      assert.equal({ by, why, reasonCode, sentence }, { by: 'client', why: 'disconnect', reasonCode: 0, sentence: 'The Client disconnected: Normal disconnection.' })
      refused(after, PUBLISH, { 3: '3.1 §3.14', 4: 'MQTT-3.14.4-2', 5: 'MQTT-3.14.4-1' }[version])
    }
  }
})

test('a Server\'s DISCONNECT says why in 5.0; to a Client of 3.x it closes in silence, and the cause says it all the same', () => {
  const packet = { type: 'disconnect', reasonCode: 0x9c, properties: { reasonString: 'busy', serverReference: 'b.example' } } as const
  const five = step(connected('server', 5), send(packet))
  assert.equal(wire(five.effects, 5), ['e0 15 9c 13 1c 00 09 62 2e 65 78 61 6d 70 6c 65 1f 00 04 62 75 73 79'])
  for (const version of VERSIONS) {
    const { effects } = step(connected('server', version), send(packet))
    assert.equal(wire(effects, version).length, version === 5 ? 1 : 0)
    const { by, why, reasonCode, reasonString, serverReference, sentence } = causeOf(effects)
    assert.equal({ by, why, reasonCode, reasonString, serverReference, sentence }, {
      by: 'server', why: 'disconnect', reasonCode: 0x9c, reasonString: 'busy', serverReference: 'b.example', sentence: 'The Server disconnected: Use another server.',
    })
  }
})

test('MQTT-4.13.2-1: a DISCONNECT that comes is not answered: the connection closes', () => {
  for (const reasonCode of [0x00, 0x8b, 0x9c]) {
    const properties = { reasonString: 'why', serverReference: 'b.example' }
    const { effects } = step(connected('client', 5), received({ type: 'disconnect', reasonCode, properties }, 5))
    assert.equal(told(effects), ['disarm keep-alive', 'arm close 5000', 'close disconnect'])
    const { by, reasonCode: code, reasonString, serverReference } = causeOf(effects)
    assert.equal({ by, code, reasonString, serverReference }, { by: 'server', code: reasonCode, reasonString: 'why', serverReference: 'b.example' })
  }
})

test('MQTT-3.14.2-1: DISCONNECT has a code of its sender', () => {
  const withWill = { type: 'disconnect', reasonCode: 0x04 } as const
  refused(connected('server', 5), withWill, 'MQTT-3.14.2-1')
  violates(connected('client', 5), received(withWill, 5), 'MQTT-3.14.2-1', 'e0 01 82')
  for (const reasonCode of [0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2]) {
    refused(connected('client', 5), { type: 'disconnect', reasonCode }, 'MQTT-3.14.2-1')
    violates(connected('server', 5), received({ type: 'disconnect', reasonCode }, 5), 'MQTT-3.14.2-1', 'e0 01 82')
  }
})

test('MQTT-3.14.2-2: a Server\'s DISCONNECT has no Session Expiry Interval', () => {
  const packet = { type: 'disconnect', properties: { sessionExpiryInterval: 60 } } as const
  refused(connected('server', 5), packet, 'MQTT-3.14.2-2')
  violates(connected('client', 5), received(packet, 5), 'MQTT-3.14.2-2', 'e0 01 82')
})

test('SPEC-3.14.2.2.2-1: DISCONNECT does not raise a Session Expiry Interval that CONNECT had as 0, whatever CONNACK said', () => {
  const sixty = { type: 'disconnect', properties: { sessionExpiryInterval: 60 } } as const
  const rule = 'SPEC-3.14.2.2.2-1'
  const expiry = (asked: number | undefined, told: number | undefined) => ({
    connect: { properties: asked === undefined ? undefined : { sessionExpiryInterval: asked } },
    connack: { properties: told === undefined ? undefined : { sessionExpiryInterval: told } },
  })
  for (const made of [expiry(undefined, undefined), expiry(0, undefined), expiry(0, 5)]) {
    refused(connected('client', 5, made), sixty, rule)
    violates(connected('server', 5, made), received(sixty, 5), rule, 'e0 01 82')
  }
  for (const made of [expiry(5, undefined), expiry(5, 0)]) {
    assert.is(causeOf(step(connected('client', 5, made), send(sixty)).effects).why, 'disconnect')
    assert.is(causeOf(step(connected('server', 5, made), received(sixty, 5)).effects).why, 'disconnect')
  }
  const zero = { type: 'disconnect', properties: { sessionExpiryInterval: 0 } } as const
  assert.is(causeOf(step(connected('server', 5), received(zero, 5)).effects).why, 'disconnect')
})

test('half-close: after our last word the peer\'s end, or limits.closeTimeout, makes it closed, and no second close follows', () => {
  const closing = steps(connected('client', 4), send({ type: 'disconnect' })).state
  for (const [input, effects] of [[ended, ['disarm close']], [broken, ['disarm close']], [timer('close'), []]] as const) {
    const { state, effects: after } = step(closing, input)
    assert.equal([state.phase, told(after)], ['closed', effects])
    assert.ok(closing.phase === 'closing' && state.phase === 'closed' && state.cause === closing.cause && state.session === closing.session)
    for (const late of [ended, broken, timer('close')]) ignored(state, late)
  }
})

test('the end of the Network Connection, said by what it may mean', () => {
  const sentences: readonly (readonly [State, Input, string])[] = [
    [initial({ role: 'client' }), ended, 'The Server closed the connection before CONNECT was through.'],
    [initial({ role: 'server' }), ended, 'The Client closed the connection before CONNECT was through.'],
    [authenticating('server', 4), ended, 'The Client closed the connection before CONNECT was through.'],
    [authenticating('client', 4), ended, 'The Server closed the connection without a CONNACK: it did not accept this CONNECT and did not say why.'],
    [connected('client', 4), ended, 'The Server closed the connection without DISCONNECT.'],
    [connected('server', 4), ended, 'The Client closed the connection without DISCONNECT.'],
    [reauthenticating('client'), ended, 'The Server closed the connection without DISCONNECT.'],
    [reauthenticating('server'), ended, 'The Client closed the connection without DISCONNECT.'],
    [reauthenticating('server'), broken, 'The Network Connection broke while reauthenticating: ECONNRESET.'],
    [connected('server', 4), broken, 'The Network Connection broke while connected: ECONNRESET.'],
    [authenticating('client', 4), broken, 'The Network Connection broke while authenticating: ECONNRESET.'],
  ]
  for (const [state, input, sentence] of sentences) assert.is(causeOf(step(state, input).effects).sentence, sentence)
})

test('the first packet that does not come in time ends the connection, from the side that waits', () => {
  const connectLate = causeOf(step(initial({ role: 'server', limits: { connectTimeout: 8 } }), timer('connect')).effects)
  assert.equal([connectLate.by, connectLate.why, connectLate.reasonCode, connectLate.rule, connectLate.sentence], ['server', 'connect-timeout', 0x82, '5.0 §3.1.4', 'No complete CONNECT came within 8 ms.'])
  for (const [version, rule] of [[3, '3.1 §3.2'], [4, '3.1.1 §3.2'], [5, 'SPEC-3.2.2-1']] as const) {
    const { by, why, rule: broken_, sentence } = causeOf(step(authenticating('client', version, { limits: { connackTimeout: 9 } }), timer('connect')).effects)
    assert.equal([by, why, broken_, sentence], ['client', 'connack-timeout', rule, 'No CONNACK came within 9 ms.'])
  }
})

test('MQTT-3.1.2-24 (5.0): a DISCONNECT too large for the peer is refused, and the connection stays; Reason String is left out first', () => {
  const packet: PacketInput = { type: 'disconnect', reasonCode: 0x9c, properties: { serverReference: 'somewhere.example' } }
  const properties = { maximumPacketSize: 9 }
  const state = connected('server', 5, { connect: { properties } })
  refused(state, packet, 'MQTT-3.1.2-24')
  assert.equal(wire(step(state, send({ type: 'disconnect', reasonCode: 0x97, properties: { reasonString: 'too much of it' } })).effects, 5), ['e0 01 97'])
})

test('a session taken over by another connection of the same Client is a reason of its own, on both sides', () => {
  const packet: PacketInput = { type: 'disconnect', reasonCode: 0x8e }
  for (const { effects } of [step(connected('server', 5), send(packet)), step(connected('client', 5), received(packet, 5)), step(connected('server', 4), send(packet))]) {
    const { why, by, sentence } = causeOf(effects)
    assert.equal({ why, by, sentence }, { why: 'taken-over', by: 'server', sentence: 'The Server disconnected: Session taken over.' })
  }
})

test('the session survives the connection that ends', () => {
  for (const role of ['client', 'server'] as const) {
    const state = step(connected(role, 5), send({ type: 'publish', topic: 'a', payload: '', qos: 1 }, 'mine')).state
    for (const input of [ended, broken, send({ type: 'disconnect' })]) assert.is(step(state, input).state.session, state.session)
    assert.equal(step(connected(role, 5), ended).state.session, newSession('kitchen'))
  }
})

test.run()
