// SPDX-License-Identifier: MIT
// Every byte of a packet named, valid or not, by the code that decodes it: a reader that notes down what is asked of it.
import { readPacket } from './decode.ts'
import { MalformedPacket, ProtocolError } from './errors.ts'
import { readingOf } from './lenient.ts'
import type { LenientOptions } from './lenient.ts'
import { propertyTitle } from './property.ts'
import { PACKET_TYPES } from './protocol.ts'
import type { ProtocolVersion } from './protocol.ts'
import { Reader } from './reader.ts'
import type { BitNames } from './reader.ts'
import { reasonName } from './reason.ts'

/** A run of bytes [start, end) with one meaning. The annotations of a packet cover each of its bytes exactly once, in order. */
export interface Annotation {
  readonly start: number
  readonly end: number
  /** the field as the standard calls it */
  readonly name: string
  /** what was read; undefined where nothing could be */
  readonly value?: string | number | Uint8Array | undefined
  /** the value in words, such as `MQTT 3.1.1` or `60 s` */
  readonly text: string
  /** a flag byte taken apart, most significant bit first */
  readonly bits?: readonly { readonly name: string, readonly width: number, readonly value: number }[] | undefined
  /** set on the annotation that holds the first wrong byte */
  readonly error?: MalformedPacket | ProtocolError | undefined
  /** a secret: show neither value nor bytes */
  readonly masked?: boolean | undefined
}

/** How `annotate` reads and what it shows; without options strictly, and secrets are masked. */
export interface AnnotateOptions extends LenientOptions {
  /** mark Password and Authentication Data as masked and leave their values out; default true */
  readonly mask?: boolean | undefined
}

/**
 * Names every byte of one Control Packet. Never throws for what the bytes hold: the first wrong byte is marked with the error that decoding
 * gives. Without `version` the bytes are taken for a CONNECT.
 */
export function annotate(bytes: Uint8Array, version?: ProtocolVersion, options: AnnotateOptions = {}): readonly Annotation[] {
  const r = new Annotator(options.mask !== false)
  r.open(bytes, 0, bytes.length, version, readingOf(options), true)
  let fault: MalformedPacket | ProtocolError | undefined
  try {
    readPacket(r)
  } catch (error) {
    // Anything else is our bug, and not the packet's.
    if (!(error instanceof MalformedPacket || error instanceof ProtocolError)) throw error
    fault = error
  }
  fault = r.wrongSize ?? fault
  if (fault !== undefined) r.mark(fault)
  r.release()
  return r.annotations
}

class Annotator extends Reader {
  readonly annotations: Annotation[] = []
  /** the bytes are fewer or more than the packet: what there is of it is named all the same */
  wrongSize: MalformedPacket | ProtocolError | undefined = undefined
  /** the field being read; between two fields, what stands there instead of one */
  private field: string = UNREAD
  private readonly mask: boolean

  constructor(mask: boolean) {
    super()
    this.mask = mask
  }

  override u8(name: string): number {
    const start = this.begin(name)
    return this.note(start, super.u8(name))
  }

  override flags(name: string, bits: BitNames): number {
    const start = this.begin(name)
    const value = super.u8(name)
    let shift = 8
    const parts = bits.map(([bit, width]) => {
      shift -= width
      return { name: bit, width, value: (value >> shift) & ((1 << width) - 1) }
    })
    this.add({ start, end: this.position, name, value, text: name === 'Packet type and flags' ? firstByteText(value) : bitsText(value), bits: parts })
    return value
  }

  override u16(name: string): number {
    const start = this.begin(name)
    return this.note(start, super.u16(name))
  }

  override u32(name: string): number {
    const start = this.begin(name)
    return this.note(start, super.u32(name))
  }

  override varint(name: string): number {
    const start = this.begin(name)
    return this.note(start, super.varint(name))
  }

  override string(name: string): string {
    const start = this.begin(name)
    return this.note(start, super.string(name))
  }

  override topic(name: string): string {
    const start = this.begin(name)
    return this.note(start, super.topic(name))
  }

