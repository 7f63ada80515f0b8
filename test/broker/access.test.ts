// Who may come in, who may do what, and that everybody else goes on.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connect } from '../../src/codec/index.ts'
import { newSession } from '../../src/fsm/index.ts'
import { Client } from '../../src/transport/index.ts'
import type { Peer, Refused } from '../../src/transport/index.ts'
import { cut, failure, House, keeping } from '../helpers/broker.ts'
import { pair, quiet } from '../helpers/pair.ts'

const password = (connect: Connect): string => new TextDecoder().decode(connect.password)

test('authenticate decides, now or later, and 3.x is told what says the same', async () => {
  const house = new House({
    authenticate: async (connect) => {
      await quiet(2)
      return connect.username === 'hans' && password(connect) === 'geheim' ? true : 0x86
    },
  })
  for (const [version, told] of [[3, 4], [4, 4], [5, 0x86]] as const) {
    assert.is((await failure(house.come('x', { version, username: 'hans', password: 'falsch' }))).cause.reasonCode, told)
    assert.is((await failure(house.come('x', { version }))).cause.reasonCode, told)
    const guest = await house.come('x', { version, username: 'hans', password: 'geheim' })
    await cut(guest)
  }
  await quiet()
  assert.equal([house.broker.counters.sessions, house.broker.counters.connections], [0, 0])
})

test('an authenticate that throws, or says what CONNACK cannot, costs that connection and no other', async () => {
  const house = new House({
    authenticate: ({ clientId }) => {
      if (clientId === 'throws') throw new Error('no directory')
      return clientId === 'odd' ? 0x10 : true
    },
  })
  const other = await house.come('other')
  assert.is((await failure(house.come('throws'))).name, 'ConnectionClosed')
  assert.is((await failure(house.come('odd'))).name, 'ConnectionClosed')
  assert.is(other.client.state.phase, 'connected')
})

test('who is refused does not take over anybody\'s session', async () => {
  const house = new House({ authenticate: (connect) => (password(connect) === 'right' ? true : 0x87) })
  const first = await house.come('same', { ...keeping(5), username: 'u', password: 'right' })
  await failure(house.come('same', { ...keeping(5), username: 'u', password: 'wrong' }, { session: newSession('same') }))
  assert.is(first.client.state.phase, 'connected')
})

test('who has not waited for authenticate does not take over anybody\'s session either', async () => {
  let answer: (verdict: true) => void = () => {}
  const house = new House({ authenticate: (connect) => (connect.username === undefined ? true : new Promise((resolve) => { answer = resolve })) })
  const first = await house.come('same', keeping(5))
  const wire = pair()
  const peer = house.broker.accept(wire.server, { timers: house.timers })
  // CONNECT of 3.1.1 with a user name.
  wire.client.write(Uint8Array.of(0x10, 19, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0x82, 0, 0, 0, 4, 0x73, 0x61, 0x6d, 0x65, 0, 1, 0x75))
  await quiet()
  assert.is(peer.state.phase, 'authenticating')
  house.clock.pass(31_000)
  assert.is(peer.state.phase, 'closing')
  answer(true)
  await quiet()
  assert.is(first.client.state.phase, 'connected')
})

test('an Authentication Method nobody deals with is refused (0x8c); one that `authenticate` deals with goes through, and again later', async () => {
  const none = new House()
  assert.is((await failure(none.come('x', { version: 5, properties: { authenticationMethod: 'X' } }))).cause.reasonCode, 0x8c)
  const house = new House({
    authenticationMethods: ['X'],
    authenticate: (connect, peer) => new Promise((resolve) => {
      if (connect.properties?.authenticationMethod !== 'X') return resolve(0x87)
      peer.onPacket = async (packet) => {
        if (packet.type !== 'auth') return
        if (packet.reasonCode === 0x19) await peer.auth(0, Uint8Array.of(9))
        else resolve(packet.properties?.authenticationData?.[0] === 2 ? true : 0x87)
      }
      void peer.auth(0x18, Uint8Array.of(1))
    }),
  })
  const come = (answer: number): Promise<Client> => {
    const wire = pair()
    house.broker.accept(wire.server, { timers: house.timers })
    return Client.connect(wire.client, { timers: house.timers, connect: { clientId: 'x', keepAlive: 0, properties: { authenticationMethod: 'X' } }, onAuth: () => Uint8Array.of(answer) })
  }
  assert.is((await failure(come(3))).cause.reasonCode, 0x87)
  const client = await come(2)
  assert.is(client.connack.properties?.authenticationMethod, 'X')
  const again = await client.reauthenticate()
  assert.equal(again.properties?.authenticationData, Uint8Array.of(9))
  // The handler of authenticate and the broker's own get along.
  await client.subscribe({ filter: 'a', qos: 1 })
  for (let i = 0; i < 100; i++) await house.broker.publish({ topic: 'a', payload: '', qos: 1 })
  for (let i = 0; i < 5; i++) await quiet()
  assert.is(client.counters.packetsReceived, 104)
})

