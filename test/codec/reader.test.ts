import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex, toHex } from '../../src/codec/json.ts'
import { readingOf, STRICT } from '../../src/codec/lenient.ts'
import { Reader } from '../../src/codec/reader.ts'
import { topicNameFault } from '../../src/codec/topic.ts'
import { expected, facts, thrownBy } from '../helpers/codec.ts'
import { readerOf } from '../helpers/cursors.ts'
import { randomFrom } from '../helpers/random.ts'

/** The reads, each with the fewest bytes it is content with, and what it gives for them. */
const READS: readonly (readonly [name: string, read: (r: Reader) => unknown, hex: string, value: unknown])[] = [
  ['u8', (r) => r.u8(''), 'ff', 255],
  ['flags', (r) => r.flags('', [['all', 8]]), '80', 128],
  ['u16', (r) => r.u16(''), '80 01', 0x8001],
  ['u32', (r) => r.u32(''), '80 02 03 04', 0x8002_0304],
  ['varint of one byte', (r) => r.varint(''), '05', 5],
  ['varint', (r) => r.varint(''), 'ff ff ff 7f', 268_435_455],
  ['string', (r) => r.string(''), '00 02 61 62', 'ab'],
  ['empty string', (r) => r.string(''), '00 00', ''],
  ['binary', (r) => toHex(r.binary('')), '00 02 00 ff', '00 ff'],
]

test('each read takes what it needs and stands behind it', () => {
  for (const [name, read, hex, value] of READS) {
    for (const behind of ['', ' 81', ' aa bb']) {
      const r = readerOf(hex + behind, 5, 'publish')
      assert.is(read(r), value, name)
      assert.is(r.position, fromHex(hex).length, name)
      assert.is(toHex(r.rest('')), behind.trim(), name)
    }
  }
})

test('MQTT-4.13.1-1 (5.0), MQTT-4.8.0-1 (3.1.1): no read sees past `end`, though the buffer goes on; it says where its field began', () => {
  for (const version of [4, 5] as const) {
    for (const [name, read, hex] of READS) {
      const bytes = fromHex(`aa ${hex} 00`)
      for (let end = 1; end < bytes.length - 1; end++) {
        const r = new Reader()
        r.open(bytes, 0, end, version, STRICT, false)
        r.u8('')
        assert.equal(facts(thrownBy(() => read(r))), expected('fieldFits', version, 1), `${name}, ${end} bytes`)
      }
    }
  }
})

test('the largest numbers of two and four bytes are unsigned', () => {
  assert.is(readerOf('ff ff', 5, 'publish').u16(''), 65_535)
  assert.is(readerOf('ff ff ff ff', 5, 'publish').u32(''), 4_294_967_295)
  assert.is(readerOf('7f ff ff ff', 5, 'publish').u32(''), 2_147_483_647)
})

test('MQTT-1.5.5-1: from 5.0 on a Variable Byte Integer is minimal; before, nobody says so', () => {
  for (const [hex, value, last] of [['80 00', 0, 1], ['81 00', 1, 1], ['ff 80 00', 127, 2], ['80 80 80 00', 0, 3]] as const) {
    assert.equal(facts(thrownBy(() => readerOf(hex, 5, 'publish').varint(''))), expected('minimalVarint', 5, last))
    for (const version of [3, 4] as const) assert.is(readerOf(hex, version, 'publish').varint(''), value)
  }
  assert.throws(() => readerOf('81 80 00', 5, 'publish').varint(''), /3 bytes where 2 would do/)
  assert.is(readerOf('00', 5, 'publish').varint(''), 0)
  assert.is(readerOf('80 01', 5, 'publish').varint(''), 128)
})

test('SPEC-1.5.5-1 (5.0), SPEC-2.2.3-1 (3.1.1): a Variable Byte Integer of five bytes is refused at its fourth', () => {
  for (const version of [4, 5] as const) {
    for (const hex of ['ff ff ff ff 01', '80 80 80 80']) assert.equal(facts(thrownBy(() => readerOf(hex, version, 'publish').varint(''))), expected('remainingLength', version, 3))
  }
})

test('MQTT-1.5.4-1, MQTT-1.5.4-2 (5.0), MQTT-1.5.3-1, MQTT-1.5.3-2 (3.1.1): a string is refused at the byte that is wrong', () => {
  for (const version of [4, 5] as const) {
    for (const hex of ['ed a0 80', 'c3 28', 'c0 af', 'f5 80 80 80', 'ff fe']) {
      const size = fromHex(hex).length + 1
      assert.equal(facts(thrownBy(() => readerOf(`00 0${size} 61 ${hex}`, version, 'publish').string(''))), expected('utf8', version, 3))
    }
    assert.equal(facts(thrownBy(() => readerOf('00 03 61 00 62', version, 'publish').string(''))), expected('nul', version, 3))
  }
  assert.throws(() => readerOf('00 01 ff', 5, 'publish').string(''), /byte 0xff begins no UTF-8 sequence/)
})

test('`rest` is all that is left, be it nothing', () => {
  const r = readerOf('01 02 03', 5, 'publish')
  r.u8('')
  assert.is(toHex(r.rest('')), '02 03')
  assert.is(r.position, r.end)
  assert.is(r.rest('').length, 0)
})

test('`delimit` wants exactly the bytes that are announced', () => {
  readerOf('01 02', 5, 'publish').delimit(2)
  assert.equal(facts(thrownBy(() => readerOf('01 02', 5, 'publish').delimit(3))), expected('wholePacket', 5, 2))
  assert.equal(facts(thrownBy(() => readerOf('01 02', 5, 'publish').delimit(1))), expected('wholePacket', 5, 1))
})

