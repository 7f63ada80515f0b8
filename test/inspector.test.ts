// The packet inspector: how it reads what people paste, and that docs/inspector.html is built from its sources. The page itself is tried in a real browser (scripts/browser).
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { existsSync, readFileSync } from 'node:fs'
import { EXAMPLES } from '../scripts/inspector/examples.ts'
import { fieldsOf, frameSize, inspect, jsonText, titleOf } from '../scripts/inspector/packets.ts'
import { parseBytes } from '../scripts/inspector/spelling.ts'
import { fromHex, fromJson, toHex, toJson } from '../src/codec/index.ts'
import type { Packet } from '../src/codec/index.ts'
import { everyCase, loadFixtures } from './helpers/fixtures.ts'

const CONNECT = '10 10 00 04 4d 51 54 54 04 02 00 3c 00 04 74 65 73 74'

function bytesOf(text: string): string {
  const parsed = parseBytes(text)
  return 'problem' in parsed ? parsed.problem : toHex(parsed.bytes)
}

test('any usual spelling of the same bytes', () => {
  const spellings = [
    CONNECT, CONNECT.replaceAll(' ', ''), CONNECT.toUpperCase(), CONNECT.replaceAll(' ', '\n'), CONNECT.replaceAll(' ', ':'), CONNECT.replaceAll(' ', '-'), CONNECT.replaceAll(' ', ', '),
    CONNECT.replace(/(..) ?/g, '0x$1, '), `uint8_t connect[] = { ${CONNECT.replace(/(..) ?/g, '0x$1, ')} }; // 18 bytes`, `<Buffer ${CONNECT}>`, `Buffer.from("${CONNECT.replaceAll(' ', '')}", "hex")`, `bytes.fromhex('${CONNECT}')`,
    CONNECT.replace(/(..) ?/g, '$1h '), CONNECT.replace(/(..) ?/g, '\\x$1'), CONNECT.replace(/(..) ?/g, '\\x$1 '),
    "b'\\x10\\x10\\x00\\x04MQTT\\x04\\x02\\x00<\\x00\\x04test'", '"\\x10\\x10\\x00\\x04" "MQTT\\x04\\x02"\n  "\\x00<\\x00\\x04test";', "b'\\x10\\20\\0\\x04MQTT\\x04\\x02\\x00<\\x00\\x04test'",
    JSON.stringify(Buffer.from(fromHex(CONNECT))), `Uint8Array(18) [ ${[...fromHex(CONNECT)].join(', ')} ]`, [...fromHex(CONNECT)].join(','), `[\n  ${[...fromHex(CONNECT)].join(',\n  ')}\n]`,
    // xxd, hexdump -C, Wireshark
    '00000000: 1010 0004 4d51 5454 0402 003c 0004 7465  ....MQTT...<..te\n00000010: 7374                                     st\n',
    '00000000  10 10 00 04 4d 51 54 54  04 02 00 3c 00 04 74 65  |....MQTT...<..te|\n00000010  73 74                                             |st|\n00000012\n',
    '0000   10 10 00 04 4d 51 54 54 04 02 00 3c 00 04 74 65   ....MQTT...<..te\n0010   73 74                                             st\n',
    '  0040   10 10 00 04 4d 51 54 54 04 02 00 3c 00 04 74 65   ....MQTT...<..te\n  0050   73 74                                             st\n',
  ]
  for (const text of spellings) assert.is(bytesOf(text), CONNECT, text)
  assert.is(bytesOf(''), '')
  assert.is(bytesOf('c0 0'), 'c0 00')
  assert.is(bytesOf('[208, 0]'), 'd0 00')
  assert.is(bytesOf('[0x20, 0x02]'), '20 02')
  assert.is(bytesOf('20, 02, 00, 00'), '20 02 00 00')
  assert.is(bytesOf('"\\t\\n\\\\"'.replace('\\t', '\\x00\\t')), '00 09 0a 5c')
})

test('a column of characters that looks like bytes is none', () => {
  assert.is(bytesOf('00000000: 3004 0002 6162                           0...ab\n'), '30 04 00 02 61 62')
  assert.is(bytesOf('0000   30 12 00 02 61 62 63 64 65 66 61 62 63 64 65 66   ab cd ef ab cd e\n0010   61 62 63 64   de ad'), '30 12 00 02 61 62 63 64 65 66 61 62 63 64 65 66 61 62 63 64')
})

test('what is no spelling is said in words', () => {
  for (const [text, problem] of [
    ['20 0z', '“0z” is not hexadecimal'], ['20020', '“20020” has an odd number of digits'], ['[300, 1]', '300 is no byte'], ['20 02 ... 00', 'there are dots where bytes have been left out'], ['<Buffer 20 02 ... 4 more bytes>', 'there are dots where bytes have been left out'],
    ['connect', '“connect” is not hexadecimal'], ['b"\\x20é"', '"é" is no escape and no ASCII character'], ['20 '.repeat(2_000_000), 'this is 6,000,000 characters long; the page takes 4,000,000'],
  ] as const) assert.is(bytesOf(text), problem)
})

