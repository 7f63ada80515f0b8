import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../../src/codec/decode.ts'
import { fromHex, toJson } from '../../../src/codec/json.ts'
import { decoded, encoded, faulty, frame, misused, props, same } from '../../helpers/codec.ts'

test('Session Present and the code are the whole of it before 5.0', () => {
  same('20 02 00 00', { type: 'connack', sessionPresent: false, reasonCode: 0 }, 4)
  same('20 02 01 00', { type: 'connack', sessionPresent: true, reasonCode: 0 }, 4)
  same('20 02 00 05', { type: 'connack', sessionPresent: false, reasonCode: 5 }, 4)
  same('20 02 00 05', { type: 'connack', sessionPresent: false, reasonCode: 5 }, 3)
})

test('MQTT-2.2.2-1 (5.0): 5.0 adds a Property Length, 0 without properties', () => {
  same('20 03 00 00 00', { type: 'connack', sessionPresent: false, reasonCode: 0 }, 5)
  same('20 03 01 00 00', { type: 'connack', sessionPresent: true, reasonCode: 0 }, 5)
  same('20 06 00 87 03 21 00 0a', { type: 'connack', sessionPresent: false, reasonCode: 0x87, properties: { receiveMaximum: 10 } }, 5)
})

test('all its properties at once, written in the order of Table 2-4', () => {
  const properties = {
    sessionExpiryInterval: 1, assignedClientIdentifier: 'i', serverKeepAlive: 2, authenticationMethod: 'm', authenticationData: { hex: '00' }, responseInformation: 'x',
    serverReference: 's', reasonString: 'r', receiveMaximum: 3, topicAliasMaximum: 4, maximumQos: 1, retainAvailable: false, userProperties: [['a', 'b']], maximumPacketSize: 5,
    wildcardSubscriptionAvailable: false, subscriptionIdentifiersAvailable: false, sharedSubscriptionAvailable: false,
  }
  const hex = frame('20', '00 00', props(
    '11 00 00 00 01', '12 00 01 69', '13 00 02', '15 00 01 6d', '16 00 01 00', '1a 00 01 78', '1c 00 01 73', '1f 00 01 72', '21 00 03', '22 00 04', '24 01', '25 00',
    '26 00 01 61 00 01 62', '27 00 00 00 05', '28 00', '29 00', '2a 00',
  ))
  same(hex, { type: 'connack', sessionPresent: false, reasonCode: 0, properties }, 5)
})

test('sessionPresent may be left out', () => {
  assert.is(encoded({ type: 'connack', reasonCode: 0 }, 4), '20 02 00 00')
})

test('SPEC-3.1-connack-byte-1: the first byte of 3.1 is reserved: ignored when read, 0 when written', () => {
  for (const byte of ['01', '02', 'ff']) assert.equal(decoded(`20 02 ${byte} 00`, 3), { type: 'connack', sessionPresent: false, reasonCode: 0 })
  assert.equal(decoded('20 02 01 05', 3), { type: 'connack', sessionPresent: false, reasonCode: 5 })
  assert.is(encoded({ type: 'connack', sessionPresent: true, reasonCode: 0 }, 3), '20 02 00 00')
})

test('MQTT-3.2.2-1 (5.0): bits 7-1 of the Connect Acknowledge Flags are 0', () => {
  for (const byte of ['02', '03', '80', 'ff']) {
    faulty(`20 03 ${byte} 00 00`, 5, 'acknowledgeFlags', 2)
    faulty(`20 02 ${byte} 00`, 4, 'acknowledgeFlags', 2)
  }
})

test('MQTT-3.2.2-4 (3.1.1), MQTT-3.2.2-6 (5.0): a refusal has Session Present 0, both ways', () => {
  faulty('20 02 01 05', 4, 'sessionPresentRefused', 2)
  faulty('20 03 01 87 00', 5, 'sessionPresentRefused', 2)
  for (const version of [3, 4] as const) misused({ type: 'connack', sessionPresent: true, reasonCode: 1 }, version, 'sessionPresentRefused', 'sessionPresent')
  misused({ type: 'connack', sessionPresent: true, reasonCode: 0x87 }, 5, 'sessionPresentRefused', 'sessionPresent')
})

test('MQTT-3.2.2-8 (5.0), SPEC-3.1-return-codes: it has its own codes, both ways', () => {
  for (const [hex, reasonCode] of [['01', 1], ['8e', 0x8e], ['ff', 255]] as const) {
    faulty(`20 03 00 ${hex} 00`, 5, 'connackCode', 3)
    misused({ type: 'connack', reasonCode }, 5, 'connackCode', 'reasonCode')
  }
  for (const version of [3, 4] as const) {
    for (const [hex, reasonCode] of [['06', 6], ['80', 128]] as const) {
      faulty(`20 02 00 ${hex}`, version, 'connackCode', 3)
      misused({ type: 'connack', reasonCode }, version, 'connackCode', 'reasonCode')
    }
  }
})

test('a CONNACK of 3.1.1 in answer to a 5.0 CONNECT is told as such', () => {
  faulty('20 02 00 01', 5, 'connackForm', 4)
  faulty('20 02 00 00', 5, 'connackForm', 4)
})

test('on request it is read as the CONNACK of 5.0 that says the same', () => {
  const read = (hex: string) => toJson(decode(fromHex(hex), 5, { lenient: ['connack-of-3.1.1'] }))
  for (const [code, reasonCode] of [['00', 0x00], ['01', 0x84], ['02', 0x85], ['03', 0x88], ['04', 0x86], ['05', 0x87]] as const) {
    assert.equal(read(`20 02 00 ${code}`), { type: 'connack', sessionPresent: false, reasonCode })
  }
  assert.equal(read('20 02 01 00'), { type: 'connack', sessionPresent: true, reasonCode: 0 })
  for (const hex of ['20 02 00 06', '20 02 02 00', '20 02 01 05']) assert.throws(() => read(hex), (error: Error) => error.name === 'ProtocolError' || error.name === 'MalformedPacket')
})

test('MQTT-4.13.1-1 (5.0), MQTT-4.8.0-1 (3.1.1): fields missing, and bytes left over, are refused', () => {
  for (const version of [3, 4, 5] as const) {
    faulty('20 00', version, 'fieldFits', 2)
    faulty('20 01 00', version, 'fieldFits', 3)
  }
  for (const version of [3, 4] as const) faulty('20 03 00 00 00', version, 'nothingLeft', 4)
  faulty('20 04 00 00 00 00', 5, 'nothingLeft', 5)
})

test('wrong types and 5.0 fields in 3.x are refused by path', () => {
  misused({ type: 'connack', sessionPresent: 1, reasonCode: 0 }, 5, 'fieldType', 'sessionPresent')
  misused({ type: 'connack' }, 5, 'connackCode', 'reasonCode')
  misused({ type: 'connack', reasonCode: 0, properties: { topicAlias: 1 } }, 5, 'propertyMisplaced', 'properties.topicAlias')
  for (const version of [3, 4] as const) misused({ type: 'connack', reasonCode: 0, properties: {} }, version, 'versionFive', 'properties')
})

test.run()
