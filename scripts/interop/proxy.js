// A TCP proxy that loses what passes, and cuts: how a Network Connection breaks at the moment one wants.
import { connect, createServer } from 'node:net'
import { onEnd } from './processes.js'

/** `swallow('toClient' | 'toServer')`: from now on bytes that way are lost. `cut()`: every connection is gone. New connections pass again. */
export async function startProxy(port) {
  const pairs = new Set()
  let lost = {}
  const server = createServer((client) => {
    const far = connect(port, '127.0.0.1')
    const pair = [client, far]
    const mine = lost
    pairs.add(pair)
    client.on('data', (bytes) => { if (mine.toServer !== true) far.write(bytes) })
    far.on('data', (bytes) => { if (mine.toClient !== true) client.write(bytes) })
    for (const socket of pair) {
      socket.on('error', () => {}).on('close', () => {
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
  })
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const cut = () => {
    lost = {}
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy()
  }
  const close = onEnd(() => new Promise((resolve) => {
    server.close(resolve)
    cut()
  }))
  return { port: server.address().port, swallow: (way) => { lost[way] = true }, cut, close }
}
