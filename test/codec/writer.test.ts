import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { toHex } from '../../src/codec/json.ts'
import type { Writer } from '../../src/codec/writer.ts'
import { writerOf, written } from '../helpers/cursors.ts'

function writes(write: (w: Writer) => void, hex: string): void {
  const w = writerOf(5, 'publish')
  write(w)
  assert.is(written(w), hex)
}

function refuses(write: (w: Writer) => void, message: RegExp): void {
  const w = writerOf(5, 'publish')
  assert.throws(() => write(w), (error: Error) => error.name === 'UsageError' && message.test(error.message), String(message))
}

test('numbers go out most significant byte first, also those above 0x7fffffff', () => {
  writes((w) => w.u8(0xfe), 'fe')
  writes((w) => w.u16(0x8001, 'a'), '80 01')
  writes((w) => w.u16(0x0102, 'a'), '01 02')
  writes((w) => w.u16(0, 'a'), '00 00')
  writes((w) => w.u16(65_535, 'a'), 'ff ff')
  writes((w) => w.u32(0x8000_0001, 'a'), '80 00 00 01')
  writes((w) => w.u32(0x0102_0304, 'a'), '01 02 03 04')
  writes((w) => w.u32(0, 'a'), '00 00 00 00')
  writes((w) => w.u32(4_294_967_295, 'a'), 'ff ff ff ff')
})

test('numbers outside of their field are refused by path', () => {
  for (const value of [-1, 65_536, 0.5, NaN, Infinity, '1', undefined]) refuses((w) => w.u16(value as number, 'keepAlive'), /^publish\.keepAlive: .* is not an integer from 0 to 65,535; /)
  for (const value of [-1, 4_294_967_296, 0.5, NaN, null]) refuses((w) => w.u32(value as number, 'a'), /^publish\.a: .* is not an integer from 0 to 4,294,967,295; /)
  for (const value of [-1, 268_435_456, 0.5, NaN, '1']) refuses((w) => w.varint(value as number, 'a'), /^publish\.a: .* is not an integer from 0 to 268,435,455; /)
})

test('MQTT-1.5.5-1: Variable Byte Integers use as few bytes as possible', () => {
  for (const [value, hex] of [[0, '00'], [127, '7f'], [128, '80 01'], [16_384, '80 80 01'], [268_435_455, 'ff ff ff 7f']] as const) writes((w) => w.varint(value, 'a'), hex)
})

test('a string stands behind its length in bytes', () => {
  writes((w) => w.string('', 'topic'), '00 00')
  writes((w) => w.string('aé€😀', 'topic'), '00 0a 61 c3 a9 e2 82 ac f0 9f 98 80')
  writes((w) => w.string('\ufeffa', 'topic'), '00 04 ef bb bf 61')
  writes((w) => w.string('a'.repeat(0x0102), 'topic'), `01 02${' 61'.repeat(0x0102)}`)
})

test('MQTT-4.7.3-3: 65,535 bytes of text fit, one more does not, however many characters they are', () => {
  for (const [unit, size] of [['a', 1], ['é', 2], ['€', 3], ['😀', 4]] as const) {
    const most = unit.repeat(Math.floor(65_535 / size)) + 'a'.repeat(65_535 % size)
    const w = writerOf(5, 'publish')
    w.string(most, 'topic')
    assert.is(toHex(w.bytes.subarray(5, 7)), 'ff ff')
    assert.is(w.position, 5 + 2 + 65_535)
    refuses((v) => v.string(`${most}a`, 'topic'), /^publish\.topic: 65,?536 (bytes|characters); a string or binary field has at most 65,535 bytes/)
  }
})

test('MQTT-1.5.4-1, MQTT-1.5.4-2: text that is no UTF-8 Encoded String is refused by path', () => {
  refuses((w) => w.string('a\ud800', 'will.topic'), /^publish\.will\.topic: a lone surrogate; .*\[MQTT-1\.5\.4-1\]/)
  refuses((w) => w.string('a\0', 'will.topic'), /^publish\.will\.topic: U\+0000; .*\[MQTT-1\.5\.4-2\]/)
})

