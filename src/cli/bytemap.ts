// SPDX-License-Identifier: MIT
// A packet as a picture is drawn of it, whatever it is drawn with: fields, their bytes as cells, what is secret, what is wrong, what is left out.
import { annotate } from '../codec/index.ts'
import type { Annotation, MalformedPacket, ProtocolError, ProtocolVersion } from '../codec/index.ts'
import { safe } from './io.ts'
import type { Piece } from './split.ts'

/** What a field is, which decides its colour. */
export type Kind = 'header' | 'flags' | 'number' | 'text' | 'property' | 'data' | 'secret' | 'unread'

export interface Cell {
  readonly offset: number
  /** two hexadecimal digits, or •• */
  readonly hex: string
  /** the character, where the field is text or data and the byte is one */
  readonly character: string
  /** part of a length in front of the bytes it counts */
  readonly prefix: boolean
  readonly wrong: boolean
}

export interface Field {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly text: string
  readonly kind: Kind
  readonly bits: Annotation['bits']
  readonly error: MalformedPacket | ProtocolError | undefined
  /** lines of cells; of a long field some stand for the rest, and a number is how many bytes were left out there */
  readonly lines: readonly (readonly Cell[] | number)[]
}

export interface MapOptions {
  readonly perLine: number
  /** show secrets */
  readonly secrets?: boolean | undefined
}

/** Lines of cells a field may have before its middle is left out. */
const MOST_LINES = 6
const HEAD_LINES = 3

/** The fields of one packet, valid or not. */
export function mapPacket(bytes: Uint8Array, version: ProtocolVersion | undefined, { perLine, secrets = false }: MapOptions): Field[] {
  let propertiesEnd = 0
  return annotate(bytes, version, { mask: !secrets }).map((annotation) => {
    const { start, end, name, text, bits, error } = annotation
    const kind = start > 0 && start < propertiesEnd || name === 'Property Length' ? 'property' : kindOf(annotation)
    if (name === 'Property Length' && typeof annotation.value === 'number') propertiesEnd = end + annotation.value
    return { start, end, name, text, kind: annotation.masked === true ? 'secret' : kind, bits, error, lines: linesOf(bytes, annotation, perLine) }
  })
}

/** What a packet is called: its type, or what its first byte says. */
export function nameOf({ packet, error, bytes }: Piece): string {
  if (packet !== undefined) return packet.type.toUpperCase()
  if (error?.foreign !== undefined) return `${error.foreign}, not MQTT`
  return error?.packet?.toUpperCase() ?? (bytes.length === 0 ? 'nothing' : 'not MQTT')
}

/** What is wrong with it, on one line. */
export function sentence({ error, cut }: Piece): string {
  const { name, reasonCode, message } = error!
  return cut === true ? `cut short: ${safe(message)}` : `${name} 0x${reasonCode.toString(16)}: ${safe(message)}`
}

/** The hexadecimal of a whole packet with its secrets as dots. */
export function maskedHex(bytes: Uint8Array, version: ProtocolVersion | undefined, secrets: boolean): string {
  if (secrets) return Array.from(bytes, hex).join(' ')
  return annotate(bytes, version).flatMap((annotation) => cellsOf(bytes, annotation, annotation.start, annotation.end)).map((cell) => cell.hex).join(' ')
}

function kindOf({ name, bits, value, text }: Annotation): Kind {
  if (name === 'Packet type and flags' || name === 'Remaining Length') return 'header'
  if (bits !== undefined) return 'flags'
  if (name === 'not read' || text === 'cut short') return 'unread'
  if (typeof value === 'string') return 'text'
  return typeof value === 'number' ? 'number' : 'data'
}

function linesOf(bytes: Uint8Array, annotation: Annotation, perLine: number): (readonly Cell[] | number)[] {
  const { start, end } = annotation
  const count = Math.ceil((end - start) / perLine)
  const lines: (readonly Cell[] | number)[] = []
  let left = 0
  for (let line = 0; line < count; line++) {
    const from = start + line * perLine
    const to = Math.min(end, from + perLine)
    if (count > MOST_LINES && line >= HEAD_LINES && line < count - 1) {
      left += to - from
      continue
    }
    if (left > 0) lines.push(left)
    left = 0
    lines.push(cellsOf(bytes, annotation, from, to))
  }
  return lines
}

function cellsOf(bytes: Uint8Array, annotation: Annotation, from: number, to: number): Cell[] {
  const { start, end, value, masked, error, text } = annotation
  const readWhole = masked === true ? text === '••••' : typeof value === 'string' || (value instanceof Uint8Array && value.length === end - start - 2)
  const readable = typeof value === 'string' || value instanceof Uint8Array
  return Array.from({ length: to - from }, (_, i) => {
    const offset = from + i
    const prefix = readWhole && offset < start + 2
    const byte = bytes[offset]!
    // The length of a secret may be seen, its bytes may not; of what was not read, nothing is known to be a length.
    const hidden = masked === true && !prefix
    return {
      offset, prefix,
      hex: hidden ? '••' : hex(byte),
      character: !hidden && !prefix && readable && byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '',
      wrong: error?.offset === offset,
    }
  })
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
