import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../../src/codec/decode.ts'
import { fromHex, toJson } from '../../../src/codec/json.ts'
import type { ProtocolVersion } from '../../../src/codec/protocol.ts'
import { decoded, encoded, expected, facts, faulty, frame, misused, props, same, text, thrownBy, VERSIONS } from '../../helpers/codec.ts'

const NAMES = { 3: '00 06 4d 51 49 73 64 70 03', 4: '00 04 4d 51 54 54 04', 5: '00 04 4d 51 54 54 05' } as const

/** The hex of a CONNECT with these flags and payload, Keep Alive 60, and in 5.0 no properties. */
function connect(version: ProtocolVersion, flags: string, ...payload: string[]): string {
  return frame('10', NAMES[version], flags, '00 3c', version === 5 ? '00' : '', ...payload)
}

/** Where the Connect Flags stand, and where the payload begins. */
function flagsAt(version: ProtocolVersion): number {
  return version === 3 ? 11 : 9
}
function payloadAt(version: ProtocolVersion): number {
  return flagsAt(version) + (version === 5 ? 4 : 3)
}

function plain(version: ProtocolVersion): { readonly [field: string]: unknown } {
  return { type: 'connect', version, clientId: 'id', cleanStart: true, keepAlive: 60 }
}

/** Will Properties, of which only 5.0 has any. */
function none(version: ProtocolVersion): string {
  return version === 5 ? '00' : ''
}

test('MQTT-3.1.3-1: client identifier, Will, user name and password, in this order', () => {
  for (const version of VERSIONS) {
    same(connect(version, '02', text('id')), plain(version), version)
    same(connect(version, '00', text('id')), { ...plain(version), cleanStart: false }, version)
    const will = { topic: 'w', payload: { hex: '00 ff' }, qos: 1, retain: true }
    const full = connect(version, 'ee', text('id'), none(version), text('w'), '00 02 00 ff', text('user'), '00 01 00')
    same(full, { ...plain(version), username: 'user', password: { hex: '00' }, will }, version)
  }
})

test('its properties, and those of the Will', () => {
  const properties = {
    sessionExpiryInterval: 1, authenticationMethod: 'm', authenticationData: { hex: '00' }, requestProblemInformation: false, requestResponseInformation: true, receiveMaximum: 2,
    topicAliasMaximum: 3, userProperties: [['a', 'b']], maximumPacketSize: 4,
  }
  const willProperties = {
    payloadFormatIndicator: 1, messageExpiryInterval: 5, contentType: 'c', responseTopic: 'r', correlationData: { hex: '01' }, willDelayInterval: 6, userProperties: [['c', 'd']],
  }
  const first = props('11 00 00 00 01', '15 00 01 6d', '16 00 01 00', '17 00', '19 01', '21 00 02', '22 00 03', '26 00 01 61 00 01 62', '27 00 00 00 04')
  const second = props('01 01', '02 00 00 00 05', '03 00 01 63', '08 00 01 72', '09 00 01 01', '18 00 00 00 06', '26 00 01 63 00 01 64')
  const will = { topic: 'w', payload: { hex: '' }, qos: 0, retain: false, properties: willProperties }
  same(frame('10', NAMES[5], '06 00 3c', first, text('id'), second, text('w'), '00 00'), { ...plain(5), will, properties }, 5)
})

test('SPEC-3.1-protocol-id, MQTT-3.1.2-1: the Protocol Name is MQTT or MQIsdp', () => {
  for (const name of ['', 'mqtt', 'MQTT ', 'MQTX', 'MQIsdP', 'HTTP']) {
    const hex = frame('10', text(name), '05 02 00 00 00 00 00')
    assert.equal(facts(thrownBy(() => decode(fromHex(hex), 5))), expected('protocolName', 5, 2), name)
  }
})

test('SPEC-3.1-protocol-id, MQTT-3.1.2-2: the level is one that goes with the name; the answer takes the nearest version', () => {
  for (const [name, level, nearest] of [['MQTT', 0, 4], ['MQTT', 3, 4], ['MQTT', 6, 5], ['MQTT', 0x85, 5], ['MQIsdp', 4, 3], ['MQIsdp', 5, 3], ['MQIsdp', 0, 3]] as const) {
    const hex = frame('10', text(name), level.toString(16).padStart(2, '0'), '02 00 00 00 00 00')
    const error = thrownBy(() => decode(fromHex(hex), 5)) as { version: unknown }
    assert.equal(facts(error), expected('protocolLevel', nearest, 4 + name.length), `${name} ${level}`)
    assert.is(error.version, nearest)
  }
})

