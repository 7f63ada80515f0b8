import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex, fromJson, toHex, toJson } from '../../src/codec/json.ts'
import { PROPERTIES, propertyTitle, readProperties, refuseProperties, writeProperties } from '../../src/codec/property.ts'
import type { Carrier } from '../../src/codec/property.ts'
import type { PacketType } from '../../src/codec/protocol.ts'
import type { RuleName } from '../../src/codec/rules.ts'
import { writeVarint } from '../../src/codec/varint.ts'
import { expected, facts, text, thrownBy } from '../helpers/codec.ts'
import { readerOf, writerOf, written } from '../helpers/cursors.ts'

const CARRIERS = [
  'connect', 'will', 'connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'subscribe', 'suback', 'unsubscribe', 'unsuback', 'disconnect', 'auth',
] as const

/** Table 2-4 once more, by hand: identifier, field, where it may stand, and a value in bytes and as JSON. */
const TABLE: readonly (readonly [id: string, name: string, carriers: string, hex: string, value: unknown])[] = [
  ['01', 'payloadFormatIndicator', 'publish will', '01', 1],
  ['02', 'messageExpiryInterval', 'publish will', '80 00 00 00', 2_147_483_648],
  ['03', 'contentType', 'publish will', '00 01 63', 'c'],
  ['08', 'responseTopic', 'publish will', '00 03 61 2f 62', 'a/b'],
  ['09', 'correlationData', 'publish will', '00 02 00 ff', { hex: '00 ff' }],
  ['0b', 'subscriptionIdentifiers', 'publish', '80 01', [128]],
  ['0b', 'subscriptionIdentifier', 'subscribe', '80 01', 128],
  ['11', 'sessionExpiryInterval', 'connect connack disconnect', 'ff ff ff ff', 4_294_967_295],
  ['12', 'assignedClientIdentifier', 'connack', '00 01 69', 'i'],
  ['13', 'serverKeepAlive', 'connack', '80 00', 32_768],
  ['15', 'authenticationMethod', 'connect connack auth', '00 01 6d', 'm'],
  ['16', 'authenticationData', 'connect connack auth', '00 01 00', { hex: '00' }],
  ['17', 'requestProblemInformation', 'connect', '00', false],
  ['18', 'willDelayInterval', 'will', '00 00 00 00', 0],
  ['19', 'requestResponseInformation', 'connect', '01', true],
  ['1a', 'responseInformation', 'connack', '00 01 72', 'r'],
  ['1c', 'serverReference', 'connack disconnect', '00 01 73', 's'],
  ['1f', 'reasonString', 'connack puback pubrec pubrel pubcomp suback unsuback disconnect auth', '00 00', ''],
  ['21', 'receiveMaximum', 'connect connack', 'ff ff', 65_535],
  ['22', 'topicAliasMaximum', 'connect connack', '00 00', 0],
  ['23', 'topicAlias', 'publish', '00 01', 1],
  ['24', 'maximumQos', 'connack', '00', 0],
  ['25', 'retainAvailable', 'connack', '00', false],
  ['26', 'userProperties', CARRIERS.join(' '), '00 01 6b 00 01 76', [['k', 'v']]],
  ['27', 'maximumPacketSize', 'connect connack', '80 00 00 01', 2_147_483_649],
  ['28', 'wildcardSubscriptionAvailable', 'connack', '01', true],
  ['29', 'subscriptionIdentifiersAvailable', 'connack', '00', false],
  ['2a', 'sharedSubscriptionAvailable', 'connack', '01', true],
]

/** Authentication Data does not come alone. */
const METHOD = '15 00 01 6d'

function packetOf(carrier: Carrier): PacketType {
  return carrier === 'will' ? 'connect' : carrier
}

/** These properties, behind their length. */
function propertiesHex(body: string): string {
  const { length } = fromHex(body)
  const prefix = new Uint8Array(4)
  return `${toHex(prefix.subarray(0, writeVarint(length, prefix, 0)))} ${body}`.trim()
}

