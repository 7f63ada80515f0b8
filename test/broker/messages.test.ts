// Who gets what, how: retained messages, granted QoS, overlapping subscriptions, No Local, order, properties, expiry; in every version that knows of it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isTopicFilter, isTopicName, topicMatches } from '../../src/codec/index.ts'
import type { ProtocolVersion, Publish } from '../../src/codec/index.ts'
import { House, keeping } from '../helpers/broker.ts'
import type { Guest } from '../helpers/broker.ts'
import { pair, quiet } from '../helpers/pair.ts'
import { randomFrom } from '../helpers/random.ts'

interface Scene { readonly house: House, readonly hearer: Guest, readonly speaker: Guest }

async function scene(version: ProtocolVersion): Promise<Scene> {
  const house = new House()
  return { house, hearer: await house.come('hearer', { version }), speaker: await house.come('speaker', { version }) }
}

/** Everything that has come since the last time. */
async function news({ heard }: Guest): Promise<string[]> {
  await quiet()
  return heard.splice(0)
}

for (const version of [4, 5] as const) {
  const name = { 4: '3.1.1', 5: '5.0' }[version]

  test(`MQTT-3.3.1-5 (3.1.1), MQTT-3.3.1-6 (3.1.1), MQTT-3.3.1-8 (3.1.1), MQTT-3.3.1-5 (5.0): a new subscription gets the last retained message of each topic, QoS as stored and RETAIN 1, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    for (const [topic, payload, qos] of [['a/1', 'old', 2], ['a/1', 'new', 1], ['a/2', 'x', 2], ['b', 'no', 1]] as const) await speaker.client.publish({ topic, payload, qos, retain: true })
    await hearer.client.subscribe({ filter: 'a/+', qos: 1 })
    assert.equal((await news(hearer)).sort(), ['a/1=new q1 r', 'a/2=x q1 r'])
    await hearer.client.subscribe({ filter: 'a/2', qos: 2 })
    assert.equal(await news(hearer), ['a/2=x q2 r'])
  })

  test(`MQTT-3.3.1-7 (3.1.1): a retained message of QoS 0 takes the place of one of QoS 1, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    await speaker.client.publish({ topic: 'a', payload: 'x', qos: 1, retain: true })
    await speaker.client.publish({ topic: 'a', payload: 'y', qos: 0, retain: true })
    await quiet()
    await hearer.client.subscribe({ filter: 'a', qos: 1 })
    assert.equal(await news(hearer), ['a=y q0 r'])
  })

  test(`MQTT-3.3.1-9 (3.1.1), MQTT-3.3.1-12 (5.0): a subscription that was there gets RETAIN 0 whatever came in, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    await hearer.client.subscribe({ filter: 'a', qos: 2 })
    for (const qos of [0, 1, 2] as const) await speaker.client.publish({ topic: 'a', payload: 'x', qos, retain: true })
    assert.equal(await news(hearer), ['a=x q0', 'a=x q1', 'a=x q2'])
  })

  test(`MQTT-3.3.1-10 (3.1.1), MQTT-3.3.1-11 (3.1.1), MQTT-3.3.1-6 (5.0), MQTT-3.3.1-7 (5.0): an empty retained message is delivered, removes the one before, and is not stored, in ${name}`, async () => {
    const { house, hearer, speaker } = await scene(version)
    await speaker.client.publish({ topic: 'a', payload: 'x', qos: 1, retain: true })
    await hearer.client.subscribe({ filter: '#', qos: 1 })
    await speaker.client.publish({ topic: 'a', payload: '', qos: 1, retain: true })
    await speaker.client.publish({ topic: 'fresh', payload: '', qos: 1, retain: true })
    assert.equal(await news(hearer), ['a=x q1 r', 'a= q1', 'fresh= q1'])
    const later = await house.come('later', { version })
    await later.client.subscribe('#')
    assert.equal(await news(later), [])
  })

  test(`MQTT-3.3.1-12 (3.1.1), MQTT-3.3.1-8 (5.0): RETAIN 0 neither stores nor touches what is retained, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    await speaker.client.publish({ topic: 'a', payload: 'x', qos: 1, retain: true })
    await speaker.client.publish({ topic: 'a', payload: 'y', qos: 1 })
    await speaker.client.publish({ topic: 'a', payload: '', qos: 1 })
    await hearer.client.subscribe('a')
    assert.equal(await news(hearer), ['a=x q0 r'])
  })

  test(`MQTT-3.1.2-7 (3.1.1): retained messages outlive the session that published them, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    await speaker.client.publish({ topic: 'a', payload: 'x', qos: 1, retain: true })
    await speaker.client.disconnect()
    await quiet()
    await hearer.client.subscribe('a')
    assert.equal(await news(hearer), ['a=x q0 r'])
  })

  test(`MQTT-3.8.4-6 (3.1.1), MQTT-3.8.4-8 (5.0): what is delivered has the lower of published and granted QoS, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    assert.equal(await hearer.client.subscribe([0, 1, 2].map((qos) => ({ filter: `g${qos}/#`, qos: qos as 0 | 1 | 2 }))), [0, 1, 2])
    for (const granted of [0, 1, 2]) for (const qos of [0, 1, 2] as const) await speaker.client.publish({ topic: `g${granted}/p`, payload: String(qos), qos })
    const came = await news(hearer)
    for (const granted of [0, 1, 2]) assert.equal(came.filter((one) => one.startsWith(`g${granted}`)).sort(), [0, 1, 2].map((qos) => `g${granted}/p=${qos} q${Math.min(granted, qos)}`))
  })

  test(`MQTT-3.3.5-1 (3.1.1), MQTT-3.3.4-2 (5.0): overlapping subscriptions of one Client: one copy, with the highest QoS, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    await hearer.client.subscribe([{ filter: 'a/#', qos: 0 }, { filter: 'a/b', qos: 2 }, { filter: '+/b', qos: 1 }])
    await speaker.client.publish({ topic: 'a/b', payload: 'x', qos: 2 })
    await speaker.client.publish({ topic: 'a/c', payload: 'x', qos: 2 })
    assert.equal(await news(hearer), ['a/b=x q2', 'a/c=x q0'].sort((a, b) => (came(hearer, a) - came(hearer, b))))
  })

  test(`MQTT-3.8.4-3 (3.1.1), MQTT-3.8.4-3 (5.0), MQTT-3.8.4-4 (5.0): the same filter again replaces the subscription; retained messages come again and none of the others is lost, in ${name}`, async () => {
    const { house, hearer, speaker } = await scene(version)
    await speaker.client.publish({ topic: 'a', payload: 'kept', qos: 1, retain: true })
    await hearer.client.subscribe({ filter: 'a', qos: 1 })
    await hearer.client.subscribe({ filter: 'b', qos: 1 })
    assert.equal(await news(hearer), ['a=kept q1 r'])
    // Numbered messages, and the subscription replaced in the middle of them, three times.
    const flow = (async () => {
      for (let i = 0; i < 40; i++) await speaker.client.publish({ topic: 'a', payload: String(i), qos: 2 })
    })()
    for (let i = 0; i < 3; i++) {
      await quiet(5)
      await hearer.client.subscribe({ filter: 'a', qos: 2 })
    }
    await flow
    const heard = await news(hearer)
    assert.equal(heard.filter((one) => !one.endsWith('r')).map((one) => one.split(' ')[0]), Array.from({ length: 40 }, (_, i) => `a=${i}`))
    assert.equal(heard.filter((one) => one.endsWith('r')), Array(3).fill('a=kept q1 r'))
    assert.equal([heard.at(-1), house.broker.counters.subscriptions], ['a=39 q2', 2])
  })

  test(`MQTT-3.8.4-4 (3.1.1), MQTT-3.10.4-6 (3.1.1), MQTT-3.9.3-1 (3.1.1), MQTT-3.9.3-1 (5.0), MQTT-3.11.3-1 (5.0): several filters in one request: one answer with a code for each, in their order, in ${name}`, async () => {
    const { house, hearer, speaker } = await scene(version)
    assert.equal(await hearer.client.subscribe([{ filter: 'a', qos: 2 }, { filter: 'b', qos: 0 }, { filter: 'c', qos: 1 }]), [2, 0, 1])
    for (const topic of ['a', 'b', 'c']) await speaker.client.publish({ topic, payload: 'x', qos: 2 })
    assert.equal((await news(hearer)).sort(), ['a=x q2', 'b=x q0', 'c=x q1'])
    assert.equal(await hearer.client.unsubscribe(['a', 'x', 'c', 'b']), version === 5 ? [0, 0x11, 0, 0] : [])
    assert.is(house.broker.counters.subscriptions, 0)
  })

  test(`MQTT-3.10.4-1 (3.1.1), MQTT-3.10.4-2 (3.1.1), MQTT-3.10.4-1 (5.0), MQTT-3.10.4-2 (5.0): only the very same filter is removed, and nothing new comes after that, in ${name}`, async () => {
    const { hearer, speaker } = await scene(version)
    await hearer.client.subscribe({ filter: 'a/+', qos: 1 })
    for (const other of ['a/b', 'A/+', 'a/#', '+/+', 'a/+/']) await hearer.client.unsubscribe(other)
    await speaker.client.publish({ topic: 'a/b', payload: '1', qos: 1 })
    assert.equal(await news(hearer), ['a/b=1 q1'])
    await hearer.client.unsubscribe('a/+')
    await speaker.client.publish({ topic: 'a/b', payload: '2', qos: 1 })
    await speaker.client.publish({ topic: 'a/b', payload: '3', qos: 0 })
    assert.equal(await news(hearer), [])
  })

  test(`MQTT-3.3.1-3 (3.1.1), MQTT-3.3.1-3 (5.0): a DUP that came in is not passed on; one that goes out again has it, in ${name}`, async () => {
    const house = new House()
    const first = await house.come('hearer', keeping(version), { answer: () => 'later' })
    await first.client.subscribe({ filter: 'a', qos: 1 })
    const speaker = await house.come('speaker', keeping(version))
    // The broker has never seen it, so its DUP says nothing.
    speaker.wire.client.write(Uint8Array.of(0x3a, version === 5 ? 7 : 6, 0, 1, 0x61, 0, 9, ...version === 5 ? [0] : [], 0x78))
    assert.equal(await news(first), ['a=x q1'])
    first.wire.cut()
    await first.client.closed
    await quiet()
    const second = await house.come('hearer', keeping(version), { session: first.client.session })
    assert.equal(await news(second), ['a=x q1 d'])
  })

  test(`MQTT-4.6.0-5 (3.1.1), MQTT-4.6.0-6 (3.1.1), MQTT-4.6.0-5 (5.0), MQTT-4.6.0-6 (5.0): messages of one Client and QoS come in order, through a slow hearer that comes and goes, in ${name}`, async () => {
    const house = new House()
    const speaker = await house.come('speaker', { version })
    const heard: string[] = []
    let guest = await house.come('hearer', keeping(version), { heard, answer: () => quiet(1) })
    await guest.client.subscribe([{ filter: 'one', qos: 1 }, { filter: 'two', qos: 2 }])
    const all = Array.from({ length: 150 }, (_, i) => Promise.all([
      speaker.client.publish({ topic: 'one', payload: String(i), qos: 1 }), speaker.client.publish({ topic: 'two', payload: String(i), qos: 2 }),
    ]))
    for (let cuts = 0; cuts < 6; cuts++) {
      await quiet(15)
      guest.wire.cut()
      await guest.client.closed
      await quiet()
      guest = await house.come('hearer', keeping(version), { heard, session: guest.client.session, answer: () => quiet(1) })
    }
    await Promise.all(all)
    for (let i = 0; i < 40; i++) await quiet()
    const numbers = (topic: string): number[] => heard.filter((one) => one.startsWith(topic)).map((one) => Number(/=(\d+)/.exec(one)![1]))
    assert.equal(numbers('two'), Array.from({ length: 150 }, (_, i) => i))
    // QoS 1 may come twice, and then its order is as 4.6 has it: what is new comes in order.
    const fresh = numbers('one').filter((n, i, list) => list.indexOf(n) === i)
    assert.equal(fresh, Array.from({ length: 150 }, (_, i) => i))
  })

  test(`MQTT-3.3.2-3 (3.1.1), MQTT-3.3.2-3 (5.0): random filters and topics: a message comes exactly where a filter matches, in ${name}`, async () => {
    const { house, speaker } = await scene(version)
    const random = randomFrom(version)
    const words = ['a', 'b', '', 'ä', '+']
    const path = (): string => Array.from({ length: 1 + random(3) }, () => words[random(words.length)]).join('/')
    const guests: { readonly guest: Guest, readonly filters: string[] }[] = []
    for (let i = 0; i < 8; i++) {
      const guest = await house.come(`g${i}`, { version })
      const filters = Array.from({ length: 3 }, () => (random(3) === 0 ? `${path()}/#` : path())).filter((filter) => isTopicFilter(filter, version))
      if (filters.length > 0) await guest.client.subscribe(filters)
      guests.push({ guest, filters })
    }
    const topics = Array.from({ length: 80 }, path).filter(isTopicName)
    for (const topic of topics) await speaker.client.publish({ topic, payload: '', qos: 1 })
    for (const { guest, filters } of guests) {
      assert.equal((await news(guest)).map((one) => one.replace('= q0', '')), topics.filter((topic) => filters.some((filter) => topicMatches(filter, topic))), filters.join(' '))
    }
  })
}

