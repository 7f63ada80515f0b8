// Steps of the connection machine: what `transition` adds to a packet that has been decoded. Only ours has one.

import { Wrong } from '../lib/facts.js'
import { needs } from '../lib/ours.js'
import { sink } from '../lib/sink.js'
import { bytesOf } from './bytes.js'
import { packets } from './packets.js'

const OURS = ['ours']
const KEEP_ALIVE_DUE = { type: 'timer', timer: 'keep-alive' }
const PINGRESP = { type: 'received', packet: { type: 'pingresp' } }
const CONNACK = { type: 'connack', sessionPresent: false, reasonCode: 0 }

/** One packet that changes nothing. */
const STEPS = [
  ['fsm:server:publish0', 'server', 'publish64', ['deliver']],
  ['fsm:client:publish0', 'client', 'publish64', ['deliver']],
  ['fsm:server:pingreq', 'server', 'pingreq', ['write']],
]

const send = (packet) => () => ({ type: 'send', packet })
const MESSAGE = { type: 'publish', topic: 'sensors/kitchen/temperature', payload: new Uint8Array(64) }

/** What comes or is answered, for the identifier that the first step has; made once for each. */
const each = (make) => {
  const made = []
  return (packetId) => made[packetId] ??= make(packetId)
}
const received = (type, more = { reasonCode: 0 }) => each((packetId) => ({ type: 'received', packet: { type, packetId, ...more, properties: undefined } }))
const answer = (type) => each((packetId) => ({ type: 'send', packet: { type, packetId } }))

/** Whole exchanges: the inputs of one, each a function of its Packet Identifier, and the effects of the last one. A step is all of them. */
const EXCHANGES = [
  ['fsm:client:ping', 'client', [() => KEEP_ALIVE_DUE, () => PINGRESP], ['disarm']],
  ['fsm:server:publish1', 'server', [received('publish', { topic: MESSAGE.topic, payload: MESSAGE.payload, qos: 1, retain: false, dup: false }), answer('puback')], ['write']],
  ['fsm:client:publish1:sent', 'client', [send({ ...MESSAGE, qos: 1 }), received('puback')], ['deliver']],
  ['fsm:server:publish2', 'server', [received('publish', { topic: MESSAGE.topic, payload: MESSAGE.payload, qos: 2, retain: false, dup: false }), answer('pubrec'), received('pubrel')], ['write']],
  ['fsm:client:publish2:sent', 'client', [send({ ...MESSAGE, qos: 2 }), received('pubrec'), received('pubcomp')], ['deliver']],
  ['fsm:client:subscribe', 'client', [send({ type: 'subscribe', subscriptions: [{ filter: 'a/+', qos: 1 }] }), received('suback', { reasonCodes: [1] })], ['deliver']],
]

const both = (step) => [step, { ...step, id: `heap:${step.id}`, group: 'heap', measure: 'heap', unit: 'B' }]
const fsm = (id, prepare) => ({ id, group: 'fsm', contenders: OURS, measure: 'time', unit: 'ns', quick: false, prepare })

export const cases = [
  ...STEPS.flatMap(([id, role, name, effects]) => both(fsm(id, () => prepareStep(role, name, effects)))),
  ...EXCHANGES.flatMap(([id, role, inputs, effects]) => both(fsm(id, () => prepareExchange(role, inputs, effects, 0)))),
  ...both(fsm('fsm:client:resume:100', () => prepareResumption(100))),
  // The same exchange beside others that are under way: what an identifier costs must not depend on how many are in use.
  ...[1, 65_000].map((others) => fsm(`ids:${others}`, () => prepareExchange('client', EXCHANGES[2][2], ['deliver'], others))),
  { id: 'fsm:connection', group: 'fsm', contenders: OURS, measure: 'time', unit: 'ns', quick: false, prepare: prepareConnection },
  { id: 'retained:connection', group: 'heap', contenders: OURS, measure: 'retained', unit: 'B', quick: false, timeout: 10_000, prepare: prepareRetained },
]

/** A connection that has been accepted, and what it took. */
function connected({ initial, transition, decode }, role) {
  const connect = decode(bytesOf('connect311min'), 4)
  let state = initial({ role })
  const inputs = role === 'server'
    ? [{ type: 'received', packet: connect }, { type: 'send', packet: CONNACK }]
    : [{ type: 'send', packet: packets.connect311min.packet }, { type: 'received', packet: decode(Uint8Array.of(0x20, 2, 0, 0), 4) }]
  for (const input of inputs) state = transition(state, input).state
  return state
}

