// npm run corpus: the fixtures as seed files for a fuzzer in any language, corpus/v5/v5-connack-001.bin and so on, valid and malformed alike,
// and corpus/mqtt.dict, a dictionary as AFL and libFuzzer read it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
rmSync('corpus', { recursive: true, force: true })

const read = (file) => JSON.parse(readFileSync(`fixtures/${file}`, 'utf8'))
let count = 0
for (const file of [...read('index.json').map(({ file }) => file), 'regressions.json']) {
  for (const { id, hex } of read(file)) {
    // Regressions of other targets than the codec have no bytes of one packet.
    if (hex === undefined) continue
    const folder = `corpus/${id.slice(0, 2)}`
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/${id}.bin`, Buffer.from(hex.replaceAll(' ', ''), 'hex'))
    count++
  }
}
const words = dictionary()
writeFileSync('corpus/mqtt.dict', words.map(([name, bytes]) => `${name}="${escaped(bytes)}"\n`).join(''))
console.log(`corpus: ${count} seed files, ${words.length} words in mqtt.dict`)

/** What random bytes seldom are: names, property identifiers, boundaries of numbers and of UTF-8. */
function dictionary() {
  const text = (string) => [...Buffer.from(string)]
  const prefixed = (string) => [0, string.length, ...text(string)]
  const properties = [0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a]
  return [
    ['protocol_3', [...prefixed('MQIsdp'), 3]], ['protocol_4', [...prefixed('MQTT'), 4]], ['protocol_5', [...prefixed('MQTT'), 5]], ['bridge_3', [...prefixed('MQIsdp'), 0x83]], ['bridge_4', [...prefixed('MQTT'), 0x84]],
    ...Array.from({ length: 15 }, (_, i) => [`type_${i + 1}`, [(i + 1) << 4 | ([6, 8, 10].includes(i + 1) ? 2 : 0)]]),
    ...properties.map((id) => [`property_${id.toString(16)}`, [id]]),
    ['user_property', [0x26, ...prefixed('a'), ...prefixed('b')]], ['authentication_method', [0x15, ...prefixed('m')]], ['topic_alias', [0x23, 0, 1]],
    ['varint_128', [0x80, 0x01]], ['varint_16383', [0xff, 0x7f]], ['varint_16384', [0x80, 0x80, 0x01]], ['varint_2097151', [0xff, 0xff, 0x7f]], ['varint_most', [0xff, 0xff, 0xff, 0x7f]],
    ['varint_long', [0x80, 0x00]], ['varint_five', [0xff, 0xff, 0xff, 0xff, 0x01]],
    ['u16_zero', [0, 0]], ['u16_most', [0xff, 0xff]], ['u32_zero', [0, 0, 0, 0]], ['u32_sign', [0x80, 0, 0, 0]], ['u32_most', [0xff, 0xff, 0xff, 0xff]],
    ['utf8_nul', [0]], ['utf8_nul_java', [0xc0, 0x80]], ['utf8_overlong', [0xe0, 0x80, 0xaf]], ['utf8_surrogate', [0xed, 0xa0, 0x80]], ['utf8_above', [0xf4, 0x90, 0x80, 0x80]],
    ['utf8_cut', [0xe2, 0x82]], ['utf8_bom', [0xef, 0xbb, 0xbf]], ['utf8_last', [0xf4, 0x8f, 0xbf, 0xbf]], ['utf8_replacement', [0xef, 0xbf, 0xbd]], ['utf8_nonchar', [0xef, 0xbf, 0xbf]],
    ...['#', '/#', '+', '/+/', '$share/g/a', '$share//a', '$SYS/', '__proto__'].map((word, i) => [`topic_${i}`, text(word)]),
  ]
}

function escaped(bytes) {
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}
