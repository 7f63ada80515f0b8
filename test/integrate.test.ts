// The code of docs/integrate.md, all of it one program, put under clients and servers on wires of every kind.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createBroker } from '../src/broker/index.ts'
import { encode, explain, fromHex, restoreSession } from '../src/index.ts'
import type { CloseCause, Effect, Input, Packet, PacketInput, PacketOf, ProtocolVersion, Publish, Role, Send, Session, State, Subscription } from '../src/index.ts'
import { listenTcp } from '../src/transport/tcp.ts'
import type { Peer } from '../src/transport/index.ts'
import { accepting } from './helpers/accepting.ts'
import { blocksOf, Project, read, ROOT } from './helpers/project.ts'

const project = new Project()

test.before(() => project.install())
test.after(() => { project.remove() })

interface Connection { readonly state: State, readonly waiting: readonly Send[] }
interface Io {
  readonly write?: (bytes: Uint8Array) => void
  readonly close?: () => void
  readonly deliver: (packet: Packet) => void
  readonly settle: (token: unknown, packet?: Packet) => void
  readonly refuse: (token: unknown, error: Error) => void
  readonly closed: (cause: CloseCause) => void
  readonly save?: (session: Session | undefined) => void
  readonly outcome?: (effect: SessionEffect) => void
}
type SessionEffect = Extract<Effect, { readonly type: 'session' }>
interface Clock { now: number, turn(now: number): number }
interface FileStore { save(session: Session | undefined): void, load(clientId: string): Session | undefined, remove(clientId: string): void }
interface Ended { readonly cause: CloseCause, readonly session: Session | undefined, readonly lived: number }
interface Guide {
  open(options: { role: Role, version?: ProtocolVersion, session?: Session | undefined, io: Io, clock?: Clock }): Connection
  act(c: Connection, input: Input): void
  received(c: Connection, bytes: Uint8Array): void
  ended(c: Connection, error?: Error): void
  acknowledge(c: Connection, message: Pick<Publish, 'qos' | 'packetId'>, reasonCode?: number): void
  working(connection: () => Connection, work: (message: Publish) => Promise<number | undefined>): (message: Publish) => void
  answerSubscribe(c: Connection, packet: PacketOf<'subscribe'>, grant: (subscription: Subscription) => number): void
  fileStore(folder: string): FileStore
  sendAgain(c: Connection, effect: SessionEffect): string
  acceptWith(c: Connection, connect: PacketOf<'connect'>, store: FileStore): void
  comeBack(connect: (session: Session | undefined) => Promise<Ended>, options: { random: () => number, wait: (ms: number) => Promise<void>, log: (sentence: string) => void }): Promise<Session | undefined>
  overTcp(port: number, options: Io & { readonly version: ProtocolVersion, readonly session?: Session | undefined }): Connection
  overWebSocket(socket: object, options: Io & { readonly version: ProtocolVersion }): Connection
  serveOver(port: MessagePort, connect: (io: Io) => Connection): Connection
  loopClock(): Clock
}

let guide: Guide
const connect = (version: ProtocolVersion, more = {}): PacketInput => ({ type: 'connect', version, clientId: 'kitchen', cleanStart: true, keepAlive: 60, ...more })

/** What an application hears. */
function recorder(): Io & { readonly log: string[], readonly packets: Packet[] } {
  const log: string[] = []
  const packets: Packet[] = []
  return {
    log, packets, deliver: (packet) => { log.push(`deliver ${packet.type}`); packets.push(packet) }, settle: (token, packet) => { log.push(`settle ${String(token)} ${packet?.type}`) },
    refuse: (token, { name, message }) => { log.push(`refuse ${String(token)} ${name} ${message}`) }, closed: ({ by, why }) => { log.push(`closed ${by} ${why}`) },
  }
}

/** A client and a server of the guide, joined without a wire, on clocks that stand still. */
function pair(version: ProtocolVersion, answer = true): { readonly client: Connection, readonly server: Connection, readonly heard: ReturnType<typeof recorder>, readonly clock: Clock, readonly sent: number[] } {
  const heard = recorder()
  const sent: number[] = []
  const clock = guide.loopClock()
  const client: Connection = guide.open({ role: 'client', version, clock, io: { ...heard, write: (bytes) => { sent.push(bytes[0]! >> 4); guide.received(server, bytes) }, close: () => { guide.ended(server) } } })
  const server: Connection = guide.open({
    role: 'server', clock, io: {
      ...recorder(), write: (bytes) => { if (answer || bytes[0] !== 0xd0) guide.received(client, bytes) }, close: () => { guide.ended(client) },
      deliver: (packet) => { if (packet.type === 'connect') guide.act(server, { type: 'send', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } }) },
    },
  })
  guide.act(client, { type: 'send', packet: connect(version), token: 'hello' })
  return { client, server, heard, clock, sent }
}

