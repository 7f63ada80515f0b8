// SPDX-License-Identifier: MIT
// WebSocket frames (RFC 6455 §5.2) read as they pass, of either side and cut anywhere: nothing is kept but a header and a control frame.

export interface FrameHandlers {
  /** payload of a binary message, or of one that goes on, as it comes */
  readonly data: (bytes: Uint8Array) => void
  /** a whole control frame */
  readonly control: (opcode: number, payload: Uint8Array) => void
  /** what cannot be MQTT; nothing more is read */
  readonly fault: (text: string) => void
}

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** The longest header: two bytes, eight of length, four of mask. */
const LONGEST = 14

export class FrameReader {
  /** bytes that were not read, behind a fault */
  unread = 0
  private readonly handlers: FrameHandlers
  private header: Uint8Array = new Uint8Array(0)
  private opcode = 0
  private left = 0
  private mask: Uint8Array | undefined = undefined
  private masked = 0
  private control: Uint8Array[] = []
  private failed = false

  constructor(handlers: FrameHandlers) {
    this.handlers = handlers
  }

  push(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.failed) {
        this.unread += rest.length
        return
      }
      rest = this.left > 0 ? this.payload(rest) : this.begin(rest)
    }
  }

  /** Takes as much as belongs to the header. */
  private begin(chunk: Uint8Array): Uint8Array {
    const before = this.header.length
    const header = Buffer.concat([this.header, chunk.subarray(0, LONGEST - before)])
    const size = header.length < 2 ? Infinity : headerSize(header[1]!)
    if (header.length < size) {
      this.header = header
      return NONE
    }
    this.header = NONE
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
    const short = header[1]! & 0x7f
    this.left = short === 126 ? view.getUint16(2) : short === 127 ? Number(view.getBigUint64(2)) : short
    this.mask = (header[1]! & 0x80) === 0 ? undefined : Uint8Array.from(header.subarray(size - 4, size))
    this.masked = 0
    this.opcode = header[0]! & 0x0f
    this.judge(header[0]!)
    if (this.left === 0) this.finish()
    return chunk.subarray(size - before)
  }

  private judge(first: number): void {
    if ((first & 0x40) !== 0) this.fail('the frames are compressed (permessage-deflate), and are passed on unread')
    else if (this.opcode === OPCODES.text) this.fail('a text message, and MQTT travels in binary ones [MQTT-6.0.0-1]')
    else if (this.opcode >= OPCODES.close && this.left > 125) this.fail('a control frame of more than 125 bytes')
  }

  private payload(chunk: Uint8Array): Uint8Array {
    const count = Math.min(this.left, chunk.length)
    const bytes = this.unmasked(chunk.subarray(0, count))
    this.left -= count
    if (this.opcode >= OPCODES.close) this.control.push(bytes)
    else this.handlers.data(bytes)
    if (this.left === 0) this.finish()
    return chunk.subarray(count)
  }

  private finish(): void {
    if (this.opcode < OPCODES.close || this.failed) return
    const payload = Buffer.concat(this.control)
    this.control = []
    this.handlers.control(this.opcode, new Uint8Array(payload))
  }

  private unmasked(bytes: Uint8Array): Uint8Array {
    const { mask } = this
    if (mask === undefined) return bytes
    const plain = Uint8Array.from(bytes, (byte, i) => byte ^ mask[(this.masked + i) % 4]!)
    this.masked += bytes.length
    return plain
  }

  private fail(text: string): void {
    this.failed = true
    this.left = 0
    this.handlers.fault(text)
  }
}

function headerSize(second: number): number {
  const short = second & 0x7f
  return (short === 126 ? 4 : short === 127 ? 10 : 2) + ((second & 0x80) === 0 ? 0 : 4)
}

const NONE = new Uint8Array(0)
