// Shared Subscriptions (5.0 §4.8.2): one member gets each message; who gets what a member leaves behind.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cut, House, keeping } from '../helpers/broker.ts'
import type { Guest, More } from '../helpers/broker.ts'
import { quiet } from '../helpers/pair.ts'

const GROUP = '$share/g/a/#'

async function member(house: House, clientId: string, qos: 0 | 1 | 2 = 2, seconds = 3600, more: More = {}): Promise<Guest> {
  const guest = await house.come(clientId, keeping(5, seconds), more)
  await guest.client.subscribe({ filter: GROUP, qos })
  return guest
}

async function send(house: House, count: number, qos: 0 | 1 | 2 = 2, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) await house.broker.publish({ topic: 'a/b', payload: String(i), qos })
  for (let i = 0; i < 5; i++) await quiet()
}

const numbers = (...guests: readonly { readonly heard: readonly string[] }[]): number[] => guests.flatMap(({ heard }) => heard.map((one) => Number(/=(\d+)/.exec(one)![1]))).sort((a, b) => a - b)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('each message goes to one member, to all in turn, and to everybody who subscribed for himself', async () => {
  const house = new House()
  const members = [await member(house, 'm0'), await member(house, 'm1'), await member(house, 'm2')]
  const other = await house.come('other')
  await other.client.subscribe([{ filter: '$share/h/a/+', qos: 1 }, { filter: 'a/b', qos: 0 }])
  const own = await house.come('own')
  await own.client.subscribe({ filter: '#', qos: 2 })
  await send(house, 300)
  assert.equal(members.map(({ heard }) => heard.length), [100, 100, 100])
  assert.equal([numbers(...members), numbers(own)], [upTo(300), upTo(300)])
  assert.is(other.heard.length, 600, 'as the only member of its group, and for itself')
})

test('MQTT-4.8.2-3 (5.0): a member gets messages with the QoS it was granted', async () => {
  const house = new House()
  const members = [await member(house, 'm0', 0), await member(house, 'm1', 1), await member(house, 'm2', 2)]
  await send(house, 3)
  assert.equal(members.map(({ heard }) => heard[0]!.slice(-2)), ['q0', 'q1', 'q2'])
})

test('no retained messages for a Shared Subscription; unsubscribing leaves the group', async () => {
  const house = new House()
  await house.broker.publish({ topic: 'a/r', payload: '7', retain: true })
  const [stays, goes] = [await member(house, 'stays'), await member(house, 'goes')]
  await quiet()
  assert.equal([stays.heard, goes.heard], [[], []])
  assert.equal(await goes.client.unsubscribe(GROUP), [0])
  await send(house, 4)
  assert.equal([numbers(stays), numbers(goes)], [upTo(4), []])
  assert.equal(await stays.client.unsubscribe(GROUP), [0])
  await send(house, 1)
  assert.is(house.broker.counters.subscriptions, 0)
})

test('a member that is there is chosen before one that is away; if all are away one of them keeps it', async () => {
  const house = new House()
  const [one, two] = [await member(house, 'one'), await member(house, 'two')]
  await cut(one)
  await send(house, 4)
  assert.equal(numbers(two), upTo(4))
  await cut(two)
  await send(house, 4, 2, 4)
  const back = [await house.come('one', keeping(5), { session: one.client.session }), await house.come('two', keeping(5), { session: two.client.session })]
  await quiet()
  assert.equal([numbers(...back), back.map(({ heard }) => heard.length)], [[4, 5, 6, 7], [2, 2]])
})

test('MQTT-4.8.2-4 (5.0): what a member has begun to receive with QoS 2 is completed with it when it is back', async () => {
  const house = new House()
  const one = await member(house, 'one', 2, 3600, { answer: () => 'later' })
  const two = await member(house, 'two')
  await send(house, 6)
  await cut(one)
  await house.pass(100)
  const back = await house.come('one', keeping(5), { session: one.client.session })
  await quiet()
  // Answered or not, one has them, and with QoS 2 nobody else may: delivered again only where it had not come.
  assert.equal(numbers(two), [1, 3, 5])
  assert.equal([...new Set(numbers(one, back))], [0, 2, 4])
})

test('MQTT-4.8.2-5 (5.0): a member whose session ends in the middle of QoS 2: nobody else gets that message', async () => {
  for (const clean of [false, true]) {
    const house = new House()
    const one = await member(house, 'one', 2, 10, { answer: () => 'later' })
    const two = await member(house, 'two')
    await send(house, 6)
    await cut(one)
    if (clean) await house.come('one')
    else await house.pass(11)
    await quiet()
    assert.equal([numbers(one), numbers(two)], [[0, 2, 4], [1, 3, 5]])
  }
})

test('QoS 1: what a member had not acknowledged when its session ended goes to another; so does what never went out, of any QoS', async () => {
  for (const how of ['expiry', 'clean', 'at once'] as const) {
    const house = new House()
    const one = await member(house, 'one', 1, how === 'at once' ? 0 : 10, { answer: () => 'later' })
    await one.client.subscribe({ filter: 'own', qos: 1 })
    await house.broker.publish({ topic: 'own', payload: '999', qos: 1 })
    // Alone it gets them all; 64 of them go out.
    await send(house, 100, 1)
    assert.is(one.heard.length, 64)
    const two = await member(house, 'two')
    await cut(one)
    if (how === 'clean') await house.come('one')
    else if (how === 'expiry') await house.pass(11)
    for (let i = 0; i < 5; i++) await quiet()
    assert.equal(numbers(two), upTo(100), how)
    assert.equal(house.errors, [])
  }
})

test('a member that ends with nobody left in its group: its messages end with it', async () => {
  const house = new House()
  const one = await member(house, 'one', 1, 0, { answer: () => 'later' })
  await send(house, 10, 1)
  await cut(one)
  await quiet()
  assert.equal([house.broker.counters.sessions, house.errors], [0, []])
})

test('MQTT-4.8.2-6 (5.0): what a member refuses with PUBACK or PUBREC of 0x80 or above is discarded', async () => {
  const house = new House()
  for (const qos of [1, 2] as const) {
    const one = await member(house, `refuses${qos}`, qos, 0, { answer: () => 0x83 })
    const two = await member(house, `takes${qos}`, qos, 0)
    await send(house, 10, qos)
    assert.equal([numbers(one).length, numbers(two).length], [5, 5])
    assert.equal([...numbers(one), ...numbers(two)].sort((a, b) => a - b), upTo(10))
    await cut(one)
    await quiet()
    assert.is(two.heard.length, 5)
    await cut(two)
    await quiet()
  }
})

test('before 5.0 there are no Shared Subscriptions: `$share/g/a` is a filter like any other', async () => {
  const house = new House({ authorize: () => true })
  const old = await house.come('old', keeping(4))
  await old.client.subscribe('$share/g/a/#')
  await house.broker.publish({ topic: 'a/b', payload: '1' })
  await house.broker.publish({ topic: '$share/g/a/b', payload: '2' })
  await quiet()
  assert.equal(old.heard, ['$share/g/a/b=2 q0'])
  // The same words in a session that goes on in 5.0 take the other's place.
  await old.client.disconnect()
  const back = await house.come('old', keeping(5), { session: old.client.session })
  await back.client.subscribe('$share/g/a/#')
  await house.broker.publish({ topic: 'a/b', payload: '3' })
  await house.broker.publish({ topic: '$share/g/a/b', payload: '4' })
  await quiet()
  assert.equal([back.heard, house.broker.counters.subscriptions], [['a/b=3 q0'], 1])
})

test.run()
