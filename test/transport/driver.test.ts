import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, fromHex, toHex } from '../../src/codec/index.ts'
import type { ConnectInput, Packet, PacketInput } from '../../src/codec/index.ts'
import type { CloseCause } from '../../src/fsm/index.ts'
import { ConnectionClosed, Driver, Timers } from '../../src/transport/index.ts'
import type { DriverOptions, TraceRecord } from '../../src/transport/index.ts'
import { FakeClock } from '../helpers/clock.ts'
import { FakeDuplex, settle } from '../helpers/duplex.ts'

interface Rig {
  readonly clock: FakeClock
  readonly duplex: FakeDuplex
  readonly driver: Driver
  readonly delivered: Packet[]
  readonly causes: CloseCause[]
  readonly errors: (Error | undefined)[]
  handler: (packet: Packet) => void | Promise<void>
}

function rig(options: Partial<DriverOptions> & { readonly role: 'client' | 'server' }): Rig {
  const clock = new FakeClock()
  const duplex = new FakeDuplex()
  const delivered: Packet[] = []
  const causes: CloseCause[] = []
  const errors: (Error | undefined)[] = []
  const self: { handler: Rig['handler'] } = { handler: () => {} }
  const driver = new Driver(duplex, {
    deliver: (packet) => {
      delivered.push(packet)
      return self.handler(packet)
    },
    closed: (cause, error) => {
      causes.push(cause)
      errors.push(error)
    },
  }, { timers: new Timers(clock), ...options })
  return Object.assign(self, { clock, duplex, driver, delivered, causes, errors })
}

const CONNECT: ConnectInput = { type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 10 }
const PUBLISH = fromHex('30 04 00 01 74 21')

function serverWith(options: Partial<DriverOptions> = {}, connect: Partial<ConnectInput> = {}): Rig {
  const r = rig({ role: 'server', ...options })
  const packet = { ...CONNECT, ...connect }
  r.duplex.onData(encode(packet, packet.version))
  void r.driver.send({ type: 'connack', reasonCode: 0 })
  r.duplex.take()
  r.delivered.splice(0)
  return r
}

async function clientWith(options: Partial<DriverOptions> = {}, connect: Partial<ConnectInput> = {}): Promise<Rig> {
  const packet = { ...CONNECT, ...connect }
  const r = rig({ role: 'client', version: packet.version, ...options })
  const connected = r.driver.send(packet)
  r.duplex.onData(encode({ type: 'connack', reasonCode: 0 }, packet.version))
  await connected
  r.duplex.take()
  r.delivered.splice(0)
  return r
}

test('CONNECT goes out, CONNACK settles it', async () => {
  const r = rig({ role: 'client', version: 4 })
  const connected = r.driver.send(CONNECT)
  assert.is(r.duplex.take(), '10 0d 00 04 4d 51 54 54 04 02 00 0a 00 01 61')
  r.duplex.onData(fromHex('20 02 00 00'))
  assert.is((await connected)!.type, 'connack')
  assert.is(r.driver.state.phase, 'connected')
})

test('MQTT-3.1.2-23: PINGREQ within Keep Alive of sending nothing; what is sent puts it off, what is received does not', async () => {
  const r = await clientWith({ version: 4 })
  r.clock.pass(8000)
  assert.is(r.duplex.take(), '')
  void r.driver.send({ type: 'publish', topic: 't', payload: '!' })
  r.duplex.take()
  r.clock.pass(5000)
  r.duplex.onData(PUBLISH)
  r.clock.pass(4000)
  assert.is(r.duplex.take(), '', '9 s after the PUBLISH')
  r.clock.pass(1000)
  assert.is(r.duplex.take(), 'c0 00', 'within 10 s of it')
})

test('no PINGRESP in time closes, however much else is received', async () => {
  const r = await clientWith({ version: 4, limits: { pingrespTimeout: 3000 } })
  const ping = r.driver.send({ type: 'pingreq' }).then(() => 'answered', (error: Error) => error)
  for (let i = 0; i < 4; i++) {
    r.duplex.onData(PUBLISH)
    r.clock.pass(1000)
  }
  assert.is(r.causes[0]?.why, 'pingresp-timeout')
  assert.instance(await ping, ConnectionClosed)
})

