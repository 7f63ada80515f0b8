// SPDX-License-Identifier: MIT
// Packets as JSON, the form the fixtures have: bytes are { "hex": "…" }, absent fields are left out.

/** A packet as plain JSON data. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: toHex(value) }
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  // Not by assignment: a field may be called __proto__.
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined).map(([name, field]) => [name, toJson(field)]))
}

/** The other way: every object with `hex` alone becomes bytes. */
export function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  if (entries.length === 1 && entries[0]![0] === 'hex') return fromHex(String(entries[0]![1]))
  return Object.fromEntries(entries.map(([name, field]) => [name, fromJson(field)]))
}

/** Bytes as spaced hexadecimal: `20 02 00 00`. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

/** Hexadecimal with or without spaces into bytes; throws a TypeError for anything else. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replace(/\s+/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new TypeError(`not hexadecimal: ${hex.slice(0, 40)}`)
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}
