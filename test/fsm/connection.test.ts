// The machine as a whole. Its other test files: order (who may speak when), held, auth, will, total (every state × every input) and pair (two
// machines on a wire); and those of its modules.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketInput } from '../../src/codec/index.ts'
import { DEFAULT_LIMITS, holdsInput, initial, opened, transition } from '../../src/fsm/connection.ts'
import { newSession, sizeOf } from '../../src/fsm/index.ts'
import type { State } from '../../src/fsm/index.ts'
import { authenticating, broken, causeOf, connack, connect, connected, ended, ignored, malformed, received, refused, send, step, steps, timer, told, VERSIONS, violates, WILL, wire } from './helpers.ts'
import { ack, ask, brief, publish, SUBSCRIBE, UNSUBSCRIBE, unsuback } from './talk.ts'

const METHOD = { authenticationMethod: 'PLAIN' }
const PUBLISH: PacketInput = { type: 'publish', topic: 'a', payload: 'b' }

test('a connection begins as its role waits for it, with the limits given and the others as they are', () => {
  assert.equal(initial({ role: 'client' }), { phase: 'opening', role: 'client', limits: DEFAULT_LIMITS, session: undefined })
  const session = newSession('kitchen')
  assert.equal(initial({ role: 'server', session, limits: { closeTimeout: 1 } }), { phase: 'awaiting-connect', role: 'server', limits: { ...DEFAULT_LIMITS, closeTimeout: 1 }, session })
  assert.ok(Object.isFrozen(DEFAULT_LIMITS))
})

test('a Server\'s wait for CONNECT begins when the Network Connection opens; a Client waits for nobody', () => {
  assert.equal(told(opened(initial({ role: 'server', limits: { connectTimeout: 8 } }))), ['arm connect 8'])
  assert.equal(opened(initial({ role: 'client' })), [])
})

test('MQTT-3.1.0-1: whatever a Client sends first, if it is not CONNECT the Server closes and writes nothing', () => {
  const firsts: readonly PacketInput[] = [PUBLISH, { type: 'pingreq' }, { type: 'disconnect' }, { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] }]
  for (const packet of firsts) violates(initial({ role: 'server' }), received(packet, 4), 'MQTT-3.1.0-1')
  violates(initial({ role: 'server' }), malformed('c0 00'), 'MQTT-3.1.0-1')
  for (const packet of firsts) refused(initial({ role: 'client' }), packet, 'MQTT-3.1.0-1')
})

test('MQTT-3.12.4-1: PINGREQ is answered by PINGRESP, and the state stays the very same', () => {
  for (const version of VERSIONS) {
    const state = connected('server', version)
    const { state: after, effects } = step(state, received({ type: 'pingreq' }, version))
    assert.equal(wire(effects, version), ['d0 00'])
    assert.is(after, state)
  }
})

test('a PINGREQ the application asks for is settled by PINGRESP', () => {
  const { state, effects } = step(connected('client', 4), send({ type: 'pingreq' }, 'mine'))
  assert.equal(told(effects), ['write pingreq', 'arm keep-alive 60000 sent', 'arm pingresp 10000'])
  assert.equal(told(step(state, received({ type: 'pingresp' }, 4)).effects), ['disarm pingresp', 'settle mine'])
})

test('what is the application\'s is given to it, or sent for it, and the state stays the very same', () => {
  for (const role of ['client', 'server'] as const) {
    const state = connected(role, 5)
    const heard = step(state, received(PUBLISH, 5))
    assert.equal(told(heard.effects), ['deliver'])
    assert.is(heard.state, state)
    const sent = step(state, send(PUBLISH))
    assert.equal(told(sent.effects), ['write publish'])
    assert.is(sent.state, state)
  }
  // The effects of the hot path are shared and frozen.
  const state = connected('client', 5)
  assert.is(transition(state, received(PUBLISH, 5)).effects, transition(state, received(PUBLISH, 5)).effects)
})

