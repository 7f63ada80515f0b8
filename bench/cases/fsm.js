// Steps of the connection machine: what `transition` adds to a packet that has been decoded. Only ours has one.

import { Wrong } from '../lib/facts.js'
import { needs } from '../lib/ours.js'
import { sink } from '../lib/sink.js'
import { bytesOf } from './bytes.js'
import { packets } from './packets.js'

const OURS = ['ours']
const CONNACK = { type: 'connack', sessionPresent: false, reasonCode: 0 }

const STEPS = [
  ['fsm:server:publish0', 'server', 'publish64', ['deliver']],
  ['fsm:client:publish0', 'client', 'publish64', ['deliver']],
  ['fsm:server:pingreq', 'server', 'pingreq', ['write']],
  ['fsm:server:publish1', 'server', 'publish1k', undefined],
]

export const cases = [
  ...STEPS.flatMap(([id, role, name, effects]) => {
    const step = { id, group: 'fsm', contenders: OURS, measure: 'time', unit: 'ns', quick: false, prepare: () => prepareStep(role, name, effects) }
    return [step, { ...step, id: `heap:${id}`, group: 'heap', measure: 'heap', unit: 'B' }]
  }),
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
  if (expected !== undefined && found.join() !== expected.join()) throw new Wrong(`effects are [${found}], not [${expected}]`)
  // QoS 1 is answered by the application: without the PUBACK the quota would fill up.
  const puback = expected === undefined ? { type: 'send', packet: { type: 'puback', packetId: packets[name].packet.packetId } } : undefined
  let state = start
  return {
    loop(n) {
      for (let i = 0; i < n; i++) {
        const step = transition(state, inputs[i & 15])
        state = step.state
        sink.packet = step.effects
        if (puback !== undefined) state = transition(state, puback).state
      }
    },
    after() {
      if (state.phase !== 'connected') throw new Wrong(`ended in phase ${state.phase}`)
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
