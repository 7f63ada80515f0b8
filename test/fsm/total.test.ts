// Totality: every state that can be reached × every input, both roles, every version. See walk.ts for what must be true of each step.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import { LIFECYCLE, transition } from '../../src/fsm/index.ts'
import type { Effect, Exchanges, Live, Role, State, Step, TimerName } from '../../src/fsm/index.ts'
import { removeId, setId } from '../../src/fsm/packet-ids.ts'
import { VERSIONS } from './helpers.ts'
import { entries } from './walk-checks.ts'
import { walk } from './walk.ts'
import type { Transition, World } from './walk.ts'
import { aliases, begun, everything, held, life, owed, resumption } from './worlds.ts'

/** What the walks are known to see: a walk that shrinks has lost something. */
const LEAST = { client: { states: 39_000, steps: 1_360_000 }, server: { states: 41_500, steps: 1_420_000 } }
const taken = new Set<string>()

function worldsOf(role: Role, version: ProtocolVersion): readonly World[] {
  return [
    life(role, version), begun(role, version), owed(role, version), everything(role, version), resumption(role, version),
    ...(role === 'server' ? [held(version)] : []), ...(version === 5 ? [aliases(role)] : []),
  ]
}

for (const role of ['client', 'server'] as const) {
  test(`totality: every state of a ${role} that can be reached takes every input, and keeps every promise`, () => {
    const seen = { states: 0, steps: 0 }
    for (const version of VERSIONS) {
      const phases = new Set<string>()
      for (const world of worldsOf(role, version)) {
        const visited = walk(transition, world)
        seen.states += visited.states
        seen.steps += visited.steps
        for (const entry of visited.taken) taken.add(entry)
        for (const phase of visited.phases) phases.add(phase)
      }
      const first = role === 'client' ? 'opening' : 'awaiting-connect'
      assert.equal([...phases].sort(), [first, 'authenticating', 'connected', ...(version === 5 ? ['reauthenticating'] : []), 'closing', 'closed'].sort())
    }
    assert.ok(seen.states >= LEAST[role].states && seen.steps >= LEAST[role].steps, `${seen.states} states, ${seen.steps} steps`)
  })
}

test('totality: the walks have taken every entry of LIFECYCLE, TIMERS, ACKNOWLEDGED and ENDINGS', () => {
  assert.equal(entries().filter((entry) => !taken.has(entry)), [])
  assert.ok(entries().length > 80 && Object.keys(LIFECYCLE).length === 7, `${entries().length}`)
})

/** A machine with a bug: what the real one says, and what is done to it. */
type Bug = readonly [title: string, promise: RegExp, role: Role, version: ProtocolVersion, bug: Transition]

