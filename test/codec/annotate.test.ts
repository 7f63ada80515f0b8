import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { annotate } from '../../src/codec/annotate.ts'
import type { AnnotateOptions, Annotation } from '../../src/codec/annotate.ts'
import { fromHex, toHex } from '../../src/codec/json.ts'
import type { ProtocolVersion } from '../../src/codec/protocol.ts'
import { expected, facts, text } from '../helpers/codec.ts'

/** The annotations in short: bytes, name, text; the error by its offset. */
function told(hex: string, version?: ProtocolVersion, options?: AnnotateOptions): string[] {
  const bytes = fromHex(hex)
  return annotate(bytes, version, options).map(({ start, end, name, text, error }) =>
    `${toHex(bytes.subarray(start, end))} | ${name} | ${error === undefined ? text : `error at ${error.offset}`}`)
}

/** Each byte exactly once, in order. */
function covered(hex: string, annotations: readonly Annotation[]): void {
  let at = 0
  for (const { start, end } of annotations) {
    assert.is(start, at, hex)
    at = end
  }
  assert.is(at, fromHex(hex).length, hex)
}

const CONNECT = `10 34 00 04 4d 51 54 54 05 ee 00 3c 0a 11 00 00 0e 10 27 80 00 00 00 ${text('id')} 05 18 00 00 00 05 ${text('w')} 00 02 00 ff ${text('user')} ${text('secret')}`

test('each byte of a CONNECT is named; no version is needed', () => {
  assert.equal(told(CONNECT), [
    '10 | Packet type and flags | CONNECT, flags 0000',
    '34 | Remaining Length | 52 bytes follow',
    '00 04 4d 51 54 54 | Protocol Name | "MQTT"',
    '05 | Protocol Version | MQTT 5.0',
    'ee | Connect Flags | 0b11101110',
    '00 3c | Keep Alive | 60 s',
    '0a | Property Length | 10',
    '11 | Property Identifier | 17 (Session Expiry Interval)',
    '00 00 0e 10 | Session Expiry Interval | 3600 s',
    '27 | Property Identifier | 39 (Maximum Packet Size)',
    '80 00 00 00 | Maximum Packet Size | 2147483648',
    '00 02 69 64 | Client Identifier | "id"',
    '05 | Property Length | 5',
    '18 | Property Identifier | 24 (Will Delay Interval)',
    '00 00 00 05 | Will Delay Interval | 5 s',
    '00 01 77 | Will Topic | "w"',
    '00 02 00 ff | Will Payload | 2 bytes',
    '00 04 75 73 65 72 | User Name | "user"',
    '00 06 73 65 63 72 65 74 | Password | ••••',
  ])
  covered(CONNECT, annotate(fromHex(CONNECT)))
})

test('the bits of a flag byte are taken apart, most significant first', () => {
  const [first, , , , flags] = annotate(fromHex(CONNECT))
  assert.equal(first!.bits, [{ name: 'Packet type', width: 4, value: 1 }, { name: 'Flags', width: 4, value: 0 }])
  assert.equal(flags!.bits!.map(({ name, value }) => [name, value]), [
    ['User Name Flag', 1], ['Password Flag', 1], ['Will Retain', 1], ['Will QoS', 1], ['Will Flag', 1], ['Clean Start', 1], ['Reserved', 0],
  ])
  for (const { bits } of [first!, flags!]) assert.is(bits!.reduce((sum, { width }) => sum + width, 0), 8)
  assert.is(flags!.value, 0xee)
})

test('values are what was read', () => {
  const values = annotate(fromHex('33 09 00 01 61 00 0a 00 62 63 64'), 5).map(({ value }) => (value instanceof Uint8Array ? toHex(value) : value))
  assert.equal(values, [0x33, 9, 'a', 10, 0, '62 63 64'])
})

test('Password and Authentication Data are masked unless told otherwise', () => {
  const auth = 'f0 0a 18 08 15 00 01 6d 16 00 01 73'
  for (const [hex, name] of [[CONNECT, 'Password'], [auth, 'Authentication Data']] as const) {
    const [hidden] = annotate(fromHex(hex), 5).filter((annotation) => annotation.name === name)
    assert.ok(hidden!.masked)
    assert.is(hidden!.value, undefined)
    assert.is(hidden!.text, '••••')
    const [shown] = annotate(fromHex(hex), 5, { mask: false }).filter((annotation) => annotation.name === name)
    assert.is(shown!.masked, undefined)
    assert.instance(shown!.value, Uint8Array)
    assert.ok(annotate(fromHex(hex), 5).every((annotation) => annotation.masked === true || annotation.name !== name))
  }
})

