// SPDX-License-Identifier: MIT
// A WebSocket client (RFC 6455) as small as diagnosis allows: the upgrade, masked frames out, frames of any cut in, bounded.
import { createHash, randomBytes } from 'node:crypto'
import type { Target } from '../target.ts'
import { hostPort } from '../target.ts'
import { Failure } from './wire.ts'
import type { Link } from './wire.ts'

export interface Upgrade {
  readonly status: number
  readonly statusText: string
  readonly headers: ReadonlyMap<string, string>
  /** the subprotocol the server chose */
  readonly subprotocol: string | undefined
  /** what came behind the header */
  readonly rest: Uint8Array
}

const MAXIMUM_HEADER = 16_384
/** Payload of a frame, and of what is kept unread. */
const MAXIMUM_FRAME = 1_048_576
const NONE = new Uint8Array(0)

/** Asks for the upgrade and gives the answer, whatever its status. Throws Failure for silence, and for what is not HTTP. */
export async function upgrade(link: Link, { host, port }: Target, path: string, ms: number, subprotocol: string = 'mqtt'): Promise<Upgrade> {
  const key = randomBytes(16).toString('base64')
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${hostPort(host, port)}`, 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Protocol: ${subprotocol}`]
  link.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
  const deadline = performance.now() + ms
  let bytes: Uint8Array = NONE
  for (;;) {
    const what = await link.wait(Math.max(0, deadline - performance.now()))
    bytes = Buffer.concat([bytes, link.take()])
    const end = Buffer.from(bytes).indexOf('\r\n\r\n')
    if (end >= 0) return parse(bytes, end, key)
    const opening = Buffer.from(bytes.subarray(0, 5)).toString('latin1')
    if (bytes.length > 0 && !'HTTP/'.startsWith(opening)) throw new Failure('The answer to the WebSocket upgrade is not HTTP.', bytes.subarray(0, 32))
    if (bytes.length > MAXIMUM_HEADER) throw new Failure(`The answer to the WebSocket upgrade has a header of more than ${MAXIMUM_HEADER} bytes.`, bytes.subarray(0, 32))
    if (what === 'end') throw new Failure('The server closed the connection without an answer to the WebSocket upgrade.', bytes.length === 0 ? undefined : bytes)
    if (what === 'late') throw new Failure(`No answer to the WebSocket upgrade within ${ms} ms.`, bytes.length === 0 ? undefined : bytes)
  }
}

function parse(bytes: Uint8Array, end: number, key: string): Upgrade {
  const [first = '', ...lines] = Buffer.from(bytes.subarray(0, end)).toString('latin1').split('\r\n')
  const [, status, statusText = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first) ?? []
  if (status === undefined) throw new Failure(`The answer to the WebSocket upgrade begins with ${JSON.stringify(first.slice(0, 40))}.`, bytes.subarray(0, 32))
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  }))
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  if (status === '101' && headers.get('sec-websocket-accept') !== accept) throw new Failure('The server says 101 and has not understood the upgrade: its Sec-WebSocket-Accept is wrong.')
  return { status: Number(status), statusText, headers, subprotocol: headers.get('sec-websocket-protocol'), rest: new Uint8Array(bytes.subarray(end + 4)) }
}

/** A link through WebSocket frames: writes are binary messages, and what is read is their payload. */
export class WebSocketLink implements Link {
  private readonly below: Link
  private raw: Uint8Array
  private payload: Uint8Array = NONE
  private over: 'closed' | 'reset' | undefined = undefined
  /** whether the message being read is data: a text message is not MQTT's [MQTT-6.0.0-1] */
  private failed: string | undefined = undefined

  constructor(below: Link, rest: Uint8Array) {
    this.below = below
    this.raw = rest
    this.unwrap()
  }

  get ended(): 'closed' | 'reset' | undefined {
    return this.over ?? this.below.ended
  }

  /** why frames are no longer read, if they are not */
  get fault(): string | undefined {
    return this.failed
  }

  write(bytes: Uint8Array): void {
    this.below.write(frame(BINARY, bytes))
  }

  take(): Uint8Array {
    const { payload } = this
    this.payload = NONE
    return payload
  }

  async wait(ms: number): Promise<'data' | 'end' | 'late'> {
    const deadline = performance.now() + ms
    for (;;) {
      if (this.payload.length > 0) return 'data'
      if (this.over !== undefined) return 'end'
      const what = await this.below.wait(Math.max(0, deadline - performance.now()))
      if (what !== 'data') return what
      this.raw = Buffer.concat([this.raw, this.below.take()])
      this.unwrap()
    }
  }

  destroy(): Promise<void> {
    if (this.ended === undefined) this.below.write(frame(CLOSE, Uint8Array.of(0x03, 0xe8)))
    return this.below.destroy()
  }

  /** Takes whole frames off what has come. */
  private unwrap(): void {
    while (this.over === undefined) {
      const { raw } = this
      if (raw.length < 2) return
      const masked = (raw[1]! & 0x80) !== 0
      const short = raw[1]! & 0x7f
      const header = (short === 126 ? 4 : short === 127 ? 10 : 2) + (masked ? 4 : 0)
      if (raw.length < header) return
      const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
      const length = short === 126 ? view.getUint16(2) : short === 127 ? Number(view.getBigUint64(2)) : short
      if (masked || (raw[0]! & 0x70) !== 0 || length > MAXIMUM_FRAME || this.payload.length + length > 2 * MAXIMUM_FRAME) return this.fail(masked ? 'a masked frame from a server' : 'a frame that is too large or of an extension')
      if (raw.length < header + length) return
      this.frame(raw[0]! & 0x0f, raw.subarray(header, header + length))
      this.raw = raw.subarray(header + length)
    }
  }

  private frame(opcode: number, data: Uint8Array): void {
    if (opcode === PING) this.below.write(frame(PONG, data))
    else if (opcode === CLOSE) this.over = 'closed'
    else if (opcode === BINARY || opcode === CONTINUATION) this.payload = Buffer.concat([this.payload, data])
    else if (opcode !== PONG) this.fail(opcode === TEXT ? 'a text message, and MQTT is binary' : `opcode ${opcode}`)
  }

  private fail(why: string): void {
    this.failed = why
    this.over = 'closed'
  }
}

const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

/** One frame of a client: final and masked. */
export function frame(opcode: number, data: Uint8Array): Uint8Array {
  const extended = data.length < 126 ? [] : data.length < 65_536 ? [data.length >> 8, data.length & 0xff] : [0, 0, 0, 0, data.length >>> 24, (data.length >> 16) & 0xff, (data.length >> 8) & 0xff, data.length & 0xff]
  const mask = randomBytes(4)
  const short = data.length < 126 ? data.length : data.length < 65_536 ? 126 : 127
  return Buffer.concat([Uint8Array.of(0x80 | opcode, 0x80 | short, ...extended), mask, data.map((byte, i) => byte ^ mask[i % 4]!)])
}
