// SPDX-License-Identifier: MIT
// A frame into the TCP segment it carries: link layer, IPv4 or IPv6, TCP. Every length is held against what was captured.
import { addressText } from './address.ts'
import type { Endpoint } from './pcapng-write.ts'
import type { Frame } from './read.ts'

export interface Segment {
  readonly time: number
  readonly from: Endpoint
  readonly to: Endpoint
  readonly sequence: number
  readonly syn: boolean
  readonly ack: boolean
  readonly fin: boolean
  readonly rst: boolean
  readonly data: Uint8Array
  /** bytes that were sent and not captured, behind `data` */
  readonly lost: number
}

/** Why a frame gave no segment; `other` is what has nothing to do with TCP. */
export type Unread = 'other' | 'fragment' | 'damaged' | 'link'

/** The segment a frame carries, or why there is none. */
export function segmentOf(frame: Frame): Segment | Unread {
  const link = LINKS[frame.linkType]
  if (link === undefined) return 'link'
  const found = link(frame.bytes, frame.littleEndian)
  return found === undefined ? 'other' : network(frame, frame.bytes.subarray(found))
}

/** The names of the link types that can be read. */
export const LINK_NAMES = 'Ethernet, loopback (NULL, LOOP), raw IP, Linux cooked (SLL, SLL2)'

/** Where the IP header begins, by link type; undefined where the frame holds something else. */
const LINKS: { readonly [linkType: number]: ((bytes: Uint8Array, littleEndian: boolean) => number | undefined) | undefined } = {
  0: (bytes, littleEndian) => (isFamily(bytes, littleEndian) ? 4 : undefined),
  1: (bytes) => etherType(bytes, 12),
  12: () => 0,
  14: () => 0,
  101: () => 0,
  108: (bytes) => (isFamily(bytes, false) ? 4 : undefined),
  113: (bytes) => etherType(bytes, 14),
  228: () => 0,
  229: () => 0,
  276: (bytes) => (ipType(u16(bytes, 0)) ? 20 : undefined),
}

/** AF_INET, and AF_INET6 as the BSDs, macOS, Windows and Linux number it. Files move between machines: either byte order. */
function isFamily(bytes: Uint8Array, littleEndian: boolean): boolean {
  if (bytes.length < 4) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4)
  return [view.getUint32(0, littleEndian), view.getUint32(0, !littleEndian)].some((family) => FAMILIES.has(family))
}

const FAMILIES: ReadonlySet<number> = new Set([2, 10, 23, 24, 28, 30])
const VLANS: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100])

function etherType(bytes: Uint8Array, at: number): number | undefined {
  while (VLANS.has(u16(bytes, at))) at += 4
  return ipType(u16(bytes, at)) ? at + 2 : undefined
}

function ipType(type: number): boolean {
  return type === 0x0800 || type === 0x86dd
}

function network(frame: Frame, bytes: Uint8Array): Segment | Unread {
  const version = (bytes[0] ?? 0) >> 4
  if (version === 4) return ipv4(frame, bytes)
  return version === 6 ? ipv6(frame, bytes) : 'damaged'
}

function ipv4(frame: Frame, bytes: Uint8Array): Segment | Unread {
  const header = (bytes[0]! & 0x0f) * 4
  if (bytes.length < 20 || header < 20) return 'damaged'
  if (bytes[9] !== 6) return 'other'
  if ((u16(bytes, 6) & 0x3fff) !== 0) return 'fragment'
  // A length of 0 is what the network card is left to fill in.
  const total = u16(bytes, 2) === 0 ? bytes.length : u16(bytes, 2)
  return total < header ? 'damaged' : tcp(frame, bytes.subarray(12, 16), bytes.subarray(16, 20), bytes.subarray(header, total), total - header)
}

function ipv6(frame: Frame, bytes: Uint8Array): Segment | Unread {
  if (bytes.length < 40) return 'damaged'
  const total = u16(bytes, 4) === 0 ? bytes.length : 40 + u16(bytes, 4)
  let next = bytes[6]!
  let at = 40
  while (EXTENSIONS.has(next)) {
    if (at + 8 > bytes.length) return 'damaged'
    if (next === FRAGMENT && (u16(bytes, at + 2) & 0xfff9) !== 0) return 'fragment'
    const size = next === FRAGMENT ? 8 : next === AUTHENTICATION ? (bytes[at + 1]! + 2) * 4 : (bytes[at + 1]! + 1) * 8
    next = bytes[at]!
    at += size
  }
  if (next !== 6) return 'other'
  return total < at ? 'damaged' : tcp(frame, bytes.subarray(8, 24), bytes.subarray(24, 40), bytes.subarray(at, total), total - at)
}

const FRAGMENT = 44
const AUTHENTICATION = 51
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, FRAGMENT, AUTHENTICATION, 60, 135])

function tcp(frame: Frame, source: Uint8Array, target: Uint8Array, bytes: Uint8Array, length: number): Segment | Unread {
  const header = ((bytes[12] ?? 0) >> 4) * 4
  if (bytes.length < 20 || header < 20 || header > length) return 'damaged'
  const flags = bytes[13]!
  return {
    time: frame.time,
    from: { address: addressText(source), port: u16(bytes, 0) },
    to: { address: addressText(target), port: u16(bytes, 2) },
    sequence: ((bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8) | bytes[7]!) >>> 0,
    fin: (flags & 0x01) !== 0, syn: (flags & 0x02) !== 0, rst: (flags & 0x04) !== 0, ack: (flags & 0x10) !== 0,
    data: bytes.subarray(header),
    lost: length - Math.max(header, bytes.length),
  }
}

/** Big-endian; what is not there counts as 0. */
function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
