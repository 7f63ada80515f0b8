// Subscriptions across connections.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { failure } from '../helpers/lab.ts'
import { quiet } from '../helpers/pair.ts'
import { MemoryServer } from '../helpers/server.ts'

test('5.0 §3.8.4: a subscription that a cut keeps from being made again is made on the next connection, though that finds its session', async () => {
  const server = new MemoryServer()
  const asked: number[] = []
  server.set = (peer) => {
    const number = server.wires.length
    peer.onSubscribe = () => {
      asked.push(number)
      if (number !== 2) return 0
      server.cut()
      return 'later'
    }
  }
  // The second connection finds its session lost, and goes before its SUBSCRIBE is answered; the third finds the second one's.
  server.accept = (peer) => peer.accept({ session: server.wires.length < 3 ? undefined : server.sessions.get('kitchen') })
  const client = server.client()
  await client.subscribe('a')
  server.cut()
  await server.connected(client, 3)
  await quiet()
  assert.ok(client.client!.connack.sessionPresent)
  assert.equal(asked, [1, 2, 3])
  // Now it is made, and no connection asks again.
  server.cut()
  await server.connected(client, 4)
  await quiet()
  assert.equal(asked, [1, 2, 3])
  await client.end()
})

test('asked for without a connection, and cut short: settled once, by a later one', async () => {
  const server = new MemoryServer()
  let seen = 0
  server.set = (peer) => { peer.onSubscribe = () => (++seen < 3 ? (server.cut(), 'later') : 1) }
  const client = server.client()
  assert.equal(await client.subscribe({ filter: 'a', qos: 1 }), [1])
  assert.is(seen, 3)
  await client.end()
})

test('what is refused is not asked for again, what was granted beside it is; a refusal on coming back is told', async () => {
  const server = new MemoryServer()
  const asked: string[] = []
  let refuse = 'b'
  server.set = (peer) => {
    peer.onSubscribe = ({ subscriptions }) => subscriptions.map(({ filter }) => {
      asked.push(filter)
      return filter === refuse ? 0x87 : 0
    })
  }
  const client = server.client()
  assert.match((await failure(client.subscribe(['a', 'b', 'c']))).message, /"b" was refused/)
  const lost: string[] = []
  client.onSubscriptionLost = (filters) => { lost.push(...filters) }
  refuse = 'c'
  server.accept = (peer) => peer.accept()
  const count = asked.length
  for (let i = 2; i < 4; i++) {
    server.cut()
    await server.connected(client, i)
    await quiet()
  }
  assert.equal(asked.slice(count), ['a', 'c', 'a'])
  assert.equal(lost, ['c'])
  await client.end()
})

test('a handler of lost subscriptions that throws ends the client, not the process', async () => {
  const server = new MemoryServer()
  let code = 0
  server.set = (peer) => { peer.onSubscribe = () => code }
  const client = server.client()
  client.onSubscriptionLost = () => { throw new Error('oops') }
  await client.subscribe('a')
  code = 0x87
  server.accept = (peer) => peer.accept()
  server.cut()
  assert.is((await client.closed).message, 'oops')
})

test('requests have a bound too, and all end with the client', async () => {
  const server = new MemoryServer()
  server.accept = () => new Promise(() => {})
  const client = server.client({ maximumBacklog: 2 })
  const asked = [failure(client.subscribe('a')), failure(client.unsubscribe('b'))]
  assert.match((await failure(client.subscribe('c'))).message, /maximumBacklog is 2/)
  await client.end()
  const reason = await client.closed
  assert.equal(await Promise.all(asked), [reason, reason])
  assert.is(await failure(client.subscribe('d')), reason)
})

test.run()
