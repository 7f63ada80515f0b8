import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decoded, encoded, faulty, misused, same } from '../../helpers/codec.ts'

const METHOD = { authenticationMethod: 'm' }

test('SPEC-3.15.2.1-1: the form without a body is Success without properties', () => {
  same('f0 00', { type: 'auth', reasonCode: 0 }, 5)
  assert.is(encoded({ type: 'auth' }, 5), 'f0 00')
})

test('each Reason Code goes with a method, data and the rest', () => {
  for (const [hex, reasonCode] of [['00', 0], ['18', 24], ['19', 25]] as const) {
    same(`f0 06 ${hex} 04 15 00 01 6d`, { type: 'auth', reasonCode, properties: METHOD }, 5)
    same(`f0 0a ${hex} 08 15 00 01 6d 16 00 01 ff`, { type: 'auth', reasonCode, properties: { ...METHOD, authenticationData: { hex: 'ff' } } }, 5)
    const properties = { ...METHOD, reasonString: 'r', userProperties: [['a', 'b'], ['a', 'b']] }
    same(`f0 18 ${hex} 16 15 00 01 6d 1f 00 01 72 26 00 01 61 00 01 62 26 00 01 61 00 01 62`, { type: 'auth', reasonCode, properties }, 5)
  }
})

test('MQTT-3.15.2-1: there are no other codes, both ways', () => {
  for (const [hex, reasonCode] of [['01', 1], ['17', 23], ['1a', 26], ['80', 128], ['8c', 140]] as const) {
    faulty(`f0 06 ${hex} 04 15 00 01 6d`, 5, 'authCode', 2)
    misused({ type: 'auth', reasonCode, properties: METHOD }, 5, 'authCode', 'reasonCode')
  }
})

test('SPEC-3.15.2.2.2-1: any body names its Authentication Method, both ways', () => {
  faulty('f0 01 00', 5, 'authMethod', 3)
  faulty('f0 01 18', 5, 'authMethod', 3)
  faulty('f0 02 18 00', 5, 'authMethod', 3)
  faulty('f0 06 18 04 1f 00 01 72', 5, 'authMethod', 3)
  misused({ type: 'auth', reasonCode: 0x18 }, 5, 'authMethod', 'properties.authenticationMethod')
  misused({ type: 'auth', reasonCode: 0x18, properties: {} }, 5, 'authMethod', 'properties.authenticationMethod')
  misused({ type: 'auth', reasonCode: 0, properties: { reasonString: 'r' } }, 5, 'authMethod', 'properties.authenticationMethod')
})

test('SPEC-3.1.2.11.10-1: Authentication Data does not stand for the method', () => {
  faulty('f0 06 18 04 16 00 01 ff', 5, 'authenticationMethod', 4)
  misused({ type: 'auth', reasonCode: 0x18, properties: { authenticationData: Uint8Array.of(255) } }, 5, 'authenticationMethod', 'properties.authenticationData')
})

test('MQTT-4.13.1-1: bytes left over are refused', () => {
  faulty('f0 07 18 04 15 00 01 6d 00', 5, 'nothingLeft', 8)
})

test('a method may be empty', () => {
  assert.equal(decoded('f0 05 18 03 15 00 00', 5), { type: 'auth', reasonCode: 24, properties: { authenticationMethod: '' } })
})

test.run()
