// SPDX-License-Identifier: MIT
// Small arrays cut from a common slab: a Uint8Array of its own costs ten times one that is cut as soon as it is longer than 64 bytes.
// As with Node's pooled Buffers, `.buffer` is then larger than the array and not to be transferred; no byte is ever given out twice.

class Slab {
  /** Longer pieces are worth an array of their own: keeping one piece keeps its whole slab. */
  readonly largest: number
  private readonly size: number
  private bytes: Uint8Array = new Uint8Array(0)
  /** the bytes' own: asking a typed array for its buffer costs half as much as cutting it */
  private buffer: ArrayBufferLike = this.bytes.buffer
  private used = 0

  constructor(size: number) {
    this.size = size
    this.largest = size / 8
  }

  cut(length: number): Uint8Array {
    // Transferring a piece's buffer empties the slab under us: its length is 0 then, and the next begins.
    if (this.used + length > this.bytes.length) {
      this.bytes = new Uint8Array(this.size)
      this.buffer = this.bytes.buffer
      this.used = 0
    }
    const piece = new Uint8Array(this.buffer, this.used, length)
    this.used += length
    return piece
  }
}

const small: Slab = /* @__PURE__ */ new Slab(8192)
const large: Slab = /* @__PURE__ */ new Slab(65_536)

/** A new array of `length` zero bytes, cut from a slab up to 1 KiB: keeping it keeps 8 KiB at most. */
export function carve(length: number): Uint8Array {
  return length <= small.largest ? small.cut(length) : new Uint8Array(length)
}

/** The same for what is made to be sent and forgotten: up to 8 KiB it is cut, and keeping it keeps 64 KiB. */
export function carveOutput(length: number): Uint8Array {
  return length > small.largest && length <= large.largest ? large.cut(length) : carve(length)
}

/** Copies `count` bytes; in a loop where that is cheaper than making a view for `set`. */
export function copyBytes(from: Uint8Array, start: number, count: number, to: Uint8Array, offset: number): void {
  if (count > LOOP) to.set(from.subarray(start, start + count), offset)
  else for (let i = 0; i < count; i++) to[offset + i] = from[start + i]!
}

const LOOP = 192