for (const version of [3, 4, 5] as const) {
  test(`MQTT-3.3.5-2 (3.1.1): a message that may not be published is acknowledged (5.0: with 0x87) and goes nowhere, in version ${version}`, async () => {
    const house = new House({ authorize: async (clientId, action, topic) => {
      await quiet(1)
      return action === 'subscribe' || topic.startsWith(`${clientId}/`)
    } })
    const hearer = await house.come('hearer', { version })
    await hearer.client.subscribe({ filter: '#', qos: 2 })
    const speaker = await house.come('speaker', { version })
    for (const qos of [0, 1, 2] as const) {
      const refused = await speaker.client.publish({ topic: 'hearer/x', payload: '', qos, retain: true }).then(() => undefined, (error: Refused) => error.reasonCode)
      assert.is(refused, version === 5 && qos > 0 ? 0x87 : undefined)
      await speaker.client.publish({ topic: 'speaker/x', payload: String(qos), qos })
    }
    await quiet()
    assert.equal(hearer.heard, ['speaker/x=0 q0', 'speaker/x=1 q1', 'speaker/x=2 q2'])
    assert.is(speaker.client.state.phase, 'connected')
    // The identifiers of what was refused are free again, and new messages under them are new.
    for (let i = 0; i < 5; i++) await speaker.client.publish({ topic: 'speaker/y', payload: String(i), qos: 2 })
    await quiet()
    assert.is(hearer.heard.length, 8)
  })
}

test('MQTT-3.8.3-2 (3.1.1): filters an application does not want, those with wildcards say, are refused one by one; of a shared one it is asked about what it matches', async () => {
  const asked: string[] = []
  const house = new House({ authorize: (_, action, topic) => {
    asked.push(`${action} ${topic}`)
    return !/[+#]/.test(topic) && !topic.startsWith('secret')
  } })
  const four = await house.come('four', { version: 4 })
  const refused = await failure(four.client.subscribe([{ filter: 'a/#', qos: 0 }, { filter: 'a', qos: 2 }, { filter: '+', qos: 0 }])) as unknown as Refused
  assert.equal((refused.packet as unknown as { reasonCodes: number[] }).reasonCodes, [0x80, 2, 0x80])
  const five = await house.come('five')
  asked.splice(0)
  const shared = await failure(five.client.subscribe(['$share/g/secret', '$share/g/open'])) as unknown as Refused
  assert.equal([(shared.packet as unknown as { reasonCodes: number[] }).reasonCodes, asked], [[0x87, 0], ['subscribe secret', 'subscribe open']])
  assert.is(house.broker.counters.subscriptions, 2)
  // 3.1 has no word for it.
  const three = await house.come('three', { version: 3 })
  await failure(three.client.subscribe('a/#'))
  assert.is(three.client.state.phase, 'closed')
})

test('names that begin with $ are the server\'s unless the application says otherwise (5.0 §4.7.2)', async () => {
  const house = new House()
  const [hearer, speaker] = [await house.come('hearer'), await house.come('speaker')]
  await hearer.client.subscribe('$SYS/#')
  assert.is((await failure(speaker.client.publish({ topic: '$SYS/x', payload: 'mine', qos: 1 })) as unknown as Refused).reasonCode, 0x87)
  await house.broker.publish({ topic: '$SYS/x', payload: 'own' })
  await quiet()
  assert.equal(hearer.heard, ['$SYS/x=own q0'])
})

test('an authorize that throws costs its connection and no other', async () => {
  const house = new House({ authorize: (clientId) => {
    if (clientId === 'bad') throw new Error('no directory')
    return true
  } })
  const [bad, good] = [await house.come('bad'), await house.come('good')]
  assert.is((await failure(bad.client.publish({ topic: 'a', payload: '', qos: 1 }))).name, 'ConnectionClosed')
  await good.client.publish({ topic: 'a', payload: '', qos: 1 })
  assert.is(good.client.state.phase, 'connected')
})

test('peers that a transport hands over come in as well', async () => {
  const house = new House()
  const wire = pair()
  const { Peer: ServerPeer } = await import('../../src/transport/index.ts')
  const peer: Peer = new ServerPeer(wire.server)
  house.broker.handle(peer)
  const client = await Client.connect(wire.client, { connect: { clientId: 'x', keepAlive: 0 } })
  assert.equal([house.broker.counters.connections, house.broker.counters.sessions], [1, 1])
  await client.disconnect()
})

test.run()
