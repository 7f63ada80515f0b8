// SPDX-License-Identifier: MIT
// Variable Byte Integer (5.0 §1.5.5): seven bits a byte, least significant group first, bit 7 says that another byte follows.

/** The largest value: four bytes. */
export const MAXIMUM_VARINT = 268_435_455

/** How many bytes `value` (0 to 268,435,455) takes: 1 to 4. */
export function varintSize(value: number): 1 | 2 | 3 | 4 {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4
}

/** Writes `value` (0 to 268,435,455) at `offset` in as few bytes as possible [MQTT-1.5.5-1]; returns the offset behind it. */
export function writeVarint(value: number, bytes: Uint8Array, offset: number): number {
  let rest = value
  while (rest > 0x7f) {
    bytes[offset++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[offset++] = rest
  return offset
}

/**
 * Looks for a Variable Byte Integer at bytes[start, end).
 * Returns its size in bytes, 0 when it is cut short by `end`, 5 when its fourth byte asks for a fifth (which is malformed).
 */
export function scanVarint(bytes: Uint8Array, start: number, end: number): 0 | 1 | 2 | 3 | 4 | 5 {
  for (let i = start; i < end; i++) {
    if (bytes[i]! < 0x80) return (i - start + 1) as 1 | 2 | 3 | 4
    if (i - start === 3) return 5
  }
  return 0
}

/** The value of a Variable Byte Integer of `size` (1 to 4) bytes at `start`, as `scanVarint` found it. */
export function varintValue(bytes: Uint8Array, start: number, size: number): number {
  let value = bytes[start]! & 0x7f
  for (let i = 1; i < size; i++) value |= (bytes[start + i]! & 0x7f) << (7 * i)
  return value
}
