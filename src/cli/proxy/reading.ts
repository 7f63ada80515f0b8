// SPDX-License-Identifier: MIT
// What passes in one direction, as packets: MQTT as it is, or inside a WebSocket whose upgrade has passed. The two directions of a connection share
// what is known of it: an upgrade is asked for in one, and granted or not in the other.
import type { ProtocolVersion, Sender } from '../../codec/index.ts'
import { Framer } from './framer.ts'
import type { Frame } from './framer.ts'
import { FrameReader, OPCODES } from './frames.ts'

export interface Readers {
  readonly packet: (from: Sender, frame: Frame) => void
  /** something that is no packet and worth a line */
  readonly remark: (from: Sender, text: string) => void
  /** another protocol is spoken */
  readonly foreign: (from: Sender, name: string) => void
}

/** Bytes of a packet that are kept to be read: memory a direction can take. */
export const MAXIMUM_PACKET_SIZE = 1_048_576
const MAXIMUM_HEADER = 16_384

type Mode = 'opening' | 'header' | 'packets' | 'frames' | 'other'

/** Both directions of one connection. */
export class Reading {
  readonly sides: { readonly client: Side, readonly server: Side }

  constructor(readers: Readers) {
    this.sides = { client: new Side('client', readers, this), server: new Side('server', readers, this) }
  }

  push(from: Sender, chunk: Uint8Array): void {
    this.sides[from].push(chunk)
  }

  set version(version: ProtocolVersion) {
    this.sides.client.framer.version = this.sides.server.framer.version = version
  }

  /** A client that asks over HTTP is answered so. */
  http(): void {
    this.sides.server.expect('header')
  }

  /** The Server has not upgraded: what the Client says next is no frame. */
  refused(): void {
    this.sides.client.expect('other')
  }
}

class Side {
  readonly framer: Framer = new Framer(MAXIMUM_PACKET_SIZE)
  private readonly from: Sender
  private readonly readers: Readers
  private readonly both: Reading
  private readonly frames: FrameReader
  private mode: Mode
  private held: Uint8Array = NONE
  private other = 0

  constructor(from: Sender, readers: Readers, both: Reading) {
    this.from = from
    this.readers = readers
    this.both = both
    this.mode = from === 'client' ? 'opening' : 'packets'
    this.frames = new FrameReader({
      data: (bytes) => { this.packets(bytes) },
      control: (opcode, payload) => { if (opcode === OPCODES.close) readers.remark(from, `WebSocket Close${payload.length < 2 ? '' : ` ${(payload[0]! << 8) | payload[1]!}`}`) },
      fault: (text) => { readers.remark(from, `WebSocket: ${text}`) },
    })
  }

  /** bytes nobody could read */
  get unread(): number {
    return this.framer.unread + this.frames.unread + this.other
  }

  push(chunk: Uint8Array): void {
    switch (this.mode) {
      case 'packets': return this.packets(chunk)
      case 'frames': return this.frames.push(chunk)
      case 'other': return void (this.other += chunk.length)
      default: return this.collect(chunk)
    }
  }

  end(): void {
    if (this.held.length > 0) this.packets(this.take())
    this.framer.end((frame) => { this.readers.packet(this.from, frame) })
  }

  expect(mode: 'header' | 'other'): void {
    this.mode = mode
  }

  private packets(chunk: Uint8Array): void {
    this.framer.push(chunk, (frame) => { this.readers.packet(this.from, frame) })
  }

  private take(): Uint8Array {
    const { held } = this
    this.held = NONE
    return held
  }

  /** Looks whether it is HTTP, and takes its header. */
  private collect(chunk: Uint8Array): void {
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    const expected = this.from === 'client' ? 'GET ' : 'HTTP/1.'
    const opening = latin1(bytes.subarray(0, expected.length))
    if (!expected.startsWith(opening)) {
      this.held = NONE
      this.mode = 'packets'
      return this.packets(bytes)
    }
    const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('\r\n\r\n')
    if (end < 0 && bytes.length <= MAXIMUM_HEADER) {
      this.held = Uint8Array.from(bytes)
      return
    }
    this.held = NONE
    if (end >= 0) return this.header(latin1(bytes.subarray(0, end)), bytes.subarray(end + 4))
    this.readers.remark(this.from, `an HTTP header of more than ${MAXIMUM_HEADER} bytes`)
    this.mode = 'other'
    this.other += bytes.length
  }

  private header(text: string, rest: Uint8Array): void {
    const [first = ''] = text.split('\r\n', 1)
    const subprotocol = /^sec-websocket-protocol: *(.*?) *$/im.exec(text)?.[1]
    const upgrade = /^upgrade: *websocket/im.test(text)
    const granted = upgrade && (this.from === 'client' || /^HTTP\/1\.1 101\b/.test(first))
    this.mode = granted ? 'frames' : 'other'
    this.readers.remark(this.from, `${first}${upgrade ? `, WebSocket${subprotocol === undefined ? ' without a subprotocol [MQTT-6.0.0-3]' : `, subprotocol ${subprotocol}`}` : ': HTTP, not MQTT'}`)
    if (!granted) this.readers.foreign(this.from, 'HTTP')
    if (this.from === 'client') this.both.http()
    else if (!granted) this.both.refused()
    this.push(rest)
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

const NONE = new Uint8Array(0)