  override binary(name: string): Uint8Array {
    const start = this.begin(name)
    return this.note(start, super.binary(name))
  }

  override rest(name: string): Uint8Array {
    const start = this.begin(name)
    return this.note(start, super.rest(name))
  }

  override delimit(remainingLength: number): void {
    try {
      super.delimit(remainingLength)
    } catch (error) {
      this.wrongSize = error as MalformedPacket | ProtocolError
      this.end = Math.min(this.end, this.position + remainingLength)
    }
  }

  /** After an error: marks the field it lies in and accounts for the bytes nobody read. */
  mark(error: MalformedPacket | ProtocolError): void {
    const { annotations, bytes } = this
    const { offset } = error
    const done = annotations.at(-1)?.end ?? 0
    const culprit = annotations.findIndex(({ start, end }) => offset >= start && offset < end)
    if (culprit >= 0) annotations[culprit] = { ...annotations[culprit]!, error }
    // The wrong byte lies in a field that was being read, or right behind all that was.
    else {
      const { field } = this
      const masked = this.hides(field)
      if (offset > done) this.add({ start: done, end: offset, name: field, text: 'cut short', masked })
      if (offset < bytes.length) this.add({ start: offset, end: offset + 1, name: field, text: error.message, error, masked })
    }
    const rest = annotations.at(-1)?.end ?? 0
    if (rest < bytes.length) this.add({ start: rest, end: bytes.length, name: UNREAD, text: 'behind the fault', masked: this.hides(UNREAD) })
    if (!annotations.some((annotation) => annotation.error !== undefined)) this.add({ start: bytes.length, end: bytes.length, name: 'end', text: error.message, error })
  }

  /** Can a secret be in a field of this name? Bytes that were not read hide it where the packet may have one further on. */
  private hides(name: string): true | undefined {
    if (!this.mask) return undefined
    if (SECRETS.has(name)) return true
    if (name !== UNREAD || (this.packet !== 'connect' && this.packet !== 'auth')) return undefined
    const flags = this.annotations.find((annotation) => annotation.name === 'Connect Flags')?.value
    return this.packet === 'auth' || flags === undefined || ((flags as number) & 0x40) !== 0 ? true : undefined
  }

  private begin(name: string): number {
    this.field = name
    return this.position
  }

  private note<T extends string | number | Uint8Array>(start: number, value: T): T {
    const { field: name } = this
    // An empty payload has no bytes to name.
    if (this.position === start) return value
    if (this.hides(name) === true) {
      this.add({ start, end: this.position, name, text: '••••', masked: true })
    } else {
      this.add({ start, end: this.position, name, value, text: this.textOf(name, value) })
    }
    return value
  }

  private add(annotation: Annotation): void {
    this.annotations.push(annotation)
    this.field = UNREAD
  }

  private textOf(name: string, value: string | number | Uint8Array): string {
    if (typeof value === 'string') return JSON.stringify(value)
    if (typeof value !== 'number') return `${value.length} bytes`
    if (name === 'Property Identifier') return `${value} (${propertyTitle(value) ?? 'no property'})`
    if (name === 'Protocol Version') return VERSION_NAMES[value] ?? String(value)
    if (name === 'Reason Code' || name === 'Return code') return reasonName(this.packet!, value, this.version) ?? 'unknown'
    if (name === 'Remaining Length') return `${value} bytes follow`
    return SECONDS.test(name) ? `${value} s` : String(value)
  }
}

const UNREAD = 'not read'
const SECRETS: ReadonlySet<string> = /* @__PURE__ */ new Set(['Password', 'Authentication Data'])
const SECONDS = /Keep Alive|Interval/
const VERSION_NAMES: { readonly [level: number]: string } = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5.0' }

function firstByteText(value: number): string {
  return `${PACKET_TYPES[value >> 4]?.toUpperCase() ?? 'no packet'}, flags ${(value & 0x0f).toString(2).padStart(4, '0')}`
}

function bitsText(value: number): string {
  return `0b${value.toString(2).padStart(8, '0')}`
}
