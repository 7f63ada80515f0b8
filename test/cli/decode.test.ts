import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mapPacket } from '../../src/cli/bytemap.ts'
import { DARK, LIGHT } from '../../src/cli/colours.ts'
import { writePcapng } from '../../src/cli/capture/pcapng-write.ts'
import { interpret } from '../../src/cli/input.ts'
import { judge, split } from '../../src/cli/split.ts'
import { svgOf } from '../../src/cli/svg.ts'
import { encode, fromHex, fromJson, toHex } from '../../src/codec/index.ts'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import { everyCase, loadFixtures } from '../helpers/fixtures.ts'
import { CLIENT, framesOf, join, NEW_YEAR, pcap, SERVER } from './captures.ts'
import { run } from './helpers.ts'

const BAD = '10 0e 00 04 4d 51 54 54 05 03 00 3c 00 00 01 61'
const CONNECT = (version: ProtocolVersion, more: object = {}): Uint8Array => encode({ type: 'connect', version, clientId: 'a', cleanStart: true, keepAlive: 60, ...more }, version)
const SECRET = CONNECT(5, { username: 'hans', password: 'letmein', properties: { authenticationMethod: 'm', authenticationData: Uint8Array.of(0x73, 0x65, 0x63) } })
const folder = mkdtempSync(path(tmpdir(), 'connack-'))
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(path(folder, name), content)
  return path(folder, name)
}
const lines = (out: string): { readonly [name: string]: unknown }[] => out.split('\n').map((line) => JSON.parse(line) as { readonly [name: string]: unknown })

test.after(() => { rmSync(folder, { recursive: true }) })

test('decode: names every byte, and the first wrong one with its statement', async () => {
  const { status, out, err } = await run(['decode', ...BAD.split(' ')])
  assert.is(status, 1)
  assert.is(err, '')
  assert.match(out, /^CONNECT {2}16 bytes at 0, MQTT 5\.0$/m)
  assert.match(out, /^ +9 {2}03 +Connect Flags: offset 9 breaks MQTT-3\.1\.2-3$/m)
  assert.match(out, /✗ MalformedPacket 0x81: CONNECT, offset 9: .*\[MQTT-3\.1\.2-3\]/)
})

test('decode: the same packets from words, text, bytes, standard input, dumps and captures', async () => {
  const bytes = join(CONNECT(4), fromHex('c0 00 e0 00'))
  const want = ['connect', 'pingreq', 'disconnect']
  const types = ({ out }: { readonly out: string }): unknown[] => lines(out).map(({ packet }) => (packet as { type: string }).type)
  for (const args of [[toHex(bytes)], [file('a.bin', bytes)], [file('a.hex', toHex(bytes))], [file('a.pcapng', writePcapng(CLIENT, SERVER, [{ from: 'client', time: NEW_YEAR, bytes }]))]]) {
    const result = await run(['decode', '--json', ...args])
    assert.equal([result.status, types(result)], [0, want], args[0]!)
  }
  for (const input of [bytes, toHex(bytes)]) {
    for (const args of [[], ['-']]) assert.equal(types(await run(['decode', '--json', ...args], input)), want)
  }
})

test('decode: what cannot be read is said, and exits with 1', async () => {
  for (const [args, input, pattern] of [
    [['no/such/file'], '', /no\/such\/file is neither hexadecimal nor a file/], [['-'], 'hello', /not hexadecimal: "hello"/], [['a', 'b.bin'], '', /one file at a time/],
    [['-'], Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip/], [['-'], '', /no bytes/], [[folder], '', /EISDIR/],
  ] as const) {
    const { status, out, err } = await run(['decode', ...args], input)
    assert.equal([status, out], [1, ''], String(args))
    assert.match(err, pattern)
  }
})

