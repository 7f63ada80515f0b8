// Client and Peer over a stream in memory: publish, subscribe, acknowledgements by handlers, back-pressure, sessions across connections.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketOf, Publish } from '../../src/codec/index.ts'
import { newSession, restoreSession, saveSession } from '../../src/fsm/index.ts'
import { Client, ConnectionClosed, Peer, Refused } from '../../src/transport/index.ts'
import { failure, lab, text } from '../helpers/lab.ts'
import { pair, quiet } from '../helpers/pair.ts'

for (const version of [3, 4, 5] as const) {
  test(`version ${version}: messages of every QoS both ways, in 1-byte pieces too`, async () => {
    for (const piece of [Infinity, 1]) {
      const heard: string[] = []
      const { client, peer } = await lab({ connect: { version }, onPublish: (message) => { heard.push(`c ${message.qos} ${text(message)}`) } }, { piece, set: (peer) => {
        peer.onPublish = (message) => { heard.push(`s ${message.qos} ${text(message)}`) }
      } })
      for (const qos of [0, 1, 2] as const) {
        const ack = await client.publish({ topic: 't', payload: `up ${qos}`, qos })
        assert.is(ack?.type, [undefined, 'puback', 'pubcomp'][qos])
        await peer.publish({ topic: 't', payload: `down ${qos}`, qos })
      }
      await quiet()
      assert.equal(heard.filter((one) => one.startsWith('s')), ['s 0 up 0', 's 1 up 1', 's 2 up 2'])
      assert.equal(heard.filter((one) => one.startsWith('c')), ['c 0 down 0', 'c 1 down 1', 'c 2 down 2'])
      assert.equal(saveSession(client.session!).sent, [])
      await client.disconnect()
    }
  })
}

test('MQTT-3.8.4-1 (5.0): subscribe and unsubscribe settle with the codes of their answer', async () => {
  const { client } = await lab({}, { set: (peer) => {
    peer.onSubscribe = ({ subscriptions }) => subscriptions.map(({ qos, filter }) => (filter === 'no' ? 0x87 : qos))
    peer.onUnsubscribe = () => 0
  } })
  assert.equal(await client.subscribe('a'), [0])
  assert.equal(await client.subscribe([{ filter: 'a/#', qos: 2 }, { filter: 'b', qos: 1 }], { subscriptionIdentifier: 7 }), [2, 1])
  assert.equal(await client.unsubscribe(['a', 'b']), [0, 0])
  const error = await failure(client.subscribe([{ filter: 'a', qos: 1 }, { filter: 'no', qos: 1 }])) as Refused
  assert.equal([error.name, error.reasonCode, (error.packet as PacketOf<'suback'>).reasonCodes], ['Refused', 0x87, [1, 0x87]])
  assert.match(error.message, /^SUBSCRIBE "no" was refused: 0x87 Not authorized$/)
  await client.disconnect()
})

test('a server that does nothing but connect takes messages, and refuses subscriptions', async () => {
  const { client } = await lab()
  assert.is((await client.publish({ topic: 'a', payload: '', qos: 1 }))?.reasonCode, 0x10)
  assert.is((await failure(client.subscribe('a')) as Refused).reasonCode, 0x83)
  assert.equal(await client.unsubscribe('a'), [0x11])
  await client.disconnect()
})

test('3.1 cannot say that a subscription failed: the connection ends instead', async () => {
  const { client, causes } = await lab({ connect: { version: 3 } })
  const error = await failure(client.subscribe('a')) as ConnectionClosed
  assert.is(error.name, 'ConnectionClosed')
  assert.match(causes[0]!.sentence, /SUBACK of MQTT 3\.1 cannot say/)
})

test('a handler refuses a message by a Reason Code; 3.x is told nothing', async () => {
  const set = (peer: Peer): void => { peer.onPublish = () => 0x87 }
  const five = await lab({}, { set })
  for (const qos of [1, 2] as const) {
    const error = await failure(five.client.publish({ topic: 'secret', payload: '', qos })) as Refused
    assert.equal([error.name, error.reasonCode, error.packet.type], ['Refused', 0x87, qos === 1 ? 'puback' : 'pubrec'])
    assert.match(error.message, /the message to "secret" was refused: 0x87 Not authorized/)
  }
  const four = await lab({ connect: { version: 4 } }, { set })
  assert.is((await four.client.publish({ topic: 'secret', payload: '', qos: 1 }))?.reasonCode, 0)
})

