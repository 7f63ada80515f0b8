// Two machines on a wire that may be cut: everything that can happen in small worlds, and the bugs of other libraries found in them.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex, PacketStream } from '../../src/codec/index.ts'
import { transition } from '../../src/fsm/index.ts'
import type { Exchange, Live, State } from '../../src/fsm/index.ts'
import { idEntries, setId } from '../../src/fsm/packet-ids.ts'
import { canonical } from './canonical.ts'
import { connected, received, send, step, told, wire } from './helpers.ts'
import { BUGS } from './model-bugs.ts'
import { textOf } from './model-parts.ts'
import type { Carried } from './model-parts.ts'
import { PROPERTIES } from './model-world.ts'
import type { Property, World } from './model-world.ts'
import { WORLDS } from './model-worlds.ts'
import { check, REAL } from './model.ts'

/** What has been on the wire in all worlds, by version and bytes. */
const seen = new Map<string, Carried & { readonly version: World['version'] }>()

for (const [name, world] of Object.entries(WORLDS)) {
  test(`nothing breaks: ${name}`, () => {
    const { broken, atRest, wire: packets } = check(world)
    assert.is(broken, undefined, broken?.ladder)
    assert.ok(atRest > 30, `${atRest} places at rest`)
    for (const carried of packets) seen.set(`${world.version} ${carried.hex}`, { ...carried, version: world.version })
  })
}

test('the worlds have shown everything a session can say', () => {
  const said = new Set([...seen.values()].map(({ name, version }) => `${version} ${name.replace(/^([PS]UB\w+) \d/, '$1').replace(/ [cs]\d/, '')}`))
  const wanted = ['PUBLISH QoS 1 DUP', 'PUBLISH QoS 2 DUP', 'PUBREC', 'PUBREL', 'PUBCOMP', 'PUBACK', 'SUBSCRIBE', 'SUBACK', 'CONNACK session present 0', 'CONNACK session present 1']
  for (const version of [4, 5]) for (const name of wanted) assert.ok(said.has(`${version} ${name}`), `${version} ${name}`)
  for (const name of ['PUBREC 0x80', 'PUBCOMP 0x92', 'CONNECT clean start 1']) assert.ok(said.has(`5 ${name}`), name)
})

test('a cut inside a packet, at any byte, is a cut before it: nothing of it is delivered', () => {
  const packets = [...seen.values()]
  assert.ok(packets.length > 150)
  for (const { hex, version, name, packet } of packets) {
    const before = packets.find((one) => one.version === version)!
    const bytes = fromHex(hex)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const stream = new PacketStream({ version })
      stream.push(Uint8Array.of(...fromHex(before.hex), ...bytes.subarray(0, cut)))
      assert.is(stream.next()?.type, before.packet.type)
      assert.is(stream.next()?.type, cut < bytes.length ? undefined : packet.type, `${name}, ${cut} of ${bytes.length} bytes`)
    }
  }
})

for (const { name, world, machine, breaks } of BUGS) {
  test(`found: ${name}`, () => {
    assert.is(check(world).broken, undefined, 'the world is at fault, not the bug')
    const { broken } = check(world, machine)
    assert.is(broken?.property, breaks, broken?.ladder)
  })
}

test('every property can break', () => {
  assert.equal([...new Set(BUGS.map(({ breaks }) => breaks))].sort(), Object.keys(PROPERTIES).sort())
})

test('what is found is found in the fewest steps and drawn as a ladder', () => {
  const { world, machine } = BUGS.find(({ name }) => name.includes('rumqttc'))!
  const { broken } = check({ ...world, client: 1, kinds: [{ qos: 2, topic: 'a' }] }, machine)
  assert.equal(broken!.ladder.split('\n').map((line) => line.replace(/[ ─╳]+/g, ' ').trim()), [
    'client wire server',
    'connects, CONNECT clean start 1 ▸',
    'CONNECT clean start 1 ▸',
    'accepts, ◂ CONNACK session present 0',
    '◂ CONNACK session present 0',
    'publishes c1, QoS 2, a, PUBLISH 1 c1 QoS 2 ▸',
    'PUBLISH 1 c1 QoS 2 ▸ gets c1',
    'cut',
    'connects, CONNECT clean start 0 ▸',
    'CONNECT clean start 0 ▸',
    'accepts, ◂ CONNACK session present 1',
    'session resumed, PUBLISH 1 c1 QoS 2 DUP ▸ ◂ CONNACK session present 1',
    'PUBLISH 1 c1 QoS 2 DUP ▸ gets c1',
    `${PROPERTIES.exactlyOnce}: c1 is delivered again`,
  ])
  assert.match(broken!.ladder, /\n +╳+ cut ╳+\n/)
})

