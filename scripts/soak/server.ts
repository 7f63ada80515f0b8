// The server of a soak: accepts everybody, and tells what its memory holds.
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { writeHeapSnapshot } from 'node:v8'
import { listenTcp } from '../../src/transport/tcp.ts'
import { serve } from './child.ts'

export interface Memory { readonly heap: number, readonly buffers: number, readonly rss: number }
export interface Question { readonly type: 'memory' | 'counts' | 'snapshot' }

interface Server { readonly port: number, readonly counts: () => { readonly open: number, readonly causes: { readonly [why: string]: number }, readonly late?: number } }

const KINDS: { readonly [kind: string]: () => Promise<Server> } = {
  async connack() {
    const causes: { [why: string]: number } = {}
    let late = 0
    const limits = process.argv[3] === undefined ? undefined : { connectTimeout: Number(process.argv[3]) }
    const server = await listenTcp({ port: 0, maximumConnections: 100_000, limits }, (peer) => {
      peer.onConnect = () => peer.accept()
      const from = performance.now()
      peer.onClose = ({ why }) => {
        causes[why] = (causes[why] ?? 0) + 1
        if (why === 'connect-timeout') late = Math.max(late, performance.now() - from - limits!.connectTimeout)
      }
    })
    return { port: server.port, counts: () => ({ open: server.peers.size, causes, late }) }
  },
  async aedes() {
    const name = 'aedes'
    const { Aedes } = await import(name) as { Aedes: { createBroker(): Promise<{ handle(socket: Socket): void, connectedClients: number }> } }
    const broker = await Aedes.createBroker()
    const port = await listen((socket) => { broker.handle(socket) })
    return { port, counts: () => ({ open: broker.connectedClients, causes: {} }) }
  },
  /** Nothing but sockets: answers CONNECT and PINGREQ, by heart. What this costs is Node's. */
  async net() {
    let open = 0
    const port = await listen((socket) => {
      open++
      socket.on('data', onData)
      socket.on('error', ignore)
      socket.on('close', () => { open-- })
    })
    return { port, counts: () => ({ open, causes: {} }) }
  },
}

const CONNACK = Uint8Array.of(0x20, 2, 0, 0)
const PINGRESP = Uint8Array.of(0xd0, 0)
function onData(this: Socket, chunk: Buffer): void {
  this.write(chunk[0] === 0x10 ? CONNACK : PINGRESP)
}
function ignore(): void {}

function listen(handle: (socket: Socket) => void): Promise<number> {
  const server = createServer(handle)
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => { resolve((server.address() as AddressInfo).port) }) })
}

async function memory(): Promise<Memory> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc!()
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed, buffers: arrayBuffers, rss }
}

const { port, counts } = await KINDS[process.argv[2]!]!()
serve(({ type }: Question | { readonly type: 'port' }) => {
  if (type === 'port') return port
  if (type === 'snapshot') return writeHeapSnapshot()
  return type === 'memory' ? memory() : counts()
})
