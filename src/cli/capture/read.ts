// SPDX-License-Identifier: MIT
// Capture files into frames: pcap (both byte orders, µs and ns) and pcapng (draft-ietf-opsawg-pcapng), whatever the byte order of each section.
// A frame is a view of the file; a length beyond the file ends the reading, with a note.

export interface Frame {
  /** ms since 1970 */
  readonly time: number
  /** as the link-layer header types of tcpdump.org number them */
  readonly linkType: number
  readonly bytes: Uint8Array
  /** the byte order of the file, which is that of some loopback headers */
  readonly littleEndian: boolean
}

export interface Frames {
  readonly frames: readonly Frame[]
  readonly notes: readonly string[]
}

/** Is this the beginning of a capture file? */
export function isCapture(file: Uint8Array): boolean {
  return pcapForm(file) !== undefined || isPcapng(file)
}

/** All frames of a pcap or pcapng file, in file order. */
export function readFrames(file: Uint8Array): Frames {
  return isPcapng(file) ? readPcapng(file) : readPcap(file)
}

const PCAP_MAGICS: { readonly [magic: number]: number | undefined } = { 0xa1b2c3d4: 1e3, 0xa1b23c4d: 1e6 }
const SECTION = 0x0a0d0d0a
const INTERFACE = 1
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6

/** Byte order, and ticks in a ms. */
function pcapForm(file: Uint8Array): { readonly littleEndian: boolean, readonly perMs: number } | undefined {
  if (file.length < 24) return undefined
  const view = viewOf(file)
  for (const littleEndian of [true, false]) {
    const perMs = PCAP_MAGICS[view.getUint32(0, littleEndian)]
    if (perMs !== undefined) return { littleEndian, perMs }
  }
  return undefined
}

function isPcapng(file: Uint8Array): boolean {
  return file.length >= 28 && viewOf(file).getUint32(0) === SECTION && [0x1a2b3c4d, 0x4d3c2b1a].includes(viewOf(file).getUint32(8))
}

function readPcap(file: Uint8Array): Frames {
  const { littleEndian, perMs } = pcapForm(file)!
  const view = viewOf(file)
  // The upper bits say whether there is a frame check sequence.
  const linkType = view.getUint32(20, littleEndian) & 0xffff
  const frames: Frame[] = []
  let at = 24
  while (at + 16 <= file.length) {
    const length = view.getUint32(at + 8, littleEndian)
    if (at + 16 + length > file.length) break
    const time = view.getUint32(at, littleEndian) * 1000 + view.getUint32(at + 4, littleEndian) / perMs
    frames.push({ time, linkType, bytes: file.subarray(at + 16, at + 16 + length), littleEndian })
    at += 16 + length
  }
  return { frames, notes: at === file.length ? [] : [cut(file.length - at)] }
}

interface Interface {
  readonly linkType: number
  readonly snapLength: number
  readonly perMs: number
  /** ms to add to every time */
  readonly offset: number
}

function readPcapng(file: Uint8Array): Frames {
  const view = viewOf(file)
  const frames: Frame[] = []
  const notes: string[] = []
  let interfaces: Interface[] = []
  let littleEndian = true
  let at = 0
  while (at + 12 <= file.length) {
    if (view.getUint32(at) === SECTION) {
      littleEndian = view.getUint32(at + 8, true) === 0x1a2b3c4d
      interfaces = []
    }
    const type = view.getUint32(at, littleEndian)
    const size = view.getUint32(at + 4, littleEndian)
    if (size < 12 || size % 4 !== 0 || at + size > file.length) break
    const body = { view, littleEndian, start: at + 8, end: at + size - 4 }
    if (type === INTERFACE && size >= 20) interfaces.push(readInterface(body))
    const frame = type === ENHANCED_PACKET || type === OBSOLETE_PACKET ? packet(file, body, type, interfaces) : type === SIMPLE_PACKET ? simplePacket(file, body, interfaces) : undefined
    if (frame !== undefined) frames.push(frame)
    at += size
  }
  if (at !== file.length) notes.push(cut(file.length - at))
  return { frames, notes }
}

interface Body {
  readonly view: DataView
  readonly littleEndian: boolean
  readonly start: number
  readonly end: number
}

function readInterface({ view, littleEndian, start, end }: Body): Interface {
  let perMs = 1e3
  let offset = 0
  for (let at = start + 8; at + 4 <= end;) {
    const code = view.getUint16(at, littleEndian)
    const length = view.getUint16(at + 2, littleEndian)
    if (code === 0 || at + 4 + length > end) break
    // if_tsresol: a power of ten, or of two with the upper bit.
    if (code === 9 && length === 1) {
      const resolution = view.getUint8(at + 4)
      perMs = (resolution & 0x80) === 0 ? 10 ** (resolution - 3) : 2 ** (resolution & 0x7f) / 1000
    }
    if (code === 14 && length === 8) offset = Number(view.getBigInt64(at + 4, littleEndian)) * 1000
    at += 4 + length + ((4 - (length % 4)) % 4)
  }
  return { linkType: view.getUint16(start, littleEndian), snapLength: view.getUint32(start + 4, littleEndian), perMs, offset }
}

function packet(file: Uint8Array, { view, littleEndian, start, end }: Body, type: number, interfaces: readonly Interface[]): Frame | undefined {
  if (end - start < 20) return undefined
  const from = interfaces[type === ENHANCED_PACKET ? view.getUint32(start, littleEndian) : view.getUint16(start, littleEndian)]
  const length = view.getUint32(start + 12, littleEndian)
  if (from === undefined || start + 20 + length > end) return undefined
  const ticks = (BigInt(view.getUint32(start + 4, littleEndian)) << 32n) | BigInt(view.getUint32(start + 8, littleEndian))
  return { time: ms(ticks, from.perMs) + from.offset, linkType: from.linkType, bytes: file.subarray(start + 20, start + 20 + length), littleEndian }
}

function simplePacket(file: Uint8Array, { view, littleEndian, start, end }: Body, [from]: readonly Interface[]): Frame | undefined {
  if (from === undefined || end - start < 4) return undefined
  const length = Math.min(view.getUint32(start, littleEndian), end - start - 4, from.snapLength === 0 ? Infinity : from.snapLength)
  return { time: 0, linkType: from.linkType, bytes: file.subarray(start + 4, start + 4 + length), littleEndian }
}

/** Ticks since 1970 as ms: in two parts, since together they are beyond what a number holds exactly. */
function ms(ticks: bigint, perMs: number): number {
  if (perMs < 1) return Number(ticks) / perMs
  const whole = BigInt(Math.round(perMs))
  return Number(ticks / whole) + Number(ticks % whole) / perMs
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function cut(bytes: number): string {
  return `the capture ends inside a record: its last ${bytes} bytes are not read`
}