test('decode: the version is the CONNECT\'s, else the one given, else the one that reads the most, which is said', async () => {
  assert.match((await run(['decode', toHex(CONNECT(4)), '--version', '5'])).err, /the CONNECT says MQTT 3\.1\.1/)
  const connack = await run(['decode', '20 02 00 00'])
  assert.equal([connack.status, connack.err], [0, 'no CONNECT says which version this is: read as MQTT 3.1.1, as good as 3.1 (--version chooses)'])
  assert.match((await run(['decode', '20 03 00 00 00'])).err, /read as MQTT 5\.0, the only version that reads this far/)
  const given = await run(['decode', '20 02 00 00', '-V', 'mqttv5'])
  assert.equal([given.status, given.err], [1, ''])
  assert.match(given.out, /CONNACK/)
  assert.is((await run(['decode', '20 02 00 00', '--version', 'auto'])).status, 0)
  assert.is((await run(['decode', '20 02 00 00', '--version', '6'])).status, 2)
  // What follows a CONNECT is in its version, also where another one comes later.
  assert.equal(split(join(CONNECT(4), fromHex('20 02 00 00'), CONNECT(5), fromHex('20 03 00 00 00')), undefined).pieces.map(({ version, error }) => [version, error]), [[4, undefined], [4, undefined], [5, undefined], [5, undefined]])
  assert.equal([judge(fromHex('d0 00'), undefined).version, judge(fromHex('d0 00'), undefined).also], [5, [4, 3]])
})

test('decode: after an error the stream is dead; a packet the input cuts short is no fault of its own', async () => {
  const dead = await run(['decode', `${BAD} c0 00`])
  assert.match(dead.out, /2 bytes behind it are not read/)
  const cut = await run(['decode', '--json', toHex(CONNECT(4).subarray(0, 9))])
  assert.equal([cut.status, lines(cut.out)[0]!['cut'], lines(cut.out)[0]!['size']], [1, true, 9])
  assert.match((await run(['decode', toHex(CONNECT(4).subarray(0, 9))])).out, /cut short/)
  for (const [hex, short] of [['32', true], ['32 ff', true], ['32 ff 7f 00', true], ['32 ff ff 00 03 61', false]] as const) {
    const { error, cut: isCut } = split(fromHex(hex), 5).pieces[0]!
    assert.equal([error !== undefined, isCut], [true, short], hex)
  }
  for (const opening of ['HTTP/1.1 400 Bad Request', '\x15\x03\x01\0\x02\x02\x46']) {
    const { out } = await run(['decode', toHex(new TextEncoder().encode(opening))])
    assert.match(out, /^(HTTP|TLS), not MQTT/m)
  }
})

test('decode: secrets are dots everywhere, bytes too, unless they are asked for', async () => {
  const names = ['a.svg', 'a.html'].map((name) => path(folder, name))
  for (const hidden of [true, false]) {
    const { out } = await run(['decode', toHex(SECRET), '--svg', names[0]!, '--html', names[1]!, ...hidden ? [] : ['--show-secrets']])
    const { out: json } = await run(['decode', toHex(SECRET), '--json', ...hidden ? [] : ['--show-secrets']])
    const drawn = names.map((name) => readFileSync(name, 'utf8').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' '))
    for (const [i, text] of [out, json, ...drawn].entries()) assert.is(/6c( \w)? 65( \w)? 74( \w)? 6d|letmein|73( s)? 65( e)? 63/.test(text), !hidden, `${hidden} ${i}`)
  }
  const [line] = lines((await run(['decode', toHex(SECRET), '--json'])).out)
  assert.equal((line!['packet'] as { password: unknown, properties: { authenticationData: unknown } }).password, { masked: 7 })
  assert.equal((line!['packet'] as { properties: { authenticationData: unknown } }).properties.authenticationData, { masked: 3 })
})

