// Clients that flood, stall, hoard and lie: everything a broker keeps for them has a bound, and nobody else is the worse for it. Memory is measured by counts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { saveSession, sizeOf } from '../../src/fsm/index.ts'
import { MemoryStore } from '../../src/broker/index.ts'
import type { Peer, Refused } from '../../src/transport/index.ts'
import { cut, failure, House, keeping, slowly, until } from '../helpers/broker.ts'
import type { Guest } from '../helpers/broker.ts'
import { pair, quiet } from '../helpers/pair.ts'
import { randomFrom } from '../helpers/random.ts'

const numbers = (heard: readonly string[]): number[] => heard.map((one) => Number(/=(\d+)/.exec(one)![1]))
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Bytes of the messages in flight, as the machine has them. */
function inFlight(peer: Peer): { readonly count: number, readonly bytes: number } {
  const { sent } = saveSession(peer.session!)
  return { count: sent!.length, bytes: sent!.reduce((sum, { message }) => sum + (message?.payload.length ?? 0), 0) }
}

/** A broker whose store can be seen into, and a Client there that has stopped reading. */
async function stopped(qos: 0 | 1 | 2): Promise<{ readonly house: House, readonly store: MemoryStore, readonly guest: Guest }> {
  const store = new MemoryStore()
  const house = new House({ store })
  const guest = await house.come('stopped', keeping(5))
  await guest.client.subscribe({ filter: 'flood', qos })
  guest.wire.server.stalled = true
  return { house, store, guest }
}

test('a Client that does not read, flooded with QoS 0: a MiB waits for it, the rest is dropped and counted, and it is cut after 30 s', async () => {
  const { house, store, guest } = await stopped(0)
  const payload = new Uint8Array(10_000)
  for (let i = 0; i < 1000; i++) await house.broker.publish({ topic: 'flood', payload })
  await quiet()
  const unsent = guest.peer.counters.bytesSent
  assert.ok(unsent > 1_000_000 && unsent < 1_100_000, `${unsent} bytes`)
  assert.ok(house.broker.counters.dropped > 880, `${house.broker.counters.dropped} dropped`)
  assert.is(store.counters.queued, 0)
  await house.pass(31)
  assert.is(guest.peer.state.phase, 'closed')
})

for (const [qos, size] of [[1, 100], [2, 100], [1, 20_000], [2, 200_000]] as const) {
  test(`a Client that does not read, flooded with QoS ${qos} of ${size} bytes: window, mailbox and socket stay within their bounds; it gets what was kept, in order`, async () => {
    const { house, store, guest } = await stopped(qos)
    const publish = (i: number): Promise<number> => house.broker.publish({ topic: 'flood', payload: String(i).padEnd(size), qos })
    for (let i = 0; i < 1500; i++) {
      await publish(i)
      if (i % 100 !== 0) continue
      await quiet(1)
      const { count, bytes } = inFlight(guest.peer)
      assert.ok(count <= 64 && bytes <= 1_048_576 + size, `${count} in flight, ${bytes} bytes`)
      assert.ok(store.counters.queued <= 1000 && store.counters.queuedBytes <= 1_048_576, JSON.stringify(store.counters))
      assert.ok(guest.peer.counters.bytesSent < 1_200_000 + size)
    }
    await quiet()
    // Of what it takes out of the mailbox at a time, up to 64 may wait outside of both.
    const kept = 1500 - house.broker.counters.dropped
    assert.ok(kept >= 1_048_576 / (size + 20) / 2 || kept >= 1000, `${kept} kept`)
    assert.ok(kept <= 1000 + 128, `${kept} kept`)
    await house.pass(31)
    assert.is(guest.peer.state.phase, 'closed')
    const back = await house.come('stopped', keeping(5), { session: guest.client.session })
    await until(() => back.heard.length >= kept)
    await quiet()
    const heard = numbers(back.heard)
    assert.is(heard.length, kept)
    assert.equal(heard, heard.toSorted((a, b) => a - b))
    assert.equal([store.counters.queued, store.counters.queuedBytes], [0, 0])
  })
}

