// SPDX-License-Identifier: MIT
// UTF-8 Encoded Strings (5.0 §1.5.4): ill-formed sequences, surrogates and U+0000 are refused both ways, U+FEFF is kept.
// Which native helper does the work is chosen at load, by looking for it and not by importing `node:`; results are the same.
import { SHORT, shortAscii } from './ascii.ts'

/** The text in bytes[start, end), or undefined where it is ill-formed or holds U+0000: `findFault` then says where. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= SHORT) {
    let i = start
    while (i < end && bytes[i]! > 0 && bytes[i]! < 0x80) i++
    if (i === end) return shortAscii(bytes, start, end - start)
  }
  const text = native.slice(bytes, start, end)
  // Native decoders replace what is ill-formed by U+FFFD. It may also stand in the bytes, rightly; then only a close look tells.
  if (text.includes('\0') || (text.includes('\ufffd') && findFault(bytes, start, end).at < end)) return undefined
  return text
}

/** The text in bytes[start, end) with U+FFFD for what is ill-formed: for those who have asked for it. */
export function lossyText(bytes: Uint8Array, start: number, end: number): string {
  return native.slice(bytes, start, end)
}

/**
 * Where bytes[start, end) stops being a UTF-8 Encoded String: the first byte of the first ill-formed sequence or the U+0000;
 * `at` is `end` when all is well. Unicode 15 Table 3-7 by hand: slow, obvious, and only run when something is wrong.
 */
export function findFault(bytes: Uint8Array, start: number, end: number): { readonly at: number, readonly nul: boolean } {
  let i = start
  while (i < end) {
    const lead = bytes[i]!
    if (lead === 0) return { at: i, nul: true }
    if (lead < 0x80) { i += 1; continue }
    const length = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
    if (length === 0 || i + length > end) return { at: i, nul: false }
    // The second byte is narrower after four lead bytes: no overlong forms (e0, f0), no surrogates (ed), nothing above U+10FFFF (f4).
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    const second = bytes[i + 1]!
    if (second < low || second > high) return { at: i, nul: false }
    for (let k = 2; k < length; k++) {
      if ((bytes[i + k]! & 0xc0) !== 0x80) return { at: i, nul: false }
    }
    i += length
  }
  return { at: end, nul: false }
}

/** Can this text be a UTF-8 Encoded String? Not with U+0000 or a lone surrogate. */
export function isEncodable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/**
 * Writes `text` at `offset` and returns the offset behind it. Room for three bytes a character must be there, and `isEncodable` hold.
 */
export function encodeText(text: string, bytes: Uint8Array, offset: number): number {
  const length = text.length
  if (length <= SHORT) {
    let i = 0
    for (; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      bytes[offset + i] = unit
    }
    if (i === length) return offset + length
  }
  return offset + native.write(bytes, text, offset)
}

interface Native {
  readonly slice: (bytes: Uint8Array, start: number, end: number) => string
  readonly write: (bytes: Uint8Array, text: string, offset: number) => number
}

interface BufferPrototype {
  readonly utf8Slice?: (this: Uint8Array, start: number, end: number) => string
  readonly utf8Write?: (this: Uint8Array, text: string, offset: number) => number
}

/** Node's own methods, which take any Uint8Array; half the price of TextDecoder, and no view has to be made. */
export function nativeFromBuffer(prototype: BufferPrototype | undefined): Native | undefined {
  const { utf8Slice, utf8Write } = prototype ?? {}
  if (utf8Slice === undefined || utf8Write === undefined) return undefined
  return {
    slice: (bytes, start, end) => utf8Slice.call(bytes, start, end),
    write: (bytes, text, offset) => utf8Write.call(bytes, text, offset),
  }
}

/** What every runtime has. */
export function nativeFromStandard(): Native {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const encoder = new TextEncoder()
  return {
    slice: (bytes, start, end) => decoder.decode(bytes.subarray(start, end)),
    write: (bytes, text, offset) => encoder.encodeInto(text, bytes.subarray(offset)).written,
  }
}

const native: Native = /* @__PURE__ */ nativeFromBuffer((globalThis as { Buffer?: { prototype: BufferPrototype } }).Buffer?.prototype) ?? /* @__PURE__ */ nativeFromStandard()
