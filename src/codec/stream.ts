// SPDX-License-Identifier: MIT
// Chunks in, packets out, however the bytes are cut.
//  - A packet that lies whole in a chunk is decoded where it lies; only one that is cut is copied, once, into a buffer that grows with the
//    bytes received and never with the bytes announced.
//  - The size limit is judged as soon as the Remaining Length is there, before anything is kept.
//  - After an error the stream is dead: `next` throws the same error for ever.
import { BODILESS, checkFirstByte, checkVersion, isFirstByte, readPacket } from './decode.ts'
import type { DecodeOptions } from './decode.ts'
import { UsageError } from './errors.ts'
import type { MalformedPacket, ProtocolError } from './errors.ts'
import { readingOf } from './lenient.ts'
import type { Reading } from './lenient.ts'
import type { Packet } from './packet.ts'
import type { ProtocolVersion } from './protocol.ts'
import { Reader } from './reader.ts'
import type { RuleName } from './rules.ts'
import { carve, copyBytes } from './slab.ts'
import { scanVarint, varintValue } from './varint.ts'

const NONE: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

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
  private readonly reading: Reading
  private failure: MalformedPacket | ProtocolError | undefined = undefined
  /** what has been pushed and not yet read: the rest of `chunk` from `position` on, then `later` */
  private chunk: Uint8Array = NONE
  private position = 0
  private later: Uint8Array[] | undefined = undefined
  private laterRead = 0
  /** the beginning of a packet that a chunk's end has cut, carry[0, carried); a first byte alone is kept in `first` */
  private carry: Uint8Array = NONE
  private carried = 0
  private first = 0
  /** the whole size of that packet; 0 while its Remaining Length is not complete */
  private size = 0
  /** the packet `next` gave last: source[frameStart, frameEnd); 0 while there was none */
  private source: Uint8Array = NONE
  private frameStart = 0
  private frameEnd = 0

  constructor(options: PacketStreamOptions = {}) {
    const { version, maximumPacketSize = DEFAULT_MAXIMUM_PACKET_SIZE } = options
    if (!(maximumPacketSize >= 2)) throw new UsageError(`maximumPacketSize is ${maximumPacketSize}: it counts bytes, and no packet is smaller than 2`, { packet: undefined, rule: '5.0 §3.1.2.11.4', path: 'maximumPacketSize' })
    if (version !== undefined) checkVersion(version)
    this.version = version
    this.maximumPacketSize = maximumPacketSize
    this.reading = readingOf(options)
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
        this.chunk = this.later[this.laterRead++]!
        this.position = 0
        if (this.laterRead === this.later.length) {
          this.later = undefined
          this.laterRead = 0
        }
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
    const have = chunk.length - start
    if (have >= 2) {
      const size = chunk[start + 1]! + 2
      // The short way: a Remaining Length of one byte, and all of it is here.
      if (size < 0x82 && size <= have && size <= this.maximumPacketSize) {
        this.position = start + size
        return this.decode(chunk, start, start + size)
      }
    } else if (have === 0) return undefined
    const size = this.measure(chunk, start, chunk.length)
    if (size > 0 && size <= have) {
      this.position = start + size
      return this.decode(chunk, start, start + size)
    }
    this.size = size
    this.carried = have
    this.position = chunk.length
    if (have === 1) this.first = chunk[start]!
    else {
      this.carry = carve(capacity(size, have))
      copyBytes(chunk, start, have, this.carry, 0)
    }
    return undefined
  }

  /** A packet whose beginning is carried: takes from the chunk what it still lacks, and no byte that may be another's. */
  private complete(): Packet | undefined {
    const { chunk } = this
    while (this.size === 0) {
      if (this.position === chunk.length) return undefined
      const packet = this.lengthByte(chunk[this.position++]!)
      if (packet !== undefined) return packet
    }
    const { size, carried } = this
    const count = Math.min(size - carried, chunk.length - this.position)
    if (carried + count > this.carry.length) this.grow(carried + count)
    copyBytes(chunk, this.position, count, this.carry, carried)
    this.position += count
    this.carried = carried + count
    if (carried + count < size) return undefined
    const bytes = this.carry
    this.forget()
    return this.decode(bytes, 0, size)
  }

  /** One more byte of a Remaining Length; gives the packet if it is one of those that are two bytes. */
  private lengthByte(byte: number): Packet | undefined {
    const { first } = this
    if (this.carried === 1) {
      const packet = byte === 0 && this.version !== undefined ? BODILESS[first] : undefined
      if (packet !== undefined) {
        this.forget()
        return this.whole(packet, Uint8Array.of(first, 0), 0, 2)
      }
      this.carry = carve(byte < 0x80 ? Math.max(capacity(byte + 2, 2), HEADER) : HEADER)
      this.carry[0] = first
    }
    this.carry[this.carried++] = byte
    this.size = this.measure(this.carry, 0, this.carried)
    return undefined
  }

  private grow(have: number): void {
    const larger = carve(capacity(this.size, have))
    copyBytes(this.carry, 0, this.carried, larger, 0)
    this.carry = larger
  }

  private forget(): void {
    this.carry = NONE
    this.carried = 0
    this.size = 0
  }

  /**
   * The whole size of the packet that begins at `start`, 0 when its Remaining Length is not complete.
   * Throws for a first byte that begins no packet, a Remaining Length of five bytes, and a packet beyond the limit.
   */
  private measure(bytes: Uint8Array, start: number, end: number): number {
    if (!isFirstByte(bytes[start]!, this.version)) checkFirstByte(this.reader(bytes, start, end), bytes[start]!, this.version)
    const length = scanVarint(bytes, start + 1, end)
    if (length === 0) return 0
    if (length === 5) throw this.headerFault(bytes, start, end, 'remainingLength', start + 4, 'the fourth byte of the Remaining Length asks for a fifth')
    const size = 1 + length + varintValue(bytes, start + 1, length)
    if (size > this.maximumPacketSize) throw this.headerFault(bytes, start, end, 'packetTooLarge', start + 1, `a packet of ${size} bytes, and maximumPacketSize is ${this.maximumPacketSize}`)
    return size
  }

  private headerFault(bytes: Uint8Array, start: number, end: number, rule: RuleName, at: number, found: string): MalformedPacket | ProtocolError {
    const r = this.reader(bytes, start, end)
    checkFirstByte(r, bytes[start]!, this.version)
    return r.fault(rule, at, found)
  }

  private decode(bytes: Uint8Array, start: number, end: number): Packet {
    if (end - start === 2 && this.version !== undefined) {
      const packet = BODILESS[bytes[start]!]
      if (packet !== undefined) return this.whole(packet, bytes, start, end)
    }
    const r = this.reader(bytes, start, end)
    const packet = readPacket(r)
    if (this.version === undefined && packet.type === 'connect') this.version = packet.version
    this.whole(packet, bytes, start, end)
    r.release()
    return packet
  }

  private whole(packet: Packet, bytes: Uint8Array, start: number, end: number): Packet {
    this.source = bytes
    this.frameStart = start
    this.frameEnd = end
    return packet
  }

  private reader(bytes: Uint8Array, start: number, end: number): Reader {
    shared.open(bytes, start, end, this.version, this.reading, this.frameEnd === 0)
    return shared
  }

  private fail(error: MalformedPacket | ProtocolError): void {
    this.failure = error
    // What was being read when it failed is in the reader.
    this.source = shared.bytes
    this.frameStart = shared.start
    this.frameEnd = shared.end
    shared.forgiven = undefined
    shared.release()
    this.chunk = NONE
    this.position = 0
    this.later = undefined
    this.forget()
  }
}

/** The longest fixed header. */
const HEADER = 5
/** Kept at once for a packet that is cut, whatever has come of it; beyond that the buffer doubles as bytes arrive. */
const FIRST_CARRY = 512

/** How much to keep for a packet of `size` (0: not known yet) of which `have` bytes have come. */
function capacity(size: number, have: number): number {
  return size === 0 ? HEADER : Math.min(size, Math.max(FIRST_CARRY, 2 * have))
}

/** Reading a packet never calls out, so one reader serves all streams. */
const shared: Reader = /* @__PURE__ */ new Reader()
