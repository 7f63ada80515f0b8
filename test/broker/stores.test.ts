// A store that takes its time, one that two brokers share, one that fails, one that outlives a broker.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromJson, toJson } from '../../src/codec/index.ts'
import { newSession, saveSession, sizeOf } from '../../src/fsm/index.ts'
import { MemoryStore } from '../../src/broker/index.ts'
import type { StoredSession } from '../../src/broker/index.ts'
import { cut, failure, House, keeping, slowly, until } from '../helpers/broker.ts'
import type { Guest } from '../helpers/broker.ts'
import { pair, quiet } from '../helpers/pair.ts'
import { randomFrom } from '../helpers/random.ts'

const WILL = { topic: 'will', payload: 'gone', qos: 1, retain: false } as const
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const numbers = (heard: readonly string[]): number[] => heard.map((one) => Number(/=(\d+)/.exec(one)![1]))

/** Lets slow answers come. */
async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await quiet()
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`a slow store (${seed}): every QoS in order, through connections that come and go, nothing lost and QoS 2 once`, async () => {
    const { store } = slowly(new MemoryStore(), seed)
    const house = new House({ store })
    const heard: string[] = []
    let guest = await house.come('hearer', keeping(5), { heard })
    await guest.client.subscribe([{ filter: 'one', qos: 1 }, { filter: 'two', qos: 2 }])
    const speakers = await Promise.all(['s0', 's1'].map((id) => house.come(id)))
    const flow = Promise.all([1, 2].flatMap((qos) => upTo(30).map((i) => speakers[qos - 1]!.client.publish({ topic: qos === 1 ? 'one' : 'two', payload: String(i), qos: qos as 1 | 2 }))))
    for (let cuts = 0; cuts < 4; cuts++) {
      await quiet(60)
      await cut(guest)
      guest = await house.come('hearer', keeping(5), { heard, session: guest.client.session })
      assert.is(guest.client.connack.sessionPresent, true)
    }
    await flow
    await until(() => numbers(heard.filter((one) => one.startsWith('two'))).length >= 30 && new Set(numbers(heard.filter((one) => one.startsWith('one')))).size >= 30)
    await settle()
    assert.equal(numbers(heard.filter((one) => one.startsWith('two'))), upTo(30))
    assert.equal(numbers(heard.filter((one) => one.startsWith('one'))).filter((n, i, all) => all.indexOf(n) === i), upTo(30))
    assert.equal([saveSession(guest.peer.session!).sent, house.errors], [[], []])
  })
}

test('a slow store: retained messages, Wills and the end of sessions as with a quick one', async () => {
  const { store } = slowly(new MemoryStore(), 9)
  const house = new House({ store })
  const hearer = await house.come('hearer')
  await hearer.client.subscribe({ filter: 'will', qos: 1 })
  const mortal = await house.come('mortal', { version: 5, will: WILL, properties: { sessionExpiryInterval: 5 } })
  await mortal.client.publish({ topic: 'kept', payload: '1', qos: 1, retain: true })
  await mortal.client.subscribe({ filter: 'x', qos: 1 })
  await cut(mortal)
  await until(() => hearer.heard.length === 1)
  await hearer.client.subscribe({ filter: 'kept', qos: 1 })
  await until(() => hearer.heard.length === 2)
  assert.equal(hearer.heard, ['will=gone q1', 'kept=1 q1 r'])
  await house.pass(6)
  await settle()
  assert.equal([house.broker.counters.sessions, house.broker.counters.subscriptions, house.errors], [1, 2, []])
})

test('a slow store: a retained message never comes behind the newer one that took its place', async () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const { store } = slowly(new MemoryStore(), seed)
    const house = new House({ store })
    const [hearer, speaker] = [await house.come('hearer'), await house.come('speaker')]
    await speaker.client.publish({ topic: 'a', payload: '0', qos: 1, retain: true })
    const flow = (async () => {
      for (let i = 1; i < 12; i++) await speaker.client.publish({ topic: 'a', payload: String(i), qos: 0, retain: true })
      await speaker.client.publish({ topic: 'a', payload: '12', qos: 1, retain: true })
    })()
    await quiet(10)
    await hearer.client.subscribe('a')
    await flow
    await until(() => numbers(hearer.heard).at(-1) === 12)
    const heard = numbers(hearer.heard)
    assert.equal(heard, heard.toSorted((a, b) => a - b))
  }
})

