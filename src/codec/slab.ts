// SPDX-License-Identifier: MIT
// Small arrays cut from a common slab: a Uint8Array of its own costs ten times one that is cut as soon as it is longer than 64 bytes.
// As with Node's pooled Buffers, `.buffer` is then larger than the array and not to be transferred; no byte is ever given out twice.

const SLAB = 8192
/** Longer ones are worth an allocation of their own, so that keeping one keeps no more than a slab. */
const LARGEST = SLAB / 8

let slab: Uint8Array = /* @__PURE__ */ new Uint8Array(0)
let used = 0

/** A new array of `length` zero bytes. */
export function carve(length: number): Uint8Array {
  if (length > LARGEST) return new Uint8Array(length)
  // Transferring a piece's buffer empties the slab under us: its length is 0 then, and the next begins.
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB)
    used = 0
  }
  const piece = new Uint8Array(slab.buffer, used, length)
  used += length
  return piece
}

/** Copies `count` bytes; in a loop where that is cheaper than making a view for `set`. */
export function copyBytes(from: Uint8Array, start: number, count: number, to: Uint8Array, offset: number): void {
  if (count > LOOP) to.set(from.subarray(start, start + count), offset)
  else for (let i = 0; i < count; i++) to[offset + i] = from[start + i]!
}

const LOOP = 192
