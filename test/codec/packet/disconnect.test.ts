import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../../src/codec/decode.ts'
import { NORMAL_DISCONNECTION, readDisconnect } from '../../../src/codec/packet/disconnect.ts'
import { readerOf } from '../../helpers/cursors.ts'
import { decoded, encoded, faulty, misused, same, VERSIONS } from '../../helpers/codec.ts'

test('SPEC-3.14.2.1-1: no body means Normal disconnection; the packet is one shared frozen object', () => {
  for (const version of VERSIONS) {
    same('e0 00', { type: 'disconnect', reasonCode: 0 }, version)
    assert.is(decode(Uint8Array.of(0xe0, 0), version), decode(Uint8Array.of(0xe0, 0), version))
    assert.ok(Object.isFrozen(decode(Uint8Array.of(0xe0, 0), version)))
    assert.is(encoded({ type: 'disconnect' }, version), 'e0 00')
  }
})

test('twin: the two-byte DISCONNECT that `decode` gives without reading is the one that reading gives', () => {
  for (const version of VERSIONS) assert.is(readDisconnect(readerOf('', version, 'disconnect'), version), NORMAL_DISCONNECTION)
})

test('SPEC-3.14.2.1-1: one byte is a code without properties; the shortest form is written', () => {
  same('e0 01 04', { type: 'disconnect', reasonCode: 4 }, 5)
  for (const hex of ['e0 01 00', 'e0 02 00 00']) assert.equal(decoded(hex, 5), { type: 'disconnect', reasonCode: 0 })
  assert.equal(decoded('e0 02 8e 00', 5), { type: 'disconnect', reasonCode: 0x8e })
})

test('its properties', () => {
  const properties = { sessionExpiryInterval: 0, serverReference: 's', reasonString: 'r', userProperties: [['a', 'b']] }
  same('e0 16 00 14 11 00 00 00 00 1c 00 01 73 1f 00 01 72 26 00 01 61 00 01 62', { type: 'disconnect', reasonCode: 0, properties }, 5)
})

test('MQTT-3.14.2-1: it has its own Reason Codes, both ways', () => {
  for (const [hex, reasonCode] of [['01', 1], ['03', 3], ['84', 0x84], ['88', 0x88], ['92', 0x92], ['ff', 255]] as const) {
    faulty(`e0 01 ${hex}`, 5, 'disconnectCode', 2)
    misused({ type: 'disconnect', reasonCode }, 5, 'disconnectCode', 'reasonCode')
  }
})

test('SPEC-3.12-1 (3.1.1): before 5.0 it has no body', () => {
  for (const version of [3, 4] as const) {
    faulty('e0 01 00', version, 'noBody', 2)
    misused({ type: 'disconnect', reasonCode: 4 }, version, 'versionFive', 'reasonCode')
    misused({ type: 'disconnect', properties: {} }, version, 'versionFive', 'properties')
  }
})

test('MQTT-4.13.1-1: properties that do not fit, and bytes left over, are refused', () => {
  faulty('e0 02 00 05', 5, 'propertyLength', 3)
  faulty('e0 03 00 00 00', 5, 'nothingLeft', 4)
})

test.run()
