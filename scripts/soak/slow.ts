// 2,000 sockets that trickle a CONNECT a byte a second do not hold up a Client that knows what it wants, and are all closed at the connect timeout;
// a reader that stops reading holds no more than its bound, and no longer than its time. `npm run soak:slow -- 200 3000`: so many, this timeout in ms.
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { getDefaultHighWaterMark } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { encode } from '../../src/codec/index.ts'
import { connectTcp, Peer, tcpDuplex } from '../../src/transport/tcp.ts'
import { Child, openFiles, quantile, target } from './child.ts'

export interface Trickled {
  /** ms from opening the socket to CONNACK, of clients that come meanwhile */
  readonly connacks: readonly number[]
  /** ms that the slow connections lived */
  readonly lived: readonly number[]
  /** ms by which the latest was closed after its connect timeout, on the server's clock */
  readonly late: number
  /** why the server closed them */
  readonly causes: { readonly [why: string]: number }
}

export async function trickle(count: number, connectTimeout: number): Promise<Trickled> {
  const server = new Child('server.ts', 'connack', String(connectTimeout))
  const slow = new Child('clients.ts')
  try {
    const port = await server.ask<number>({ type: 'port' })
    for (let i = 0; i < 5; i++) await (await connectTcp({ port })).disconnect()
    const lives = slow.ask<number[]>({ type: 'trickle', port, count, forMs: connectTimeout + 10_000 })
    let trickling = true
    void lives.then(() => { trickling = false }, () => { trickling = false })
    const connacks: number[] = []
    while (trickling) {
      const from = performance.now()
      const client = await connectTcp({ port, connect: { clientId: 'wants in' } })
      connacks.push(performance.now() - from)
      await client.disconnect()
      await sleep(20)
    }
    const { causes, late } = await server.ask<{ causes: { [why: string]: number }, late: number }>({ type: 'counts' })
    return { connacks, lived: await lives, causes, late }
  } finally {
    await Promise.all([server.end(), slow.end()])
  }
}

export interface Stalled {
  /** bytes the server held at most for the reader: its socket's, and its driver's are among them */
  readonly held: number
  /** how many messages of 1 KiB were taken before one was refused */
  readonly taken: number
  readonly refusal: string
  /** ms from the stall to the end, and why */
  readonly lived: number
  readonly sentence: string
}

/** A client that subscribes, so to speak, and never reads: `maximumUnsent` and `drainTimeout` are what the server allows it. */
export async function stall(maximumUnsent: number, drainTimeout: number): Promise<Stalled> {
  let connected!: (value: { readonly peer: Peer, readonly socket: Socket }) => void
  const arrived = new Promise<{ readonly peer: Peer, readonly socket: Socket }>((resolve) => { connected = resolve })
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(tcpDuplex(socket), { maximumUnsent, drainTimeout })
    peer.onConnect = async () => {
      await peer.accept()
      connected({ peer, socket })
    }
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const reader = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  reader.on('error', () => {})
  reader.pause()
  reader.write(encode({ type: 'connect', version: 4, clientId: 'does not read', cleanStart: true, keepAlive: 0 }, 4))
  const { peer, socket } = await arrived
  const from = performance.now()
  const payload = new Uint8Array(1024)
  let [held, taken, refusal] = [0, 0, '']
  for (;;) {
    let failed: Error | undefined
    peer.publish({ topic: 'a', payload }).catch((error: Error) => { failed = error })
    taken++
    held = Math.max(held, socket.writableLength)
    if (taken % 64 === 0) await new Promise((resolve) => { setImmediate(resolve) })
    else await Promise.resolve()
    if (failed === undefined) continue
    refusal = failed.message
    break
  }
  const { sentence } = await peer.closed
  const lived = performance.now() - from
  reader.destroy()
  await new Promise((resolve) => { server.close(resolve) })
  return { held, taken, refusal, lived, sentence }
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const count = Number(process.argv[2] ?? 2_000)
  const timeout = Number(process.argv[3] ?? 10_000)
  if (openFiles() < count + 100) {
    console.error(`${count} connections need ${count + 100} open files, and the hard limit here is ${openFiles()}`)
    process.exit(2)
  }
  const { connacks, lived, causes, late } = await trickle(count, timeout)
  console.log(`${count} sockets trickle a CONNECT at a byte a second; meanwhile ${connacks.length} clients connect: CONNACK after ${quantile(connacks, 0.5).toFixed(1)} ms in the median, ${quantile(connacks, 0.99).toFixed(1)} ms at the 99th percentile`)
  console.log(`the slow ones lived ${(quantile(lived, 0) / 1000).toFixed(2)} to ${(quantile(lived, 1) / 1000).toFixed(2)} s; closed for: ${JSON.stringify(causes)}`)
  const bound = 1_048_576
  const stalled = await stall(bound, 3_000)
  console.log(`a reader that stops: ${stalled.taken} messages of 1 KiB taken (the kernel's buffers are in that), then "${stalled.refusal}"; after ${(stalled.lived / 1000).toFixed(2)} s: ${stalled.sentence}`)
  const met = [
    target('CONNACK in the median', quantile(connacks, 0.5), 50, 'ms'),
    target('slow connections that were not closed for want of a CONNECT', count - (causes['connect-timeout'] ?? 0), 0, 'of them'),
    target('how late the last of them was closed', late, 250, 'ms'),
    // What the socket takes before it says that it is enough comes on top: 16 KiB in Node 20.
    target('bytes held for a reader that stops', stalled.held, bound + getDefaultHighWaterMark(false), 'bytes'),
    target('time it is given', stalled.lived, 3_500, 'ms'),
  ]
  process.exitCode = met.every(Boolean) ? 0 : 1
}
