// SPDX-License-Identifier: MIT
// What TCP, Unix sockets, TLS and the WebSocket server share: a node:net socket as a Duplex, opening one, and listening. Knows no protocol, and
// nothing of TLS but the name of the event that tells that a socket is open.
import type { AddressInfo, Server, Socket } from 'node:net'
import { UsageError } from '../codec/index.ts'
import type { Duplex } from './duplex.ts'
import { opening, TransportError } from './open.ts'
import type { OpenOptions } from './open.ts'
import { Peer } from './server.ts'
import type { PeerOptions } from './server.ts'

/** Where a socket is: a host and a port, or the path of a Unix socket. */
export interface Place {
  /** default 127.0.0.1 */
  readonly host?: string | undefined
  /** default 1883; over TLS 8883, for a WebSocket server 80, or 443 with TLS */
  readonly port?: number | undefined
  /** of a Unix socket, in place of `host` and `port` */
  readonly path?: string | undefined
}

export interface ListenOptions extends PeerOptions, Place {
  /** default 127.0.0.1: other machines see nothing unless you say so */
  readonly host?: string | undefined
  /** 0 takes a free one; for the default see `Place` */
  readonly port?: number | undefined
  /** of a Unix socket, in place of `host` and `port`. The file goes when the server closes; one that is there already is yours to remove */
  readonly path?: string | undefined
  /** connections at a time; default 10,000. Further ones are closed at once */
  readonly maximumConnections?: number | undefined
  /** called for each connection that came to nothing below MQTT (no TLS, a certificate not accepted, no subprotocol, no file left to open). It is closed */
  readonly onRefused?: ((error: Error) => void) | undefined
}

