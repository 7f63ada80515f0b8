import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asText, fromText, looksLikeHex } from '../../src/cli/hex.ts'
import { toHex } from '../../src/codec/index.ts'

const SHORT = '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61'
/** 40 bytes, of which the text column of some dumps looks like hexadecimal. */
const LONG = '30 26 00 03 61 2f 62 61 62 20 63 64 20 65 66 20 30 31 20 32 33 20 34 35 20 36 37 20 38 39 61 62 63 64 65 66 30 31 32 33'

const SPELLINGS: { readonly [name: string]: string } = {
  spaced: SHORT,
  'without spaces, upper case': SHORT.replaceAll(' ', '').toUpperCase(),
  '0x each': SHORT.split(' ').map((byte) => `0x${byte}`).join(', '),
  '0x once': `0x${SHORT.replaceAll(' ', '')}`,
  '0x without leading zeros': SHORT.split(' ').map((byte) => `0x${Number(`0x${byte}`).toString(16)}`).join(' '),
  colons: SHORT.replaceAll(' ', ':'),
  dashes: SHORT.replaceAll(' ', '-'),
  '\\x': `"${SHORT.split(' ').map((byte) => `\\x${byte}`).join('')}"`,
  'Wireshark, escaped string': SHORT.split(' ').map((byte) => `\\x${byte}`).join('').replace(/(.{32})/, '"$1" \\\n"').concat('"'),
  'a Buffer as Node prints it': `<Buffer ${SHORT}>`,
  'xxd -i': `unsigned char a_bin[] = {\n  ${SHORT.split(' ').map((byte) => `0x${byte}`).join(', ')}\n};\nunsigned int a_bin_len = 15;\n`,
  'with comments': `${SHORT.slice(0, 5)} # fixed header\n${SHORT.slice(6)} // the rest`,
  xxd: '00000000: 100d 0004 4d51 5454 0402 003c 0001 61    ....MQTT...<..a\n',
  'xxd -g1': '00000000: 10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61     ....MQTT...<..a\n',
  'xxd -p': '100d00044d5154540402003c000161\n',
  'hexdump -C': '00000000  10 0d 00 04 4d 51 54 54  04 02 00 3c 00 01 61     |....MQTT...<..a|\n0000000f\n',
  hexdump: '0000000 0d10 0400 514d 5454 0204 3c00 0100 0061\n000000f\n',
  'od -x': '0000000 0d10 0400 514d 5454 0204 3c00 0100 0061\n0000017\n',
  'od -t x1': '0000000 10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61\n0000017\n',
  'od -A x -t x1': '000000  10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61\n00000f\n',
  'tcpdump -X': '\t0x0000:  100d 0004 4d51 5454 0402 003c 0001 61    ....MQTT...<..a\n',
  'Wireshark, hex dump': '0000   10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61      ....MQTT...<..a\n',
  'tshark -x': 'Reassembled TCP (15 bytes):\n0000  10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61      ....MQTT...<..a\n\n',
}

for (const [name, spelling] of Object.entries(SPELLINGS)) {
  test(`hexadecimal: ${name}`, () => { assert.is(toHex(fromText(spelling)), SHORT) })
}

