// Capture files made in the tests: frames out of our own writer, put into every file format and link layer.
import { writePcapng } from '../../src/cli/capture/pcapng-write.ts'
import type { Endpoint, Logged } from '../../src/cli/capture/pcapng-write.ts'
import { readFrames } from '../../src/cli/capture/read.ts'

export const CLIENT: Endpoint = { address: '10.0.0.1', port: 40_000 }
export const SERVER: Endpoint = { address: '10.0.0.2', port: 1883 }
export const CLIENT6: Endpoint = { address: 'fd00::1', port: 40_000 }
export const SERVER6: Endpoint = { address: 'fd00::2', port: 1883 }
/** 2026-01-01, in ms. */
export const NEW_YEAR = 1_767_225_600_000

export interface Timed {
  readonly time: number
  readonly bytes: Uint8Array
}

/** The Ethernet frames of a connection. */
export function framesOf(client: Endpoint, server: Endpoint, log: readonly Logged[]): Timed[] {
  return readFrames(writePcapng(client, server, log)).frames.map(({ time, bytes }) => ({ time, bytes }))
}

/** Link layers around the IP packet of an Ethernet frame. */
export const LINKS: { readonly [name: string]: { readonly type: number, readonly wrap: (frame: Uint8Array) => Uint8Array } } = {
  Ethernet: { type: 1, wrap: (frame) => frame },
  'Ethernet with two VLAN tags': { type: 1, wrap: (frame) => join(frame.subarray(0, 12), [0x88, 0xa8, 0, 1, 0x81, 0, 0, 2], frame.subarray(12)) },
  'NULL, little-endian': { type: 0, wrap: (frame) => join([isIp6(frame) ? 30 : 2, 0, 0, 0], frame.subarray(14)) },
  LOOP: { type: 108, wrap: (frame) => join([0, 0, 0, isIp6(frame) ? 24 : 2], frame.subarray(14)) },
  RAW: { type: 101, wrap: (frame) => frame.subarray(14) },
  'Linux cooked': { type: 113, wrap: (frame) => join([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], frame.subarray(12)) },
  'Linux cooked 2': { type: 276, wrap: (frame) => join(frame.subarray(12, 14), new Uint8Array(18), frame.subarray(14)) },
}

export interface PcapForm {
  readonly littleEndian: boolean
  readonly nano: boolean
}

export function pcap(frames: readonly Timed[], linkType: number, { littleEndian, nano }: PcapForm): Uint8Array {
  const u32 = (value: number): Uint8Array => word(value, 4, littleEndian)
  const u16 = (value: number): Uint8Array => word(value, 2, littleEndian)
  return join(u32(nano ? 0xa1b23c4d : 0xa1b2c3d4), u16(2), u16(4), u32(0), u32(0), u32(262_144), u32(linkType), ...frames.flatMap(({ time, bytes }) => {
    const seconds = Math.floor(time / 1000)
    return [u32(seconds), u32(Math.round((time - seconds * 1000) * (nano ? 1e6 : 1e3))), u32(bytes.length), u32(bytes.length), bytes]
  }))
}

/** A section with one interface; `simple` leaves the times out, `old` uses the Packet Block of the first drafts. */
export function pcapng(frames: readonly Timed[], linkType: number, littleEndian: boolean, kind: 'enhanced' | 'simple' | 'old' = 'enhanced'): Uint8Array {
  const u32 = (value: number): Uint8Array => word(value, 4, littleEndian)
  const u16 = (value: number): Uint8Array => word(value, 2, littleEndian)
  const block = (type: number, ...parts: (Uint8Array | readonly number[])[]): Uint8Array => {
    const body = join(...parts)
    const padded = join(body, new Uint8Array((4 - (body.length % 4)) % 4))
    return join(u32(type), u32(padded.length + 12), padded, u32(padded.length + 12))
  }
  return join(
    block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)),
    block(1, u16(linkType), u16(0), u32(65_535)),
    ...frames.map(({ time, bytes }) => {
      const ticks = BigInt(Math.round(time * 1000))
      const times = [u32(Number(ticks >> 32n)), u32(Number(ticks & 0xffffffffn))]
      if (kind === 'simple') return block(3, u32(bytes.length), bytes)
      const head = kind === 'enhanced' ? [u32(0)] : [u16(0), u16(0)]
      return block(kind === 'enhanced' ? 6 : 2, ...head, ...times, u32(bytes.length), u32(bytes.length), bytes)
    }),
  )
}

export function join(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))))
}

/** An IP packet of another protocol, a fragment, and so on: the frame with bytes changed. */
export function changed(frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = Uint8Array.from(frame)
  copy.set(bytes, at)
  return copy
}

function isIp6(frame: Uint8Array): boolean {
  return frame[14]! >> 4 === 6
}

function word(value: number, size: number, littleEndian: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256)
  return littleEndian ? bytes : bytes.reverse()
}