test('every fixture is read in its version, with the packet or the error expected, and every byte in one section', () => {
  for (const { row: { version, packet: type }, cases } of loadFixtures()) {
    everyCase(cases.filter(({ hex }) => hex.length < 3000), ({ packet, error }, bytes) => {
      const whole = frameSize(bytes, 0) === bytes.length
      const { packets } = inspect(bytes, version)
      const [one] = packets as [typeof packets[number]]
      if (whole) assert.is(packets.length, 1)
      if (packet !== undefined) {
        assert.equal(JSON.parse(one.json), packet)
        assert.is(titleOf(one), type.toUpperCase())
      } else if (whole) {
        assert.equal({ name: one.error?.name, reasonCode: one.error?.reasonCode, offset: one.error?.offset }, error)
      } else {
        assert.ok(packets.some((piece) => piece.error !== undefined))
      }
      assert.equal(fieldsOf(one).map(({ annotation }) => annotation), one.annotations)
    })
  }
})

test('sections: header, properties and payload are what the standard calls so', () => {
  const sections = (hex: string): readonly string[] => {
    const [one] = inspect(fromHex(hex), undefined).packets
    return [...new Set(fieldsOf(one!).map(({ section }) => section))]
  }
  assert.equal(sections(EXAMPLES[1]!.hex), ['Fixed header', 'Variable header', 'Properties', 'Payload', 'Will Properties'])
  assert.equal(sections(EXAMPLES[2]!.hex), ['Fixed header', 'Variable header', 'Properties', 'Payload'])
  assert.equal(sections('c0 00'), ['Fixed header'])
  assert.equal(sections(EXAMPLES[5]!.hex), ['Fixed header', 'Variable header', 'Behind the fault'])
})

test('several packets in a row, a broken one among them, a cut one at the end', () => {
  const { packets } = inspect(fromHex(`${CONNECT} 20 02 02 00 c0 00 30 09 00 01`), undefined)
  assert.equal(packets.map((one) => [titleOf(one), one.start, one.error?.offset]), [['CONNECT', 0, undefined], ['CONNACK', 18, 2], ['PINGREQ', 22, undefined], ['PUBLISH', 24, 4]])
  const many = inspect(fromHex('c0 00 '.repeat(150)), undefined)
  assert.equal([many.packets.length, many.more], [100, 100])
  assert.equal(inspect(new Uint8Array(0), undefined).packets, [])
})

test('the version is found out', () => {
  const guessed = (hex: string): readonly unknown[] => {
    const { version, why } = inspect(fromHex(hex), undefined)
    return [version, why]
  }
  assert.equal(guessed(CONNECT), [4, 'CONNECT says so'])
  assert.equal(guessed('10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 61'), [4, 'CONNECT says so'])
  assert.equal(guessed('c0 00'), [5, 'they would do in every version'])
  assert.equal(guessed('20 03 00 00 00'), [5, 'they fit no other as well'])
  assert.equal(guessed('20 02 00 00'), [4, 'they would do in 3.1 too'])
  assert.equal(guessed('00 00'), [5, 'wrong alike in every version'])
  assert.equal(guessed(EXAMPLES.at(-1)!.hex), [5, 'but they are not'])
  assert.equal(inspect(fromHex('c0 00'), 3).why, 'your choice')
})

test('the examples are what they say', () => {
  for (const { title, hex, wrong } of EXAMPLES) {
    const { packets } = inspect(fromHex(hex), undefined)
    assert.is(packets.some(({ error }) => error !== undefined), wrong === true, title)
  }
  const title = (hex: string): string => titleOf(inspect(fromHex(hex), undefined).packets[0]!)
  assert.equal([title(EXAMPLES.at(-1)!.hex), title('00 00')], ['Not MQTT but HTTP', 'Packet type 0'])
})

test('JSON is laid out to be read, and is the packet again', () => {
  const packet = { type: 'publish', topic: 'a', payload: Uint8Array.of(1), qos: 0, retain: false, dup: false, properties: { subscriptionIdentifiers: [1, 2], userProperties: [['a', 'b'], ['__proto__', 'x'.repeat(80)]] } } as const
  const text = jsonText(packet as unknown as Packet)
  assert.match(text, /^ {2}"payload": \{ "hex": "01" \},$/m)
  assert.match(text, /^ {4}"subscriptionIdentifiers": \[1, 2\],$/m)
  assert.equal(toJson(fromJson(JSON.parse(text))), toJson(packet))
  assert.equal(inspect(fromHex('d2 00'), 3).packets[0]?.reencoded, 'd0 00')
})

test('docs/inspector.html is built from these sources, and holds all it needs', async () => {
  const { sourcesSum, inspectorPage } = await import(new URL('../scripts/inspector/build.js', import.meta.url).href) as { sourcesSum(): string, inspectorPage(): Promise<string> }
  const page = new URL('../docs/inspector.html', import.meta.url)
  assert.ok(existsSync(page))
  const text = readFileSync(page, 'utf8')
  assert.ok(text.includes(`<meta name="sources" content="${sourcesSum()}">`), 'npm run inspector: its sources have changed')
  for (const html of [text, await inspectorPage()]) {
    assert.not.match(html, /__(STYLE|SCRIPT|VERSION|SOURCES)__/)
    // Nothing from anywhere else, and nothing allowed to be.
    assert.match(html, /content="default-src 'none';/)
    assert.not.match(html, /<(?:script|img|iframe)[^>]* src=|<link[^>]* href="(?!data:)|@import|url\((?!["']?data:)/)
    assert.is(html.match(/<\/script>/g)?.length, 1)
  }
})

test.run()
