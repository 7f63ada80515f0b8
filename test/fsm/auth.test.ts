// Enhanced authentication (5.0 §4.12) as far as the machine judges it: who may send AUTH when, with which method and code.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketInput } from '../../src/codec/index.ts'
import type { Role, State } from '../../src/fsm/index.ts'
import { authenticating, causeOf, connack, connected, ignored, malformed, received, refused, send, step, steps, timer, told, violates, WILL, wire } from './helpers.ts'

const METHOD = { authenticationMethod: 'SCRAM-SHA-1' }
const OTHER = { authenticationMethod: 'PLAIN' }
const MADE = { connect: { properties: METHOD }, connack: { properties: METHOD } }
const CONTINUE: PacketInput = { type: 'auth', reasonCode: 0x18, properties: METHOD }
const AGAIN: PacketInput = { type: 'auth', reasonCode: 0x19, properties: METHOD }
const SUCCESS: PacketInput = { type: 'auth', reasonCode: 0x00, properties: METHOD }

/** What a violation is answered by, by the role that finds it and whether CONNACK has been. */
function answer(state: State): string {
  return state.role === 'server' && state.phase === 'authenticating' ? '20 03 00 82 00' : 'e0 01 82'
}

const both = (role: Role): readonly State[] => [authenticating(role, 5, MADE), connected(role, 5, MADE)]

test('MQTT-4.12.0-2, MQTT-4.12.0-3: AUTH 0x18 goes to and fro before CONNACK, and the state stays the very same', () => {
  for (const role of ['client', 'server'] as const) {
    const state = authenticating(role, 5, MADE)
    const sent = step(state, send(CONTINUE))
    assert.equal([sent.state === state, told(sent.effects)], [true, ['write auth']])
    const heard = step(state, received(CONTINUE, 5))
    assert.equal([heard.state === state, told(heard.effects)], [true, ['deliver']])
  }
})

test('MQTT-4.12.1-1: after CONNACK a Client begins again with 0x19, and the Server ends with 0x00', () => {
  const client = step(connected('client', 5, MADE), send(AGAIN))
  assert.equal(told(client.effects), ['write auth', 'arm auth 30000'])
  const server = step(connected('server', 5, MADE), received(AGAIN, 5))
  assert.equal(told(server.effects), ['deliver', 'arm auth 30000'])
  for (const { state } of [client, server]) {
    assert.equal(told(step(state, send(CONTINUE)).effects), ['write auth'])
    assert.equal(told(step(state, received(CONTINUE, 5)).effects), ['deliver'])
  }
  assert.equal(told(step(server.state, send(SUCCESS)).effects), ['write auth', 'disarm auth'])
  assert.equal(told(step(client.state, received(SUCCESS, 5)).effects), ['deliver', 'disarm auth'])
})

test('MQTT-4.12.1-1: 0x19 before CONNACK is a Protocol Error', () => {
  refused(authenticating('client', 5, MADE), AGAIN, 'MQTT-4.12.1-1')
  violates(authenticating('server', 5, MADE), received(AGAIN, 5), 'MQTT-4.12.1-1', '20 03 00 82 00')
})

test('MQTT-3.15.2-1: 0x00 is the Server\'s to say, 0x19 the Client\'s', () => {
  for (const state of both('client')) {
    refused(state, SUCCESS, 'MQTT-3.15.2-1')
    violates(state, received(AGAIN, 5), 'MQTT-3.15.2-1', answer(state))
  }
  for (const state of both('server')) {
    refused(state, AGAIN, 'MQTT-3.15.2-1')
    violates(state, received(SUCCESS, 5), 'MQTT-3.15.2-1', answer(state))
  }
})

test('MQTT-4.12.0-6, MQTT-4.12.0-7, SPEC-3.15-1: without an Authentication Method in CONNECT there is no AUTH', () => {
  for (const role of ['client', 'server'] as const) {
    for (const state of [authenticating(role, 5), connected(role, 5)]) {
      refused(state, CONTINUE, role === 'client' ? 'MQTT-4.12.0-7' : 'MQTT-4.12.0-6')
      violates(state, received(CONTINUE, 5), role === 'client' ? 'MQTT-4.12.0-6' : 'MQTT-4.12.0-7', answer(state))
    }
  }
})

