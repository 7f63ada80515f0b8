// Sessions on a broker: kept, gone on with, forgotten, taken over, in every version.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { newSession, saveSession } from '../../src/fsm/index.ts'
import { MemoryStore } from '../../src/broker/index.ts'
import { cut, failure, House, keeping } from '../helpers/broker.ts'
import { quiet } from '../helpers/pair.ts'

for (const version of [3, 4, 5] as const) {
  const name = { 3: '3.1', 4: '3.1.1', 5: '5.0' }[version]

  test(`MQTT-3.1.2-4 (3.1.1), MQTT-3.1.2-5 (3.1.1), MQTT-4.1.0-1 (3.1.1), MQTT-4.5.0-1 (3.1.1), MQTT-3.1.2-5 (5.0), MQTT-3.1.2-23 (5.0), MQTT-4.1.0-1 (5.0), MQTT-4.5.0-1 (5.0): who is away gets QoS 1 and 2 when it is back, and what it subscribed to still counts, in ${name}`, async () => {
    const house = new House()
    const first = await house.come('sleeper', keeping(version))
    await first.client.subscribe([{ filter: 'a/#', qos: 2 }, { filter: 'b', qos: 1 }])
    await first.client.disconnect()
    const speaker = await house.come('speaker', { version: 4 })
    for (const qos of [0, 1, 2] as const) await speaker.client.publish({ topic: `a/${qos}`, payload: 'x', qos })
    await speaker.client.publish({ topic: 'b', payload: 'y', qos: 2 })
    const second = await house.come('sleeper', keeping(version), { session: first.client.session })
    await quiet()
    assert.is(second.client.connack.sessionPresent, version !== 3)
    assert.equal(second.heard, ['a/1=x q1', 'a/2=x q2', 'b=y q1'])
    await speaker.client.publish({ topic: 'a/3', payload: 'z' })
    await quiet()
    assert.is(second.heard.at(-1), 'a/3=z q0')
    assert.equal(house.errors, [])
  })

  test(`MQTT-3.1.2-6 (3.1.1), MQTT-3.1.2-4 (5.0): a clean start throws away what there was, and nothing of a clean session is ever used again, in ${name}`, async () => {
    const house = new House()
    const first = await house.come('sleeper', keeping(version))
    await first.client.subscribe({ filter: 'a', qos: 1 })
    await first.client.disconnect()
    await house.broker.publish({ topic: 'a', payload: 'for the first', qos: 1 })
    const clean = await house.come('sleeper', { version })
    await quiet()
    assert.equal([clean.client.connack.sessionPresent, clean.heard, house.broker.counters.subscriptions], [false, [], 0])
    await clean.client.subscribe({ filter: 'a', qos: 1 })
    await cut(clean)
    await house.broker.publish({ topic: 'a', payload: 'for the second', qos: 1 })
    const third = await house.come('sleeper', keeping(version), { session: newSession('sleeper') })
    await quiet()
    assert.equal([third.client.connack.sessionPresent, third.heard, house.broker.counters.subscriptions], [false, [], 0])
  })

  test(`MQTT-3.1.2-6 (3.1.1): a clean session that is taken over does not go on in the one that takes it over, in ${name}`, async () => {
    const house = new House()
    const clean = await house.come('same', { version })
    await clean.client.subscribe({ filter: 'a', qos: 1 })
    const second = await house.come('same', keeping(version), { session: newSession('same') })
    await clean.client.closed
    await house.broker.publish({ topic: 'a', payload: 'x', qos: 1 })
    await quiet()
    assert.equal([second.client.connack.sessionPresent, second.heard, house.broker.counters.subscriptions], [false, [], 0])
  })

  test(`MQTT-3.1.4-2 (3.1.1), MQTT-3.1.4-3 (5.0): of two connections with one Client Identifier the older one goes, the session goes on, and no message is lost between them, in ${name}`, async () => {
    const house = new House()
    const heard: string[] = []
    let guest = await house.come('same', keeping(version), { heard })
    await guest.client.subscribe({ filter: 'a', qos: 2 })
    const speaker = await house.come('speaker', { version: 5 })
    const flow = (async () => {
      for (let i = 0; i < 100; i++) await speaker.client.publish({ topic: 'a', payload: String(i), qos: 2 })
    })()
    for (let i = 0; i < 5; i++) {
      await quiet(20)
      const [older, { session }] = [guest, guest.client]
      // The very session the older connection has at that moment: from then on it hears nothing more.
      older.client.onPublish = () => 'later'
      guest = await house.come('same', keeping(version), { heard, session: older.client.session ?? session })
      const cause = await older.client.closed
      assert.is(cause.why, version === 5 ? 'taken-over' : 'ended')
      if (version === 5) assert.is(cause.reasonCode, 0x8e)
      assert.is(guest.client.connack.sessionPresent, version !== 3)
    }
    await flow
    for (let i = 0; i < 10; i++) await quiet()
    const numbers = heard.map((one) => Number(/=(\d+)/.exec(one)![1]))
    assert.equal([...new Set(numbers)].sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i))
    assert.is(house.broker.counters.sessions, 2)
  })

  test(`a window that was full when the connection broke does not stall the next one, in ${name}`, async () => {
    const house = new House()
    const first = await house.come('slow', keeping(version), { answer: () => 'later' })
    await first.client.subscribe({ filter: 'a', qos: 1 })
    for (let i = 0; i < 200; i++) await house.broker.publish({ topic: 'a', payload: String(i), qos: 1 })
    await quiet()
    assert.is(first.heard.length, 64)
    await cut(first)
    const second = await house.come('slow', keeping(version), { session: first.client.session })
    for (let i = 0; i < 10; i++) await quiet()
    assert.equal(second.heard.map((one) => Number(/=(\d+)/.exec(one)![1])), Array.from({ length: 200 }, (_, i) => i))
    assert.equal([saveSession(second.peer.session!).sent, house.broker.counters.dropped], [[], 0])
  })
}

