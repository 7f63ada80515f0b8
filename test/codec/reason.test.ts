import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PACKETS } from '../../src/codec/protocol.ts'
import type { PacketType } from '../../src/codec/protocol.ts'
import { codesOf, mayCarry, maySend, reasonName, REASONS, RETURN_CODES, returnCode } from '../../src/codec/reason.ts'

/** The tables of 5.0, one per packet, copied by hand: Tables 3-1, 3-4 to 3-10 and 3.9, 3.11. */
const TABLES: { readonly [type: string]: readonly number[] } = {
  connack: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
  ],
  puback: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrec: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrel: [0x00, 0x92],
  pubcomp: [0x00, 0x92],
  suback: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  unsuback: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  disconnect: [
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
  auth: [0x00, 0x18, 0x19],
}

/** What the column "Sent by" of Tables 3-10 and 3-11 keeps from one of the two. */
const NOT_BY_CLIENT: { readonly [type: string]: readonly number[] } = {
  disconnect: [0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2],
  auth: [0x00],
}
const NOT_BY_SERVER: { readonly [type: string]: readonly number[] } = { disconnect: [0x04], auth: [0x19] }

const TYPES = Object.keys(PACKETS) as PacketType[]

test('MQTT-3.2.2-8, MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.6.2-1, MQTT-3.7.2-1, MQTT-3.9.3-2, MQTT-3.11.3-2, MQTT-3.14.2-1, MQTT-3.15.2-1 (5.0): each packet carries the codes of its table', () => {
  for (const type of TYPES) {
    const carried = Array.from({ length: 256 }, (_, code) => code).filter((code) => mayCarry(type, code, 5))
    assert.equal(carried, TABLES[type] ?? [], type)
  }
})

test('SPEC-3.14.2.1-2, MQTT-3.15.2-1: client and server each send their own codes', () => {
  for (const type of TYPES) {
    for (let code = 0; code < 256; code++) {
      const known = TABLES[type]?.includes(code) === true
      assert.is(maySend('client', type, code), known && NOT_BY_CLIENT[type]?.includes(code) !== true, `client, ${type}, ${code}`)
      assert.is(maySend('server', type, code), known && NOT_BY_SERVER[type]?.includes(code) !== true, `server, ${type}, ${code}`)
    }
  }
})

test('SPEC-3.1-return-codes: CONNACK of 3.1 and 3.1.1 has the codes 0 to 5', () => {
  for (const version of [3, 4] as const) {
    for (let code = 0; code < 256; code++) assert.is(mayCarry('connack', code, version), code <= 5)
  }
})

test('SPEC-3.1-suback, MQTT-3.9.3-2 (3.1.1): SUBACK grants QoS 0 to 2; 0x80 came with 3.1.1', () => {
  for (let code = 0; code < 256; code++) {
    assert.is(mayCarry('suback', code, 3), code <= 2)
    assert.is(mayCarry('suback', code, 4), code <= 2 || code === 0x80)
  }
})

test('before 5.0 no other packet has a code', () => {
  for (const type of TYPES) {
    if (type === 'connack' || type === 'suback') continue
    for (const version of [3, 4] as const) assert.not(mayCarry(type, 0, version), type)
  }
})

test('what is no byte is no code', () => {
  for (const code of [-1, 256, 1.5, NaN]) {
    for (const version of [3, 4, 5] as const) assert.not(mayCarry('connack', code, version), String(code))
    assert.not(maySend('server', 'connack', code))
  }
})

test('a code is called what Table 2-6 calls it in that packet', () => {
  assert.is(reasonName('connack', 0), 'Success')
  assert.is(reasonName('disconnect', 0), 'Normal disconnection')
  assert.is(reasonName('suback', 0), 'Granted QoS 0')
  assert.is(reasonName('suback', 2), 'Granted QoS 2')
  assert.is(reasonName('disconnect', 0x8e), 'Session taken over')
  assert.is(reasonName('auth', 0x19, 5), 'Re-authenticate')
  assert.is(reasonName('connack', 0x03), undefined)
  for (const [code, { name }] of Object.entries(REASONS)) assert.ok(name.length > 0, code)
})

test('a return code of 3.x is called what Table 3.1 of 3.1.1 calls it', () => {
  assert.is(reasonName('connack', 5, 4), 'Connection refused, not authorized')
  assert.is(reasonName('connack', 1, 3), 'Connection refused, unacceptable protocol version')
  assert.is(reasonName('connack', 6, 4), undefined)
  assert.is(reasonName('suback', 0x80, 4), 'Unspecified error')
  assert.is(RETURN_CODES.length, 6)
})

test('a Reason Code of 5.0 becomes the return code that says the same, if there is one', () => {
  for (let code = 0; code <= 5; code++) assert.is(returnCode(code), code)
  for (const [reason, code] of [[0x84, 1], [0x85, 2], [0x88, 3], [0x89, 3], [0x86, 4], [0x87, 5], [0x8a, 5]] as const) assert.is(returnCode(reason), code)
  for (const reason of [-1, 6, 0x80, 0x81, 0x82, 0x8c, 0x9c, 0xff, 256]) assert.is(returnCode(reason), undefined, String(reason))
})

test('twin: the table of a packet is `mayCarry`, code by code', () => {
  for (const type of ['connack', 'suback', 'puback', 'auth'] as const) {
    const codes = codesOf(type)
    for (const version of [3, 4, 5] as const) {
      for (let code = 0; code < 256; code++) assert.is(codes[(version << 8) | code] === 1, mayCarry(type, code, version), `${type} ${code} ${version}`)
    }
  }
})

test.run()