function read(body: string, carrier: Carrier): unknown {
  return toJson(readProperties(readerOf(propertiesHex(body), 5, packetOf(carrier)), carrier))
}

function write(properties: unknown, carrier: Carrier): string {
  const w = writerOf(5, packetOf(carrier))
  writeProperties(w, carrier, fromJson(properties) as undefined)
  return written(w)
}

function refusedRead(hex: string, carrier: Carrier, rule: RuleName, offset: number, statement?: string): void {
  assert.equal(facts(thrownBy(() => readProperties(readerOf(hex, 5, packetOf(carrier)), carrier))), expected(rule, 5, offset, statement), `${hex} in ${carrier}`)
}

function refusedWrite(properties: unknown, carrier: Carrier, path: string, reason: RegExp): void {
  assert.throws(() => write(properties, carrier), (error: { name: string, path: string, message: string }) => {
    assert.equal({ name: error.name, path: error.path }, { name: 'UsageError', path })
    assert.match(error.message, reason)
    return true
  })
}

test('the table has the identifiers and the carriers of Table 2-4', () => {
  assert.equal(
    Object.entries(PROPERTIES).map(([name, { id, carriers }]) => [id, name, [...carriers].sort()]),
    TABLE.map(([id, name, carriers]) => [parseInt(id, 16), name, carriers.split(' ').sort()]),
  )
})

test('SPEC-2.2.2.2-1, SPEC-3.1.3.2-1: each property is taken where Table 2-4 has it and refused everywhere else', () => {
  for (const [id, name, carriers, hex, value] of TABLE) {
    const before = name === 'authenticationData' ? METHOD : ''
    for (const carrier of CARRIERS) {
      const allowed = TABLE.some((row) => row[0] === id && row[2].split(' ').includes(carrier))
      if (carriers.split(' ').includes(carrier)) {
        assert.equal(read(`${before} ${id} ${hex}`, carrier), { ...before === '' ? {} : { authenticationMethod: 'm' }, [name]: value }, `${name} in ${carrier}`)
      } else if (!allowed) {
        refusedRead(propertiesHex(`26 00 00 00 00 ${id} ${hex}`), carrier, 'propertyMisplaced', 6)
      }
    }
  }
})

test('SPEC-2.2.2.2-1: the same holds for writing', () => {
  for (const [id, name, carriers, hex, value] of TABLE) {
    const data = name === 'authenticationData'
    for (const carrier of CARRIERS) {
      const properties = { ...data ? { authenticationMethod: 'm' } : {}, [name]: value }
      if (carriers.split(' ').includes(carrier)) assert.is(write(properties, carrier), propertiesHex(`${data ? METHOD : ''} ${id} ${hex}`.trim()))
      else refusedWrite({ [name]: value }, carrier, `properties.${name}`, /a property stands in a packet that may carry it/)
    }
  }
})

test('SPEC-2.2.2.2-1: identifiers that Table 2-4 does not have are refused, whatever their size', () => {
  const known = new Set(TABLE.map(([id]) => parseInt(id, 16)))
  for (let id = 0; id < 0x80; id++) {
    if (!known.has(id)) refusedRead(`02 ${toHex(Uint8Array.of(id))} 00`, 'connack', 'propertyUnknown', 1)
  }
  for (const id of ['80 01', 'ff 01', 'ff ff ff 7f']) refusedRead(propertiesHex(`${id} 00`), 'connack', 'propertyUnknown', 1)
})

test('MQTT-1.5.5-1: an identifier of two bytes where one would do is refused', () => {
  refusedRead('04 a1 00 00 01', 'connack', 'minimalVarint', 2)
})

test('SPEC-2.2.2.2-2, SPEC-2.2.2.2-3, SPEC-3.2.2.3-2: what may stand once is refused the second time, at its identifier', () => {
  for (const [id, name, carriers, hex] of TABLE) {
    if (name === 'userProperties' || name === 'subscriptionIdentifiers') continue
    const one = `${id} ${hex}`
    for (const carrier of carriers.split(' ') as Carrier[]) refusedRead(propertiesHex(`${one} ${one}`), carrier, 'propertyRepeated', 1 + fromHex(one).length)
  }
})