test('its code is one program', async () => {
  project.write('guide.js', blocksOf('docs/integrate.md', 'js').join('\n'))
  guide = await project.load('guide.js') as Guide
  assert.equal(Object.keys(guide).sort(), [
    'acceptWith', 'acknowledge', 'act', 'answerSubscribe', 'comeBack', 'ended', 'fileStore', 'loopClock', 'open', 'overTcp', 'overWebSocket', 'realClock', 'received', 'sendAgain', 'serveOver', 'working',
  ])
})

test('in Node, against a real server, in every version', async () => {
  for (const version of [3, 4, 5] as const) {
    const server = await accepting()
    const heard = recorder()
    await new Promise<void>((resolve) => {
      const c: Connection = guide.overTcp(server.port, {
        ...heard, version, closed: (cause) => { heard.closed(cause); resolve() },
        settle: (token, packet) => {
          heard.settle(token, packet)
          if (token === 'hello') guide.act(c, { type: 'send', packet: { type: 'pingreq' }, token: 'ping' })
          else guide.act(c, { type: 'send', packet: { type: 'disconnect' } })
        },
      })
      guide.act(c, { type: 'send', packet: connect(version), token: 'hello' })
    })
    await server.over
    await server.close()
    assert.equal(heard.log, ['deliver connack', 'settle hello connack', 'settle ping pingresp', 'closed client disconnect'])
    assert.equal(server.causes.map(({ by, why }) => [by, why]), [['client', 'disconnect']])
  }
})

test('in a browser, over a WebSocket whose messages cut packets anywhere', () => {
  const heard = recorder()
  const socket = {
    binaryType: '', onmessage: (_: { data: ArrayBuffer }): void => {}, onclose: (): void => {}, closed: false,
    send: (bytes: Uint8Array): void => { guide.received(server, bytes.slice()) }, close: (): void => { socket.closed = true; socket.onclose() },
  }
  const server: Connection = guide.open({
    role: 'server', io: {
      ...recorder(), close: () => { socket.close() }, write: (bytes) => { for (const byte of bytes) socket.onmessage({ data: Uint8Array.of(byte).buffer }) },
      deliver: (packet) => { if (packet.type === 'connect') guide.act(server, { type: 'send', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } }) },
    },
  })
  const c = guide.overWebSocket(socket, { ...heard, version: 5 })
  assert.is(socket.binaryType, 'arraybuffer')
  guide.act(c, { type: 'send', packet: connect(5), token: 'hello' })
  guide.act(server, { type: 'send', packet: { type: 'publish', topic: 'a', payload: 'b' } })
  guide.act(server, { type: 'send', packet: { type: 'disconnect', reasonCode: 0x8e } })
  assert.equal(heard.log, ['deliver connack', 'settle hello connack', 'deliver publish', 'closed server taken-over'])
  assert.ok(socket.closed)
  assert.is(c.state.phase, 'closed')
})

test('in a worker, packets travel by message and payloads without the buffer behind them', async () => {
  const { port1, port2 } = new MessageChannel()
  const messages: { readonly type: string, readonly packet?: { readonly payload?: Uint8Array }, readonly error?: { readonly name: string } }[] = []
  const waiting: (() => void)[] = []
  port2.on('message', (data) => { messages.push(data as typeof messages[number]); waiting.shift()?.() })
  const message = (): Promise<void> => new Promise((resolve) => { waiting.push(resolve) })
  let server: Connection
  const c = guide.serveOver(port1, (io) => {
    const client: Connection = guide.open({ role: 'client', version: 5, io: { ...io, write: (bytes) => { guide.received(server, bytes) }, close: () => {} } })
    server = guide.open({ role: 'server', io: { ...recorder(), close: () => {}, write: (bytes) => { guide.received(client, bytes) }, deliver: (packet) => { if (packet.type === 'connect') guide.act(server, { type: 'send', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } }) } } })
    return client
  })
  port2.postMessage({ packet: connect(5), token: 'hello' })
  await Promise.all([message(), message()])
  assert.is(c.state.phase, 'connected')
  guide.act(server!, { type: 'send', packet: { type: 'publish', topic: 'a', payload: 'b' } })
  port2.postMessage({ packet: connect(5), token: 'again' })
  await Promise.all([message(), message()])
  port1.close()
  assert.equal(messages.map(({ type }) => type), ['deliver', 'settle', 'deliver', 'refuse'])
  assert.is(messages[2]!.packet!.payload!.buffer.byteLength, 1)
  assert.is(messages[3]!.error!.name, 'UsageError')
  guide.ended(c)
  guide.ended(server!)
})