test('MQTT-3.1.2-24: one and a half times Keep Alive without a packet; bytes that make no packet do not count', () => {
  const r = serverWith()
  for (let i = 0; i < 5; i++) {
    r.clock.pass(14_000)
    r.duplex.onData(fromHex('c0 00'))
  }
  assert.equal(r.causes, [])
  for (const byte of fromHex('30 7f 00 01 74 21 21 21 21 21 21 21 21 21')) {
    r.clock.pass(1000)
    r.duplex.onData(Uint8Array.of(byte))
  }
  assert.equal(r.causes, [])
  r.clock.pass(1100)
  assert.is(r.causes[0]?.why, 'keep-alive-timeout')
  assert.is(r.duplex.closed, 'ended')
})

test('3.1.1 §3.1.4: half a CONNECT trickled byte by byte is closed at the connect timeout', () => {
  const r = rig({ role: 'server', limits: { connectTimeout: 5000 } })
  for (const byte of encode(CONNECT, 4).subarray(0, 10)) {
    r.duplex.onData(Uint8Array.of(byte))
    r.clock.pass(510)
  }
  assert.is(r.causes[0]?.why, 'connect-timeout')
  assert.is(r.duplex.take(), '')
})

test('all output of a turn leaves in one write', () => {
  const r = serverWith()
  r.duplex.onData(Uint8Array.from(Array.from({ length: 64 }, () => [0xc0, 0]).flat()))
  assert.is(r.duplex.written.length, 1)
  assert.is(r.duplex.written[0]!.length, 128)
})

test('a pending handler holds up reading, and order is kept', async () => {
  const r = serverWith()
  let go = (): void => {}
  r.handler = () => new Promise<void>((resolve) => { go = resolve })
  r.duplex.onData(Uint8Array.from([...PUBLISH, 0xc0, 0, ...PUBLISH]))
  assert.is(r.delivered.length, 1)
  assert.ok(r.duplex.paused)
  assert.is(r.duplex.take(), '', 'the PINGREQ behind it waits')
  go()
  await settle()
  assert.is(r.duplex.take(), 'd0 00')
  assert.is(r.delivered.length, 2)
  go()
  await settle()
  assert.not(r.duplex.paused)
})

test('our own pause is not the silence of the Client', async () => {
  const r = serverWith()
  let go = (): void => {}
  r.handler = () => new Promise<void>((resolve) => { go = resolve })
  r.duplex.onData(PUBLISH)
  r.clock.pass(60_000)
  assert.equal(r.causes, [])
  go()
  await settle()
  r.clock.pass(16_000)
  assert.is(r.causes[0]?.why, 'keep-alive-timeout')
})

test('MQTT-4.8.0-2: a handler that throws or rejects closes its connection with a cause', async () => {
  for (const handler of [() => { throw new Error('no store') }, () => Promise.reject(new Error('no store')), () => Promise.reject('no store')]) {
    const r = serverWith()
    r.handler = handler
    r.duplex.onData(PUBLISH)
    await settle()
    assert.is(r.causes.length, 1)
    assert.match(r.causes[0]!.sentence, /no store/)
    assert.match(r.errors[0]!.message, /a handler failed/)
    assert.is(r.duplex.closed, 'aborted')
  }
})

test('a peer that does not read: sends wait, reading stops, the wait is bounded', async () => {
  const r = await clientWith({ version: 4, maximumUnsent: 100, drainTimeout: 2000 })
  r.duplex.room = false
  const first = r.driver.send({ type: 'publish', topic: 't', payload: new Uint8Array(50) })
  let waiting = r.driver.send({ type: 'publish', topic: 't', payload: new Uint8Array(20) }).then(() => 'sent')
  assert.is(await Promise.race([first, settle().then(() => 'waits')]), 'waits')
  assert.ok(r.duplex.paused)
  assert.is(await Promise.race([waiting, settle().then(() => 'waits')]), 'waits')
  const refused = await r.driver.send({ type: 'publish', topic: 't', payload: new Uint8Array(50) }).catch((error: Error) => error) as Error
  assert.is(refused.name, 'UsageError')
  assert.match(refused.message, /maximumUnsent/)
  r.duplex.room = true
  r.duplex.onDrain()
  assert.is(await waiting, 'sent')
  await first
  assert.not(r.duplex.paused)
  r.duplex.room = false
  r.driver.send({ type: 'publish', topic: 't', payload: '1' }).catch(() => {})
  waiting = r.driver.send({ type: 'publish', topic: 't', payload: '2' }).then(() => 'sent', (error: Error) => error.name)
  r.clock.pass(2100)
  assert.match(r.causes[0]!.sentence, /drainTimeout/)
  assert.is(await waiting, 'ConnectionClosed')
})