test('SPEC-2.2.2.2-2: User Properties, and Subscription Identifiers of PUBLISH, repeat and keep their order', () => {
  const hex = '0b 02 26 00 01 62 00 01 31 0b 01 26 00 01 61 00 01 32 26 00 01 62 00 01 31 0b 02'
  const properties = { subscriptionIdentifiers: [2, 1, 2], userProperties: [['b', '1'], ['a', '2'], ['b', '1']] }
  assert.equal(read(hex, 'publish'), properties)
  assert.equal(read(write(properties, 'publish').slice(3), 'publish'), properties)
})

test('user properties named __proto__, constructor and toString come through untouched, both ways', () => {
  const userProperties = [['__proto__', 'a'], ['constructor', 'b'], ['toString', 'c'], ['hasOwnProperty', ''], ['__proto__', '__proto__'], ['0', 'length']]
  const hex = userProperties.map(([name, value]) => `26 ${text(name!)} ${text(value!)}`).join(' ')
  const properties = readProperties(readerOf(propertiesHex(hex), 5, 'connack'), 'connack')!
  assert.equal(properties.userProperties, userProperties)
  assert.equal(Object.keys(properties), ['userProperties'])
  assert.is(Object.getPrototypeOf(properties), Object.prototype)
  assert.is(write({ userProperties }, 'connack'), propertiesHex(hex))
})

test('MQTT-1.5.7-1: name and value of a User Property are each well-formed', () => {
  refusedRead(propertiesHex('26 00 02 c3 28 00 01 76'), 'puback', 'utf8', 4)
  refusedRead(propertiesHex('26 00 01 6b 00 02 c3 28'), 'puback', 'utf8', 7)
  refusedRead(propertiesHex('26 00 01 6b 00 01 00'), 'puback', 'nul', 7)
})

test('MQTT-3.3.2-13, MQTT-3.3.2-19: so are Response Topic and Content Type', () => {
  refusedRead(propertiesHex('08 00 02 c3 28'), 'publish', 'utf8', 4)
  refusedRead(propertiesHex('03 00 02 c3 28'), 'publish', 'utf8', 4)
})

test('SPEC-3.1.2.11.3-1, SPEC-3.1.2.11.4-1, SPEC-3.3.2.3.8-1, SPEC-3.8.2.1.2-1, MQTT-3.3.2-8: 0 is refused where it is forbidden, both ways', () => {
  const cases = [
    ['receiveMaximum', 'connect', '21 00 00', 'propertyValue', 'SPEC-3.1.2.11.3-1'],
    ['receiveMaximum', 'connack', '21 00 00', 'propertyValue', 'SPEC-3.1.2.11.3-1'],
    ['maximumPacketSize', 'connect', '27 00 00 00 00', 'propertyValue', 'SPEC-3.1.2.11.4-1'],
    ['maximumPacketSize', 'connack', '27 00 00 00 00', 'propertyValue', 'SPEC-3.1.2.11.4-1'],
    ['subscriptionIdentifier', 'subscribe', '0b 00', 'propertyValue', 'SPEC-3.8.2.1.2-1'],
    ['topicAlias', 'publish', '23 00 00', 'topicAlias', 'MQTT-3.3.2-8'],
  ] as const
  for (const [name, carrier, hex, rule, statement] of cases) {
    refusedRead(propertiesHex(hex), carrier, rule, 2, statement)
    refusedWrite({ [name]: 0 }, carrier, `properties.${name}`, new RegExp(` 0; .*\\[${statement}\\]`))
  }
  refusedRead('02 0b 00', 'publish', 'propertyValue', 2, 'SPEC-3.3.2.3.8-1')
  refusedWrite({ subscriptionIdentifiers: [1, 0] }, 'publish', 'properties.subscriptionIdentifiers[1]', /SPEC-3\.3\.2\.3\.8-1/)
})

