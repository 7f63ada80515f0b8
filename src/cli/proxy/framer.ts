// SPDX-License-Identifier: MIT
// A byte stream cut into Control Packets by their fixed headers alone. A PacketStream is dead after its first error, as a connection ought to be; whoever
// only watches sees what the two sides make of it, so a packet that is wrong inside is one packet, and the next one follows it.
import { isFirstByte } from '../../codec/decode.ts'
import type { ProtocolVersion } from '../../codec/index.ts'
import { PACKET_TYPES } from '../../codec/protocol.ts'
import { scanVarint, varintValue } from '../../codec/varint.ts'

export interface Frame {
  readonly bytes: Uint8Array
  /** of the whole packet; more than there are bytes when it was too large to keep, or its stream has ended inside it */
  readonly size: number
  /** nobody knows where the next packet begins: nothing behind these bytes is read */
  readonly lost: boolean
}

const NONE = new Uint8Array(0)
/** The longest fixed header. */
const HEADER = 5
/** Of a packet that is too large to keep, and of what is no packet. */
const SHOWN = 64

export class Framer {
  /** whose packets; undefined until a CONNECT has told: before it nothing else may come */
  version: ProtocolVersion | undefined = undefined
  /** bytes that are not read: what is behind them has no beginning */
  unread = 0
  private readonly maximum: number
  /** what is kept of the packet under way: kept[0, keptSize). It grows with the bytes that come, however small their pieces are */
  private kept: Uint8Array = NONE
  private keptSize = 0
  /** of the packet under way; 0 while its Remaining Length is not there */
  private size = 0
  private passed = 0
  private lost = false

  /** Packets up to `maximum` bytes are kept whole. */
  constructor(maximum: number) {
    this.maximum = maximum
  }

  /** Takes a chunk, which stays as it is and is not kept beyond the packets in it; calls back for each packet that is complete. */
  push(chunk: Uint8Array, found: (frame: Frame) => void): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.lost) {
        this.unread += rest.length
        return
      }
      rest = this.size === 0 ? this.header(rest, found) : this.body(rest, found)
    }
  }

  /** The stream has ended: what there is of a packet. */
  end(found: (frame: Frame) => void): void {
    if (this.passed > 0) this.give(Math.max(this.size, this.passed + 1), true, found)
  }

  /** Whoever looked into the last packet says that it was none: nothing behind it is read. */
  lose(): void {
    this.lost = true
  }

  private header(chunk: Uint8Array, found: (frame: Frame) => void): Uint8Array {
    const before = this.passed
    const head = Buffer.concat([this.kept.subarray(0, before), chunk.subarray(0, HEADER - before)])
    const first = head[0]!
    const length = scanVarint(head, 1, head.length)
    if (!this.begins(first) || length === 5) {
      const shown = Buffer.concat([this.kept.subarray(0, before), chunk.subarray(0, SHOWN - before)])
      this.unread += chunk.length - (shown.length - before)
      this.forget()
      this.lost = true
      found({ bytes: new Uint8Array(shown), size: shown.length, lost: true })
      return NONE
    }
    if (length > 0) this.size = 1 + length + varintValue(head, 1, length)
    // Of a chunk that is longer than the header only that much is taken: the packet may be shorter than what is here.
    const taken = (length > 0 ? 1 + length : head.length) - before
    if (taken > 0) this.keep(chunk.subarray(0, taken))
    if (this.size > 0 && this.passed === this.size) this.give(this.size, false, found)
    return chunk.subarray(Math.max(0, taken))
  }

  private body(chunk: Uint8Array, found: (frame: Frame) => void): Uint8Array {
    const count = Math.min(this.size - this.passed, chunk.length)
    this.keep(chunk.subarray(0, count))
    if (this.passed === this.size) this.give(this.size, false, found)
    return chunk.subarray(count)
  }

  private keep(bytes: Uint8Array): void {
    this.passed += bytes.length
    const room = (this.size > this.maximum ? SHOWN : this.maximum) - this.keptSize
    if (room <= 0) return
    const part = bytes.subarray(0, room)
    const size = this.keptSize + part.length
    if (size > this.kept.length) {
      const larger = new Uint8Array(Math.max(size, Math.min(2 * this.kept.length, this.size)))
      larger.set(this.kept.subarray(0, this.keptSize))
      this.kept = larger
    }
    this.kept.set(part, this.keptSize)
    this.keptSize = size
  }

  private give(size: number, ended: boolean, found: (frame: Frame) => void): void {
    const bytes = this.kept.subarray(0, this.keptSize)
    this.forget()
    found({ bytes, size, lost: ended })
  }

  private forget(): void {
    this.kept = NONE
    this.keptSize = this.size = this.passed = 0
  }

  /** Flags may be wrong and the length right; a type that there is not has no length. */
  private begins(first: number): boolean {
    return this.version === undefined ? isFirstByte(first, undefined) : PACKET_TYPES[first >> 4] !== undefined
  }
}
