// A client that comes back, over streams in memory that are cut at any moment.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { saveSession } from '../../src/fsm/index.ts'
import { reconnecting } from '../../src/transport/index.ts'
import type { ConnectionClosed } from '../../src/transport/index.ts'
import { failure, text } from '../helpers/lab.ts'
import { quiet } from '../helpers/pair.ts'
import { randomFrom } from '../helpers/random.ts'
import { MemoryServer } from '../helpers/server.ts'

for (const version of [4, 5] as const) {
  test(`version ${version}: cut at random while messages go both ways: QoS 2 once and in order, QoS 1 at least once, every promise settles once`, async () => {
    const dice = ((next) => () => next(1000) / 1000)(randomFrom(version))
    const server = new MemoryServer()
    const got = { up1: [] as string[], up2: [] as string[], down1: [] as string[], down2: [] as string[] }
    let cuts = 0
    const perhapsCut = (): void => {
      if (dice() < 0.12 && cuts < 60) {
        cuts++
        server.wires.at(-1)!.cut()
      }
    }
    const peerSent: Promise<unknown>[] = []
    let down = 0
    server.set = (peer) => {
      peer.onPublish = (message) => {
        got[`up${message.qos as 1 | 2}`].push(text(message))
        perhapsCut()
        // What the session holds comes by itself; a server publishes what it has not published yet.
        if (down < 100 && peer.state.phase === 'connected') {
          const payload = String(down++)
          for (const qos of [1, 2] as const) peerSent.push(peer.publish({ topic: 'd', payload, qos }).catch((error: Error) => { if (error.name !== 'ConnectionClosed') throw error }))
        }
      }
    }
    const client = server.client({ connect: version === 5 ? { clientId: 'kitchen', properties: { sessionExpiryInterval: 3600 } } : { version: 4, clientId: 'kitchen', cleanStart: false } })
    client.onPublish = (message) => {
      got[`down${message.qos as 1 | 2}`].push(text(message))
      perhapsCut()
    }
    const settled: string[] = []
    const numbers = Array.from({ length: 100 }, (_, i) => String(i))
    await Promise.all(numbers.flatMap((payload) => [1, 2].map((qos) => client.publish({ topic: 'u', payload, qos: qos as 1 | 2 }).then(() => { settled.push(`${qos} ${payload}`) }))))
    while (saveSession(server.peer!.session!).sent!.length > 0 || saveSession(client.client?.session ?? { clientId: '', exchanges: server.peer!.session!.exchanges }).received!.length > 0) await quiet(5)
    assert.ok(cuts > 10, `${cuts} cuts`)
    assert.equal(got.up2, numbers)
    assert.equal(got.down2, numbers.slice(0, down))
    for (const [all, of] of [[got.up1, numbers], [got.down1, numbers.slice(0, down)]] as const) assert.equal([...new Set(all)].sort(), [...of].sort())
    assert.is(new Set(settled).size, 200)
    assert.is(settled.length, 200)
    await client.end()
    await Promise.all(peerSent)
  })
}

test('subscriptions are made again where the session is lost, and only there', async () => {
  const server = new MemoryServer()
  const asked: string[] = []
  server.set = (peer) => {
    peer.onSubscribe = ({ subscriptions, properties }) => {
      asked.push(`${subscriptions.map(({ filter }) => filter).join(' ')} ${properties?.subscriptionIdentifier ?? ''}`.trim())
      return subscriptions.map(({ qos }) => qos)
    }
    peer.onUnsubscribe = () => 0
  }
  const client = server.client()
  await client.subscribe(['a', 'b'], { subscriptionIdentifier: 3 })
  await client.subscribe({ filter: 'c', qos: 1 })
  await client.unsubscribe('b')
  const again = async (): Promise<void> => {
    const count = server.wires.length
    server.wires.at(-1)!.cut()
    while (server.wires.length === count || client.client === undefined) await quiet(2)
    await quiet()
  }
  await again()
  assert.equal(asked, ['a b 3', 'c'])
  server.accept = (peer) => peer.accept()
  await again()
  assert.equal(asked, ['a b 3', 'c', 'a 3', 'c'])
  await client.end()
})

test('a session that is lost: messages of which nobody knows go out again, before later ones', async () => {
  const server = new MemoryServer()
  const heard: string[] = []
  server.set = (peer) => { peer.onPublish = () => 'later' }
  const client = server.client()
  const one = client.publish({ topic: 'a', payload: '1', qos: 1 })
  while (client.client === undefined) await quiet(2)
  await quiet()
  server.set = (peer) => { peer.onPublish = (message) => { heard.push(`${text(message)} ${message.dup}`) } }
  server.accept = (peer) => peer.accept()
  server.wires.at(-1)!.cut()
  await quiet(2)
  const two = client.publish({ topic: 'a', payload: '2', qos: 1 })
  await Promise.all([one, two])
  assert.equal(heard, ['1 false', '2 false'])
  await client.end()
})