test('a Client that reads and never acknowledges has 64 messages, or its Receive Maximum, and a MiB in flight', async () => {
  for (const [receiveMaximum, size, most] of [[undefined, 10, 64], [5, 10, 5], [undefined, 100_000, 11], [undefined, 1_000_000, 2]] as const) {
    const house = new House()
    const guest = await house.come('silent', { version: 5, properties: { receiveMaximum } }, { answer: () => 'later' })
    await guest.client.subscribe({ filter: 'a', qos: 1 })
    for (let i = 0; i < 100; i++) await house.broker.publish({ topic: 'a', payload: new Uint8Array(size), qos: 1 })
    await quiet()
    assert.equal([sizeOf(guest.peer.session!).ours, guest.heard.length], [most, most])
    // As it acknowledges, it gets more.
    const { packetId } = guest.messages[0]!
    await guest.client.send({ type: 'puback', packetId: packetId! })
    await quiet()
    assert.equal([sizeOf(guest.peer.session!).ours, guest.heard.length], [most, most + 1])
  }
})

test('a mailbox that is full: what comes first is kept, nobody waits, and the publisher is told nothing but success', async () => {
  const house = new House({ store: new MemoryStore({ maximumMailbox: 10 }) })
  const away = await house.come('away', keeping(4))
  await away.client.subscribe({ filter: 'a', qos: 1 })
  await cut(away)
  const speaker = await house.come('speaker')
  for (let i = 0; i < 25; i++) assert.is((await speaker.client.publish({ topic: 'a', payload: String(i), qos: 1 }))?.reasonCode, 0)
  assert.is(house.broker.counters.dropped, 15)
  const back = await house.come('away', keeping(4), { session: away.client.session })
  await quiet()
  assert.equal(numbers(back.heard), upTo(10))
})

test('ten thousand retained messages reach a new subscription, whatever the QoS and however slowly it takes them; what comes meanwhile is not overtaken', async () => {
  for (const [qos, receiveMaximum] of [[0, 65_535], [1, 65_535], [2, 7]] as const) {
    const house = new House({ store: new MemoryStore({ maximumMailbox: 50 }) })
    const count = qos === 2 ? 2000 : 10_000
    for (let i = 0; i < count; i++) await house.broker.publish({ topic: `r/${i}`, payload: String(i), qos: 2, retain: true })
    const guest = await house.come('greedy', { version: 5, properties: { receiveMaximum } })
    await guest.client.subscribe({ filter: 'r/#', qos })
    const last = count - 1
    await house.broker.publish({ topic: `r/${last}`, payload: String(count), qos: 2, retain: true })
    await until(() => guest.heard.length >= count, 40_000)
    await quiet()
    assert.is(new Set(guest.messages.map(({ topic }) => topic)).size, count)
    const ofLast = guest.messages.filter(({ topic }) => topic === `r/${last}`).map(({ payload }) => Number(new TextDecoder().decode(payload)))
    assert.is(ofLast.at(-1), count)
    assert.is(house.broker.counters.dropped, 0)
  }
})

test('retained messages that wait are bounded too; those of QoS 1 and 2 wait for the next connection, those of QoS 0 do not', async () => {
  const store = new MemoryStore({ maximumRetained: 12_000 })
  const house = new House({ store })
  for (let i = 0; i < 12_000; i++) await house.broker.publish({ topic: `r/${i}`, payload: String(i), qos: 1, retain: true })
  const slow: Partial<Parameters<House['come']>[1]> = { version: 5, cleanStart: false, properties: { sessionExpiryInterval: 60, receiveMaximum: 10 } }
  const first = await house.come('slow', slow, { answer: () => 'later' })
  await first.client.subscribe({ filter: 'r/#', qos: 1 })
  await first.client.subscribe('r/1')
  await quiet()
  // Of the second subscription one more waits, of QoS 0: ten have gone out.
  assert.equal([first.heard.length, house.broker.counters.dropped], [10, 2_000])
  await cut(first)
  await quiet()
  // What a mailbox takes is kept, and no more, however often that is done.
  assert.equal([store.counters.queued, house.broker.counters.dropped], [1_000, 2_000 + 8_990])
  const again = await house.come('slow', slow, { session: first.client.session, answer: () => 'later' })
  await again.client.subscribe({ filter: 'r/#', qos: 1 })
  await cut(again)
  await quiet()
  assert.is(store.counters.queued, 1_000)
  const back = await house.come('slow', slow, { session: again.client.session })
  await until(() => new Set(numbers(back.heard)).size >= 1_010, 20_000)
  await quiet()
  assert.equal([new Set(numbers(back.heard)).size, store.counters.queued], [1_010, 0])
})