test('a message is acknowledged when its handler is done, and not before', async () => {
  let finish!: () => void
  const { client, peer } = await lab({}, { set: (peer) => {
    peer.onPublish = () => new Promise<void>((resolve) => { finish = resolve })
  } })
  let acknowledged = false
  const published = client.publish({ topic: 'a', payload: '1', qos: 1 }).then(() => { acknowledged = true })
  await quiet()
  assert.is(acknowledged, false)
  assert.is(peer.counters.packetsReceived, 2)
  finish()
  await published
  await client.disconnect()
})

test('`later`: the application answers by itself, several at a time; a Client in their order, a Server in any', async () => {
  const later: number[] = []
  const keep = ({ packetId }: Publish): 'later' => {
    later.push(packetId!)
    return 'later'
  }
  const { client, peer } = await lab({ onPublish: keep }, { set: (peer) => { peer.onPublish = keep } })
  for (const [from, to] of [[client, peer], [peer, client]] as const) {
    later.splice(0)
    const all = Promise.all(['1', '2', '3'].map((payload) => from.publish({ topic: 'a', payload, qos: 1 })))
    await quiet()
    assert.is(later.length, 3)
    if (to === client) assert.match((await failure(to.send({ type: 'puback', packetId: later[1]! }))).message, /MQTT-4\.6\.0-2/)
    for (const packetId of to === client ? later : later.reverse()) await to.send({ type: 'puback', packetId })
    assert.is((await all).length, 3)
  }
})

test('a handler may publish and wait for the acknowledgement: what comes before it is kept, in order, and nothing hangs', async () => {
  const heard: string[] = []
  const { client, peer } = await lab({}, { set: (peer) => {
    peer.onPublish = (message) => { heard.push(`server ${text(message)}`) }
  } })
  client.onPublish = async (message) => {
    heard.push(`begin ${text(message)}`)
    await client.publish({ topic: 'echo', payload: text(message), qos: 2 })
    heard.push(`end ${text(message)}`)
  }
  await Promise.all(['1', '2', '3'].map((payload) => peer.publish({ topic: 'a', payload, qos: 1 })))
  assert.equal(heard, ['begin 1', 'server 1', 'end 1', 'begin 2', 'server 2', 'end 2', 'begin 3', 'server 3', 'end 3'])
  await client.disconnect()
})

test('what waits behind a handler is not overtaken by what is read when it is done, nor by the end', async () => {
  const wire = pair()
  const heard: string[] = []
  const message = (...letters: string[]): number[] => letters.flatMap((letter) => [0x30, 4, 0, 1, 0x61, letter.charCodeAt(0)])
  wire.server.onData = (chunk) => {
    if (chunk[0] === 0x10) wire.server.write(Uint8Array.of(0x20, 2, 0, 0))
    // PUBACK, and more right behind it.
    if (chunk[0] === 0x32) wire.server.write(Uint8Array.of(0x40, 2, chunk[5]!, chunk[6]!, ...message('4', '5'), 0xf0, 0))
  }
  const client = await Client.connect(wire.client, {
    connect: { version: 4, clientId: 'kitchen' },
    onPublish: async (got) => {
      if (text(got) === '1') {
        await client.publish({ topic: 'b', payload: '', qos: 1 })
        await quiet(3)
      }
      await quiet(1)
      heard.push(text(got))
    },
  })
  client.onClose = () => { heard.push('closed') }
  wire.server.onEnd = () => { wire.server.close() }
  wire.server.write(Uint8Array.of(...message('1', '2', '3')))
  await client.closed
  assert.equal(heard, ['1', '2', '3', '4', '5', 'closed'])
})

test('a handler that waits for nothing of the peer stops the reading at once', async () => {
  let finish!: () => void
  const { client, peer } = await lab()
  client.onPublish = () => new Promise<void>((resolve) => { finish = resolve })
  for (let i = 0; i < 50; i++) await peer.publish({ topic: 'a', payload: String(i) })
  await quiet()
  assert.is(client.counters.packetsReceived, 2, 'CONNACK and one message')
  client.onPublish = () => {}
  finish()
  await quiet()
  assert.is(client.counters.packetsReceived, 51)
})