test('a slow store: a Client that does not wait for its CONNACK leaves its session as it was, and no ghost', async () => {
  for (const impatient of [false, true]) {
    const { store } = slowly(new MemoryStore(), 3)
    const house = new House({ store })
    const first = await house.come('sleeper', keeping(5))
    await first.client.subscribe({ filter: 'a', qos: 1 })
    await cut(first)
    await settle()
    for (const clientId of ['sleeper', 'nobody']) {
      const wire = pair()
      house.broker.accept(wire.server, { timers: house.timers })
      const id = [...clientId].map((letter) => letter.charCodeAt(0))
      wire.client.write(Uint8Array.of(0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, clientId === 'nobody' ? 2 : 0, 0, 0, 0, id.length, ...id))
      await quiet(2)
      // Gone, or given up by the Server itself, which has to answer within 30 s.
      if (impatient) house.clock.pass(31_000)
      wire.cut()
      await settle()
    }
    assert.equal([house.broker.counters.sessions, house.broker.counters.connections], [1, 0])
    await house.broker.publish({ topic: 'a', payload: 'kept', qos: 1 })
    const back = await house.come('sleeper', keeping(5), { session: first.client.session })
    await until(() => back.heard.length === 1)
    assert.equal(back.heard, ['a=kept q1'])
    await cut(back)
    await house.pass(3601)
    await settle()
    assert.is(house.broker.counters.sessions, 0)
  }
})

test('a claim that comes through when its connection has been given up: the session is there, as it was, and ends when it should', async () => {
  for (const known of [true, false]) {
    const store = new MemoryStore()
    const house = new House({ store })
    if (known) {
      const first = await house.come('x', keeping(5, 100))
      await first.client.subscribe({ filter: 'a', qos: 1 })
      await cut(first)
    }
    const claim = store.claim.bind(store)
    let open!: () => void
    const gate = new Promise<void>((resolve) => { open = resolve })
    store.claim = async (...args) => {
      await gate
      return claim(...args)
    }
    const wire = pair()
    const peer = house.broker.accept(wire.server, { timers: house.timers })
    wire.client.write(Uint8Array.of(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 0, 0, 1, 0x78))
    await quiet()
    house.clock.pass(31_000)
    wire.cut()
    await peer.closed
    open()
    await quiet()
    assert.equal([house.broker.counters.sessions, house.broker.counters.subscriptions], known ? [1, 1] : [0, 0])
    await house.pass(68)
    assert.is(house.broker.counters.sessions, known ? 1 : 0)
    await house.pass(2)
    assert.equal([house.broker.counters.sessions, store.counters.sessions, house.clock.pending], [0, 0, 0])
  }
})

test('a slow store: many connections with one Client Identifier at once: one is left, and its session is the one that was there', async () => {
  const { store } = slowly(new MemoryStore(), 4)
  const house = new House({ store })
  const first = await house.come('same', keeping(5))
  await first.client.subscribe({ filter: 'a', qos: 1 })
  const all = await Promise.allSettled(upTo(8).map(() => house.come('same', keeping(5), { session: newSession('same') })))
  await settle()
  const guests = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  assert.is(guests.filter(({ client }) => client.state.phase === 'connected').length, 1)
  assert.ok(guests.every(({ client }) => client.connack.sessionPresent))
  assert.equal([house.broker.counters.sessions, house.broker.counters.connections, house.broker.counters.subscriptions], [1, 1, 1])
  assert.is(await house.broker.publish({ topic: 'a', payload: 'x', qos: 1 }), 1)
})

test('a slow authorize: a SUBSCRIBE answered after the Client is gone, or another connection has its session, leaves nothing behind', async () => {
  let allow!: (yes: boolean) => void
  const house = new House({ authorize: () => new Promise<boolean>((resolve) => { allow = resolve }) })
  const first = await house.come('same', keeping(5))
  first.client.subscribe({ filter: 'a', qos: 1 }).catch(() => {})
  await quiet()
  const late = allow
  const second = await house.come('same', keeping(5), { session: newSession('same') })
  late(true)
  await quiet()
  assert.is(house.broker.counters.subscriptions, 0)
  const subscribed = second.client.subscribe({ filter: 'a', qos: 1 })
  await quiet()
  allow(true)
  await subscribed
  assert.is(house.broker.counters.subscriptions, 1)
})