test('a string is a string', () => {
  for (const [value, kind] of [[1, 'number'], [undefined, 'undefined'], [null, 'null'], [{}, 'object'], [new Uint8Array(1), 'object']] as const) {
    refuses((w) => w.string(value as unknown as string, 'topic'), new RegExp(`^publish\\.topic: ${kind} where a string belongs; `))
  }
})

test('binary data may be bytes or text, up to 65,535 of them', () => {
  writes((w) => w.binary(Uint8Array.of(0, 255), 'a'), '00 02 00 ff')
  writes((w) => w.binary(Buffer.of(1), 'a'), '00 01 01')
  writes((w) => w.binary('é', 'a'), '00 02 c3 a9')
  writes((w) => w.binary('', 'a'), '00 00')
  writes((w) => w.binary(new Uint8Array(0x0102), 'a'), `01 02${' 00'.repeat(0x0102)}`)
  const w = writerOf(5, 'publish')
  w.binary(new Uint8Array(65_535).fill(1), 'a')
  assert.is(toHex(w.bytes.subarray(5, 8)), 'ff ff 01')
  refuses((v) => v.binary(new Uint8Array(65_536), 'password'), /^publish\.password: 65536 bytes; /)
  for (const value of [1, null, undefined, [1, 2], new Uint16Array(1)]) refuses((v) => v.binary(value as unknown as Uint8Array, 'password'), /where a Uint8Array or a string belongs/)
})

test('the fixed header is put right before the body, its Remaining Length in as few bytes as possible', () => {
  for (const [size, hex] of [[0, '30 00'], [1, '30 01'], [127, '30 7f'], [128, '30 80 01'], [16_383, '30 ff 7f'], [16_384, '30 80 80 01'], [2_097_152, '30 80 80 80 01']] as const) {
    for (const split of [0, size]) {
      const w = writerOf(5, 'publish')
      for (let i = 0; i < split; i++) w.u8(0x61)
      w.tail = new Uint8Array(size - split)
      const start = w.close(0x30)
      assert.is(toHex(w.bytes.subarray(start, 5)), hex)
      assert.is(w.position, 5 + split)
      if (split > 0) assert.is(w.bytes[w.position - 1], 0x61)
    }
  }
})

test('SPEC-2.2.3-1: a packet whose length does not fit four bytes is refused', () => {
  const w = writerOf(5, 'publish')
  const size = 268_435_455
  w.tail = { length: size } as Uint8Array
  assert.is(toHex(w.bytes.subarray(w.close(0x30), 5)), '30 ff ff ff 7f')
  w.u8(0)
  assert.throws(() => w.close(0x30), /^publish: 268435456 bytes do not fit a Remaining Length of four bytes; /)
})

test('a reserved length is patched in place; what is longer than 127 bytes moves up', () => {
  for (const [size, prefix] of [[0, '00'], [127, '7f'], [128, '80 01'], [16_383, 'ff 7f'], [16_384, '80 80 01']] as const) {
    const w = writerOf(5, 'publish')
    w.u8(0xaa)
    const at = w.reserveVarint()
    for (let i = 0; i < size; i++) w.u8(i)
    w.patchVarint(at)
    w.u8(0xbb)
    const body = Array.from({ length: size }, (_, i) => i & 0xff)
    assert.is(written(w), `aa ${prefix} ${toHex(Uint8Array.from(body))} bb`.replace('  ', ' '))
  }
})

test('patching a length makes room where the buffer has none left', () => {
  const w = writerOf(5, 'publish')
  const at = w.reserveVarint()
  while (w.position < w.bytes.length) w.u8(1)
  const size = w.position - at - 1
  w.patchVarint(at)
  assert.is(w.position, at + 2 + size)
  assert.is(w.bytes[w.position - 1], 1)
})

test('what one huge packet needed is given back with the next', () => {
  const w = writerOf(5, 'publish')
  const { bytes } = w
  w.open('publish', 5)
  assert.is(w.bytes, bytes)
  w.binary(new Uint8Array(60_000), 'a')
  w.binary(new Uint8Array(60_000), 'a')
  assert.ok(w.bytes.length > 120_000)
  w.open('publish', 5)
  assert.is(w.bytes.length, 1024)
  assert.is(w.position, 5)
})

test('a released writer keeps no payload', () => {
  const w = writerOf(5, 'publish')
  w.tail = new Uint8Array(9)
  w.release()
  assert.is(w.tail.length, 0)
  w.tail = new Uint8Array(9)
  w.open('publish', 4)
  assert.is(w.tail.length, 0)
})

