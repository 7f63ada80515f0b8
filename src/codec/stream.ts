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

/** How a stream reads, and what it takes at most. */
export interface PacketStreamOptions extends DecodeOptions {
  /** whose rules hold; left out, the first packet must be a CONNECT and its version counts */
  readonly version?: ProtocolVersion | undefined
  /** largest packet taken, in bytes with its fixed header: 2 to 268,435,460; default 1 MiB */
  readonly maximumPacketSize?: number | undefined
}

/** Largest packet a stream takes unless told otherwise. */
export const DEFAULT_MAXIMUM_PACKET_SIZE = 1_048_576

/** Packets out of chunks that are cut anywhere: `push` a chunk, then `next` until it gives undefined. After an error it is dead. */
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
  private later: Later | undefined = undefined
  /** a packet that a chunk's end has cut; for as long as `lastBytes` may be asked also when it is complete */
  private cut: Cut | undefined = undefined
  /** where in `chunk` the packet begins that `next` gave last; below 0: FIRST or ELSEWHERE */
  private frame = FIRST

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
      (this.later ??= { chunks: [], read: 0 }).chunks.push(chunk)
    }
  }

  /** The next packet, or undefined when more bytes are needed. Throws MalformedPacket or ProtocolError, once found again on every call. */
  next(): Packet | undefined {
    if (this.failure !== undefined) throw this.failure
    if (this.cut !== undefined && isWhole(this.cut)) this.cut = undefined
    try {
      for (;;) {
        const packet = this.cut === undefined ? this.take() : this.complete(this.cut)
        if (packet !== undefined) return packet
        if (this.later === undefined) break
        this.chunk = this.later.chunks[this.later.read++]!
        this.position = 0
        if (this.later.read === this.later.chunks.length) this.later = undefined
      }
    } catch (error) {
      this.fail(error as MalformedPacket | ProtocolError)
      throw error
    }
    // Drained: an idle stream keeps no chunk alive.
    this.chunk = NONE
    this.position = 0
    return undefined
  }

  /** The bytes of the packet `next` gave last, or of the one it refused as far as they have come; valid until the next call of `next` or `push`. */
  lastBytes(): Uint8Array {
    const { frame, chunk, cut } = this
    if (frame >= 0) return chunk.subarray(frame, this.position)
    if (cut === undefined || !isWhole(cut)) return NONE
    return cut.bytes.length === 0 && cut.size === 2 ? Uint8Array.of(cut.first, 0) : cut.bytes.subarray(0, cut.size)
  }

  /** How many bytes have come of a packet that is not complete yet. */
  get pending(): number {
    return this.cut === undefined || isWhole(this.cut) ? 0 : this.cut.count
  }

  /** A packet that begins in the chunk: decoded there if it ends there, else carried over. */
  private take(): Packet | undefined {
    const { chunk, position: start } = this
    const have = chunk.length - start
    if (have >= 2) {
      const size = chunk[start + 1]! + 2
      // The short way: a Remaining Length of one byte, and all of it is here.
      if (size < 0x82 && size <= have && size <= this.maximumPacketSize) return this.decodeHere(start, start + size)
    } else if (have === 0) return undefined
    const size = this.measure(chunk, start, chunk.length)
    if (size > 0 && size <= have) return this.decodeHere(start, start + size)
    const bytes = have === 1 ? NONE : carve(capacity(size, have))
    if (have > 1) copyBytes(chunk, start, have, bytes, 0)
    this.cut = { first: chunk[start]!, bytes, count: have, size }
    this.position = chunk.length
    return undefined
  }

  private decodeHere(start: number, end: number): Packet {
    this.position = end
    return this.decode(this.chunk, start, end, start)
  }

  /** A packet whose beginning has come: takes from the chunk what it still lacks, and no byte that may be another's. */
  private complete(cut: Cut): Packet | undefined {
    const { chunk } = this
    while (cut.size === 0) {
      if (this.position === chunk.length) return undefined
      const packet = this.lengthByte(cut, chunk[this.position++]!)
      if (packet !== undefined) return packet
    }
    const { size, count } = cut
    const more = Math.min(size - count, chunk.length - this.position)
    if (count + more > cut.bytes.length) grow(cut, count + more)
    copyBytes(chunk, this.position, more, cut.bytes, count)
    this.position += more
    cut.count = count + more
    if (count + more < size) return undefined
    return this.decode(cut.bytes, 0, size, ELSEWHERE)
  }

  /** One more byte of a Remaining Length; gives the packet if it is one of those that are two bytes. */
  private lengthByte(cut: Cut, byte: number): Packet | undefined {
    const { first } = cut
    if (cut.count === 1) {
      const packet = byte === 0 && this.version !== undefined ? BODILESS[first] : undefined
      if (packet !== undefined) {
        cut.count = cut.size = 2
        this.frame = ELSEWHERE
        return packet
      }
      cut.bytes = carve(byte < 0x80 ? Math.max(capacity(byte + 2, 2), HEADER) : HEADER)
      cut.bytes[0] = first
    }
    cut.bytes[cut.count++] = byte
    cut.size = this.measure(cut.bytes, 0, cut.count)
    return undefined
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

  private decode(bytes: Uint8Array, start: number, end: number, frame: number): Packet {
    if (end - start === 2 && this.version !== undefined) {
      const packet = BODILESS[bytes[start]!]
      if (packet !== undefined) {
        this.frame = frame
        return packet
      }
    }
    const r = this.reader(bytes, start, end)
    const packet = readPacket(r)
    if (this.version === undefined && packet.type === 'connect') this.version = packet.version
    // Before those are told who may ask for the bytes.
    this.frame = frame
    r.release()
    return packet
  }

  private reader(bytes: Uint8Array, start: number, end: number): Reader {
    shared.open(bytes, start, end, this.version, this.reading, this.frame === FIRST)
    return shared
  }

  private fail(error: MalformedPacket | ProtocolError): void {
    this.failure = error
    // What was being read when it failed is in the reader.
    const bytes = shared.bytes.subarray(shared.start, shared.end)
    this.cut = { first: 0, bytes, count: bytes.length, size: bytes.length }
    this.frame = ELSEWHERE
    shared.forgiven = undefined
    shared.release()
    this.chunk = NONE
    this.position = 0
    this.later = undefined
  }
}

/** Values of `frame`: no packet has come yet; the last one is not in the chunk, but in `cut` or gone. */
const FIRST = -1
const ELSEWHERE = -2

/** A packet that a chunk's end has cut; only while there is one. Its first byte alone is kept as a number. */
interface Cut {
  readonly first: number
  /** its beginning, bytes[0, count) */
  bytes: Uint8Array
  count: number
  /** its whole size; 0 while its Remaining Length is not complete */
  size: number
}

function isWhole(cut: Cut): boolean {
  return cut.count === cut.size
}

function grow(cut: Cut, have: number): void {
  const larger = carve(capacity(cut.size, have))
  copyBytes(cut.bytes, 0, cut.count, larger, 0)
  cut.bytes = larger
}

/** Chunks pushed before all was read; only while there are some. */
interface Later {
  readonly chunks: Uint8Array[]
  read: number
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
