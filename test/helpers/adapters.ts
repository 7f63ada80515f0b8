// The adapters as adapterTests wants them: where each listens, and how its clients reach it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect as openSocket, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex as NodeStream } from 'node:stream'
import { Peer } from '../../src/transport/index.ts'
import { connectStreams, streamsDuplex } from '../../src/transport/streams.ts'
import type { StreamPair } from '../../src/transport/streams.ts'
import { connectTcp, listenTcp } from '../../src/transport/tcp.ts'
import { connectTls, listenTls } from '../../src/transport/tls.ts'
import { connectWebSocket } from '../../src/transport/websocket.ts'
import type { WebSocketConstructor, WebSocketLike } from '../../src/transport/websocket.ts'
import { listenWebSocket } from '../../src/transport/websocket-server.ts'
import type { WebSocketServerLike } from '../../src/transport/websocket-server.ts'
import type { Adapter, Listening } from './adapter.ts'

export function pem(name: string): Buffer {
  return readFileSync(new URL(`tls/${name}.pem`, import.meta.url))
}

/** What the tests use of ws. */
export interface WsPackage {
  readonly WebSocket: WebSocketConstructor
  readonly WebSocketServer: new (options: object) => WebSocketServerLike & {
    on(event: 'connection', listener: (socket: WebSocketLike & { send(data: unknown): void, _socket: Socket }, request: unknown) => void): void
    address(): AddressInfo
    close(): void
    readonly clients: Set<WebSocketLike>
  }
}

/** The ws package; undefined where `npm run test:peers` has not been run. */
export const ws: WsPackage | undefined = (() => {
  try {
    return createRequire(new URL('../peers/package.json', import.meta.url))('ws') as WsPackage
  } catch {
    return undefined
  }
})()

async function silence(path?: string): Promise<{ readonly port: number, open(): number, close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => { sockets.delete(socket) }).resume()
  })
  await new Promise<void>((resolve) => { if (path === undefined) server.listen(0, '127.0.0.1', resolve); else server.listen(path, resolve) })
  return {
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    open: () => sockets.size,
    close: () => new Promise((resolve) => {
      server.close(() => { resolve() })
      for (const socket of sockets) socket.destroy()
    }),
  }
}

const tcp: Adapter = {
  name: 'TCP',
  opens: false,
  async listen(onPeer) {
    const server = await listenTcp({ port: 0 }, onPeer)
    return { connect: (more) => connectTcp({ ...more, port: server.port }), close: () => server.close() }
  },
  async listenSilently() {
    const { port, ...rest } = await silence()
    return { ...rest, connect: (more) => connectTcp({ ...more, port }) }
  },
}

/** A path for a socket file, gone with its folder when `close` has been called. */
export function socketPath(): { readonly path: string, remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'connack-unix-'))
  return { path: join(folder, 'mqtt.sock'), remove: () => { rmSync(folder, { recursive: true, force: true }) } }
}

const unix: Adapter = {
  name: 'Unix socket',
  opens: false,
  async listen(onPeer) {
    const { path, remove } = socketPath()
    const server = await listenTcp({ path }, onPeer)
    return { connect: (more) => connectTcp({ ...more, path }), close: () => server.close().finally(remove) }
  },
  async listenSilently() {
    const { path, remove } = socketPath()
    const { open, close } = await silence(path)
    return { open, connect: (more) => connectTcp({ ...more, path }), close: () => close().finally(remove) }
  },
}

const tls: Adapter = {
  name: 'TLS',
  opens: true,
  async listen(onPeer) {
    const server = await listenTls({ port: 0, tls: { cert: pem('server'), key: pem('server.key') } }, onPeer)
    return { connect: (more) => connectTls({ ...more, port: server.port, tls: { ca: pem('ca') } }), close: () => server.close() }
  },
  async listenSilently() {
    const { port, ...rest } = await silence()
    return { ...rest, connect: (more) => connectTls({ ...more, port, tls: { ca: pem('ca') } }) }
  },
}

function webSocketAdapter(name: string, scheme: string, settings: object | undefined, socketOptions: object | undefined): Adapter {
  const reach = (port: number): Listening['connect'] => (more) => connectWebSocket({ ...more, url: `${scheme}://127.0.0.1:${port}/mqtt`, WebSocket: ws!.WebSocket, ...(socketOptions === undefined ? {} : { socketOptions }) })
  return {
    name,
    opens: true,
    async listen(onPeer) {
      const webSocketServer = new ws!.WebSocketServer({ noServer: true, path: '/mqtt', maxPayload: 2_097_152 })
      const server = await listenWebSocket({ port: 0, webSocketServer, ...(settings === undefined ? {} : { tls: settings }) }, onPeer)
      return { connect: reach(server.port), close: () => server.close() }
    },
    async listenSilently() {
      const { port, ...rest } = await silence()
      return { ...rest, connect: reach(port) }
    },
  }
}

function pairOf(socket: Socket): StreamPair {
  return NodeStream.toWeb(socket) as unknown as StreamPair
}

const streams: Adapter = {
  name: 'Web Streams',
  opens: false,
  async listen(onPeer) {
    const peers = new Set<Peer>()
    // toWeb tells of the end of a half-open socket only when both sides have ended.
    const server = createServer((socket) => {
      const peer = new Peer(streamsDuplex(pairOf(socket)))
      peers.add(peer)
      onPeer(peer)
    })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    const { port } = server.address() as AddressInfo
    return {
      async connect(more) {
        more?.signal?.throwIfAborted()
        const socket = openSocket({ port, host: '127.0.0.1' })
        await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject) })
        return connectStreams(pairOf(socket), more)
      },
      async close() {
        const closed = new Promise((resolve) => { server.close(resolve) })
        await Promise.all([closed, ...Array.from(peers, (peer) => peer.disconnect(peer.state.phase === 'connected' ? 0x8b : 0x88))])
      },
    }
  },
  async listenSilently() {
    throw new Error('streams are open already')
  },
}

type Name = 'tcp' | 'unix' | 'tls' | 'streams' | 'webSocket' | 'secureWebSocket'

export const ADAPTERS: { readonly [name in Name]: Adapter } = {
  tcp, unix, tls, streams,
  webSocket: webSocketAdapter('WebSocket', 'ws', undefined, undefined),
  secureWebSocket: webSocketAdapter('WebSocket over TLS', 'wss', { cert: pem('server'), key: pem('server.key') }, { ca: pem('ca') }),
}
