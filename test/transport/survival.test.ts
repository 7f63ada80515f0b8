// What applications, peers and wires do at the worst moment: every promise settles once, nothing hangs, nobody else is hurt.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, fromHex } from '../../src/codec/index.ts'
import type { ConnectInput } from '../../src/codec/index.ts'
import { restoreSession } from '../../src/fsm/index.ts'
import { Client, Driver, Peer, reconnecting, Timers } from '../../src/transport/index.ts'
import type { DriverOptions, Duplex, ReconnectingClient } from '../../src/transport/index.ts'
import { FakeClock } from '../helpers/clock.ts'
import { FakeDuplex, settle } from '../helpers/duplex.ts'
import { failure, lab, outcome, text } from '../helpers/lab.ts'
import { pair, quiet } from '../helpers/pair.ts'
import { randomFrom } from '../helpers/random.ts'
import { MemoryServer } from '../helpers/server.ts'

// A hook of uvu that throws ends the suite in silence: what it finds is a test of its own at the end.
const unhandled: unknown[] = []
let running = ''
process.on('unhandledRejection', (reason) => { unhandled.push(`${running}: ${String(reason)}`) })
test.before.each((context) => { running = (context as unknown as { readonly __test__: string }).__test__ })
test.after.each(() => quiet(5))

const CONNECT: ConnectInput = { type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 10 }
const PUBLISH = fromHex('30 04 00 01 74 21')

interface Rig { readonly clock: FakeClock, readonly duplex: FakeDuplex, readonly driver: Driver, readonly closes: string[], handler: () => void | Promise<void> }

/** A driver whose stream and clock are in our hands, connected. */
function rig(role: 'client' | 'server', options: Partial<DriverOptions> = {}): Rig {
  const clock = new FakeClock()
  const duplex = new FakeDuplex()
  const closes: string[] = []
  const self: { handler: Rig['handler'] } = { handler: () => {} }
  const driver = new Driver(duplex, {
    deliver: ({ type }) => (type === 'publish' ? self.handler() : undefined),
    closed: (cause, error) => { closes.push(`${cause.why} ${error?.message ?? ''}`.trim()) },
  }, { role, version: role === 'client' ? 4 : undefined, timers: new Timers(clock), ...options })
  if (role === 'client') driver.send(CONNECT).catch(() => {})
  duplex.onData(role === 'client' ? fromHex('20 02 00 00') : encode(CONNECT, 4))
  if (role === 'server') driver.send({ type: 'connack', reasonCode: 0 }).catch(() => {})
  duplex.take()
  return Object.assign(self, { clock, duplex, driver, closes })
}

test('a handler may disconnect and wait for the end', async () => {
  const { client, peer } = await lab()
  let end: unknown
  client.onPublish = async () => { end = await outcome(client.disconnect()) }
  await peer.publish({ topic: 'a', payload: '' })
  assert.is((await outcome(client.closed) as { readonly why: string }).why, 'disconnect')
  await outcome(client.finished)
  assert.is((end as { readonly why: string }).why, 'disconnect')
})

test('a handler that never ends holds up neither the end nor the server\'s close; `finished` waits for it', async () => {
  const { client, peer, causes } = await lab({}, { set: (end) => { end.onPublish = () => new Promise(() => {}) } })
  client.publish({ topic: 'a', payload: '', qos: 1 }).catch(() => {})
  await quiet()
  assert.is((await outcome(peer.disconnect()) as { readonly why: string }).why, 'disconnect')
  assert.equal([causes.length, await outcome(peer.finished)], [0, 'hangs'])
})

test('messages behind a busy handler are given also when the connection is over, in order, and onClose comes last', async () => {
  const log: string[] = []
  const { client, peer, wire } = await lab({}, { set: (end) => { end.onPublish = () => 'later' } })
  client.onPublish = async (message) => {
    log.push(text(message))
    await quiet(10)
  }
  client.onClose = ({ why }) => { log.push(why) }
  client.publish({ topic: 'b', payload: '', qos: 1 }).catch(() => {})
  for (const payload of ['1', '2', '3']) peer.publish({ topic: 'a', payload, qos: 2 }).catch(() => {})
  await quiet(5)
  wire.cut()
  await client.finished
  assert.equal(log, ['1', '2', '3', 'broken'])
})

