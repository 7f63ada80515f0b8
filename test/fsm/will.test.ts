// A Will: kept from acceptance on, discarded by DISCONNECT 0x00 alone, and named in the cause of every other ending (5.0 §3.1.2.5).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { toJson } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion, Will } from '../../src/codec/index.ts'
import type { Input, State } from '../../src/fsm/index.ts'
import { authenticating, broken, causeOf, connack, connect, connected, ended, malformed, received, send, step, steps, timer, VERSIONS, WILL } from './helpers.ts'

const MADE = { connect: { will: WILL } }

function willDue(state: State, input: Input): Will | undefined {
  return causeOf(step(state, input).effects).will
}

function disconnect(version: ProtocolVersion, reasonCode = 0): Input {
  return received({ type: 'disconnect', reasonCode }, version)
}

test('MQTT-3.1.2-8: the Will is due as CONNECT gave it, when the Network Connection ends or breaks without DISCONNECT', () => {
  const wanted = { topic: '/hans/will', payload: { hex: '75 6e 65 78 70 65 63 74 65 64 20 65 78 69 74' }, qos: 2, retain: false }
  for (const version of VERSIONS) {
    for (const input of [ended, broken]) assert.equal(toJson(willDue(connected('server', version, MADE), input)), wanted)
  }
})

test('MQTT-3.1.2-8: its properties with it, so that the Will Delay Interval can pass first', () => {
  const will = { ...WILL, retain: true, properties: { willDelayInterval: 5, userProperties: [['a', '1'], ['a', '2']] } } as const
  assert.equal(toJson(willDue(connected('server', 5, { connect: { will } }), broken)), {
    topic: '/hans/will', payload: { hex: '75 6e 65 78 70 65 63 74 65 64 20 65 78 69 74' }, qos: 2, retain: true,
    properties: { willDelayInterval: 5, userProperties: [['a', '1'], ['a', '2']] },
  })
})

test('MQTT-3.14.4-3: DISCONNECT 0x00 discards it, in every version', () => {
  for (const version of VERSIONS) assert.is(willDue(connected('server', version, MADE), disconnect(version)), undefined)
})

test('MQTT-3.14.4-3: DISCONNECT 0x04 and every error code keep it', () => {
  for (const reasonCode of [0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]) {
    assert.is(willDue(connected('server', 5, MADE), disconnect(5, reasonCode))?.topic, '/hans/will', `0x${reasonCode.toString(16)}`)
  }
})

test('MQTT-3.1.2-8: a Client that falls silent, sends what it may not, or cannot be read has its Will published', () => {
  for (const version of VERSIONS) {
    const suback: PacketInput = { type: 'suback', packetId: 1, reasonCodes: [0] }
    const inputs = [timer('keep-alive'), malformed('38 03 00 01 61', version), received(suback, version), received(connect(version), version)]
    for (const input of inputs) assert.is(willDue(connected('server', version, MADE), input)?.topic, '/hans/will')
  }
})

test('takeover: the first connection ends with 0x8E, in 3.x without a word, and its Will is due', () => {
  for (const version of VERSIONS) {
    const cause = causeOf(step(connected('server', version, MADE), send({ type: 'disconnect', reasonCode: 0x8e })).effects)
    const { by, why, reasonCode, sentence } = cause
    assert.equal({ by, why, reasonCode, sentence }, { by: 'server', why: 'taken-over', reasonCode: 0x8e, sentence: 'The Server disconnected: Session taken over.' })
    assert.is(cause.will?.topic, '/hans/will')
  }
})

test('whatever ends a connection from the Server\'s side, the Client has not discarded its Will', () => {
  for (const reasonCode of [0x00, 0x8b, 0x98, 0xa0]) {
    for (const version of VERSIONS) assert.is(willDue(connected('server', version, MADE), send({ type: 'disconnect', reasonCode }))?.topic, '/hans/will')
  }
})

test('before it is accepted a Client has no Will', () => {
  for (const version of VERSIONS) {
    const state = authenticating('server', version, MADE)
    for (const input of [ended, broken, timer('auth'), send(connack({ reasonCode: 0x87 })), malformed('38 03 00 01 61', version)]) assert.is(willDue(state, input), undefined)
  }
})

test('a Will of a Client that sent DISCONNECT behind its CONNECT is discarded, or kept, once it is accepted', () => {
  for (const [reasonCode, topic] of [[0x00, undefined], [0x04, '/hans/will']] as const) {
    const { effects } = steps(authenticating('server', 5, MADE), disconnect(5, reasonCode), send(connack()))
    assert.is(causeOf(effects).will?.topic, topic)
  }
})

test('a Client owes nobody a Will, and one without a Will leaves none', () => {
  for (const version of VERSIONS) {
    assert.is(willDue(connected('client', version, MADE), broken), undefined)
    assert.is(willDue(connected('server', version), broken), undefined)
  }
})

test.run()
