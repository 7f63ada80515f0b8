// What a Client sends behind its CONNECT before the CONNACK (5.0 §3.1.4, 3.1.1 §3.1.4).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import type { State } from '../../src/fsm/index.ts'
import { authenticating, causeOf, connack, ended, ignored, malformed, received, refused, send, step, steps, timer, told, VERSIONS, violates, WILL, wire } from './helpers.ts'
import type { Made } from './helpers.ts'

const SUBSCRIBE: PacketInput = { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] }
const PUBLISH: PacketInput = { type: 'publish', topic: 'a', payload: 'b' }

function behind(version: ProtocolVersion, packets: readonly PacketInput[], made: Made = {}): State {
  let state = authenticating('server', version, made)
  for (const packet of packets) {
    const next = step(state, received(packet, version))
    assert.equal(next.effects, [], 'held without a word')
    assert.is.not(next.state, state)
    state = next.state
  }
  return state
}

test('SPEC-3.1.4-1: what is held comes after CONNACK, in the order it was sent, as if it came then', () => {
  for (const version of VERSIONS) {
    const { state, effects } = step(behind(version, [SUBSCRIBE, PUBLISH, { type: 'pingreq' }, PUBLISH]), send(connack()))
    assert.equal(told(effects), ['write connack', 'disarm auth', 'arm keep-alive 90000 received', 'deliver subscribe', 'deliver publish', 'write pingresp', 'deliver publish'])
    assert.is(state.phase, 'connected')
    assert.ok(!('held' in state))
  }
})

test('CONNECT, SUBSCRIBE, PUBLISH, DISCONNECT in one go: all of it happens, and the Will is discarded', () => {
  for (const version of VERSIONS) {
    const { state, effects } = step(behind(version, [SUBSCRIBE, PUBLISH, { type: 'disconnect' }, PUBLISH], { connect: { will: WILL } }), send(connack()))
    assert.equal(told(effects), [
      'write connack', 'disarm auth', 'arm keep-alive 90000 received', 'deliver subscribe', 'deliver publish',
      'disarm keep-alive', 'arm close 5000', 'close disconnect',
    ])
    const { by, phase, will, version: agreed } = causeOf(effects)
    assert.equal({ by, phase, will, agreed }, { by: 'client', phase: 'connected', will: undefined, agreed: version })
    assert.is(state.phase, 'closing')
  }
})

test('MQTT-3.1.4-5, MQTT-3.1.4-6: after a refusal nothing of what is held is processed', () => {
  for (const version of VERSIONS) {
    const { state, effects } = step(behind(version, [SUBSCRIBE, PUBLISH, { type: 'pingreq' }]), send(connack({ reasonCode: 0x87 })))
    assert.equal(told(effects), ['write connack', 'disarm auth', 'arm close 5000', 'close refused'])
    ignored(state, received(PUBLISH, version))
  }
})

test('after an error, a timeout or the end before the CONNACK nothing of it is processed either', () => {
  const state = behind(4, [SUBSCRIBE, PUBLISH])
  for (const input of [malformed('38 03 00 01 61', 4), timer('auth'), ended]) {
    assert.not.ok(told(step(state, input).effects).some((word) => word.startsWith('deliver')))
  }
})

test('an acceptance that is refused keeps what is held', () => {
  refused(behind(4, [PUBLISH]), connack({ sessionPresent: true }), 'MQTT-3.2.2-1')
  const fixed = steps(behind(4, [PUBLISH]), send(connack({ sessionPresent: true })), send(connack()))
  assert.equal(told(fixed.effects).at(-1), 'deliver publish')
})

test('a packet that is held is judged at once where it can be: a violation does not wait for the application', () => {
  const forbidden: PacketInput = { type: 'publish', topic: 'a', payload: '', properties: { subscriptionIdentifiers: [1] } }
  violates(behind(5, [PUBLISH]), received(forbidden, 5), 'MQTT-3.3.4-6', '20 03 00 82 00')
})

test('no more than limits.heldPackets are held: one more is Quota exceeded in 5.0 and the end without a word in 3.x', () => {
  const rules = { 3: '3.1 §3.1', 4: '3.1.1 §3.1.4', 5: '5.0 §3.1.4' }
  for (const version of VERSIONS) {
    for (const heldPackets of [0, 1, 3]) {
      const full = behind(version, Array.from({ length: heldPackets }, () => PUBLISH), { limits: { heldPackets }, connect: { will: WILL } })
      const cause = violates(full, received(PUBLISH, version), rules[version], ...(version === 5 ? ['20 03 00 97 00'] : []))
      assert.equal([cause.reasonCode, cause.will], [0x97, undefined])
      assert.equal(wire(step(full, send(connack())).effects, version).length, 1)
    }
  }
})

test('limits.heldPackets is 100 unless said otherwise', () => {
  const full = behind(4, Array.from({ length: 100 }, () => PUBLISH))
  assert.is(told(step(full, send(connack())).effects).filter((word) => word === 'deliver publish').length, 100)
  violates(full, received(PUBLISH, 4), '3.1.1 §3.1.4')
})

test.run()