test('onClose that throws, at once or as a promise, is the end of nothing else', async () => {
  for (const onClose of [() => { throw new Error('oops') }, async () => { throw new Error('oops') }]) {
    const { client, peer, wire } = await lab({}, { set: (end) => { end.onSubscribe = () => 'later' } })
    client.onClose = onClose
    peer.onClose = onClose
    const asked = failure(client.subscribe('a'))
    await quiet()
    wire.cut()
    assert.is((await asked).name, 'ConnectionClosed')
    assert.is((await client.closed).why, 'broken')
    await Promise.all([client.finished, peer.finished])
  }
})

test('onClose may ask for anything and is told that it is over', async () => {
  const { client } = await lab()
  const asked: Promise<Error>[] = []
  client.onClose = () => {
    asked.push(failure(client.publish({ topic: 'a', payload: '', qos: 1 })), failure(client.subscribe('a')), failure(client.ping()))
    client.abort()
    void client.disconnect()
  }
  await client.disconnect()
  assert.equal((await Promise.all(asked)).map(({ name }) => name), ['ConnectionClosed', 'ConnectionClosed', 'ConnectionClosed'])
})

test('a trace that throws ends its connection, once', async () => {
  const wire = pair()
  let calls = 0
  const error = await failure(Client.connect(wire.client, { trace: () => { calls++; throw new Error('no disk') } }))
  assert.match(error.message, /no disk/)
  await quiet()
  assert.ok(calls < 5, String(calls))
})

test('what a handler gives and may not be sent ends the connection with the reason: nobody waits for ever', async () => {
  for (const [reply, says] of [[[0], /1 codes for 2/], [0x05, /one of its own|has its own/i]] as const) {
    const { client, causes } = await lab({}, { set: (end) => { end.onSubscribe = () => reply } })
    assert.is((await outcome(client.subscribe(['a', 'b'])) as Error).name, 'ConnectionClosed')
    await quiet()
    assert.match(causes[0]!.sentence, says)
  }
})

test('a handler that has answered by itself and gives nothing does no harm', async () => {
  const { client, causes } = await lab({}, {
    set: (peer) => {
      peer.onPublish = (message) => { void peer.send({ type: 'puback', packetId: message.packetId!, reasonCode: 0x10 }) }
      peer.onSubscribe = async ({ packetId }) => { await peer.send({ type: 'suback', packetId, reasonCodes: [1] }); return 0 }
    },
  })
  assert.is((await client.publish({ topic: 'a', payload: '', qos: 1 }))!.reasonCode, 0x10)
  assert.equal(await client.subscribe('a'), [1])
  await client.ping()
  assert.equal(causes, [])
})

test('what is sent in the turn that ends the connection came too late, and is told so', async () => {
  for (const keepMessages of [false, true]) {
    const { client, peer } = await lab({ keepMessages })
    const late: Promise<Error>[] = []
    client.onPublish = () => {
      client.abort()
      late.push(failure(client.publish({ topic: 'a', payload: '', qos: 1 })), failure(client.subscribe('a')), failure(client.publish({ topic: 'a', payload: '' })))
    }
    await peer.publish({ topic: 'a', payload: '' })
    await quiet()
    assert.equal((await Promise.all(late)).map(({ name }) => name), Array(3).fill('ConnectionClosed'))
  }
})

test('a session of 5.0 goes on over 3.1.1 without what that cannot say', async () => {
  const first = await lab({ connect: { properties: { sessionExpiryInterval: 60 } } }, { set: (peer) => { peer.onPublish = () => 'later' } })
  first.client.publish({ topic: 'a', payload: 'x', qos: 1, properties: { contentType: 'text/plain' } }).catch(() => {})
  await quiet()
  first.wire.cut()
  await first.client.closed
  const heard: string[] = []
  await lab({ session: first.client.session, connect: { version: 4 } }, { accept: { sessionPresent: true }, set: (peer) => { peer.onPublish = (message) => { heard.push(text(message)) } } })
  await quiet()
  assert.equal(heard, ['x'])
})

