// SPDX-License-Identifier: MIT
// Packets and states as lines of text: the client on the left, the wire in the middle, the server on the right.
import { annotate, toHex } from '../codec/index.ts'
import type { Annotation, ProtocolVersion } from '../codec/index.ts'
import type { TraceRecord } from '../transport/index.ts'

/** Colours, or none: `NO_COLOR` and a pipe get plain text. */
export interface Paint {
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly cyan: (text: string) => string
}

export function paintFor(stream: { readonly isTTY?: boolean }, env: { readonly [name: string]: string | undefined }): Paint {
  const on = stream.isTTY === true && (env['NO_COLOR'] ?? '') === ''
  const style = (code: number) => (text: string) => (on ? `\x1b[${code}m${text}\x1b[0m` : text)
  return { dim: style(2), bold: style(1), red: style(31), green: style(32), cyan: style(36) }
}

/** One row of the ladder: both phases, and what passes between them. */
export function ladder(paint: Paint, left: string, arrow: string, right: string): string {
  return ` ${left.padEnd(SIDE)}${paint.cyan(arrow.padEnd(WIRE))}${right}`
}

export function toRight(name: string): string {
  return `──── ${name} ${'─'.repeat(Math.max(2, 24 - name.length))}▶`
}

export function toLeft(name: string): string {
  return `◀─── ${name} ${'─'.repeat(Math.max(2, 24 - name.length))}─`
}

/** What a step of the machine has written, with the names of the packets. */
export function namedWrites({ effects, written }: TraceRecord): readonly (readonly [name: string, bytes: Uint8Array])[] {
  const names = effects.flatMap((effect) => (effect.type === 'write' ? [effect.packet.type.toUpperCase()] : []))
  return written.map((bytes, i) => [names[i]!, bytes])
}

/** A packet, valid or not, a line for each field: its bytes, its name, what they say. Bits that are set are named below a flag byte. */
export function packetLines(paint: Paint, bytes: Uint8Array, version: ProtocolVersion): string[] {
  return annotate(bytes, version).flatMap((annotation) => fieldLines(paint, bytes, annotation))
}

function fieldLines(paint: Paint, bytes: Uint8Array, { start, end, name, text, bits, error, masked }: Annotation): string[] {
  const rows = chunks(masked === true ? maskedHex(bytes, start, end) : toHex(bytes.subarray(start, end)))
  const label = error === undefined ? `${name}: ${text}` : paint.red(`${name}: offset ${error.offset} breaks ${error.rule}`)
  if (start === end) return [`${' '.repeat(SIDE + 6)}${label}`]
  const lines = rows.map((row, i) => `${' '.repeat(SIDE + 6)}${row.padEnd(BYTES)}${i === 0 ? label : ''}`)
  const set = (bits ?? []).filter(({ value }) => value !== 0).map(({ name: bit, width, value }) => (width === 1 ? bit : `${bit} ${value}`))
  if (name.endsWith('Flags') && set.length > 0) lines.push(`${' '.repeat(SIDE + 6 + BYTES)}  ${paint.dim(set.join(', '))}`)
  return lines
}

/** The length of a secret may be seen, its bytes may not. */
function maskedHex(bytes: Uint8Array, start: number, end: number): string {
  return `${toHex(bytes.subarray(start, start + 2))}${' ••'.repeat(Math.max(0, end - start - 2))}`
}

function chunks(hex: string): string[] {
  const bytes = hex === '' ? [] : hex.split(' ')
  const rows: string[] = []
  for (let i = 0; i < bytes.length; i += 12) rows.push(bytes.slice(i, i + 12).join(' '))
  return rows.length === 0 ? [''] : rows
}

const SIDE = 18
const WIRE = 46
const BYTES = 38