/** Where in all that has come. */
function came({ messages }: Guest, one: string): number {
  return messages.findIndex(({ topic }) => one.startsWith(`${topic}=`))
}

test('MQTT-3.3.1-9 (5.0), MQTT-3.3.1-10 (5.0), MQTT-3.3.1-11 (5.0): Retain Handling 0 sends retained messages each time, 1 with a new subscription, 2 never', async () => {
  const { hearer, speaker } = await scene(5)
  for (const topic of ['t0', 't1', 't2']) await speaker.client.publish({ topic, payload: 'x', qos: 1, retain: true })
  for (const again of [false, true]) {
    for (const retainHandling of [0, 1, 2] as const) await hearer.client.subscribe({ filter: `t${retainHandling}`, qos: 0, retainHandling })
    assert.equal(await news(hearer), again ? ['t0=x q0 r'] : ['t0=x q0 r', 't1=x q0 r'])
  }
  for (const topic of ['t0', 't1', 't2']) await speaker.client.publish({ topic, payload: 'y', qos: 1 })
  assert.equal(await news(hearer), ['t0=y q0', 't1=y q0', 't2=y q0'])
  await hearer.client.unsubscribe('t1')
  await hearer.client.subscribe({ filter: 't1', qos: 0, retainHandling: 1 })
  assert.equal(await news(hearer), ['t1=x q0 r'], 'new again')
})