test('MQTT-3.1.2-3: bit 0 of the Connect Flags is 0', () => {
  for (const version of [4, 5] as const) faulty(connect(version, '03', text('id')), version, 'reservedConnectFlag', 9)
})

test('SPEC-3.1-reserved-connect-flag: in 3.1 it is not used', () => {
  assert.equal(decoded(connect(3, '03', text('id')), 3), plain(3))
})

test('MQTT-2.1.3-1 (5.0), MQTT-2.2.2-2 (3.1.1), SPEC-3.1-fixed-header-flags: the header flags are judged by the version announced', () => {
  for (const version of [4, 5] as const) faulty(connect(version, '02', text('id')).replace('10', '14'), version, 'headerFlags', 0)
  assert.equal(decoded(connect(3, '02', text('id')).replace('10', '14'), 3), plain(3))
})

test('MQTT-1.5.5-1: so is a Remaining Length that is not minimal', () => {
  for (const version of VERSIONS) {
    const [first, length, ...rest] = connect(version, '02', text('id')).split(' ')
    for (const [prefix, last] of [['00', 2], ['80 00', 3], ['80 80 00', 4]] as const) {
      const byte = (parseInt(length!, 16) | 0x80).toString(16)
      const hex = [first, byte, prefix, ...rest].join(' ')
      if (version === 5) faulty(hex, 5, 'minimalVarint', last)
      else assert.equal(decoded(hex, version), plain(version))
    }
  }
})

test('MQTT-1.5.5-1: a Remaining Length of two bytes that needs both is well, one of three that needs two is not', () => {
  for (const [size, minimal, longer] of [[115, '80 01', '80 81 00'], [116, '81 01', '81 81 00'], [16_370, 'ff 7f', 'ff ff 00']] as const) {
    const body = `${NAMES[5]} 02 00 3c 00 ${text('x'.repeat(size))}`
    const packet = decode(fromHex(`10 ${minimal} ${body}`), 5)
    assert.ok(packet.type === 'connect' && packet.clientId.length === size)
    faulty(`10 ${longer} ${body}`, 5, 'minimalVarint', 3)
  }
})

test('MQTT-3.1.2-13, MQTT-3.1.2-11, MQTT-3.1.2-15 (3.1.1), MQTT-3.1.2-11, MQTT-3.1.2-13 (5.0): without a Will its QoS and Retain are 0', () => {
  for (const version of [4, 5] as const) {
    for (const flags of ['0a', '12', '1a']) faulty(connect(version, flags, text('id')), version, 'willQosWithoutWill', 9)
    faulty(connect(version, '22', text('id')), version, 'willRetainWithoutWill', 9)
  }
})

test('in 3.1 they are disregarded without a Will', () => {
  for (const flags of ['0a', '12', '1a', '22', '3a']) assert.equal(decoded(connect(3, flags, text('id')), 3), plain(3))
})

test('MQTT-3.1.2-14 (3.1.1), MQTT-3.1.2-12 (5.0): there is no Will QoS 3, both ways', () => {
  for (const version of VERSIONS) {
    faulty(connect(version, '1e', text('id'), none(version), text('w'), text('')), version, 'willQos', flagsAt(version))
    for (const qos of [3, -1, '1', null]) misused({ ...plain(version), will: { topic: 'w', payload: '', qos } }, version, 'willQos', 'will.qos')
  }
})

test('MQTT-3.1.2-22 (3.1.1): before 5.0 a password needs a user name, both ways', () => {
  for (const version of [3, 4] as const) {
    faulty(connect(version, '42', text('id'), text('pass')), version, 'passwordWithoutUsername', flagsAt(version))
    misused({ ...plain(version), password: 'pass' }, version, 'passwordWithoutUsername', 'password')
  }
})

test('MQTT-3.1.2-19 (5.0): in 5.0 it does not', () => {
  same(connect(5, '42', text('id'), text('p')), { ...plain(5), password: { hex: '70' } }, 5)
})

test('MQTT-3.1.3-3: the client identifier is there and first', () => {
  for (const version of VERSIONS) {
    const at = payloadAt(version)
    faulty(connect(version, '02'), version, 'clientIdMissing', at)
    faulty(connect(version, '02', '00'), version, 'fieldFits', at)
  }
})

