import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { annotate } from '../../src/codec/annotate.ts'
import { decode } from '../../src/codec/decode.ts'
import { encode } from '../../src/codec/encode.ts'
import { fromHex, toHex, toJson } from '../../src/codec/json.ts'
import { QUIRKS, readingOf, STRICT } from '../../src/codec/lenient.ts'
import type { Quirk } from '../../src/codec/lenient.ts'
import type { ProtocolVersion } from '../../src/codec/protocol.ts'
import { RULES } from '../../src/codec/rules.ts'
import { PacketStream } from '../../src/codec/stream.ts'

interface Case { readonly quirk: Quirk, readonly version: ProtocolVersion, readonly hex: string, readonly offset: number, readonly packet: { readonly [field: string]: unknown } }

const CONNECT = { type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 60 }

const CASES: readonly Case[] = [
  { quirk: 'header-flags', version: 4, hex: '11 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61', offset: 0, packet: CONNECT },
  { quirk: 'header-flags', version: 5, hex: 'd1 00', offset: 0, packet: { type: 'pingresp' } },
  { quirk: 'reserved-connect-flag', version: 4, hex: '10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 61', offset: 9, packet: CONNECT },
  { quirk: 'lone-password', version: 4, hex: '10 10 00 04 4d 51 54 54 04 42 00 3c 00 01 61 00 01 70', offset: 9, packet: { ...CONNECT, password: { hex: '70' } } },
  { quirk: 'trailing-bytes', version: 4, hex: '40 04 00 07 de ad', offset: 4, packet: { type: 'puback', packetId: 7, reasonCode: 0 } },
  { quirk: 'trailing-bytes', version: 4, hex: 'e0 01 00', offset: 2, packet: { type: 'disconnect', reasonCode: 0 } },
  { quirk: 'long-lengths', version: 5, hex: 'c0 80 00', offset: 2, packet: { type: 'pingreq' } },
  { quirk: 'long-lengths', version: 5, hex: '10 8e 00 00 04 4d 51 54 54 05 02 00 3c 00 00 01 61', offset: 2, packet: { ...CONNECT, version: 5 } },
  { quirk: 'ill-formed-text', version: 4, hex: '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 ff', offset: 14, packet: { ...CONNECT, clientId: '\ufffd' } },
  { quirk: 'ill-formed-text', version: 4, hex: '10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 61 00', offset: 15, packet: { ...CONNECT, clientId: 'a\0' } },
  { quirk: 'ill-formed-text', version: 4, hex: '30 04 00 02 61 ff', offset: 5, packet: { type: 'publish', topic: 'a\ufffd', payload: { hex: '' }, qos: 0, retain: false, dup: false } },
  { quirk: 'connack-of-3.1.1', version: 5, hex: '20 02 00 01', offset: 4, packet: { type: 'connack', sessionPresent: false, reasonCode: 0x84 } },
  { quirk: 'connack-of-3.1.1', version: 5, hex: '20 02 00 05', offset: 4, packet: { type: 'connack', sessionPresent: false, reasonCode: 0x87 } },
  { quirk: 'connack-of-3.1.1', version: 5, hex: '20 02 01 00', offset: 4, packet: { type: 'connack', sessionPresent: true, reasonCode: 0 } },
  { quirk: 'bridge-level', version: 4, hex: '10 0d 00 04 4d 51 54 54 84 02 00 3c 00 01 61', offset: 8, packet: { ...CONNECT, bridge: true } },
  { quirk: 'bridge-level', version: 3, hex: '10 0f 00 06 4d 51 49 73 64 70 83 02 00 3c 00 01 61', offset: 10, packet: { ...CONNECT, version: 3, bridge: true } },
  { quirk: 'suback-failure-of-3.1', version: 3, hex: '90 03 00 07 80', offset: 4, packet: { type: 'suback', packetId: 7, reasonCodes: [0x80] } },
]