test('MQTT-4.3.3-2 (3.1.1), MQTT-4.3.3-8 (5.0): a message of QoS 2 that came while its PUBREC did not get through is answered when it comes again, and not passed on again', async () => {
  for (const version of [3, 4, 5] as const) {
    const house = new House()
    const hearer = await house.come('hearer')
    await hearer.client.subscribe({ filter: 'a', qos: 2 })
    const first = await house.come('speaker', keeping(version))
    first.peer.onTrace = ({ input }) => { if (input.type === 'received') first.peer.abort() }
    await failure(first.client.publish({ topic: 'a', payload: '1', qos: 2 }))
    await house.come('speaker', keeping(version), { session: first.client.session })
    await quiet()
    assert.equal(hearer.heard, ['a=1 q2'])
    // The identifier is a new message's then.
    const second = await house.come('speaker', keeping(version), { session: newSession('speaker') })
    await second.client.publish({ topic: 'a', payload: '2', qos: 2, packetId: 1 } as never)
    await quiet()
    assert.equal(hearer.heard, ['a=1 q2', 'a=2 q2'])
  }
})

test('a message that comes in whatever gap there is between looking into the mailbox and giving up goes out', async () => {
  for (let gap = 0; gap < 12; gap++) {
    const store = new MemoryStore()
    const house = new House({ store })
    // Its PUBACK would wake the broker again.
    const guest = await house.come('x', {}, { answer: () => 'later' })
    await guest.client.subscribe({ filter: 'a', qos: 1 })
    await quiet()
    const take = store.take.bind(store)
    let armed = true
    store.take = (clientId, count) => {
      const taken = take(clientId, count)
      if (taken.length > 0 || !armed) return taken
      armed = false
      let later = Promise.resolve()
      for (let i = 0; i < gap; i++) later = later.then(() => {})
      void later.then(() => house.broker.publish({ topic: 'a', payload: '2', qos: 1 }))
      return taken
    }
    await house.broker.publish({ topic: 'a', payload: '1', qos: 1 })
    await quiet()
    assert.equal([guest.heard, armed], [['a=1 q1', 'a=2 q1'], false], `after ${gap}`)
  }
})

test('MQTT-3.1.3-5 (3.1.1), MQTT-3.1.3-5 (5.0): Client Identifiers of 1 to 23 of the letters and digits are taken, and others too', async () => {
  const house = new House()
  for (const version of [3, 4, 5] as const) {
    for (const clientId of ['0', '0123456789abcdefghijklm', 'nopqrstuvwxyzABCDEFGHIJ', 'KLMNOPQRSTUVWXYZ']) await house.come(clientId, { version })
    if (version > 3) for (const clientId of ['__proto__', 'ü/+#$', 'x'.repeat(300)]) await house.come(clientId, { version })
  }
  assert.is(house.broker.counters.sessions, 7)
})

test('MQTT-3.1.3-6 (3.1.1), MQTT-3.1.3-6 (5.0), MQTT-3.2.2-16 (5.0): who comes without an identifier gets one that nobody else has', async () => {
  const house = new House()
  const names = new Set<string>()
  const guests = []
  for (const version of [4, 5, 4, 5] as const) {
    const guest = await house.come('', { version })
    guests.push(guest)
    if (version === 5) names.add(guest.client.connack.properties!.assignedClientIdentifier!)
    await guest.client.subscribe('a')
  }
  await house.broker.publish({ topic: 'a', payload: 'x' })
  await quiet()
  assert.equal([guests.map(({ heard }) => heard), names.size, house.broker.counters.sessions], [Array(4).fill(['a=x q0']), 2, 4])
  // And a session of that name goes on.
  const kept = await house.come('', { version: 5, properties: { sessionExpiryInterval: 60 } })
  await cut(kept)
  const back = await house.come(kept.client.clientId, keeping(5), { session: kept.client.session })
  assert.is(back.client.connack.sessionPresent, true)
})

