// SPDX-License-Identifier: MIT
// MQTT servers over WebSocket on Node, with a WebSocketServer of the ws package that the caller brings: there is no dependency here.
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server as SecureServer } from 'node:https'
import type { Duplex as NodeStream } from 'node:stream'
import type { TlsOptions } from 'node:tls'
import type { Duplex } from './duplex.ts'
import { TransportError } from './open.ts'
import type { Peer } from './server.ts'
import { listenOn } from './sockets.ts'
import type { Listener, ListenOptions } from './sockets.ts'
import { endFailedHandshakes, HANDSHAKE_TIMEOUT } from './tls.ts'
import { acceptWebSocket, chooseSubprotocol } from './websocket.ts'
import type { AcceptWebSocketOptions, WebSocketLike } from './websocket.ts'

/** What is used of `new WebSocketServer({ noServer: true })` of ws. Give it a `maxPayload`, since ws takes 100 MiB, and a `path` if there is one. */
export interface WebSocketServerLike {
  handleUpgrade(request: IncomingMessage, socket: NodeStream, head: Buffer, callback: (webSocket: WebSocketLike) => void): void
}

/** What `listenWebSocket` is given. */
export interface ListenWebSocketOptions extends ListenOptions, AcceptWebSocketOptions {
  readonly webSocketServer: WebSocketServerLike
  /** options of `https.createServer`: listens for wss: with them */
  readonly tls?: TlsOptions | undefined
}

/** Where a Peer of `listenWebSocket` comes from. */
export interface WebSocketSource {
  readonly webSocket: WebSocketLike
  readonly request: IncomingMessage
}

/**
 * Listens for WebSockets of any path that `webSocketServer` takes, and calls `onPeer` for each before a byte of MQTT is read: set `onConnect` there.
 * Clients that do not offer an MQTT subprotocol are refused with 400, and what is no upgrade with 426.
 */
export async function listenWebSocket(options: ListenWebSocketOptions, onPeer: (peer: Peer, source: WebSocketSource) => void): Promise<Listener> {
  const { webSocketServer, tls } = options
  const server = tls === undefined ? createServer(TIMEOUTS) : secureServer(tls, options)
  server.on('request', (_request, response) => { response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end('MQTT over WebSocket\n') })
  return listenOn(server, options, tls === undefined ? 80 : 443, onPeer, ({ accept, begun }) => {
    server.on('connection', begun)
    server.on('upgrade', (request, socket, head) => {
      const refused = handleUpgrade(webSocketServer, request, socket, head, (duplex, webSocket) => { accept(duplex, { webSocket, request }, request.socket) }, options)
      if (refused !== undefined) options.onRefused?.(refused)
    })
  })
}

/**
 * For the `upgrade` event of an HTTP server of one's own. Answers the subprotocol `mqtt` where it is offered, else `mqttv3.1` [MQTT-6.0.0-4], and
 * hands on the byte stream: to `new Peer(duplex)`, or to a broker. Without either [MQTT-6.0.0-3] the client gets a 400 and the error is returned.
 */
export function handleUpgrade(
  webSocketServer: WebSocketServerLike, request: IncomingMessage, socket: NodeStream, head: Buffer,
  accept: (duplex: Duplex, webSocket: WebSocketLike) => void, options: AcceptWebSocketOptions = {},
): TransportError | undefined {
  const offers = request.headers['sec-websocket-protocol'] ?? ''
  const subprotocol = chooseSubprotocol(offers.split(',').map((name) => name.trim()))
  if (subprotocol === undefined) {
    const error = new TransportError('ERR_SUBPROTOCOL', `a client offered ${offers === '' ? 'no subprotocol' : `the subprotocols ${JSON.stringify(offers)}`}, and not mqtt [MQTT-6.0.0-3]`)
    refuse(socket)
    return error
  }
  // Of several offers ws answers the first, unless its own handleProtocols knows better: leave it the one.
  request.headers['sec-websocket-protocol'] = subprotocol
  webSocketServer.handleUpgrade(request, socket, head, (webSocket) => { accept(acceptWebSocket(webSocket, options), webSocket) })
  return undefined
}

function secureServer(tls: TlsOptions, options: ListenOptions): SecureServer {
  const server = createTlsServer({ handshakeTimeout: HANDSHAKE_TIMEOUT, ...TIMEOUTS, ...tls })
  endFailedHandshakes(server, options)
  return server
}

function refuse(socket: NodeStream): void {
  const body = 'This server speaks MQTT: offer the WebSocket subprotocol mqtt.\n'
  socket.on('error', () => {})
  socket.once('finish', () => { socket.destroy() })
  socket.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
}

/** from the opening of the socket to a complete request; Node looks as often as the last says. All in ms */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 }

export { acceptWebSocket } from './websocket.ts'
export { TransportError } from './open.ts'
