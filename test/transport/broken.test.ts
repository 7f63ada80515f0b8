// Connections that break while the peer does not read: found by the interop run, which cuts connections in the middle of things.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createBroker } from '../../src/broker/index.ts'
import { encode } from '../../src/codec/index.ts'
import type { ConnectInput } from '../../src/codec/index.ts'
import { Client, Peer, Timers } from '../../src/transport/index.ts'
import type { ClientOptions } from '../../src/transport/index.ts'
import { acceptWebSocket } from '../../src/transport/websocket.ts'
import type { WebSocketEvent, WebSocketLike } from '../../src/transport/websocket.ts'
import { FakeClock } from '../helpers/clock.ts'
import { FakeDuplex, settle } from '../helpers/duplex.ts'

const CONNACK = encode({ type: 'connack', reasonCode: 0 }, 5)
const CONNECT: ConnectInput = { type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0 }
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

async function client(options: ClientOptions = {}): Promise<{ readonly client: Client, readonly duplex: FakeDuplex }> {
  const duplex = new FakeDuplex()
  const connected = Client.connect(duplex, { timers: new Timers(new FakeClock()), connect: { clientId: 'c', keepAlive: 0 }, ...options })
  duplex.onData(CONNACK)
  return { client: await connected, duplex }
}

// A socket that is destroyed and has not said so yet answers false to a write, as a full one does; its `close` then waited for a drain that could not come.
test('a connection that has broken is over at once, though its last write found no room', async () => {
  const { client: one, duplex } = await client()
  duplex.room = false
  const sent = one.publish({ topic: 't', payload: 'x', qos: 1 }).catch((error: Error) => error.name)
  duplex.onEnd(reset)
  assert.is(duplex.closed, 'aborted')
  assert.is(await sent, 'ConnectionClosed')
  assert.is((await one.closed).why, 'broken')
})

/** A WebSocket that cannot be paused and does not get rid of what it is given, as a browser's whose peer does not read. */
class Stuck implements WebSocketLike {
  binaryType = ''
  readyState = 1
  readonly protocol = 'mqtt'
  bufferedAmount = 0
  readonly listeners: { [type: string]: (event: WebSocketEvent) => void } = {}
  addEventListener(type: string, listener: (event: WebSocketEvent) => void): void {
    this.listeners[type] = listener
  }
  send(bytes: never): void {
    this.bufferedAmount += (bytes as Uint8Array).length
  }
  close(): void {
    this.readyState = 2
  }
}

// Its close in good order is an end without an error, after which no drain can come either; the application heard of it after 30 s (drainTimeout).
test('a WebSocket that closes in good order is over at once, though it never got rid of what it was given', async () => {
  const socket = new Stuck()
  const connecting = Client.connect(acceptWebSocket(socket), { timers: new Timers(new FakeClock()), connect: { clientId: 'c', keepAlive: 0 } })
  socket.listeners['message']!({ data: CONNACK.slice().buffer })
  const one = await connecting
  const sent = one.publish({ topic: 't', payload: new Uint8Array(900_000), qos: 1 }).catch((error: Error) => error.name)
  let over = false
  one.onClose = () => { over = true }
  socket.readyState = 3
  socket.listeners['close']!({ code: 1000 })
  await settle()
  assert.ok(over)
  assert.is(await sent, 'ConnectionClosed')
})

test('DISCONNECT to somebody who does not read: disconnect tells how it ended, and does not reject', async () => {
  const { client: one, duplex } = await client()
  duplex.room = false
  const ended = one.disconnect()
  duplex.onEnd(reset)
  assert.is((await ended).why, 'disconnect')
  const peer = new Peer(duplex, { timers: new Timers(new FakeClock()) })
  peer.onConnect = () => peer.accept()
  duplex.room = true
  duplex.onData(encode(CONNECT, 5))
  await settle()
  duplex.room = false
  const over = peer.disconnect(0x8e)
  duplex.onEnd(reset)
  assert.is((await over).why, 'taken-over')
})

// The promise of a DISCONNECT that nobody took was rejected with nobody listening: any Client could end the process of a broker.
test('a broker outlives a Client that reads nothing and is taken over', async () => {
  // With room for DISCONNECT among what waits, and with none.
  for (const maximumUnsent of [1_000, 7]) {
    const timers = new Timers(new FakeClock())
    const broker = createBroker({ timers })
    const [first, second] = [new FakeDuplex(), new FakeDuplex()]
    for (const duplex of [first, second]) {
      broker.accept(duplex, { timers, maximumUnsent: duplex === first ? maximumUnsent : undefined })
      duplex.onData(encode(CONNECT, 5))
      await settle()
      if (duplex !== first) continue
      duplex.room = false
      duplex.onData(encode({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 't', qos: 0 }] }, 5))
      await settle()
    }
    // An unhandled rejection would have ended this process by now.
    await new Promise((resolve) => { setTimeout(resolve, 10) })
    assert.is.not(first.closed, 'open')
    first.onEnd(reset)
    await settle()
    assert.is(broker.counters.connections, 1)
    assert.ok(second.written.length > 0)
  }
})

test.run()
