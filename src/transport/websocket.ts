// SPDX-License-Identifier: MIT
// MQTT over WebSocket (5.0 §6) with any object of the standard's shape: the browser's, Deno's, Bun's, Node's from 22 on, that of the ws package.
// A message is just a chunk. The standard's WebSocket has no drain event and cannot stop reading, so this file asks `bufferedAmount` again and
// again, and holds what comes while nobody reads, up to a bound. Nothing of Node in here.
import { UsageError } from '../codec/index.ts'
import type { ProtocolVersion } from '../codec/index.ts'
import type { Client, ClientOptions } from './client.ts'
import type { Duplex } from './duplex.ts'
import { connectOver, opening, TransportError } from './open.ts'
import type { OpenOptions } from './open.ts'
import { systemClock } from './timers.ts'

/** What is used of a WebSocket (WHATWG WebSockets §3.1), and of what some have besides. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  readonly protocol: string
  /** some platforms have none: then nothing is known of unsent bytes */
  readonly bufferedAmount?: number | undefined
  /** takes a Uint8Array; which kind of buffer may be below it is where the types of the platforms differ */
  send(bytes: never): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'message' | 'error' | 'close', listener: (event: WebSocketEvent) => void): void
  /** of ws: ends the connection at once */
  terminate?(): void
  /** of ws: really stops reading */
  pause?(): void
  resume?(): void
}

/** Any event of a WebSocket: each has some of these. */
export interface WebSocketEvent {
  readonly data?: unknown
  readonly code?: number | undefined
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly error?: unknown
}

/** A constructor such as `globalThis.WebSocket`, or that of ws, which takes options besides. */
export type WebSocketConstructor = new (url: string, protocols: string[], options?: never) => WebSocketLike

/** The bound of a WebSocket that cannot be paused. */
export interface AcceptWebSocketOptions {
  /** bytes received and held while the application does not read, where the WebSocket cannot be paused; default 16 MiB. Beyond it the connection is dropped */
  readonly maximumUnread?: number | undefined
}

/** Where a WebSocket is, and by which constructor it is opened. */
export interface OpenWebSocketOptions extends OpenOptions, AcceptWebSocketOptions {
  /** `ws://host:port/path` or `wss://…` */
  readonly url: string
  /** decides the subprotocol: 3 offers `mqttv3.1`, 4 and 5 offer `mqtt`; default 5 */
  readonly version?: ProtocolVersion | undefined
  /** the constructor; default `globalThis.WebSocket`, which Node has from version 22 on. Before that: `import WebSocket from 'ws'` */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** goes to the constructor as its third argument, untouched: for ws, options of `tls.connect` such as `ca`, and `headers` */
  readonly socketOptions?: unknown
}

/** What `connectWebSocket` is given. */
export interface ConnectWebSocketOptions extends ClientOptions, Omit<OpenWebSocketOptions, 'version'> {}

/** Opens a WebSocket and connects. Rejects with TransportError, ConnectionClosed, UsageError, or the signal's reason. */
export async function connectWebSocket(options: ConnectWebSocketOptions): Promise<Client> {
  return connectOver(openWebSocket({ ...options, version: options.connect?.version }), options)
}

/** Opens a WebSocket, and no more. Refuses a server that does not answer with the subprotocol it was offered [MQTT-6.0.0-4]. */
export async function openWebSocket(options: OpenWebSocketOptions): Promise<Duplex> {
  const { version = 5, socketOptions, maximumUnread } = options
  const WebSocket = options.WebSocket ?? (globalThis as { readonly WebSocket?: unknown }).WebSocket as WebSocketConstructor | undefined
  if (WebSocket === undefined) throw new UsageError('there is no WebSocket here (Node has one from version 22 on): give a constructor, such as that of the ws package, as option WebSocket', { packet: undefined, rule: 'WebSocket', path: 'WebSocket' })
  const where = nameOf(options.url)
  const subprotocol = version === 3 ? 'mqttv3.1' : 'mqtt'
  return opening(where, options, (open, fail) => {
    const socket = new WebSocket(options.url, [subprotocol], ...(socketOptions === undefined ? [] : [socketOptions as never]))
    socket.addEventListener('open', () => {
      if (socket.protocol === subprotocol) open(new WebSocketDuplex(socket, maximumUnread))
      else fail(new TransportError('ERR_SUBPROTOCOL', `${where} ${noEcho(subprotocol, socket.protocol)}`))
    })
    socket.addEventListener('error', ({ error, message }) => { fail(handshakeError(where, subprotocol, (error ?? { message }) as Failure)) })
    socket.addEventListener('close', () => { fail(handshakeError(where, subprotocol, {})) })
    return () => { drop(socket) }
  })
}

