// SPDX-License-Identifier: MIT
// Chunks in, packets out, however the bytes are cut.
//  - A packet that lies whole in a chunk is decoded where it lies; only one that is cut is copied, once, into a buffer that grows with the
//    bytes received and never with the bytes announced.
//  - The size limit is judged as soon as the Remaining Length is there, before anything is kept.
//  - After an error the stream is dead: `next` throws the same error for ever.
import { checkFirstByte, readPacket } from './decode.ts'
import type { DecodeOptions } from './decode.ts'
import { UsageError } from './errors.ts'
import type { MalformedPacket, ProtocolError } from './errors.ts'
import type { Packet } from './packet.ts'
import type { ProtocolVersion } from './protocol.ts'
import { Reader } from './reader.ts'
import { scanVarint, varintValue } from './varint.ts'

export interface PacketStreamOptions extends DecodeOptions {
  /** whose rules hold; left out, the first packet must be a CONNECT and its version counts */
  readonly version?: ProtocolVersion | undefined
  /** largest packet taken, in bytes with its fixed header: 2 to 268,435,460; default 1 MiB */
  readonly maximumPacketSize?: number | undefined
}

/** Largest packet a stream takes unless told otherwise. */
export const DEFAULT_MAXIMUM_PACKET_SIZE = 1_048_576

export class PacketStream {
  /** the version whose rules hold; undefined until the first CONNECT unless given */
  version: ProtocolVersion | undefined
  /** may be changed between packets, as when a CONNECT has been accepted */
  maximumPacketSize: number
  private readonly copy: boolean
  private opening = true
  private failure: MalformedPacket | ProtocolError | undefined = undefined
  /** what has been pushed and not yet read: the rest of `chunk` from `position` on, then `later` */
  private chunk: Uint8Array = NONE
  private position = 0
  private later: Uint8Array[] | undefined = undefined
  /** the beginning of a packet that a chunk's end has cut: `carry[0, carried)` */
  private carry: Uint8Array | undefined = undefined
  private carried = 0
  /** the packet `next` gave last: source[frameStart, frameEnd) */
  private source: Uint8Array = NONE
  private frameStart = 0
  private frameEnd = 0

  constructor(options: PacketStreamOptions = {}) {
    const { version, maximumPacketSize = DEFAULT_MAXIMUM_PACKET_SIZE, copy = false } = options
    if (!(maximumPacketSize >= 2)) throw new UsageError(`maximumPacketSize is ${maximumPacketSize}: it counts bytes, and no packet is smaller than 2`, { packet: undefined, rule: '5.0 §3.1.2.11.4', path: 'maximumPacketSize' })
    this.version = version
    this.maximumPacketSize = maximumPacketSize
    this.copy = copy
  }

  /**
   * Takes a chunk of any size. It is not copied: leave it alone until `next` has returned undefined, and as long as you keep views of it.
   * Between two pushes call `next` until it returns undefined: then no more than one packet's beginning is ever held.
   */
  push(chunk: Uint8Array): void {
    if (this.failure !== undefined) return
    if (this.position === this.chunk.length) {
      this.chunk = chunk
      this.position = 0
    } else {
      (this.later ??= []).push(chunk)
    }
  }

  /** The next packet, or undefined when more bytes are needed. Throws MalformedPacket or ProtocolError, once found again on every call. */
  next(): Packet | undefined {
    if (this.failure !== undefined) throw this.failure
    try {
      for (;;) {
        const packet = this.carried > 0 ? this.complete() : this.take()
        if (packet !== undefined) return packet
        if (this.later === undefined) break
        this.chunk = this.later.shift()!
        this.position = 0
        if (this.later.length === 0) this.later = undefined
      }
    } catch (error) {
      this.fail(error as MalformedPacket | ProtocolError)
      throw error
    }
    // Drained: an idle stream keeps no chunk alive.
    this.chunk = NONE
    this.position = 0
    this.source = NONE
    return undefined
  }

  /** The bytes of the packet `next` gave last, or of the one it refused as far as they have come; valid until the next call of `next` or `push`. */
  lastBytes(): Uint8Array {
    return this.source.subarray(this.frameStart, this.frameEnd)
  }

  /** How many bytes have come of a packet that is not complete yet. */
  get pending(): number {
    return this.carried
  }