test('codes are told by name, versions too', () => {
  assert.equal(told('20 03 00 87 00', 5).slice(2, 4), ['00 | Connect Acknowledge Flags | 0b00000000', '87 | Reason Code | Not authorized'])
  assert.is(told('20 02 00 05', 4)[3], '05 | Return code | Connection refused, not authorized')
  assert.is(told('90 03 00 01 80', 4)[3], '80 | Return code | Unspecified error')
  assert.equal(told('40 03 00 01 05', 5).slice(2), ['00 01 | Packet Identifier | 1', '05 | Reason Code | error at 4'])
  assert.is(annotate(fromHex('40 03 00 01 05'), 5)[3]!.name, 'Reason Code')
  assert.is(told('10 0e 00 06 4d 51 49 73 64 70 03 02 00 00 00 00')[3], '03 | Protocol Version | MQTT 3.1')
  assert.is(told('82 07 00 01 00 00 01 61 2e', 5).at(-1), '2e | Subscription Options | 0b00101110')
})

test('a code that nobody knows is called unknown', () => {
  const at = annotate(fromHex('e0 01 77'), 5)
  assert.is(at[2]!.text, 'unknown')
  assert.is(annotate(fromHex('10 07 00 04 4d 51 54 54 09'))[3]!.text, '9')
})

test('an empty payload has no bytes to name', () => {
  assert.equal(told('30 03 00 01 61', 4), ['30 | Packet type and flags | PUBLISH, flags 0000', '03 | Remaining Length | 3 bytes follow', '00 01 61 | Topic Name | "a"'])
})

test('the first wrong byte is marked with the error that decoding gives, and all other bytes are still there', () => {
  const cases = [
    // nothing at all
    ['', 5, 'fieldFits', 0, ['']],
    ['30', 5, 'fieldFits', 1, ['30', '']],
    // a type that does not exist
    ['00 00', 5, 'packetType', 0, ['00', '00']],
    // a field that was read, and is wrong
    ['20 03 02 00 00', 5, 'acknowledgeFlags', 2, ['20', '03', '02', '00 00']],
    ['30 06 00 03 61 2f 23 00', 5, 'topicWildcard', 2, ['30', '06', '00 03 61 2f 23', '00']],
    // a byte in the middle of a field
    ['30 07 00 04 61 c3 28 62 00', 5, 'utf8', 5, ['30', '07', '00 04 61', 'c3', '28 62 00']],
    ['30 04 00 02 61 00', 5, 'nul', 5, ['30', '04', '00 02 61', '00']],
    // a field that does not fit
    ['30 03 00 09 61', 5, 'fieldFits', 2, ['30', '03', '00', '09 61']],
    ['40 01 00', 5, 'fieldFits', 2, ['40', '01', '00']],
    // a Variable Byte Integer
    ['c0 80 00', 5, 'minimalVarint', 2, ['c0', '80', '00']],
    ['c0 80 80 80 80 00', 5, 'remainingLength', 4, ['c0', '80 80 80', '80', '00']],
    // something missing at the end
    ['82 03 00 01 00', 5, 'subscribeEmpty', 5, ['82', '03', '00 01', '00', '']],
    // bytes behind the last field
    ['d0 02 aa bb', 5, 'noBody', 2, ['d0', '02', 'aa', 'bb']],
  ] as const
  for (const [hex, version, rule, offset, runs] of cases) {
    const bytes = fromHex(hex)
    const annotations = annotate(bytes, version)
    covered(hex, annotations)
    assert.equal(annotations.map(({ start, end }) => toHex(bytes.subarray(start, end))), runs, hex)
    const marked = annotations.filter(({ error }) => error !== undefined)
    assert.is(marked.length, 1, hex)
    assert.equal(facts(marked[0]!.error), expected(rule, version, offset), hex)
    assert.is(marked[0]!.start, offset, hex)
  }
})

