import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { REASONS } from '../../src/codec/index.ts'
import { CONNECTION_RULES } from '../../src/fsm/rules.ts'
import type { ConnectionRule } from '../../src/fsm/rules.ts'
import { VERSIONS } from './helpers.ts'

const ROWS = Object.entries(CONNECTION_RULES) as [ConnectionRule, (typeof CONNECTION_RULES)[ConnectionRule]][]

test('each rule says in one phrase what it is, with an error code of Table 2-6', () => {
  for (const [name, { text, code }] of ROWS) {
    assert.ok(text.length > 10 && !text.endsWith('.'), name)
    assert.ok(code >= 0x80 && REASONS[code] !== undefined, name)
  }
})

test('each rule cites a statement or a section, in the documents that have it', () => {
  const forms = { 3: /^(SPEC-3\.1-[a-z-]+|3\.1 §[\d.]+)$/, 4: /^(MQTT-[\d.]+-\d+|SPEC-[\d.]+-\d+|3\.1\.1 §[\d.]+)$/, 5: /^(MQTT-[\d.]+-\d+|SPEC-[\d.]+-\d+|5\.0 §[\d.]+)$/ }
  for (const [name, row] of ROWS) {
    const cited = VERSIONS.filter((version) => row[version] !== undefined)
    assert.ok(cited.length > 0, name)
    for (const version of cited) assert.match(row[version]!, forms[version], name)
  }
})

test('each statement that is cited is in the list of statements, under its version', () => {
  const listed = new Set(readFileSync(new URL('../../docs/conformance-statements.tsv', import.meta.url), 'utf8').split('\n').map((line) => line.split('\t').slice(0, 2).join(' ')))
  const names = { 3: '3.1', 4: '3.1.1', 5: '5.0' }
  for (const [name, row] of ROWS) {
    for (const version of VERSIONS) {
      const cited = row[version]
      if (cited !== undefined && !cited.includes('§')) assert.ok(listed.has(`${names[version]} ${cited}`), `${name}: ${names[version]} ${cited}`)
    }
  }
})

