// A connection as data: what came in, what the machine made of it, what went out; and the same again from the inputs alone. And the counters beside it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, fromJson, toHex, toJson } from '../../src/codec/index.ts'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import { initial, transition } from '../../src/fsm/index.ts'
import type { Effect, Input, Session, State } from '../../src/fsm/index.ts'
import { Client, Peer } from '../../src/transport/index.ts'
import type { TraceRecord } from '../../src/transport/index.ts'
import { failure, lab } from '../helpers/lab.ts'
import { pair, quiet } from '../helpers/pair.ts'

/** A whole life: everything there is both ways, a repeat after a cut, a refusal, an end. */
async function conversation(version: ProtocolVersion, session?: Session): Promise<{ client: TraceRecord[], server: TraceRecord[], connection: Client, peer: Peer, cut: () => void }> {
  const records = { client: [] as TraceRecord[], server: [] as TraceRecord[] }
  const wire = pair(7)
  const peer = new Peer(wire.server, { trace: (record) => { records.server.push(record) } })
  peer.onConnect = () => peer.accept({ sessionPresent: session !== undefined && version > 3 })
  peer.onSubscribe = ({ subscriptions }) => subscriptions.map(({ qos }) => qos)
  peer.onUnsubscribe = () => 0
  peer.onPublish = async () => { await quiet(2) }
  const connection = await Client.connect(wire.client, { session, connect: { version, clientId: 'kitchen' }, trace: (record) => { records.client.push(record) } })
  await connection.subscribe(['a', { filter: 'b', qos: 2 }])
  for (const qos of [0, 1, 2] as const) await Promise.all([connection.publish({ topic: 'a', payload: String(qos), qos }), peer.publish({ topic: 'b', payload: String(qos), qos })])
  await failure(connection.publish({ topic: 'a/#', payload: '', qos: 1 }))
  await failure(connection.send({ type: 'connect', version, clientId: 'twice', cleanStart: true, keepAlive: 0 }))
  await connection.ping()
  await connection.unsubscribe('a')
  return { ...records, connection, peer, cut: wire.cut }
}

function replay(role: 'client' | 'server', inputs: readonly Input[], session?: Session): { readonly states: State[], readonly effects: (readonly Effect[])[] } {
  let state = initial({ role, session })
  const states = [state]
  const effects: (readonly Effect[])[] = []
  for (const input of inputs) {
    const step = transition(state, input)
    state = step.state
    states.push(state)
    effects.push(step.effects)
  }
  return { states, effects }
}

/** In place of the caller's own names, which are no data, numbers. */
function numbered(): (input: Input) => Input {
  const numbers = new Map<unknown, number>()
  return (input) => {
    if (input.type !== 'send' || input.token === undefined) return input
    if (!numbers.has(input.token)) numbers.set(input.token, numbers.size)
    return { ...input, token: numbers.get(input.token) }
  }
}

const bytesOf = (records: readonly TraceRecord[]): string => records.flatMap(({ written }) => written.map(toHex)).join(' ')

for (const version of [3, 4, 5] as const) {
  test(`version ${version}: every step is told, in order and without a gap, and the inputs alone make the same states again`, async () => {
    const first = await conversation(version)
    await first.connection.disconnect()
    await first.peer.closed
    for (const role of ['client', 'server'] as const) {
      const records = first[role]
      assert.is(records[0]!.before.phase, role === 'client' ? 'opening' : 'awaiting-connect')
      assert.is(records.at(-1)!.after.phase, 'closed')
      records.forEach(({ before }, i) => { if (i > 0) assert.is(before, records[i - 1]!.after, `step ${i}`) })
      const { states, effects } = replay(role, records.map(({ input }) => input))
      assert.equal(states, [records[0]!.before, ...records.map(({ after }) => after)])
      assert.equal(effects, records.map((record) => record.effects))
      // The bytes are those of the `write` effects, and those received are the packet's.
      for (const { effects: told, written, received, input } of records) {
        assert.is(written.length, told.filter(({ type }) => type === 'write').length)
        if (input.type === 'received') assert.equal(toHex(received!), toHex(encode(input.packet as Parameters<typeof encode>[0], version)))
      }
    }
    const { packetsSent, packetsReceived, bytesSent, bytesReceived } = first.connection.counters
    const written = first.client.flatMap((record) => record.written)
    assert.equal([packetsSent, bytesSent], [written.length, written.reduce((sum, { length }) => sum + length, 0)])
    const received = first.client.filter(({ input }) => input.type === 'received')
    assert.equal([packetsReceived, bytesReceived], [received.length, received.reduce((sum, record) => sum + record.received!.length, 0)])
    assert.is(first.peer.counters.bytesReceived, bytesSent)
  })
}

test('a log in JSON replays on another machine: same phases, same bytes, same session', async () => {
  const one = await conversation(5)
  one.peer.onPublish = () => 'later'
  one.connection.publish({ topic: 'a', payload: 'unfinished', qos: 2 }).catch(() => {})
  await quiet()
  one.cut()
  await Promise.all([one.connection.closed, one.peer.closed])
  for (const role of ['client', 'server'] as const) {
    const records = one[role]
    const log = records.map(({ input }) => input).map(numbered()).map((input) => JSON.stringify(toJson(input.type === 'closed' ? { type: 'closed', error: input.error && { message: input.error.message } } : input)))
    const { states, effects } = replay(role, log.map((line) => fromJson(JSON.parse(line)) as Input))
    assert.equal(states.slice(1).map(({ phase }) => phase), records.map(({ after }) => after.phase))
    const again = effects.flat().flatMap((effect) => (effect.type === 'write' ? [toHex(encode(effect.packet, 5))] : []))
    assert.is(again.join(' '), bytesOf(records))
    const ids = (state: State): unknown => JSON.stringify(toJson(state.session?.exchanges.ours as never), (key, value: unknown) => (key === 'token' ? undefined : value))
    assert.is(ids(states.at(-1)!), ids(records.at(-1)!.after))
  }
})

test('a packet that is none is told with its bytes, and a timer by its name', async () => {
  const records: TraceRecord[] = []
  const { client, peer } = await lab({ trace: (record) => { records.push(record) } })
  await peer.send({ type: 'publish', topic: 'a', payload: '' })
  await quiet()
  const { input, received } = records.at(-1)!
  assert.equal([input.type, toHex(received!)], ['received', '30 04 00 01 61 00'])
  client.abort(new Error('enough'))
  await client.closed
  assert.equal(records.at(-1)!.input.type, 'closed')
  assert.equal(records.at(-1)!.effects.map(({ type }) => type), ['disarm', 'close'])
})

test.run()
