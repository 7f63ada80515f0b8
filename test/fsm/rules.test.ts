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
  ]
  for (const [name, four, five] of numbered) assert.equal([CONNECTION_RULES[name][4], CONNECTION_RULES[name][5]], [four, five], name)
})

test('the codes that Table 2-6 has for it, not just Protocol Error', () => {
  const codes: readonly (readonly [ConnectionRule, number])[] = [
    ['clientIdLength', 0x85], ['emptyClientId', 0x85], ['versionNotAccepted', 0x84], ['tooManyHeld', 0x97], ['answerInTime', 0x88], ['keepAlive', 0x8d],
  ]
  for (const [name, code] of codes) assert.is(CONNECTION_RULES[name].code, code, name)
})

test.run()