test('MQTT-3.3.4-6: a Client\'s PUBLISH has no Subscription Identifier, a Server\'s may', () => {
  const packet: PacketInput = { type: 'publish', topic: 'a', payload: '', properties: { subscriptionIdentifiers: [1] } }
  refused(connected('client', 5), packet, 'MQTT-3.3.4-6')
  violates(connected('server', 5), received(packet, 5), 'MQTT-3.3.4-6', 'e0 01 82')
  assert.equal(told(step(connected('server', 5), send(packet)).effects), ['write publish'])
  assert.equal(told(step(connected('client', 5), received(packet, 5)).effects), ['deliver'])
})

test('SPEC-3.1.4-1: what the Client sends behind CONNECT waits for the answer, in order, within limits.heldPackets', () => {
  const waiting = steps(authenticating('server', 5, { limits: { heldPackets: 2 } }), received({ type: 'pingreq' }, 5), received(PUBLISH, 5)).state
  assert.equal(told(step(waiting, send(connack())).effects), ['write connack', 'disarm auth', 'arm keep-alive 90000 received', 'write pingresp', 'deliver publish'])
  violates(waiting, received(PUBLISH, 5), '5.0 §3.1.4', '20 03 00 97 00')
  assert.ok(holdsInput(waiting))
  for (const state of [connected('server', 5), authenticating('client', 5), authenticating('server', 5, { connect: { properties: METHOD } })]) assert.not.ok(holdsInput(state))
})

test('MQTT-3.1.2-30: AUTH passes before CONNACK, DISCONNECT ends it there, and nothing else may come', () => {
  const state = authenticating('server', 5, { connect: { properties: METHOD } })
  const auth: PacketInput = { type: 'auth', reasonCode: 0x18, properties: METHOD }
  assert.equal(told(step(state, received(auth, 5)).effects), ['deliver'])
  assert.equal(told(step(state, send(auth)).effects), ['write auth'])
  assert.equal(told(step(state, received({ type: 'disconnect' }, 5)).effects), ['disarm auth', 'arm close 5000', 'close disconnect'])
  violates(state, received(PUBLISH, 5), 'MQTT-3.1.2-30', '20 03 00 82 00')
  refused(authenticating('client', 5, { connect: { properties: METHOD } }), PUBLISH, 'MQTT-3.1.2-30')
})

test('MQTT-4.12.1-1: re-authentication is for after CONNACK', () => {
  const again: PacketInput = { type: 'auth', reasonCode: 0x19, properties: METHOD }
  const made = { connect: { properties: METHOD } }
  refused(authenticating('client', 5, made), again, 'MQTT-4.12.1-1')
  violates(authenticating('server', 5, made), received(again, 5), 'MQTT-4.12.1-1', '20 03 00 82 00')
  assert.equal(told(step(connected('client', 5, { ...made, connack: { properties: METHOD } }), send(again)).effects), ['write auth', 'arm auth 30000'])
})

test('MQTT-4.12.0-2 (5.0): AUTH 0x00 has no place before CONNACK', () => {
  refused(authenticating('server', 5, { connect: { properties: METHOD } }), { type: 'auth', reasonCode: 0, properties: METHOD }, 'MQTT-4.12.0-2')
})

test('AUTH: never without a method in CONNECT, never with another, only with a code of its sender', () => {
  const made = { connect: { properties: METHOD }, connack: { properties: METHOD } }
  refused(connected('client', 5), { type: 'auth', reasonCode: 0x18, properties: METHOD }, 'MQTT-4.12.0-7')
  refused(connected('server', 5), { type: 'auth', reasonCode: 0x18, properties: METHOD }, 'MQTT-4.12.0-6')
  refused(connected('client', 5, made), { type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'SCRAM' } }, 'MQTT-4.12.0-5')
  refused(connected('client', 5, made), { type: 'auth' }, 'MQTT-3.15.2-1')
  refused(connected('server', 5, made), { type: 'auth' }, 'MQTT-4.12.0-5')
})

