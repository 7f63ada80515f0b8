// Chunks in, packets out. A packet that lies whole in a chunk is decoded where it lies; only a split one is copied,
// once, into a buffer sized from its Remaining Length. The header of a split packet is kept as numbers, not bytes.

import { decodeBody } from './decode.js'
import { fail } from './strings.js'

const SLAB = 65_536
/** Claims above this are believed step by step, as bytes arrive. */
const TRUSTED = 1_048_576

let slab = new Uint8Array(SLAB)
let slabUsed = 0

/** Bodies of split packets come out of one shared slab; a view of it keeps 64 KiB alive, as with Buffer's own pool. */
function room(size) {
  if (size > SLAB / 8) return new Uint8Array(Math.min(size, TRUSTED))
  if (slabUsed + size > SLAB) {
    slab = new Uint8Array(SLAB)
    slabUsed = 0
  }
  const from = slabUsed
  slabUsed += size
  return new Uint8Array(slab.buffer, from, size)
}

export class FloorStream {
  constructor(version, limit = 268_435_455) {
    this.version = version
    this.limit = limit
    this.chunk = undefined
    this.at = 0
    this.first = 0
    this.remaining = 0
    this.shift = 0
    this.body = undefined
    this.filled = 0
  }

  push(chunk) {
    this.chunk = chunk
    this.at = 0
  }

  next() {
    const chunk = this.chunk
    if (chunk === undefined) return undefined
    const at = this.at
    const end = chunk.length
    if (this.first === 0 && at + 2 <= end && chunk[at + 1] < 0x80) {
      const stop = at + 2 + chunk[at + 1]
      if (stop <= end) {
        this.at = stop
        return decodeBody(chunk, chunk[at], at + 2, stop, this.version)
      }
    }
    return this.split(chunk, at, end)
  }

  /** Everything but a short packet that lies whole in its chunk. `shift` counts length bytes seen; -1: header complete. */
  split(chunk, at, end) {
    if (this.first === 0) {
      if (at === end) return this.drained()
      this.first = chunk[at++]
    }
    while (this.shift >= 0) {
      if (at === end) return this.drained()
      const byte = chunk[at++]
      this.remaining |= (byte & 0x7f) << this.shift
      this.shift += 7
      if (byte < 0x80) this.shift = -1
      else if (this.shift === 28) fail('varint longer than four bytes')
    }
    const { first, remaining } = this
    if (remaining > this.limit) fail('packet too large')
    if (this.body === undefined && at + remaining <= end) {
      this.reset(at + remaining)
      return decodeBody(chunk, first, at, at + remaining, this.version)
    }
    let body = this.body ??= room(remaining)
    const take = Math.min(remaining - this.filled, end - at)
    if (this.filled + take > body.length) body = this.grow(this.filled + take)
    // Below this size a loop is cheaper than the native copy and the view it needs.
    if (take < 64) for (let i = 0; i < take; i++) body[this.filled + i] = chunk[at + i]
    else body.set(take === chunk.length ? chunk : chunk.subarray(at, at + take), this.filled)
    this.filled += take
    if (this.filled < remaining) return this.drained()
    this.reset(at + take)
    return decodeBody(body, first, 0, remaining, this.version)
  }

  grow(needed) {
    const larger = new Uint8Array(Math.min(this.remaining, Math.max(needed, this.body.length * 4)))
    larger.set(this.body.subarray(0, this.filled))
    return this.body = larger
  }

  drained() {
    this.chunk = undefined
    return undefined
  }

  reset(at) {
    this.at = at
    this.first = 0
    this.remaining = 0
    this.shift = 0
    this.body = undefined
    this.filled = 0
  }
}
