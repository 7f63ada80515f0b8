import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex, toHex } from '../../src/codec/json.ts'
import { MAXIMUM_VARINT, scanVarint, varintSize, varintValue, writeVarint } from '../../src/codec/varint.ts'
import { randomFrom } from '../helpers/random.ts'

/** The algorithm that 5.0 §1.5.5 gives for encoding. */
function slowWrite(value: number): number[] {
  const out: number[] = []
  do {
    const byte = value % 128
    value = Math.floor(value / 128)
    out.push(value > 0 ? byte + 128 : byte)
  } while (value > 0)
  return out
}

/** The algorithm that 5.0 §1.5.5 gives for decoding. */
function slowRead(bytes: readonly number[]): number {
  let multiplier = 1
  let value = 0
  for (const byte of bytes) {
    value += (byte % 128) * multiplier
    multiplier *= 128
  }
  return value
}

test('MQTT-1.5.5-1: the ends of each size of Table 1-1 are written in as few bytes as possible', () => {
  const table: readonly (readonly [number, string])[] = [
    [0, '00'], [127, '7f'], [128, '80 01'], [16_383, 'ff 7f'], [16_384, '80 80 01'], [2_097_151, 'ff ff 7f'], [2_097_152, '80 80 80 01'], [268_435_455, 'ff ff ff 7f'],
  ]
  for (const [value, hex] of table) {
    const bytes = new Uint8Array(6)
    const end = writeVarint(value, bytes, 1)
    assert.is(toHex(bytes.subarray(1, end)), hex)
    assert.is(varintSize(value), end - 1)
    assert.is(scanVarint(fromHex(hex), 0, 4), end - 1)
    assert.is(varintValue(fromHex(hex), 0, end - 1), value)
  }
  assert.is(MAXIMUM_VARINT, 268_435_455)
})

test('MQTT-1.5.5-1: writing and reading agree with the algorithms of the standard', () => {
  const random = randomFrom(2)
  for (let i = 0; i < 20_000; i++) {
    const value = random(2 ** (1 + random(28)))
    const slow = slowWrite(value)
    const bytes = new Uint8Array(8).fill(0xff)
    const end = writeVarint(value, bytes, 2)
    assert.is(toHex(bytes.subarray(2, end)), toHex(Uint8Array.from(slow)))
    assert.is(varintSize(value), slow.length)
    assert.is(scanVarint(bytes, 2, bytes.length), slow.length)
    assert.is(varintValue(bytes, 2, slow.length), slowRead(slow))
  }
})

test('SPEC-1.5.5-1: a fourth byte that asks for a fifth is known as such without waiting for it', () => {
  assert.is(scanVarint(fromHex('80 80 80 80'), 0, 4), 5)
  assert.is(scanVarint(fromHex('ff ff ff ff 7f'), 0, 5), 5)
})

test('what `end` cuts short is neither read past it nor taken for complete', () => {
  const bytes = fromHex('ff ff ff 7f')
  for (let end = 0; end < 4; end++) assert.is(scanVarint(bytes, 0, end), 0)
  assert.is(scanVarint(bytes, 0, 4), 4)
})

test.run()