/**
 * A WebSocket that the server has accepted (of ws, Deno, Bun, Workers …) as a Duplex; give it to `new Peer(duplex)` or to a broker. One without an
 * MQTT subprotocol is closed, and the Duplex ends with ERR_SUBPROTOCOL [MQTT-6.0.0-3]. Set `maxPayload` of ws: it takes 100 MiB by default.
 */
export function acceptWebSocket(socket: WebSocketLike, { maximumUnread }: AcceptWebSocketOptions = {}): Duplex {
  const duplex = new WebSocketDuplex(socket, maximumUnread)
  if (!isSubprotocol(socket.protocol)) queueMicrotask(() => { duplex.fail(PROTOCOL_ERROR, new TransportError('ERR_SUBPROTOCOL', NO_OFFER)) })
  return duplex
}

/** The subprotocol to answer to those that a client offers; undefined when none is of MQTT [MQTT-6.0.0-3, MQTT-6.0.0-4]. */
export function chooseSubprotocol(offers: Iterable<string>): string | undefined {
  const known = new Set(offers)
  return SUBPROTOCOLS.find((name) => known.has(name))
}

/** Calls back from events only, never from within a call of ours. */
class WebSocketDuplex implements Duplex {
  onData: (chunk: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  onEnd: (error?: Error) => void = () => {}
  private readonly socket: WebSocketLike
  private readonly maximumUnread: number
  private reading = true
  /** came while nobody read; held[next, length) is still to be given */
  private held: Uint8Array[] = []
  private next = 0
  private heldSize = 0
  /** what `onEnd` is to be told, behind all data; nothing that comes later counts */
  private ended: { readonly error: Error | undefined, told: boolean } | undefined = undefined
  private failure: Failure = {}
  private asking: unknown = undefined
  /** a write has found no room, and nobody has been told of any since */
  private full = false

  constructor(socket: WebSocketLike, maximumUnread: number = DEFAULT_MAXIMUM_UNREAD) {
    this.socket = socket
    this.maximumUnread = maximumUnread
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }) => { this.receive(data) })
    socket.addEventListener('error', ({ error, message }) => { this.failure = (error ?? { message }) as Failure })
    socket.addEventListener('close', ({ code = NO_HANDSHAKE, reason = '' }) => { this.end(closeError(code, reason, this.failure)) })
  }

  write(bytes: Uint8Array): boolean {
    // To write to what is closing is an error for some and nothing for others; the end is on its way.
    if (this.socket.readyState !== OPEN) return true
    this.socket.send(bytes as never)
    if (this.unsent() <= HIGH_WATER) return true
    this.full = true
    this.ask(1)
    return false
  }

  close(abort?: boolean): void {
    if (abort !== true) return void this.socket.close(NORMAL)
    this.held = []
    drop(this.socket)
    queueMicrotask(() => { this.end(undefined) })
  }

  pause(): void {
    this.reading = false
    this.socket.pause?.()
  }

  resume(): void {
    this.reading = true
    this.socket.resume?.()
    queueMicrotask(() => { this.give() })
  }

  /** Closes the connection for a fault of the peer. */
  fail(code: number, error: Error): void {
    try {
      this.socket.close(code, error.message.slice(0, 100))
    } catch {
      // In a browser a page may close with 1000 or from 3000 on, and with no other code.
      this.socket.close()
    }
    this.end(error)
  }

  private receive(data: unknown): void {
    if (this.ended !== undefined) return
    const bytes = bytesOf(data)
    if (bytes === undefined) return this.fail(UNSUPPORTED_DATA, new TransportError('ERR_NOT_BYTES', 'the peer sent a text frame, and MQTT travels in binary frames only [MQTT-6.0.0-1]'))
    if (this.reading && this.held.length === 0) return this.onData(bytes)
    this.held.push(bytes)
    // A frame costs more than its bytes, and may have none.
    this.heldSize += bytes.length + CHUNK_COST
    if (this.heldSize <= this.maximumUnread) return
    this.held = []
    this.fail(TRY_AGAIN_LATER, new TransportError('ERR_UNREAD', `more than ${this.maximumUnread} bytes came while the application did not read, and this WebSocket cannot be paused (maximumUnread)`))
  }

  private end(error: Error | undefined): void {
    if (this.ended !== undefined) return
    this.ended = { error, told: false }
    systemClock.cancel(this.asking)
    this.give()
  }

  /** Hands on what is held, as long as it is wanted, and then the end. */
  private give(): void {
    while (this.reading && this.next < this.held.length) {
      const bytes = this.held[this.next]!
      this.next++
      this.heldSize -= bytes.length + CHUNK_COST
      this.onData(bytes)
    }
    if (this.next < this.held.length) return
    this.held = []
    this.next = 0
    this.heldSize = 0
    if (this.ended === undefined || this.ended.told) return
    this.ended.told = true
    // After an end in good order a socket may still drain; a WebSocket is closed both ways, so whoever waits for room need not.
    if (this.full && this.ended.error === undefined) this.drained()
    this.onEnd(this.ended.error)
  }

  private unsent(): number {
    return this.socket.bufferedAmount ?? 0
  }

  /** Looks after `ms` whether there is room again, and less and less often while there is not. */
  private ask(ms: number): void {
    systemClock.cancel(this.asking)
    this.asking = systemClock.schedule(() => {
      if (this.socket.readyState === OPEN && this.unsent() > LOW_WATER) return this.ask(Math.min(2 * ms, LONGEST_ASK))
      this.drained()
    }, ms)
  }

  private drained(): void {
    this.full = false
    this.onDrain()
  }
}