/** What no machine can mend, because its driver or the standard leaves it open: the model must see it, or it would see nothing there. */
const OPEN: readonly (readonly [name: string, breaks: Property, world: World])[] = [
  ['a CONNACK that said Session Present 0 is lost, and the next one says 1', 'exactlyOnce', { ...WORLDS['a server that forgets']!, mutes: true }],
  ['a clean start that was not answered is not asked for again', 'leak', { ...WORLDS['a clean start']!, asksOnce: true }],
  ['the sender stores PUBREC late', 'exactlyOnce', { ...WORLDS['a store that lags where it may']!, cuts: 1, late: ['pubrec'] }],
  ['the receiver stores PUBREL late', 'leak', { ...WORLDS['a store that lags where it may']!, late: ['pubrel'] }],
]
for (const [name, breaks, world] of OPEN) {
  test(`seen: ${name}`, () => {
    const { broken } = check(world)
    assert.is(broken?.property, breaks, broken?.ladder)
  })
}

test('only the order of turns means anything, so that states may be told apart by rank', () => {
  const stretched = (state: State): State => {
    if (state.session === undefined) return state
    let { ours } = state.session.exchanges
    for (const [id, exchange] of [...idEntries(ours)] as [number, Exchange][]) ours = setId(ours, id, { ...exchange, turn: 3 * exchange.turn + 5 })
    const exchanges = { ...state.session.exchanges, ours, nextTurn: 3 * state.session.exchanges.nextTurn + 5 }
    return { ...state, session: { ...state.session, exchanges } } as State
  }
  const { broken } = check(WORLDS['Receive Maximum 3, then 1, then 2']!, {
    ...REAL,
    transition: (state, input) => {
      const [one, two] = [transition(state, input), transition(stretched(state), input)]
      if (canonical(one.effects) !== canonical(two.effects) || textOf(one.state) !== textOf(two.state)) throw new Error('the turns themselves mean something')
      return two
    },
  })
  assert.is(broken, undefined, broken?.ladder)
})

test('regression: a QoS 2 message that has grown too large is released, and its identifier not used before PUBCOMP', () => {
  const small = { connack: { sessionPresent: true, properties: { maximumPacketSize: 20 } }, connect: { cleanStart: false }, limits: { packetIds: 1 } }
  const sent = step(connected('client', 5, { limits: { packetIds: 1 } }), send({ type: 'publish', topic: 'a/topic/of/some/length', payload: 'c1', qos: 2 }, 'c1')).state as Live
  const opening = connected('client', 5, { ...small, session: sent.session })
  // The Server may have it, and would take the next message with identifier 1 for this one.
  assert.equal([...idEntries(opening.session.exchanges.ours)].map(([id, { awaits, token }]) => [id, awaits, token]), [[1, 'pubcomp', undefined]])
  assert.equal(told(step(opening, send({ type: 'publish', topic: 'a', payload: 'c2', qos: 2 }, 'c2')).effects), ['refuse 5.0 §2.2.1'])
  const done = step(opening, received({ type: 'pubcomp', packetId: 1, reasonCode: 0x92 }, 5))
  assert.equal(told(done.effects), ['deliver'])
  assert.equal(wire(step(done.state, send({ type: 'publish', topic: 'a', payload: 'c2', qos: 2 }, 'c2')).effects, 5), ['34 08 00 01 61 00 01 00 63 32'])
})

test.run()