for (const { quirk, version, hex, offset, packet } of CASES) {
  test(`${quirk}: ${hex} is refused, and read when asked for, with a word about it`, () => {
    const bytes = fromHex(hex)
    assert.throws(() => decode(bytes, version), (error: { offset: number }) => error.offset === offset)
    const others = (Object.keys(QUIRKS) as Quirk[]).filter((other) => other !== quirk)
    assert.throws(() => decode(bytes, version, { lenient: others }), (error: { offset: number }) => error.offset === offset)

    const told: { readonly rule: string, readonly offset: number }[] = []
    assert.equal(toJson(decode(bytes, version, { lenient: [quirk], onQuirk: (error) => { told.push(error) } })), packet)
    assert.equal(told.map((error) => error.offset), [offset])
    assert.equal(toJson(decode(bytes, version, { lenient: [quirk] })), packet)

    const stream = new PacketStream({ version, lenient: [quirk] })
    stream.push(bytes)
    assert.equal(toJson(stream.next()), packet)
    assert.not(annotate(bytes, version, { lenient: [quirk] }).some(({ error }) => error !== undefined))
  })
}

test('every quirk has a case, and forgives rules that exist', () => {
  for (const [quirk, { forgives, reads, seen }] of Object.entries(QUIRKS)) {
    assert.ok(CASES.some((c) => c.quirk === quirk), quirk)
    assert.ok(reads.length > 0 && seen.length > 0)
    for (const rule of forgives) assert.ok(Object.hasOwn(RULES, rule), rule)
  }
})

test('a quirk that does not exist is refused by name', () => {
  assert.throws(() => readingOf({ lenient: ['trailing-byte' as Quirk] }), /there is no quirk "trailing-byte": lenient takes header-flags/)
  assert.throws(() => new PacketStream({ lenient: ['' as Quirk] }), /there is no quirk/)
})

test('without quirks and copies there is one way of reading', () => {
  assert.is(readingOf({}), STRICT)
  assert.is(readingOf({ copy: false, lenient: [] }), STRICT)
})

test('bridges make themselves known on request, before 5.0', () => {
  assert.is(toHex(encode({ ...CONNECT, type: 'connect', version: 4, bridge: true }, 4)), '10 0d 00 04 4d 51 54 54 84 02 00 3c 00 01 61')
  assert.is(toHex(encode({ ...CONNECT, type: 'connect', version: 3, bridge: true }, 3)), '10 0f 00 06 4d 51 49 73 64 70 83 02 00 3c 00 01 61')
  assert.throws(() => encode({ ...CONNECT, type: 'connect', version: 5, bridge: true }, 5), (error: { path: string }) => error.path === 'bridge')
})

test('whoever is told of a quirk may decode in the meantime', () => {
  const bytes = fromHex('32 0a 00 03 61 ff 62 00 07 70 71 72')
  const packet = decode(bytes, 4, { lenient: ['ill-formed-text'], onQuirk: () => { decode(fromHex('40 02 00 01'), 4) } })
  assert.equal(toJson(packet), { type: 'publish', topic: 'a\ufffdb', payload: { hex: '70 71 72' }, qos: 1, retain: false, dup: false, packetId: 7 })
})

test('a quirk is told once, however the packet is cut; a packet that is refused all the same tells nothing', () => {
  const told: string[] = []
  const stream = new PacketStream({ version: 4, lenient: ['header-flags'], onQuirk: ({ rule }) => { told.push(rule) } })
  for (const byte of fromHex('41 02 00 01')) {
    stream.push(Uint8Array.of(byte))
    stream.next()
  }
  assert.equal(told, ['MQTT-2.2.2-2'])
  stream.push(fromHex('41 02 00 00'))
  assert.throws(() => stream.next(), /Packet Identifier 0/)
  assert.throws(() => decode(fromHex('41 02 00 00'), 4, { lenient: ['header-flags'], onQuirk: () => { told.push('again') } }), /Packet Identifier 0/)
  assert.is(told.length, 1)
})

test.run()
