// Re-authentication (5.0 §4.12.1) as a phase, and what an AUTH may be in any. The exchange before CONNACK is in auth.test.ts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketInput } from '../../src/codec/index.ts'
import { authFault, reauthenticationOverdue } from '../../src/fsm/authentication.ts'
import { running } from '../../src/fsm/index.ts'
import type { Reauthenticating, Role, State } from '../../src/fsm/index.ts'
import { authenticating, broken, causeOf, connected, deepFreeze, ended, ignored, received, refused, send, step, steps, timer, told, violates, WILL, wire } from './helpers.ts'
import { ack, after, again, ask, brief, publish, sessionOf, SUBSCRIBE } from './talk.ts'

const METHOD = { authenticationMethod: 'SCRAM-SHA-1' }
const MADE = { connect: { properties: METHOD }, connack: { properties: METHOD } }
const auth = (reasonCode: number, properties: object = METHOD): PacketInput => ({ type: 'auth', reasonCode, properties })
const [SUCCESS, CONTINUE, AGAIN] = [auth(0x00), auth(0x18), auth(0x19)] as const

/** In the middle of a re-authentication, which the Client has asked for under the name `who`. */
function underWay(role: Role, made: Parameters<typeof connected>[2] = MADE): Reauthenticating {
  const { state } = step(connected(role, 5, made), role === 'client' ? send(AGAIN, 'who') : received(AGAIN, 5))
  assert.is(state.phase, 'reauthenticating')
  return state as Reauthenticating
}

test('MQTT-4.12.1-1 (5.0): a Client asks with 0x19 and the method of CONNECT, AUTH 0x18 goes to and fro, and the Server\'s 0x00 ends it', () => {
  const begun = step(connected('client', 5, MADE), send(AGAIN, 'who'))
  assert.equal(told(begun.effects), ['write auth', 'arm auth 30000'])
  const heard = step(connected('server', 5, MADE), received(AGAIN, 5))
  assert.equal(told(heard.effects), ['deliver', 'arm auth 30000'])
  for (const { state } of [begun, heard]) {
    assert.is(state.phase, 'reauthenticating')
    for (const [input, effect] of [[send(CONTINUE), 'write auth'], [received(CONTINUE, 5), 'deliver']] as const) {
      const next = step(state, input)
      assert.equal([next.state === state, told(next.effects)], [true, [effect]])
    }
  }
  const client = step(begun.state, received(SUCCESS, 5))
  assert.equal([client.state.phase, told(client.effects)], ['connected', ['deliver', 'disarm auth', 'settle who']])
  const server = step(heard.state, send(SUCCESS))
  assert.equal([server.state.phase, told(server.effects)], ['connected', ['write auth', 'disarm auth']])
  assert.equal(told(steps(connected('client', 5, MADE), send(AGAIN), received(SUCCESS, 5)).effects), ['deliver', 'disarm auth'])
})

test('the state is that of before when it is over: session, flow, PINGREQ and all', () => {
  const pinging = steps(connected('client', 5, MADE), ask(publish(2), 'm'), send({ type: 'pingreq' }, 'p')).state
  const over = steps(pinging, send(AGAIN), received(SUCCESS, 5)).state
  assert.equal(over, pinging)
  const { phase, authToken, ...rest } = steps(pinging, send(AGAIN, 'who')).state as Reauthenticating
  assert.equal([phase, authToken, rest], ['reauthenticating', 'who', (({ phase: _, ...others }) => others)(pinging as Reauthenticating)])
})

test('everything else goes on meanwhile, and so does the session', () => {
  for (const role of ['client', 'server'] as const) {
    const state = underWay(role)
    const sent = step(state, ask(publish(2), 'm'))
    assert.equal([sent.state.phase, brief(sent.effects)], ['reauthenticating', ['write publish 1']])
    const released = step(sent.state, received(ack('pubrec', 1), 5))
    assert.equal([released.state.phase, brief(released.effects)], ['reauthenticating', ['write pubrel 1']])
    const done = step(released.state, received(ack('pubcomp', 1), 5))
    assert.equal([done.state.phase, brief(done.effects)], ['reauthenticating', ['deliver', 'settle m pubcomp']])
    const heard = step(done.state, received(publish(1, 9), 5))
    assert.equal(brief(step(heard.state, ask(ack('puback', 9))).effects), ['write puback 9'])
    assert.is(step(state, received(publish(0), 5)).state, state)
  }
  const client = underWay('client')
  assert.equal(told(step(client, timer('keep-alive')).effects), ['write pingreq', 'arm keep-alive 60000 sent', 'arm pingresp 10000'])
  assert.equal(brief(step(client, ask(SUBSCRIBE)).effects), ['write subscribe 1'])
  assert.equal(told(step(underWay('server'), received({ type: 'pingreq' }, 5)).effects), ['write pingresp'])
  assert.equal(running(client), ['keep-alive', 'auth'])
  assert.equal(running(steps(client, timer('keep-alive')).state), ['keep-alive', 'pingresp', 'auth'])
  assert.equal(told(step(underWay('server'), timer('keep-alive')).effects), ['write disconnect', 'disarm keep-alive', 'disarm auth', 'arm close 5000', 'close keep-alive-timeout'])
})

test('nothing begins twice, and nothing ends that has not begun', () => {
  const rule = '5.0 §4.12.1'
  refused(underWay('client'), AGAIN, rule)
  violates(underWay('server'), received(AGAIN, 5), rule, 'e0 01 82')
  for (const packet of [CONTINUE]) {
    refused(connected('client', 5, MADE), packet, rule)
    violates(connected('server', 5, MADE), received(packet, 5), rule, 'e0 01 82')
  }
  for (const packet of [CONTINUE, SUCCESS]) {
    refused(connected('server', 5, MADE), packet, rule)
    violates(connected('client', 5, MADE), received(packet, 5), rule, 'e0 01 82')
  }
})

