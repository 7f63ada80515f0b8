// Text for the floor: what strings cost at least, with U+0000 and malformed UTF-8 refused.
// Every native call costs about 60 ns whatever it does, so short ASCII goes without one.

const { utf8Slice, utf8Write } = Buffer.prototype
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Above this many bytes one native call is cheaper than reading them one by one. */
const SHORT = 24

export function fail(what) {
  throw new Error(`floor: ${what}`)
}

export function readText(bytes, from, length) {
  if (length > SHORT) return longText(bytes, from, length)
  let odd = 0
  // Bit 7 of a byte is set outside ASCII; bit 7 of byte - 1 is set for U+0000.
  for (let i = from, end = from + length; i < end; i++) odd |= bytes[i] | (bytes[i] - 1)
  if ((odd & 0x80) !== 0) return longText(bytes, from, length)
  return shortText(bytes, from, length)
}

function longText(bytes, from, length) {
  const text = utf8Slice.call(bytes, from, from + length)
  if (text.includes('\0')) fail('U+0000 in text')
  // The replacement character may be the sender's own; only the strict decoder knows.
  if (text.includes('\ufffd')) strict.decode(bytes.subarray(from, from + length))
  return text
}

/** Exact arity: one flat string, no array, no rope. A loop with += is slower than a native call from 8 bytes on. */
function shortText(b, i, length) {
  const s = String.fromCharCode
  switch (length) {
    case 0: return ''
    case 1: return s(b[i])
    case 2: return s(b[i], b[i + 1])
    case 3: return s(b[i], b[i + 1], b[i + 2])
    case 4: return s(b[i], b[i + 1], b[i + 2], b[i + 3])
    case 5: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4])
    case 6: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5])
    case 7: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6])
    case 8: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7])
  }
  return midText(b, i, length)
}

/** 9 to 24 bytes; apart from the shorter ones so that those stay small enough to be inlined. */
function midText(b, i, length) {
  const s = String.fromCharCode
  switch (length) {
    case 9: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8])
    case 10: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9])
    case 11: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9], b[i + 10])
    case 12: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9], b[i + 10], b[i + 11])
    case 13: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6],
      b[i + 7], b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12])
    case 14: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6],
      b[i + 7], b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13])
    case 15: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14])
    case 16: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15])
    case 17: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8],
      b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16])
    case 18: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8],
      b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16], b[i + 17])
    case 19: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9],
      b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16], b[i + 17], b[i + 18])
    case 20: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9],
      b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16], b[i + 17], b[i + 18], b[i + 19])
    case 21: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9], b[i + 10],
      b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16], b[i + 17], b[i + 18], b[i + 19], b[i + 20])
    case 22: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9], b[i + 10],
      b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16], b[i + 17], b[i + 18], b[i + 19], b[i + 20], b[i + 21])
    case 23: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9], b[i + 10], b[i + 11],
      b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16], b[i + 17], b[i + 18], b[i + 19], b[i + 20], b[i + 21], b[i + 22])
    case 24: return s(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9], b[i + 10], b[i + 11],
      b[i + 12], b[i + 13], b[i + 14], b[i + 15], b[i + 16], b[i + 17], b[i + 18], b[i + 19], b[i + 20], b[i + 21], b[i + 22], b[i + 23])
  }
}

/** Writes length and text at `at`, returns the end. Lone surrogates, U+0000 and more than 65,535 bytes are refused. */
export function writeText(target, at, text) {
  const length = text.length
  if (length > 16) return writeLong(target, at, text)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code - 1 >>> 0 > 0x7e) return writeLong(target, at, text)
    target[at + 2 + i] = code
  }
  target[at] = 0
  target[at + 1] = length
  return at + 2 + length
}

function writeLong(target, at, text) {
  if (text.includes('\0') || !text.isWellFormed()) fail('text that UTF-8 cannot carry')
  if (at + 2 + text.length * 3 > target.length) fail('target too small')
  const size = utf8Write.call(target, text, at + 2)
  if (size > 0xffff) fail('text longer than 65,535 bytes')
  target[at] = size >> 8
  target[at + 1] = size & 0xff
  return at + 2 + size
}