test('in a loop of one\'s own, time is what the loop says', () => {
  const { heard, clock, sent, client } = pair(5)
  assert.is(client.state.phase, 'connected')
  assert.is(clock.turn(59_499), 59_500)
  clock.turn(59_500)
  assert.equal(sent, [1, 12])
  guide.act(client, { type: 'send', packet: { type: 'publish', topic: 'a', payload: 'b' } })
  clock.turn(118_999)
  assert.equal(sent, [1, 12, 3])
  clock.turn(119_000)
  assert.equal(sent, [1, 12, 3, 12])
  const silent = pair(4, false)
  silent.clock.turn(59_500 + 9_999)
  assert.is(silent.client.state.phase, 'connected')
  silent.clock.turn(59_500 + 10_000)
  assert.equal(silent.heard.log.at(-1), 'closed client pingresp-timeout')
  assert.equal(heard.log, ['deliver connack', 'settle hello connack'])
})

test('what cannot be encoded is refused and undone, what is malformed ends the connection, a session goes on', () => {
  const { client, heard } = pair(5)
  const before = client.state
  guide.act(client, { type: 'send', packet: { type: 'publish', topic: 'a/#', payload: '' }, token: 'wild' })
  assert.match(heard.log.at(-1)!, /^refuse wild UsageError publish\.topic/)
  assert.is(client.state, before)
  guide.received(client, fromHex('20 03 02 00 00'))
  assert.is(heard.log.at(-1), 'closed client malformed')
  const { session } = client.state
  assert.is(session?.clientId, 'kitchen')
  const again = guide.open({ role: 'client', version: 5, session, clock: guide.loopClock(), io: { ...recorder(), write: () => {}, close: () => {} } })
  guide.act(again, { type: 'send', packet: connect(5, { cleanStart: false }) })
  guide.received(again, fromHex('20 03 01 00 00'))
  assert.is(again.state.phase, 'connected')
})

/** A client and a server of the guide, of which the server keeps sessions, on a wire that is there until it is cut. */
interface Line { client: Connection, server: Connection, readonly log: string[], cut(): void }
interface Made { readonly store: FileStore, readonly session?: Session | undefined, readonly client?: Partial<Io>, readonly server?: Partial<Io>, readonly grant?: (subscription: Subscription) => number }

/** `make` gets the line, whose ends are not there yet: handlers look for them when they are called. */
function lay(version: ProtocolVersion, make: (line: Line) => Made): Line {
  let whole = true
  const line: Line = { client: undefined as never, server: undefined as never, log: [], cut: () => { whole = false } }
  const { store, session, client, server, grant = () => 0 } = make(line)
  const io = (name: 'client' | 'server', other: 'client' | 'server'): Io => ({
    write: (bytes) => { if (whole) queueMicrotask(() => { guide.received(line[other], bytes) }) }, close: () => {}, deliver: () => {},
    settle: (token, packet) => { line.log.push(`${name} settle ${String(token)} ${packet?.type}`) },
    refuse: (token, error) => { line.log.push(`${name} refuse ${String(token)} ${(error as { readonly rule?: string }).rule ?? error.message}`) },
    closed: ({ why }) => { line.log.push(`${name} closed ${why}`) },
  })
  line.client = guide.open({ role: 'client', version, session, clock: guide.loopClock(), io: { ...io('client', 'server'), ...client } })
  const heard = server?.deliver ?? (() => {})
  line.server = guide.open({
    role: 'server', clock: guide.loopClock(), io: {
      ...io('server', 'client'), save: store.save, ...server, deliver: (packet) => {
        if (packet.type === 'connect') guide.acceptWith(line.server, packet, store)
        else if (packet.type === 'subscribe') guide.answerSubscribe(line.server, packet, grant)
        else heard(packet)
      },
    },
  })
  guide.act(line.client, { type: 'send', packet: connect(version, { cleanStart: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}) }) })
  return line
}

