// SPDX-License-Identifier: MIT
// A bounded cursor over the bytes of one Control Packet. Every read checks its bound and says where and why it failed; none can see
// past `end`, and `within` moves `end` closer for a nested length. The names given to each read are for `annotate`, whose reader
// overrides these methods; here they cost nothing.
import { SHORT, shortAscii } from './ascii.ts'
import { nameForeign } from './foreign.ts'
import type { MalformedPacket, ProtocolError } from './errors.ts'
import { STRICT } from './lenient.ts'
import type { Reading } from './lenient.ts'
import type { PacketType, ProtocolVersion } from './protocol.ts'
import { fault, RULES } from './rules.ts'
import type { RuleName } from './rules.ts'
import { topicNameFault } from './topic.ts'
import { decodeText, findFault, lossyText } from './utf8.ts'
import { scanVarint, varintValue } from './varint.ts'

/** The meaning of the bits of a flag byte, most significant first: name and width. */
export type BitNames = readonly (readonly [name: string, width: number])[]

/** What a byte means to a Topic Name: nothing, a wildcard, or (U+0000 and everything beyond ASCII) a closer look. */
const WILDCARD = 1
const TOPIC_BYTES: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0 || byte > 0x7f ? 2 : byte === 0x23 || byte === 0x2b ? WILDCARD : 0))

const NONE: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

export class Reader {
  bytes: Uint8Array = NONE
  /** the packet's first byte; offsets in errors count from here */
  start = 0
  position = 0
  /** nothing at or behind `end` can be read */
  end = 0
  packet: PacketType | undefined = undefined
  version: ProtocolVersion | undefined = undefined
  /** whether binary fields are copied or views of `bytes`, and what is forgiven */
  reading: Reading = STRICT
  /** faults that were forgiven in this packet; told when it has been read, since whoever is told may decode another */
  forgiven: (MalformedPacket | ProtocolError)[] | undefined = undefined
  /** whether the last `topic` read has + or # in it */
  wildcard = false
  /** whether this is the first packet on a connection, where another protocol may be talking */
  opening = false

  open(bytes: Uint8Array, start: number, end: number, version: ProtocolVersion | undefined, reading: Reading, opening: boolean): void {
    this.bytes = bytes
    this.start = start
    this.position = start
    this.end = end
    this.packet = undefined
    this.version = version
    this.reading = reading
    this.opening = opening
    this.forgiven = undefined
  }

  /** Lets go of the input, so that a shared reader keeps no chunk alive, and tells of what was forgiven in it. */
  release(): void {
    this.bytes = NONE
    if (this.forgiven !== undefined) this.tell()
  }

  u8(_name: string): number {
    const at = this.position
    if (at >= this.end) throw this.short(at)
    this.position = at + 1
    return this.bytes[at]!
  }

  /** A byte of flags, its bits named from the most significant one. */
  flags(name: string, _bits: BitNames): number {
    return this.u8(name)
  }

