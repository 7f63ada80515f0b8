import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decoded, faulty, frame, misused, props, same, text } from '../../helpers/codec.ts'

/** 5.0 Table 3-8. */
const CODES = [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]

test('MQTT-3.9.3-1 (5.0), MQTT-3.8.4-7 (5.0): codes, granting a QoS or telling a failure, come in the order in which they were written, any number of them', () => {
  same('90 05 00 0a 00 02 01', { type: 'suback', packetId: 10, reasonCodes: [0, 2, 1] }, 3)
  same('90 06 00 0a 00 02 80 01', { type: 'suback', packetId: 10, reasonCodes: [0, 2, 0x80, 1] }, 4)
  same(frame('90', '00 0a 00', CODES.map((code) => code.toString(16).padStart(2, '0')).join('')), { type: 'suback', packetId: 10, reasonCodes: CODES }, 5)
})

test('Reason String and User Properties come before them', () => {
  const hex = frame('90', '00 01', props('1f', text('r'), '26', text('k'), text('v')), '00')
  same(hex, { type: 'suback', packetId: 1, reasonCodes: [0], properties: { reasonString: 'r', userProperties: [['k', 'v']] } }, 5)
})

test('SPEC-3.1-suback, MQTT-3.9.3-2: there are no other codes, both ways', () => {
  for (const [version, prefix, codes] of [[3, '00 01', [3, 0x7f, 0x80]], [4, '00 01', [3, 0x7f, 0x81, 0x87]], [5, '00 01 00', [3, 5, 0x10, 0x90, 0xff]]] as const) {
    for (const code of codes) {
      const hex = frame('90', prefix, '00', code.toString(16).padStart(2, '0'))
      faulty(hex, version, 'subackCode', version < 5 ? 5 : 6)
      misused({ type: 'suback', packetId: 1, reasonCodes: [0, code] }, version, 'subackCode', 'reasonCodes[1]')
    }
  }
})

test('MQTT-3.8.4-5 (3.1.1), MQTT-3.8.4-6 (5.0): there is at least one code, both ways', () => {
  for (const version of [3, 4] as const) faulty('90 02 00 01', version, 'subackEmpty', 4)
  faulty('90 03 00 01 00', 5, 'subackEmpty', 5)
  for (const version of [3, 4, 5] as const) misused({ type: 'suback', packetId: 1, reasonCodes: [] }, version, 'subackEmpty', 'reasonCodes')
})

test('identifier 0, half an identifier, no Property Length are refused', () => {
  for (const version of [3, 4, 5] as const) {
    faulty('90 04 00 00 00 00', version, 'packetId', 2)
    faulty('90 01 00', version, 'fieldFits', 2)
    misused({ type: 'suback', packetId: 0, reasonCodes: [0] }, version, 'packetId', 'packetId')
  }
  faulty('90 02 00 01', 5, 'fieldFits', 4)
})

test('wrong types and 5.0 fields in 3.x are refused by path', () => {
  for (const reasonCodes of [undefined, null, 0, 'x']) misused({ type: 'suback', packetId: 1, reasonCodes }, 5, 'fieldType', 'reasonCodes')
  for (const version of [3, 4] as const) misused({ type: 'suback', packetId: 1, reasonCodes: [0], properties: {} }, version, 'versionFive', 'properties')
  assert.equal(decoded('90 03 00 01 80', 4), { type: 'suback', packetId: 1, reasonCodes: [0x80] })
})

test.run()