test('QoS 0 waits behind retained messages that a Client is slow to read: the newest comes last', async () => {
  const house = new House()
  for (let i = 0; i < 3000; i++) await house.broker.publish({ topic: `r/${i}`, payload: String(i).padEnd(1000), retain: true })
  const guest = await house.come('slow')
  guest.wire.server.stalled = true
  const subscribed = guest.client.subscribe('r/#')
  await quiet()
  for (const i of [2999, 1500, 0]) await house.broker.publish({ topic: `r/${i}`, payload: 'newest', retain: true })
  guest.wire.server.release()
  await subscribed
  await until(() => guest.heard.length >= 3003)
  for (const i of [2999, 1500, 0]) assert.match(guest.heard.findLast((one) => one.startsWith(`r/${i}=`))!, /newest/)
  assert.is(house.broker.counters.dropped, 0)
})

test('who asks for everything again and again without reading has ten thousand messages waiting and no more', async () => {
  const house = new House()
  for (let i = 0; i < 5000; i++) await house.broker.publish({ topic: `r/${i}`, payload: 'x'.repeat(400), retain: true })
  const wire = pair()
  const peer = house.broker.accept(wire.server, { timers: house.timers })
  wire.client.write(Uint8Array.of(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x63))
  await quiet()
  wire.server.stalled = true
  for (let i = 1; i <= 8; i++) wire.client.write(Uint8Array.of(0x82, 6, 0, i, 0, 1, 0x23, 1))
  for (let i = 0; i < 10; i++) await quiet()
  assert.ok(peer.counters.bytesSent < 1_200_000, `${peer.counters.bytesSent}`)
  await house.pass(31)
  for (let i = 0; i < 10; i++) await quiet()
  assert.equal([house.broker.counters.connections, house.broker.counters.sessions, house.errors], [0, 0, []])
})

test('sessions are bounded: who is new is refused, who is known may come, and one that ends makes room', async () => {
  const house = new House({ maximumSessions: 3 })
  const known = await house.come('known', keeping(5, 10))
  await cut(known)
  await house.come('b')
  await house.come('c')
  assert.is((await failure(house.come('d'))).cause.reasonCode, 0x97)
  assert.is((await failure(house.come('d', { version: 4 }))).cause.reasonCode, 3)
  await cut(await house.come('known', keeping(5, 10), { session: known.client.session }))
  await house.pass(11)
  await house.come('d')
  // All at once, on a store that takes its time, they are no more.
  const crowd = new House({ maximumSessions: 5, store: slowly(new MemoryStore(), 1).store })
  const came = await Promise.allSettled(upTo(20).map((i) => crowd.come(`c${i}`)))
  assert.equal([came.filter(({ status }) => status === 'fulfilled').length, crowd.broker.counters.sessions], [5, 5])
})

test('subscriptions of a session are bounded; one that is there may be replaced', async () => {
  const house = new House({ maximumSubscriptions: 3 })
  const guest = await house.come('x', keeping(5))
  await guest.client.subscribe(['a', 'b', 'c'])
  const refused = await failure(guest.client.subscribe(['d', 'a', 'e'])) as unknown as Refused
  assert.equal((refused.packet as unknown as { reasonCodes: number[] }).reasonCodes, [0x97, 0, 0x97])
  await guest.client.unsubscribe('b')
  assert.equal(await guest.client.subscribe('d'), [0])
  assert.is(house.broker.counters.subscriptions, 3)
})

test('topics of thousands of levels are not taken: each level would be kept', async () => {
  const house = new House()
  const guest = await house.come('deep')
  const deep = (levels: number): string => Array(levels).fill('').join('/')
  assert.is((await failure(guest.client.subscribe(deep(129))) as unknown as Refused).reasonCode, 0x8f)
  assert.is((await failure(guest.client.publish({ topic: deep(30_000), payload: 'x', qos: 1, retain: true })) as unknown as Refused).reasonCode, 0x90)
  assert.equal(await guest.client.subscribe(deep(128)), [0])
  await guest.client.publish({ topic: deep(128), payload: 'x', qos: 1 })
  await quiet()
  assert.is(guest.heard.length, 1)
})

