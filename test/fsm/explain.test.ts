// One sentence from any cause.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex } from '../../src/codec/index.ts'
import { explain } from '../../src/fsm/index.ts'
import type { CloseCause } from '../../src/fsm/index.ts'
import { authenticating, broken, causeOf, connack, connected, malformed, received, send, step, WILL } from './helpers.ts'

test('who, phase, code, Reason String, reference, rule, offset, Will and last bytes are all in it', () => {
  const cause: CloseCause = {
    by: 'server', why: 'protocol-error', phase: 'connected', version: 5, reasonCode: 0x82, reasonString: 'no', serverReference: 'other:1883', rule: 'MQTT-3.1.0-2', offset: 0,
    will: { topic: 'a', payload: new Uint8Array(0), qos: 0, retain: false }, willDelay: 30, bytes: fromHex('c0 00'), sentence: 'The Client sent what it may not.',
  }
  assert.is(explain(cause), 'The Client sent what it may not (ended by the Server while connected; code 0x82, Protocol Error; Reason String "no"; Server Reference "other:1883"; rule MQTT-3.1.0-2; offset 0; Will on "a" due in 30 s; last bytes c0 00).')
  assert.match(explain({ ...cause, willDelay: 0, bytes: new Uint8Array(40) }), /Will on "a" due now; last bytes … (00 ){15}00\)\.$/)
  assert.ok(!explain({ ...cause, bytes: new Uint8Array(0) }).includes('last bytes'))
})

test('what is not known is not mentioned', () => {
  assert.is(explain(causeOf(step(connected('client', 4), broken).effects)), 'The Network Connection broke while connected: ECONNRESET (nobody ended it, the network broke while connected).')
  assert.match(explain(causeOf(step(connected('server', 4), send({ type: 'disconnect' })).effects)), /ended by the Server while connected/)
  assert.match(explain(causeOf(step(connected('client', 4), send({ type: 'disconnect' })).effects)), /ended by the Client while connected; code 0x00, Normal disconnection\)/)
})

test('a refusal is named in the words of its version', () => {
  const old = causeOf(step(authenticating('client', 4), received(connack({ reasonCode: 5 }), 4)).effects)
  assert.match(explain(old), /ended by the Server while authenticating; return code 5, Connection refused, not authorized; rule MQTT-3.2.2-5\)\.$/)
  const five = causeOf(step(authenticating('client', 5), received(connack({ reasonCode: 0x87, properties: { reasonString: 'who are you?' } }), 5)).effects)
  assert.match(explain(five), /code 0x87, Not authorized; Reason String "who are you\?"/)
  const server = causeOf(step(authenticating('server', 4), send(connack({ reasonCode: 0x86 }))).effects)
  assert.match(explain(server), /code 0x86, Bad User Name or Password/)
  assert.match(explain({ ...five, reasonCode: 0xff }), /; code 0xff; /)
})

test('the bytes that could not be read are there, the last 64 of them, and a Will that is due', () => {
  const input = { ...malformed('c1 00', 5), bytes: new Uint8Array(100).fill(0xc1) }
  const cause = causeOf(step(connected('server', 5, { connect: { will: WILL } }), input).effects)
  assert.is(cause.bytes?.length, 64)
  assert.match(explain(cause), /offset 0; Will on "\/hans\/will" due now; last bytes … c1/)
})

test.run()
