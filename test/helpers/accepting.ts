// A server on loopback that accepts everybody, and what it is sent.
import type { CloseCause, Packet } from '../../src/index.ts'
import { listenTcp } from '../../src/transport/tcp.ts'
import type { Peer } from '../../src/transport/index.ts'

export interface Accepting {
  readonly port: number
  readonly packets: Packet[]
  readonly causes: CloseCause[]
  /** the first connection has ended */
  readonly over: Promise<void>
  close(): Promise<void>
}

export async function accepting(): Promise<Accepting> {
  const packets: Packet[] = []
  const causes: CloseCause[] = []
  let ended: () => void
  const over = new Promise<void>((resolve) => { ended = resolve })
  const server = await listenTcp({ port: 0 }, (peer: Peer) => {
    peer.onConnect = () => { void peer.accept() }
    peer.onPacket = (packet) => { packets.push(packet) }
    peer.onClose = (cause) => { causes.push(cause); ended() }
  })
  return { port: server.port, packets, causes, over, close: () => server.close() }
}