test('SPEC-3.1.2.11.6-1, SPEC-3.2.2.3-1, SPEC-3.3.2.3.2-1: a byte that is 0 or 1 is nothing else', () => {
  const rules = {
    payloadFormatIndicator: ['publish', 'SPEC-3.3.2.3.2-1'], requestProblemInformation: ['connect', 'SPEC-3.1.2.11.6-1'], requestResponseInformation: ['connect', 'SPEC-3.1.2.11.6-1'],
    maximumQos: ['connack', 'SPEC-3.2.2.3-1'], retainAvailable: ['connack', 'SPEC-3.2.2.3-1'], wildcardSubscriptionAvailable: ['connack', 'SPEC-3.2.2.3-1'],
    subscriptionIdentifiersAvailable: ['connack', 'SPEC-3.2.2.3-1'], sharedSubscriptionAvailable: ['connack', 'SPEC-3.2.2.3-1'],
  } as const
  for (const [name, [carrier, statement]] of Object.entries(rules)) {
    const id = TABLE.find((row) => row[1] === name)![0]
    const flag = name === 'payloadFormatIndicator' || name === 'maximumQos'
    for (const value of [0, 1] as const) assert.equal(read(`${id} 0${value}`, carrier), { [name]: flag ? value : value === 1 })
    for (const value of ['02', '80', 'ff']) refusedRead(`02 ${id} ${value}`, carrier, 'propertyValue', 2, statement)
    refusedWrite({ [name]: 2 }, carrier, `properties.${name}`, flag ? /2, not 0 or 1; / : /number where a boolean belongs/)
    refusedWrite({ [name]: flag ? true : 1 }, carrier, `properties.${name}`, flag ? /true, not 0 or 1; / : /number where a boolean belongs/)
    assert.is(write({ [name]: flag ? 1 : true }, carrier), `02 ${id} 01`)
    assert.is(write({ [name]: flag ? 0 : false }, carrier), `02 ${id} 00`)
  }
})

test('MQTT-3.3.2-14: a Response Topic has no wildcard and is not empty, both ways', () => {
  for (const topic of ['a/+', '#', '+', '']) {
    for (const carrier of ['publish', 'will'] as const) {
      refusedRead(propertiesHex(`08 ${text(topic)}`), carrier, 'responseTopic', 2)
      refusedWrite({ responseTopic: topic }, carrier, 'properties.responseTopic', /MQTT-3\.3\.2-14/)
    }
  }
  refusedWrite({ responseTopic: 1 }, 'publish', 'properties.responseTopic', /number where a string belongs/)
})

test('SPEC-3.1.2.11.10-1: Authentication Data without Authentication Method is refused, both ways; the order does not matter', () => {
  for (const carrier of ['connect', 'connack', 'auth'] as const) {
    refusedRead(propertiesHex('26 00 00 00 00 16 00 01 00'), carrier, 'authenticationMethod', 6)
    refusedWrite({ authenticationData: { hex: '00' } }, carrier, 'properties.authenticationData', /Authentication Data alone/)
    assert.equal(read('16 00 01 00 15 00 01 6d', carrier), { authenticationData: { hex: '00' }, authenticationMethod: 'm' })
  }
})

test('MQTT-2.2.2-1 (5.0): no properties are Property Length 0, both ways', () => {
  assert.is(readProperties(readerOf('00', 5, 'connack'), 'connack'), undefined)
  assert.is(write(undefined, 'connack'), '00')
  assert.is(write({}, 'connack'), '00')
  assert.is(write({ reasonString: undefined, userProperties: [] }, 'connack'), '00')
})

test('SPEC-2.2.2-1: Property Length fits the packet and ends where a property ends', () => {
  refusedRead('', 'connack', 'fieldFits', 0)
  refusedRead('05 21 00 01', 'connack', 'propertyLength', 0)
  refusedRead('ff ff ff 7f 21 00 01', 'connack', 'propertyLength', 0)
  // One byte short of the value, which is there behind the end.
  refusedRead('02 21 00 01', 'connack', 'fieldFits', 2)
  refusedRead('01 21 00 01', 'connack', 'fieldFits', 2)
  refusedRead('04 1f 00 02 61 62', 'connack', 'fieldFits', 2)
  refusedRead('04 26 00 01 6b 00 01 76', 'connack', 'fieldFits', 5)
})