test('whoever asks for credentials is asked at every attempt; without, a refusal of them ends it', async () => {
  const server = new MemoryServer()
  server.accept = (peer) => (new TextDecoder().decode(peer.connect!.password) === 'right' ? peer.accept() : peer.refuse(0x86))
  const passwords = ['wrong', 'worse', 'right']
  const asked = server.client({ connect: () => ({ clientId: 'a', username: 'u', password: passwords.shift()! }) })
  while (asked.client === undefined) await quiet(2)
  assert.equal(passwords, [])
  await asked.end()
  const fixed = server.client({ connect: { clientId: 'a', username: 'u', password: 'wrong' } })
  const waits: (number | undefined)[] = []
  fixed.onDisconnect = (_, wait) => { waits.push(wait) }
  const reason = await fixed.closed as ConnectionClosed
  assert.is(reason.cause.reasonCode, 0x86)
  assert.equal(waits, [undefined])
  assert.is(await failure(fixed.publish({ topic: 'a', payload: '' })), reason)
})

test('the first connection may start clean; those after it go on', async () => {
  const server = new MemoryServer()
  const starts: boolean[] = []
  server.accept = (peer) => {
    starts.push(peer.connect!.cleanStart)
    return peer.accept({ session: peer.connect!.cleanStart ? undefined : server.sessions.get(peer.clientId) })
  }
  const client = server.client()
  while (client.client === undefined) await quiet(2)
  server.wires[0]!.cut()
  while (starts.length < 2) await quiet(2)
  assert.equal(starts, [true, false])
  await client.end()
})

test('two clients that throw each other out give up, and say why', async () => {
  const server = new MemoryServer()
  const client = server.client({ flapping: { times: 3, lived: 60_000 } })
  client.onConnect = () => { void server.peer!.disconnect(0x8e) }
  const said: string[] = []
  client.onDisconnect = (_, __, sentence) => { said.push(sentence) }
  const reason = await client.closed as ConnectionClosed
  assert.is(reason.cause.why, 'taken-over')
  assert.is(server.attempts.length, 3)
  assert.match(said.at(-1)!, /another client uses the same Client Identifier/)
})

test('5.0 §4.11: a Server Reference is handed to the next attempt', async () => {
  const server = new MemoryServer()
  server.accept = (peer) => (server.attempts.length === 1 ? peer.refuse(0x9d, { serverReference: 'other:1883' }) : peer.accept())
  const client = server.client()
  while (client.client === undefined) await quiet(2)
  assert.equal(server.attempts.map(({ serverReference }) => serverReference), [undefined, 'other:1883'])
  await client.end()
})

test('`end` never hangs: while opening, while waiting, while connected, twice', async () => {
  const never = reconnecting({ open: () => new Promise(() => {}) })
  await quiet(2)
  await never.end()
  const refused = reconnecting({ open: () => Promise.reject(new Error('nobody listens')), backoff: { base: 60_000, maximum: 60_000 }, random: () => 0.9 })
  const waits: (number | undefined)[] = []
  refused.onDisconnect = (_, wait) => { waits.push(wait) }
  await quiet(2)
  assert.equal(waits, [54_000])
  await refused.end()
  const server = new MemoryServer()
  const client = server.client()
  while (client.client === undefined) await quiet(2)
  await Promise.all([client.end(), client.end()])
  await client.end()
  assert.match((await client.closed).message, /disconnected/)
})

test('attempts have a bound if wanted, and the backlog always', async () => {
  const client = reconnecting({ open: () => Promise.reject(new Error('nobody listens')), backoff: { base: 1, maximum: 1 }, attempts: 3, maximumBacklog: 2 })
  const published = [1, 2, 3].map(() => failure(client.publish({ topic: 'a', payload: '', qos: 1 })))
  assert.match((await published[2]!).message, /2 messages are not settled, and maximumBacklog is 2/)
  assert.is((await client.closed).message, 'nobody listens')
  assert.is((await published[0]!).message, 'nobody listens')
})

test('a handler that throws ends it, and the process lives', async () => {
  const server = new MemoryServer()
  const client = server.client()
  client.onConnect = () => { throw new Error('oops') }
  assert.match((await client.closed).message, /oops/)
})

test.run()