test('a stored session with a message that is none ends the connection, not the process', async () => {
  const session = restoreSession({ clientId: 'kitchen', sent: [{ packetId: 1, message: { type: 'publish', topic: 'a/#', payload: '', qos: 1 } }] })
  const error = await failure(lab({ session, connect: { version: 4 } }, { accept: { sessionPresent: true } }))
  assert.match(error.message, /Topic Name/)
  const wire = pair()
  const peer = new Peer(wire.server)
  let refused: Error | undefined
  peer.onConnect = async () => { refused = await failure(peer.accept({ session })) }
  await failure(Client.connect(wire.client, { connect: { version: 4, clientId: 'kitchen', cleanStart: false } }))
  assert.is(refused!.name, 'UsageError')
})

test('a peer that does not read can be disconnected from, however much waits', async () => {
  const r = rig('client', { maximumUnsent: 10, limits: { closeTimeout: 1000 } })
  r.duplex.room = false
  r.driver.send({ type: 'publish', topic: 't', payload: new Uint8Array(100) }).catch(() => {})
  assert.is((await failure(r.driver.send({ type: 'publish', topic: 't', payload: '' }))).name, 'UsageError')
  await r.driver.send({ type: 'disconnect' })
  assert.is(r.duplex.closed, 'ended')
  r.clock.pass(1100)
  await r.driver.done
  assert.equal([r.closes, r.duplex.closed, r.clock.pending], [['disconnect'], 'aborted', 0])
})

test('a wire that breaks under a peer that does not read is noticed at once, behind what had come', async () => {
  const r = rig('client')
  let seen = 0
  r.handler = () => { seen++ }
  r.duplex.room = false
  r.driver.send({ type: 'publish', topic: 't', payload: '' }).catch(() => {})
  r.duplex.onData(PUBLISH)
  assert.is(seen, 0)
  r.duplex.onEnd(new Error('reset'))
  assert.equal([seen, r.closes], [1, ['broken reset']])
})

test('output of one turn: whether the peer reads is asked before there is more than a slab of it', () => {
  const r = rig('server')
  const pings = Uint8Array.from({ length: 400_000 }, (_, i) => (i % 2 === 0 ? 0xc0 : 0))
  r.duplex.room = false
  r.duplex.onData(pings)
  const sum = r.duplex.written.reduce((all, { length }) => all + length, 0)
  assert.ok(sum <= 65_540, String(sum))
  assert.ok(r.duplex.paused)
  r.duplex.room = true
  r.duplex.onDrain()
  assert.is(r.duplex.written.reduce((all, { length }) => all + length, 0), 400_000)
})

test('messages that wait for Receive Maximum also wait for a peer that does not read', async () => {
  const r = rig('client', { maximumUnsent: 1000 })
  const all = Array.from({ length: 50 }, (_, i) => r.driver.send({ type: 'publish', topic: 't', payload: new Uint8Array(i), qos: 1 }).catch((error: Error) => error))
  for (let id = 1; id <= 50; id++) r.duplex.onData(Uint8Array.of(0x40, 2, 0, id))
  assert.equal((await Promise.all(all)).map((ack) => (ack as { readonly type: string }).type), Array(50).fill('puback'))
})

