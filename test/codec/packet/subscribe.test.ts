import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decoded, encoded, faulty, frame, misused, props, same, text, VERSIONS } from '../../helpers/codec.ts'

const DEFAULTS = { noLocal: false, retainAsPublished: false, retainHandling: 0 }

function subscribe(...subscriptions: unknown[]): object {
  return { type: 'subscribe', packetId: 1, subscriptions }
}

test('filters with their requested QoS, in order', () => {
  for (const version of [3, 4] as const) {
    same('82 0e 00 01 00 01 61 00 00 01 62 01 00 01 63 02', subscribe({ filter: 'a', qos: 0 }, { filter: 'b', qos: 1 }, { filter: 'c', qos: 2 }), version)
  }
})

test('in 5.0 with all Subscription Options', () => {
  for (const qos of [0, 1, 2]) {
    for (const noLocal of [false, true]) {
      for (const retainAsPublished of [false, true]) {
        for (const retainHandling of [0, 1, 2]) {
          const options = (retainHandling << 4) | (retainAsPublished ? 8 : 0) | (noLocal ? 4 : 0) | qos
          const subscription = { filter: 'a', qos, noLocal, retainAsPublished, retainHandling }
          same(frame('82', '00 01 00', text('a'), options.toString(16).padStart(2, '0')), subscribe(subscription), 5)
        }
      }
    }
  }
})

test('options left out are the defaults; in 3.x the defaults may be said', () => {
  assert.is(encoded(subscribe({ filter: 'a', qos: 1 }), 5), '82 07 00 01 00 00 01 61 01')
  for (const version of [3, 4] as const) assert.is(encoded(subscribe({ filter: 'a', qos: 1, ...DEFAULTS }), version), '82 06 00 01 00 01 61 01')
})

test('its properties', () => {
  const hex = frame('82', '00 01', props('0b ff ff ff 7f', '26', text('k'), text('v')), text('a'), '00')
  same(hex, { ...subscribe({ filter: 'a', qos: 0, ...DEFAULTS }), properties: { subscriptionIdentifier: 268_435_455, userProperties: [['k', 'v']] } }, 5)
})

test('MQTT-3.8.3-3 (3.1.1), MQTT-3.8.3-2 (5.0): there is at least one filter with its options, both ways', () => {
  for (const version of [3, 4] as const) {
    faulty('82 02 00 01', version, 'subscribeEmpty', 4)
    faulty('82 05 00 01 00 01 61', version, 'fieldFits', 7)
  }
  faulty('82 03 00 01 00', 5, 'subscribeEmpty', 5)
  faulty('82 06 00 01 00 00 01 61', 5, 'fieldFits', 8)
  for (const version of VERSIONS) misused(subscribe(), version, 'subscribeEmpty', 'subscriptions')
})

test('MQTT-3.8.3-4 (3.1.1), SPEC-3.8.3.1-1: QoS 3 is refused, both ways', () => {
  for (const version of [3, 4] as const) {
    faulty('82 06 00 01 00 01 61 03', version, 'subscriptionQos', 7)
    assert.throws(() => decoded('82 06 00 01 00 01 61 03', version), /QoS 3; the requested QoS is 0, 1 or 2/)
    misused(subscribe({ filter: 'a', qos: 3 }), version, 'subscriptionQos', 'subscriptions[0].qos')
  }
  faulty('82 07 00 01 00 00 01 61 03', 5, 'subscriptionQosFive', 8)
  for (const qos of [3, undefined, '1']) misused(subscribe({ filter: 'a', qos }), 5, 'subscriptionQosFive', 'subscriptions[0].qos')
})

test('MQTT-3.8.3-4 (3.1.1), MQTT-3.8.3-5 (5.0): reserved bits are 0', () => {
  for (const options of ['04', '08', '10', '20', '40', '80', 'fc']) faulty(`82 06 00 01 00 01 61 ${options}`, 4, 'subscriptionReserved', 7)
  for (const options of ['40', '80', 'c0']) faulty(`82 07 00 01 00 00 01 61 ${options}`, 5, 'subscriptionReserved', 8)
})

test('in 3.1 the upper six bits are reserved and not used', () => {
  for (const options of ['04', '80', 'fc']) assert.equal(decoded(`82 06 00 01 00 01 61 ${options}`, 3), subscribe({ filter: 'a', qos: 0 }))
  faulty('82 06 00 01 00 01 61 ff', 3, 'subscriptionQos', 7)
})

