// A server in memory that keeps sessions and answers as told, for a client that comes back: each connection is a wire of its own.
import type { Session } from '../../src/fsm/index.ts'
import { Peer, reconnecting } from '../../src/transport/index.ts'
import type { Attempt, ReconnectingClient, ReconnectingOptions } from '../../src/transport/index.ts'
import { pair, quiet } from './pair.ts'
import type { Pair } from './pair.ts'

export class MemoryServer {
  readonly sessions: Map<string, Session> = new Map()
  readonly wires: Pair[] = []
  readonly attempts: Attempt[] = []
  peer: Peer | undefined
  set: (peer: Peer) => void = () => {}
  accept: (peer: Peer) => Promise<void> = (peer) => peer.accept({ session: peer.connect!.cleanStart ? undefined : this.sessions.get(peer.connect!.clientId) })

  readonly open: ReconnectingOptions['open'] = async (attempt: Attempt) => {
    this.attempts.push(attempt)
    const wire = pair()
    this.wires.push(wire)
    const peer = new Peer(wire.server)
    this.peer = peer
    peer.onConnect = () => this.accept(peer)
    peer.onClose = () => { if (peer.session !== undefined) this.sessions.set(peer.clientId, peer.session) }
    this.set(peer)
    return wire.client
  }

  client(options: Partial<ReconnectingOptions> = {}): ReconnectingClient {
    return reconnecting({
      open: this.open, backoff: { base: 1, maximum: 2 }, connect: { clientId: 'kitchen', properties: { sessionExpiryInterval: 3600 } }, ...options,
    })
  }

  cut(): void {
    this.wires.at(-1)!.cut()
  }

  /** Resolves when the client is connected over wire `count`, counted from 1, or a later one. */
  async connected(client: ReconnectingClient, count = 1): Promise<void> {
    while (this.wires.length < count || client.client?.state.phase !== 'connected') await quiet(2)
  }
}
