import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SHORT, shortAscii } from '../../src/codec/ascii.ts'
import { randomFrom } from '../helpers/random.ts'

function slow(bytes: Uint8Array, start: number, length: number): string {
  let out = ''
  for (let i = 0; i < length; i++) out += String.fromCharCode(bytes[start + i]!)
  return out
}

test('every length, at every offset of a buffer, is what a loop of += gives', () => {
  const random = randomFrom(1)
  const bytes = Uint8Array.from({ length: 64 }, () => 1 + random(127))
  for (let length = 0; length <= SHORT; length++) {
    for (let start = 0; start + length <= bytes.length; start++) assert.is(shortAscii(bytes, start, length), slow(bytes, start, length))
  }
})

test('every ASCII character but U+0000 comes through', () => {
  for (let code = 1; code < 0x80; code++) assert.is(shortAscii(Uint8Array.of(code), 0, 1), String.fromCodePoint(code))
})

test.run()
