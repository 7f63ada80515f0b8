// SPDX-License-Identifier: MIT
// A WebSocket client (RFC 6455) for the command line, in the standard's shape: Node has one from version 22 on, and that one takes no certificates.
import { createHash, randomBytes } from 'node:crypto'
import { request as plainRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { WebSocketEvent, WebSocketLike } from '../transport/websocket.ts'
import { frame } from './probe/websocket.ts'
import { FrameReader, OPCODES } from './proxy/frames.ts'

type Listener = (event: WebSocketEvent) => void

/** What `new WebSocket(url, protocols, options)` of ws is, as far as our transport uses it; options are those of `tls.connect`. */
export class NodeWebSocket implements WebSocketLike {
  binaryType = 'arraybuffer'
  readyState = 0
  protocol = ''
  private readonly listeners: Map<string, Listener[]> = new Map()
  private readonly reader: FrameReader
  private readonly drop: () => void
  private socket: Socket | undefined = undefined
  private code = NO_STATUS

  constructor(url: string, protocols: string[], options: ConnectionOptions = {}) {
    const { protocol, hostname, port, pathname, search } = new URL(url)
    const key = randomBytes(16).toString('base64')
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Protocol': protocols.join(', ') }
    const request = (protocol === 'wss:' ? secureRequest : plainRequest)({ ...options, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? undefined : Number(port), path: `${pathname}${search}`, headers, agent: false })
    this.drop = () => { request.destroy() }
    this.reader = new FrameReader({
      data: (bytes) => { this.emit('message', { data: bytes }) },
      control: (opcode, payload) => { this.control(opcode, payload) },
      fault: (text) => { this.fail(new Error(text)) },
    })
    request.on('error', (error) => { this.fail(error) })
    request.on('response', ({ statusCode }) => { this.fail(new Error(`Unexpected server response: ${statusCode}`)) })
    request.on('upgrade', (response, socket, head) => { this.open(response, socket as Socket, head, key) })
    request.end()
  }

  get bufferedAmount(): number {
    return this.socket?.writableLength ?? 0
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener])
  }

  send(bytes: Uint8Array): void {
    this.socket?.write(frame(OPCODES.binary, bytes))
  }

  close(code: number = NORMAL): void {
    if (this.readyState === 0) return this.terminate()
    if (this.readyState !== 1) return
    this.readyState = 2
    this.socket!.end(frame(OPCODES.close, Uint8Array.of(code >> 8, code & 0xff)))
  }

  terminate(): void {
    this.drop()
    this.socket?.destroy()
  }

  pause(): void {
    this.socket?.pause()
  }

  resume(): void {
    this.socket?.resume()
  }

  private open({ headers }: IncomingMessage, socket: Socket, head: Buffer, key: string): void {
    this.socket = socket
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    if (headers['sec-websocket-accept'] !== accept) return this.fail(new Error('the Sec-WebSocket-Accept of the server is wrong'))
    this.protocol = headers['sec-websocket-protocol'] ?? ''
    this.readyState = 1
    socket.setNoDelay(true)
    socket.on('error', (error) => { this.emit('error', { error }) })
    socket.on('data', (chunk: Uint8Array) => { this.reader.push(chunk) })
    socket.on('close', () => { this.over() })
    this.emit('open', {})
    if (head.length > 0) this.reader.push(head)
  }

  private control(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODES.ping) this.socket!.write(frame(OPCODES.pong, payload))
    if (opcode !== OPCODES.close) return
    this.code = payload.length < 2 ? NO_CODE : (payload[0]! << 8) | payload[1]!
    this.close()
    this.socket!.end()
  }

  private fail(error: Error): void {
    this.emit('error', { error, message: error.message })
    this.terminate()
    this.over()
  }

  private over(): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.emit('close', { code: this.code })
  }

  private emit(type: string, event: WebSocketEvent): void {
    for (const listener of this.listeners.get(type) ?? []) listener(event)
  }
}

const NORMAL = 1000
/** of a close event: the peer's Close had no code; there was no Close */
const NO_CODE = 1005
const NO_STATUS = 1006