const LONG_DUMPS: { readonly [name: string]: string } = {
  xxd: `00000000: 3026 0003 612f 6261 6220 6364 2065 6620  0&..a/bab cd ef \n00000010: 3031 2032 3320 3435 2036 3720 3839 6162  01 23 45 67 89ab\n00000020: 6364 6566 3031 3233                      cdef0123\n`,
  'hexdump -C': `00000000  30 26 00 03 61 2f 62 61  62 20 63 64 20 65 66 20  |0&..a/bab cd ef |\n00000010  30 31 20 32 33 20 34 35  20 36 37 20 38 39 61 62  |01 23 45 67 89ab|\n00000020  63 64 65 66 30 31 32 33                           |cdef0123|\n00000028\n`,
  Wireshark: `0000   30 26 00 03 61 2f 62 61 62 20 63 64 20 65 66 20   0&..a/bab cd ef \n0010   30 31 20 32 33 20 34 35 20 36 37 20 38 39 61 62   01 23 45 67 89ab\n0020   63 64 65 66 30 31 32 33                           cdef0123\n`,
  'xxd -c 8': ['00000000: 3026 0003 612f 6261  0&..a/ba', '00000008: 6220 6364 2065 6620  b cd ef ', '00000010: 3031 2032 3320 3435  01 23 45', '00000018: 2036 3720 3839 6162   67 89ab', '00000020: 6364 6566 3031 3233  cdef0123'].join('\n'),
  'xxd -c 32': `00000000: ${LONG.slice(0, 95).replace(/(..) (..) ?/g, '$1$2 ')} 0&..a/bab cd ef 01 23 45 67 89ab\n00000020: 6364 6566 3031 3233                      cdef0123\n`,
  'hexdump -C without bars, as Wireshark once did': '0000  30 26 00 03 61 2f 62 61  62 20 63 64 20 65 66 20   0&..a/bab cd ef \n0010  30 31 20 32 33 20 34 35  20 36 37 20 38 39 61 62   01 23 45 67 89ab\n0020  63 64 65 66 30 31 32 33                            cdef0123\n',
  'od -t x1': `0000000 30 26 00 03 61 2f 62 61 62 20 63 64 20 65 66 20\n0000020 30 31 20 32 33 20 34 35 20 36 37 20 38 39 61 62\n0000040 63 64 65 66 30 31 32 33\n0000050\n`,
}

for (const [name, dump] of Object.entries(LONG_DUMPS)) {
  test(`hexadecimal: three rows of ${name}, whose text looks like hexadecimal too`, () => { assert.is(toHex(fromText(dump)), LONG) })
}

test('hexadecimal: repeated rows that hexdump squeezes, and several dumps in one text', () => {
  const zeros = fromText(`00000000  30 3e 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |0>..|\n00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |....|\n*\n00000040\n`)
  assert.is(zeros.length, 64)
  assert.is(toHex(fromText('0000   c0 00   ..\n\n0000   d0 00   ..\n')), 'c0 00 d0 00')
  assert.throws(() => fromText('00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |....|\n*\n7fffffff\n'), /more than 16777216/)
})

test('hexadecimal: a million bytes in one word, and in as many words', () => {
  assert.is(fromText('c000'.repeat(500_000)).length, 1_000_000)
  assert.is(fromText('c0 00\n'.repeat(500_000)).length, 1_000_000)
})

test('hexadecimal: what is wrong is named with its place', () => {
  for (const [text, pattern] of [
    ['10 zz', /not hexadecimal: "zz" in line 1, column 4/], ['10\n0', /odd number of digits: "0" in line 2, column 1/], ['hello world', /not hexadecimal: "hello" in line 1, column 1/],
    ['00000000: 100d 0004\n00000010: 4d51\n', /line 2 is at offset 00000010, and 00000004 was due/], ['00000000: 100d\nnonsense\n', /line 2 is no row of a dump: "nonsense"/],
    ['0000000 0d10 0400\n0000009\n', /says it has 0000009 bytes, and its words are 4/], ['0000000 0d10 0400\n*\n0000020\n', /hexdump -C or -v/],
  ] as const) {
    assert.throws(() => fromText(text), pattern, text)
  }
  assert.is(fromText('').length, 0)
})

test('text is told from bytes, also UTF-16 of PowerShell; words from file names', () => {
  assert.is(asText(Uint8Array.of(0x31, 0x30, 0x0a)), '10\n')
  assert.is(asText(Uint8Array.of(0x10, 0x00)), undefined)
  assert.is(asText(Uint8Array.of(0x30, 0xff)), undefined)
  assert.is(asText(Uint8Array.of(0xff, 0xfe, 0x31, 0, 0x30, 0))?.replace('\ufeff', ''), '10')
  for (const words of [['10', '0d'], ['0x10,0x0d'], ['<Buffer 10 0d>'], ['"\\x10\\x0d"'], ['10:0d']]) assert.ok(looksLikeHex(words), words.join(' '))
  for (const words of [['capture.pcap'], ['./c0'], ['a/b'], ['']]) assert.not.ok(looksLikeHex(words), words.join(' '))
})

test.run()
