import { test } from 'uvu'
import { faulty, frame, misused, props, same, text, VERSIONS } from '../../helpers/codec.ts'

function unsubscribe(...filters: unknown[]): object {
  return { type: 'unsubscribe', packetId: 10, filters }
}

test('MQTT-3.10.3-1: filters stand one behind the other, in order', () => {
  for (const version of [3, 4] as const) same('a2 0a 00 0a 00 01 61 00 03 62 2f 23', unsubscribe('a', 'b/#'), version)
  same('a2 0b 00 0a 00 00 01 61 00 03 62 2f 23', unsubscribe('a', 'b/#'), 5)
  same(frame('a2', '00 0a', props('26', text('k'), text('v')), text('$share/g/a')), { ...unsubscribe('$share/g/a'), properties: { userProperties: [['k', 'v']] } }, 5)
})

test('MQTT-3.10.3-2: there is at least one, both ways', () => {
  for (const version of [3, 4] as const) faulty('a2 02 00 01', version, 'unsubscribeEmpty', 4)
  faulty('a2 03 00 01 00', 5, 'unsubscribeEmpty', 5)
  for (const version of VERSIONS) misused(unsubscribe(), version, 'unsubscribeEmpty', 'filters')
})

test('MQTT-3.10.3-1: filters are UTF-8', () => {
  for (const version of [3, 4] as const) faulty('a2 06 00 01 00 02 c3 28', version, 'utf8', 6)
  faulty('a2 07 00 01 00 00 02 c3 28', 5, 'utf8', 7)
  for (const version of VERSIONS) {
    misused(unsubscribe('a', '\udc00'), version, 'utf8', 'filters[1]')
    misused(unsubscribe('a\0'), version, 'nul', 'filters[0]')
    misused(unsubscribe(1), version, 'fieldType', 'filters[0]')
  }
})

test('MQTT-4.7.3-1, MQTT-4.7.1-1 (5.0), MQTT-4.7.1-2, MQTT-4.7.1-3 (3.1.1): filters are valid, both ways', () => {
  for (const [filter, rule] of [['', 'filterEmpty'], ['a#', 'filterMultiLevel'], ['a/b+', 'filterSingleLevel']] as const) {
    for (const version of VERSIONS) {
      faulty(frame('a2', '00 01', version < 5 ? '' : '00', text('x'), text(filter)), version, rule, version < 5 ? 7 : 8)
      misused(unsubscribe('x', filter), version, rule, 'filters[1]')
    }
  }
  faulty(frame('a2', '00 01 00', text('$share/g')), 5, 'filterShared', 5)
})

test('MQTT-2.3.1-1 (3.1.1), MQTT-2.2.1-3 (5.0): identifier 0 is refused, both ways', () => {
  for (const version of VERSIONS) {
    faulty('a2 05 00 00 00 01 61', version, 'packetId', 2)
    misused({ ...unsubscribe('a'), packetId: 0 }, version, 'packetId', 'packetId')
  }
})

test('wrong types and 5.0 fields in 3.x are refused by path', () => {
  for (const filters of [undefined, null, 'a', {}]) misused({ type: 'unsubscribe', packetId: 1, filters }, 5, 'fieldType', 'filters')
  for (const version of [3, 4] as const) misused({ ...unsubscribe('a'), properties: {} }, version, 'versionFive', 'properties')
  misused({ ...unsubscribe('a'), properties: { reasonString: '' } }, 5, 'propertyMisplaced', 'properties.reasonString')
})

test.run()
