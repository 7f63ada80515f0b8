// Bugs of real MQTT libraries, planted one at a time: the model has to find each, and to name the promise it breaks.
import type { Packet } from '../../src/codec/index.ts'
import { transition } from '../../src/fsm/index.ts'
import type { Effect, Exchange, Exchanges, Flow, Input, Live, Owed, Session, State, Step } from '../../src/fsm/index.ts'
import { getId, idEntries, removeId, setId } from '../../src/fsm/packet-ids.ts'
import { REAL } from './model.ts'
import type { Machine } from './model-parts.ts'
import type { Kind, Property, World } from './model-world.ts'

export interface Bug {
  readonly name: string
  /** where it shows */
  readonly world: World
  readonly machine: Machine
  /** what it breaks first */
  readonly breaks: Property
}

const QOS: readonly Kind[] = [0, 1, 2].map((qos) => ({ qos: qos as 0 | 1 | 2, topic: 'a' }))
const TWO: readonly Kind[] = [QOS[2]!]
const ONE: readonly Kind[] = [QOS[1]!]
const SMALL: World = { version: 5, kinds: QOS, client: 2, server: 0, cuts: 1 }

/** A machine that deals with one packet, when it is connected, in a way of its own; undefined: as the real one. */
function hearing<T extends Packet['type']>(type: T, own: (state: Live, packet: Extract<Packet, { type: T }>, input: Input) => Step | undefined): Machine {
  return {
    ...REAL,
    transition: (state, input) => {
      const mine = input.type === 'received' && input.packet.type === type && (state.phase === 'connected' || state.phase === 'reauthenticating')
      return mine ? own(state as Live, input.packet as Extract<Packet, { type: T }>, input) ?? transition(state, input) : transition(state, input)
    },
  }
}

/** A driver that hands over something else than what was left to it. */
function handing(change: (exchanges: Exchanges) => Partial<Exchanges>): Machine {
  return { ...REAL, handOver: ({ clientId, exchanges }): Session => ({ clientId, exchanges: { ...exchanges, ...change(exchanges) } }) }
}

function having<S extends State>(state: S, change: Partial<Exchanges>, flow: Partial<Flow> = {}): S {
  const live = state as Live
  return { ...live, session: { ...live.session, exchanges: { ...live.session.exchanges, ...change } }, flow: { ...live.flow, ...flow } } as S
}

const ours = (state: State, id: number): Exchange | undefined => getId(state.session?.exchanges.ours, id)
const theirs = (state: State, id: number): Owed | undefined => getId(state.session?.exchanges.theirs, id)

function writing(step: Step, ...packets: readonly Extract<Effect, { type: 'write' }>['packet'][]): Step {
  return { state: step.state, effects: [...packets.map((packet): Effect => ({ type: 'write', packet })), ...step.effects] }
}