test('what stands behind the properties is left to be read', () => {
  const r = readerOf('03 21 00 01 aa bb', 5, 'connack')
  assert.equal(readProperties(r, 'connack'), { receiveMaximum: 1 })
  assert.is(toHex(r.rest('')), 'aa bb')
})

test('Property Lengths of more than one byte are written in place', () => {
  for (const length of [123, 124, 125, 16_380, 16_381, 16_382]) {
    const hex = propertiesHex(`1f ${text('x'.repeat(length))}`)
    assert.is(write({ reasonString: 'x'.repeat(length) }, 'connack'), hex, String(length))
    assert.equal(readProperties(readerOf(hex, 5, 'connack'), 'connack'), { reasonString: 'x'.repeat(length) })
  }
})

test('SPEC-2.2.2.2-1: a property that MQTT 5.0 does not know is refused by name, whatever the name', () => {
  for (const name of ['reasonstring', 'x', 'constructor', '__proto__', 'toString']) {
    refusedWrite(JSON.parse(`{ "reasonString": "", "${name}": "" }`), 'connack', `properties.${name}`, /no property of MQTT 5\.0; /)
  }
})

test('values of the wrong type are refused by path', () => {
  refusedWrite(null, 'connack', 'properties', /null where an object belongs/)
  refusedWrite('text', 'connack', 'properties', /string where an object belongs/)
  refusedWrite({ userProperties: {} }, 'connack', 'properties.userProperties', /object where an array belongs/)
  refusedWrite({ userProperties: [['a', 'b'], 'c'] }, 'connack', 'properties.userProperties[1]', /string where a \[name, value\] pair belongs/)
  refusedWrite({ userProperties: [['a', 'b', 'c']] }, 'connack', 'properties.userProperties[0]', /object where a \[name, value\] pair belongs/)
  refusedWrite({ userProperties: [['a', 1]] }, 'connack', 'properties.userProperties[0][1]', /number where a string belongs/)
  refusedWrite({ userProperties: [['\0', '']] }, 'connack', 'properties.userProperties[0][0]', /U\+0000/)
  refusedWrite({ subscriptionIdentifiers: 1 }, 'publish', 'properties.subscriptionIdentifiers', /number where an array belongs/)
  refusedWrite({ subscriptionIdentifiers: [1, 268_435_456] }, 'publish', 'properties.subscriptionIdentifiers[1]', /not an integer from 0 to 268,435,455/)
  refusedWrite({ subscriptionIdentifier: '1' }, 'subscribe', 'properties.subscriptionIdentifier', /not an integer/)
  refusedWrite({ receiveMaximum: 65_536 }, 'connack', 'properties.receiveMaximum', /not an integer from 0 to 65,535/)
  refusedWrite({ topicAliasMaximum: -1 }, 'connack', 'properties.topicAliasMaximum', /not an integer from 0 to 65,535/)
  refusedWrite({ topicAlias: 1.5 }, 'publish', 'properties.topicAlias', /not an integer from 0 to 65,535/)
  refusedWrite({ sessionExpiryInterval: 2 ** 32 }, 'connack', 'properties.sessionExpiryInterval', /not an integer from 0 to 4,294,967,295/)
  refusedWrite({ maximumPacketSize: 2 ** 32 }, 'connack', 'properties.maximumPacketSize', /not an integer from 0 to 4,294,967,295/)
  refusedWrite({ correlationData: [1] }, 'publish', 'properties.correlationData', /object where a Uint8Array or a string belongs/)
  refusedWrite({ reasonString: 1 }, 'connack', 'properties.reasonString', /number where a string belongs/)
})

