// SPDX-License-Identifier: MIT
// MQTT over TCP and Unix sockets with node:net. `connectTcp` for clients, `listenTcp` for servers; both stay on this machine unless told otherwise.
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import type { Client, ClientOptions } from './client.ts'
import type { Duplex } from './duplex.ts'
import { connectOver } from './open.ts'
import type { OpenOptions } from './open.ts'
import type { Peer } from './server.ts'
import { listenOn, openSocket, placeOf, socketDuplex } from './sockets.ts'
import type { Listener, ListenOptions, Place } from './sockets.ts'

/** Where a TCP or Unix socket is, and how long opening it may take. */
export interface OpenTcpOptions extends OpenOptions, Place {}
/** What `connectTcp` is given. */
export interface ConnectTcpOptions extends ClientOptions, OpenTcpOptions {}
/** What `listenTcp` is given. */
export interface ListenTcpOptions extends ListenOptions {}
/** What `listenTcp` gives. */
export type TcpServer = Listener

/** Opens a socket and connects. Rejects with the socket's error, with ConnectionClosed, UsageError, or the signal's reason. */
export async function connectTcp(options: ConnectTcpOptions = {}): Promise<Client> {
  return connectOver(openTcp(options), options)
}

/** Opens a socket, and no more. Rejects with the socket's error, ERR_OPEN_TIMEOUT, or the signal's reason. */
export async function openTcp(options: OpenTcpOptions = {}): Promise<Duplex> {
  const place = placeOf(options, DEFAULT_PORT)
  return openSocket(place, 'connect', options, {}, () => connect(place))
}

/** Listens, and calls `onPeer` for every connection before a byte of it is read: set `onConnect` there. Resolves when the port is open. */
export async function listenTcp(options: ListenTcpOptions, onPeer: (peer: Peer, socket: Socket) => void): Promise<TcpServer> {
  const server = createServer()
  return listenOn(server, options, DEFAULT_PORT, onPeer, ({ accept }) => {
    server.on('connection', (socket) => { accept(socketDuplex(socket), socket, socket) })
  })
}

const DEFAULT_PORT = 1883

export { Client } from './client.ts'
export { ConnectionClosed } from './driver-options.ts'
export { TransportError } from './open.ts'
export { Peer } from './server.ts'
export { socketDuplex as tcpDuplex } from './sockets.ts'
