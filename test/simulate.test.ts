// The simulation, small: it keeps every promise, and it notices when one is broken.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { simulate } from '../scripts/simulate/simulation.ts'
import type { Machine } from '../scripts/simulate/server.ts'
import * as fsmModule from '../src/fsm/index.ts'
import type { Live, State } from '../src/fsm/index.ts'

const { transition } = fsmModule

test('10,000 connections keep every promise, and the seed replays them', () => {
  const { transitions, kept, ends, resumed } = simulate({ connections: 10_000, seed: 7, messages: 30_000 })
  assert.ok(transitions > 100_000 && resumed > 500, `${transitions} transitions, ${resumed} resumed`)
  assert.equal([...ends.keys()].sort(), ['broken', 'connect-timeout', 'disconnect', 'ended', 'keep-alive-timeout', 'protocol-error'])
  // Promises that were never put are not kept.
  for (const [promise, least] of PROMISES) assert.ok((kept.get(promise) ?? 0) >= least, `${promise}: ${kept.get(promise) ?? 0} times`)
  const small = { connections: 200, seed: 3, messages: 2000 }
  assert.equal(simulate(small), simulate(small))
  assert.is.not(simulate(small).transitions, simulate({ ...small, seed: 4 }).transitions)
})

const PROMISES: readonly (readonly [promise: string, least: number])[] = [
  ['close is said once', 10_000], ['a connection closes exactly once', 10_000], ['every connection is closed in the end', 10_000],
  ['no timer outlives its connection', 10_000], ['no timer fires behind the end', 500], ['no timer is left', 1], ['a timer that comes late does nothing', 1000],
  ['keep-alive-timeout comes between its time and 16 ms later', 300], ['connect-timeout comes between its time and 16 ms later', 100],
  ['the session at the end is the one that was there', 10_000], ['what is unfinished is sent again when a session goes on', 500], ['it is sent again as it stood, PUBLISH with DUP', 20],
  ['CONNECT is answered by CONNACK', 9000], ['PINGREQ is answered by PINGRESP', 10_000], ['what is owed is answered by PUBACK', 500], ['what is owed is answered by PUBREC', 500],
  ['PUBREL is answered by PUBCOMP', 500], ['PUBREC is answered by PUBREL', 500], ['SUBSCRIBE is answered by SUBACK', 500],
  ['a message gets an identifier that is free', 1000], ['the last acknowledgement settles its token, once', 1000], ['what the quota does not allow is refused', 100],
  ['a broken rule closes the connection', 50], ['QoS 2 that comes again is answered and not delivered', 5],
]

const isLive = (state: State): state is Live => state.phase === 'connected'

const FAULTS: readonly (readonly [title: string, promise: RegExp, transition: Machine['transition']])[] = [
  ['keep alive is not disarmed at the end', /no timer outlives its connection/, (state, input) => {
    const step = transition(state, input)
    return input.type === 'closed' ? { ...step, effects: step.effects.filter((effect) => effect.type !== 'disarm' || effect.timer !== 'keep-alive') } : step
  }],
  ['keep alive is given a second time', /nobody is silent for more than 1.5 times Keep Alive and still connected/, (state, input) => {
    const again = input.type === 'timer' && input.timer === 'keep-alive' && state.phase === 'connected'
    return again ? { state, effects: [{ type: 'arm', timer: 'keep-alive', ms: state.agreement.keepAlive * 1500, quiet: 'received' }] } : transition(state, input)
  }],
  ['keep alive is 20 ms too long', /keep-alive-timeout comes between its time|nobody is silent/, (state, input) => {
    const step = transition(state, input)
    return { ...step, effects: step.effects.map((effect) => (effect.type === 'arm' && effect.timer === 'keep-alive' ? { ...effect, ms: effect.ms + 20 } : effect)) }
  }],
  ['one PINGREQ is not answered', /PINGREQ is answered by PINGRESP/, (state, input) => {
    const step = transition(state, input)
    return input.type === 'received' && input.packet.type === 'pingreq' && isLive(state) && state.session.exchanges.ours !== undefined ? { ...step, effects: [] } : step
  }],
  ['a message that is answered goes on counting', /QoS 1 and 2 are delivered|flow.receiving counts/, (state, input) => {
    const step = transition(state, input)
    const answers = isLive(state) && isLive(step.state) && input.type === 'send' && input.packet.type === 'puback'
    return answers ? { ...step, state: { ...step.state as Live, flow: { ...(step.state as Live).flow, receiving: state.flow.receiving } } } : step
  }],
  ['the quota of the Client is not kept', /what the quota does not allow is refused|no more goes out/, (state, input) => (
    isLive(state) && input.type === 'send' && input.packet.type === 'publish'
      ? transition({ ...state, agreement: { ...state.agreement, terms: { ...state.agreement.terms, client: { ...state.agreement.terms.client, receiveMaximum: 0xffff } } } }, input)
      : transition(state, input)
  )],
  ['a session loses what was unfinished', /the session at the end is the one that was there/, (state, input) => {
    const step = transition(state, input)
    return step.state.phase === 'closed' && step.state.session?.exchanges.ours !== undefined ? { ...step, state: { ...step.state, session: fsmModule.newSession(step.state.session.clientId) } } : step
  }],
  ['a session that goes on sends nothing again', /what is unfinished is sent again|all that is unfinished is sent again/, (state, input) => {
    const step = transition(state, input)
    return input.type === 'send' && input.session !== undefined ? { ...step, effects: step.effects.filter((effect) => effect.type !== 'write' || effect.packet.type === 'connack') } : step
  }],
  ['a connection closes twice', /close is said once/, (state, input) => {
    const step = transition(state, input)
    return state.phase === 'closing' && input.type === 'closed' ? { ...step, effects: [...step.effects, { type: 'close', cause: state.cause }] } : step
  }],
]

for (const [title, promise, fault] of FAULTS) {
  test(`the simulation notices a planted fault: ${title}`, () => {
    assert.throws(() => simulate({ connections: 1000, seed: 7, messages: 5000, machine: { ...fsmModule, transition: fault } }), promise)
  })
}

test.run()