  /** A packet that begins in the chunk: decoded there if it ends there, else carried over. */
  private take(): Packet | undefined {
    const { chunk, position: start } = this
    const end = chunk.length
    if (start === end) return undefined
    const size = this.measure(chunk, start, end)
    if (size > 0 && size <= end - start) {
      this.position = start + size
      return this.decode(chunk, start, start + size)
    }
    this.carry = new Uint8Array(size === 0 ? HEADER : capacity(size, end - start))
    this.carry.set(chunk.subarray(start, end))
    this.carried = end - start
    this.position = end
    return undefined
  }

  /** A packet whose beginning is carried: takes from the chunk what it still lacks. */
  private complete(): Packet | undefined {
    const { chunk } = this
    for (;;) {
      const size = this.measure(this.carry!, 0, this.carried)
      // Without its Remaining Length a packet lacks at least one byte, and no more may be taken: they may be another's.
      const wanted = size === 0 ? this.carried + 1 : size
      const taken = Math.min(wanted - this.carried, chunk.length - this.position)
      if (taken > 0) this.keep(chunk, taken, size)
      if (size > 0 && this.carried === size) {
        const bytes = this.carry!
        this.carry = undefined
        this.carried = 0
        return this.decode(bytes, 0, size)
      }
      if (taken === 0) return undefined
    }
  }

  private keep(chunk: Uint8Array, count: number, size: number): void {
    const { carried } = this
    let carry = this.carry!
    if (carried + count > carry.length) {
      const larger = new Uint8Array(size === 0 ? HEADER : capacity(size, carried + count))
      larger.set(carry.subarray(0, carried))
      this.carry = carry = larger
    }
    if (count === 1) carry[carried] = chunk[this.position]!
    else carry.set(chunk.subarray(this.position, this.position + count), carried)
    this.carried = carried + count
    this.position += count
  }

  /**
   * The whole size of the packet that begins at `start`, 0 when its Remaining Length is not complete.
   * Throws for a first byte that begins no packet, a Remaining Length of five bytes, and a packet beyond the limit.
   */
  private measure(bytes: Uint8Array, start: number, end: number): number {
    const second = start + 1 < end ? bytes[start + 1]! : 0xff
    if (second < 0x80 && second + 2 <= this.maximumPacketSize && start + 2 + second <= end) return second + 2
    const r = this.reader(bytes, start, end)
    checkFirstByte(r, bytes[start]!, this.version)
    const length = scanVarint(bytes, start + 1, end)
    if (length === 0) return 0
    if (length === 5) throw r.fault('remainingLength', start + 4, 'the fourth byte of the Remaining Length asks for a fifth')
    const size = 1 + length + varintValue(bytes, start + 1, length)
    if (size > this.maximumPacketSize) throw r.fault('packetTooLarge', start + 1, `a packet of ${size} bytes, and maximumPacketSize is ${this.maximumPacketSize}`)
    return size
  }

  private decode(bytes: Uint8Array, start: number, end: number): Packet {
    this.source = bytes
    this.frameStart = start
    this.frameEnd = end
    const r = this.reader(bytes, start, end)
    const packet = readPacket(r)
    r.release()
    if (this.version === undefined && packet.type === 'connect') this.version = packet.version
    this.opening = false
    return packet
  }

  private reader(bytes: Uint8Array, start: number, end: number): Reader {
    shared.open(bytes, start, end, this.version, this.copy, this.opening)
    return shared
  }

  private fail(error: MalformedPacket | ProtocolError): void {
    this.failure = error
    if (this.source !== shared.bytes || this.frameStart !== shared.start) {
      this.source = shared.bytes
      this.frameStart = shared.start
      this.frameEnd = shared.end
    }
    shared.release()
    this.chunk = NONE
    this.position = 0
    this.later = undefined
    this.carry = undefined
    this.carried = 0
  }
}

/** The longest fixed header. */
const HEADER = 5
/** Kept at once for a packet that is cut, whatever has come of it; beyond that the buffer doubles as bytes arrive. */
const FIRST_CARRY = 512

function capacity(size: number, have: number): number {
  return Math.min(size, Math.max(FIRST_CARRY, 2 * have))
}

const NONE: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

/** Decoding never calls out, so one reader serves all streams. */
const shared: Reader = /* @__PURE__ */ new Reader()