test('MQTT-4.9.0-2: messages beyond the Receive Maximum wait, in order, and those beyond the bound are refused', async () => {
  const heard: string[] = []
  let most = 0
  let now = 0
  const { client } = await lab({ maximumWaiting: 5 }, { accept: { properties: { receiveMaximum: 2 } }, set: (peer) => {
    peer.onPublish = async (message) => {
      most = Math.max(most, ++now)
      await quiet(2)
      now--
      heard.push(text(message))
    }
  } })
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => client.publish({ topic: 'a', payload: String(i), qos: 1 })))
  assert.equal(heard, ['0', '1', '2', '3', '4', '5', '6'])
  assert.equal(outcomes.map(({ status }) => status), [...Array(7).fill('fulfilled'), ...Array(3).fill('rejected')])
  assert.match((outcomes[9] as PromiseRejectedResult).reason.message, /5 messages wait for the peer's Receive Maximum, and maximumWaiting is 5/)
  assert.is(most, 1)
})

test('a session goes on: what was not acknowledged comes again, once, and the promise of the first connection is rejected', async () => {
  const heard: string[] = []
  const first = await lab({ connect: { properties: { sessionExpiryInterval: 60 } } }, { set: (peer) => { peer.onPublish = () => 'later' } })
  const lost = failure(first.client.publish({ topic: 'a', payload: '1', qos: 1 }))
  await quiet()
  first.wire.cut()
  assert.is((await lost).name, 'ConnectionClosed')
  const session = restoreSession(JSON.parse(JSON.stringify(saveSession(first.client.session!))))
  const second = await lab({ session }, { accept: { sessionPresent: true }, set: (peer) => {
    peer.onPublish = (message) => { heard.push(`${text(message)} dup ${message.dup}`) }
  } })
  await quiet()
  assert.equal(heard, ['1 dup true'])
  assert.is(second.client.sessionOutcome, 'resumed')
  assert.equal(saveSession(second.client.session!).sent, [])
})

test('a session the server has lost is told so, with the messages nobody knows of', async () => {
  const first = await lab({ connect: { properties: { sessionExpiryInterval: 60 } } }, { set: (peer) => { peer.onPublish = () => 'later' } })
  first.client.publish({ topic: 'a', payload: '1', qos: 2 }).catch(() => {})
  await quiet()
  first.wire.cut()
  await first.client.closed
  const second = await lab({ session: first.client.session })
  assert.is(second.client.sessionOutcome, 'lost')
  assert.equal(second.client.redo.map(({ packet }) => [packet.topic, packet.qos, packet.dup, packet.packetId]), [['a', 2, undefined, undefined]])
})

test('the server goes on with a session too: QoS 2 is delivered once, whatever was cut', async () => {
  const heard: string[] = []
  const first = await lab({ connect: { clientId: 'kitchen', cleanStart: false, version: 4 } }, { set: () => {} })
  first.client.onPublish = (message) => {
    heard.push(text(message))
    first.wire.cut()
  }
  first.peer.publish({ topic: 'a', payload: 'once', qos: 2 }).catch(() => {})
  await Promise.all([first.client.closed, first.peer.closed])
  const second = await lab({ session: first.client.session, connect: { version: 4 }, onPublish: (message) => { heard.push(text(message)) } }, { accept: { session: first.peer.session } })
  await quiet()
  assert.equal(heard, ['once'])
  assert.equal([saveSession(second.client.session!).received, saveSession(second.peer.session!).sent], [[], []])
})

test('messages as an iterator: each is acknowledged when the next is asked for, and the loop ends with the connection', async () => {
  const { client, peer } = await lab()
  const acks: string[] = []
  for (const payload of ['1', '2', '3']) void peer.publish({ topic: 'a', payload, qos: 1 }).then(() => { acks.push(payload) }, () => {})
  const seen: string[] = []
  for await (const message of client.messages()) {
    seen.push(text(message))
    await quiet()
    assert.equal(acks, seen.slice(0, -1))
    if (seen.length === 3) void client.disconnect()
  }
  assert.equal(seen, ['1', '2', '3'])
})

