// The store in memory: its bounds, and its claims.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MemoryStore } from '../../src/broker/index.ts'
import type { Delivery, StoredMessage, StoredSession, StoreListener } from '../../src/broker/index.ts'
import { quiet } from '../helpers/pair.ts'

function message(topic: string, payload: string, at = 0, expiry?: number): StoredMessage {
  const packet = { type: 'publish', topic, payload: new TextEncoder().encode(payload), qos: 1, properties: expiry === undefined ? undefined : { messageExpiryInterval: expiry } } as const
  return { packet, size: topic.length + payload.length, at, from: undefined }
}

function delivery(payload: string): Delivery {
  return { ...message('t', payload), qos: 1, retain: false, identifiers: [], shared: undefined }
}

const session = (clientId: string, expiresAt = Infinity): StoredSession => ({ clientId, saved: { clientId }, subscriptions: [], pending: [], expiresAt })
const texts = (messages: Iterable<StoredMessage>): string[] => [...messages].map(({ packet }) => new TextDecoder().decode(packet.payload as Uint8Array))

/** A claim, and what it was given. */
function claim(store: MemoryStore, clientId: string, clean = false, now = 0): { claim: number, session: StoredSession | undefined } {
  let got: { claim: number, session: StoredSession | undefined } | undefined
  void store.claim(clientId, clean, now, (number, found) => { got = { claim: number, session: found } })
  return got!
}

test('who has claimed last may write; claims before are worth nothing', () => {
  const store = new MemoryStore()
  const first = claim(store, 'a')
  assert.is(first.session, undefined)
  assert.is(store.save(session('a'), first.claim), true)
  const second = claim(store, 'a')
  assert.is(second.session?.clientId, 'a')
  assert.equal([store.save(session('a', 5), first.claim), store.remove('a', first.claim), store.remove('nobody', 1)], [false, false, false])
  assert.is(claim(store, 'a').session?.expiresAt, Infinity)
  const last = claim(store, 'a')
  assert.equal([store.remove('a', last.claim), claim(store, 'a').session], [true, undefined])
})

test('a clean claim, and one of a session that has expired, find nothing, no mailbox either', () => {
  const store = new MemoryStore()
  for (const [clean, now] of [[true, 0], [false, 1000]] as const) {
    store.save(session('a', 1000), claim(store, 'a').claim)
    store.post('a', delivery('x'))
    assert.is(claim(store, 'a', false, 999).session?.expiresAt, 1000)
    assert.equal([claim(store, 'a', clean, now).session, store.take('a', 9), store.counters.queuedBytes], [undefined, [], 0])
  }
})

test('claims of one session go one after the other: released by everybody, moved and begun in one piece', async () => {
  const store = new MemoryStore()
  const log: string[] = []
  const listener = (name: string): StoreListener => ({
    deliver: () => 0,
    release: async (clientId, clean) => {
      log.push(`${name} releases ${clientId} ${clean}`)
      await quiet(3)
    },
    moved: (clientId) => { log.push(`${name} lost ${clientId}`) },
  })
  store.subscribe(listener('A'))
  const leave = store.subscribe(listener('B'))
  await Promise.all(['1', '2', '3'].map((who) => store.claim('x', false, 0, () => { log.push(`begin ${who}`) })))
  const one = ['A releases x false', 'B releases x false', 'A lost x', 'B lost x']
  assert.equal(log, [...one, 'begin 1', ...one, 'begin 2', ...one, 'begin 3'])
  leave()
  log.splice(0)
  await Promise.resolve(store.claim('x', true, 0, () => { throw new Error('refused') })).then(() => assert.unreachable(), (error: Error) => assert.is(error.message, 'refused'))
  await store.claim('x', true, 0, () => {})
  assert.equal(log, ['A releases x true', 'A lost x', 'A releases x true', 'A lost x'])
  await quiet(1)
  assert.is((store as unknown as { claiming: Map<string, unknown> }).claiming.size, 0)
})

test('a mailbox is bounded by messages and bytes, all of them by bytes, and only sessions have one', () => {
  const store = new MemoryStore({ maximumMailbox: 3, maximumMailboxBytes: 20, maximumMailboxesBytes: 30 })
  assert.is(store.post('nobody', delivery('1')), false)
  for (const id of ['a', 'b', 'c']) claim(store, id)
  assert.equal(['1', '2', '3', '4'].map((text) => store.post('a', delivery(text))), [true, true, true, false])
  assert.equal([store.post('b', delivery('x'.repeat(19))), store.post('b', delivery('y'))], [true, false], '20 bytes')
  assert.equal([store.post('c', delivery('123')), store.post('c', delivery('')), store.counters.queuedBytes], [true, false, 30], 'thirty bytes in all')
  assert.equal([texts(store.take('a', 2)), texts(store.take('a', 9)), store.take('a', 9)], [['1', '2'], ['3'], []])
  assert.equal(store.counters, { sessions: 3, queued: 2, queuedBytes: 24, retained: 0, retainedBytes: 0 })
})

test('a long mailbox stays in order while it is emptied in lots', () => {
  const store = new MemoryStore()
  claim(store, 'a')
  const seen: string[] = []
  for (let i = 0; i < 900; i++) store.post('a', delivery(String(i)))
  for (let i = 900; seen.length < 1500;) {
    seen.push(...texts(store.take('a', 7)))
    for (let n = 0; n < 5 && i < 1500; n++) store.post('a', delivery(String(i++)))
  }
  assert.equal(seen, Array.from({ length: 1500 }, (_, i) => String(i)))
})

test('retained messages are bounded by number and bytes; the one before goes even where the new one finds no room', () => {
  const store = new MemoryStore({ maximumRetained: 2, maximumRetainedBytes: 10 })
  assert.equal([store.retain(message('a', '1')), store.retain(message('b', '2')), store.retain(message('c', '3')), store.retain(message('a', '4'))], [true, true, false, true])
  assert.equal([store.retain(message('b', 'x'.repeat(10))), texts(store.retained('#', 0))], [false, ['4']])
  assert.is(store.counters.retainedBytes, 2)
  store.retain(message('a', ''))
  assert.equal([store.counters.retained, store.counters.retainedBytes], [0, 0])
})

test('retained messages that have expired are not given, and make room where there is none', () => {
  const store = new MemoryStore({ maximumRetained: 2 })
  store.retain(message('a', '1', 0, 10))
  store.retain(message('$b', '2', 0, 5))
  assert.equal([texts(store.retained('a', 9_999)), texts(store.retained('a', 10_000))], [['1'], []])
  assert.is(store.retain(message('c', '3', 4_000)), false)
  assert.is(store.retain(message('c', '3', 4_900)), false)
  assert.is(store.retain(message('c', '3', 5_000)), true)
  assert.is(store.counters.retained, 2)
})

test('a message goes to every listener, whether or not they take their time, and they add up', async () => {
  const store = new MemoryStore()
  const listen = (count: number | Promise<number>): (() => void) => store.subscribe({ deliver: () => count, release: () => {}, moved: () => {} })
  assert.is(store.publish(message('a', 'b')), 0)
  listen(1)
  listen(2)
  assert.is(store.publish(message('a', 'b')), 3)
  const leave = listen(Promise.resolve(4))
  listen(8)
  assert.is(await store.publish(message('a', 'b')), 15)
  leave()
  assert.is(store.publish(message('a', 'b')), 11)
})

test.run()