test('MQTT-3.1.3-4, MQTT-3.1.3-10 (3.1.1), MQTT-3.1.3-11 (3.1.1), MQTT-3.1.3-11 (5.0), MQTT-3.1.3-12 (5.0): identifier, Will Topic and user name are UTF-8', () => {
  for (const version of VERSIONS) {
    const at = payloadAt(version)
    faulty(connect(version, '02', '00 02 ff fe'), version, 'utf8', at + 2)
    faulty(connect(version, '06', text('id'), none(version), '00 02 c3 28', text('')), version, 'utf8', at + 6 + (version === 5 ? 1 : 0))
    faulty(connect(version, '82', text('id'), '00 02 c3 28'), version, 'utf8', at + 6)
    misused({ ...plain(version), clientId: '\ud800' }, version, 'utf8', 'clientId')
    misused({ ...plain(version), will: { topic: '\ud800', payload: '' } }, version, 'utf8', 'will.topic')
    misused({ ...plain(version), username: '\ud800' }, version, 'utf8', 'username')
  }
})

test('MQTT-3.1.2-9: the Will Flag promises a Will', () => {
  for (const version of VERSIONS) {
    const at = payloadAt(version) + 4
    faulty(connect(version, '06', text('id')), version, 'willMissing', at)
    const topicAt = at + (version === 5 ? 1 : 0)
    faulty(connect(version, '06', text('id'), none(version), text('w')), version, 'fieldFits', topicAt + 3)
  }
  faulty(connect(5, '06', text('id'), '00'), 5, 'fieldFits', payloadAt(5) + 5)
})

test('MQTT-3.1.2-19, MQTT-3.1.2-21 (3.1.1), MQTT-3.1.2-17, MQTT-3.1.2-19 (5.0): so do the flags of user name and password', () => {
  for (const version of [4, 5] as const) {
    const at = payloadAt(version) + 4
    faulty(connect(version, '82', text('id')), version, 'usernameMissing', at)
    faulty(connect(version, 'c2', text('id'), text('u')), version, 'passwordMissing', at + 3)
    faulty(connect(version, 'c2', text('id'), text('u'), '00 02 70'), version, 'fieldFits', at + 3)
  }
})

test('SPEC-3.1-password: in 3.1 a flagged field that is missing at the end is allowed', () => {
  assert.equal(decoded(connect(3, '82', text('id')), 3), plain(3))
  assert.equal(decoded(connect(3, 'c2', text('id')), 3), plain(3))
  assert.equal(decoded(connect(3, 'c2', text('id'), text('u')), 3), { ...plain(3), username: 'u' })
  faulty(connect(3, '82', text('id'), '00'), 3, 'fieldFits', payloadAt(3) + 4)
})

test('MQTT-3.1.2-18, MQTT-3.1.2-20 (3.1.1), MQTT-3.1.2-16, MQTT-3.1.2-18 (5.0), MQTT-3.1.2-11 (3.1.1): without its flag a field is not there', () => {
  for (const version of VERSIONS) {
    faulty(connect(version, '02', text('id'), text('u')), version, 'nothingLeft', payloadAt(version) + 4)
    faulty(connect(version, '82', text('id'), text('u'), text('p')), version, 'nothingLeft', payloadAt(version) + 7)
    assert.is(encoded(plain(version), version), connect(version, '02', text('id')))
  }
})

test('MQTT-4.7.1-1 (3.1.1), MQTT-4.7.0-1 (5.0): the Will Topic is a Topic Name, both ways', () => {
  for (const version of VERSIONS) {
    for (const topic of ['', '+', 'a/#']) {
      faulty(connect(version, '06', text('id'), none(version), text(topic), text('')), version, 'willTopic', payloadAt(version) + 4 + (version === 5 ? 1 : 0))
      misused({ ...plain(version), will: { topic, payload: '' } }, version, 'willTopic', 'will.topic')
    }
  }
})