const soon = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })
const publish = (payload: string, qos: 0 | 1 | 2): Input => ({ type: 'send', packet: { type: 'publish', topic: 't', payload, qos }, token: payload })
const text = ({ payload }: Publish): string => new TextDecoder().decode(payload)
/** A `deliver` that looks at messages only. */
const messages = (take: (message: Publish) => void) => (packet: Packet): void => { if (packet.type === 'publish') take(packet) }

test('messages are answered in their order, behind the work that makes them safe; requests with a code for each filter', async () => {
  const works: { readonly name: string, readonly done: () => void }[] = []
  const line = lay(5, (line) => ({
    store: guide.fileStore(join(project.folder, 'answers')), grant: ({ filter, qos }) => (filter === 'no' ? 0x87 : qos),
    client: { deliver: messages(guide.working(() => line.client, (message) => new Promise((resolve) => { works.push({ name: text(message), done: () => { resolve(undefined) } }) }))) },
  }))
  await soon()
  guide.act(line.client, { type: 'send', packet: { type: 'subscribe', subscriptions: [{ filter: 'a', qos: 2 }, { filter: 'no', qos: 1 }] }, token: 'sub' })
  await soon()
  assert.is(line.log.at(-1), 'client settle sub suback')
  const names = ['one', 'two', 'three']
  for (const name of names) guide.act(line.server, publish(name, 1))
  await soon()
  assert.equal(works.map(({ name }) => name), names)
  const before = line.log.length
  // The last is ready first, and waits for its turn.
  for (const at of [2, 1, 0]) {
    assert.is(line.log.length, before)
    works[at]!.done()
    await soon()
  }
  assert.equal(line.log.slice(before), names.map((name) => `server settle ${name} puback`))
  // Out of order it is refused, by the statement that the page names.
  for (const name of ['four', 'five']) guide.act(line.server, publish(name, 2))
  await soon()
  guide.acknowledge(line.client, { qos: 2, packetId: 5 })
  assert.is(line.log.at(-1), 'client refuse undefined MQTT-4.6.0-3')
})

test('beyond the quota messages wait in their order, whatever else is settled meanwhile; what still waits at the end is refused', () => {
  const heard = recorder()
  const c = guide.open({ role: 'client', version: 5, clock: guide.loopClock(), io: { ...heard, write: () => {}, close: () => {} } })
  const waiting = (): readonly unknown[] => c.waiting.map(({ token }) => token)
  guide.act(c, { type: 'send', packet: connect(5) })
  // CONNACK with Receive Maximum 1
  guide.received(c, fromHex('20 06 00 00 03 21 00 01'))
  for (const name of ['A', 'B', 'C', 'D']) guide.act(c, publish(name, 1))
  guide.act(c, { type: 'send', packet: { type: 'subscribe', subscriptions: [{ filter: 'a', qos: 0 }] }, token: 'sub' })
  guide.act(c, { type: 'send', packet: { type: 'pingreq' }, token: 'ping' })
  assert.equal(waiting(), ['B', 'C', 'D'])
  guide.received(c, fromHex('90 04 00 02 00 00 d0 00'))
  assert.equal(waiting(), ['B', 'C', 'D'])
  guide.received(c, fromHex('40 02 00 01'))
  assert.equal(waiting(), ['C', 'D'])
  guide.received(c, fromHex('40 02 00 03'))
  assert.equal(heard.log.filter((line) => line.startsWith('settle')), ['settle sub suback', 'settle ping pingresp', 'settle A puback', 'settle B puback'])
  guide.ended(c)
  assert.equal(heard.log.slice(-2).map((line) => line.split(' ').slice(0, 3).join(' ')), ['refuse D Error', 'closed server ended'])
  // What an earlier connection has left goes first, and takes the room.
  const again = guide.open({ role: 'client', version: 5, session: restoreSession({ clientId: 'kitchen', sent: ['X', 'Y'].map((payload, i) => ({ packetId: i + 1, message: { type: 'publish', topic: 't', payload, qos: 1 } })) }), clock: guide.loopClock(), io: { ...recorder(), write: () => {}, close: () => {} } })
  guide.act(again, { type: 'send', packet: connect(5, { cleanStart: false }) })
  guide.received(again, fromHex('20 06 01 00 03 21 00 01'))
  for (const name of ['B', 'C']) guide.act(again, publish(name, 1))
  guide.received(again, fromHex('40 02 00 01'))
  assert.equal(again.waiting.map(({ token }) => token), ['B', 'C'])
  guide.received(again, fromHex('40 02 00 02'))
  assert.equal(again.waiting.map(({ token }) => token), ['C'])
  guide.ended(again)
  // Only the peer's quota makes a message wait.
  guide.act(c, { type: 'send', packet: { type: 'pingreq' }, token: 'late' })
  assert.match(heard.log.at(-1)!, /^refuse late UsageError/)
  const full = guide.open({ role: 'client', version: 5, clock: guide.loopClock(), io: { ...heard, write: () => {}, close: () => {} } })
  guide.act(full, { type: 'send', packet: connect(5) })
  guide.received(full, fromHex('20 06 00 00 03 21 00 01'))
  for (let i = 0; i <= 1_001; i++) guide.act(full, publish(`m${i}`, 1))
  assert.is(full.waiting.length, 1_000)
  assert.match(heard.log.at(-1)!, /^refuse m1001 UsageError .*MQTT-4\.9\.0-2/)
  guide.ended(full)
})