test('MQTT-3.1.2-24 (3.1.1): when reading goes on after a slow handler, what came meanwhile gets time to be read', async () => {
  for (const role of ['server', 'client'] as const) {
    const r = rig(role)
    let go = (): void => {}
    r.handler = () => new Promise<void>((resolve) => { go = resolve })
    r.duplex.onData(PUBLISH)
    // The timer comes up again and again, and just after the handler is done.
    for (let i = 0; i < 1000; i++) {
      r.clock.pass(100)
      if (i % 50 !== 49) continue
      go()
      await settle()
      r.clock.pass(900)
      assert.equal(r.closes, [], `${role} ${i}`)
      r.duplex.onData(role === 'server' ? Uint8Array.from([0xc0, 0, ...PUBLISH]) : Uint8Array.from([0xd0, 0, ...PUBLISH]))
    }
    go()
    await settle()
    r.clock.pass(40_000)
    assert.match(r.closes[0]!, role === 'server' ? /^keep-alive/ : /^pingresp/)
  }
})

test('a handler that waits for an acknowledgement behind more than can wait with it is given up, with a reason', async () => {
  const r = rig('client', { drainTimeout: 5000 })
  let acknowledged: Promise<unknown> | undefined
  r.handler = async () => { await (acknowledged = r.driver.send({ type: 'publish', topic: 'u', payload: '', qos: 1 })) }
  for (let i = 0; i < 300; i++) r.duplex.onData(PUBLISH)
  assert.ok(r.duplex.paused)
  r.clock.pass(4900)
  assert.equal(r.closes, [])
  r.clock.pass(200)
  assert.match((await failure(acknowledged!)).message, /handler has been busy for 5000 ms/)
})

test('a server answers CONNECT at odd moments: before it, twice, after the end, and nobody looks', async () => {
  const early = new Peer(pair().server)
  assert.is((await failure(early.accept())).name, 'UsageError')
  void early.accept()
  void early.refuse(0x87)
  early.abort()
  void early.accept()
  assert.is((await failure(early.accept())).name, 'ConnectionClosed')
  const { peer, client } = await lab()
  assert.is((await failure(peer.accept())).name, 'UsageError')
  assert.is((await failure(peer.refuse(0x87))).name, 'UsageError')
  await client.ping()
  // The Client is gone, in good order or not, before the answer comes.
  for (const leave of [(wire: ReturnType<typeof pair>) => { wire.cut() }, (wire: ReturnType<typeof pair>) => { wire.client.close() }]) {
    const wire = pair()
    const late = new Peer(wire.server)
    let go!: () => void
    const asked = new Promise<void>((resolve) => { go = resolve })
    let answered: Promise<void> | undefined
    late.onConnect = async () => {
      await asked
      await (answered = late.accept())
    }
    const connecting = Client.connect(wire.client).catch(() => {})
    await quiet()
    leave(wire)
    await quiet()
    go()
    await outcome(late.closed)
    assert.ok(answered !== undefined)
    assert.ok(['closed', 'closing'].includes(late.state.phase))
    wire.cut()
    await connecting
  }
})

test('disconnecting twice sends one DISCONNECT, and it arrives', async () => {
  const { client, peer } = await lab()
  const both = [peer.disconnect(0x8b), peer.disconnect(0x8b), peer.disconnect()]
  assert.is((await client.closed).reasonCode, 0x8b)
  for (const cause of await Promise.all(both)) assert.is(cause.reasonCode, 0x8b)
  assert.is((await client.disconnect()).reasonCode, 0x8b)
})

test('a client that breaks while it disconnects does not fail at it', async () => {
  const { client, wire } = await lab()
  client.onPacket = () => {}
  const ended: Promise<unknown>[] = []
  client.onPublish = () => {
    client.abort()
    ended.push(client.disconnect())
  }
  wire.client.onData(fromHex('30 05 00 01 74 00 21'))
  await quiet()
  assert.is(((await ended[0]) as { readonly why: string }).why, 'broken')
})