test('what the standard forbids is refused, nothing is sent and nothing has changed', async () => {
  const r = await clientWith({ version: 4 })
  const { state } = r.driver
  const forbidden: PacketInput[] = [{ type: 'publish', topic: 'a/#', payload: '' }, CONNECT, { type: 'suback', packetId: 1, reasonCodes: [0] }, { type: 'disconnect', reasonCode: 4 }]
  for (const packet of forbidden) {
    const error = await r.driver.send(packet).catch((e: Error) => e) as Error
    assert.is(error.name, 'UsageError', packet.type)
  }
  assert.is(r.driver.state, state)
  assert.is(r.duplex.take(), '')
  await r.driver.send({ type: 'publish', topic: 'a', payload: '' })
  assert.is(r.duplex.take(), '30 03 00 01 61')
})

test('a send from a handler waits for the packet in hand', () => {
  const r = serverWith()
  const seen: string[] = []
  r.handler = (packet) => {
    seen.push(`begin ${packet.type}`)
    void r.driver.send({ type: 'publish', topic: 'u', payload: '!' })
    seen.push(`end ${packet.type}, ${r.duplex.written.length} writes`)
  }
  r.duplex.onData(PUBLISH)
  assert.equal(seen, ['begin publish', 'end publish, 0 writes'])
  assert.is(r.duplex.take(), '30 04 00 01 75 21')
})

test('SPEC-3.1.4-1: what is pipelined behind CONNECT waits in the socket, then comes in order', () => {
  const r = rig({ role: 'server' })
  r.duplex.onData(Uint8Array.from([...encode(CONNECT, 4), 0xc0, 0, ...PUBLISH, 0xe0, 0]))
  assert.equal(r.delivered.map(({ type }) => type), ['connect'])
  assert.ok(r.duplex.paused)
  void r.driver.send({ type: 'connack', reasonCode: 0 })
  assert.is(r.duplex.take(), '20 02 00 00 d0 00')
  assert.equal(r.delivered.map(({ type }) => type), ['connect', 'publish'])
  assert.is(r.causes[0]?.why, 'disconnect')
})

test('MQTT-3.1.4-5: after a refusal nothing behind CONNECT is processed', () => {
  const r = rig({ role: 'server' })
  r.duplex.onData(Uint8Array.from([...encode(CONNECT, 4), 0xc0, 0, ...PUBLISH]))
  void r.driver.send({ type: 'connack', reasonCode: 0x87 })
  assert.is(r.duplex.take(), '20 02 00 05')
  assert.equal(r.delivered.map(({ type }) => type), ['connect'])
})

test('the end comes behind all packets, also while a handler is busy', async () => {
  const r = serverWith()
  let go = (): void => {}
  r.handler = () => new Promise<void>((resolve) => { go = resolve })
  r.duplex.onData(Uint8Array.from([...PUBLISH, 0xe0, 0]))
  r.duplex.onEnd()
  assert.equal(r.causes, [])
  go()
  await settle()
  assert.is(r.causes.length, 1)
  assert.is(r.causes[0]!.why, 'disconnect')
})

test('end and error become one `closed`', () => {
  const r = serverWith()
  r.duplex.onEnd(new Error('reset'))
  r.duplex.onEnd()
  r.duplex.onEnd(new Error('again'))
  assert.is(r.causes.length, 1)
  assert.match(r.causes[0]!.sentence, /reset/)
  assert.is(r.duplex.closed, 'aborted')
})