/** The state is carried on from step to step: a machine that copies it pays for that here. */
async function prepareStep(role, name, expected) {
  const core = await needs('core', 'initial', 'transition', 'decode')
  const { transition, decode } = core
  const inputs = Array.from({ length: 16 }, () => ({ type: 'received', packet: decode(bytesOf(name), packets[name].version) }))
  const start = connected(core, role)
  const found = transition(start, inputs[0]).effects.map(({ type }) => type)
  if (found.join() !== expected.join()) throw new Wrong(`effects are [${found}], not [${expected}]`)
  let state = start
  return {
    loop(n) {
      for (let i = 0; i < n; i++) {
        const step = transition(state, inputs[i & 15])
        state = step.state
        sink.packet = step.effects
      }
    },
    after() {
      if (state.phase !== 'connected') throw new Wrong(`ended in phase ${state.phase}`)
    },
  }
}

/** An exchange again and again, with `others` under way; the identifier is the machine's where we begin, and the same one where the peer does. */
async function prepareExchange(role, inputs, expected, others) {
  const core = await needs('core', 'initial', 'transition', 'decode')
  const { transition } = core
  let state = connected(core, role)
  for (let i = 0; i < others; i++) state = transition(state, inputs[0](0)).state
  const exchange = () => {
    const first = transition(state, inputs[0](7))
    const [{ packet }] = first.effects
    const id = packet?.packetId ?? 7
    let last = first
    for (let k = 1; k < inputs.length; k++) last = transition(last.state, inputs[k](id))
    state = last.state
    return last.effects
  }
  const found = exchange().map(({ type }) => type)
  if (found.join() !== expected.join()) throw new Wrong(`effects are [${found}], not [${expected}]`)
  // Each identifier's acknowledgements are made before anything is measured.
  for (let i = 0; i < 65_536; i++) exchange()
  return {
    loop(n) {
      for (let i = 0; i < n; i++) sink.packet = exchange()
    },
    after() {
      if (state.phase !== 'connected') throw new Wrong(`ended in phase ${state.phase}`)
    },
  }
}

/** CONNACK with Session Present: so many messages of the session are sent again. */
async function prepareResumption(messages) {
  const { initial, transition, restoreSession } = await needs('core', 'initial', 'transition', 'restoreSession')
  const sent = Array.from({ length: messages }, (_, i) => ({ packetId: i + 1, message: { ...MESSAGE, qos: 1 + i % 2 } }))
  const session = restoreSession({ clientId: 'kitchen', sent })
  const { state } = transition(initial({ role: 'client', session }), { type: 'send', packet: { type: 'connect', version: 4, clientId: 'kitchen', cleanStart: false, keepAlive: 60 } })
  const connack = { type: 'received', packet: { type: 'connack', sessionPresent: true, reasonCode: 0, properties: undefined } }
  const { effects } = transition(state, connack)
  if (effects.filter(({ type, packet }) => type === 'write' && packet.dup).length !== messages) throw new Wrong('not all of them are sent again')
  return {
    loop(n) {
      for (let i = 0; i < n; i++) sink.packet = transition(state, connack).effects
    },
  }
}

/** A whole connection: opened, CONNECT, CONNACK, PINGREQ, DISCONNECT, closed. */
async function prepareConnection() {
  const { initial, transition, decode } = await needs('core', 'initial', 'transition', 'decode')
  const received = (name) => ({ type: 'received', packet: decode(bytesOf(name), 4) })
  const inputs = [received('connect311'), { type: 'send', packet: CONNACK }, received('pingreq'), received('disconnect311'), { type: 'closed' }]
  let last
  return {
    loop(n) {
      for (let i = 0; i < n; i++) {
        last = initial({ role: 'server' })
        for (let k = 0; k < inputs.length; k++) {
          const step = transition(last, inputs[k])
          last = step.state
          sink.packet = step.effects
        }
      }
    },
    after() {
      if (last.phase !== 'closed') throw new Wrong(`ended in phase ${last.phase}`)
    },
  }
}

/** What an idle, accepted connection keeps: its decoder and its state, held in one record. */
async function prepareRetained() {
  const { initial, transition, PacketStream } = await needs('core', 'initial', 'transition', 'PacketStream')
  const bytes = new Uint8Array(bytesOf('connect311min'))
  return {
    make() {
      const stream = new PacketStream({ version: 4, maximumPacketSize: 65_536 })
      stream.push(Buffer.from(bytes.slice().buffer))
      let { state } = transition(initial({ role: 'server' }), { type: 'received', packet: stream.next() })
      if (stream.next() !== undefined) throw new Wrong('more than one packet')
      state = transition(state, { type: 'send', packet: CONNACK }).state
      if (state.phase !== 'connected') throw new Wrong(`ended in phase ${state.phase}`)
      return { stream, state }
    },
  }
}