test('asBytes takes bytes as they are', () => {
  const w = writerOf(5, 'publish')
  const bytes = new Uint8Array(2)
  assert.is(w.asBytes(bytes, 'payload'), bytes)
  assert.is(toHex(w.asBytes('é', 'payload')), 'c3 a9')
})

test('a path is put together only when something is wrong', () => {
  const w = writerOf(5, 'connect')
  const path = (): string => w.misuse('utf8', 'userProperties', 'x').path
  assert.is(path(), 'userProperties')
  w.base = 'will.properties'
  assert.is(path(), 'will.properties.userProperties')
  assert.is(path(), 'userProperties', 'a refusal leaves nothing to the next packet')
  Object.assign(w, { base: 'p', item: 3 })
  assert.is(path(), 'p.userProperties[3]')
  Object.assign(w, { base: 'p', item: 3, part: 1 })
  assert.is(path(), 'p.userProperties[3][1]')
})

test('twin: `topic` writes what `string` writes and finds the first wildcard, or a place before it', () => {
  const texts = ['', 'a', 'a/b', '+', '#', 'a/+', 'a/+/#', 'a+b', 'é/+', 'é', 'x'.repeat(24), 'x'.repeat(25), `${'x'.repeat(23)}#`, `${'x'.repeat(24)}#`, `${'a'.repeat(23)}é`, 'sport/🎾/#']
  for (const value of texts) {
    const [w, slow] = [writerOf(5, 'publish'), writerOf(5, 'publish')]
    w.topic(value, 'topic')
    slow.string(value, 'topic')
    assert.is(written(w), written(slow))
    const first = value.search(/[+#]/)
    assert.is(w.wildcard < 0, first < 0, value)
    assert.ok(w.wildcard <= first, value)
    if (value.length <= 24 && /^[\x01-\x7f]*$/.test(value)) assert.is(w.wildcard, first, value)
  }
})

test('`topic` refuses what `string` refuses', () => {
  for (const value of ['a\0', '\0', 'a\ud800', 'a'.repeat(65_536), '€'.repeat(30_000), 1, null, undefined]) {
    const told = (write: (w: Writer) => void): string => {
      try {
        write(writerOf(5, 'publish'))
      } catch (error) {
        return String(error)
      }
      return assert.unreachable() as never
    }
    assert.is(told((w) => w.topic(value as string, 'topic')), told((w) => w.string(value as string, 'topic')))
  }
})

test('twin: `copyTo` copies a packet as a loop does, whatever its size, and touches nothing else', () => {
  const w = writerOf(5, 'publish')
  for (const size of [0, 1, 6, 7, 8, 9, 10, 20, 126, 127, 128, 129, 500, 503, 504, 505, 506, 507, 508, 600, 2_000, 20_000, 20, 127]) {
    w.open('publish', 5)
    for (let i = 0; i < size; i++) w.u8(i * 7)
    const start = w.close(0x30)
    const packet = w.bytes.slice(start, w.position)
    for (const offset of [0, 1, 77]) {
      const target = new Uint8Array(offset + packet.length + 9).fill(0xa5)
      w.copyTo(target, offset, start)
      assert.equal(target.subarray(offset, offset + packet.length), packet, `${size} at ${offset}`)
      assert.ok(target.every((byte, i) => byte === 0xa5 || (i >= offset && i < offset + packet.length)))
    }
  }
})

test('a refused packet leaves no value behind', () => {
  const w = writerOf(5, 'publish')
  w.held[3] = {}
  w.misuse('utf8', 'a', 'x')
  assert.ok(w.held.every((value) => value === undefined))
})

test('the path of an item begins with the item', () => {
  const w = writerOf(5, 'subscribe')
  Object.assign(w, { base: 'subscriptions', baseItem: 2 })
  assert.is(w.misuse('utf8', 'filter', 'x').path, 'subscriptions[2].filter')
  Object.assign(w, { base: 'subscriptions', baseItem: 0 })
  assert.is(w.misuse('utf8', '', 'x').path, 'subscriptions[0]')
  assert.is(w.misuse('utf8', 'topic', 'x').path, 'topic')
})

test.run()
