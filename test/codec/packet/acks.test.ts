import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decoded, encoded, faulty, frame, misused, props, same, text, VERSIONS } from '../../helpers/codec.ts'

/** Type, first byte, a failure it may tell and one that it may not. */
const ACKS = [['puback', '40', '97', '92'], ['pubrec', '50', '10', '92'], ['pubrel', '62', '92', '97'], ['pubcomp', '70', '92', '10']] as const

test('in every version the short form is a Packet Identifier and means Success', () => {
  for (const [type, first] of ACKS) {
    for (const version of VERSIONS) same(`${first} 02 ff fe`, { type, packetId: 65_534, reasonCode: 0 }, version)
  }
})

test('SPEC-3.4.2.1-1: three bytes are identifier and code without properties; the shortest form is written', () => {
  for (const [type, first, code] of ACKS) {
    const reasonCode = parseInt(code, 16)
    same(`${first} 03 00 01 ${code}`, { type, packetId: 1, reasonCode }, 5)
    for (const hex of [`${first} 03 00 01 00`, `${first} 04 00 01 00 00`]) assert.equal(decoded(hex, 5), { type, packetId: 1, reasonCode: 0 })
    assert.equal(decoded(`${first} 04 00 01 ${code} 00`, 5), { type, packetId: 1, reasonCode })
    assert.is(encoded({ type, packetId: 1, reasonCode: 0, properties: {} }, 5), `${first} 02 00 01`)
    assert.is(encoded({ type, packetId: 1 }, 5), `${first} 02 00 01`)
  }
})

test('Reason String and User Properties come with any of them', () => {
  for (const [type, first, code] of ACKS) {
    for (const reason of ['00', code]) {
      const hex = frame(first, '00 01', reason, props('1f', text('r'), '26', text('k'), text('')))
      same(hex, { type, packetId: 1, reasonCode: parseInt(reason, 16), properties: { reasonString: 'r', userProperties: [['k', '']] } }, 5)
    }
  }
})

test('MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.6.2-1, MQTT-3.7.2-1: each has its own Reason Codes, both ways', () => {
  for (const [type, first, , wrong] of ACKS) {
    for (const code of [wrong, '01', 'ff']) {
      faulty(`${first} 03 00 01 ${code}`, 5, `${type}Code`, 4)
      misused({ type, packetId: 1, reasonCode: parseInt(code, 16) }, 5, `${type}Code`, 'reasonCode')
    }
  }
})

test('MQTT-2.3.1-1 (3.1.1), MQTT-2.2.1-3 (5.0): identifier 0 is refused, both ways', () => {
  for (const [type, first] of ACKS) {
    for (const version of VERSIONS) {
      faulty(`${first} 02 00 00`, version, 'packetId', 2)
      misused({ type, packetId: 0 }, version, 'packetId', 'packetId')
      misused({ type, packetId: 65_536 }, version, 'number', 'packetId')
    }
  }
})

test('before 5.0 there is nothing behind the identifier', () => {
  for (const [type, first] of ACKS) {
    for (const version of [3, 4] as const) {
      faulty(`${first} 03 00 01 00`, version, 'nothingLeft', 4)
      misused({ type, packetId: 1, reasonCode: 0x80 }, version, 'versionFive', 'reasonCode')
      misused({ type, packetId: 1, properties: {} }, version, 'versionFive', 'properties')
      assert.is(encoded({ type, packetId: 1, reasonCode: 0 }, version), `${first} 02 00 01`)
    }
  }
})

test('MQTT-4.13.1-1 (5.0), MQTT-4.8.0-1 (3.1.1): a field cut short, and bytes left over, are refused', () => {
  for (const [, first] of ACKS) {
    for (const version of VERSIONS) {
      faulty(`${first} 00`, version, 'fieldFits', 2)
      faulty(`${first} 01 00`, version, 'fieldFits', 2)
    }
    faulty(`${first} 05 00 01 00 00 00`, 5, 'nothingLeft', 6)
    faulty(`${first} 04 00 01 00 01`, 5, 'propertyLength', 5)
  }
})

test.run()
