// SPDX-License-Identifier: MIT
// MQTT over TCP with node:net. `connectTcp` for clients, `listenTcp` for servers; both stay on this machine unless told otherwise.
import { connect as open, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Client } from './client.ts'
import type { ClientOptions } from './client.ts'
import type { Duplex } from './duplex.ts'
import { Peer } from './server.ts'
import type { PeerOptions } from './server.ts'

export interface ConnectTcpOptions extends ClientOptions {
  /** default 127.0.0.1 */
  readonly host?: string | undefined
  /** default 1883 */
  readonly port?: number | undefined
  /** how long opening the socket may take, in ms; default 10,000. CONNACK has `limits.connackTimeout` of its own */
  readonly openTimeout?: number | undefined
  /** gives up the attempt, at any point before CONNACK; `connectTcp` then rejects with its reason */
  readonly signal?: AbortSignal | undefined
}

export interface ListenTcpOptions extends PeerOptions {
  /** default 127.0.0.1: other machines see nothing unless you say so */
  readonly host?: string | undefined
  /** default 1883; 0 takes a free one */
  readonly port?: number | undefined
  /** connections at a time; default 10,000. Further ones are closed at once */
  readonly maximumConnections?: number | undefined
}

export interface TcpServer {
  readonly host: string
  readonly port: number
  /** the connections that are open */
  readonly peers: ReadonlySet<Peer>
  /** stops listening, disconnects everybody (5.0: 0x8b Server shutting down) and resolves when all are gone */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens a socket and connects. Rejects with the socket's error, with ConnectionClosed, UsageError, or the signal's reason. */
export async function connectTcp(options: ConnectTcpOptions = {}): Promise<Client> {
  const { host = '127.0.0.1', port = 1883, openTimeout = 10_000, signal, ...rest } = options
  signal?.throwIfAborted()
  const socket = await openSocket(host, port, openTimeout, signal)
  return Client.connect(tcpDuplex(socket), rest, signal)
}

/** Listens, and calls `onPeer` for every connection before a byte of it is read: set `onConnect` there. Resolves when the port is open. */
export function listenTcp(options: ListenTcpOptions, onPeer: (peer: Peer) => void): Promise<TcpServer> {
  const { host = '127.0.0.1', port = 1883, maximumConnections = 10_000, ...rest } = options
  const peers = new Set<Peer>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(tcpDuplex(socket), rest)
    peers.add(peer)
    void peer.closed.then(() => peers.delete(peer))
    onPeer(peer)
  })
  server.maxConnections = maximumConnections
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => { server.close(() => { resolve() }) })
    await Promise.all([closed, ...Array.from(peers, (peer) => peer.disconnect(SERVER_SHUTTING_DOWN))])
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const { address, port: taken } = server.address() as AddressInfo
      server.off('error', reject)
      resolve({ host: address, port: taken, peers, close, [Symbol.asyncDispose]: close })
    })
  })
}

/** A socket as a Duplex. Half-open sockets are the driver's business: it closes when the peer has ended. */
export function tcpDuplex(socket: Socket): Duplex {
  const ignore = (): void => {}
  const duplex: Duplex = {
    write: (bytes) => socket.write(bytes),
    close: (abort) => { if (abort === true) socket.destroy(); else socket.end() },
    pause: () => { socket.pause() },
    resume: () => { socket.resume() },
    onData: ignore, onDrain: ignore, onEnd: ignore,
  }
  let failure: Error | undefined
  socket.setNoDelay(true)
  socket.on('data', (chunk: Uint8Array) => { duplex.onData(chunk) })
  socket.on('drain', () => { duplex.onDrain() })
  socket.on('end', () => { duplex.onEnd() })
  socket.on('error', (error) => { failure = error })
  socket.on('close', () => { duplex.onEnd(failure) })
  return duplex
}

function openSocket(host: string, port: number, timeout: number, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open({ host, port, allowHalfOpen: true })
    const late = setTimeout(() => { give(new Error(`no connection to ${host}:${port} within ${timeout} ms (openTimeout)`)) }, timeout)
    const abort = (): void => { give(signal!.reason) }
    const settle = (): void => {
      clearTimeout(late)
      signal?.removeEventListener('abort', abort)
      socket.off('error', give)
    }
    const give = (reason: unknown): void => {
      settle()
      socket.destroy()
      reject(reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    socket.once('error', give)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}

const SERVER_SHUTTING_DOWN = 0x8b

export { Client } from './client.ts'
export { ConnectionClosed } from './driver-options.ts'
export { Peer } from './server.ts'