test('MQTT-4.1.0-2 (5.0): a session ends when its expiry has passed after the connection, and nothing is left', async () => {
  const house = new House()
  for (const [asked, lives] of [[0, 0], [10, 10], [700_000, 604_800], [0xffff_ffff, 604_800]] as const) {
    const guest = await house.come('sleeper', keeping(5, asked, true))
    assert.is(guest.client.connack.properties?.sessionExpiryInterval, asked > lives ? lives : undefined)
    await guest.client.subscribe({ filter: 'a', qos: 1 })
    await cut(guest)
    await quiet()
    assert.is(house.broker.counters.sessions, lives > 0 ? 1 : 0)
    await house.broker.publish({ topic: 'a', payload: 'x', qos: 1 })
    await house.pass(lives - 1)
    assert.is(house.broker.counters.sessions, lives > 0 ? 1 : 0)
    await house.pass(1.1)
    assert.equal([house.broker.counters.sessions, house.broker.counters.subscriptions], [0, 0])
    const back = await house.come('sleeper', keeping(5, 0), { session: newSession('sleeper') })
    await quiet()
    assert.equal([back.client.connack.sessionPresent, back.heard], [false, []])
    await cut(back)
  }
})

test('a session of 3.x ends after the longest time a session is kept; a DISCONNECT of 5.0 may shorten it', async () => {
  const house = new House({ maximumSessionExpiry: 100 })
  const old = await house.come('old', keeping(4))
  await old.client.disconnect()
  const young = await house.come('young', keeping(5, 50))
  await young.client.disconnect({ properties: { sessionExpiryInterval: 5 } })
  const gone = await house.come('gone', keeping(5, 50))
  await gone.client.disconnect({ properties: { sessionExpiryInterval: 0 } })
  await quiet()
  assert.is(house.broker.counters.sessions, 2)
  await house.pass(6)
  assert.is(house.broker.counters.sessions, 1)
  await house.pass(93)
  assert.is(house.broker.counters.sessions, 1)
  await house.pass(2)
  assert.is(house.broker.counters.sessions, 0)
})

test('a Client that is back keeps its session: the end that waited is off, also when it stays for long', async () => {
  const house = new House()
  const first = await house.come('sleeper', keeping(5, 10))
  await cut(first)
  await house.pass(9)
  const second = await house.come('sleeper', keeping(5, 10), { session: first.client.session })
  await house.pass(1000)
  assert.is(second.client.state.phase, 'connected')
  await cut(second)
  await house.pass(9)
  const third = await house.come('sleeper', keeping(5, 10), { session: second.client.session })
  assert.is(third.client.connack.sessionPresent, true)
})

test('a session goes on from one version to another', async () => {
  const house = new House()
  const first = await house.come('x', keeping(5))
  await first.client.subscribe([{ filter: 'a', qos: 2 }], { subscriptionIdentifier: 3 })
  await first.client.disconnect()
  await house.broker.publish({ topic: 'a', payload: '1', qos: 2, properties: { contentType: 'text/plain' } })
  const second = await house.come('x', keeping(4), { session: first.client.session })
  await quiet()
  assert.equal([second.heard, second.messages[0]!.properties], [['a=1 q2'], undefined])
  await second.client.disconnect()
  await house.broker.publish({ topic: 'a', payload: '2', qos: 2, properties: { contentType: 'text/plain' } })
  const third = await house.come('x', keeping(5), { session: second.client.session })
  await quiet()
  assert.equal([third.heard, third.messages[0]!.properties], [['a=2 q2'], { contentType: 'text/plain', subscriptionIdentifiers: [3] }])
})

test('MQTT-4.5.0-2 (3.1.1), MQTT-4.5.0-2 (5.0): a client acknowledges what it is sent whether or not anybody wants it', async () => {
  const house = new House()
  for (const version of [4, 5] as const) {
    const guest = await house.come(`v${version}`, { version })
    guest.client.onPublish = undefined
    await guest.client.subscribe({ filter: 'a', qos: 2 })
    for (const qos of [1, 2] as const) await house.broker.publish({ topic: 'a', payload: '', qos })
    await quiet()
    assert.equal([saveSession(guest.peer.session!).sent, guest.client.counters.packetsReceived], [[], 5], 'CONNACK, SUBACK, two messages and PUBREL')
  }
})

test('a broker that closes tells 5.0 Clients why, and keeps the sessions in the store', async () => {
  const house = new House()
  const guests = [await house.come('a', keeping(5)), await house.come('b', keeping(4)), await house.come('c')]
  await guests[0]!.client.subscribe({ filter: '#', qos: 1 })
  const closed = house.broker.close()
  const causes = await Promise.all(guests.map(({ client }) => client.closed))
  assert.equal(causes.map(({ reasonCode }) => reasonCode), [0x8b, undefined, 0x8b])
  await closed
  assert.equal([house.broker.counters.connections, house.broker.counters.sessions], [0, 2])
  assert.is((await failure(house.come('late'))).cause.reasonCode, 0x88)
})

test.run()
