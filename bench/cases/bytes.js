// Bytes for the cases, made once per process by the floor's encoder and checked by size. Contenders get Buffers,
// since that is what a socket hands over; ours treats them as the Uint8Arrays they are.

import { encode } from '../floor.js'
import { packets } from './packets.js'

export function bytesOf(name) {
  const { packet, version, size } = packets[name]
  const bytes = Buffer.from(encode(packet, version))
  if (bytes.length !== size) throw new Error(`${name} is ${bytes.length} bytes, not ${size}`)
  return bytes
}

/** The same packet at several places of one read, so that neither a place nor an object can be remembered. */
export function copiesOf(name, count = 16) {
  const bytes = bytesOf(name)
  const read = Buffer.concat(Array.from({ length: count }, () => bytes))
  return Array.from({ length: count }, (_, i) => read.subarray(i * bytes.length, (i + 1) * bytes.length))
}

/**
 * The named packets over and over, cut into reads: 64 KiB of them, or as much as 2,048 reads hold. Tens of thousands of
 * prepared one-byte Buffers would measure cache misses on objects that a socket makes just in time.
 */
export function streamOf(names, readSize) {
  const round = Buffer.concat(names.map(bytesOf))
  const rounds = Math.max(4, Math.floor(Math.min(65_536, 2048 * readSize) / round.length))
  const all = Buffer.concat(Array.from({ length: rounds }, () => round))
  return { reads: cut(all, readSize), count: rounds * names.length, bytes: all.length }
}

export function cut(bytes, size) {
  const reads = []
  for (let at = 0; at < bytes.length; at += size) reads.push(bytes.subarray(at, at + size))
  return reads
}

/**
 * One PUBLISH of `size` payload bytes in reads of `readSize`. Payload bytes repeat every 64 reads, so 64 prepared
 * chunks serve any size and making chunks costs the contender nothing.
 */
export function bigPublish(size, readSize) {
  const head = Buffer.concat([Buffer.of(0x30), varint(2 + 3 + size), Buffer.from('\0\x03big', 'latin1')])
  const period = 64 * readSize
  const pattern = Buffer.from(Uint8Array.from({ length: period }, (_, i) => (i * 167 + (i >> 8)) & 0xff))
  const total = head.length + size
  const wire = (from, to) => Buffer.from(Uint8Array.from({ length: to - from }, (_, i) =>
    from + i < head.length ? head[from + i] : pattern[(from + i) % period]))
  const ring = Array.from({ length: 64 }, (_, i) => pattern.subarray(i * readSize, (i + 1) * readSize))
  const first = []
  let at = 0
  while (at < head.length) first.push(wire(at, at = Math.min(total, at + readSize)))
  const whole = Math.floor(total / readSize)
  const last = total > at && total % readSize > 0 ? wire(Math.max(at, whole * readSize), total) : undefined

  return {
    total,
    feed(push) {
      for (let i = 0; i < first.length; i++) push(first[i])
      for (let i = first.length; i < whole; i++) push(ring[i & 63])
      if (last !== undefined) push(last)
    },
    /** Every byte is looked at, outside the clock. */
    isPayload(payload) {
      if (payload.length !== size) return false
      for (let i = 0; i < size; i++) if (payload[i] !== pattern[(head.length + i) % period]) return false
      return true
    },
  }
}

function varint(value) {
  const out = []
  for (; value > 0x7f; value >>>= 7) out.push((value & 0x7f) | 0x80)
  return Buffer.of(...out, value)
}