  u16(_name: string): number {
    const at = this.position
    if (at + 2 > this.end) throw this.short(at)
    this.position = at + 2
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  u32(_name: string): number {
    const at = this.position
    if (at + 4 > this.end) throw this.short(at)
    this.position = at + 4
    const { bytes } = this
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  }

  /** A Variable Byte Integer. From 5.0 on it must be minimal [MQTT-1.5.5-1]; the documents before do not say so. */
  varint(_name: string): number {
    const at = this.position
    if (at < this.end && this.bytes[at]! < 0x80) {
      this.position = at + 1
      return this.bytes[at]!
    }
    const size = scanVarint(this.bytes, at, this.end)
    if (size === 0) throw this.short(at)
    if (size === 5) throw this.fault('remainingLength', at + 3, 'the fourth byte asks for a fifth')
    const last = at + size - 1
    if (this.bytes[last] === 0 && this.version === 5) this.object('minimalVarint', last, `${size} bytes where ${size - 1} would do`)
    this.position = at + size
    return varintValue(this.bytes, at, size)
  }

  /** A UTF-8 Encoded String behind its two-byte length (5.0 §1.5.4). */
  string(_name: string): string {
    const start = this.announced()
    const text = decodeText(this.bytes, start, this.position)
    return text ?? this.illFormed(start, this.position)
  }

  /** A string that should be a Topic Name; `wildcard` then tells whether + or # stands in it. Its slow twin is `string` and `topicNameFault`. */
  topic(_name: string): string {
    const start = this.announced()
    const end = this.position
    const { bytes } = this
    if (end - start <= SHORT) {
      let seen = 0
      for (let i = start; i < end; i++) seen |= TOPIC_BYTES[bytes[i]!]!
      if (seen <= WILDCARD) {
        this.wildcard = seen === WILDCARD
        return shortAscii(bytes, start, end - start)
      }
    }
    const text = decodeText(bytes, start, end) ?? this.illFormed(start, end)
    this.wildcard = topicNameFault(text) === 'topicWildcard'
    return text
  }

  /** Binary Data behind its two-byte length (5.0 §1.5.6): a view of the input, or a copy if so opened. */
  binary(_name: string): Uint8Array {
    const start = this.announced()
    return this.slice(start, this.position)
  }

  /** All that is left. */
  rest(_name: string): Uint8Array {
    const start = this.position
    this.position = this.end
    return this.slice(start, this.end)
  }

  /** Throws unless the bytes hold exactly the `remainingLength` that the fixed header announces. */
  delimit(remainingLength: number): void {
    const left = this.end - this.position
    if (remainingLength > left) throw this.fault('wholePacket', this.end, `Remaining Length announces ${remainingLength} bytes and ${left} are there`)
    if (remainingLength < left) throw this.fault('wholePacket', this.position + remainingLength, `${left - remainingLength} bytes behind the packet`)
  }

  /** Moves `end` to `length` bytes from here and returns the end it had; the caller has checked that it fits. */
  within(length: number): number {
    const outer = this.end
    this.end = this.position + length
    return outer
  }

  /** Throws unless everything has been read; where that is forgiven, passes over the rest. */
  finish(rule: RuleName): void {
    if (this.position === this.end) return
    this.object(rule, this.position, `${this.end - this.position} bytes are left over`)
    this.rest('left over')
  }

  /** The error for a rule broken at `at`, an index into `bytes`. */
  fault(rule: RuleName, at: number, found: string, statement?: string): MalformedPacket | ProtocolError {
    const foreign = this.opening ? nameForeign(this.bytes, this.start) : undefined
    const told = foreign === undefined ? found : `${found}: these are the opening bytes of ${foreign}`
    return fault(RULES[rule], this, at - this.start, told, { statement, foreign })
  }

  /** Throws for a rule broken at `at`, unless a quirk that was asked for forgives it: see lenient.ts. The caller goes on as the quirk says. */
  object(rule: RuleName, at: number, found: string): void {
    const error = this.fault(rule, at, found)
    if (!this.reading.forgives.has(rule)) throw error
    if (this.forgiven === undefined) this.forgiven = [error]
    else this.forgiven.push(error)
  }

  private tell(): void {
    const { forgiven, reading: { onQuirk } } = this
    this.forgiven = undefined
    for (const error of forgiven!) onQuirk?.(error)
  }

  private short(at: number): MalformedPacket | ProtocolError {
    return this.fault('fieldFits', at, `a field begins here and ${this.end - at} bytes are left for it`)
  }

  /** Throws for text that is none; where it is forgiven, gives it as native decoders read it. */
  private illFormed(start: number, end: number): string {
    const { at, nul } = findFault(this.bytes, start, end)
    if (nul) this.object('nul', at, 'U+0000 in a string')
    else this.object('utf8', at, `byte 0x${this.bytes[at]!.toString(16)} begins no UTF-8 sequence`)
    return lossyText(this.bytes, start, end)
  }

  private slice(start: number, end: number): Uint8Array {
    const { bytes } = this
    // Always a plain Uint8Array, also where the input is a Buffer.
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)
    return this.reading.copy ? new Uint8Array(view) : view
  }

  /** Takes a two-byte length and moves behind the bytes it announces; returns where they begin. */
  private announced(): number {
    const at = this.position
    const { bytes } = this
    const start = at + 2
    if (start > this.end) throw this.short(at)
    const end = start + ((bytes[at]! << 8) | bytes[at + 1]!)
    if (end > this.end) throw this.fault('fieldFits', at, `${end - start} bytes are announced and ${this.end - start} are left`)
    this.position = end
    return start
  }
}