test('MQTT-3.3.1-12 (5.0), MQTT-3.3.1-13 (5.0): Retain As Published decides whether RETAIN is passed on; of two subscriptions one is enough', async () => {
  const { house, hearer, speaker } = await scene(5)
  const both = await house.come('both')
  await hearer.client.subscribe([{ filter: 'as', qos: 0, retainAsPublished: true }, { filter: 'not', qos: 0, retainAsPublished: false }])
  await both.client.subscribe([{ filter: 'as', qos: 0 }, { filter: '#', qos: 0, retainAsPublished: true }])
  for (const topic of ['as', 'not']) for (const retain of [true, false]) await speaker.client.publish({ topic, payload: 'x', qos: 1, retain })
  assert.equal(await news(hearer), ['as=x q0 r', 'as=x q0', 'not=x q0', 'not=x q0'])
  assert.equal(await news(both), ['as=x q0 r', 'as=x q0', 'not=x q0 r', 'not=x q0'])
})

test('MQTT-3.8.3-3 (5.0): No Local keeps a Client\'s own messages from it, retained ones too, and nobody else\'s', async () => {
  const { hearer, speaker } = await scene(5)
  for (const { client } of [hearer, speaker]) await client.subscribe({ filter: 'a', qos: 0, noLocal: true })
  await speaker.client.publish({ topic: 'a', payload: 'mine', qos: 1, retain: true })
  assert.equal([await news(hearer), await news(speaker)], [['a=mine q0'], []])
  for (const { client } of [hearer, speaker]) await client.subscribe({ filter: 'a', qos: 0, noLocal: true })
  assert.equal([await news(hearer), await news(speaker)], [['a=mine q0 r'], []])
  // Another subscription without it is another matter.
  await speaker.client.subscribe({ filter: '+', qos: 0, retainHandling: 2 })
  await speaker.client.publish({ topic: 'a', payload: 'again', qos: 1 })
  assert.equal(await news(speaker), ['a=again q0'])
})