test('a connection that ends while its own message is being distributed: the next one waits for that, the message counts as received, and comes again only where it has failed', async () => {
  for (const how of ['cut', 'taken over'] as const) {
    for (const fails of [false, true]) {
      const store = new MemoryStore()
      const house = new House({ store })
      const hearer = await house.come('hearer')
      await hearer.client.subscribe({ filter: 'a', qos: 2 })
      const publish = store.publish.bind(store)
      let open!: () => void
      const gate = new Promise<void>((resolve) => { open = resolve })
      let asked = 0
      store.publish = async (message) => {
        if (asked++ > 0) return publish(message)
        await gate
        if (fails) throw new Error('publish failed')
        return publish(message)
      }
      const first = await house.come('speaker', keeping(5))
      first.client.publish({ topic: 'a', payload: '1', qos: 2 }).catch(() => {})
      await quiet()
      if (how === 'cut') first.wire.cut()
      let there = false
      const coming = house.come('speaker', keeping(5), { session: first.client.session }).then((guest) => {
        there = true
        return guest
      })
      await quiet()
      assert.is(there, false, 'until it is known what has become of the message')
      open()
      const second = await coming
      await second.client.publish({ topic: 'a', payload: '2', qos: 2 })
      await quiet()
      assert.equal([hearer.heard, asked], [['a=1 q2', 'a=2 q2'], fails ? 3 : 2], `${how} ${fails}`)
      assert.equal(sizeOf(second.client.session!), { ours: 0, theirs: 0 })
    }
  }
})

test('a connection that is taken over while nobody has said yet whether its message may be published: the message comes again, and goes out once', async () => {
  const waiting: (() => void)[] = []
  const house = new House({ authorize: (_, action) => (action === 'subscribe' ? true : new Promise<boolean>((resolve) => { waiting.push(() => { resolve(true) }) })) })
  const hearer = await house.come('hearer')
  await hearer.client.subscribe({ filter: 'a', qos: 2 })
  const first = await house.come('speaker', keeping(5))
  first.client.publish({ topic: 'a', payload: '1', qos: 2 }).catch(() => {})
  await quiet()
  const second = await house.come('speaker', keeping(5), { session: first.client.session })
  await quiet()
  assert.is(waiting.length, 2)
  for (const answer of waiting) answer()
  await quiet()
  assert.equal([hearer.heard, sizeOf(second.client.session!)], [['a=1 q2'], { ours: 0, theirs: 0 }])
})

test('a broker that closes does so when its sessions are saved', async () => {
  const store = new MemoryStore()
  const house = new House({ store: slowly(store, 8).store })
  const guest = await house.come('x', keeping(5))
  await guest.client.subscribe({ filter: 'a', qos: 1 })
  await house.broker.close()
  let saved: StoredSession | undefined
  void store.claim('x', false, 0, (_, session) => { saved = session })
  assert.equal(saved?.subscriptions.map(({ filter }) => filter), ['a'])
})

test('a message for a Client whose connection is over, and whose own last message is still being dealt with, is for its next one', async () => {
  let open!: (yes: boolean) => void
  const house = new House({ authorize: (_, action) => (action === 'subscribe' ? true : new Promise<boolean>((resolve) => { open = resolve })) })
  const first = await house.come('x', keeping(5))
  await first.client.subscribe({ filter: '#', qos: 1 })
  first.client.publish({ topic: 'own', payload: '1', qos: 1 }).catch(() => {})
  await quiet()
  first.peer.abort()
  await quiet()
  await house.broker.publish({ topic: 'a', payload: '2', qos: 1 })
  await quiet()
  open(true)
  await quiet()
  const back = await house.come('x', keeping(5), { session: newSession('x') })
  await quiet()
  assert.equal(back.heard.toSorted(), ['a=2 q1', 'own=1 q1'])
})

