import { isUtf8 } from 'node:buffer'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SHORT } from '../../src/codec/ascii.ts'
import { fromHex, toHex } from '../../src/codec/json.ts'
import { decodeText, encodeText, findFault, isEncodable, lossyText, nativeFromBuffer, nativeFromStandard } from '../../src/codec/utf8.ts'
import { randomFrom } from '../helpers/random.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The slow twin of `decodeText`: the platform's strict decoder, then a look for U+0000. */
function slowDecode(bytes: Uint8Array): string | undefined {
  try {
    const text = strict.decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

/** The slow twin of `findFault`: takes one character after another, asking the platform where each ends. */
function slowFault(bytes: Uint8Array): { at: number, nul: boolean } {
  let at = 0
  while (at < bytes.length) {
    if (bytes[at] === 0) return { at, nul: true }
    const size = [1, 2, 3, 4].find((length) => at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)))
    if (size === undefined) return { at, nul: false }
    at += size
  }
  return { at, nul: false }
}

/** Fails unless the fast functions say of these bytes what their slow twins say, also from within a larger buffer. */
function compare(bytes: Uint8Array): void {
  const padded = new Uint8Array(bytes.length + 4).fill(0x80)
  padded.set(bytes, 2)
  const end = 2 + bytes.length
  const slow = slowDecode(bytes)
  if (decodeText(padded, 2, end) !== slow) assert.is(decodeText(padded, 2, end), slow, toHex(bytes))
  const { at, nul } = findFault(padded, 2, end)
  const fault = slowFault(bytes)
  if (at - 2 !== fault.at || nul !== fault.nul) assert.equal({ at: at - 2, nul }, fault, toHex(bytes))
}

/** Texts of every length around the fast path's end, each kind of character at each place. */
function* texts(): Generator<string> {
  for (const character of ['x', 'é', '€', '😀', '\ufeff', '\ufffd', '\u0001', '\u007f', '\uffff']) {
    for (let length = 0; length <= SHORT + 2; length++) {
      for (let place = 0; place <= length; place++) yield 'a'.repeat(place) + character + 'b'.repeat(length - place)
    }
  }
  yield ''
  yield 'é'.repeat(30_000)
  yield '😀'.repeat(1_000)
}

test('MQTT-1.5.4-1: every pair of bytes is taken or refused as the strict decoder of the platform does', () => {
  for (let pair = 0; pair < 0x10000; pair++) compare(Uint8Array.of(pair >> 8, pair & 0xff))
})