const BUGS: readonly Bug[] = [
  ['a stale pingresp timer closes a connection whose PINGRESP came', /connected, timer pingresp: a timer that is not running does nothing/, 'client', 4, (state, input) => (
    input.type === 'timer' && input.timer === 'pingresp' && state.phase === 'connected' ? transition({ ...state, pinging: true }, input) : transition(state, input)
  )],
  ['PINGRESP does not disarm its timer', /received pingresp: the timers running are .*pingresp, and by the state/, 'client', 4, (state, input) => (
    input.type === 'received' && input.packet.type === 'pingresp' ? without(transition(state, input), 'disarm', 'pingresp') : transition(state, input)
  )],
  ['the connect timer runs on when CONNECT has come', /received connect .*: the timers running are connect, auth, and by the state auth/, 'server', 4, (state, input) => (
    state.phase === 'awaiting-connect' && input.type === 'received' ? without(transition(state, input), 'disarm', 'connect') : transition(state, input)
  )],
  ['keep alive is left running at the end', /the timers running are .*keep-alive.*close/, 'server', 3, (state, input) => without(transition(state, input), 'disarm', 'keep-alive')],
  ['a Server writes DISCONNECT before CONNACK', /server authenticating, .*: writes disconnect while authenticating/, 'server', 5, (state, input) => {
    const step = transition(state, input)
    if (state.phase !== 'authenticating') return step
    const refuses = (effect: Effect): boolean => effect.type === 'write' && effect.packet.type === 'connack' && effect.packet.reasonCode >= 0x80
    return { ...step, effects: step.effects.map((effect) => (refuses(effect) ? { type: 'write', packet: { type: 'disconnect', reasonCode: 0x82 } } : effect)) }
  }],
  ['a Server answers CONNECT of an unknown level by CONNACK at any time', /server connected, malformed: .*: writes connack while connected/, 'server', 4, (state, input) => {
    const step = transition(state, input)
    const unknown = input.type === 'malformed' && input.error.reasonCode === 0x84 && state.phase === 'connected'
    return unknown ? { ...step, effects: [{ type: 'write', packet: { type: 'connack', reasonCode: 1 } }, ...step.effects] } : step
  }],
  ['a packet is written that has no bytes', /writes a disconnect that version 4 cannot encode/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    return state.phase === 'connected' && input.type === 'malformed' ? { ...step, effects: [{ type: 'write', packet: { type: 'disconnect', reasonCode: 0x81 } }, ...step.effects] } : step
  }],
  ['the state is changed where it is', /transition threw TypeError: Cannot assign to read only property 'pinging'/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    if (state.phase === 'connected' && input.type === 'received' && input.packet.type === 'pingresp') (state as { pinging: boolean }).pinging = false
    return step
  }],
  ['what is held is kept in a list that grows where it is', /transition threw TypeError: Cannot add property 0/, 'server', 4, (state, input) => {
    if (state.phase === 'authenticating' && input.type === 'received' && input.packet.type === 'pingreq') (state.held as unknown[]).push(input.packet)
    return transition(state, input)
  }],
  ['a second close effect when the Network Connection ends', /closing, closed: close comes only with the end, and here 1 times/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    return state.phase === 'closing' && input.type === 'closed' ? { ...step, effects: [...step.effects, { type: 'close', cause: state.cause }] } : step
  }],
  ['an end without a close effect', /close comes exactly once, and here 0 times/, 'server', 4, (state, input) => without(transition(state, input), 'close')],
  ['PINGRESP behind close', /writes pingresp while closing|nothing follows close/, 'server', 4, (state, input) => {
    const step = transition(state, input)
    return step.effects.at(-1)?.type === 'close' ? { ...step, effects: [...step.effects, { type: 'write', packet: { type: 'pingresp' } }] } : step
  }],
  ['a copy of a state that has not changed', /a state that has not changed is the very same/, 'server', 4, (state, input) => {
    const { state: next, effects } = transition(state, input)
    return { state: state.phase === 'connected' && input.type === 'received' ? { ...next } : next, effects }
  }],
  ['a state that no store can keep', /the state is plain data/, 'server', 4, (state, input) => {
    const { state: next, effects } = transition(state, input)
    return { state: next.phase === 'connected' && state.phase !== 'connected' ? { ...next, since: new Date(0) } as State : next, effects }
  }],
  ['a Will that is forgotten when the socket breaks', /connected, closed by an error: the Will, where one is due/, 'server', 4, (state, input) => (
    state.phase === 'connected' && input.type === 'closed' && input.error !== undefined ? transition({ ...state, agreement: { ...state.agreement, will: undefined } }, input) : transition(state, input)
  )],
  ['a refusal that changes something', /a refusal changes nothing/, 'client', 4, (state, input) => {
    const step = transition(state, input)
    return step.effects[0]?.type === 'refuse' && state.phase === 'connected' ? { ...step, state: { ...state, pinging: true } } : step
  }],
  ['an input that is thrown at', /transition threw Error: boom/, 'server', 4, (state, input) => {
    if (state.phase === 'connected' && input.type === 'received') throw new Error('boom')
    return transition(state, input)
  }],
]

for (const [title, promise, role, version, bug] of BUGS) {
  test(`the walk finds a planted bug: ${title}`, () => {
    assert.throws(() => walk(bug, life(role, version)), firstLine(promise))
  })
}

/** The same with sessions: the world that shows it, and what is done to the step of the real machine. */
type SessionBug = readonly [title: string, promise: RegExp, world: World, bug: Transition]

