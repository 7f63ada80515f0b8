import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { annotate } from '../../src/codec/annotate.ts'
import { fromHex, toJson } from '../../src/codec/json.ts'
import { readingOf } from '../../src/codec/lenient.ts'
import { readEnding, readReason, writeEnding, writeReason } from '../../src/codec/reason-field.ts'
import type { RuleName } from '../../src/codec/rules.ts'
import { expected, facts, thrownBy } from '../helpers/codec.ts'
import { readerOf, writerOf, written } from '../helpers/cursors.ts'

const ENDINGS = ['puback', 'pubrec', 'pubrel', 'pubcomp', 'disconnect', 'auth'] as const
const CODED = [...ENDINGS, 'connack', 'suback', 'unsuback'] as const

test('MQTT-3.2.2-8, MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.6.2-1, MQTT-3.7.2-1, MQTT-3.9.3-2, MQTT-3.11.3-2, MQTT-3.14.2-1, MQTT-3.15.2-1 (5.0): a code of another packet is refused, both ways', () => {
  for (const type of CODED) {
    assert.is(readReason(readerOf('00', 5, type), type, 5), 0)
    // 0x05 and 0xff are no Reason Codes at all.
    for (const [hex, code] of [['05', 5], ['ff', 255]] as const) {
      assert.equal(facts(thrownBy(() => readReason(readerOf(hex, 5, type), type, 5))), expected(`${type}Code` satisfies RuleName, 5, 0))
      assert.throws(() => writeReason(writerOf(5, type), type, code, 5), new RegExp(`^${type}\\.reasonCode: code ${code}; `))
    }
  }
})

test('SPEC-3.1-suback: 3.1 has no failure code, but where its brokers are forgiven', () => {
  assert.equal(facts(thrownBy(() => readReason(readerOf('80', 3, 'suback'), 'suback', 3))), expected('subackFailure', 3, 0))
  const r = readerOf('80', 3, 'suback')
  r.reading = readingOf({ lenient: ['suback-failure-of-3.1'] })
  assert.is(readReason(r, 'suback', 3), 0x80)
})

test('what is no byte is refused by path', () => {
  for (const code of [-1, 256, 1.5, NaN, undefined, '0', null]) {
    assert.throws(() => writeReason(writerOf(5, 'suback'), 'suback', code as number, 5, 'reasonCodes[1]'), new RegExp(`^suback\\.reasonCodes\\[1\\]: code ${code}; `))
  }
})

test('in 3.x the field is called a return code and has its own values', () => {
  assert.is(readReason(readerOf('05', 4, 'connack'), 'connack', 4), 5)
  assert.is(annotate(fromHex('20 02 00 05'), 4).at(-1)?.name, 'Return code')
  assert.is(annotate(fromHex('e0 01 04'), 5).at(-1)?.name, 'Reason Code')
  assert.equal(facts(thrownBy(() => readReason(readerOf('80', 3, 'suback'), 'suback', 3))), expected('subackCode', 3, 0))
  const w = writerOf(4, 'connack')
  writeReason(w, 'connack', 5, 4)
  assert.is(written(w), '05')
})

test('SPEC-3.4.2.1-1, SPEC-3.14.2.1-1, SPEC-3.15.2.1-1: an ending of no bytes is Success; one byte is a code without properties', () => {
  for (const type of ENDINGS) {
    assert.equal(toJson(readEnding(readerOf('', 5, type), type)), { reasonCode: 0 })
    assert.equal(toJson(readEnding(readerOf('00', 5, type), type)), { reasonCode: 0 })
    assert.equal(toJson(readEnding(readerOf('00 00', 5, type), type)), { reasonCode: 0 })
    assert.equal(toJson(readEnding(readerOf('00 04 1f 00 01 61', 5, type), type)), { reasonCode: 0, properties: { reasonString: 'a' } })
  }
})

test('MQTT-4.13.1-1: nothing may follow the properties', () => {
  for (const type of ENDINGS) assert.equal(facts(thrownBy(() => readEnding(readerOf('00 00 00', 5, type), type))), expected('nothingLeft', 5, 2))
})

test('SPEC-3.4.2.1-1, SPEC-3.14.2.1-1: the shortest form that says the same is written', () => {
  const forms = [
    [0, undefined, ''], [0, {}, ''], [0, { reasonString: undefined }, ''], [0, { userProperties: [] }, ''], [0x80, undefined, '80'], [0x80, { reasonString: undefined }, '80'],
    [0x80, { reasonString: 'a' }, '80 04 1f 00 01 61'], [0, { reasonString: 'a' }, '00 04 1f 00 01 61'],
  ] as const
  for (const [code, properties, hex] of forms) {
    const w = writerOf(5, 'puback')
    writeEnding(w, 'puback', code, properties)
    assert.is(written(w), hex)
  }
})

test('properties that are none are refused, not taken for absent', () => {
  for (const properties of [null, 'x', 7]) {
    assert.throws(() => writeEnding(writerOf(5, 'puback'), 'puback', 0, properties as unknown as {}), (error: { path: string }) => error.path === 'properties')
  }
})

test.run()