test('the statements, as 3.1.1 and 5.0 number them', () => {
  const numbered: readonly (readonly [ConnectionRule, four: string | undefined, five: string | undefined])[] = [
    ['firstPacket', 'MQTT-3.1.0-1', 'MQTT-3.1.0-1'],
    ['secondConnect', 'MQTT-3.1.0-2', 'MQTT-3.1.0-2'],
    ['beforeConnack', 'MQTT-3.2.0-1', 'MQTT-3.2.0-1'],
    ['secondConnack', 'MQTT-4.8.0-1', 'MQTT-3.2.0-2'],
    ['disconnectBeforeConnack', undefined, 'MQTT-3.14.0-1'],
    ['nothingAfterDisconnect', 'MQTT-3.14.4-2', 'MQTT-3.14.4-1'],
    ['authOnly', undefined, 'MQTT-3.1.2-30'],
    ['reauthenticateEarly', undefined, 'MQTT-4.12.1-1'],
    ['continueBeforeConnack', undefined, 'MQTT-4.12.0-2'],
    ['authWithoutMethod', undefined, 'MQTT-4.12.0-7'],
    ['serverAuthWithoutMethod', undefined, 'MQTT-4.12.0-6'],
    ['authMethodChanged', undefined, 'MQTT-4.12.0-5'],
    ['serverSessionExpiry', undefined, 'MQTT-3.14.2-2'],
    ['clientSubscriptionIdentifier', undefined, 'MQTT-3.3.4-6'],
    ['sessionPresentCleanStart', 'MQTT-3.2.2-1', 'MQTT-3.2.2-2'],
    ['sessionPresentUnknown', undefined, 'MQTT-3.2.2-4'],
    ['emptyClientId', 'MQTT-3.1.3-8', undefined],
    ['assignedClientId', undefined, 'MQTT-3.2.2-16'],
    ['connackCode', 'MQTT-3.2.2-6', 'MQTT-3.2.2-8'],
    ['versionNotAccepted', 'MQTT-3.1.2-2', 'MQTT-3.1.2-2'],
    ['keepAlive', 'MQTT-3.1.2-24', 'MQTT-3.1.2-22'],
    ['reauthenticatedInTime', undefined, 'MQTT-4.12.1-2'],
    ['sessionOfAnother', 'MQTT-3.1.3-2', 'MQTT-3.1.3-2'],
    ['sessionPresentUntold', 'MQTT-3.2.2-2', 'MQTT-3.2.2-3'],
    ['willQosAccepted', undefined, 'MQTT-3.2.2-12'],
    ['willRetainAccepted', undefined, 'MQTT-3.2.2-13'],
    ['identifierRange', 'MQTT-2.3.1-1', 'MQTT-2.2.1-3'],
    ['identifierInUse', 'MQTT-2.3.1-2', 'MQTT-2.2.1-3'],
    ['identifierInUseByServer', 'MQTT-2.3.1-4', 'MQTT-2.2.1-4'],
    ['dupFirst', 'MQTT-4.3.2-1', 'MQTT-4.3.2-2'],
    ['sendQuota', undefined, 'MQTT-4.9.0-2'],
    ['receiveMaximum', '3.1.1 §4.3', 'SPEC-3.3.4-1'],
    ['wrongAck', 'MQTT-3.3.4-1', 'MQTT-3.3.4-1'],
    ['unaskedAck', 'MQTT-2.3.1-7', 'MQTT-2.2.1-6'],
    ['subackCount', 'MQTT-3.8.4-5', 'MQTT-3.8.4-6'],
    ['unsubackCount', undefined, 'MQTT-3.11.3-1'],
    ['answerWithoutQuestion', 'MQTT-2.3.1-6', 'MQTT-2.2.1-5'],
    ['pubackOrder', 'MQTT-4.6.0-2', 'MQTT-4.6.0-2'],
    ['pubrecOrder', 'MQTT-4.6.0-3', 'MQTT-4.6.0-3'],
    ['topicAliasOfClient', undefined, 'MQTT-3.3.2-9'],
    ['topicAliasOfServer', undefined, 'MQTT-3.3.2-11'],
    ['topicAliasUnknown', undefined, 'SPEC-3.3.2.1-1'],
    ['maximumPacketSizeOfClient', undefined, 'MQTT-3.1.2-24'],
    ['maximumPacketSizeOfServer', undefined, 'MQTT-3.2.2-15'],
    ['problemInformation', undefined, 'MQTT-3.1.2-29'],
    ['responseInformation', undefined, 'MQTT-3.1.2-28'],
    ['maximumQos', undefined, 'MQTT-3.2.2-11'],
    ['retainAvailable', undefined, 'MQTT-3.2.2-14'],
  ]
  for (const [name, four, five] of numbered) assert.equal([CONNECTION_RULES[name][4], CONNECTION_RULES[name][5]], [four, five], name)
})

test('the codes that Table 2-6 has for it, not just Protocol Error', () => {
  const codes: readonly (readonly [ConnectionRule, number])[] = [
    ['sendQuota', 0x93], ['receiveMaximum', 0x93], ['topicAliasOfClient', 0x94], ['topicAliasOfServer', 0x94], ['topicAliasUnknown', 0x82], ['maximumPacketSizeOfClient', 0x95],
    ['maximumPacketSizeOfServer', 0x95], ['identifiersExhausted', 0x97], ['retainAvailable', 0x9a], ['willRetainAccepted', 0x9a], ['maximumQos', 0x9b], ['willQosAccepted', 0x9b],
    ['sharedAvailable', 0x9e], ['identifiersAvailable', 0xa1], ['wildcardsAvailable', 0xa2], ['reauthenticatedInTime', 0x87],
    ['clientIdLength', 0x85], ['emptyClientId', 0x85], ['versionNotAccepted', 0x84], ['tooManyHeld', 0x97], ['answerInTime', 0x88], ['keepAlive', 0x8d],
  ]
  for (const [name, code] of codes) assert.is(CONNECTION_RULES[name].code, code, name)
})

test.run()
