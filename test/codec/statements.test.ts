// Statements that no single module's tests and no fixture prove as a whole: above all what an encoder has to refuse, field by field.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../src/codec/decode.ts'
import { encode, encodedSize } from '../../src/codec/encode.ts'
import { fit } from '../../src/codec/fit.ts'
import type { PacketInput } from '../../src/codec/packet.ts'
import type { ProtocolVersion } from '../../src/codec/protocol.ts'
import { topicMatches } from '../../src/codec/topic.ts'
import { faulty, frame, misused, text, VERSIONS } from '../helpers/codec.ts'

interface Field {
  readonly path: string
  readonly versions: readonly ProtocolVersion[]
  /** a packet with this text in this field */
  readonly packet: (text: string, version: ProtocolVersion) => object
}

function connect(version: ProtocolVersion, fields: object): object {
  return { type: 'connect', version, clientId: 'a', cleanStart: true, keepAlive: 0, ...fields }
}
function publish(fields: object): object {
  return { type: 'publish', topic: 'a', payload: '', ...fields }
}
function subscribe(filter: string): object {
  return { type: 'subscribe', packetId: 1, subscriptions: [{ filter, qos: 0 }] }
}
function unsubscribe(filter: string): object {
  return { type: 'unsubscribe', packetId: 1, filters: ['a', filter] }
}

/** Fields that hold a Topic Name or a Topic Filter. */
const TOPICS: readonly Field[] = [
  { path: 'topic', versions: VERSIONS, packet: (topic) => publish({ topic }) },
  { path: 'will.topic', versions: VERSIONS, packet: (topic, version) => connect(version, { will: { topic, payload: '' } }) },
  { path: 'properties.responseTopic', versions: [5], packet: (responseTopic) => publish({ properties: { responseTopic } }) },
  { path: 'subscriptions[0].filter', versions: VERSIONS, packet: subscribe },
  { path: 'filters[1]', versions: VERSIONS, packet: unsubscribe },
]

const userProperties = (packet: object, name: string, value: string): object => ({ ...packet, properties: { userProperties: [[name, value]] } })

/** Every field that is a UTF-8 Encoded String, but for the Reason Strings of all the other acknowledgements: they are one row of one table. */
const STRINGS: readonly Field[] = [
  ...TOPICS,
  { path: 'clientId', versions: VERSIONS, packet: (clientId, version) => connect(version, { clientId }) },
  { path: 'username', versions: VERSIONS, packet: (username, version) => connect(version, { username }) },
  { path: 'will.properties.contentType', versions: [5], packet: (contentType) => connect(5, { will: { topic: 'a', payload: '', properties: { contentType } } }) },
  { path: 'properties.contentType', versions: [5], packet: (contentType) => publish({ properties: { contentType } }) },
  { path: 'properties.authenticationMethod', versions: [5], packet: (authenticationMethod) => ({ type: 'auth', reasonCode: 0x18, properties: { authenticationMethod } }) },
  ...(['assignedClientIdentifier', 'responseInformation', 'serverReference', 'reasonString'] as const).map((name): Field => (
    { path: `properties.${name}`, versions: [5], packet: (value) => ({ type: 'connack', reasonCode: 0, properties: { [name]: value } }) }
  )),
  { path: 'properties.userProperties[0][0]', versions: [5], packet: (name) => userProperties({ type: 'puback', packetId: 1 }, name, '') },
  { path: 'properties.userProperties[0][1]', versions: [5], packet: (value) => userProperties({ type: 'puback', packetId: 1 }, '', value) },
]

test('MQTT-1.5.3-1 (3.1.1), MQTT-1.5.4-1 (5.0), MQTT-1.5.7-1, MQTT-3.3.2-13, MQTT-3.3.2-19: no string field goes out with a lone surrogate', () => {
  for (const { path, versions, packet } of STRINGS) {
    for (const version of versions) {
      for (const value of ['\ud800', 'a\udfff', 'a\ud83db']) misused(packet(value, version), version, 'utf8', path)
    }
  }
})