/** Two brokers on one store and one clock. */
function twins(seed?: number): { readonly one: House, readonly two: House, readonly store: MemoryStore } {
  const store = new MemoryStore()
  const shared = seed === undefined ? store : slowly(store, seed).store
  const one = new House({ store: shared })
  return { one, two: new House({ store: shared }, one.clock), store }
}

for (const seed of [undefined, 1, 2, 3]) {
  const which = seed === undefined ? 'a quick' : `a slow (${seed})`

  test(`two brokers on ${which} store: messages, retained ones too, go from one to the other`, async () => {
    const { one, two } = twins(seed)
    const [here, there] = [await one.come('here'), await two.come('there')]
    for (const { client } of [here, there]) await client.subscribe({ filter: 'a/#', qos: 2 })
    assert.is((await here.client.publish({ topic: 'a/1', payload: 'x', qos: 2, retain: true }))?.reasonCode, 0)
    await there.client.publish({ topic: 'a/2', payload: 'y', qos: 1 })
    await until(() => here.heard.length === 2 && there.heard.length === 2)
    assert.equal([here.heard.toSorted(), there.heard.toSorted()], [['a/1=x q2', 'a/2=y q1'], ['a/1=x q2', 'a/2=y q1']])
    const late = await two.come('late')
    await late.client.subscribe('a/1')
    await until(() => late.heard.length === 1)
    assert.equal(late.heard, ['a/1=x q0 r'])
  })

  test(`MQTT-3.1.4-3 (5.0): two brokers on ${which} store: a Client that comes to the other one takes its session with it, and none of its messages is lost or comes twice`, async () => {
    const { one, two, store } = twins(seed)
    const heard: string[] = []
    const speaker = await one.come('speaker')
    let guest: Guest = await one.come('walker', keeping(5), { heard })
    await guest.client.subscribe({ filter: 'a', qos: 2 })
    const flow = (async () => {
      for (let i = 0; i < 60; i++) await speaker.client.publish({ topic: 'a', payload: String(i), qos: 2 })
    })()
    for (let i = 0; i < 6; i++) {
      await quiet(40)
      const older = guest
      if (i % 2 === 0) await cut(older)
      // What it has must not change any more once it is handed on.
      else older.client.onPublish = () => 'later'
      const held = older.client.session
      if (i % 2 === 1) older.wire.client.stalled = older.wire.server.stalled = true
      guest = await (i % 2 === 0 ? two : one).come('walker', keeping(5), { heard, session: held })
      assert.is(guest.client.connack.sessionPresent, true)
      if (i % 2 === 1) assert.is((older.peer.state as { readonly cause?: { readonly why: string } }).cause?.why, 'taken-over')
    }
    await flow
    await until(() => numbers(heard).length >= 60)
    await settle()
    assert.equal(numbers(heard).toSorted((a, b) => a - b), upTo(60))
    assert.equal([one.errors, two.errors, one.broker.counters.sessions + two.broker.counters.sessions, store.counters.sessions], [[], [], 2, 2])
  })

  test(`two brokers on ${which} store: both reached at once by one Client, one wins, and the session is one broker's`, async () => {
    const { one, two, store } = twins(seed)
    for (let round = 0; round < 5; round++) {
      const all = await Promise.allSettled([one, two, one, two].map((house) => house.come('same', keeping(5), { session: newSession('same') })))
      await settle()
      const there = all.flatMap((each) => (each.status === 'fulfilled' && each.value.client.state.phase === 'connected' ? [each.value] : []))
      assert.is(there.length, 1)
      assert.equal([one.broker.counters.sessions + two.broker.counters.sessions, store.counters.sessions], [1, 1])
      await there[0]!.client.subscribe({ filter: 'a', qos: 1 })
      await one.broker.publish({ topic: 'a', payload: String(round), qos: 1 })
      await until(() => there[0]!.heard.length > 0)
      assert.equal(there[0]!.heard, [`a=${round} q1`])
    }
  })
}

