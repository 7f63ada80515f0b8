// SPDX-License-Identifier: MIT
// A growing buffer for the body of one Control Packet. Five bytes are left free in front: when the body is done its length is known, and the
// fixed header is put right before it, so no size is ever computed twice. A refused packet leaves nothing behind but scratch.
import { SHORT } from './ascii.ts'
import type { UsageError } from './errors.ts'
import { MAXIMUM_REMAINING_LENGTH } from './protocol.ts'
import type { PacketType, ProtocolVersion } from './protocol.ts'
import { misuse, RULES } from './rules.ts'
import type { RuleName } from './rules.ts'
import { copyBytes } from './slab.ts'
import { topicNameFault } from './topic.ts'
import { encodeText, isEncodable } from './utf8.ts'
import { varintSize, writeVarint } from './varint.ts'

/** The longest fixed header: type and flags, four bytes of Remaining Length. */
const HEADER = 5
/** Where the shortest fixed header begins, of two bytes. */
const SHORTEST = HEADER - 2
/** Scratch kept between packets; what one huge packet needed is given back. */
const KEPT = 65_536
/** Packets that end before this have a view that is kept. */
const VIEWS = 512
/** From this many bytes on `set` with a view at hand is cheaper than a loop: 15 ns, and 1.4 ns a byte. */
const LOOP = 12
/** There are 28 properties. */
const ROWS_AT_MOST = 32
const NONE: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

export class Writer {
  bytes: Uint8Array = new Uint8Array(1024)
  position: number = HEADER
  packet: PacketType | undefined = undefined
  version: ProtocolVersion = 5
  /** where paths in errors begin, and which item and part of a list is being written: made into text only when something is wrong */
  base = ''
  baseItem = -1
  item = -1
  part = -1
  /** bytes that follow the body by reference: the payload of a PUBLISH */
  tail: Uint8Array = NONE
  /** where in the last `topic` written the first + or # stands, or a place before it; -1 where there is none */
  wildcard = -1
  /** the values of the properties being written, by the place of their row in the table; see property.ts */
  readonly held: unknown[] = new Array<unknown>(ROWS_AT_MOST).fill(undefined)
  /** `bytes` from SHORTEST up to each position, made when first asked for: handing one to `set` copies at a price that does not grow */
  private readonly views: (Uint8Array | undefined)[] = new Array<undefined>(VIEWS).fill(undefined)

  open(packet: PacketType, version: ProtocolVersion): void {
    if (this.bytes.length > KEPT) this.replace(new Uint8Array(1024))
    this.position = HEADER
    this.packet = packet
    this.version = version
    if (this.tail.length > 0) this.tail = NONE
  }

  /** Puts the fixed header before the body; returns where the packet begins in `bytes`. */
  close(firstByte: number): number {
    const remainingLength = this.position - HEADER + this.tail.length
    if (remainingLength > MAXIMUM_REMAINING_LENGTH) {
      this.release()
      throw this.misuse('packetTooLarge', '', `${remainingLength} bytes do not fit a Remaining Length of four bytes`)
    }
    if (remainingLength < 0x80) {
      this.bytes[SHORTEST] = firstByte
      this.bytes[SHORTEST + 1] = remainingLength
      return SHORTEST
    }
    const start = HEADER - 1 - varintSize(remainingLength)
    this.bytes[start] = firstByte
    writeVarint(remainingLength, this.bytes, start + 1)
    return start
  }

  /** Puts the packet that begins at `start`, as `close` said, into `target` at `offset`; its tail is not copied. There must be room. Twin: byte by byte. */
  copyTo(target: Uint8Array, offset: number, start: number): void {
    const { bytes, position } = this
    if (position - start <= LOOP) {
      for (let i = start; i < position; i++) target[offset + i - start] = bytes[i]!
      return
    }
    for (let i = start; i < SHORTEST; i++) target[offset + i - start] = bytes[i]!
    target.set(position < VIEWS ? this.views[position] ??= bytes.subarray(SHORTEST, position) : bytes.subarray(SHORTEST, position), offset + SHORTEST - start)
  }

  /** Lets go of the payload, so that a shared writer keeps none alive. */
  release(): void {
    this.tail = NONE
  }

  u8(value: number): void {
    this.reserve(1)
    this.bytes[this.position++] = value
  }

  u16(value: number, path: string): void {
    if (!(value >= 0 && value <= 0xffff && Number.isInteger(value))) throw this.outOfRange(value, path, '0 to 65,535')
    this.reserve(2)
    this.bytes[this.position++] = value >>> 8
    this.bytes[this.position++] = value
  }

  u32(value: number, path: string): void {
    if (!(value >= 0 && value <= 0xffff_ffff && Number.isInteger(value))) throw this.outOfRange(value, path, '0 to 4,294,967,295')
    this.reserve(4)
    this.bytes[this.position++] = value >>> 24
    this.bytes[this.position++] = value >>> 16
    this.bytes[this.position++] = value >>> 8
    this.bytes[this.position++] = value
  }

  varint(value: number, path: string): void {
    if (!(value >= 0 && value <= MAXIMUM_REMAINING_LENGTH && Number.isInteger(value))) throw this.outOfRange(value, path, '0 to 268,435,455')
    this.reserve(4)
    this.position = writeVarint(value, this.bytes, this.position)
  }