test('MQTT-1.5.3-2 (3.1.1), MQTT-1.5.4-2 (5.0), MQTT-1.5.7-1: no string field goes out with U+0000', () => {
  for (const { path, versions, packet } of STRINGS) {
    for (const version of versions) {
      for (const value of ['\0', 'a\0b']) misused(packet(value, version), version, 'nul', path)
    }
  }
})

test('MQTT-4.7.3-2 (3.1.1), MQTT-4.7.3-2 (5.0): a Topic Name or Topic Filter with U+0000 is refused, both ways', () => {
  const bad = text('a\0b')
  const none = (version: ProtocolVersion): string => (version === 5 ? '00' : '')
  const head = { 3: '00 06 4d 51 49 73 64 70 03 06 00 00', 4: '00 04 4d 51 54 54 04 06 00 00', 5: '00 04 4d 51 54 54 05 06 00 00 00' }
  for (const version of VERSIONS) {
    const shift = version === 5 ? 1 : 0
    faulty(frame('30', bad, none(version)), version, 'nul', 5)
    faulty(frame('82', '00 01', none(version), bad, '00'), version, 'nul', 7 + shift)
    faulty(frame('a2', '00 01', none(version), bad), version, 'nul', 7 + shift)
    const will = frame('10', head[version], text('c'), none(version), bad, text(''))
    faulty(will, version, 'nul', 2 + head[version].split(' ').length + 3 + shift + 3)
    for (const { path, versions, packet } of TOPICS) {
      if (versions.includes(version)) misused(packet('a\0b', version), version, 'nul', path)
    }
  }
  faulty(frame('30', text('a'), '06', '08', bad), 5, 'nul', 10)
})

test('MQTT-4.7.3-3 (3.1.1), MQTT-4.7.3-3 (5.0): a Topic Name or Topic Filter has up to 65,535 bytes, both ways, and does not go out with one more', () => {
  for (const [longest, longer] of [['x'.repeat(65_535), 'x'.repeat(65_536)], ['€'.repeat(21_845), `${'€'.repeat(21_845)}x`]] as const) {
    for (const { path, versions, packet } of TOPICS) {
      for (const version of versions) {
        assert.ok(JSON.stringify(decode(encode(packet(longest, version) as PacketInput, version), version)).includes(longest), path)
        misused(packet(longer, version), version, 'stringLength', path)
      }
    }
  }
})

test('MQTT-4.7.3-4 (3.1.1), MQTT-4.7.3-4 (5.0): matching neither folds, nor normalises, nor drops a separator', () => {
  const names = ['a', 'A', '/a', 'a/', 'a//', ' a', 'a ', '\u00e9', 'e\u0301', 'E\u0301', '\ufeffa', '\uff0b', '\ufb01', 'fi', '\u00df', 'ss', '%61', 'a\u0001', '\ufffd']
  for (const filter of names) {
    for (const topic of names) assert.is(topicMatches(filter, topic), filter === topic, `${JSON.stringify(filter)} ${JSON.stringify(topic)}`)
  }
  assert.not(topicMatches('+', 'a/'))
  assert.ok(topicMatches('\uff0b', '\uff0b') && !topicMatches('\uff0b', 'a'))
})

test('MQTT-3.15.2-2, MQTT-3.15.2-3 (5.0): Reason String and User Properties of AUTH are each left out when the packet would be one byte too large, and only then', () => {
  const method = { authenticationMethod: 'SCRAM-SHA-1' }
  for (const more of [{ reasonString: 'because it is so' }, { userProperties: [['a', 'b'], ['a', 'b']] as const }]) {
    const packet: PacketInput = { type: 'auth', reasonCode: 0x18, properties: { ...method, ...more } }
    const size = encodedSize(packet, 5)
    assert.is(fit(packet, 5, size), packet)
    assert.equal(fit(packet, 5, size - 1), { type: 'auth', reasonCode: 0x18, properties: method })
  }
})

test.run()