test('the header of a CONNECT, judged when its version is known, is marked where it was read', () => {
  assert.equal(told('11 0d 00 04 4d 51 54 54 05 02 00 00 00 00 00')[0], '11 | Packet type and flags | error at 0')
  const hex = '10 8d 00 00 04 4d 51 54 54 05 02 00 00 00 00 00'
  assert.equal(told(hex).slice(0, 3), ['10 | Packet type and flags | CONNECT, flags 0000', '8d 00 | Remaining Length | error at 2', '00 04 4d 51 54 54 | Protocol Name | "MQTT"'])
  covered(hex, annotate(fromHex(hex)))
})

test('what there is of a packet that is too short is named all the same', () => {
  assert.equal(told('30 09 00 01 61 00 62', 5), [
    '30 | Packet type and flags | PUBLISH, flags 0000', '09 | Remaining Length | 9 bytes follow', '00 01 61 | Topic Name | "a"', '00 | Property Length | 0', '62 | Payload | 1 bytes', ' | end | error at 7',
  ])
  assert.equal(told('30 09 00 05 61', 5), [
    '30 | Packet type and flags | PUBLISH, flags 0000', '09 | Remaining Length | 9 bytes follow', '00 05 61 | Topic Name | cut short', ' | end | error at 5',
  ])
})

test('so is a packet with bytes behind it, and the first of these is marked', () => {
  assert.equal(told('40 02 00 01 aa bb', 5), [
    '40 | Packet type and flags | PUBACK, flags 0000', '02 | Remaining Length | 2 bytes follow', '00 01 | Packet Identifier | 1', 'aa | not read | error at 4', 'bb | not read | behind the fault',
  ])
})

test('another protocol is not mistaken for a packet', () => {
  const hex = toHex(new TextEncoder().encode('HTTP/1.1 400'))
  const annotations = annotate(fromHex(hex), 5)
  covered(hex, annotations)
  assert.is(annotations.find(({ error }) => error !== undefined)!.error!.foreign, 'HTTP')
})

test('a secret stays hidden wherever the fault lies', () => {
  const secret = '73 65 63 72 65 74'
  const password = (hex: string): string => `10 ${hex} 00 04 4d 51 54 54 04 c2 00 3c 00 01 61 00 01 75`
  const cases = [
    `${password('18')} 00 09 ${secret}`, // its length runs past the packet
    `${password('1a')} 00 08 ${secret}`, // the packet is cut inside it
    `10 18 00 04 4d 51 54 54 04 c3 00 3c 00 01 61 00 01 75 00 06 ${secret}`, // a fault before it
    `10 18 00 04 4d 51 54 54 09 c2 00 3c 00 01 61 00 01 75 00 06 ${secret}`, // a fault before the flags were read
    `f0 0f 18 0d 15 00 01 61 16 00 06 ${secret} 00`, // AUTH, something behind it
    `f0 0a 05 08 16 00 06 ${secret}`, // AUTH, a fault before it
  ]
  for (const hex of cases) {
    const bytes = fromHex(hex)
    const shown = annotate(bytes, hex.startsWith('f0') ? 5 : 4).filter(({ masked }) => masked !== true).map(({ start, end }) => toHex(bytes.subarray(start, end))).join(' ')
    assert.not(shown.includes('63 72 65'), `${hex}: ${shown}`)
    const all = annotate(bytes, hex.startsWith('f0') ? 5 : 4, { mask: false })
    assert.not(all.some(({ masked }) => masked === true))
  }
})

test('where there is no password nothing is hidden', () => {
  assert.not(annotate(fromHex('10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 61'), 4).some(({ masked }) => masked === true))
  assert.not(annotate(fromHex('20 03 02 00 00'), 5).some(({ masked }) => masked === true))
})

test('a property nobody knows has no name', () => {
  assert.ok(annotate(fromHex('e0 03 00 01 7f'), 5).some(({ text }) => text === '127 (no property)'))
})

test('an exception that is none of the two errors is not taken for a fault of the packet', () => {
  const ours = Object.defineProperty({ length: 2 }, '0', { get: () => { throw new RangeError('ours') } })
  assert.throws(() => annotate(ours as unknown as Uint8Array, 4), (error: Error) => error instanceof RangeError)
})

test.run()
