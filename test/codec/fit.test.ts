import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, encodedSize } from '../../src/codec/encode.ts'
import { fit } from '../../src/codec/fit.ts'
import type { PacketInput } from '../../src/codec/packet.ts'

const REASON = { reasonString: 'because it is so' }
const USER = { userProperties: [['a', 'b'], ['c', 'd']] } as const

/** Each packet that may lose them, with its statements: Reason String, User Property. */
const CARRIERS: readonly (readonly [reason: string, user: string, packet: PacketInput])[] = [
  ['MQTT-3.2.2-19', 'MQTT-3.2.2-20', { type: 'connack', reasonCode: 0x87 }],
  ['MQTT-3.4.2-2', 'MQTT-3.4.2-3', { type: 'puback', packetId: 7, reasonCode: 0x87 }],
  ['MQTT-3.5.2-2', 'MQTT-3.5.2-3', { type: 'pubrec', packetId: 7, reasonCode: 0x87 }],
  ['MQTT-3.6.2-2', 'MQTT-3.6.2-3', { type: 'pubrel', packetId: 7, reasonCode: 0x92 }],
  ['MQTT-3.7.2-2', 'MQTT-3.7.2-3', { type: 'pubcomp', packetId: 7, reasonCode: 0x92 }],
  ['MQTT-3.9.2-1', 'MQTT-3.9.2-2', { type: 'suback', packetId: 7, reasonCodes: [0, 0x87] }],
  ['MQTT-3.11.2-1', 'MQTT-3.11.2-2', { type: 'unsuback', packetId: 7, reasonCodes: [0, 0x87] }],
  ['MQTT-3.14.2-3', 'MQTT-3.14.2-4', { type: 'disconnect', reasonCode: 0x87 }],
]

for (const [reason, user, bare] of CARRIERS) {
  test(`${reason} (5.0): Reason String of ${bare.type.toUpperCase()} is left out when the packet would be too large, and only then`, () => {
    const packet = { ...bare, properties: REASON } as PacketInput
    const size = encodedSize(packet, 5)
    assert.is(fit(packet, 5, size), packet)
    assert.equal(encode(fit(packet, 5, size - 1)!, 5), encode(bare, 5))
  })

  test(`${user} (5.0): User Properties of ${bare.type.toUpperCase()} are left out when the packet would be too large, and only then`, () => {
    const packet = { ...bare, properties: USER } as PacketInput
    const size = encodedSize(packet, 5)
    assert.is(fit(packet, 5, size), packet)
    assert.equal(encode(fit(packet, 5, size - 1)!, 5), encode(bare, 5))
    const both = { ...bare, properties: { ...REASON, ...USER } } as PacketInput
    assert.equal(encode(fit(both, 5, encodedSize(both, 5) - 1)!, 5), encode(packet, 5), 'the Reason String goes first')
    assert.equal(encode(fit(both, 5, size - 1)!, 5), encode(bare, 5), 'then both')
  })
}

test('MQTT-3.15.2-2, MQTT-3.15.2-3 (5.0): AUTH keeps its method', () => {
  const bare: PacketInput = { type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'SCRAM' } }
  const packet: PacketInput = { ...bare, properties: { ...bare.properties, ...REASON, ...USER } }
  assert.equal(encode(fit(packet, 5, encodedSize(bare, 5))!, 5), encode(bare, 5))
  assert.is(fit(packet, 5, encodedSize(bare, 5) - 1), undefined)
})

test('a long Reason String may make room for User Properties, and short User Properties for a Reason String', () => {
  const long: PacketInput = { type: 'puback', packetId: 7, properties: { reasonString: 'r', userProperties: [['a', 'x'.repeat(100)]] } }
  assert.equal(fit(long, 5, 20)!.properties, { reasonString: 'r' })
})

test('MQTT-3.1.2-24, MQTT-3.2.2-15 (5.0): what cannot be made small enough is not sent', () => {
  assert.is(fit({ type: 'suback', packetId: 1, reasonCodes: new Array<number>(100).fill(0), properties: REASON }, 5, 50), undefined)
  for (const packet of [
    { type: 'publish', topic: 't', payload: 'x', properties: USER },
    { type: 'connect', version: 5, clientId: 'a', cleanStart: true, keepAlive: 0, properties: USER },
  ] as const) {
    const size = encodedSize(packet, 5)
    assert.is(fit(packet, 5, size), packet)
    assert.is(fit(packet, 5, size - 1), undefined, 'properties of CONNECT and PUBLISH are not ours to leave out')
  }
  assert.equal(fit({ type: 'pingreq' }, 5, 2), { type: 'pingreq' })
  assert.is(fit({ type: 'puback', packetId: 1, properties: { reasonString: undefined } }, 5, 3), undefined)
})

test.run()