for (const version of [3, 4, 5] as const) {
  test(`version ${version}: a session survives both processes; QoS 2 comes once, QoS 1 once or more`, async () => {
    const ours = guide.fileStore(join(project.folder, `client-${version}`))
    const theirs = guide.fileStore(join(project.folder, `server-${version}`))
    const arrived: string[] = []
    const first = lay(version, (line) => ({
      store: theirs, client: { save: ours.save },
      // Only the message of QoS 2 is answered, and that answer is lost.
      server: { deliver: messages((message) => {
        arrived.push(text(message))
        if (message.qos === 2) {
          line.cut()
          guide.acknowledge(line.server, message)
        }
      }) },
    }))
    await soon()
    for (const [name, qos] of [['one', 1], ['two', 2], ['three', 1]] as const) guide.act(first.client, publish(name, qos))
    await soon()
    assert.equal(arrived, ['one', 'two', 'three'])
    // Both crash here, and start with what is on their disks.
    const outcomes: string[] = []
    lay(version, (line) => ({
      store: theirs, session: ours.load('kitchen'), client: { save: ours.save, outcome: ({ outcome }) => { outcomes.push(outcome) } },
      server: { deliver: messages((message) => {
        arrived.push(`${message.dup ? 'again ' : ''}${text(message)}`)
        guide.acknowledge(line.server, message)
      }) },
    }))
    await soon()
    assert.equal(outcomes, ['resumed'])
    assert.equal(arrived, ['one', 'two', 'three', 'again one', 'again three'])
    for (const store of [ours, theirs]) {
      assert.equal([store.load('kitchen')?.exchanges.ours, store.load('kitchen')?.exchanges.theirs], [undefined, undefined])
      store.remove('kitchen')
      assert.is(store.load('kitchen'), undefined)
    }
  })
}

test('a server that has lost the session: what it may not have had goes out again, with its token', async () => {
  const store = guide.fileStore(join(project.folder, 'lost'))
  const first = lay(5, () => ({ store }))
  await soon()
  for (const [name, qos] of [['one', 1], ['two', 2]] as const) guide.act(first.client, publish(name, qos))
  await soon()
  first.cut()
  store.remove('kitchen')
  const outcomes: string[] = []
  const second = lay(5, (line) => ({
    store, session: first.client.state.session, client: { outcome: (effect) => { outcomes.push(guide.sendAgain(line.client, effect)) } },
    server: { deliver: messages((message) => { guide.acknowledge(line.server, message) }) },
  }))
  await soon()
  assert.equal(outcomes, ['lost'])
  assert.equal(second.log, ['client settle one puback', 'client settle two pubcomp'])
})

