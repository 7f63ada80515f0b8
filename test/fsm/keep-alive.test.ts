import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { armKeepAlive, keepAliveDue, ping, pingrespOverdue, receivePingresp } from '../../src/fsm/keep-alive.ts'
import type { Authenticating, Connected } from '../../src/fsm/index.ts'
import { authenticating, causeOf, connected, ignored, received, send, step, steps, timer, told, VERSIONS, WILL, wire } from './helpers.ts'

const PINGREQ = send({ type: 'pingreq' })
const pingresp = received({ type: 'pingresp' }, 4)

test('MQTT-3.1.2-23, MQTT-3.1.2-24: a Client counts what it sends, for Keep Alive; a Server what it receives, for 1.5 times that; 0 is off', () => {
  const timers = (role: 'client' | 'server', seconds: number): readonly string[] => told(armKeepAlive(role, seconds))
  assert.equal(timers('client', 60), ['arm keep-alive 60000 sent'])
  assert.equal(timers('server', 60), ['arm keep-alive 90000 received'])
  assert.equal(timers('client', 1), ['arm keep-alive 1000 sent'])
  assert.equal(timers('server', 1), ['arm keep-alive 1500 received'])
  // The largest there is, eighteen hours and more, fits a timer of 32 bits.
  assert.equal(timers('server', 65_535), ['arm keep-alive 98302500 received'])
  assert.equal([...timers('client', 0), ...timers('server', 0)], [])
})

test('MQTT-3.1.2-20, MQTT-3.1.2-23: a Client that has sent nothing for Keep Alive sends PINGREQ, in every version', () => {
  for (const version of VERSIONS) {
    const { state, effects } = step(connected('client', version), timer('keep-alive'))
    assert.equal(wire(effects, version), ['c0 00'])
    assert.equal(told(effects), ['write pingreq', 'arm keep-alive 60000 sent', 'arm pingresp 10000'])
    assert.ok(state.phase === 'connected' && state.pinging)
  }
})

test('PINGREQ while one is outstanding goes out, and leaves the deadline and the state alone', () => {
  const state = keepAliveDue(connected('client', 4)).state as Connected
  const { state: after, effects } = step(state, timer('keep-alive'))
  assert.equal(told(effects), ['write pingreq', 'arm keep-alive 60000 sent'])
  assert.is(after, state)
})

test('PINGRESP ends the wait; one nobody waits for does nothing', () => {
  const idle = connected('client', 4)
  ignored(idle, pingresp)
  const { state, effects } = receivePingresp(step(idle, timer('keep-alive')).state as Connected)
  assert.equal(told(effects), ['disarm pingresp'])
  assert.equal(state, idle)
  assert.is(receivePingresp(idle).state, idle)
})

test('a PINGREQ the application asked for is settled by PINGRESP, with all that were outstanding', () => {
  const asked = steps(connected('client', 5), send({ type: 'pingreq' }, 'a'), timer('keep-alive'), send({ type: 'pingreq' }, 'b')).state
  const { state, effects } = step(asked, received({ type: 'pingresp' }, 5))
  assert.equal(told(effects), ['disarm pingresp', 'settle a', 'settle b'])
  assert.ok(state.phase === 'connected' && !state.pinging && state.pingTokens.length === 0)
  for (const effect of effects) if (effect.type === 'settle') assert.equal(effect.packet, { type: 'pingresp' })
})

test('with Keep Alive 0 nothing is sent by itself, and a PINGREQ that is asked for has its deadline all the same', () => {
  const state = connected('client', 4, { connect: { keepAlive: 0 } })
  ignored(state, timer('keep-alive'))
  assert.equal(told(step(state, PINGREQ).effects), ['write pingreq', 'arm pingresp 10000'])
})

test('before CONNACK a Client keeps alive too, without a deadline of its own', () => {
  for (const version of VERSIONS) {
    const state = authenticating('client', version)
    for (const input of [timer('keep-alive'), PINGREQ]) {
      const { state: after, effects } = step(state, input)
      assert.equal(told(effects), ['write pingreq', 'arm keep-alive 60000 sent'])
      assert.is(after, state)
    }
  }
})

test('MQTT-3.1.2-30: with an Authentication Method not even PINGREQ goes out before CONNACK', () => {
  const state = authenticating('client', 5, { connect: { properties: { authenticationMethod: 'PLAIN' } } })
  assert.equal(told(keepAliveDue(state as Authenticating).effects), ['arm keep-alive 60000 sent'])
  assert.is(ping(state as Authenticating).state, state)
})

test('no PINGRESP within limits.pingrespTimeout: the Client takes the Server for dead and closes without a word', () => {
  for (const version of VERSIONS) {
    const state = step(connected('client', version, { limits: { pingrespTimeout: 7 } }), PINGREQ).state
    const { effects } = step(state, timer('pingresp'))
    assert.equal(told(effects), ['disarm keep-alive', 'disarm pingresp', 'arm close 5000', 'close pingresp-timeout'])
    const { by, phase, reasonCode, sentence } = causeOf(pingrespOverdue(state as Connected).effects)
    assert.equal({ by, phase, reasonCode, sentence }, { by: 'client', phase: 'connected', reasonCode: 0x80, sentence: 'No PINGRESP came within 7 ms: the Server is taken for dead.' })
  }
})

test('MQTT-3.1.2-22, MQTT-3.1.2-24: a Client silent for 1.5 x Keep Alive is cut off, in 5.0 with DISCONNECT 0x8D, and its Will is due', () => {
  const statements = { 3: 'SPEC-3.1-keep-alive', 4: 'MQTT-3.1.2-24', 5: 'MQTT-3.1.2-22' }
  for (const version of VERSIONS) {
    const { state, effects } = step(connected('server', version, { connect: { keepAlive: 2, will: WILL } }), timer('keep-alive'))
    assert.is(state.phase, 'closing')
    assert.equal(wire(effects, version), version === 5 ? ['e0 01 8d'] : [])
    const { by, why, reasonCode, rule, will, sentence } = causeOf(effects)
    assert.equal({ by, why, reasonCode, rule, topic: will?.topic, sentence }, {
      by: 'server', why: 'keep-alive-timeout', reasonCode: 0x8d, rule: statements[version], topic: '/hans/will',
      sentence: 'The Client sent nothing for one and a half times its Keep Alive of 2 s.',
    })
  }
})

test('a Server with Keep Alive 0, its own or the Client\'s, waits for ever', () => {
  ignored(connected('server', 4, { connect: { keepAlive: 0 } }), timer('keep-alive'))
  ignored(connected('server', 5, { connack: { properties: { serverKeepAlive: 0 } } }), timer('keep-alive'))
})

test.run()