test('the path of a Will Property begins with where it stands', () => {
  const w = writerOf(5, 'connect')
  assert.throws(() => writeProperties(w, 'will', { topicAlias: 1 } as object, 'will.properties'), /^connect\.will\.properties\.topicAlias: not a property of WILL; /)
})

test('unknown and misplaced are told apart, and a Will Property from one of CONNECT', () => {
  assert.throws(() => read('04 00', 'connect'), /identifier 0x04 is no property; a property has one of the identifiers of Table 2-4 /)
  assert.throws(() => read('01 00', 'connect'), /Payload Format Indicator \(0x01\) in CONNECT; a property stands in a packet that may carry it /)
  assert.throws(() => read('23 00 01', 'will'), /Topic Alias \(0x23\) in the Will Properties; /)
  assert.throws(() => read('23 00 01', 'connect'), /Topic Alias \(0x23\) in CONNECT; /)
})

test('before 5.0 there are none', () => {
  for (const version of [3, 4] as const) {
    refuseProperties(writerOf(version, 'connack'), undefined)
    assert.throws(() => refuseProperties(writerOf(version, 'connack'), {}), /^connack\.properties: properties in a packet of MQTT 3\.x; /)
    assert.throws(() => refuseProperties(writerOf(version, 'connect'), {}, 'will.properties'), /^connect\.will\.properties: /)
  }
})

test('properties have titles, by identifier', () => {
  assert.equal([propertyTitle(0x11), propertyTitle(0x26), propertyTitle(0x00), propertyTitle(0x7f)], ['Session Expiry Interval', 'User Property', undefined, undefined])
})

test('twin: properties go out in the order of Table 2-4, whatever order they are given in', () => {
  const all: { readonly [name: string]: unknown } = {
    sessionExpiryInterval: 1, assignedClientIdentifier: 'a', serverKeepAlive: 2, authenticationMethod: 'm', authenticationData: Uint8Array.of(9), responseInformation: 'i',
    serverReference: 's', reasonString: 'r', receiveMaximum: 3, topicAliasMaximum: 4, maximumQos: 1, retainAvailable: true, userProperties: [['k', 'v']],
    maximumPacketSize: 5, wildcardSubscriptionAvailable: false, subscriptionIdentifiersAvailable: true, sharedSubscriptionAvailable: false,
  }
  const write = (given: object): string => {
    const w = writerOf(5, 'connack')
    writeProperties(w, 'connack', given)
    return written(w).split(' ').slice(1).join(' ')
  }
  // Authentication Data goes only with its method, which is taken off again.
  const alone = (name: string): string => (name === 'authenticationData' ? write({ authenticationMethod: 'm', [name]: all[name] }).replace('15 00 01 6d ', '') : write({ [name]: all[name] }))
  let seed = 7
  const random = (n: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n
  const order = Object.keys(PROPERTIES)
  for (let round = 0; round < 200; round++) {
    const chosen = Object.keys(all).filter((name) => name === 'authenticationMethod' || random(3) > 0)
    for (let i = chosen.length - 1; i > 0; i--) {
      const k = random(i + 1)
      ;[chosen[i], chosen[k]] = [chosen[k]!, chosen[i]!]
    }
    const given = Object.fromEntries(chosen.map((name) => [name, all[name]]))
    assert.is(write(given), [...chosen].sort((a, b) => order.indexOf(a) - order.indexOf(b)).map(alone).join(' '))
  }
})

test('a wrong value is told before a stray name, and the first wrong one in the order of the table', () => {
  const path = (given: object): string => (thrownBy(() => writeProperties(writerOf(5, 'connack'), 'connack', given)) as { path: string }).path
  assert.is(path({ bogus: 1, maximumPacketSize: 0, receiveMaximum: 0 }), 'properties.receiveMaximum')
  assert.is(path({ bogus: 1, receiveMaximum: 1 }), 'properties.bogus')
  for (const name of ['toString', 'constructor', 'hasOwnProperty']) assert.is(path({ [name]: 1 }), `properties.${name}`)
})

test.run()
