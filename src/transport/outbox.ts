// SPDX-License-Identifier: MIT
// Output of one turn as one contiguous piece: packets are encoded straight into a slab, one behind the other, and handed out as a view.
// All connections share the slab, and a socket may keep what it was given, so no byte of it is written twice: when it is full the next begins.
import { encodedSize, encodeInto } from '../codec/index.ts'
import type { PacketInput, ProtocolVersion, UsageError } from '../codec/index.ts'

const SLAB = 65_536

let slab: Uint8Array = /* @__PURE__ */ new Uint8Array(0)
/** slab[used, length) has never been handed out */
let used = 0

export class Outbox {
  /** home[start, end) waits to be taken */
  private home: Uint8Array = NONE
  private start = 0
  private end = 0

  /** How many bytes wait. */
  get length(): number {
    return this.end - this.start
  }

  /** Encodes a packet behind what is waiting; returns its bytes. Throws UsageError and leaves everything as it was. */
  append(packet: PacketInput, version: ProtocolVersion): Uint8Array {
    // Another connection may have written behind us, in a handler of ours; what waits must stay in one piece.
    if (this.home !== slab || this.end !== used) this.move(0)
    let end
    try {
      end = encodeInto(packet, version, slab, this.end)
    } catch (error) {
      if ((error as UsageError).rule !== 'encodeInto') throw error
      this.move(encodedSize(packet, version))
      end = encodeInto(packet, version, slab, this.end)
    }
    const bytes = slab.subarray(this.end, end)
    this.end = used = end
    return bytes
  }

  /** Takes back all but the first `length` bytes that wait. */
  truncate(length: number): void {
    this.end = this.start + length
  }

  /** What waits, as one piece; undefined when nothing does. */
  take(): Uint8Array | undefined {
    if (this.start === this.end) return undefined
    const bytes = this.home.subarray(this.start, this.end)
    this.home = NONE
    this.start = this.end = 0
    return bytes
  }

  /** Takes what waits to where `room` more bytes can follow it. */
  private move(room: number): void {
    const waiting = this.home.subarray(this.start, this.end)
    if (used + waiting.length + room > slab.length || room > 0) {
      slab = new Uint8Array(Math.max(SLAB, waiting.length + room))
      used = 0
    }
    slab.set(waiting, used)
    this.home = slab
    this.start = used
    this.end = used += waiting.length
  }
}

const NONE: Uint8Array = /* @__PURE__ */ new Uint8Array(0)