test('MQTT-1.5.4-1: every lead byte with the edges of each continuation byte, cut and whole, is judged alike', () => {
  const edges = [0x00, 0x28, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
  for (let lead = 0x80; lead < 0x100; lead++) {
    compare(Uint8Array.of(lead))
    for (const second of edges) {
      for (const third of edges) {
        compare(Uint8Array.of(lead, second, third))
        if (lead > 0xed) for (const fourth of edges) compare(Uint8Array.of(lead, second, third, fourth))
      }
    }
  }
})

test('MQTT-1.5.4-1: random bytes of all lengths are judged alike', () => {
  const random = randomFrom(3)
  const likely = [0x00, 0x61, 0x61, 0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0xef, 0xbf, 0xbd, 0xf0, 0x9f, 0x98, 0x80, 0xf4, 0x8f]
  for (let i = 0; i < 20_000; i++) compare(Uint8Array.from({ length: random(40) }, () => (random(8) === 0 ? random(256) : likely[random(likely.length)]!)))
})

test('MQTT-1.5.4-1, MQTT-1.5.3-1: the ill-formed sequences that the statement list names are refused where they begin', () => {
  for (const hex of ['ed a0 80', 'c3 28', 'c0 af', 'f5 80 80 80']) {
    const bytes = fromHex(`61 ${hex} 62`)
    assert.is(decodeText(bytes, 0, bytes.length), undefined)
    assert.equal(findFault(bytes, 0, bytes.length), { at: 1, nul: false })
  }
})

test('MQTT-1.5.4-2, MQTT-1.5.3-2: U+0000 is refused in short and in long text', () => {
  for (const length of [1, SHORT, SHORT + 1, 100]) {
    const bytes = new Uint8Array(length).fill(0x61)
    bytes[length - 1] = 0
    assert.is(decodeText(bytes, 0, length), undefined)
    assert.equal(findFault(bytes, 0, length), { at: length - 1, nul: true })
  }
})

test('MQTT-1.5.4-3, MQTT-1.5.3-3: EF BB BF is U+FEFF wherever it stands, and is kept', () => {
  for (const [hex, text] of [['ef bb bf 61', '\ufeffa'], ['61 ef bb bf', 'a\ufeff'], ['ef bb bf', '\ufeff']] as const) {
    const bytes = fromHex(hex)
    assert.is(decodeText(bytes, 0, bytes.length), text)
    const out = new Uint8Array(bytes.length)
    assert.is(encodeText(text, out, 0), bytes.length)
    assert.is(toHex(out), hex)
  }
})

test('SPEC-1.5.4-1: control characters and noncharacters, which a receiver may refuse, are taken', () => {
  for (const text of ['\u0001', '\u001f', '\u007f', '\u0080', '\u009f', '\ufdd0', '\ufffe', '\uffff', '\u{1fffe}', '\u{10ffff}']) {
    const bytes = new TextEncoder().encode(text)
    assert.is(decodeText(bytes, 0, bytes.length), text)
    assert.ok(isEncodable(text))
  }
})

test('a U+FFFD that was sent is no sign of ill-formed text', () => {
  const bytes = fromHex('61 ef bf bd 62')
  assert.is(decodeText(bytes, 0, bytes.length), 'a\ufffdb')
  const broken = fromHex('61 ef bf bd ff')
  assert.is(decodeText(broken, 0, broken.length), undefined)
})

test('MQTT-1.5.4-1: text goes out as the encoder of the platform writes it, at any offset, and comes back', () => {
  for (const text of texts()) {
    const slow = new TextEncoder().encode(text)
    const out = new Uint8Array(3 + 3 * text.length)
    const end = encodeText(text, out, 3)
    if (toHex(out.subarray(3, end)) !== toHex(slow)) assert.unreachable(JSON.stringify(text))
    if (decodeText(out, 3, end) !== text) assert.unreachable(JSON.stringify(text))
  }
})

test('MQTT-1.5.4-1: lone surrogates cannot be encoded, pairs can', () => {
  for (const text of ['', 'a', 'é', '😀', '\ufeff', '\ufffd', '\uffff']) assert.ok(isEncodable(text), JSON.stringify(text))
  for (const text of ['\ud800', 'a\udfff', '\udc00\ud800', 'a\ud83d', '😀\ude00']) assert.not(isEncodable(text), JSON.stringify(text))
})

test('MQTT-1.5.4-2: text with U+0000 cannot be encoded', () => {
  for (const text of ['\0', 'a\0', '\0a']) assert.not(isEncodable(text))
})

test('the two native helpers agree', () => {
  const ours = nativeFromBuffer(Buffer.prototype as object)!
  const standard = nativeFromStandard()
  for (const text of texts()) {
    const [one, other] = [new Uint8Array(3 + 3 * text.length), new Uint8Array(3 + 3 * text.length)]
    const size = standard.write(other, text, 3)
    assert.is(ours.write(one, text, 3), size)
    assert.ok(Buffer.compare(one, other) === 0)
    assert.is(ours.slice(one, 3, 3 + size), standard.slice(one, 3, 3 + size))
  }
})

test('a Buffer without the two methods is not used', () => {
  assert.is(nativeFromBuffer(undefined), undefined)
  assert.is(nativeFromBuffer({}), undefined)
  assert.is(nativeFromBuffer({ utf8Slice: () => '' }), undefined)
})

test('a runtime without Buffer gets the standard helper', async () => {
  const { Buffer: removed } = globalThis
  // The query makes it a second copy of the module, loaded anew.
  const copy = '../../src/codec/utf8.ts?where=no-buffer.ts'
  try {
    Reflect.set(globalThis, 'Buffer', undefined)
    const { decodeText: decodeThere } = await import(copy) as { decodeText: typeof decodeText }
    assert.is(decodeThere(fromHex('61 ef bf bd ef bb bf 62'), 1, 7), '\ufffd\ufeff')
    assert.is(decodeThere(fromHex('61 ed a0 80 62'), 0, 5), undefined)
  } finally {
    Reflect.set(globalThis, 'Buffer', removed)
  }
})

test('lossy text is for those who ask: U+FFFD for what is ill-formed, U+FEFF and U+0000 kept', () => {
  const bytes = fromHex('ef bb bf 61 ff 00 62')
  assert.is(lossyText(bytes, 0, bytes.length), '\ufeffa\ufffd\0b')
})

test.run()