test('a server keeps nothing of an earlier session after a clean start, and gives an Identifier to a client without one', async () => {
  const store = guide.fileStore(join(project.folder, 'clean'))
  const { server } = pair(5)
  assert.is(server.state.phase, 'connected')
  const packets: PacketInput[] = []
  for (const fields of [{ cleanStart: true }, { clientId: '' }]) {
    const c = guide.open({ role: 'server', clock: guide.loopClock(), io: { ...recorder(), write: () => {}, close: () => {}, deliver: (packet) => { guide.acceptWith(c, packet as PacketOf<'connect'>, { ...store, load: (clientId) => (clientId === '' ? undefined : server.state.session) }) } } })
    guide.received(c, encode(connect(5, fields), 5))
    assert.is(c.state.phase, 'connected')
    packets.push({ type: 'publish', topic: c.state.session!.clientId, payload: '' })
  }
  assert.match(packets.map((packet) => (packet.type === 'publish' ? packet.topic : '')).join(), /^kitchen,[\da-f-]{36}$/)
})

test('coming back over TCP with the session, until there is no use in it', async () => {
  const broker = createBroker({ authenticate: ({ username }) => (username === 'banned' ? 0x8a : true) })
  const peers: Peer[] = []
  const server = await listenTcp({ port: 0 }, (peer) => {
    peers.push(peer)
    broker.handle(peer)
  })
  const [waits, sentences, log]: [number[], string[], string[]] = [[], [], []]
  let count = 0
  const session = await guide.comeBack((session) => new Promise((resolve) => {
    const number = count++
    const c: Connection = guide.overTcp(number === 1 ? 1 : server.port, {
      ...recorder(), version: 5, session,
      settle: (token, packet) => {
        log.push(`${number} ${String(token)} ${packet?.type}`)
        // The first connection goes before its message is answered, the third when it is.
        if (number === 0) guide.act(c, publish('kept', 1))
        if (number === 0 || token === 'kept') peers.at(-1)!.abort()
      },
      closed: (cause) => { resolve({ cause, session: c.state.session, lived: number === 2 ? 10_000 : 100 }) },
    })
    guide.act(c, { type: 'send', packet: connect(5, { cleanStart: false, username: number === 3 ? 'banned' : 'hans', properties: { sessionExpiryInterval: 60 } }), token: 'hello' })
  }), { random: () => 0.5, wait: async (ms) => { waits.push(ms) }, log: (sentence) => { sentences.push(sentence) } })
  await server.close()
  await broker.close()
  assert.equal(log, ['0 hello connack', '2 hello connack', '2 kept puback', '3 hello connack'])
  assert.equal(waits, [500, 1000, 500])
  assert.equal([sentences.length, session?.clientId], [4, 'kitchen'])
  assert.match(sentences[1]!, /ECONNREFUSED/)
  assert.match(sentences[3]!, /0x8a, Banned/)
})

test('two clients that throw each other out give up, and say so', async () => {
  const sentences: string[] = []
  const thrownOut = { by: 'server', why: 'taken-over', phase: 'connected', version: 5, reasonCode: 0x8e, sentence: 'The Server took the session over.' } as const
  await guide.comeBack(async (session) => ({ cause: thrownOut, session, lived: 100 }), { random: () => 0, wait: async () => {}, log: (sentence) => { sentences.push(sentence) } })
  assert.is(sentences.length, 4)
  assert.match(sentences[3]!, /another client uses the same Client Identifier/)
})

test('the sentence on the page is the one that is given', () => {
  const c = guide.open({ role: 'client', version: 5, clock: guide.loopClock(), io: { ...recorder(), write: () => {}, close: () => {} } })
  guide.act(c, { type: 'send', packet: connect(5) })
  guide.received(c, fromHex('20 03 02 00 00'))
  assert.ok(read('docs/integrate.md').includes(`\n${explain((c.state as Extract<State, { readonly cause: CloseCause }>).cause)}\n`))
})

test('the answer of verify.js is the one it gives', async () => {
  const { vendor } = await import(join(ROOT, 'scripts/vendor.js')) as { vendor(folder: string): Promise<object> }
  const folder = join(project.folder, 'vendor', 'connack')
  await vendor(folder)
  const { output } = project.run(process.execPath, 'vendor/connack/verify.js')
  const plain = (text: string): string => text.replace(/(, commit )?[\da-f]{12}/, '')
  assert.ok(read('docs/integrate.md').split('```\n').map(plain).includes(plain(output)), output)
})

test.run()