test('MQTT-3.3.4-3, MQTT-3.3.4-4 (5.0): a copy has the Subscription Identifiers of all subscriptions it matches that have one', async () => {
  const { hearer, speaker } = await scene(5)
  await hearer.client.subscribe({ filter: 'a/#', qos: 0 }, { subscriptionIdentifier: 1 })
  await hearer.client.subscribe({ filter: 'a/b', qos: 1 }, { subscriptionIdentifier: 268_435_455 })
  await hearer.client.subscribe({ filter: '+/b', qos: 0 })
  for (const topic of ['a/b', 'a/c', 'x/b']) await speaker.client.publish({ topic, payload: '', qos: 1 })
  await quiet()
  const identifiers = (topic: string): (readonly number[] | undefined)[] => hearer.messages.filter((one) => one.topic === topic).map(({ properties }) => properties?.subscriptionIdentifiers?.toSorted())
  assert.equal([identifiers('a/b'), identifiers('a/c'), identifiers('x/b')], [[[1, 268_435_455]], [[1]], [undefined]])
  // With the same filter again the identifier is the new one, and a retained message has it too.
  await speaker.client.publish({ topic: 'a/c', payload: 'r', qos: 1, retain: true })
  await hearer.client.subscribe({ filter: 'a/#', qos: 0 }, { subscriptionIdentifier: 7 })
  await quiet()
  assert.equal([hearer.messages.at(-1)!.retain, hearer.messages.at(-1)!.properties?.subscriptionIdentifiers], [true, [7]])
})