test('MQTT-4.12.0-5: every AUTH repeats the method of CONNECT, and names it', () => {
  for (const role of ['client', 'server'] as const) {
    for (const state of both(role)) {
      refused(state, { type: 'auth', reasonCode: 0x18, properties: OTHER }, 'MQTT-4.12.0-5')
      refused(state, { type: 'auth', reasonCode: 0x18 }, 'MQTT-4.12.0-5')
      violates(state, received({ type: 'auth', reasonCode: 0x18, properties: OTHER }, 5), 'MQTT-4.12.0-5', answer(state))
    }
  }
  // The form without a body: Success, and no method.
  violates(connected('client', 5, MADE), received({ type: 'auth' }, 5), 'MQTT-4.12.0-5', 'e0 01 82')
})

test('MQTT-3.1.2-30: with a method the Client sends only AUTH and DISCONNECT before CONNACK', () => {
  const packets: readonly PacketInput[] = [
    { type: 'publish', topic: 'a', payload: '' }, { type: 'pingreq' }, { type: 'pubrel', packetId: 1 },
    { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] }, { type: 'unsubscribe', packetId: 1, filters: ['a'] },
  ]
  const client = authenticating('client', 5, MADE)
  const server = authenticating('server', 5, MADE)
  for (const packet of packets) {
    refused(client, packet, 'MQTT-3.1.2-30')
    violates(server, received(packet, 5), 'MQTT-3.1.2-30', '20 03 00 82 00')
  }
  assert.equal(told(step(client, send({ type: 'disconnect' })).effects), ['write disconnect', 'disarm connect', 'disarm keep-alive', 'arm close 5000', 'close disconnect'])
  const left = step(server, received({ type: 'disconnect', reasonCode: 0x04 }, 5))
  assert.equal(told(left.effects), ['disarm auth', 'arm close 5000', 'close disconnect'])
})

test('MQTT-4.12.0-1, MQTT-4.12.0-4: a method that is not supported, or a failure, ends with CONNACK and the connection with it', () => {
  for (const [reasonCode, hex] of [[0x8c, '20 03 00 8c 00'], [0x87, '20 03 00 87 00']] as const) {
    const { state, effects } = steps(authenticating('server', 5, MADE), received(CONTINUE, 5), send(connack({ reasonCode })))
    assert.equal(wire(effects, 5), [hex])
    assert.is(state.phase, 'closing')
  }
})

test('MQTT-4.12.1-2: a failed re-authentication ends with DISCONNECT, and the Will is due', () => {
  const state = connected('server', 5, { connect: { properties: METHOD, will: WILL }, connack: { properties: METHOD } })
  const { effects } = steps(state, received(AGAIN, 5), send({ type: 'disconnect', reasonCode: 0x87 }))
  assert.equal(wire(effects, 5), ['e0 01 87'])
  assert.is(causeOf(effects).will?.topic, '/hans/will')
})

test('an exchange that hangs ends by the timers that run from CONNECT', () => {
  const server = steps(authenticating('server', 5, MADE), send(CONTINUE)).state
  assert.equal(wire(step(server, timer('auth')).effects, 5), ['20 03 00 88 00'])
  const client = steps(authenticating('client', 5, MADE), received(CONTINUE, 5)).state
  assert.is(causeOf(step(client, timer('connect')).effects).why, 'connack-timeout')
})

test('AUTH came with 5.0', () => {
  for (const version of [3, 4] as const) {
    for (const state of [authenticating('client', version), connected('client', version), authenticating('server', version), connected('server', version)]) {
      assert.equal(told(step(state, send(CONTINUE)).effects).length, 1)
      assert.is(step(state, send(CONTINUE)).state, state)
    }
    // Bytes of 3.x have no such packet.
    assert.is(step(connected('server', version), malformed('f0 00', version)).state.phase, 'closing')
  }
  ignored(steps(connected('client', 5, MADE), send({ type: 'disconnect' })).state, received(CONTINUE, 5))
})

test('MQTT-4.12.0-2 (5.0): before CONNACK a Server asks for more with 0x18 and nothing else', () => {
  const made = { connect: { properties: { authenticationMethod: 'SCRAM-SHA-1' } } }
  const success = { type: 'auth', reasonCode: 0, properties: { authenticationMethod: 'SCRAM-SHA-1' } } as const
  refused(authenticating('server', 5, made), success, 'MQTT-4.12.0-2')
  violates(authenticating('client', 5, made), received(success, 5), 'MQTT-4.12.0-2', 'e0 01 82')
})

test('MQTT-4.12.0-6 (5.0): a refusal names no Authentication Method that CONNECT did not name', () => {
  refused(authenticating('server', 5), { type: 'connack', reasonCode: 0x87, properties: { authenticationMethod: 'SCRAM-SHA-1' } }, 'MQTT-4.12.0-6')
})

test.run()