test('an iterator that is left gives its place back', async () => {
  const heard: string[] = []
  const { client, peer } = await lab({ onPublish: (message) => { heard.push(text(message)) } })
  void peer.publish({ topic: 'a', payload: '1', qos: 1 })
  for await (const message of client.messages()) {
    assert.is(text(message), '1')
    break
  }
  await peer.publish({ topic: 'a', payload: '2', qos: 1 })
  assert.equal(heard, ['2'])
})

test('MQTT-4.12.0-3: enhanced authentication by handlers, before CONNACK and again later', async () => {
  const asked: string[] = []
  const wire = pair()
  const peer = new Peer(wire.server)
  let round = 0
  peer.onConnect = () => peer.auth(0x18, Uint8Array.of(1))
  peer.onPacket = async (packet) => {
    if (packet.type !== 'auth') return
    asked.push(`server got ${packet.reasonCode} ${packet.properties?.authenticationData?.[0]}`)
    if (++round === 1) await peer.accept({ properties: { authenticationMethod: 'X' } })
    else if (packet.reasonCode === 0x19) await peer.auth(0x18, Uint8Array.of(3))
    else await peer.auth(0)
  }
  const client = await Client.connect(wire.client, {
    connect: { clientId: 'a', properties: { authenticationMethod: 'X' } },
    onAuth: ({ reasonCode, properties }) => {
      asked.push(`client got ${reasonCode} ${properties?.authenticationData?.[0]}`)
      return Uint8Array.of(properties?.authenticationData?.[0]! + 1)
    },
  })
  assert.is((await client.reauthenticate(Uint8Array.of(9))).reasonCode, 0)
  assert.equal(asked.slice(0, 5), ['client got 24 1', 'server got 24 2', 'server got 25 9', 'client got 24 3', 'server got 24 4'])
  assert.is(client.state.phase, 'connected')
  await client.disconnect()
})

test('what a connection has carried is counted', async () => {
  const { client, peer, wire } = await lab()
  await client.publish({ topic: 'a', payload: 'x', qos: 1 })
  const bytes = (written: readonly Uint8Array[]): number => written.reduce((sum, { length }) => sum + length, 0)
  assert.equal([client.counters.packetsSent, client.counters.packetsReceived, client.counters.bytesSent, client.counters.bytesReceived], [2, 2, bytes(wire.client.written), bytes(wire.server.written)])
  assert.equal(peer.counters.bytesReceived, client.counters.bytesSent)
})

test('a server that ends a connection whose CONNECT is unanswered refuses it: 0x8b and 0x8e are no codes of CONNACK', async () => {
  for (const [reasonCode, told] of [[0x8b, 0x88], [0x8e, 0x88], [0, 0x88], [0x97, 0x97]] as const) {
    const wire = pair()
    const peer = new Peer(wire.server)
    peer.onConnect = () => {}
    const refused = failure(Client.connect(wire.client, { connect: { clientId: 'kitchen' } })) as Promise<ConnectionClosed>
    await quiet()
    await peer.disconnect(reasonCode)
    assert.is((await refused).cause.reasonCode, told)
  }
})

test('a session of another Client Identifier is not accepted', async () => {
  const wire = pair()
  const peer = new Peer(wire.server)
  let error: Error | undefined
  peer.onConnect = async () => { error = await failure(peer.accept({ session: newSession('cellar') })) }
  await failure(Client.connect(wire.client, { connect: { clientId: 'kitchen', cleanStart: false } }))
  assert.match(error!.message, /MQTT-3\.1\.3-2/)
})

test('SPEC-3.3.4-1: a Receive Maximum that is enforced is announced, by both sides', async () => {
  const { client, peer } = await lab({ limits: { receiveMaximum: 3 } }, { peer: { limits: { receiveMaximum: 4 } } })
  assert.is(peer.connect!.properties?.receiveMaximum, 3)
  assert.is(client.connack.properties?.receiveMaximum, 4)
  const plain = await lab()
  assert.equal([plain.peer.connect!.properties?.receiveMaximum, plain.client.connack.properties?.receiveMaximum], [undefined, undefined])
})

test.run()