export interface Listener {
  /** '' for a Unix socket */
  readonly host: string
  /** 0 for a Unix socket */
  readonly port: number
  readonly path: string | undefined
  /** the connections that are open */
  readonly peers: ReadonlySet<Peer>
  /** stops listening, disconnects everybody (5.0: 0x8b Server shutting down) and resolves when all are gone */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** error code → what it means and what to do about it */
export type Hints = { readonly [code: string]: string | undefined }

/** Options for node:net from ours: a path, or a host and a port. */
export function placeOf({ host, port, path }: Place, defaultPort: number): { readonly path: string } | { readonly host: string, readonly port: number } {
  if (path === undefined) return { host: host ?? '127.0.0.1', port: port ?? defaultPort }
  if (host !== undefined || port !== undefined) throw wrongPath('a Unix socket has a path and neither host nor port: give one or the other')
  // Node would cut it short and go on.
  const longest = LONGEST_PATH[process.platform] ?? LONGEST_PATH.others
  if (Buffer.byteLength(path) > longest) throw wrongPath(`the path of a Unix socket may have ${longest} bytes here, and this one has ${Buffer.byteLength(path)}`)
  return { path }
}

function wrongPath(message: string): UsageError {
  return new UsageError(message, { packet: undefined, rule: 'path', path: 'path' })
}

/** A place as people write it. */
export function nameOf({ host = '', port, path }: Place): string {
  return path ?? `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Opens a socket: `open` begins, `event` tells that bytes may pass. Errors have their own code, and a hint where there is one. */
export function openSocket(place: Place, event: 'connect' | 'secureConnect', options: OpenOptions, hints: Hints, open: () => Socket): Promise<Duplex> {
  const where = nameOf(place)
  const explain = (error: Error): Error => explained(error, where, place.path === undefined ? hints : { ...UNIX_HINTS, ...hints })
  return opening(where, options, (opened, fail) => {
    const socket = open()
    socket.once('error', (error) => { fail(explain(error)) })
    // What TLS 1.3 refuses comes once the socket is open; anything else that breaks it then is no matter of opening.
    socket.once(event, () => { opened(socketDuplex(socket, (error) => ((error as Failure).code?.startsWith('ERR_SSL') === true ? explain(error) : error))) })
    return () => { socket.destroy() }
  })
}

/** A socket as a Duplex. Half-open sockets are the driver's business: it closes when the peer has ended. */
export function socketDuplex(socket: Socket, explain: (error: Error) => Error = (error) => error): Duplex {
  const ignore = (): void => {}
  const duplex: Duplex = {
    write: (bytes) => socket.write(bytes),
    close: (abort) => { if (abort === true) socket.destroy(); else socket.end() },
    pause: () => { socket.pause() },
    resume: () => { socket.resume() },
    onData: ignore, onDrain: ignore, onEnd: ignore,
  }
  let failure: Error | undefined
  // Here and not when it is opened: a TLS handshake that the other end gives up has to end at once.
  socket.allowHalfOpen = true
  socket.setNoDelay(true)
  socket.on('data', (chunk: Uint8Array) => { duplex.onData(chunk) })
  socket.on('drain', () => { duplex.onDrain() })
  // What TLS refuses after its handshake, such as a client without a certificate, comes as an error before an end in good order.
  socket.on('end', () => { duplex.onEnd(failure) })
  socket.on('error', (error) => { failure = explain(error) })
  socket.on('close', () => { duplex.onEnd(failure) })
  return duplex
}

/** How an adapter hands on what it has: `accept` makes a Peer of a byte stream; `begun` is told of sockets with a handshake of their own before that. */
export interface Intake<Source> {
  accept(duplex: Duplex, source: Source, socket: Socket): void
  begun(socket: Socket): void
}

/** Listens, and makes a Peer of every byte stream that `attach` hands on. Sockets in the midst of their handshake are dropped when the server closes. */
export function listenOn<Source>(
  server: Server, options: ListenOptions, defaultPort: number, onPeer: (peer: Peer, source: Source) => void, attach: (intake: Intake<Source>) => void,
): Promise<Listener> {
  const { maximumConnections = DEFAULT_MAXIMUM_CONNECTIONS, onRefused } = options
  const place = placeOf(options, defaultPort)
  const peers = new Set<Peer>()
  const early = new Early()
  server.maxConnections = maximumConnections
  attach({
    begun: (socket) => { early.enter(socket) },
    accept(duplex, source, socket) {
      early.leave(socket)
      if (!server.listening) return duplex.close(true)
      const peer = new Peer(duplex, options)
      peers.add(peer)
      void peer.closed.then(() => peers.delete(peer))
      onPeer(peer, source)
    },
  })
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => { server.close(() => { resolve() }) })
    early.drop()
    await Promise.all([closed, ...Array.from(peers, (peer) => peer.disconnect(peer.state.phase === 'connected' ? SERVER_SHUTTING_DOWN : SERVER_UNAVAILABLE))])
  }
  return new Promise((resolve, reject) => {
    server.on('error', (error) => {
      // Once it listens, an error is that of one connection (EMFILE), and no reason to end the process.
      if (server.listening) onRefused?.(error)
      else reject(explained(error, nameOf(place), 'path' in place ? UNIX_HINTS : {}))
    })
    server.listen(place, () => {
      const { address = '', port = 0 } = 'path' in place ? {} : server.address() as AddressInfo
      resolve({ host: address, port, path: options.path, peers, close, [Symbol.asyncDispose]: close })
    })
  })
}

/**
 * The sockets that are no peers yet. A TLSSocket does not tell which socket it was made of, but both have the same remote address and port, which
 * no two connections to a server share. Unix sockets have neither: there the handshake's own timeout has to do.
 */
class Early {
  private readonly sockets: Map<string, Socket> = new Map()

  enter(socket: Socket): void {
    const key = keyOf(socket)
    this.sockets.set(key, socket)
    socket.once('close', () => { if (this.sockets.get(key) === socket) this.sockets.delete(key) })
  }

  leave(socket: Socket): void {
    this.sockets.delete(keyOf(socket))
  }

  drop(): void {
    for (const socket of this.sockets.values()) socket.destroy()
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

type Failure = Error & { readonly code?: string, readonly errors?: readonly Error[] }

/** The error itself where there is nothing to add; otherwise what it means, with its code. */
function explained(error: Failure, where: string, hints: Hints): Error {
  const { code = '', errors } = error
  const hint = hints[code]
  if (hint !== undefined) return new TransportError(code, `${where}: ${hint} (${code})`, error)
  // A name with several addresses, none of which answers: Node's error is an AggregateError without a message.
  if (errors !== undefined) return new TransportError(code, errors.map(({ message }) => message).join('; '), error)
  return error
}

const UNIX_HINTS: Hints = {
  ENOENT: 'there is no such socket file, so nobody listens there',
  ECONNREFUSED: 'the socket file is there, but nobody listens on it any more',
  EADDRINUSE: 'the socket file is there already; if no server is behind it, one has ended without removing it: remove it and try again',
}

/** bytes of sockaddr_un's sun_path, less the zero behind it; a named pipe of Windows has no such bound */
const LONGEST_PATH: { readonly [platform: string]: number, readonly others: number } = { linux: 107, win32: Infinity, others: 103 }

export const DEFAULT_MAXIMUM_CONNECTIONS = 10_000
/** of DISCONNECT; CONNACK has no such code (5.0 §3.2.2.2) */
const SERVER_SHUTTING_DOWN = 0x8b
const SERVER_UNAVAILABLE = 0x88
