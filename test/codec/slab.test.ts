import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { carve, carveOutput, copyBytes } from '../../src/codec/slab.ts'

test('pieces are zero, of their length, and never overlap', () => {
  const pieces: Uint8Array[] = []
  for (let i = 0; i < 3000; i++) {
    const length = i % 50 < 2 ? (i * 7) % 9000 : (i * 37) % 1500
    const piece = i % 2 === 0 ? carve(length) : carveOutput(length)
    assert.is(piece.length, length)
    assert.ok(piece.every((byte) => byte === 0))
    piece.fill(i % 251 + 1)
    pieces.push(piece)
  }
  for (const [i, piece] of pieces.entries()) assert.ok(piece.every((byte) => byte === i % 251 + 1), String(i))
})

test('a large piece has a buffer of its own, a small one keeps no more than a slab', () => {
  assert.is(carve(1025).buffer.byteLength, 1025)
  assert.is(carveOutput(8193).buffer.byteLength, 8193)
  assert.is(carveOutput(8192).buffer.byteLength, 65_536)
  assert.is(carveOutput(1024).buffer.byteLength, 8192)
  assert.ok(carve(10).buffer.byteLength <= 8192)
})

test('a slab that somebody has transferred away does no harm', () => {
  const piece = carve(10)
  structuredClone(piece.buffer, { transfer: [piece.buffer as ArrayBuffer] })
  assert.is(piece.length, 0)
  const next = carve(10)
  next.fill(7)
  assert.equal([...next], new Array(10).fill(7))
})

test('twin: copying is what `set` and `subarray` do', () => {
  const from = Uint8Array.from({ length: 1000 }, (_, i) => i)
  for (const count of [0, 1, 2, 100, 191, 192, 193, 194, 500]) {
    const one = new Uint8Array(1000)
    const other = new Uint8Array(1000)
    copyBytes(from, 13, count, one, 7)
    other.set(from.subarray(13, 13 + count), 7)
    assert.equal(one, other)
  }
})

test.run()
