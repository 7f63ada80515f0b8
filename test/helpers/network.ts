// Both ends of a connection on loopback, and what happened at them.
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Packet } from '../../src/codec/index.ts'
import type { CloseCause } from '../../src/fsm/index.ts'
import type { Peer } from '../../src/transport/index.ts'

/** What the server's end has seen. */
export interface Record { readonly peers: Peer[], readonly causes: CloseCause[], readonly packets: Packet[] }

export function newRecord(): Record {
  return { peers: [], causes: [], packets: [] }
}

/** A server application that writes down everything and, unless told otherwise, accepts everybody. */
export function recording({ peers, causes, packets }: Record, onConnect: (peer: Peer) => void | Promise<void> = (peer) => peer.accept()): (peer: Peer) => void {
  return (peer) => {
    peers.push(peer)
    peer.onConnect = () => onConnect(peer)
    peer.onPacket = (packet) => { packets.push(packet) }
    peer.onClose = (cause) => { causes.push(cause) }
  }
}

export function failure(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  return promise.then(() => { throw new Error('it did not fail') }, (error: Error) => error)
}

/** A server of raw bytes: answers the first chunk, and that is all. */
export async function rawServer(answer: (socket: Socket) => void, path?: string): Promise<{ readonly port: number, readonly close: () => void }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => { answer(socket) })
  })
  await new Promise<void>((resolve) => { if (path === undefined) server.listen(0, '127.0.0.1', resolve); else server.listen(path, resolve) })
  return { port: path === undefined ? (server.address() as AddressInfo).port : 0, close: () => { server.close(); for (const socket of sockets) socket.destroy() } }
}

/** Waits until something holds, for two seconds at the most. */
export async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !what(); i++) await new Promise((resolve) => { setTimeout(resolve, 10) })
  if (!what()) throw new Error(`this did not come true within two seconds: ${what.toString()}`)
}
