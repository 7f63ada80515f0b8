// SPDX-License-Identifier: MIT
// Bytes of a byte stream as a capture file that Wireshark opens: pcapng (draft-ietf-opsawg-pcapng), Ethernet, IPv4 or IPv6, TCP with sequence and
// acknowledgement numbers and checksums. Made up are the MAC addresses and the segments' borders; the rest is as it was logged.
import { addressBytes } from './address.ts'

export interface Endpoint {
  /** IPv4 or IPv6, as text */
  readonly address: string
  readonly port: number
}

/** Something a connection did: bytes that one side sent, or its end. */
export interface Logged {
  readonly from: 'client' | 'server'
  /** ms since 1970, with fractions */
  readonly time: number
  /** absent: this side closes */
  readonly bytes?: Uint8Array | undefined
}

/** Bytes a segment carries at most: what fits an Ethernet frame with IPv6. */
export const SEGMENT = 1440

/** A whole file for one connection: its handshake, its data, and a FIN for each `Logged` without bytes. */
export function writePcapng(client: Endpoint, server: Endpoint, log: readonly Logged[]): Uint8Array {
  const flow = new TcpFlow(client, server)
  return concat([pcapngHeader(), flow.open(log[0]?.time ?? 0), ...log.map(({ from, time, bytes }) => (bytes === undefined ? flow.end(from, time) : flow.data(from, time, bytes)))])
}

/** What a file begins with: a section and one interface, Ethernet, with times in ns. */
export function pcapngHeader(): Uint8Array {
  return concat([
    block(0x0a0d0d0a, [u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff), option(4, new TextEncoder().encode('connack')), option(0)]),
    block(1, [u16(1), u16(0), u32(0), option(9, Uint8Array.of(9)), option(0)]),
  ])
}

/** One TCP connection. Each method gives the blocks to append to the file; several flows may share one. */
export class TcpFlow {
  private readonly ends: { readonly client: End, readonly server: End }

  constructor(client: Endpoint, server: Endpoint) {
    const end = (endpoint: Endpoint, id: number): End => ({ address: addressBytes(endpoint.address), port: endpoint.port, mac: Uint8Array.of(2, 0, 0, 0, 0, id), next: 1000 * id })
    this.ends = { client: end(client, 1), server: end(server, 2) }
    if (this.ends.client.address.length !== this.ends.server.address.length) throw new TypeError(`${client.address} and ${server.address}: an IPv4 and an IPv6 address have no connection`)
  }

  /** SYN, SYN ACK, ACK. */
  open(time: number): Uint8Array {
    return concat([this.segment('client', time, SYN), this.segment('server', time, SYN | ACK), this.segment('client', time, ACK)])
  }

  /** Bytes in as many segments as they need, acknowledged at once. */
  data(from: 'client' | 'server', time: number, bytes: Uint8Array): Uint8Array {
    const blocks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += SEGMENT) blocks.push(this.segment(from, time, ACK | PSH, bytes.subarray(at, at + SEGMENT)))
    if (bytes.length > 0) blocks.push(this.segment(from === 'client' ? 'server' : 'client', time, ACK))
    return concat(blocks)
  }

  /** FIN and its ACK. */
  end(from: 'client' | 'server', time: number): Uint8Array {
    return concat([this.segment(from, time, FIN | ACK), this.segment(from === 'client' ? 'server' : 'client', time, ACK)])
  }

  /** RST: the connection broke. */
  reset(from: 'client' | 'server', time: number): Uint8Array {
    return this.segment(from, time, RST | ACK)
  }

  private segment(from: 'client' | 'server', time: number, flags: number, data: Uint8Array = NONE): Uint8Array {
    const source = this.ends[from]
    const target = this.ends[from === 'client' ? 'server' : 'client']
    const tcp = concat([
      be16(source.port), be16(target.port), be32(source.next), be32((flags & ACK) === 0 ? 0 : target.next),
      Uint8Array.of(0x50, flags), be16(0xffff), be16(0), be16(0), data,
    ])
    const pseudo = concat([source.address, target.address, be32(tcp.length), be32(6)])
    tcp.set(be16(checksum([pseudo, tcp])), 16)
    source.next = (source.next + data.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0
    const four = source.address.length === 4
    const frame = concat([target.mac, source.mac, be16(four ? 0x0800 : 0x86dd), four ? ipv4(source.address, target.address, tcp.length) : ipv6(source.address, target.address, tcp.length), tcp])
    return enhancedPacket(time, frame)
  }
}

interface End {
  readonly address: Uint8Array
  readonly port: number
  readonly mac: Uint8Array
  /** sequence number of its next byte */
  next: number
}

const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const PSH = 0x08
const ACK = 0x10
const NONE = new Uint8Array(0)

function ipv4(source: Uint8Array, target: Uint8Array, length: number): Uint8Array {
  const header = concat([Uint8Array.of(0x45, 0), be16(20 + length), be16(0), be16(0x4000), Uint8Array.of(64, 6), be16(0), source, target])
  header.set(be16(checksum([header])), 10)
  return header
}

function ipv6(source: Uint8Array, target: Uint8Array, length: number): Uint8Array {
  return concat([be32(0x60000000), be16(length), Uint8Array.of(6, 64), source, target])
}

/** The Internet checksum (RFC 1071) over pieces, each but the last of even length. */
function checksum(pieces: readonly Uint8Array[]): number {
  let sum = 0
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i += 2) sum += (piece[i]! << 8) | (piece[i + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

function enhancedPacket(time: number, frame: Uint8Array): Uint8Array {
  // ns since 1970 need 61 bits: whole ms and their fraction apart, or the fraction is lost.
  const whole = Math.floor(time)
  const ns = BigInt(whole) * 1_000_000n + BigInt(Math.round((time - whole) * 1e6))
  return block(6, [u32(0), u32(Number(ns >> 32n)), u32(Number(ns & 0xffffffffn)), u32(frame.length), u32(frame.length), padded(frame)])
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts)
  const size = u32(body.length + 12)
  return concat([u32(type), size, body, size])
}

function option(code: number, value: Uint8Array = NONE): Uint8Array {
  return concat([u16(code), u16(value.length), padded(value)])
}

function padded(bytes: Uint8Array): Uint8Array {
  return concat([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)])
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8)
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24)
}

function be16(value: number): Uint8Array {
  return u16(value).reverse()
}

function be32(value: number): Uint8Array {
  return u32(value).reverse()
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
