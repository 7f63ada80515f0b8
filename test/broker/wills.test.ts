// Wills: published when a Client is lost, at once or after their delay; discarded where it takes its leave or is back.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ConnectInput, ProtocolVersion } from '../../src/codec/index.ts'
import { cut, House, keeping } from '../helpers/broker.ts'
import type { Guest } from '../helpers/broker.ts'
import { quiet } from '../helpers/pair.ts'

const WILL = { topic: 'will', payload: 'gone', qos: 1, retain: false } as const

interface Scene { readonly house: House, readonly hearer: Guest, readonly mortal: Guest }

async function scene(version: ProtocolVersion, connect: Partial<ConnectInput> = {}): Promise<Scene> {
  const house = new House()
  const hearer = await house.come('hearer', { version })
  await hearer.client.subscribe({ filter: '#', qos: 2 })
  return { house, hearer, mortal: await house.come('mortal', { version, will: WILL, ...connect }) }
}

/** Session Expiry Interval and Will Delay Interval, in seconds. */
function delayed(delay: number, expiry: number, cleanStart = false): Partial<ConnectInput> {
  return { version: 5, cleanStart, will: { ...WILL, properties: { willDelayInterval: delay } }, properties: { sessionExpiryInterval: expiry } }
}

/** uvu compares the order of fields as well, which means nothing here. */
function sorted(properties: object | undefined): object {
  return Object.fromEntries(Object.entries(properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function news({ heard }: Guest): Promise<string[]> {
  await quiet()
  return heard.splice(0)
}

for (const version of [3, 4, 5] as const) {
  const name = { 3: '3.1', 4: '3.1.1', 5: '5.0' }[version]

  test(`MQTT-3.1.2-8 (3.1.1), MQTT-3.14.4-3 (3.1.1), MQTT-3.1.2-7 (5.0), MQTT-3.1.2-8 (5.0): a cut connection publishes the Will, once; DISCONNECT discards it, in ${name}`, async () => {
    const { house, hearer, mortal } = await scene(version)
    await cut(mortal)
    assert.equal(await news(hearer), ['will=gone q1'])
    const polite = await house.come('polite', { version, will: WILL })
    await polite.client.disconnect()
    await house.pass(5)
    assert.equal(await news(hearer), [])
  })

  test(`MQTT-3.1.2-10 (3.1.1), MQTT-3.1.2-12 (3.1.1), MQTT-3.1.2-10 (5.0): a Will is published once, and who has none leaves none, in ${name}`, async () => {
    const { house, hearer, mortal } = await scene(version, keeping(version))
    await cut(mortal)
    assert.equal(await news(hearer), ['will=gone q1'])
    const back = await house.come('mortal', keeping(version), { session: mortal.client.session })
    await cut(back)
    await house.pass(60)
    assert.equal(await news(hearer), [])
  })

  test(`MQTT-3.1.2-16 (3.1.1), MQTT-3.1.2-17 (3.1.1), MQTT-3.1.2-14 (5.0), MQTT-3.1.2-15 (5.0): Will Retain decides whether the Will is retained, in ${name}`, async () => {
    for (const retain of [false, true]) {
      const { house, hearer, mortal } = await scene(version, { will: { ...WILL, retain } })
      await cut(mortal)
      assert.equal(await news(hearer), ['will=gone q1'])
      const late = await house.come('late', { version })
      await late.client.subscribe({ filter: 'will', qos: 2 })
      assert.equal(await news(late), retain ? ['will=gone q1 r'] : [])
    }
  })

  test(`a Client that breaks the rules, or falls silent, has its Will published, in ${name}`, async () => {
    const { house, hearer, mortal } = await scene(version)
    mortal.wire.client.write(Uint8Array.of(0x00, 0x00))
    assert.equal(await news(hearer), ['will=gone q1'])
    const silent = await house.come('silent', { version, will: WILL, keepAlive: 10 })
    silent.wire.client.stalled = true
    await house.pass(16)
    assert.equal(await news(hearer), ['will=gone q1'])
  })
}

test('MQTT-3.1.2-8 (5.0): a Will waits for its delay or the end of the session, whichever comes first', async () => {
  for (const [delay, expiry, due] of [[0, 60, 0], [5, 60, 5], [60, 5, 5], [5, 0, 0], [5, 5, 5], [4_294_967_295, 4_294_967_295, 604_800]] as const) {
    const { house, hearer, mortal } = await scene(5, delayed(delay, expiry))
    await cut(mortal)
    if (due > 0) {
      await house.pass(due - 0.1)
      assert.equal(await news(hearer), [], `${delay} ${expiry}`)
      await house.pass(0.2)
    }
    assert.equal(await news(hearer), ['will=gone q1'], `${delay} ${expiry}`)
    await house.pass(100)
    assert.equal(await news(hearer), [])
  }
})

test('MQTT-3.1.3-9 (5.0): a Client that is back before the delay has passed has its Will cancelled; with a clean start it is published, the old session being over', async () => {
  for (const cleanStart of [false, true]) {
    const { house, hearer, mortal } = await scene(5, delayed(10, 60))
    await cut(mortal)
    await house.pass(1)
    await house.come('mortal', { version: 5, cleanStart }, { session: cleanStart ? undefined : mortal.client.session })
    assert.equal(await news(hearer), cleanStart ? ['will=gone q1'] : [])
    await house.pass(100)
    assert.equal(await news(hearer), [])
  }
})

test('taken over: the Will of the old connection is published without a delay, or where the new one starts clean or the old session ends with it; else not', async () => {
  for (const [delay, expiry, cleanStart, published] of [[0, 60, false, true], [10, 60, false, false], [10, 60, true, true], [10, 0, false, true], [0, 0, true, true]] as const) {
    const { house, hearer, mortal } = await scene(5, delayed(delay, expiry))
    await house.come('mortal', { version: 5, cleanStart }, { session: cleanStart ? undefined : mortal.client.session })
    assert.equal(await news(hearer), published ? ['will=gone q1'] : [], `${delay} ${expiry} ${cleanStart}`)
    await house.pass(100)
    assert.equal(await news(hearer), [])
  }
  for (const version of [3, 4] as const) {
    const { house, hearer } = await scene(version)
    await house.come('mortal', { version })
    assert.equal(await news(hearer), ['will=gone q1'])
  }
})

test('DISCONNECT 0x04 asks for the Will, and may change when the session ends', async () => {
  const { house, hearer, mortal } = await scene(5, delayed(10, 60))
  await mortal.client.disconnect({ reasonCode: 4, properties: { sessionExpiryInterval: 3 } })
  assert.equal(await news(hearer), [])
  await house.pass(3.1)
  assert.equal(await news(hearer), ['will=gone q1'])
  assert.is(house.broker.counters.sessions, 1)
})

test('MQTT-3.1.3-10 (5.0): the properties of a Will come with it, in order, but for its delay', async () => {
  const properties = { payloadFormatIndicator: 1, contentType: 'text/plain', responseTopic: 'r', correlationData: Uint8Array.of(1), userProperties: [['a', '1'], ['b', '2'], ['a', '3']] } as const
  const { house, hearer, mortal } = await scene(5, { ...delayed(2, 60), will: { ...WILL, properties: { ...properties, willDelayInterval: 2, messageExpiryInterval: 9 } } })
  await cut(mortal)
  await house.pass(2.1)
  assert.equal(hearer.messages.map((one) => sorted(one.properties)), [sorted({ ...properties, messageExpiryInterval: 9 })], 'the expiry counts from when it is published')
  const late = await scene(5, { will: { ...WILL, retain: true, properties: { messageExpiryInterval: 9 } } })
  await cut(late.mortal)
  await late.house.pass(4)
  const guest = await late.house.come('late')
  await guest.client.subscribe('will')
  await quiet()
  assert.is(guest.messages[0]!.properties?.messageExpiryInterval, 5)
})

test('a Will on a topic the Client may not publish to: it is not let in', async () => {
  const house = new House({ authorize: (_, action, topic) => action === 'subscribe' || topic === 'own' })
  const refusal = await house.come('mortal', { version: 5, will: WILL }).then(() => undefined, (error: { readonly cause: { readonly reasonCode: number } }) => error.cause.reasonCode)
  assert.is(refusal, 0x87)
  await house.come('mortal', { version: 5, will: { ...WILL, topic: 'own' } })
  const unguarded = new House()
  const system = await unguarded.come('mortal', { version: 4, will: { ...WILL, topic: '$SYS/x' } }).then(() => undefined, (error: { readonly cause: { readonly reasonCode: number } }) => error.cause.reasonCode)
  assert.is(system, 5)
})

test('a broker that closes publishes the Wills that wait: nobody would remember them', async () => {
  const { house, mortal } = await scene(5, delayed(100, 600))
  await cut(mortal)
  const away = await house.come('away', keeping(5))
  await away.client.subscribe({ filter: 'will', qos: 1 })
  await away.client.disconnect()
  await house.broker.close()
  assert.is(house.broker.counters.delivered, 1)
  assert.equal(house.errors, [])
})

test.run()
