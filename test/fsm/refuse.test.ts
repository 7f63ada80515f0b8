import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { initial } from '../../src/fsm/index.ts'
import { refuse, refuseFor, usageError } from '../../src/fsm/refuse.ts'
import { deepFreeze } from './helpers.ts'

const state = deepFreeze(initial({ role: 'client' }))
const input = deepFreeze({ type: 'send', packet: { type: 'pingreq' }, token: 7 } as const)

test('a refusal leaves the very same state, and its one effect carries the UsageError and the token', () => {
  const { state: after, effects } = refuse(state, input, 'firstPacket', 4, 'PINGREQ while opening')
  assert.is(after, state)
  assert.is(effects.length, 1)
  const [effect] = effects
  assert.ok(effect?.type === 'refuse')
  assert.is(effect.token, 7)
  const { name, rule, packet, path, message } = effect.error
  assert.equal({ name, rule, packet, path, message }, {
    name: 'UsageError', rule: 'MQTT-3.1.0-1', packet: 'pingreq', path: '',
    message: 'pingreq: PINGREQ while opening; the first packet from the Client is CONNECT [MQTT-3.1.0-1]',
  })
})

test('the error can be had alone, and a refusal made of it', () => {
  const error = usageError(input, 'sendQuota', 5, '3 are unanswered')
  assert.equal([error.name, error.rule, error.message], ['UsageError', 'MQTT-4.9.0-2', 'pingreq: 3 are unanswered; no more messages of QoS 1 and 2 are sent than Receive Maximum allows; wait until one is answered [MQTT-4.9.0-2]'])
  const { state: after, effects } = refuseFor(state, input, error)
  assert.is(after, state)
  assert.equal(effects, [{ type: 'refuse', error, token: 7 }])
})

test('the statement is that of the version, and the newest where none is agreed on', () => {
  for (const [version, rule] of [[3, '3.1 §3.2'], [4, 'MQTT-4.8.0-1'], [5, 'MQTT-3.2.0-2'], [undefined, 'MQTT-3.2.0-2']] as const) {
    const [effect] = refuse(state, input, 'secondConnack', version, 'CONNACK').effects
    assert.ok(effect?.type === 'refuse' && effect.error.rule === rule)
  }
})

test.run()