test('SPEC-3.8.3.1-1: Retain Handling 3 is refused, both ways', () => {
  faulty('82 07 00 01 00 00 01 61 30', 5, 'retainHandling', 8)
  for (const retainHandling of [3, -1, '0', null]) misused(subscribe({ filter: 'a', qos: 0, retainHandling }), 5, 'retainHandling', 'subscriptions[0].retainHandling')
})

test('MQTT-3.8.3-4 (5.0): No Local on a Shared Subscription is refused, both ways', () => {
  faulty(frame('82', '00 01 00', text('$share/g/a'), '04'), 5, 'noLocalShared', 17)
  same(frame('82', '00 01 00', text('$share/g/a'), '00'), subscribe({ filter: '$share/g/a', qos: 0, ...DEFAULTS }), 5)
  misused(subscribe({ filter: '$share/g/a', qos: 0, noLocal: true }), 5, 'noLocalShared', 'subscriptions[0].noLocal')
})

test('MQTT-3.8.3-1: filters are UTF-8', () => {
  for (const version of [3, 4] as const) faulty('82 07 00 01 00 02 c3 28 00', version, 'utf8', 6)
  faulty('82 08 00 01 00 00 02 c3 28 00', 5, 'utf8', 7)
  for (const version of VERSIONS) {
    misused(subscribe({ filter: 'a\ud800', qos: 0 }), version, 'utf8', 'subscriptions[0].filter')
    misused(subscribe({ filter: 'a', qos: 0 }, { filter: 1, qos: 0 }), version, 'fieldType', 'subscriptions[1].filter')
  }
})

test('MQTT-4.7.3-1, MQTT-4.7.1-1 (5.0), MQTT-4.7.1-2, MQTT-4.7.1-3 (3.1.1): filters are valid, both ways', () => {
  for (const [filter, rule] of [['', 'filterEmpty'], ['a#', 'filterMultiLevel'], ['#/a', 'filterMultiLevel'], ['+a', 'filterSingleLevel']] as const) {
    for (const version of VERSIONS) {
      faulty(frame('82', '00 01', version < 5 ? '' : '00', text(filter), '00'), version, rule, version < 5 ? 4 : 5)
      misused(subscribe({ filter, qos: 0 }), version, rule, 'subscriptions[0].filter')
    }
  }
})

test('MQTT-4.8.2-1, MQTT-4.8.2-2: Shared Subscriptions are a matter of 5.0', () => {
  for (const [filter, rule] of [['$share//a', 'filterShareName'], ['$share/g', 'filterShared']] as const) {
    faulty(frame('82', '00 01 00', text(filter), '00'), 5, rule, 5)
    misused(subscribe({ filter, qos: 0 }), 5, rule, 'subscriptions[0].filter')
    for (const version of [3, 4] as const) same(frame('82', '00 01', text(filter), '00'), subscribe({ filter, qos: 0 }), version)
  }
})

test('MQTT-2.3.1-1 (3.1.1), MQTT-2.2.1-3 (5.0): identifier 0 is refused, both ways', () => {
  for (const version of VERSIONS) {
    faulty('82 06 00 00 00 01 61 00', version, 'packetId', 2)
    misused({ ...subscribe({ filter: 'a', qos: 0 }), packetId: 0 }, version, 'packetId', 'packetId')
  }
})

test('wrong types and 5.0 fields in 3.x are refused by path', () => {
  for (const subscriptions of [undefined, null, {}, 'a']) misused({ type: 'subscribe', packetId: 1, subscriptions }, 5, 'fieldType', 'subscriptions')
  for (const subscription of [undefined, null, 'a']) misused(subscribe(subscription), 5, 'fieldType', 'subscriptions[0]')
  misused(subscribe({ filter: 'a', qos: 0, noLocal: 1 }), 5, 'fieldType', 'subscriptions[0].noLocal')
  misused(subscribe({ filter: 'a', qos: 0, retainAsPublished: 1 }), 5, 'fieldType', 'subscriptions[0].retainAsPublished')
  for (const version of [3, 4] as const) {
    for (const option of [{ noLocal: true }, { retainAsPublished: true }, { retainHandling: 1 }]) misused(subscribe({ filter: 'a', qos: 0, ...option }), version, 'versionFive', 'subscriptions[0]')
    misused({ ...subscribe({ filter: 'a', qos: 0 }), properties: {} }, version, 'versionFive', 'properties')
  }
})

test.run()