test('DISCONNECT: a code of its sender, no Session Expiry Interval of a Server, and of a Client none raised from 0', () => {
  const expiring = { type: 'disconnect', properties: { sessionExpiryInterval: 60 } } as const
  refused(connected('client', 5), { type: 'disconnect', reasonCode: 0x8e }, 'MQTT-3.14.2-1')
  refused(connected('server', 5), { type: 'disconnect', reasonCode: 0x04 }, 'MQTT-3.14.2-1')
  refused(connected('server', 5), expiring, 'MQTT-3.14.2-2')
  refused(connected('client', 5), expiring, 'SPEC-3.14.2.2.2-1')
  const lowered = { type: 'disconnect', properties: { sessionExpiryInterval: 0 } } as const
  assert.is(step(connected('client', 5), send(lowered)).state.phase, 'closing')
  assert.is(step(connected('client', 5, { connect: { properties: { sessionExpiryInterval: 1 } } }), send(expiring)).state.phase, 'closing')
})

test('a DISCONNECT we send closes; a Server of 3.x closes without it', () => {
  for (const version of VERSIONS) {
    assert.equal(told(step(connected('client', version), send({ type: 'disconnect' })).effects), ['write disconnect', 'disarm keep-alive', 'arm close 5000', 'close disconnect'])
    const { effects } = step(connected('server', version), send({ type: 'disconnect', reasonCode: 0x8e }))
    assert.equal(wire(effects, version), version === 5 ? ['e0 01 8e'] : [])
    assert.equal([causeOf(effects).why, causeOf(effects).by], ['taken-over', 'server'])
  }
  refused(authenticating('server', 4), { type: 'disconnect' }, '3.1.1 §3.14')
})

test('a DISCONNECT that comes closes, and only 0x00 of a Client discards its Will', () => {
  for (const [reasonCode, will] of [[0x00, undefined], [0x04, '/hans/will'], [0x81, '/hans/will']] as const) {
    const cause = causeOf(step(connected('server', 5, { connect: { will: WILL } }), received({ type: 'disconnect', reasonCode }, 5)).effects)
    assert.equal([cause.by, cause.why, cause.will?.topic], ['client', 'disconnect', will])
  }
  const properties = { reasonString: 'elsewhere', serverReference: 'b.example' }
  const over = causeOf(step(connected('client', 5), received({ type: 'disconnect', reasonCode: 0x8e, properties }, 5)).effects)
  assert.equal([over.by, over.why, over.sentence, over.reasonString, over.serverReference], ['server', 'taken-over', 'The Server disconnected: Session taken over.', 'elsewhere', 'b.example'])
})

test('MQTT-3.1.0-2, MQTT-3.2.0-1, MQTT-3.2.0-2: a second CONNECT, a packet before CONNACK, a second CONNACK', () => {
  violates(connected('server', 5), received(connect(5), 5), 'MQTT-3.1.0-2', 'e0 01 82')
  violates(authenticating('client', 5), received(PUBLISH, 5), 'MQTT-3.2.0-1', 'e0 01 82')
  violates(connected('client', 5), received(connack(), 5), 'MQTT-3.2.0-2', 'e0 01 82')
})

test('CONNECT in time, CONNACK in time, an answer in time: the timers fire once, in their phase, and lead out', () => {
  const fired: readonly (readonly [State, 'connect' | 'auth' | 'keep-alive' | 'pingresp', string])[] = [
    [initial({ role: 'server' }), 'connect', 'connect-timeout'],
    [authenticating('client', 5), 'connect', 'connack-timeout'],
    [authenticating('server', 5), 'auth', 'auth-timeout'],
    [connected('server', 5), 'keep-alive', 'keep-alive-timeout'],
    [steps(connected('client', 5), timer('keep-alive')).state, 'pingresp', 'pingresp-timeout'],
  ]
  for (const [state, name, why] of fired) {
    const { state: after, effects } = step(state, timer(name))
    assert.equal([causeOf(effects).why, after.phase], [why, 'closing'])
    ignored(after, timer(name))
  }
})