test('decode: cut or broken at any byte, no part of a secret is shown', async () => {
  const start = toHex(SECRET).indexOf('6c 65 74 6d 65 69 6e') / 3
  for (let size = 1; size <= SECRET.length; size++) {
    for (const bytes of [SECRET.subarray(0, size), SECRET.map((byte, i) => (i === size - 1 ? byte ^ 0xff : byte))]) {
      for (const { lines: cells } of mapPacket(bytes, 5, { perLine: 8 })) {
        for (const cell of cells.flat()) {
          if (typeof cell === 'number' || cell.offset < start) continue
          // Once a length before it is wrong, the password's bytes may be read as something else; only whole runs of it would tell.
          assert.ok(cell.hex === '••' || size <= start, `${size}: ${cell.offset} ${cell.hex}`)
        }
      }
    }
  }
})

test('decode: a password whose length is wrong is no less secret', () => {
  const bytes = SECRET.slice()
  const start = toHex(SECRET).indexOf('6c 65 74 6d 65 69 6e') / 3
  bytes[start - 1] = 8
  const cells = mapPacket(bytes, 5, { perLine: 8 }).flatMap(({ lines: rows }) => rows.flat()).filter((cell) => typeof cell !== 'number' && cell.offset >= start)
  assert.is(cells.length, 7)
  assert.ok(cells.every((cell) => typeof cell !== 'number' && cell.hex === '••' && cell.character === ''))
})

test('decode --json: each line has its place, version, bytes, and the packet as the fixtures write it', () => {
  for (const { row: { version }, cases } of loadFixtures()) {
    everyCase(cases.filter(({ packet }) => packet !== undefined), ({ packet }, bytes) => {
      const { pieces, unread } = split(bytes, version)
      assert.equal([pieces.length, unread, pieces[0]!.bytes.length], [1, 0, bytes.length])
      assert.equal(JSON.parse(JSON.stringify(pieces[0]!.packet === undefined)), false)
      assert.is((pieces[0]!.packet as { type: string }).type, (packet as { type: string }).type)
    })
  }
})

test('decode: every fixture drawn: all its bytes once, and the wrong one red', () => {
  for (const { row: { version }, cases } of loadFixtures()) {
    everyCase(cases, ({ error }, bytes) => {
      // As a file would be read: without a CONNECT the version is given.
      const fields = mapPacket(bytes, version, { perLine: 12, secrets: true })
      const cells = fields.flatMap(({ lines: rows }) => rows.flatMap((row) => (typeof row === 'number' ? [] : row)))
      const left = fields.flatMap(({ lines: rows }) => rows.filter((row) => typeof row === 'number')).reduce((sum: number, n) => sum + (n as number), 0)
      assert.is(cells.length + left, bytes.length)
      const red = cells.filter(({ wrong }) => wrong).map(({ offset }) => offset)
      if (error === undefined) assert.equal(red, [])
      else assert.equal(red, error.offset < bytes.length ? [error.offset] : [])
    })
  }
})

test('decode: captures in order of time, with directions; notes of what was left out', async () => {
  const log = [{ from: 'client', time: NEW_YEAR, bytes: CONNECT(4) }, { from: 'server', time: NEW_YEAR + 12, bytes: fromHex('20 02 00 00') }, { from: 'client', time: NEW_YEAR + 20, bytes: fromHex('c0 00') }, { from: 'server', time: NEW_YEAR + 20.5, bytes: fromHex('d0 00') }] as const
  const text = new TextEncoder()
  const other = (port: number, opening: string): ReturnType<typeof framesOf> => framesOf({ ...CLIENT, port }, { ...SERVER, port: port + 1 }, [{ from: 'client', time: NEW_YEAR, bytes: text.encode(opening) }])
  const all = pcap([...framesOf(CLIENT, SERVER, log), ...other(100, 'GET /mqtt HTTP/1.1\r\n'), ...other(200, '\x16\x03\x01'), ...other(300, 'hello')], 1, { littleEndian: true, nano: true })
  const { status, out, err } = await run(['decode', file('all.pcap', all)])
  assert.is(status, 0)
  assert.equal(out.split('\n').filter((line) => /^[A-Z]/.test(line)), [
    `CONNECT  ${CONNECT(4).length} bytes at 0, MQTT 3.1.1  +0.000000 s  10.0.0.1:40000 → 10.0.0.2:1883`, 'CONNACK  4 bytes at 0, MQTT 3.1.1  +0.012000 s  10.0.0.2:1883 → 10.0.0.1:40000',
    'PINGREQ  2 bytes at 15, MQTT 3.1.1  +0.020000 s  10.0.0.1:40000 → 10.0.0.2:1883', 'PINGRESP  2 bytes at 4, MQTT 3.1.1  +0.020500 s  10.0.0.2:1883 → 10.0.0.1:40000',
  ])
  assert.match(err, /connection 2: .* HTTP, perhaps MQTT over WebSocket: that is not read/)
  assert.match(err, /connection 3: .* TLS: what is in it cannot be read/)
  assert.match(err, /1 other TCP connections are neither on port 1883/)
  assert.equal(lines((await run(['decode', '--json', file('all.pcap', all)])).out).map(({ connection, from, time }) => [connection, from, time]), [
    [1, '10.0.0.1:40000', NEW_YEAR / 1000], [1, '10.0.0.2:1883', NEW_YEAR / 1000 + 0.012], [1, '10.0.0.1:40000', NEW_YEAR / 1000 + 0.02], [1, '10.0.0.2:1883', NEW_YEAR / 1000 + 0.0205],
  ])
})