test('a Client gets nothing larger than its Maximum Packet Size, and the rest goes on', async () => {
  const house = new House()
  await house.broker.publish({ topic: 'big/r', payload: 'x'.repeat(100), qos: 1, retain: true })
  const guest = await house.come('small', { version: 5, properties: { maximumPacketSize: 40 } })
  await guest.client.subscribe({ filter: '#', qos: 1 })
  for (const qos of [0, 1, 2] as const) for (const length of [10, 100]) await house.broker.publish({ topic: 't', payload: 'x'.repeat(length), qos })
  await quiet()
  assert.equal(guest.messages.map(({ qos, payload }) => [qos, payload.length]), [[0, 10], [1, 10], [1, 10]])
  assert.equal([house.broker.counters.dropped, sizeOf(guest.peer.session!).ours], [4, 0])
})

test('one that takes not even CONNACK is not let in, and leaves its session as it was', async () => {
  const house = new House()
  const first = await house.come('x', keeping(5))
  await first.client.subscribe({ filter: 'a', qos: 1 })
  await cut(first)
  const wire = pair()
  const peer = house.broker.accept(wire.server, { timers: house.timers })
  // CONNECT 5.0 without clean start, Session Expiry Interval 60, Maximum Packet Size 1.
  wire.client.write(Uint8Array.of(0x10, 24, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 0, 0, 0, 10, 0x11, 0, 0, 0, 60, 0x27, 0, 0, 0, 1, 0, 1, 0x78))
  await peer.closed
  assert.equal(wire.server.written, [])
  await house.broker.publish({ topic: 'a', payload: 'kept', qos: 1 })
  const back = await house.come('x', keeping(5), { session: first.client.session })
  await quiet()
  assert.equal(back.heard, ['a=kept q1'])
  // Nor does it keep it for longer.
  await cut(back)
  const again = pair()
  const other = house.broker.accept(again.server, { timers: house.timers })
  again.client.write(Uint8Array.of(0x10, 24, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 0, 0, 0, 10, 0x11, 0, 0, 0, 60, 0x27, 0, 0, 0, 1, 0, 1, 0x78))
  await other.closed
  await house.pass(3599)
  assert.is(house.broker.counters.sessions, 1)
  await house.pass(2)
  assert.is(house.broker.counters.sessions, 0)
})

test('more unanswered messages than Receive Maximum, Topic Aliases beyond the maximum or unknown: 5.0 Clients are told and gone', async () => {
  let open!: () => void
  const gate = new Promise<void>((resolve) => { open = resolve })
  const house = new House({ receiveMaximum: 3, topicAliasMaximum: 2, authorize: (_, action) => (action === 'publish' ? gate.then(() => true) : true) })
  const publish = (id: number, qos: number): number[] => [0x30 | (qos << 1), 7, 0, 1, 0x61, 0, id, 0, 0x78]
  const alias = (number: number, topic: string): number[] => [0x30, 3 + topic.length + 4, 0, topic.length, ...[...topic].map((c) => c.charCodeAt(0)), 3, 0x23, 0, number, 0x78]
  for (const [bytes, code] of [[[1, 2, 3, 4].flatMap((id) => publish(id, 1)), undefined], [alias(3, 'a'), 0x94], [alias(2, ''), 0x82]] as const) {
    const guest = await house.come('liar')
    assert.equal([guest.client.connack.properties?.receiveMaximum, guest.client.connack.properties?.topicAliasMaximum], [3, 2])
    guest.wire.client.write(Uint8Array.from(bytes))
    await quiet()
    if (code !== undefined) assert.is((await guest.client.closed).reasonCode, code)
    else {
      // While one is dealt with the next is not even read: three at a time are never exceeded, so it has done no wrong.
      assert.is(guest.peer.counters.packetsReceived, 2)
      open()
      await quiet()
      assert.is(guest.peer.state.phase, 'connected')
      await cut(guest)
    }
  }
  assert.is(house.broker.counters.received, 4)
})