export const BUGS: readonly Bug[] = [
  {
    name: 'QoS 2 identifiers are forgotten at reconnection (rumqttc)', breaks: 'exactlyOnce', world: SMALL,
    machine: handing(() => ({ theirs: undefined })),
  },
  {
    name: 'the message is sent again after PUBREL', breaks: 'exactlyOnce', world: { ...SMALL, client: 1 },
    machine: {
      ...REAL,
      transition: (state, input) => {
        if (input.type !== 'received' || (input.packet.type !== 'pubrec' && input.packet.type !== 'pubcomp')) return transition(state, input)
        const { type, packetId } = input.packet
        const exchange = ours(state, packetId)
        if (type === 'pubcomp' && exchange?.awaits === 'pubrec') return transition(having(state, { ours: setId(state.session!.exchanges.ours, packetId, { ...exchange, awaits: 'pubcomp' }) }), input)
        const step = transition(state, input)
        return type === 'pubrec' && exchange !== undefined ? { ...step, state: having(step.state, { ours: setId(step.state.session!.exchanges.ours, packetId, exchange) }) } : step
      },
    },
  },
  {
    name: 'an identifier is free at PUBREC, not at PUBCOMP', breaks: 'identifiers', world: { ...SMALL, kinds: TWO, packetIds: 1 },
    machine: hearing('pubrec', (state, { packetId }, input) => {
      const exchange = ours(state, packetId)
      const step = transition(state, input)
      return exchange && { state: having(step.state, { ours: removeId(step.state.session!.exchanges.ours, packetId) }), effects: [...step.effects, { type: 'settle', token: exchange.token }] }
    }),
  },
  {
    name: 'a message with DUP is a new one', breaks: 'exactlyOnce', world: SMALL,
    machine: hearing('publish', (state, { packetId, dup }, input) => {
      if (!dup || theirs(state, packetId!) === undefined) return undefined
      return transition(having(state, { theirs: removeId(state.session.exchanges.theirs, packetId!) }), input)
    }),
  },
  {
    name: 'a message with DUP is an old one', breaks: 'promise', world: { ...SMALL, kinds: TWO },
    machine: hearing('publish', (state, { packetId, dup }) => {
      if (!dup || theirs(state, packetId!) !== undefined) return undefined
      const owed: Owed = { owes: 'pubrel', turn: 0, here: true }
      return writing({ state: having(state, { theirs: setId(state.session.exchanges.theirs, packetId!, owed) }, { receiving: state.flow.receiving + 1 }), effects: [] }, { type: 'pubrec', packetId: packetId! })
    }),
  },
  {
    name: 'PUBACK goes out before the application has the message', breaks: 'promise', world: { ...SMALL, kinds: ONE },
    machine: {
      ...REAL,
      transition: (state, input) => {
        if (input.type === 'send' && input.packet.type === 'puback') return { state, effects: [] }
        const step = transition(state, input)
        if (input.type !== 'received' || input.packet.type !== 'publish' || input.packet.qos !== 1) return step
        const answered = transition(step.state, { type: 'send', packet: { type: 'puback', packetId: input.packet.packetId! } })
        return { state: answered.state, effects: [...answered.effects, ...step.effects] }
      },
    },
  },
  {
    name: 'what is sent again goes in the order of its identifiers', breaks: 'order', world: { ...SMALL, kinds: ONE, client: 3, packetIds: 2 },
    machine: handing((exchanges) => {
      let sorted: Exchanges['ours']
      for (const [id, exchange] of idEntries(exchanges.ours)) sorted = setId(sorted, id, { ...exchange, turn: id })
      return { ours: sorted, nextTurn: 9 }
    }),
  },
  {
    name: 'what is sent again does not count against Receive Maximum', breaks: 'quota', world: { ...SMALL, kinds: ONE, receiveMaximum: [2, 1] },
    machine: {
      ...REAL,
      transition: (state, input) => {
        if (input.type !== 'received' || input.packet.type !== 'connack') return transition(state, input)
        const { state: next, effects } = transition(state, { type: 'received', packet: { ...input.packet, properties: undefined } })
        const { agreement, ...rest } = next as Live
        const { terms } = agreement
        const { receiveMaximum = 0xffff } = input.packet.properties ?? {}
        return { state: { ...rest, agreement: { ...agreement, terms: { ...terms, server: { ...terms.server, receiveMaximum } } } } as Live, effects }
      },
    },
  },
  {
    name: 'QoS 2 identifiers are kept for ever (aedes)', breaks: 'leak', world: SMALL,
    machine: hearing('pubrel', (state, { packetId }, input) => {
      const owed = theirs(state, packetId)
      const step = transition(state, input)
      return owed && { ...step, state: having(step.state, { theirs: setId(step.state.session!.exchanges.theirs, packetId, { ...owed, here: false }) }) }
    }),
  },
  {
    name: 'Session Present is not looked at (MQTT.js)', breaks: 'exactlyOnce', world: { ...SMALL, forgets: 1 },
    machine: {
      ...REAL,
      transition: (state, input) => {
        const deaf = input.type === 'received' && input.packet.type === 'connack' && state.phase === 'authenticating' && !state.agreement.cleanStart
        return transition(state, deaf ? { type: 'received', packet: { ...input.packet, sessionPresent: true } as Packet } : input)
      },
    },
  },
  { name: 'what is in flight is forgotten at reconnection', breaks: 'atLeastOnce', world: { ...SMALL, kinds: ONE }, machine: handing(() => ({ ours: undefined })) },
  {
    name: 'PUBREL is not sent again', breaks: 'tokens', world: { ...SMALL, kinds: TWO, client: 1 },
    machine: handing(({ ours: kept }) => ({ ours: [...idEntries(kept)].reduce((left, [id, { awaits }]) => (awaits === 'pubcomp' ? removeId(left, id) : left), kept) })),
  },
  {
    name: 'a repeated message is an identifier in use', breaks: 'peace', world: SMALL,
    machine: hearing('publish', (state, packet) => (packet.dup && theirs(state, packet.packetId!) !== undefined ? transition(state, { type: 'received', packet: { ...packet, qos: 1 } }) : undefined)),
  },
  {
    name: 'QoS 0 is sent twice', breaks: 'atMostOnce', world: SMALL,
    machine: {
      ...REAL,
      transition: (state, input) => {
        const step = transition(state, input)
        return input.type === 'send' && input.packet.type === 'publish' && input.packet.qos === 0 ? { ...step, effects: [...step.effects, ...step.effects] } : step
      },
    },
  },
  {
    name: 'PUBCOMP is answered by PUBREL, and so on for ever', breaks: 'end', world: { ...SMALL, kinds: TWO, client: 1 },
    machine: hearing('pubcomp', (state, { packetId }, input) => writing(transition(state, input), { type: 'pubrel', packetId })),
  },
  {
    name: 'a PUBACK does not give the send quota back', breaks: 'progress', world: { ...SMALL, kinds: ONE, receiveMaximum: [2] },
    machine: hearing('puback', (state, _, input) => {
      const step = transition(state, input)
      const { agreement, ...rest } = step.state as Live
      const { terms } = agreement
      return { ...step, state: { ...rest, agreement: { ...agreement, terms: { ...terms, server: { ...terms.server, receiveMaximum: terms.server.receiveMaximum - 2 } } } } as Live }
    }),
  },
  {
    name: 'an acknowledgement nobody waits for is an exception', breaks: 'total', world: { ...SMALL, kinds: TWO },
    machine: hearing('pubrel', (state, { packetId }) => {
      if (theirs(state, packetId) === undefined) throw new TypeError('cannot read properties of undefined')
      return undefined
    }),
  },
]