test('`within` draws the end closer until it is put back', () => {
  const r = readerOf('01 02 03', 5, 'publish')
  const outer = r.within(1)
  r.u8('')
  assert.throws(() => r.u8(''), /a field begins here and 0 bytes are left for it/)
  r.end = outer
  assert.is(r.u8(''), 2)
})

test('a forgiven rule is told and passed over; any other is not', () => {
  const told: number[] = []
  const bytes = fromHex('80 00 00 01 ff 00 01 00 07')
  const r = new Reader()
  r.open(bytes, 0, bytes.length, 5, readingOf({ lenient: ['long-lengths', 'ill-formed-text', 'trailing-bytes'], onQuirk: ({ offset }) => { told.push(offset) } }), false)
  assert.equal([r.varint(''), r.string(''), r.string('')], [0, '\ufffd', '\0'])
  r.finish('nothingLeft')
  assert.is(r.position, r.end)
  assert.equal(told, [], 'not before the packet has been read')
  r.release()
  assert.equal(told, [1, 4, 7, 8])
  r.release()
  assert.is(told.length, 4)
  assert.throws(() => r.object('number', 0, 'one'), /offset 0/)
  const quiet = readerOf('80 00', 5, 'pingreq')
  quiet.reading = readingOf({ lenient: ['long-lengths'] })
  quiet.varint('')
  quiet.release()
})

test('`finish` wants everything read', () => {
  const r = readerOf('01 02', 5, 'pingreq')
  assert.equal(facts(thrownBy(() => r.finish('noBody'))), expected('noBody', 5, 0))
  r.u16('')
  r.finish('noBody')
})

test('binary fields are views of the input, and plain Uint8Arrays where it is a Buffer', () => {
  const input = Buffer.from('xx00020102030405'.replace('xx', '99'), 'hex')
  const r = new Reader()
  r.open(input, 1, input.length, 5, STRICT, false)
  for (const [view, hex] of [[r.binary(''), '01 02'], [r.rest(''), '03 04 05']] as const) {
    assert.is(Object.getPrototypeOf(view), Uint8Array.prototype)
    assert.is(view.buffer, input.buffer)
    assert.is(toHex(view), hex)
  }
})

test('opened with `copy` they are copies', () => {
  const input = fromHex('00 01 07 08')
  const r = new Reader()
  r.open(input, 0, input.length, 5, readingOf({ copy: true }), false)
  const [one, other] = [r.binary(''), r.rest('')]
  input.fill(0)
  assert.equal([toHex(one), toHex(other)], ['07', '08'])
  assert.is(one.buffer.byteLength, 1)
})

test('offsets count from the first byte of the packet, wherever it lies', () => {
  const r = new Reader()
  r.open(fromHex('00 00 00 30 05'), 3, 5, 5, STRICT, false)
  r.u8('')
  assert.equal(facts(thrownBy(() => r.u16(''))), expected('fieldFits', 5, 1))
  assert.is(r.fault('nothingLeft', 4, '').version, 5)
})

test('MQTT-3.3.2-2: a topic read the short way is the string, and knows its wildcards', () => {
  for (const text of ['', 'a', 'a/b', '+', 'a/#', 'sensors/kitchen/temperature/of/the/oven', 'a/much/longer/topic/than/that/+', 'é', 'é/#', '\u{10ffff}', 'x'.repeat(24), 'x'.repeat(25)]) {
    const bytes = Uint8Array.from([0, 0, ...new TextEncoder().encode(text)])
    bytes[1] = bytes.length - 2
    const r = new Reader()
    r.open(bytes, 0, bytes.length, 5, STRICT, false)
    assert.is(r.topic(''), text)
    assert.is(r.wildcard, text.includes('+') || text.includes('#'), text)
    assert.is(r.position, bytes.length)
  }
  for (const bad of ['00 01 00', '00 01 80', '00 02 61 ff']) {
    assert.throws(() => readerOf(bad, 5, 'publish').topic(''), (error: Error) => error.name === 'MalformedPacket')
  }
})

test('MQTT-3.3.2-2: random topics read the short way are the string and its wildcards, and are refused where it is', () => {
  const random = randomFrom(5)
  const likely = [0x61, 0x61, 0x62, 0x2f, 0x2b, 0x23, 0x24, 0xc3, 0xa9, 0x00, 0x7f, 0xff]
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: 2 + random(28) }, (_, at) => (at < 2 ? 0 : likely[random(random(4) === 0 ? likely.length : 5)]!))
    bytes[1] = bytes.length - 2
    const [quick, slow] = [readerOf(toHex(bytes), 5, 'publish'), readerOf(toHex(bytes), 5, 'publish')]
    let topic: string
    try {
      topic = slow.string('')
    } catch (error) {
      assert.equal(facts(thrownBy(() => quick.topic(''))), facts(error))
      continue
    }
    assert.is(quick.topic(''), topic)
    assert.is(quick.wildcard, topicNameFault(topic) === 'topicWildcard', topic)
  }
})

test('only the first packet of a connection is looked at for another protocol', () => {
  for (const opening of [true, false]) {
    const bytes = new TextEncoder().encode('HTTP/1.1 200 OK')
    const r = new Reader()
    r.open(bytes, 0, bytes.length, 5, STRICT, opening)
    const error = r.fault('wholePacket', 0, 'too short')
    assert.is(error.foreign, opening ? 'HTTP' : undefined)
    assert.is(error.message.includes('too short: these are the opening bytes of HTTP; '), opening)
  }
})

test('a released reader keeps nothing of its input', () => {
  const r = readerOf('01 02', 5, 'publish')
  r.release()
  assert.is(r.bytes.length, 0)
})

test.run()
