import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MalformedPacket, ProtocolError, UsageError } from '../../src/codec/errors.ts'

const DETAILS = { reasonCode: 0x81, offset: 3, packet: 'connack', rule: 'MQTT-3.2.2-1', version: 5, foreign: undefined } as const

test('the decode errors are Errors, known by name, and carry the facts', () => {
  for (const [Kind, name] of [[MalformedPacket, 'MalformedPacket'], [ProtocolError, 'ProtocolError']] as const) {
    const error = new Kind('what is wrong', DETAILS)
    assert.instance(error, Error)
    assert.is(error.name, name)
    assert.is(error.message, 'what is wrong')
    assert.match(String(error.stack), `${name}: what is wrong`)
    const { reasonCode, offset, packet, rule, version, foreign } = error
    assert.equal({ reasonCode, offset, packet, rule, version, foreign }, DETAILS)
    assert.is(new Kind('', { ...DETAILS, foreign: 'HTTP' }).foreign, 'HTTP')
  }
})

test('a UsageError is an Error, known by name, and carries packet, rule and path', () => {
  const error = new UsageError('what is wrong', { packet: 'connect', rule: 'MQTT-3.1.2-12', path: 'will.qos' })
  assert.instance(error, Error)
  assert.is(error.name, 'UsageError')
  assert.match(String(error.stack), 'UsageError: what is wrong')
  const { message, packet, rule, path } = error
  assert.equal({ message, packet, rule, path }, { message: 'what is wrong', packet: 'connect', rule: 'MQTT-3.1.2-12', path: 'will.qos' })
})

test.run()