test('applications at random: whatever handlers do, every promise settles and each end is told once', async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const dice = randomFrom(seed)
    const wire = pair(1 + dice(40))
    const peer = new Peer(wire.server)
    const ends: string[] = []
    const asked: Promise<unknown>[] = []
    const connected = Client.connect(wire.client, { connect: { clientId: 'k', version: seed % 2 === 0 ? 5 : 4 } }).catch((error: Error) => error)
    const act = (self: Client | Peer): void | Promise<void> => {
      const ask = (promise: Promise<unknown>): void => { asked.push(promise.catch((error: Error) => error.name)) }
      switch (dice(14)) {
        case 0: throw new Error('thrown')
        case 1: return Promise.reject(new Error('rejected'))
        case 2: return self.abort()
        case 3: return ask(self.disconnect())
        case 4: return wire.cut()
        case 5: return quiet(dice(6))
        case 6: return self.disconnect().then(() => {})
        case 7: return self.publish({ topic: 'a', payload: 'x', qos: 1 }).then(() => {})
        case 8: return ask(self.publish({ topic: 'a/#', payload: 'x', qos: 1 }))
        case 9: return self instanceof Client ? self.subscribe('x').then(() => {}) : undefined
        default: return ask(self.publish({ topic: 'a', payload: 'x', qos: dice(3) as 0 | 1 | 2 }))
      }
    }
    peer.onConnect = () => (dice(10) === 0 ? act(peer) : peer.accept())
    peer.onPublish = () => act(peer)
    peer.onSubscribe = async () => { await act(peer); return 0 }
    peer.onClose = () => {
      ends.push('peer')
      return act(peer) as void
    }
    const client = await Promise.race([connected, quiet(60).then(() => { wire.cut(); return connected })])
    if (client instanceof Client) {
      client.onPublish = () => act(client)
      client.onClose = () => { ends.push('client') }
      for (let i = 0; i < 6; i++) try { asked.push(Promise.resolve(act(client)).catch(() => {})) } catch { /* thrown on purpose */ }
      await quiet(30)
      client.abort()
      assert.not.equal(await outcome(Promise.all([client.finished, client.closed]), 2000), 'hangs', `seed ${seed}`)
      assert.is(ends.filter((end) => end === 'client').length, 1, `seed ${seed}`)
    }
    wire.cut()
    assert.not.equal(await outcome(Promise.all([...asked, peer.finished, peer.closed]), 2000), 'hangs', `seed ${seed}`)
    assert.is(ends.filter((end) => end === 'peer').length, 1, `seed ${seed}`)
  }
})

test('a client that comes back: a handler that waits for a message of its own does not keep it from coming back', async () => {
  const server = new MemoryServer()
  server.set = (peer) => { peer.onPublish = () => { server.cut() } }
  const client = server.client()
  const done: string[] = []
  client.onPublish = async (message) => {
    await client.publish({ topic: 'answer', payload: '', qos: 1 })
    done.push(text(message))
  }
  await server.connected(client)
  server.set = (peer) => { peer.onPublish = () => {} }
  for (const payload of ['1', '2']) server.peer!.publish({ topic: 'a', payload, qos: 2 }).catch(() => {})
  for (let i = 0; done.length < 2 && i < 300; i++) await quiet(2)
  assert.equal(done, ['1', '2'])
  assert.is(server.wires.length, 2)
  await client.end()
})

test('a client that comes back gives messages in order, also past a handler that is still busy with the last connection\'s', async () => {
  const server = new MemoryServer()
  const client = server.client()
  const log: string[] = []
  let go!: () => void
  client.onPublish = async (message) => {
    log.push(`begin ${text(message)}`)
    if (text(message) === '1') await new Promise<void>((resolve) => { go = resolve })
    log.push(`end ${text(message)}`)
  }
  await server.connected(client)
  server.peer!.publish({ topic: 'a', payload: '1', qos: 2 }).catch(() => {})
  await quiet()
  for (const count of [2, 3]) {
    server.cut()
    await server.connected(client, count)
  }
  server.peer!.publish({ topic: 'a', payload: '2', qos: 2 }).catch(() => {})
  await quiet()
  assert.equal(log, ['begin 1'])
  go()
  await quiet()
  assert.equal(log, ['begin 1', 'end 1', 'begin 2', 'end 2'])
  await client.end()
  await client.finished
})

