import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../../src/codec/decode.ts'
import { fromHex } from '../../../src/codec/json.ts'
import { decoded, encoded, faulty, frame, misused, props, same, text, VERSIONS } from '../../helpers/codec.ts'

const base = { type: 'publish', topic: 'a', payload: { hex: '62' } }
const small = { type: 'publish', topic: 'a', payload: 'b' }

test('QoS, RETAIN and DUP are the header flags', () => {
  for (const qos of [0, 1, 2]) {
    for (const retain of [false, true]) {
      for (const dup of qos === 0 ? [false] : [false, true]) {
        const first = (0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)).toString(16)
        const packet = { ...base, qos, retain, dup, ...qos === 0 ? {} : { packetId: 10 } }
        const id = qos === 0 ? '' : '00 0a'
        for (const version of [3, 4] as const) same(frame(first, '00 01 61', id, '62'), packet, version)
        same(frame(first, '00 01 61', id, '00', '62'), packet, 5)
      }
    }
  }
})

test('MQTT-2.3.1-5 (3.1.1), MQTT-2.2.1-2 (5.0): QoS 0 has no Packet Identifier; the bytes there are payload', () => {
  assert.equal(decoded('30 05 00 01 61 00 0a', 4), { ...base, payload: { hex: '00 0a' }, qos: 0, retain: false, dup: false })
  assert.is(encoded(small, 5), '30 05 00 01 61 00 62')
  for (const version of VERSIONS) misused({ ...small, packetId: 1 }, version, 'publishPacketId', 'packetId')
})

test('MQTT-2.3.1-1 (3.1.1), MQTT-2.2.1-3 (5.0): QoS 1 and 2 have one, and it is not 0', () => {
  for (const version of VERSIONS) {
    for (const [first, qos] of [['32', 1], ['34', 2]] as const) {
      faulty(frame(first, '00 01 61 00 00 00'), version, 'packetId', 5)
      misused({ ...small, qos }, version, 'publishPacketId', 'packetId')
      misused({ ...small, qos, packetId: 0 }, version, 'packetId', 'packetId')
      misused({ ...small, qos, packetId: 65_536 }, version, 'number', 'packetId')
    }
  }
})

test('MQTT-3.3.1-4: there is no QoS 3', () => {
  for (const version of VERSIONS) {
    for (const first of ['36', '37', '3e', '3f']) faulty(`${first} 05 00 01 61 00 01`, version, 'publishQos', 0)
    for (const qos of [3, -1, '1', null]) misused({ ...small, qos, packetId: 1 }, version, 'publishQos', 'qos')
  }
})

test('MQTT-3.3.1-2: QoS 0 never has DUP', () => {
  for (const version of VERSIONS) {
    for (const first of ['38', '39']) faulty(`${first} 03 00 01 61`, version, 'publishDup', 0)
    misused({ ...small, dup: true }, version, 'publishDup', 'dup')
  }
})

test('MQTT-3.3.2-1, MQTT-4.7.3-2: the Topic Name comes first, is UTF-8 and has no U+0000', () => {
  for (const version of VERSIONS) {
    faulty('30 04 00 02 c3 28', version, 'utf8', 4)
    faulty('30 04 00 02 61 00', version, 'nul', 5)
    faulty('30 03 00 02 61', version, 'fieldFits', 2)
    faulty('30 00', version, 'fieldFits', 2)
    misused({ ...small, topic: 'a\0' }, version, 'nul', 'topic')
    misused({ ...small, topic: '\ud800' }, version, 'utf8', 'topic')
    misused({ ...small, topic: 1 }, version, 'fieldType', 'topic')
  }
})

test('MQTT-3.3.2-2: the Topic Name has no wildcard', () => {
  for (const version of VERSIONS) {
    for (const topic of ['a/+', 'a/#', '+', '#']) {
      faulty(frame('30', text(topic), '00'), version, 'topicWildcard', 2)
      misused({ ...small, topic }, version, 'topicWildcard', 'topic')
    }
  }
  faulty(frame('30', text('a/#'), props('23 00 05')), 5, 'topicWildcard', 2)
})

test('MQTT-4.7.3-1 (3.1.1): before 5.0 the Topic Name is not empty', () => {
  for (const version of [3, 4] as const) {
    faulty('30 02 00 00', version, 'topicEmpty', 2)
    misused({ ...small, topic: '' }, version, 'topicEmpty', 'topic')
  }
})

test('SPEC-3.3.2.1-1: in 5.0 a Topic Alias may stand for it', () => {
  same('30 06 00 00 03 23 00 05', { ...base, topic: '', payload: { hex: '' }, qos: 0, retain: false, dup: false, properties: { topicAlias: 5 } }, 5)
  faulty('30 03 00 00 00', 5, 'topicEmpty', 2)
  faulty('30 05 00 00 02 01 01', 5, 'topicEmpty', 2)
  misused({ ...small, topic: '' }, 5, 'topicEmpty', 'topic')
  misused({ ...small, topic: '', properties: { payloadFormatIndicator: 1 } }, 5, 'topicEmpty', 'topic')
  misused({ ...small, topic: '+', properties: { topicAlias: 1 } }, 5, 'topicWildcard', 'topic')
})

test('all its properties at once', () => {
  const properties = {
    payloadFormatIndicator: 1, messageExpiryInterval: 2, contentType: 'c', responseTopic: 'r', correlationData: { hex: '00' }, subscriptionIdentifiers: [3, 200], topicAlias: 4,
    userProperties: [['a', 'b']],
  }
  const hex = props('01 01', '02 00 00 00 02', '03 00 01 63', '08 00 01 72', '09 00 01 00', '0b 03', '0b c8 01', '23 00 04', '26 00 01 61 00 01 62')
  same(frame('30', '00 01 61', hex, '62'), { ...base, qos: 0, retain: false, dup: false, properties }, 5)
})

test('all PUBLISH objects have the same fields in the same order', () => {
  const keys = ['type', 'topic', 'payload', 'qos', 'retain', 'dup', 'packetId', 'properties']
  for (const [hex, version] of [['30 03 00 01 61', 4], ['32 05 00 01 61 00 01', 4], ['3d 09 00 01 61 00 01 03 23 00 01', 5]] as const) assert.equal(Object.keys(decode(fromHex(hex), version)), keys)
})

test('the payload is bytes or text, of any length', () => {
  assert.is(encoded({ ...small, payload: 'é' }, 4), '30 05 00 01 61 c3 a9')
  assert.is(encoded({ ...small, payload: '' }, 4), '30 03 00 01 61')
  for (const payload of [undefined, null, 1, [1]]) misused({ ...small, payload }, 4, 'fieldType', 'payload')
})

test('wrong types and 5.0 fields in 3.x are refused by path', () => {
  misused({ ...small, retain: 1 }, 5, 'fieldType', 'retain')
  misused({ ...small, qos: 1, packetId: 1, dup: 'yes' }, 5, 'fieldType', 'dup')
  misused({ ...small, properties: { receiveMaximum: 1 } }, 5, 'propertyMisplaced', 'properties.receiveMaximum')
  for (const version of [3, 4] as const) misused({ ...small, properties: {} }, version, 'versionFive', 'properties')
})

test.run()