test('each packet goes to the one that says what follows from it, sent and received, through a whole exchange of every kind', () => {
  for (const version of VERSIONS) {
    const client = steps(connected('client', version), ask(publish(1), 'a'), ask(publish(2), 'b'), ask(SUBSCRIBE, 'c'), ask(UNSUBSCRIBE, 'd'))
    const ends = steps(client.state, received(ack('puback', 1), version), received(ack('pubrec', 2), version), received(ack('pubcomp', 2), version), received({ type: 'suback', packetId: 3, reasonCodes: [0] }, version), received(unsuback(4, version), version))
    assert.equal(brief(ends.effects), ['deliver', 'settle d unsuback'])
    assert.equal(sizeOf(ends.state.session!), { ours: 0, theirs: 0 })
    const server = steps(connected('server', version), ...[publish(1, 1), publish(2, 2), { ...SUBSCRIBE, packetId: 3 }, { ...UNSUBSCRIBE, packetId: 4 }].map((packet) => received(packet as PacketInput, version)))
    assert.equal(sizeOf(server.state.session!), { ours: 0, theirs: 4 })
    const answers = steps(server.state, ask(ack('puback', 1)), ask(ack('pubrec', 2)), ask({ type: 'suback', packetId: 3, reasonCodes: [0] }), ask(unsuback(4, version)), received(ack('pubrel', 2), version))
    assert.equal(brief(answers.effects), ['write pubcomp 2'])
    assert.equal(sizeOf(answers.state.session!), { ours: 0, theirs: 0 })
    for (const type of ['pubrel', 'pubcomp'] as const) refused(server.state, ack(type, 2), { 3: '3.1 §4.1', 4: 'MQTT-4.3.3-1', 5: 'MQTT-4.3.3-4' }[version])
    assert.equal(brief(step(server.state, ask({ type: 'pingresp' })).effects), ['write pingresp'])
  }
})

test('re-authentication: AUTH both ways, its timer, and AUTH where there is no method', () => {
  const made = { connect: { properties: METHOD }, connack: { properties: METHOD } }
  const again: PacketInput = { type: 'auth', reasonCode: 0x19, properties: METHOD }
  const state = steps(connected('server', 5, made), received(again, 5)).state
  assert.is(state.phase, 'reauthenticating')
  assert.is(causeOf(step(state, timer('auth')).effects).why, 'auth-timeout')
  violates(connected('server', 5), received(again, 5), 'MQTT-4.12.0-7', 'e0 01 82')
})

test('a client that has no session may be asked for anything before CONNACK and throws for nothing', () => {
  const packets = [publish(0), publish(1), publish(2), SUBSCRIBE, UNSUBSCRIBE, ack('puback', 1), ack('pubrec', 1), ack('pubrel', 1), ack('pubcomp', 1), { type: 'pingreq' }, { type: 'disconnect' }] as const
  for (const version of VERSIONS) {
    for (const session of [undefined, newSession('kitchen'), newSession('cellar')]) {
      const state = authenticating('client', version, { connect: { cleanStart: false }, ...(session === undefined ? {} : { session }) })
      const words = packets.map((packet) => brief(step(state, ask(packet)).effects)[0]!.split(' ')[0])
      assert.equal(words, ['write', ...Array<string>(8).fill('refuse'), 'write', 'write'])
    }
  }
})

test('when nothing more comes of it the connection is closed: at once if it broke, after our last word if not', () => {
  const live: readonly State[] = [initial({ role: 'client' }), initial({ role: 'server' }), authenticating('client', 4), authenticating('server', 4), connected('client', 4), connected('server', 4)]
  for (const state of live) {
    for (const [input, why] of [[ended, 'ended'], [broken, 'broken']] as const) {
      const { state: after, effects } = step(state, input)
      const cause = causeOf(effects)
      assert.equal([after.phase, cause.why, cause.phase, cause.by], ['closed', why, state.phase, why === 'broken' ? 'network' : state.role === 'client' ? 'server' : 'client'])
      for (const late of [ended, broken, malformed('00 00', 4), received(PUBLISH, 4), timer('close')]) ignored(after, late)
    }
  }
  const closing = steps(connected('client', 4), send({ type: 'disconnect' })).state
  for (const late of [malformed('00 00', 4), received(PUBLISH, 4), timer('keep-alive')]) ignored(closing, late)
  assert.equal(told(step(closing, ended).effects), ['disarm close'])
  assert.equal(told(step(closing, timer('close')).effects), [])
  for (const input of [ended, timer('close')]) assert.is(step(closing, input).state.phase, 'closed')
})

test.run()
