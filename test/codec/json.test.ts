import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex, fromJson, toHex, toJson } from '../../src/codec/json.ts'

test('bytes become { hex }, absent fields are left out, all else stays', () => {
  const packet = {
    type: 'publish', topic: 'a', payload: fromHex('00 ff'), qos: 0, retain: false, packetId: undefined,
    properties: { userProperties: [['n', 'v']], correlationData: new Uint8Array(0), none: null },
  }
  assert.equal(toJson(packet), {
    type: 'publish', topic: 'a', payload: { hex: '00 ff' }, qos: 0, retain: false,
    properties: { userProperties: [['n', 'v']], correlationData: { hex: '' }, none: null },
  })
  assert.not(Object.hasOwn(toJson(packet) as object, 'packetId'))
})

test('a Buffer is bytes like any other', () => {
  assert.equal(toJson(Buffer.of(1, 2)), { hex: '01 02' })
})

test('what went out as JSON comes back', () => {
  const packet = { type: 'connect', will: { payload: fromHex('01'), qos: 1, retain: true }, password: new Uint8Array(0), list: ['a', null, 3] }
  assert.equal(fromJson(JSON.parse(JSON.stringify(toJson(packet)))), packet)
})

test('only an object with `hex` and nothing else is bytes', () => {
  assert.equal(fromJson({ hex: '0a0B' }), Uint8Array.of(10, 11))
  assert.equal(fromJson({ hex: '0a', more: 1 }), { hex: '0a', more: 1 })
  assert.equal(fromJson({}), {})
  assert.throws(() => fromJson({ hex: 5 }), /not hexadecimal: 5/)
})

test('names that objects are born with are fields like any other', () => {
  const tricky = JSON.parse('{ "__proto__": { "polluted": true }, "constructor": 1, "toString": "x" }') as object
  for (const there of [toJson(tricky), fromJson(tricky)] as object[]) {
    assert.equal(Object.entries(there), Object.entries(tricky))
    assert.is(Object.getPrototypeOf(there), Object.prototype)
  }
})

test('hexadecimal may be spaced or not, in either case', () => {
  assert.is(toHex(Uint8Array.of(0, 0x2a, 0xff)), '00 2a ff')
  assert.is(toHex(new Uint8Array(0)), '')
  for (const hex of ['00 2a ff', '002aff', '00 2A FF', ' 0 0 2 a f f ', '00\n2a\tff']) assert.is(toHex(fromHex(hex)), '00 2a ff')
  assert.equal(fromHex(''), new Uint8Array(0))
})

test('all else is refused', () => {
  for (const hex of ['0', '00 2', 'zz', '0x00', '00-2a', '٠٠']) assert.throws(() => fromHex(hex), (error: Error) => error instanceof TypeError && error.message.startsWith('not hexadecimal: '), hex)
})

test.run()
