// Mutations that know nothing of MQTT but which bytes and numbers are interesting in it.
import type { Random } from './random.ts'

/** Longer inputs cost time and show nothing new. */
export const MOST_BYTES = 80_000

/** Bytes around which things change: signs, continuation bits, boundaries of UTF-8, packet types, property identifiers. */
const BYTES: readonly number[] = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x0b, 0x10, 0x15, 0x16, 0x18, 0x1f, 0x20, 0x21, 0x23, 0x24, 0x26, 0x27, 0x2a, 0x2b, 0x2f, 0x30, 0x3f, 0x40, 0x62, 0x7e, 0x7f,
  0x80, 0x81, 0x82, 0x83, 0x84, 0x8e, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xfe, 0xff,
]

/** Runs of bytes worth having in one piece. */
export const TOKENS: readonly (readonly number[])[] = [
  // numbers: 16 and 32 bits, Variable Byte Integers minimal, not minimal, too long
  [0x00, 0x00], [0x00, 0x01], [0x7f, 0xff], [0x80, 0x00], [0xff, 0xff], [0, 0, 0, 0], [0x7f, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0xff],
  [0x80, 0x00], [0x80, 0x01], [0xff, 0x7f], [0x80, 0x80, 0x01], [0xff, 0xff, 0x7f], [0x80, 0x80, 0x80, 0x01], [0xff, 0xff, 0xff, 0x7f], [0x80, 0x80, 0x80, 0x00], [0x80, 0x80, 0x80, 0x80, 0x01],
  // UTF-8: U+0000 both ways, overlong, surrogates, above U+10FFFF, cut, noncharacters, U+FEFF, U+10FFFF, U+0080, U+0800, U+FFFD
  [0x00], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0xaf], [0xe0, 0x9f, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80],
  [0xe2, 0x82], [0xf0, 0x9f, 0x92], [0x80], [0xff], [0xef, 0xbf, 0xbe], [0xef, 0xbf, 0xbf], [0xef, 0xbb, 0xbf], [0xf4, 0x8f, 0xbf, 0xbf], [0xc2, 0x80], [0xe0, 0xa0, 0x80], [0xef, 0xbf, 0xbd],
  // names, wildcards, shares, other protocols
  ascii('\0\x04MQTT\x05'), ascii('\0\x04MQTT\x04'), ascii('\0\x06MQIsdp\x03'), ascii('#'), ascii('/#'), ascii('+'), ascii('/+/'), ascii('$share/'), ascii('$share/g/a'), ascii('$SYS'), ascii('__proto__'),
  ascii('GET '), ascii('HTTP/'), ascii('SSH-'), ascii('\x16\x03'), ascii('INFO {'),
]

export function ascii(text: string): readonly number[] {
  return Array.from(text, (character) => character.charCodeAt(0))
}

/** Changes `input` behind its first `fixed` bytes in one way; `other` is a second input to take from. Returns a new array. */
export function mutateBytes(input: Uint8Array, fixed: number, other: Uint8Array, random: Random): Uint8Array {
  const length = input.length - fixed
  const at = fixed + random.below(length + 1)
  if (at >= input.length) return splice(input, at, at, anything(random, 8))
  const span = Math.min(input.length - at, random.few(12))
  switch (random.below(12)) {
    case 0: return changed(input, at, input[at]! ^ (1 << random.below(8)))
    case 1: return changed(input, at, random.pick(BYTES))
    case 2: return changed(input, at, random.byte())
    case 3: return changed(input, at, input[at]! + 1)
    case 4: return changed(input, at, input[at]! - 1)
    case 5: return splice(input, at, at, anything(random, 8))
    case 6: return splice(input, at, at + span, [])
    case 7: return splice(input, at, at, input.subarray(at, at + span))
    case 8: return splice(input, at, Math.min(input.length, at + random.pick(TOKENS).length), random.pick(TOKENS))
    case 9: return splice(input, at, at, random.pick(TOKENS))
    case 10: return input.slice(0, at)
    default: {
      // The beginning of one, the end of another.
      const from = fixed + random.below(Math.max(1, other.length - fixed))
      return splice(input, at, input.length, other.subarray(from))
    }
  }
}

/** Bytes [from, to) replaced. */
export function splice(input: Uint8Array, from: number, to: number, by: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(Math.min(MOST_BYTES, input.length - (to - from) + by.length))
  out.set(input.subarray(0, Math.min(from, out.length)))
  for (let i = 0; i < by.length && from + i < out.length; i++) out[from + i] = by[i]!
  const rest = out.length - from - by.length
  if (rest > 0) out.set(input.subarray(to, to + rest), from + by.length)
  return out
}

function changed(input: Uint8Array, at: number, value: number): Uint8Array {
  const out = input.slice()
  out[at] = value
  return out
}

function anything(random: Random, most: number): Uint8Array {
  const bytes = random.bytes(random.few(most))
  return random.oneIn(2) ? bytes : bytes.map(() => random.pick(BYTES))
}
