import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encoded, faulty, frame, misused, props, same, text, VERSIONS } from '../../helpers/codec.ts'

/** 5.0 Table 3-9. */
const CODES = [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]

test('before 5.0 it is an identifier and nothing else', () => {
  for (const version of [3, 4] as const) {
    same('b0 02 00 0a', { type: 'unsuback', packetId: 10, reasonCodes: [] }, version)
    assert.is(encoded({ type: 'unsuback', packetId: 10 }, version), 'b0 02 00 0a')
    faulty('b0 03 00 0a 00', version, 'nothingLeft', 4)
    misused({ type: 'unsuback', packetId: 10, reasonCodes: [0] }, version, 'versionFive', 'reasonCodes')
    misused({ type: 'unsuback', packetId: 10, properties: {} }, version, 'versionFive', 'properties')
  }
})

test('MQTT-3.11.3-1: codes come in the order in which they were written', () => {
  same('b0 05 00 01 00 00 11', { type: 'unsuback', packetId: 1, reasonCodes: [0x00, 0x11] }, 5)
  same('b0 05 00 01 00 11 00', { type: 'unsuback', packetId: 1, reasonCodes: [0x11, 0x00] }, 5)
  same(frame('b0', '00 0a 00', CODES.map((code) => code.toString(16).padStart(2, '0')).join('')), { type: 'unsuback', packetId: 10, reasonCodes: CODES }, 5)
  const hex = frame('b0', '00 01', props('1f', text('r'), '26', text('k'), text('v')), '00')
  same(hex, { type: 'unsuback', packetId: 1, reasonCodes: [0], properties: { reasonString: 'r', userProperties: [['k', 'v']] } }, 5)
})

test('MQTT-3.11.3-1: there is at least one, both ways', () => {
  faulty('b0 03 00 01 00', 5, 'unsubackEmpty', 5)
  misused({ type: 'unsuback', packetId: 1, reasonCodes: [] }, 5, 'unsubackEmpty', 'reasonCodes')
  misused({ type: 'unsuback', packetId: 1 }, 5, 'unsubackEmpty', 'reasonCodes')
})

test('MQTT-3.11.3-2: there are no other codes, both ways', () => {
  for (const [hex, code] of [['01', 1], ['02', 2], ['97', 0x97], ['a2', 0xa2]] as const) {
    faulty(`b0 05 00 01 00 00 ${hex}`, 5, 'unsubackCode', 6)
    misused({ type: 'unsuback', packetId: 1, reasonCodes: [0, code] }, 5, 'unsubackCode', 'reasonCodes[1]')
  }
})

test('identifier 0, half an identifier, no Property Length are refused', () => {
  for (const version of VERSIONS) {
    faulty('b0 02 00 00', version, 'packetId', 2)
    faulty('b0 01 00', version, 'fieldFits', 2)
    misused({ type: 'unsuback', packetId: 0, reasonCodes: [] }, version, 'packetId', 'packetId')
  }
  faulty('b0 02 00 01', 5, 'fieldFits', 4)
})

test('reasonCodes is an array', () => {
  for (const version of VERSIONS) {
    for (const reasonCodes of [null, 0, 'x']) misused({ type: 'unsuback', packetId: 1, reasonCodes }, version, 'fieldType', 'reasonCodes')
  }
})

test.run()
