// How many connections an address may open in what time is the caller's to say: between `begin` and `end`, the code that the README shows.
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { connectTcp, Peer, tcpDuplex } from '../../src/transport/tcp.ts'
import { failure } from '../helpers/lab.ts'

// begin
/** May this address open another connection now? `burst` at once, and `perSecond` in the long run. An address that has been quiet is forgotten. */
function rateLimit(perSecond: number, burst: number, remembered = 10_000): (address: string, now?: number) => boolean {
  const full = new Map<string, number>()
  return (address, now = performance.now()) => {
    const from = Math.max(full.get(address) ?? 0, now)
    if (from - now > (burst - 1) / perSecond * 1000) return false
    full.delete(address)
    full.set(address, from + 1000 / perSecond)
    // In the order of their last connection: what stands first has been quiet longest.
    for (const [oldest, until] of full) {
      if (until > now && full.size <= remembered) break
      full.delete(oldest)
    }
    return true
  }
}
// end

test('a burst, then so many a second, each address by itself, and a bounded number of them remembered', () => {
  const allow = rateLimit(2, 3, 5)
  assert.equal([1, 2, 3, 4, 5].map(() => allow('a', 1000)), [true, true, true, false, false])
  assert.ok(allow('b', 1000))
  assert.equal([allow('a', 1499), allow('a', 1500), allow('a', 1500)], [false, true, false])
  assert.equal([1, 2, 3, 4].map(() => allow('a', 60_000)), [true, true, true, false])
  for (let i = 0; i < 5; i++) allow(`c${i}`, 60_000)
  assert.ok(allow('a', 60_000), 'forgotten: five others have come since')
})

test('a server refuses the socket before it costs anything more than that', async () => {
  const peers = new Set<Peer>()
  // begin
  const allow = rateLimit(1, 5)
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    if (!allow(socket.remoteAddress ?? '')) return socket.destroy()
    const peer = new Peer(tcpDuplex(socket))
    peer.onConnect = () => peer.accept()
    peers.add(peer)
    void peer.closed.then(() => peers.delete(peer))
    return undefined
  })
  // end
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  const clients = await Promise.all(Array.from({ length: 5 }, () => connectTcp({ port })))
  assert.is((await failure(connectTcp({ port }))).name, 'ConnectionClosed')
  const bare = connect({ port, host: '127.0.0.1' })
  await new Promise((resolve) => { bare.on('error', () => {}).once('close', resolve) })
  for (const client of clients) await client.ping()
  assert.is(peers.size, 5)
  await Promise.all(clients.map((client) => client.disconnect()))
  await new Promise((resolve) => { server.close(resolve) })
  assert.is(peers.size, 0)
})

test.run()