test('decode: in captures a port stands for a CONNECT that was not captured, and the first bytes may be half a packet', async () => {
  const frames = framesOf(CLIENT, { ...SERVER, port: 2000 }, [{ from: 'client', time: NEW_YEAR, bytes: fromHex('c0 00') }, { from: 'server', time: NEW_YEAR, bytes: fromHex('d0 00') }]).slice(3)
  const name = file('port.pcap', pcap(frames, 1, { littleEndian: true, nano: false }))
  assert.match((await run(['decode', name])).err, /no MQTT among 1 TCP connections/)
  const { status, out, err } = await run(['decode', name, '-p', '2000'])
  assert.is(status, 0)
  assert.match(out, /PINGREQ/)
  assert.match(out, /PINGRESP/)
  assert.match(err, /begins inside what the client sent/)
  assert.is((await run(['decode', name, '-p', '99999'])).status, 2)
})

test('decode: a payload of a megabyte is a few lines, and its wrong byte is still among them', () => {
  const big = encode({ type: 'publish', topic: 'a', payload: new Uint8Array(1_000_000) }, 4)
  const fields = mapPacket(big, 4, { perLine: 12 })
  assert.ok(fields.every(({ lines: rows }) => rows.length <= 7))
  const text = encode({ type: 'publish', topic: 'b'.repeat(600), payload: '' }, 4).slice()
  text[300] = 0xff
  const topic = mapPacket(text, 4, { perLine: 12 }).find(({ error }) => error !== undefined)!
  assert.ok(topic.lines.flat().some((cell) => typeof cell !== 'number' && cell.wrong && cell.offset === 300))
  assert.is(interpret(big, []).conversations[0]!.sources[0]!.bytes.length, big.length)
})

test('decode: two hundred thousand packets', async () => {
  const { status, out } = await run(['decode', '-', '--json', '-V', '4'], Buffer.alloc(400_000, Uint8Array.of(0xc0, 0)))
  assert.equal([status, out.split('\n').length], [0, 200_000])
})