  /** A UTF-8 Encoded String behind its two-byte length (5.0 §1.5.4). */
  string(value: string, path: string): void {
    if (typeof value !== 'string' || value.length > SHORT || !this.shortString(value)) this.anyString(value, path)
  }

  /** `string` without the short cut, and apart from it so that the short cut is inlined. */
  private anyString(value: string, path: string): void {
    if (typeof value !== 'string') throw this.wrongType(value, path, 'a string')
    if (value.length > 0xffff) throw this.misuse('stringLength', path, `${value.length} characters`)
    if (!isEncodable(value)) throw this.misuse(value.includes('\0') ? 'nul' : 'utf8', path, value.includes('\0') ? 'U+0000' : 'a lone surrogate')
    this.reserve(2 + 3 * value.length)
    const start = this.position + 2
    const end = encodeText(value, this.bytes, start)
    if (end - start > 0xffff) throw this.misuse('stringLength', path, `${end - start} bytes`)
    this.bytes[start - 2] = (end - start) >>> 8
    this.bytes[start - 1] = end - start
    this.position = end
  }

  /** Writes a short string if it is ASCII without U+0000; otherwise leaves nothing behind. Its slow twin is `anyString`. */
  private shortString(value: string): boolean {
    const { length } = value
    this.reserve(2 + length)
    const { bytes } = this
    const start = this.position + 2
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f || unit === 0) return false
      bytes[start + i] = unit
    }
    bytes[start - 2] = 0
    bytes[start - 1] = length
    this.position = start + length
    return true
  }

  /** A string that should be a Topic Name; `wildcard` then tells where + or # stands in it. Its slow twin is `string` and `topicNameFault`. */
  topic(value: string, path: string): void {
    if (typeof value === 'string' && value.length <= SHORT && this.shortTopic(value)) return
    this.anyString(value, path)
    this.wildcard = topicNameFault(value) === 'topicWildcard' ? 0 : -1
  }

  /** `shortString`, looking for wildcards in the same loop. */
  private shortTopic(value: string): boolean {
    const { length } = value
    this.reserve(2 + length)
    const { bytes } = this
    const start = this.position + 2
    let wildcard = -1
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f || unit === 0) return false
      if ((unit === 0x23 || unit === 0x2b) && wildcard < 0) wildcard = i
      bytes[start + i] = unit
    }
    bytes[start - 2] = 0
    bytes[start - 1] = length
    this.position = start + length
    this.wildcard = wildcard
    return true
  }

  /** Binary Data behind its two-byte length (5.0 §1.5.6); text stands for its UTF-8 bytes. */
  binary(value: Uint8Array | string, path: string): void {
    const bytes = this.asBytes(value, path)
    if (bytes.length > 0xffff) throw this.misuse('stringLength', path, `${bytes.length} bytes`)
    this.reserve(2 + bytes.length)
    this.bytes[this.position] = bytes.length >>> 8
    this.bytes[this.position + 1] = bytes.length
    if (bytes.length > LOOP) this.bytes.set(bytes, this.position + 2)
    else copyBytes(bytes, 0, bytes.length, this.bytes, this.position + 2)
    this.position += 2 + bytes.length
  }

  asBytes(value: Uint8Array | string, path: string): Uint8Array {
    if (typeof value === 'string') return encoder.encode(value)
    if (!(value instanceof Uint8Array)) throw this.wrongType(value, path, 'a Uint8Array or a string')
    return value
  }

  /** Leaves room for a Variable Byte Integer of one byte; `patchVarint` puts the length of what follows there. */
  reserveVarint(): number {
    this.reserve(1)
    return this.position++
  }

  /** Writes the length of everything behind `at`; what takes more than one byte moves up to make room. */
  patchVarint(at: number): void {
    const length = this.position - at - 1
    if (length < 0x80) {
      this.bytes[at] = length
      return
    }
    const size = varintSize(length)
    this.reserve(size - 1)
    this.bytes.copyWithin(at + size, at + 1, this.position)
    this.position += size - 1
    writeVarint(length, this.bytes, at)
  }

  misuse(rule: RuleName, path: string, found: string, statement?: string): UsageError {
    const { base, baseItem, item, part } = this
    const where = `${base}${index(baseItem)}${base === '' || path === '' ? '' : '.'}${path}${index(item)}${index(part)}`
    // A packet that is refused must leave nothing to the next.
    this.base = ''
    this.baseItem = this.item = this.part = -1
    this.held.fill(undefined)
    return misuse(RULES[rule], this, where, found, statement)
  }

  wrongType(value: unknown, path: string, expected: string): UsageError {
    return this.misuse('fieldType', path, `${value === null ? 'null' : typeof value} where ${expected} belongs`)
  }

  private outOfRange(value: unknown, path: string, range: string): UsageError {
    return this.misuse('number', path, `${String(value)} is not an integer from ${range}`)
  }

  private reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.grow(count)
  }

  private grow(count: number): void {
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.position + count))
    larger.set(this.bytes)
    this.replace(larger)
  }

  private replace(bytes: Uint8Array): void {
    this.bytes = bytes
    this.views.fill(undefined)
  }
}

function index(i: number): string {
  return i < 0 ? '' : `[${i}]`
}

const encoder = /* @__PURE__ */ new TextEncoder()
