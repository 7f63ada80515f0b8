// Many clients in one process: bare sockets that connect, and then send nothing but a PINGREQ now and then; or that never finish their CONNECT.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { encode } from '../../src/codec/index.ts'
import { serve } from './child.ts'

export type Question =
  | { readonly type: 'open', readonly port: number, readonly count: number, readonly keepAlive: number }
  /** each pings once in `every` ms, at a time of its own; gives the ms each answer took */
  | { readonly type: 'ping', readonly every: number, readonly forMs: number }
  | { readonly type: 'close' }
  /** bytes of a CONNECT, one a second each; gives how long each connection lived, in ms, once all are closed or `forMs` are over */
  | { readonly type: 'trickle', readonly port: number, readonly count: number, readonly forMs: number }

const AT_ONCE = 64
const PINGREQ = Uint8Array.of(0xc0, 0)

interface Client { readonly socket: Socket, sent: number, answered: ((ms: number) => void) | undefined }
const clients: Client[] = []

async function many(count: number, open: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { while (next < count) await open(next++) }))
}

function openOne(port: number, keepAlive: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const client: Client = { socket, sent: 0, answered: undefined }
    socket.setNoDelay(true)
    socket.on('error', reject)
    socket.once('close', () => { reject(new Error('the server has closed a connection')) })
    socket.write(encode({ type: 'connect', version: 4, clientId: `${process.pid}-${clients.length}`, cleanStart: true, keepAlive }, 4))
    clients.push(client)
    socket.on('data', (chunk: Buffer) => {
      if (chunk[0] === 0x20) resolve()
      else if (chunk[0] === 0xd0) client.answered?.(performance.now() - client.sent)
    })
  })
}

async function ping(every: number, forMs: number): Promise<number[]> {
  const took: number[] = []
  const timers = clients.map((client) => {
    client.answered = (ms) => { took.push(ms) }
    const once = (): void => {
      client.sent = performance.now()
      client.socket.write(PINGREQ)
    }
    const timer = { handle: setTimeout(() => { once(); timer.handle = setInterval(once, every) }, Math.random() * every) as NodeJS.Timeout }
    return timer
  })
  await sleep(forMs)
  for (const { handle } of timers) clearTimeout(handle)
  await sleep(500)
  return took
}

async function trickle(port: number, count: number, forMs: number): Promise<number[]> {
  const bytes = encode({ type: 'connect', version: 4, clientId: 'never comes to an end', cleanStart: true, keepAlive: 60 }, 4)
  const lived: number[] = []
  const ends: Promise<void>[] = []
  await many(count, () => new Promise((opened) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const from = performance.now()
    let at = 0
    socket.on('error', () => {})
    socket.once('connect', () => { opened() })
    socket.resume()
    const byte = setInterval(() => { if (at < bytes.length - 1) socket.write(bytes.subarray(at, ++at)) }, 1000)
    ends.push(new Promise((resolve) => {
      const late = setTimeout(() => { socket.destroy() }, forMs)
      socket.once('close', () => {
        clearInterval(byte)
        clearTimeout(late)
        lived.push(performance.now() - from)
        resolve()
      })
    }))
  }))
  await Promise.all(ends)
  return lived
}

serve(async (question: Question) => {
  switch (question.type) {
    case 'open': {
      const from = performance.now()
      await many(question.count, () => openOne(question.port, question.keepAlive))
      return performance.now() - from
    }
    case 'ping': return ping(question.every, question.forMs)
    case 'trickle': return trickle(question.port, question.count, question.forMs)
    case 'close':
      for (const { socket } of clients.splice(0)) socket.destroy()
      return true
  }
})