test('`end` at every moment, from outside: it resolves, and nothing is left', async () => {
  for (let moment = 0; moment < 60; moment++) {
    const server = new MemoryServer()
    const client = server.client()
    const sent = client.publish({ topic: 'a', payload: '', qos: 2 }).catch(() => {})
    // The first third counts microtasks, where one thing hands over to the next.
    if (moment < 30) for (let i = 0; i < moment; i++) await Promise.resolve()
    else await quiet(moment - 30)
    assert.not.equal(await outcome(client.end()), 'hangs', `moment ${moment}`)
    await sent
    assert.is(client.client, undefined)
    if (server.peer !== undefined) assert.not.equal(await outcome(server.peer.closed), 'hangs')
  }
})

test('`end` from within: while opening, asking for CONNECT, connected, told of an end, in a handler', async () => {
  const from: ((server: MemoryServer, end: () => Promise<unknown>) => ReconnectingClient)[] = [
    (server, end) => server.client({ open: async (attempt) => { await quiet(1); void end(); return server.open(attempt) } }),
    (server, end) => server.client({ connect: async () => { await quiet(1); void end(); return {} } }),
    (server, end) => Object.assign(server.client(), { onConnect: async () => { await end() } }),
    (server, end) => Object.assign(server.client({ open: () => Promise.reject(new Error('nobody')), backoff: { base: 60_000, maximum: 60_000 }, random: () => 0.5 }), { onDisconnect: async () => { await end() } }),
    (server, end) => {
      const client = Object.assign(server.client(), { onPublish: async () => { await end() }, onConnect: () => { void server.peer!.publish({ topic: 'a', payload: '', qos: 1 }).catch(() => {}) } })
      return client
    },
  ]
  for (const [i, make] of from.entries()) {
    let end: () => Promise<unknown> = async () => {}
    const client = make(new MemoryServer(), () => end())
    end = () => client.end()
    assert.not.equal(await outcome(client.closed), 'hangs', String(i))
    assert.not.equal(await outcome(client.finished), 'hangs', String(i))
  }
})

test('async handlers of a client that comes back: a connection that goes is no failure of theirs, anything else ends it', async () => {
  const server = new MemoryServer()
  server.set = (peer) => { peer.onSubscribe = () => 0; peer.onPublish = () => 'later' }
  const client = server.client()
  let connects = 0
  client.onConnect = async (connection) => {
    connects++
    await connection.publish({ topic: 'a', payload: '', qos: 1 })
  }
  await server.connected(client)
  await quiet()
  const error = client.client!
  server.cut()
  await server.connected(client, 2)
  assert.is(connects, 2)
  assert.not.equal(client.client, error)
  client.onDisconnect = async () => { throw new Error('my mistake') }
  server.cut()
  assert.is((await client.closed).message, 'my mistake')
})

test('the number of an attempt is 0 again behind a connection that held', async () => {
  const now = performance.now
  let later = 0
  performance.now = () => now.call(performance) + later
  try {
    const server = new MemoryServer()
    let refuse = 2
    const client = server.client({ open: (attempt): Promise<Duplex> => (refuse-- > 0 ? (server.attempts.push(attempt), Promise.reject(new Error('nobody'))) : server.open(attempt)) })
    await server.connected(client)
    later = 6_000
    server.cut()
    await server.connected(client, 2)
    assert.equal(server.attempts.map(({ attempt }) => attempt), [0, 1, 2, 0])
    await client.end()
  } finally {
    performance.now = now
  }
})

test('what opens too late, or throws, or is no stream at all, is no hang', async () => {
  const thrown = reconnecting({ open: () => { throw new Error('no such thing') }, attempts: 1 })
  assert.is((await thrown.closed).message, 'no such thing')
  const late = new FakeDuplex()
  let give!: (duplex: Duplex) => void
  const client = reconnecting({ open: () => new Promise<Duplex>((resolve) => { give = resolve }) })
  await quiet(1)
  await client.end()
  give(late)
  await quiet(1)
  assert.is(late.closed, 'aborted')
})

test('no rejection was left unhandled', () => { assert.equal(unhandled, []) })

test.run()