test('QoS 2 messages that are never released are bounded by Receive Maximum', async () => {
  const house = new House({ receiveMaximum: 50 })
  const guest = await house.come('hoarder', keeping(5))
  guest.wire.client.write(Uint8Array.from(upTo(60).flatMap((i) => [0x34, 7, 0, 1, 0x61, 0, i + 1, 0, 0x78])))
  const cause = await guest.peer.closed
  assert.equal([cause.reasonCode, sizeOf(guest.peer.session!).theirs, house.broker.counters.received], [0x93, 50, 50])
})

test('a Client that answers its own messages by more of them burdens only itself', async () => {
  const house = new House()
  const loop = await house.come('loop', {}, { answer: () => { void loop.client.publish({ topic: 'a', payload: '1', qos: 1 }).catch(() => {}) } })
  await loop.client.subscribe({ filter: 'a', qos: 1 })
  void loop.client.publish({ topic: 'a', payload: '1', qos: 1 })
  await quiet()
  const other = await house.come('other')
  await other.client.subscribe('b')
  await other.client.publish({ topic: 'b', payload: '2', qos: 2 })
  await quiet()
  assert.equal(other.heard, ['b=2 q0'])
  await cut(loop)
})

test('two Clients that fight for one name: each gets its turn, and nothing piles up', async () => {
  const house = new House()
  const guests: Guest[] = []
  for (let i = 0; i < 50; i++) {
    const guest = await house.come('same', keeping(5, 100, true))
    await guest.client.subscribe({ filter: 'a', qos: 1 })
    guests.push(guest)
  }
  await quiet()
  assert.is(guests.filter(({ client }) => client.state.phase === 'connected').length, 1)
  assert.equal([house.broker.counters.sessions, house.broker.counters.subscriptions], [1, 1])
  await cut(guests.at(-1)!)
  await house.pass(101)
  // No timer is left behind either.
  assert.equal([house.broker.counters.sessions, house.clock.pending], [0, 0])
})

test('garbage, and packets cut and changed, on two hundred connections: the broker lives, and is empty afterwards', async () => {
  const random = randomFrom(11)
  const house = new House()
  const good = await house.come('good')
  await good.client.subscribe({ filter: 'steady', qos: 2 })
  // CONNECT 5.0 with a Will, SUBSCRIBE "#", PUBLISH of QoS 2 retained, PUBREL, UNSUBSCRIBE, PINGREQ, DISCONNECT.
  const talk = [
    [0x10, 22, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 0x0e, 0, 0, 0, 0, 1, 0x62, 0, 0, 1, 0x77, 0, 1, 0x78, 0], [0x82, 7, 0, 1, 0, 0, 1, 0x23, 2], [0x35, 7, 0, 1, 0x61, 0, 2, 0, 0x78],
    [0x62, 2, 0, 2], [0xa2, 6, 0, 3, 0, 0, 1, 0x23], [0xc0, 0], [0xe0, 0],
  ]
  talk[0]![1] = talk[0]!.length - 2
  for (let i = 0; i < 200; i++) {
    const bytes = i % 4 === 0 ? upTo(random(200)).map(() => random(256)) : talk.flat()
    if (i % 4 > 1) for (let n = 0; n < 1 + random(4); n++) bytes[random(bytes.length)] = random(256)
    if (i % 5 === 0) bytes.length = random(bytes.length + 1)
    const wire = pair(1 + random(30))
    const peer = house.broker.accept(wire.server, { timers: house.timers })
    wire.client.onEnd = () => { wire.client.close() }
    wire.client.write(Uint8Array.from(bytes))
    await quiet(random(12))
    if (random(2) === 0) wire.cut()
    else wire.client.close()
    if (i % 50 === 0) await peer.closed
  }
  await good.client.publish({ topic: 'steady', payload: '1', qos: 2 })
  for (let i = 0; i < 5; i++) await quiet()
  assert.equal(good.heard.at(-1), 'steady=1 q2')
  await house.pass(700_000)
  await house.pass(10)
  assert.equal([house.broker.counters.connections, house.broker.counters.sessions, house.errors], [1, 1, []])
})

test.run()
