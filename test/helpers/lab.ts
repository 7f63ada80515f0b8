// A client and a server's end of its connection, joined in memory and connected.
import type { Publish } from '../../src/codec/index.ts'
import type { CloseCause } from '../../src/fsm/index.ts'
import { Client, Peer } from '../../src/transport/index.ts'
import type { AcceptOptions, ClientOptions, PeerOptions } from '../../src/transport/index.ts'
import { pair, quiet } from './pair.ts'
import type { Pair } from './pair.ts'

export interface Lab { readonly client: Client, readonly peer: Peer, readonly wire: Pair, readonly causes: CloseCause[] }

export async function lab(options: ClientOptions = {}, more: { peer?: PeerOptions, accept?: AcceptOptions, set?: (peer: Peer) => void, piece?: number } = {}): Promise<Lab> {
  const wire = pair(more.piece)
  const causes: CloseCause[] = []
  const peer = new Peer(wire.server, more.peer)
  peer.onConnect = () => peer.accept(more.accept)
  peer.onClose = (cause) => { causes.push(cause) }
  more.set?.(peer)
  const client = await Client.connect(wire.client, { ...options, connect: { clientId: 'kitchen', ...options.connect } })
  return { client, peer, wire, causes }
}

export function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(() => { throw new Error('it did not fail') }, (error: Error) => error)
}

export const text = ({ payload }: Publish): string => new TextDecoder().decode(payload)

/** What a promise comes to, or `hangs` if it does not while everything in memory has its chance. */
export async function outcome<T>(promise: Promise<T>, turns = 200): Promise<T | Error | 'hangs'> {
  let over = false
  const settled = promise.catch((error: Error) => error).finally(() => { over = true })
  for (let i = 0; i < turns && !over; i++) await quiet(1)
  return over ? settled : 'hangs'
}