test('two brokers: a session that waits at one has its Will cancelled and its end put off by the other; a clean start there ends it', async () => {
  for (const cleanStart of [false, true]) {
    const { one, two } = twins()
    const hearer = await one.come('hearer')
    await hearer.client.subscribe({ filter: 'will', qos: 1 })
    const mortal = await one.come('mortal', { version: 5, cleanStart: true, will: { ...WILL, properties: { willDelayInterval: 10 } }, properties: { sessionExpiryInterval: 20 } })
    await mortal.client.subscribe({ filter: 'a', qos: 1 })
    await cut(mortal)
    await one.pass(5)
    const there = await two.come('mortal', keeping(5, 20, cleanStart), { session: cleanStart ? undefined : mortal.client.session })
    await one.pass(100)
    assert.equal(hearer.heard, cleanStart ? ['will=gone q1'] : [])
    assert.is(there.client.connack.sessionPresent, !cleanStart)
    assert.equal([one.broker.counters.sessions, two.broker.counters.sessions, one.broker.counters.subscriptions, two.broker.counters.subscriptions], [1, 1, 1, cleanStart ? 0 : 1])
  }
})

test('a store that does not let a session be released: the older connection goes when the session has moved', async () => {
  const store = new MemoryStore()
  const subscribe = store.subscribe.bind(store)
  store.subscribe = (listener) => subscribe({ ...listener, release: () => {} })
  const one = new House({ store })
  const two = new House({ store }, one.clock)
  const older = await one.come('same', keeping(5))
  await two.come('same', keeping(5), { session: newSession('same') })
  assert.is((await older.client.closed).reasonCode, 0x8e)
  assert.equal([one.broker.counters.sessions, two.broker.counters.sessions], [0, 1])
})

test('a store that fails: whoever waits for it is disconnected and may try again, everybody else goes on, and the application is told', async () => {
  const slow = slowly(new MemoryStore(), 5)
  const { store, fail } = slow
  const house = new House({ store })
  const [hearer, speaker] = [await house.come('hearer', keeping(5)), await house.come('speaker', keeping(5))]
  await hearer.client.subscribe({ filter: '#', qos: 1 })
  for (const method of ['publish', 'post', 'retain'] as const) {
    const guest = await house.come(`p-${method}`, keeping(5))
    fail.add(method)
    assert.is((await failure(guest.client.publish({ topic: 'a', payload: 'x', qos: 1, retain: true }))).name, 'ConnectionClosed')
    fail.delete(method)
  }
  fail.add('claim')
  await failure(house.come('new'))
  fail.delete('claim')
  assert.equal([hearer.client.state.phase, speaker.client.state.phase], ['connected', 'connected'])
  fail.add('take')
  speaker.client.publish({ topic: 'a', payload: 'y', qos: 1 }).catch(() => {})
  await hearer.client.closed
  fail.delete('take')
  assert.equal(house.errors, [])
  fail.add('save')
  await cut(speaker)
  await settle()
  assert.equal(house.errors.map((error) => (error as Error).message), ['save failed', 'save failed'], 'of the hearer and of the speaker')
  fail.delete('save')
  const mortal = await house.come('mortal', { will: WILL })
  fail.add('publish').add('remove')
  await cut(mortal)
  await settle()
  assert.equal(house.errors.slice(2).map((error) => (error as Error).message).sort(), ['publish failed', 'remove failed'])
  fail.clear()
  assert.is((await house.come('new', keeping(5))).client.state.phase, 'connected')
})

test('a store that throws instead of giving a promise does no more harm', async () => {
  const store = new MemoryStore()
  const house = new House({ store })
  const guest = await house.come('x', keeping(5))
  await guest.client.subscribe({ filter: 'a', qos: 1 })
  store.save = () => { throw new Error('disk full') }
  await cut(guest)
  await quiet()
  assert.equal(house.errors.map((error) => (error as Error).message), ['disk full'])
  store.post = () => { throw new Error('disk full') }
  const speaker = await house.come('speaker')
  assert.is((await failure(speaker.client.publish({ topic: 'a', payload: '', qos: 1 }))).name, 'ConnectionClosed')
  store.publish = () => { throw new Error('disk full') }
  await cut(await house.come('mortal', { will: WILL }))
  await quiet()
  assert.is(house.errors.length, 2)
})