test('MQTT-3.3.2-4, MQTT-3.3.2-15, MQTT-3.3.2-16, MQTT-3.3.2-17, MQTT-3.3.2-18, MQTT-3.3.2-20 (5.0): the properties of a message come unaltered, in order, to whoever is there, away, or late', async () => {
  const house = new House()
  const properties = {
    payloadFormatIndicator: 1 as const, responseTopic: 'answers/here', correlationData: Uint8Array.of(0, 255, 128), contentType: 'text/plain',
    userProperties: [['a', '1'], ['b', '2'], ['a', '3'], ['__proto__', 'x'], ['a', '1']] as const,
  }
  const there = await house.come('there', {}, { piece: 3 })
  const away = await house.come('away', keeping(5))
  for (const { client } of [there, away]) await client.subscribe({ filter: 't', qos: 1 })
  await away.client.disconnect()
  const speaker = await house.come('speaker', {}, { client: {} })
  await speaker.client.publish({ topic: 't', payload: 'x', qos: 1, retain: true, properties: { ...properties, topicAlias: 3 } })
  // The broker's copy is its own: whatever becomes of the bytes it came in.
  await speaker.client.publish({ topic: 'other', payload: 'y'.repeat(50), qos: 1 })
  const late = await house.come('late')
  await late.client.subscribe({ filter: 't', qos: 1 })
  const back = await house.come('away', keeping(5), { session: away.client.session })
  await quiet()
  for (const { messages } of [there, back, late]) assert.equal(messages.map((one: Publish) => one.properties), [properties])
  // No Payload Format Indicator: none comes. 3.1.1 knows no properties at all.
  const old = await house.come('old', { version: 4 })
  for (const { client } of [there, old]) await client.subscribe('u')
  await speaker.client.publish({ topic: 'u', payload: 'x', qos: 1 })
  await speaker.client.publish({ topic: 'u', payload: 'x', qos: 1, properties })
  await quiet()
  assert.equal([there.messages[1]!.properties, old.messages.map((one) => one.properties)], [undefined, [undefined, undefined]])
})