test('decode: what a peer sent is text wherever it is shown: no terminal codes, no markup', async () => {
  const evil = encode({ type: 'publish', topic: '<script>alert(1)</script>&"\'\u009b31m\u202e', payload: '' }, 5)
  const names = ['b.svg', 'b.html'].map((name) => path(folder, name))
  const { out } = await run(['decode', toHex(evil), '-V', '5', '--svg', names[0]!, '--html', names[1]!])
  assert.not.match(out, /[\u0080-\u009f\u202e]/)
  for (const name of names) {
    const text = readFileSync(name, 'utf8')
    assert.not.match(text, /<script/i)
    assert.not.match(text, /https?:(?!\/\/www\.w3\.org\/2000\/svg)|@import|@font-face|url\(|[\u0080-\u009f\u202e]/)
  }
})

/** Enough of XML to see that every element ends, every attribute is quoted, and no stray & or < is left. */
function wellFormed(xml: string): void {
  const open: string[] = []
  let rest = xml.trim()
  while (rest !== '') {
    const tag = /^<(\/?)([a-z]+)((?: [\w:-]+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)(\/?)>/.exec(rest)
    if (tag !== null) {
      if (tag[1] === '/') assert.is(open.pop(), tag[2])
      else if (tag[4] === '') open.push(tag[2]!)
      rest = rest.slice(tag[0].length)
    } else {
      const text = /^(?:[^<&]|&#\d+;)+/.exec(rest)
      assert.ok(text !== null, rest.slice(0, 80))
      rest = rest.slice(text![0].length)
    }
  }
  assert.equal(open, [])
}

test('svg: well-formed XML for every fixture, a cell for each byte shown, bits exploded, the wrong byte red', () => {
  for (const { row: { version }, cases } of loadFixtures()) {
    for (const [i, one] of cases.entries()) {
      if (i % 7 !== 0) continue
      const { pieces } = judge(fromHex(one.hex), version)
      wellFormed(svgOf(pieces))
    }
  }
  const svg = svgOf(judge(fromHex(BAD), undefined).pieces)
  assert.is([...svg.matchAll(/<rect class="wrong"/g)].length, 1)
  assert.is([...svg.matchAll(/<rect class="(header|flags|number|text|property|data|unread|wrong)( prefix)?"/g)].length, 16)
  for (const name of ['User Name Flag', 'Will QoS 0', 'Reserved']) assert.ok(svg.includes(`>${name}<`), name)
  assert.match(svg, /breaks MQTT-3\.1\.2-3/)
  assert.match(svg, /prefers-color-scheme:dark/)
  assert.is(svgOf([]).includes('<svg'), true)
  const many = svgOf(Array.from({ length: 103 }, () => judge(fromHex('c0 00'), 4).pieces[0]!))
  assert.match(many, /3 more packets are not drawn/)
})

test('colours: text has a contrast of at least 7 to 1 on every field, 4.5 to 1 on red and for what is faint', () => {
  const luminance = (colour: string): number => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  }
  const contrast = (a: string, b: string): number => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
    return (high! + 0.05) / (low! + 0.05)
  }
  for (const { text, card, kinds, wrong, onWrong, faint, alarm } of [LIGHT, DARK]) {
    for (const ground of [card, ...Object.values(kinds)]) assert.ok(contrast(text, ground) >= 7, `${text} on ${ground}: ${contrast(text, ground)}`)
    for (const [front, ground] of [[onWrong, wrong], [faint, card], [alarm, card]] as const) assert.ok(contrast(front, ground) >= 4.5, `${front} on ${ground}: ${contrast(front, ground)}`)
  }
})

test('html: one page, of packets with their times, that needs nothing else', async () => {
  const name = path(folder, 'c.html')
  const capture = file('c.pcapng', writePcapng(CLIENT, SERVER, [{ from: 'client', time: NEW_YEAR, bytes: SECRET }, { from: 'server', time: NEW_YEAR + 5, bytes: fromHex('20 03 00 00 00') }]))
  assert.is((await run(['decode', capture, '--html', name])).status, 0)
  const page = readFileSync(name, 'utf8')
  assert.match(page, /^<!doctype html>/)
  assert.match(page, /<h1>2 packets<\/h1>/)
  assert.match(page, /10\.0\.0\.2:1883 → 10\.0\.0\.1:40000 · \+0\.005000 s/)
  assert.not.match(page, /<script|<link|<img|src=/)
  assert.match((await run(['decode', 'c0 00', '--svg', path(folder, 'no', 'such', 'x.svg')])).err, /ENOENT/)
  assert.ok(fromJson({ hex: '00' }) instanceof Uint8Array)
})

test.run()
