// SPDX-License-Identifier: MIT
// Packets and states as lines of text: the client on the left, the wire in the middle, the server on the right.
import type { ProtocolVersion } from '../codec/index.ts'
import type { TraceRecord } from '../transport/index.ts'
import { mapPacket } from './bytemap.ts'
import type { Field } from './bytemap.ts'
import { safe } from './io.ts'

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

export interface LineOptions {
  /** what stands before the bytes of each line; given a field's offset for the first of its lines, undefined for the others */
  readonly margin?: ((offset: number | undefined) => string) | undefined
  readonly secrets?: boolean | undefined
}

/** A packet, valid or not, a line for each field: its bytes, its name, what they say. Bits that are set are named below a flag byte. */
export function packetLines(paint: Paint, bytes: Uint8Array, version: ProtocolVersion | undefined, { margin = ladderMargin, secrets }: LineOptions = {}): string[] {
  return mapPacket(bytes, version, { perLine: PER_LINE, secrets }).flatMap((field) => fieldLines(paint, field, margin))
}

function fieldLines(paint: Paint, { start, name, text, bits, error, lines }: Field, margin: (offset: number | undefined) => string): string[] {
  const label = error === undefined ? `${name}: ${safe(text)}` : paint.red(`${name}: offset ${error.offset} breaks ${error.rule}`)
  if (lines.length === 0) return [`${margin(start)}${' '.repeat(BYTES)}${label}`]
  const shown = lines.map((line, i) => {
    const left = margin(i === 0 ? start : undefined)
    if (typeof line === 'number') return `${left}${paint.dim(`… ${line.toLocaleString('en-US')} bytes …`)}`
    const hex = line.map((cell) => (cell.wrong ? paint.red(cell.hex) : cell.hex)).join(' ')
    return `${left}${hex}${i === 0 ? `${' '.repeat(BYTES - (3 * line.length - 1))}${label}` : ''}`
  })
  const set = (bits ?? []).filter(({ value }) => value !== 0).map(({ name: bit, width, value }) => (width === 1 ? bit : `${bit} ${value}`))
  if (name.endsWith('Flags') && set.length > 0) shown.push(`${margin(undefined)}${' '.repeat(BYTES)}  ${paint.dim(set.join(', '))}`)
  return shown
}

function ladderMargin(): string {
  return ' '.repeat(SIDE + 6)
}

const SIDE = 18
const WIRE = 46
const BYTES = 38
const PER_LINE = 12