/** What ws and Node tell of a failure; browsers tell nothing. */
interface Failure { readonly message?: string | undefined, readonly code?: string | undefined, readonly errors?: readonly Error[] | undefined }

function bytesOf(data: unknown): Uint8Array | undefined {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return undefined
}

function drop(socket: WebSocketLike): void {
  if (socket.terminate === undefined) socket.close()
  else socket.terminate()
}

function handshakeError(where: string, subprotocol: string, { message = '', code, errors }: Failure): TransportError {
  if (/subprotocol/i.test(message)) return new TransportError('ERR_SUBPROTOCOL', `${where} ${noEcho(subprotocol, '')} (${message})`)
  const reason = [message, ...(errors ?? []).map((error) => error.message)].filter(Boolean).join('; ') || 'nothing more is known'
  const hint = /server response|non-101/.test(reason) ? '; is it the path of MQTT? Brokers often want /mqtt or /ws' : ''
  return new TransportError(code ?? 'ERR_WEBSOCKET_HANDSHAKE', `no WebSocket to ${where}: ${reason}${hint}`)
}

function closeError(code: number, reason: string, { message }: Failure): Error | undefined {
  if (CLEAN_CODES.includes(code)) return undefined
  const how = code === NO_HANDSHAKE ? 'the WebSocket ended without a closing handshake' : `the WebSocket was closed with ${code}`
  return new TransportError('ERR_WEBSOCKET_CLOSED', [how, reason, message].filter(Boolean).join(': '))
}

function noEcho(offered: string, answered: string): string {
  return `was offered the subprotocol ${offered} and answered ${answered === '' ? 'none' : JSON.stringify(answered)}: it does not serve MQTT at this path, or not MQTT of this version [MQTT-6.0.0-4]`
}

/** Without the query, which may hold a signature, and without a password. */
function nameOf(url: string): string {
  const { protocol, host, pathname } = URL.canParse(url) ? new URL(url) : { protocol: '', host: '', pathname: '' }
  if (protocol !== 'ws:' && protocol !== 'wss:') throw new UsageError('the url of a WebSocket begins with ws:// or wss://', { packet: undefined, rule: 'url', path: 'url' })
  return `${protocol}//${host}${pathname}`
}

function isSubprotocol(name: string): boolean {
  return SUBPROTOCOLS.includes(name)
}

/** best first */
const SUBPROTOCOLS: readonly string[] = ['mqtt', 'mqttv3.1']
const NO_OFFER = 'the client did not offer the subprotocol mqtt [MQTT-6.0.0-3]'

/** readyState */
const OPEN = 1
/** close codes, RFC 6455 §7.4.1 */
const NORMAL = 1000
const PROTOCOL_ERROR = 1002
const UNSUPPORTED_DATA = 1003
const NO_HANDSHAKE = 1006
const TRY_AGAIN_LATER = 1013
/** normal; going away; no code given */
const CLEAN_CODES: readonly number[] = [1000, 1001, 1005]

/** Bytes held while nobody reads, where a WebSocket cannot be paused. */
export const DEFAULT_MAXIMUM_UNREAD = 16_777_216
/** unsent bytes from which on `write` says that it is enough, and down to which it must sink again */
const HIGH_WATER = 262_144
const LOW_WATER = 65_536
/** in ms */
const LONGEST_ASK = 64
const CHUNK_COST = 256

export { TransportError } from './open.ts'
