import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MAXIMUM_REMAINING_LENGTH, PACKET_TYPES, PACKETS, PROTOCOL_NAMES } from '../../src/codec/protocol.ts'

test('MQTT-2.1.3-1 (5.0), MQTT-2.2.2-1 (3.1.1): types and header flags are those of Tables 2-1 and 2-2', () => {
  // Copied from the tables: name, value, direction of flow, bits 3-0.
  const tables = [
    ['connect', 1, 'client', 0], ['connack', 2, 'server', 0], ['publish', 3, 'both', 'publish'], ['puback', 4, 'both', 0], ['pubrec', 5, 'both', 0],
    ['pubrel', 6, 'both', 2], ['pubcomp', 7, 'both', 0], ['subscribe', 8, 'client', 2], ['suback', 9, 'server', 0], ['unsubscribe', 10, 'client', 2],
    ['unsuback', 11, 'server', 0], ['pingreq', 12, 'client', 0], ['pingresp', 13, 'server', 0], ['disconnect', 14, 'both', 0], ['auth', 15, 'both', 0],
  ]
  assert.equal(Object.entries(PACKETS).map(([type, { number, senders, flags }]) => [type, number, senders, flags]), tables)
})

test('SPEC-2.1.2-1, SPEC-2.2.1-1: there is no type 0, and 15 came with 5.0', () => {
  assert.is(PACKET_TYPES.length, 16)
  assert.is(PACKET_TYPES[0], undefined)
  for (const [type, { number, since }] of Object.entries(PACKETS)) {
    assert.is(PACKET_TYPES[number], type)
    assert.is(since, type === 'auth' ? 5 : 3)
  }
})

test('SPEC-3.1-protocol-id: MQTT 3.1 calls itself MQIsdp, later versions MQTT', () => {
  assert.equal(PROTOCOL_NAMES, { 3: 'MQIsdp', 4: 'MQTT', 5: 'MQTT' })
})

test('SPEC-2.2.3-1 (3.1.1): the largest Remaining Length is FF FF FF 7F', () => {
  assert.is(MAXIMUM_REMAINING_LENGTH, 0x7f + 0x7f * 128 + 0x7f * 128 ** 2 + 0x7f * 128 ** 3)
})

test.run()