const SESSION_BUGS: readonly SessionBug[] = [
  ['a message that is answered goes on counting', /flow.receiving counts the messages that have come here, 1, and there are 0/, owed('client', 4), (state, input) => {
    const step = transition(state, input)
    const answers = isLive(state) && isLive(step.state) && input.type === 'send' && input.packet.type === 'puback' && step.state !== state
    return answers ? { ...step, state: { ...step.state as Live, flow: { ...(step.state as Live).flow, receiving: state.flow.receiving } } } : step
  }],
  ['an identifier is not freed', /received puback 1: a token comes from the application/, begun('client', 4), (state, input) => {
    const step = transition(state, input)
    const acknowledged = isLive(state) && isLive(step.state) && input.type === 'received' && input.packet.type === 'puback'
    return acknowledged ? { ...step, state: withExchanges(step.state, { ours: state.session.exchanges.ours, nextTurn: 99 }) } : step
  }],
  ['an identifier is freed too early', /received pubrec 1: an exchange of ours ends by its acknowledgement, 1, which awaited pubrec/, begun('client', 5), (state, input) => {
    const step = transition(state, input)
    const released = isLive(step.state) && input.type === 'received' && input.packet.type === 'pubrec' && input.packet.reasonCode === 0 && step.effects.some(({ type }) => type === 'write') && step.state !== state
    return released ? { ...step, state: withExchanges(step.state, { ours: removeId(step.state.session.exchanges.ours, input.packet.packetId) }) } : step
  }],
  ['DUP is missing when a message is sent again', /a message is sent again only where a session is resumed, and with DUP 1/, resumption('client', 4), (state, input) => {
    const step = transition(state, input)
    return { ...step, effects: step.effects.map((effect) => (effect.type === 'write' && effect.packet.type === 'publish' && effect.packet.dup === true ? { ...effect, packet: { ...effect.packet, dup: false } } : effect)) }
  }],
  ['what is unfinished is sent again in the order of identifiers', /what is sent again goes in the order it went, 1 2 3/, resumption('client', 4), (state, input) => {
    const step = transition(state, input)
    const writes = step.effects.filter((effect) => effect.type === 'write')
    if (input.type !== 'received' || input.packet.type !== 'connack' || writes.length < 2) return step
    const idOf = ({ packet }: (typeof writes)[number]): number => ('packetId' in packet ? packet.packetId! : 0)
    return { ...step, effects: [...step.effects.filter(({ type }) => type !== 'write'), ...writes.sort((a, b) => idOf(a) - idOf(b))] }
  }],
  ['Receive Maximum does not hold at resumption', /no more goes out than the peer has announced, 3 of 1/, resumption('client', 5), (state, input) => {
    const one = input.type === 'received' && input.packet.type === 'connack' && input.packet.properties?.receiveMaximum === 1
    if (!one || state.phase !== 'authenticating') return transition(state, input)
    const step = transition(state, { ...input, packet: { ...input.packet, properties: undefined } } as typeof input)
    if (!isLive(step.state)) return step
    const { agreement } = step.state
    return { ...step, state: { ...step.state, agreement: { ...agreement, terms: { ...agreement.terms, server: { ...agreement.terms.server, receiveMaximum: 1 } } } } }
  }],
  ['a Topic Alias lives on in the next connection', /a Topic Alias stands for what was said on this connection, 1, a/, aliases('server'), (state, input) => {
    const step = transition(state, input)
    const begins = state.phase === 'authenticating' && isLive(step.state)
    return begins ? { ...step, state: { ...step.state as Live, flow: { ...(step.state as Live).flow, theirAliases: setId(undefined, 1, 'a') } } } : step
  }],
  ['an alias goes into the message that is kept', /a message is kept whole, for any connection/, aliases('client'), (state, input) => {
    const step = transition(state, input)
    const aliased = input.type === 'send' && input.packet.type === 'publish' && input.packet.qos === 1 && input.packet.properties?.topicAlias !== undefined && isLive(step.state) && step.state !== state
    if (!aliased) return step
    const { ours } = step.state.session.exchanges
    const exchange = { awaits: 'puback', turn: 0, message: input.packet, waits: false, filters: 0, token: input.token } as const
    return { ...step, state: withExchanges(step.state, { ours: setId(ours, 1, exchange as never) }) }
  }],
  ['a token is told of twice', /settles what was asked for, once/, begun('client', 4), (state, input) => {
    const step = transition(state, input)
    const settle = step.effects.find(({ type }) => type === 'settle')
    return settle === undefined ? step : { ...step, effects: [...step.effects, settle] }
  }],
  ['a token is forgotten with the session that is lost', /received connack: a session that is lost leaves its messages, in order/, begun('client', 4), (state, input) => {
    const step = transition(state, input)
    return { ...step, effects: step.effects.map((effect) => (effect.type === 'session' && effect.outcome === 'lost' ? { ...effect, redo: [] } : effect)) }
  }],
  ['the Client is not told that its session goes on', /a session that was handed in is told of, once, and no other, 0 times/, resumption('client', 3), (state, input) => without(transition(state, input), 'session')],
  ['a QoS 2 message is delivered twice', /a message is delivered when it comes for the first time, 1 times/, owed('server', 4), (state, input) => {
    const step = transition(state, input)
    const again = isLive(state) && isLive(step.state) && input.type === 'received' && input.packet.type === 'publish' && !step.effects.some(({ type }) => type === 'deliver')
    return again ? { ...step, effects: [...step.effects, { type: 'deliver' }] } : step
  }],
  ['a copy of a session that has not changed', /a state that has not changed is the very same/, everything('client', 4), (state, input) => {
    const step = transition(state, input)
    const stray = isLive(step.state) && step.state === state && input.type === 'received' && input.packet.type === 'puback'
    return stray ? { ...step, state: withExchanges(step.state, {}) } : step
  }],
  ['PUBREC is answered before the message is moved on', /received pubrec 1: PUBREL is for what awaits PUBCOMP, or for what we do not have, 1 awaits pubrec/, everything('server', 5), (state, input) => {
    const step = transition(state, input)
    return isLive(state) && input.type === 'received' && input.packet.type === 'pubrec' && input.packet.reasonCode < 0x80 && isLive(step.state) ? { ...step, state } : step
  }],
  ['answers of a Client may go in any order', /answers are due one after the other/, owed('client', 5), (state, input) => {
    const out = isLive(state) && input.type === 'send' && input.packet.type === 'puback' && input.packet.packetId === 2
    if (!out) return transition(state, input)
    const { flow } = state
    for (let due = flow.duePuback; ; due++) {
      const step = transition({ ...state, flow: { ...flow, duePuback: due & 0xffff } }, input)
      if (step.effects[0]?.type !== 'refuse' || due > flow.duePuback + 2) return step.effects[0]?.type === 'refuse' ? transition(state, input) : { ...step, state: { ...step.state, flow: { ...(step.state as Live).flow, duePuback: (flow.duePuback + 1) & 0xffff } } as State }
    }
  }],
  ['SUBSCRIBE of the connection before is still awaited', /flow.requests counts the requests of ours, 0, and there are 1/, begun('client', 4), (state, input) => {
    const step = transition(state, input)
    const opens = state.phase === 'opening' && step.state.phase === 'authenticating' && state.session !== undefined && step.state.session?.clientId === state.session.clientId
    return opens && input.type === 'send' && 'cleanStart' in input.packet && !input.packet.cleanStart ? { ...step, state: { ...step.state, session: state.session } as State } : step
  }],
]

for (const [title, promise, world, bug] of SESSION_BUGS) {
  test(`the walk finds a planted bug of sessions: ${title}`, () => {
    assert.throws(() => walk(bug, world), firstLine(promise))
  })
}

/** The promise that was broken; the step that broke it is shown behind, and holds many words. */
function firstLine(promise: RegExp): (error: Error) => boolean {
  return ({ message }) => promise.test(message.split('\n', 1)[0]!)
}

function isLive(state: State): state is Live {
  return state.phase === 'connected' || state.phase === 'reauthenticating'
}

function withExchanges(state: Live, more: Partial<Exchanges>): State {
  const { session } = state
  return { ...state, session: { ...session, exchanges: { ...session.exchanges, ...more } } }
}

/** The step without its effects of this kind. */
function without(step: Step, type: Effect['type'], timer?: TimerName): Step {
  const keep = (effect: Effect): boolean => effect.type !== type || (timer !== undefined && 'timer' in effect && effect.timer !== timer)
  return step.effects.every(keep) ? step : { ...step, effects: step.effects.filter(keep) }
}

test.run()