test('a store that outlives its broker, as JSON: sessions go on in the next one, which keeps messages for those it is told to look after', async () => {
  const before = new House({ store: new MemoryStore() })
  const kept: { [clientId: string]: string } = {}
  const store = (before.broker as unknown as { store: MemoryStore }).store
  const save = store.save.bind(store)
  store.save = (session, claim) => {
    kept[session.clientId] = JSON.stringify(toJson(session))
    return save(session, claim)
  }
  const guests = []
  for (const clientId of ['told', 'untold']) {
    const guest = await before.come(clientId, keeping(5, 60), { answer: () => 'later' })
    await guest.client.subscribe([{ filter: 'a', qos: 2 }], { subscriptionIdentifier: 5 })
    guests.push(guest)
  }
  for (let i = 0; i < 70; i++) await before.broker.publish({ topic: 'a', payload: String(i), qos: 2, properties: { correlationData: Uint8Array.of(i) } })
  await quiet()
  await before.broker.close()
  // Another process: another memory, filled from what was written down; the mailbox is a store's own business.
  const next = new MemoryStore()
  for (const [clientId, json] of Object.entries(kept)) {
    next.claim(clientId, false, 0, (claim) => { next.save(fromJson(JSON.parse(json)) as StoredSession, claim) })
    for (const one of store.take(clientId, Infinity)) next.post(clientId, one)
  }
  const after = new House({ store: next }, before.clock)
  await after.broker.adopt(['told', 'never heard of'])
  assert.is(after.broker.counters.sessions, 1)
  await after.broker.publish({ topic: 'a', payload: '70', qos: 2 })
  for (const [i, clientId] of ['told', 'untold'].entries()) {
    const back = await after.come(clientId, keeping(5, 60), { session: guests[i]!.client.session })
    for (let turn = 0; turn < 5; turn++) await quiet()
    assert.equal(numbers([...guests[i]!.heard, ...back.heard]).filter((n, at, all) => all.indexOf(n) === at), upTo(clientId === 'told' ? 71 : 70))
    assert.equal(back.messages.at(-1)!.properties?.subscriptionIdentifiers, [5])
    await cut(back)
  }
  await after.pass(61)
  assert.equal([after.broker.counters.sessions, next.counters.sessions, after.errors], [0, 0, []])
})

test('a session whose time ran out while no broker was there is over', async () => {
  const store = new MemoryStore()
  const before = new House({ store })
  const guest = await before.come('x', keeping(5, 60))
  await guest.client.subscribe({ filter: 'a', qos: 1 })
  await cut(guest)
  await before.broker.close()
  const after = new House({ store }, before.clock)
  await before.pass(60)
  const back = await after.come('x', keeping(5, 60), { session: guest.client.session })
  assert.equal([back.client.connack.sessionPresent, after.broker.counters.subscriptions], [false, 0])
})

test('random Clients on two brokers with a slow store: what is left is what is there', async () => {
  const random = randomFrom(77)
  const { one, two, store } = twins(6)
  const names = ['a', 'b', 'c']
  const coming: Promise<unknown>[] = []
  const guests: Guest[] = []
  for (let i = 0; i < 120; i++) {
    const house = random(2) === 0 ? one : two
    const clientId = names[random(3)]!
    const connect = keeping(5, random(3) === 0 ? 0 : 30, random(3) === 0)
    coming.push(house.come(clientId, connect, connect.cleanStart === true ? {} : { session: newSession(clientId) }).then((guest) => {
      guests.push(guest)
      if (random(2) === 0) guest.client.subscribe({ filter: `t${random(4)}`, qos: 1 }).catch(() => {})
      if (random(3) === 0) guest.wire.cut()
    }, () => {}))
    if (random(4) === 0) await quiet(random(30))
    if (random(20) === 0) one.clock.pass(random(40) * 1000)
    if (random(5) === 0) void one.broker.publish({ topic: `t${random(4)}`, payload: '', qos: 1 })
  }
  await Promise.all(coming)
  for (const guest of guests) guest.wire.cut()
  await settle()
  await one.pass(31)
  await settle()
  const of = ({ broker }: House): readonly number[] => [broker.counters.connections, broker.counters.sessions, broker.counters.subscriptions]
  assert.equal([of(one), of(two), store.counters.sessions, store.counters.queued, one.errors, two.errors], [[0, 0, 0], [0, 0, 0], 0, 0, [], []])
})

test.run()
