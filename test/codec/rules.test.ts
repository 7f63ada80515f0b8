import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { REASONS } from '../../src/codec/reason.ts'
import { fault, misuse, RULES, statementOf } from '../../src/codec/rules.ts'
import type { RuleRow } from '../../src/codec/rules.ts'

const ROWS: readonly (readonly [string, RuleRow])[] = Object.entries(RULES)
const ANYWHERE = { packet: undefined, version: undefined } as const

test('each rule says what holds, has a Reason Code of the standard, and cites at least one version', () => {
  for (const [name, rule] of ROWS) {
    assert.ok(rule.text.length > 10 && !rule.text.endsWith('.'), name)
    assert.ok(rule.code >= 0x80 && REASONS[rule.code] !== undefined, name)
    assert.ok((rule[3] ?? rule[4] ?? rule[5]) !== undefined, name)
  }
})

test('each citation is a normative statement or a section of that version', () => {
  const forms = {
    3: /^(SPEC-3\.1-[a-z0-9-]+|3\.1 (§\d+(\.\d+)?|Appendix [A-C]))$/,
    4: /^(MQTT-\d+(\.\d+){2}-\d+|SPEC-\d+(\.\d+)*-\d+|3\.1\.1 §\d+(\.\d+)*)$/,
    5: /^(MQTT-\d+(\.\d+){2}-\d+|SPEC-\d+(\.\d+)*-\d+|5\.0 §\d+(\.\d+)*)$/,
  }
  for (const [name, rule] of ROWS) {
    for (const version of [3, 4, 5] as const) {
      if (rule[version] !== undefined) assert.match(rule[version], forms[version], name)
    }
  }
})

test('0x81 and 0x95 make a MalformedPacket, every other code a ProtocolError', () => {
  for (const [name, rule] of ROWS) {
    const error = fault(rule, ANYWHERE, 0, '')
    assert.is(error.name, rule.code === 0x81 || rule.code === 0x95 ? 'MalformedPacket' : 'ProtocolError', name)
    assert.is(error.reasonCode, rule.code, name)
  }
})

test('a fault tells packet, offset, what was found, what holds and the statement of the version', () => {
  const error = fault(RULES.willQos, { packet: 'connect', version: 4 }, 9, 'flags 0b00011110')
  assert.is(error.message, 'CONNECT, offset 9: flags 0b00011110; Will QoS is 0, 1 or 2 [MQTT-3.1.2-14]')
  const { offset, packet, rule, version, foreign } = error
  assert.equal({ offset, packet, rule, version, foreign }, { offset: 9, packet: 'connect', rule: 'MQTT-3.1.2-14', version: 4, foreign: undefined })
})

test('a fault in a packet whose type is not known says "packet"', () => {
  assert.match(fault(RULES.packetType, ANYWHERE, 0, 'packet type 0').message, /^packet, offset 0: packet type 0; /)
})

test('a fault may name a closer statement and a foreign protocol', () => {
  const error = fault(RULES.propertyValue, { packet: 'connack', version: 5 }, 5, 'Maximum QoS is 2', { statement: 'SPEC-3.2.2.3-1', foreign: 'HTTP' })
  assert.is(error.rule, 'SPEC-3.2.2.3-1')
  assert.is(error.foreign, 'HTTP')
  assert.match(error.message, /\[SPEC-3\.2\.2\.3-1\]$/)
})

test('a misuse tells packet, path and statement', () => {
  const error = misuse(RULES.willQos, { packet: 'connect', version: 5 }, 'will.qos', '3')
  assert.is(error.message, 'connect.will.qos: 3; Will QoS is 0, 1 or 2 [MQTT-3.1.2-12]')
  const { name, packet, rule, path } = error
  assert.equal({ name, packet, rule, path }, { name: 'UsageError', packet: 'connect', rule: 'MQTT-3.1.2-12', path: 'will.qos' })
  const whole = misuse(RULES.packetTooLarge, { packet: 'publish', version: 5 }, '', 'too much', 'SPEC-2.2.3-1')
  assert.match(whole.message, /^publish: too much; .* \[SPEC-2\.2\.3-1\]$/)
  assert.is(whole.path, '')
})

test('the statement is that of the version; without one, or where the version has no such rule, the newest', () => {
  const all: RuleRow = { text: '', code: 0x81, 3: 'three', 4: 'four', 5: 'five' }
  assert.equal([statementOf(all, 3), statementOf(all, 4), statementOf(all, 5), statementOf(all, undefined)], ['three', 'four', 'five', 'five'])
  const old: RuleRow = { text: '', code: 0x81, 3: 'three', 4: 'four' }
  assert.equal([statementOf(old, 3), statementOf(old, 5), statementOf(old, undefined)], ['three', 'four', 'four'])
  const oldest: RuleRow = { text: '', code: 0x81, 3: 'three' }
  assert.equal([statementOf(oldest, 3), statementOf(oldest, 4), statementOf(oldest, undefined)], ['three', 'three', 'three'])
  assert.is(statementOf({ text: '', code: 0x81 }, 5), '')
})

test.run()