test('MQTT-4.12.0-5 (5.0), MQTT-4.12.1-1 (5.0): no AUTH of a re-authentication has another method, or a code of the other side', () => {
  for (const role of ['client', 'server'] as const) {
    const state = underWay(role)
    const other = auth(0x18, { authenticationMethod: 'PLAIN' })
    refused(state, other, 'MQTT-4.12.0-5')
    violates(state, received(other, 5), 'MQTT-4.12.0-5', 'e0 01 82')
    refused(state, role === 'client' ? SUCCESS : AGAIN, 'MQTT-3.15.2-1')
    violates(state, received(role === 'client' ? AGAIN : SUCCESS, 5), 'MQTT-3.15.2-1', 'e0 01 82')
  }
  refused(connected('client', 5), AGAIN, 'MQTT-4.12.0-7')
  violates(connected('server', 5), received(AGAIN, 5), 'MQTT-4.12.0-7', 'e0 01 82')
})

test('authFault: which rule, by sender, and none before 5.0', () => {
  const { agreement } = connected('client', 5, MADE)
  const none = connected('client', 5).agreement
  assert.equal([authFault('client', AGAIN as never, agreement), authFault('server', SUCCESS as never, agreement)], [undefined, undefined])
  assert.equal([authFault('client', AGAIN as never, none), authFault('server', SUCCESS as never, none)], ['authWithoutMethod', 'serverAuthWithoutMethod'])
  assert.equal([authFault('server', AGAIN as never, agreement), authFault('client', { type: 'auth' }, agreement)], ['authCode', 'authCode'])
  assert.equal([authFault('client', { type: 'auth', reasonCode: 0x19 }, agreement), authFault('client', auth(0x19, {}) as never, agreement)], ['authMethodChanged', 'authMethodChanged'])
  assert.is(authFault('client', AGAIN as never, connected('client', 4).agreement), undefined)
})

test('MQTT-4.12.1-2 (5.0): a re-authentication that fails ends with DISCONNECT, of either side, and the Will is due', () => {
  const state = underWay('server', { ...MADE, connect: { properties: METHOD, will: WILL } })
  const failed = step(state, send({ type: 'disconnect', reasonCode: 0x87 }))
  assert.equal(wire(failed.effects, 5), ['e0 01 87'])
  assert.equal(told(failed.effects), ['write disconnect', 'disarm keep-alive', 'disarm auth', 'arm close 5000', 'close disconnect'])
  const { will, phase } = causeOf(failed.effects)
  assert.equal([will?.topic, phase], ['/hans/will', 'reauthenticating'])
  const heard = step(underWay('client'), received({ type: 'disconnect', reasonCode: 0x87 }, 5))
  assert.equal([causeOf(heard.effects).by, causeOf(heard.effects).reasonCode], ['server', 0x87])
  assert.is(step(underWay('client'), send({ type: 'disconnect' })).state.phase, 'closing')
})

test('MQTT-4.12.1-2 (5.0): one that does not end in time ends the connection, with a code of whoever waits', () => {
  for (const [role, hex, code] of [['server', 'e0 01 87', 0x87], ['client', 'e0 01 80', 0x80]] as const) {
    const state = underWay(role, { ...MADE, limits: { authTimeout: 9 } })
    const { state: next, effects } = step(state, timer('auth'))
    assert.equal(wire(effects, 5), [hex])
    const { by, why, reasonCode, rule, phase, sentence } = causeOf(effects)
    assert.equal({ by, why, reasonCode, rule, phase, sentence }, { by: role, why: 'auth-timeout', reasonCode: code, rule: 'MQTT-4.12.1-2', phase: 'reauthenticating', sentence: 'The re-authentication did not end within 9 ms.' })
    assert.equal(reauthenticationOverdue(state).effects, effects)
    ignored(next, timer('auth'))
    ignored(steps(state, role === 'client' ? received(SUCCESS, 5) : send(SUCCESS)).state, timer('auth'))
  }
})

test('a cut in the middle leaves the session, and no trace of the re-authentication', () => {
  const state = after(underWay('client'), ask(publish(1), 'm'))
  const { state: cut, effects } = step(state, broken)
  assert.equal(told(effects), ['disarm keep-alive', 'disarm auth', 'close broken'])
  assert.is(cut.phase, 'closed')
  const next = again('client', 5, sessionOf(cut), MADE)
  assert.equal([next.state.phase, brief(next.effects)], ['connected', ['deliver', 'resumed', 'write publish 1 dup']])
  assert.is(causeOf(step(state, ended).effects).sentence, 'The Server closed the connection without DISCONNECT.')
})

test('what cannot be encoded, or is too large for the peer, is refused, and nothing has begun', () => {
  const large = auth(0x19, { ...METHOD, authenticationData: new Uint8Array(50) })
  const made = { ...MADE, connack: { properties: { ...METHOD, maximumPacketSize: 40 } } }
  const state: State = connected('client', 5, made)
  refused(state, large, 'MQTT-3.2.2-15')
  const before = authenticating('server', 5, { connect: { properties: { ...METHOD, maximumPacketSize: 40 } } })
  refused(before, auth(0x18, { ...METHOD, authenticationData: new Uint8Array(50) }), 'MQTT-3.1.2-24')
  // Reason String and User Properties can be left out.
  const wordy = deepFreeze(auth(0x19, { ...METHOD, reasonString: 'a very long story that nobody wants' }))
  assert.equal(wire(step(state, send(wordy)).effects, 5), [wire(step(state, send(AGAIN)).effects, 5)[0]!])
})

test.run()