test('what is kept of a message is the broker\'s own, whatever becomes of the bytes it came in', async () => {
  const house = new House()
  const speaker = await house.come('speaker', { will: { topic: 'will', payload: 'gone', qos: 0, retain: true, properties: { correlationData: Uint8Array.of(3) } } })
  const { server } = speaker.wire
  const take = server.onData
  server.onData = (chunk) => {
    take(chunk)
    chunk.fill(0x2a)
  }
  await speaker.client.publish({ topic: 'kept', payload: 'mine', qos: 1, retain: true, properties: { correlationData: Uint8Array.of(1, 2) } })
  speaker.wire.cut()
  await quiet()
  const late = await house.come('late')
  await late.client.subscribe('#')
  assert.equal((await news(late)).sort(), ['kept=mine q0 r', 'will=gone q0 r'])
  assert.equal(late.messages.map(({ properties }) => [...properties!.correlationData!]).sort(), [[1, 2], [3]])
})

test('MQTT-3.3.2-5, MQTT-3.3.2-6 (5.0): the time a message has waited is taken off its expiry, and one that has expired is gone', async () => {
  const house = new House()
  const away = await house.come('away', keeping(5))
  await away.client.subscribe({ filter: '#', qos: 1 })
  await away.client.disconnect()
  const speaker = await house.come('speaker', { version: 5 })
  for (const [topic, messageExpiryInterval] of [['short', 1], ['long', 10], ['ever', undefined]] as const) {
    await speaker.client.publish({ topic, payload: 'x', qos: 1, retain: true, properties: { messageExpiryInterval } })
  }
  await house.pass(3)
  const back = await house.come('away', keeping(5), { session: away.client.session })
  const late = await house.come('late')
  await late.client.subscribe('#')
  await quiet()
  for (const { messages } of [back, late]) assert.equal(messages.map(({ topic, properties }) => [topic, properties?.messageExpiryInterval]).sort(), [['ever', undefined], ['long', 7]])
  await house.pass(7)
  const later = await house.come('later')
  await later.client.subscribe('#')
  assert.equal(await news(later), ['ever=x q0 r'])
  assert.is(house.broker.counters.dropped, 1)
})

test('the broker\'s own application publishes too, and is told how many sessions a message went to', async () => {
  const { house, hearer } = await scene(5)
  await hearer.client.subscribe({ filter: '#', qos: 2, noLocal: true })
  assert.is(await house.broker.publish({ topic: 'a', payload: 'from within', qos: 2, retain: true }), 1)
  assert.is(await house.broker.publish({ topic: '$SYS/x', payload: 'own', qos: 0 }), 0)
  assert.equal(await news(hearer), ['a=from within q2'])
  await house.broker.publish({ topic: 'a/#', payload: '' }).then(() => assert.unreachable(), (error: Error) => assert.is(error.name, 'UsageError'))
})

test('a publisher learns that nobody wants its message, in 5.0', async () => {
  const { hearer, speaker } = await scene(5)
  const code = async (qos: 1 | 2): Promise<number | undefined> => (await speaker.client.publish({ topic: 'a', payload: '', qos }))?.reasonCode
  assert.is(await code(1), 0x10)
  await hearer.client.subscribe('a')
  assert.equal([await code(1), await code(2)], [0, 0])
})

test('SUBACK comes before the retained messages, and a request right behind CONNECT loses none of them', async () => {
  const house = new House()
  await house.broker.publish({ topic: 'a', payload: 'x', retain: true })
  const wire = pair()
  house.broker.accept(wire.server, { timers: house.timers })
  const bytes: number[] = []
  wire.client.onData = (chunk) => { bytes.push(...chunk) }
  // CONNECT, SUBSCRIBE "a" and PINGREQ in one piece.
  wire.client.write(Uint8Array.of(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x63, 0x82, 6, 0, 1, 0, 1, 0x61, 0, 0xc0, 0))
  await quiet()
  assert.equal(bytes, [0x20, 2, 0, 0, 0x90, 3, 0, 1, 0, 0x31, 4, 0, 1, 0x61, 0x78, 0xd0, 0])
})

test.run()