test('a peer that does not close its side is dropped after the close timeout', async () => {
  const r = await clientWith({ version: 4, limits: { closeTimeout: 1000 } })
  await r.driver.send({ type: 'disconnect' })
  assert.is(r.duplex.take(), 'e0 00')
  assert.is(r.duplex.closed, 'ended')
  assert.is(r.driver.state.phase, 'closing')
  r.duplex.onData(PUBLISH)
  assert.equal(r.delivered, [], 'nothing is read any more')
  r.clock.pass(1100)
  assert.is(r.duplex.closed, 'aborted')
  await r.driver.done
  assert.is(r.clock.pending, 0, 'no timer is left')
})

test('SPEC-3.1.2.11.4-2: before CONNECT is accepted the bound is smaller, afterwards it is the announced one', () => {
  const r = rig({ role: 'server', maximumConnectSize: 100, maximumPacketSize: 1000 })
  r.duplex.onData(fromHex('10 65'))
  assert.is(r.causes[0]?.reasonCode, 0x95)
  assert.match(r.causes[0]!.sentence, /maximumPacketSize is 100/)
  const s = serverWith({ maximumConnectSize: 100, maximumPacketSize: 1000 })
  s.duplex.onData(encode({ type: 'publish', topic: 't', payload: new Uint8Array(900) }, 4))
  assert.is(s.delivered.length, 1)
  s.duplex.onData(fromHex('30 e8 07'))
  assert.is(s.causes[0]?.reasonCode, 0x95)
})

test('5.0 §4.13: a malformed packet is answered with DISCONNECT 0x81, and the socket is ended behind it', () => {
  const r = serverWith({}, { version: 5 })
  r.duplex.onData(fromHex('c1 00'))
  assert.is(r.duplex.take(), 'e0 01 81')
  assert.is(r.duplex.closed, 'ended')
  assert.equal([r.causes[0]!.why, r.causes[0]!.offset], ['malformed', 0])
})

test('every step can be watched: inputs, states, effects and the bytes of both directions', async () => {
  const records: TraceRecord[] = []
  const r = rig({ role: 'client', version: 4, trace: (record) => { records.push(record) } })
  const connected = r.driver.send(CONNECT)
  r.duplex.onData(fromHex('20 02 00 00'))
  await connected
  r.duplex.onData(fromHex('c1 00'))
  assert.equal(records.map(({ input, before, after }) => `${input.type}: ${before.phase} > ${after.phase}`), [
    'send: opening > authenticating', 'received: authenticating > connected', 'malformed: connected > closing',
  ])
  assert.equal(records.map(({ received, written }) => [received === undefined ? '' : toHex(received), written.map(toHex).join(',')]), [
    ['', '10 0d 00 04 4d 51 54 54 04 02 00 0a 00 01 61'], ['20 02 00 00', ''], ['c1 00', ''],
  ])
})

test('aborting drops the connection at once and says why', async () => {
  const r = await clientWith({ version: 4 })
  r.driver.abort(new Error('enough'))
  assert.is(r.duplex.closed, 'aborted')
  assert.match(r.causes[0]!.sentence, /enough/)
  const error = await r.driver.send({ type: 'pingreq' }).catch((e: Error) => e) as Error
  assert.is(error.name, 'ConnectionClosed')
})

test('a packet is handed over when its bytes are with a peer that reads: the one that fills the socket waits for the drain', async () => {
  const r = await clientWith({ version: 4 })
  const order: string[] = []
  const send = (name: string): Promise<void> => r.driver.send({ type: 'publish', topic: 't', payload: name }).then(() => { order.push(name) })
  const first = send('first')
  await settle()
  assert.equal(order, ['first'])
  r.duplex.room = false
  const second = send('second')
  await settle()
  assert.equal(order, ['first'])
  r.duplex.room = true
  r.duplex.onDrain()
  await Promise.all([first, second])
  assert.equal(order, ['first', 'second'])
  r.duplex.room = false
  const third = r.driver.send({ type: 'publish', topic: 't', payload: 'third' }).catch((error: Error) => error)
  r.duplex.onEnd(new Error('ECONNRESET'))
  assert.instance(await third, ConnectionClosed)
})

test.run()