test('SPEC-3.1-client-id: an identifier of 3.1 has 1 to 23 characters; more or none is decoded, for the Server to answer, but not sent', () => {
  for (const clientId of ['x', 'x'.repeat(23), 'é'.repeat(23), '😀'.repeat(23)]) assert.is(encoded({ ...plain(3), clientId }, 3), connect(3, '02', text(clientId)))
  for (const clientId of ['', 'x'.repeat(24), '😀'.repeat(24)]) {
    assert.equal(decoded(connect(3, '02', text(clientId)), 3), { ...plain(3), clientId })
    misused({ ...plain(3), clientId }, 3, 'clientIdLength', 'clientId')
  }
})

test('MQTT-3.1.3-7 (3.1.1): an empty identifier needs Clean Session 1; the Server answers one without', () => {
  same(connect(4, '02', text('')), { ...plain(4), clientId: '' }, 4)
  assert.equal(decoded(connect(4, '00', text('')), 4), { ...plain(4), clientId: '', cleanStart: false })
  misused({ ...plain(4), clientId: '', cleanStart: false }, 4, 'emptyClientId', 'clientId')
  same(connect(5, '00', text('')), { ...plain(5), clientId: '', cleanStart: false }, 5)
})

test('texts may stand for bytes; QoS and Retain of the Will may be left out', () => {
  for (const version of VERSIONS) {
    const hex = connect(version, 'c6', text('id'), none(version), text('w'), text('é'), text('u'), text('p'))
    assert.is(encoded({ ...plain(version), username: 'u', password: 'p', will: { topic: 'w', payload: 'é' } }, version), hex)
  }
})

test('binary fields are copied if so asked', () => {
  const bytes = fromHex(connect(4, 'c6', text('id'), text('w'), text('x'), text('u'), text('p')))
  const packet = decode(bytes, 4, { copy: true })
  assert.ok(packet.type === 'connect')
  bytes.fill(0)
  assert.equal([packet.will!.payload, packet.password], [Uint8Array.of(0x78), Uint8Array.of(0x70)])
})

test('the version encoded is the version of the packet', () => {
  misused(plain(4), 5, 'protocolLevel', 'version')
  misused({ ...plain(4), version: undefined }, 4, 'protocolLevel', 'version')
})

test('wrong types and 5.0 fields in 3.x are refused by path', () => {
  for (const version of VERSIONS) {
    const wrong: readonly (readonly [fields: object, path: string])[] = [
      [{ clientId: undefined }, 'clientId'], [{ cleanStart: undefined }, 'cleanStart'], [{ username: 1 }, 'username'], [{ username: 'u', password: 1 }, 'password'],
      [{ will: null }, 'will'], [{ will: 'w' }, 'will'], [{ will: { payload: '' } }, 'will.topic'], [{ will: { topic: 'w' } }, 'will.payload'],
      [{ will: { topic: 'w', payload: '', retain: 1 } }, 'will.retain'],
    ]
    for (const [fields, path] of wrong) misused({ ...plain(version), ...fields }, version, 'fieldType', path)
    for (const keepAlive of [undefined, -1, 65_536, 0.5]) misused({ ...plain(version), keepAlive }, version, 'number', 'keepAlive')
  }
  for (const version of [3, 4] as const) {
    misused({ ...plain(version), properties: {} }, version, 'versionFive', 'properties')
    misused({ ...plain(version), will: { topic: 'w', payload: '', properties: {} } }, version, 'versionFive', 'will.properties')
  }
  misused({ ...plain(5), properties: { willDelayInterval: 1 } }, 5, 'propertyMisplaced', 'properties.willDelayInterval')
  misused({ ...plain(5), will: { topic: 'w', payload: '', properties: { topicAlias: 1 } } }, 5, 'propertyMisplaced', 'will.properties.topicAlias')
})

test('the bridge bit: an extension, refused both ways unless asked for', () => {
  for (const [version, hex] of [[4, '10 0d 00 04 4d 51 54 54 84 02 00 3c 00 01 61'], [3, '10 0f 00 06 4d 51 49 73 64 70 83 02 00 3c 00 01 61']] as const) {
    const packet = { type: 'connect', version, clientId: 'a', cleanStart: true, keepAlive: 60, bridge: true } as const
    faulty(hex, version, 'bridgeLevel', version === 4 ? 8 : 10)
    assert.equal(toJson(decode(fromHex(hex), version, { lenient: ['bridge-level'] })), packet)
    assert.is(encoded(packet, version), hex)
  }
  misused({ type: 'connect', version: 5, clientId: 'a', cleanStart: true, keepAlive: 60, bridge: true }, 5, 'bridgeLevel', 'bridge')
})

test.run()
