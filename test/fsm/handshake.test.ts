import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ConnectInput, ProtocolVersion } from '../../src/codec/index.ts'
import { initial, newSession, restoreSession, sizeOf } from '../../src/fsm/index.ts'
import type { Connected, Limits, Role, Session, State } from '../../src/fsm/index.ts'
import { answerOverdue, receiveConnect } from '../../src/fsm/handshake.ts'
import { authenticating, causeOf, connack, connect, connected, deepFreeze, heard, ignored, received, refused, send, step, steps, timer, told, VERSIONS, violates, WILL, wire } from './helpers.ts'
import { ask } from './talk.ts'

const opening = (session?: Session, limits?: Partial<Limits>): State => deepFreeze(initial({ role: 'client', session, limits }))
const awaiting = (limits?: Partial<Limits>): State => deepFreeze(initial({ role: 'server', limits }))

/** What a server of these limits says to this CONNECT; the machine is over after a refusal. */
function answered(limits: Partial<Limits>, version: ProtocolVersion, more: Partial<ConnectInput> = {}): readonly string[] {
  const { state, effects } = step(awaiting(limits), received(connect(version, more), version))
  if (state.phase === 'authenticating') return ['asks']
  const cause = causeOf(effects)
  assert.equal([cause.by, cause.why, cause.phase, cause.version], ['server', 'refused', 'awaiting-connect', version])
  return [...wire(effects, version), cause.rule!]
}

test('MQTT-3.1.0-1: the Client begins with CONNECT, and from there waits for CONNACK and keeps alive', () => {
  for (const version of VERSIONS) {
    const { state, effects } = step(opening(), send(connect(version)))
    assert.equal(told(effects), ['write connect', 'arm connect 30000', 'arm keep-alive 60000 sent'])
    assert.is(state.phase, 'authenticating')
    assert.equal(told(step(opening(undefined, { connackTimeout: 7 }), send(connect(version, { keepAlive: 0 }))).effects), ['write connect', 'arm connect 7'])
  }
})

test('the Server gives CONNECT to the application, and waits for its answer instead of for CONNECT', () => {
  for (const version of VERSIONS) {
    const { state, effects } = step(awaiting({ authTimeout: 9 }), received(connect(version), version))
    assert.equal(told(effects), ['disarm connect', 'arm auth 9', 'deliver'])
    assert.is(state.phase, 'authenticating')
  }
})

test('SPEC-3.1-client-id: a Client Identifier of 3.1 has 1 to 23 characters, or as many as limits.clientIdLength31 allows', () => {
  const beyond = 'a'.repeat(24)
  const long = heard(connect(4, { clientId: beyond }), 4)
  assert.ok(long.type === 'connect')
  const of31 = deepFreeze({ ...long, version: 3 } as const)
  for (const [state, ok] of [[awaiting(), false], [awaiting({ clientIdLength31: 24 }), true]] as const) {
    const { effects } = receiveConnect(state as Extract<State, { phase: 'awaiting-connect' }>, of31)
    assert.equal(wire(effects, 3), ok ? [] : ['20 02 00 02'])
  }
  assert.equal(answered({}, 3, { clientId: 'a'.repeat(23) }), ['asks'])
  // Characters, not UTF-16 code units.
  assert.equal(answered({}, 3, { clientId: '\u{1f600}'.repeat(23) }), ['asks'])
  assert.equal(answered({ clientIdLength31: 4 }, 3, { clientId: 'abcde' }), ['20 02 00 02', 'SPEC-3.1-client-id'])
  const empty = receiveConnect(awaiting() as Extract<State, { phase: 'awaiting-connect' }>, deepFreeze({ ...of31, clientId: '' }))
  assert.equal(wire(empty.effects, 3), ['20 02 00 02'])
  for (const clientId of ['', beyond]) refused(opening(), connect(3, { clientId }), 'SPEC-3.1-client-id')
})

test('MQTT-3.1.3-8: an empty Client Identifier of 3.1.1 needs Clean Session 1', () => {
  assert.equal(answered({}, 4, { clientId: '', cleanStart: true }), ['asks'])
  const { state, effects } = receiveConnect(awaiting() as Extract<State, { phase: 'awaiting-connect' }>, deepFreeze({ ...connect(4), clientId: '', cleanStart: false } as never))
  assert.is(state.phase, 'closing')
  assert.equal(wire(effects, 4), ['20 02 00 02'])
  assert.equal([causeOf(effects).rule, causeOf(effects).reasonCode], ['MQTT-3.1.3-8', 0x85])
  refused(opening(), connect(4, { clientId: '', cleanStart: false }), 'MQTT-3.1.3-7')
  assert.is(step(opening(), send(connect(4, { clientId: '' }))).state.phase, 'authenticating')
})

test('MQTT-3.1.3-6: an empty Client Identifier of 5.0 is taken whatever Clean Start says', () => {
  for (const cleanStart of [true, false]) {
    assert.equal(answered({}, 5, { clientId: '', cleanStart }), ['asks'])
    assert.is(step(opening(), send(connect(5, { clientId: '', cleanStart }))).state.phase, 'authenticating')
  }
})

test('MQTT-3.1.2-2: a good CONNECT of a version that is not accepted is refused in its own form', () => {
  assert.equal(answered({ versions: [3, 4] }, 5), ['20 03 00 84 00', 'MQTT-3.1.2-2'])
  assert.equal(answered({ versions: [5] }, 4), ['20 02 00 01', 'MQTT-3.1.2-2'])
  assert.equal(answered({ versions: [4, 5] }, 3), ['20 02 00 01', 'SPEC-3.1-protocol-id'])
  for (const version of VERSIONS) assert.equal(answered({ versions: [version] }, version), ['asks'])
})

test('MQTT-3.1.4-4, MQTT-3.1.4-5: acceptance goes out as CONNACK 0, and the 1.5 x Keep Alive of the Server begins', () => {
  const bytes = { 3: '20 02 00 00', 4: '20 02 00 00', 5: '20 03 00 00 00' }
  for (const version of VERSIONS) {
    const { state, effects } = step(authenticating('server', version), send(connack()))
    assert.equal(wire(effects, version), [bytes[version]])
    assert.equal(told(effects), ['write connack', 'disarm auth', 'arm keep-alive 90000 received'])
    assert.equal(state.session, newSession('kitchen'))
    assert.equal(told(step(authenticating('server', version, { connect: { keepAlive: 0 } }), send(connack())).effects), ['write connack', 'disarm auth'])
  }
})

test('MQTT-3.2.2-1, MQTT-3.2.2-2: the Server says Session Present 1 only without a clean start', () => {
  const statements = { 3: '3.1 §3.2', 4: 'MQTT-3.2.2-1', 5: 'MQTT-3.2.2-2' }
  for (const version of VERSIONS) {
    refused(authenticating('server', version), connack({ sessionPresent: true }), statements[version])
    const kept = authenticating('server', version, { connect: { cleanStart: false } })
    for (const sessionPresent of [false, true]) assert.is(step(kept, send(connack({ sessionPresent }))).state.phase, 'connected')
  }
  // SPEC-3.1-connack-byte-1: 3.1 cannot say so.
  assert.equal(wire(step(authenticating('server', 3, { connect: { cleanStart: false } }), send(connack({ sessionPresent: true }))).effects, 3), ['20 02 00 00'])
  assert.equal(wire(step(authenticating('server', 4, { connect: { cleanStart: false } }), send(connack({ sessionPresent: true }))).effects, 4), ['20 02 01 00'])
})

test('MQTT-3.2.2-16, MQTT-3.1.3-7: an empty Client Identifier of 5.0 is answered by an assigned one, used by both as if sent', () => {
  const made = { connect: { clientId: '' } }
  refused(authenticating('server', 5, made), connack(), 'MQTT-3.2.2-16')
  const assigned = { connack: { properties: { assignedClientIdentifier: 'auto-1' } }, ...made }
  for (const role of ['client', 'server'] as const) {
    const state = connected(role, 5, assigned)
    assert.equal(state.session, newSession('auto-1'))
    assert.is(state.agreement.clientId, 'auto-1')
  }
  // 3.1.1 has no way to tell.
  assert.is(step(authenticating('server', 4, made), send(connack())).state.phase, 'connected')
})

test('SPEC-3.1.2.11.2-1: the Session Expiry Interval of CONNACK wins; absent it is CONNECT\'s, absent there 0; 3.x keeps until clean', () => {
  const interval = (value: number | undefined) => (value === undefined ? undefined : { sessionExpiryInterval: value })
  const expiry = (role: Role, version: ProtocolVersion, asked: number | undefined, told: number | undefined, cleanStart = true): number =>
    connected(role, version, { connect: { cleanStart, properties: interval(asked) }, connack: { properties: interval(told) } }).agreement.sessionExpiryInterval
  for (const role of ['client', 'server'] as const) {
    assert.is(expiry(role, 5, 60, 5), 5)
    assert.is(expiry(role, 5, 60, 0), 0)
    assert.is(expiry(role, 5, 60, undefined), 60)
    assert.is(expiry(role, 5, undefined, undefined), 0)
    assert.is(expiry(role, 5, undefined, undefined, false), 0)
    assert.is(expiry(role, 5, 0xffff_ffff, undefined), 0xffff_ffff)
    assert.is(expiry(role, 4, undefined, undefined, true), 0)
    assert.is(expiry(role, 4, undefined, undefined, false), 0xffff_ffff)
  }
})

test('CONNACK settles CONNECT, is given to the application, and ends the wait for it', () => {
  for (const version of VERSIONS) {
    const { state, effects } = step(authenticating('client', version, { token: 'mine' }), received(connack(), version))
    assert.equal(told(effects), ['disarm connect', 'deliver', 'settle mine'])
    assert.is(state.phase, 'connected')
    assert.equal(told(step(authenticating('client', version), received(connack(), version)).effects), ['disarm connect', 'deliver'])
  }
})

test('MQTT-3.2.2-2, MQTT-3.2.2-4, MQTT-3.2.2-5: Session Present against our own session, in every combination', () => {
  const OLD: Session = deepFreeze(newSession('kitchen'))
  type Row = readonly [version: ProtocolVersion, cleanStart: boolean, ours: boolean, present: boolean, outcome: 'kept' | 'new' | string]
  const table: readonly Row[] = [
    // MQTT 3.1 has no Session Present: only its own Clean Session tells a Client what goes on.
    [3, true, true, false, 'new'], [3, true, false, false, 'new'], [3, false, true, false, 'kept'], [3, false, false, false, 'new'],
    [4, true, true, false, 'new'], [4, true, false, false, 'new'], [4, true, true, true, 'MQTT-3.2.2-1'], [4, true, false, true, 'MQTT-3.2.2-1'],
    [4, false, true, true, 'kept'], [4, false, true, false, 'new'], [4, false, false, false, 'new'], [4, false, false, true, 'new'],
    [5, true, true, false, 'new'], [5, true, false, false, 'new'], [5, true, true, true, 'MQTT-3.2.2-2'], [5, true, false, true, 'MQTT-3.2.2-2'],
    [5, false, true, true, 'kept'], [5, false, true, false, 'new'], [5, false, false, false, 'new'], [5, false, false, true, 'MQTT-3.2.2-4'],
  ]
  for (const [version, cleanStart, ours, present, outcome] of table) {
    const state = authenticating('client', version, { connect: { cleanStart }, ...(ours ? { session: OLD } : {}) })
    const input = received(connack({ sessionPresent: present }), version)
    const told = `version ${version}, clean ${cleanStart}, ours ${ours}, present ${present}`
    if (outcome.startsWith('MQTT')) {
      violates(state, input, outcome, ...(version === 5 ? ['e0 01 82'] : []))
      continue
    }
    const after = step(state, input).state
    assert.is(after.phase, 'connected', told)
    assert.equal(after.session, newSession('kitchen'), told)
    assert.is(after.session === OLD, outcome === 'kept', told)
  }
})

test('MQTT-3.1.3-2: the session of another Client Identifier is not the one that goes on', () => {
  const made = { connect: { cleanStart: false }, session: newSession('cellar') }
  for (const version of VERSIONS) assert.is(authenticating('client', version, made).session, undefined)
  violates(authenticating('client', 5, made), received(connack({ sessionPresent: true }), 5), 'MQTT-3.2.2-4', 'e0 01 82')
})

test('MQTT-3.1.2-21, MQTT-3.2.2-21: Server Keep Alive replaces the Client\'s on both sides: raised, lowered, off, on', () => {
  const changes: readonly (readonly [sent: number, told: number | undefined, client: readonly string[], server: readonly string[]])[] = [
    [60, 120, ['arm keep-alive 120000 sent'], ['arm keep-alive 180000 received']],
    [60, 5, ['arm keep-alive 5000 sent'], ['arm keep-alive 7500 received']],
    [60, 0, ['disarm keep-alive'], []],
    [0, 10, ['arm keep-alive 10000 sent'], ['arm keep-alive 15000 received']],
    [60, 60, [], ['arm keep-alive 90000 received']],
    // MQTT-3.2.2-22: without one the Client's own holds.
    [60, undefined, [], ['arm keep-alive 90000 received']],
    [0, undefined, [], []],
  ]
  for (const [keepAlive, serverKeepAlive, client, server] of changes) {
    const packet = connack(serverKeepAlive === undefined ? {} : { properties: { serverKeepAlive } })
    const ours = step(authenticating('client', 5, { connect: { keepAlive } }), received(packet, 5))
    assert.equal(told(ours.effects), ['disarm connect', ...client, 'deliver'])
    assert.is((ours.state as Connected).agreement.keepAlive, serverKeepAlive ?? keepAlive)
    const theirs = step(authenticating('server', 5, { connect: { keepAlive } }), send(packet))
    assert.equal(told(theirs.effects), ['write connack', 'disarm auth', ...server])
    assert.is((theirs.state as Connected).agreement.keepAlive, serverKeepAlive ?? keepAlive)
  }
})

test('MQTT-3.2.2-7, MQTT-3.2.2-5: a refusal of the Server is delivered, settles CONNECT and closes; the cause says what it said', () => {
  const properties = { reasonString: 'moved', serverReference: 'b.example' }
  const five = step(authenticating('client', 5, { token: 'mine' }), received(connack({ reasonCode: 0x9d, properties }), 5))
  assert.equal(told(five.effects), ['deliver', 'settle mine', 'disarm connect', 'disarm keep-alive', 'arm close 5000', 'close refused'])
  const { by, phase, version, reasonCode, reasonString, serverReference, rule, sentence } = causeOf(five.effects)
  assert.equal({ by, phase, version, reasonCode, reasonString, serverReference, rule, sentence }, {
    by: 'server', phase: 'authenticating', version: 5, reasonCode: 0x9d, ...properties, rule: 'MQTT-3.2.2-7',
    sentence: 'The Server refused the connection: Server moved.',
  })
  const names = [undefined, 'unacceptable protocol version', 'identifier rejected', 'server unavailable', 'bad user name or password', 'not authorized']
  for (const version of [3, 4] as const) {
    for (const reasonCode of [1, 2, 3, 4, 5]) {
      const cause = causeOf(step(authenticating('client', version), received(connack({ reasonCode }), version)).effects)
      assert.equal([cause.why, cause.reasonCode, cause.rule, cause.sentence], ['refused', reasonCode, version === 4 ? 'MQTT-3.2.2-5' : '3.1 §3.2', `The Server refused the connection: Connection refused, ${names[reasonCode]}.`])
    }
  }
  // Another decoder may let through what ours does not: a number no document knows is still said.
  const odd = step(authenticating('client', 4), { type: 'received', packet: { type: 'connack', sessionPresent: false, reasonCode: 0x42 } })
  assert.is(causeOf(odd.effects).sentence, 'The Server refused the connection: code 66.')
})

test('MQTT-3.2.2-7: in 5.0 the application refuses with a code of CONNACK, which goes out as it is', () => {
  const packet = connack({ reasonCode: 0x87, properties: { reasonString: 'no' } })
  const { state, effects } = step(authenticating('server', 5, { connect: { will: WILL } }), send(packet))
  assert.equal(wire(effects, 5), ['20 08 00 87 05 1f 00 02 6e 6f'])
  assert.equal(told(effects), ['write connack', 'disarm auth', 'arm close 5000', 'close refused'])
  const { by, reasonCode, rule, will, sentence } = causeOf(effects)
  assert.equal({ by, reasonCode, rule, will, sentence }, { by: 'server', reasonCode: 0x87, rule: 'MQTT-3.2.2-7', will: undefined, sentence: 'The Server refused the Client: Not authorized.' })
  ignored(state, timer('auth'))
})

test('MQTT-3.2.2-6: 5.0 codes are translated for 3.x; where there is no return code the Server closes without CONNACK', () => {
  const codes = [[0x84, 1], [0x85, 2], [0x88, 3], [0x97, 3], [0x9f, 3], [0x86, 4], [0x87, 5], [0x8a, 5], [1, 1], [2, 2], [3, 3], [4, 4], [5, 5]] as const
  for (const version of [3, 4] as const) {
    for (const [code, return3] of codes) {
      const { effects } = step(authenticating('server', version), send(connack({ reasonCode: code })))
      assert.equal(wire(effects, version), [`20 02 00 0${return3}`])
      assert.equal([causeOf(effects).why, causeOf(effects).reasonCode, causeOf(effects).rule], ['refused', code, version === 4 ? 'MQTT-3.2.2-5' : '3.1 §3.2'])
    }
    for (const reasonCode of [0x80, 0x82, 0x8c, 0x9c, 0x9d]) {
      assert.equal(told(step(authenticating('server', version), send(connack({ reasonCode }))).effects), ['disarm auth', 'arm close 5000', 'close refused'])
    }
  }
})

test('MQTT-3.2.2-8: a code that is none of CONNACK\'s is refused', () => {
  for (const reasonCode of [0x01, 0x05, 0x10, 0x7f, 0x8d, 0x8e, 0xff]) refused(authenticating('server', 5), connack({ reasonCode }), 'MQTT-3.2.2-8')
  refused(authenticating('server', 4), connack({ reasonCode: 0x42 }), 'MQTT-3.2.2-6')
  refused(authenticating('server', 3), connack({ reasonCode: 0xff }), 'SPEC-3.1-return-codes')
})

test('MQTT-4.12.0-5, MQTT-4.12.0-6: CONNACK names the Authentication Method of CONNECT, and none where there was none', () => {
  const scram = { authenticationMethod: 'SCRAM-SHA-1' }
  const asked = { connect: { properties: scram } }
  for (const [made, properties, rule] of [[asked, undefined, 'MQTT-4.12.0-5'], [asked, { authenticationMethod: 'PLAIN' }, 'MQTT-4.12.0-5'], [{}, scram, 'MQTT-4.12.0-6']] as const) {
    refused(authenticating('server', 5, made), connack({ properties }), rule)
    violates(authenticating('client', 5, made), received(connack({ properties }), 5), rule, 'e0 01 82')
  }
  for (const role of ['client', 'server'] as const) assert.is(connected(role, 5, { ...asked, connack: { properties: scram } }).phase, 'connected')
})

test('a CONNECT nobody answers in time is refused as Server unavailable', () => {
  const bytes = { 3: '20 02 00 03', 4: '20 02 00 03', 5: '20 03 00 88 00' }
  for (const version of VERSIONS) {
    const state = authenticating('server', version, { connect: { will: WILL }, limits: { authTimeout: 9 } })
    const { effects } = answerOverdue(state as Extract<State, { phase: 'authenticating' }>)
    assert.equal(wire(effects, version), [bytes[version]])
    const { by, why, reasonCode, will, sentence } = causeOf(effects)
    assert.equal({ by, why, reasonCode, will, sentence }, { by: 'server', why: 'auth-timeout', reasonCode: 0x88, will: undefined, sentence: 'The CONNECT was not answered within 9 ms.' })
  }
})

test('the Will of CONNECT is the Server\'s to keep, and not the Client\'s', () => {
  const made = { connect: { will: WILL } }
  assert.is(connected('server', 4, made).agreement.will?.topic, '/hans/will')
  assert.is(connected('client', 4, made).agreement.will, undefined)
  assert.equal(steps(awaiting(), received(connect(4), 4), send(connack())).state.phase, 'connected')
})

/** A session with one message of ours, one of the peer's. */
const BUSY: Session = deepFreeze(restoreSession({ clientId: 'kitchen', nextId: 2, sent: [{ packetId: 1, message: { type: 'publish', topic: 'a', payload: 'b', qos: 1 } }], received: [9] }))

test('MQTT-3.1.2-4 (3.1.1), MQTT-3.1.2-5 (5.0), MQTT-3.2.2-2 (3.1.1), MQTT-3.2.2-3 (5.0), MQTT-3.1.4-3 (3.1.1), MQTT-3.1.4-4 (5.0): a Server that goes on with a session says Session Present 1, and CONNACK goes before what is sent again', () => {
  const bytes = { 3: ['20 02 00 00', '3a 06 00 01 61 00 01 62'], 4: ['20 02 01 00', '3a 06 00 01 61 00 01 62'], 5: ['20 03 01 00 00', '3a 07 00 01 61 00 01 00 62'] }
  for (const version of VERSIONS) {
    const state = authenticating('server', version, { connect: { cleanStart: false } })
    const { state: after, effects } = step(state, ask(connack({ sessionPresent: undefined }), undefined, BUSY))
    assert.equal(wire(effects, version), bytes[version])
    assert.equal(told(effects), ['write connack', 'disarm auth', 'arm keep-alive 90000 received', 'write publish'])
    assert.is(after.session!.exchanges, BUSY.exchanges)
    assert.equal(wire(step(state, ask(connack({ sessionPresent: true }), undefined, BUSY)).effects, version), bytes[version])
  }
})

test('MQTT-3.1.2-6 (5.0), MQTT-3.2.2-3 (3.1.1), MQTT-3.2.2-3 (5.0): without one a new session begins, and Session Present is 0', () => {
  for (const version of VERSIONS) {
    for (const given of [undefined, newSession('kitchen')]) {
      const { state, effects } = step(authenticating('server', version, { connect: { cleanStart: false } }), ask(connack({ sessionPresent: false }), undefined, given))
      assert.equal(wire(effects, version), [version === 5 ? '20 03 00 00 00' : '20 02 00 00'])
      assert.equal(state.session, newSession('kitchen'))
    }
  }
})

test('MQTT-3.1.2-4 (5.0), MQTT-3.1.2-6 (3.1.1), MQTT-3.2.2-2 (5.0), MQTT-3.2.2-1 (3.1.1): no session goes on after a clean start, whatever the application says of it', () => {
  const statements = { 3: '3.1 §3.2', 4: 'MQTT-3.2.2-1', 5: 'MQTT-3.2.2-2' }
  for (const version of VERSIONS) {
    const state = authenticating('server', version)
    for (const sessionPresent of [undefined, false, true]) {
      const { state: after, effects } = step(state, ask(connack({ sessionPresent }), 'mine', BUSY))
      assert.equal([after === state, told(effects)], [true, [`refuse ${statements[version]}`]])
    }
    assert.equal(told(step(state, ask(connack(), undefined, restoreSession({ clientId: 'kitchen', received: [9] }))).effects), [`refuse ${statements[version]}`])
    // An empty one may be the new one.
    assert.is(step(state, ask(connack(), undefined, newSession('kitchen'))).state.phase, 'connected')
  }
})

test('MQTT-3.2.2-2 (3.1.1), MQTT-3.2.2-3 (5.0): no session goes on that the Client is told is not there', () => {
  const [three, four, five] = VERSIONS.map((version) => step(authenticating('server', version, { connect: { cleanStart: false } }), ask(connack(), 'mine', BUSY)))
  assert.equal([told(four!.effects), told(five!.effects)], [['refuse MQTT-3.2.2-2'], ['refuse MQTT-3.2.2-3']])
  // 3.1 has no way to say so.
  assert.is(three!.state.phase, 'connected')
})

test('MQTT-3.1.3-2 (5.0), MQTT-3.1.3-2 (3.1.1): a Server does not go on with the session of another Client Identifier', () => {
  const statements = { 3: '3.1 §3.1', 4: 'MQTT-3.1.3-2', 5: 'MQTT-3.1.3-2' }
  const asks = (version: ProtocolVersion, clientId: string, properties?: { readonly assignedClientIdentifier: string }): readonly string[] =>
    told(step(authenticating('server', version, { connect: { cleanStart: false, clientId } }), ask(connack({ sessionPresent: undefined, properties }), 'mine', BUSY)).effects)
  for (const version of VERSIONS) assert.equal(asks(version, 'cellar'), [`refuse ${statements[version]}`])
  assert.equal(asks(5, '', { assignedClientIdentifier: 'cellar' }), ['refuse MQTT-3.1.3-2'])
  assert.is(asks(5, '', { assignedClientIdentifier: 'kitchen' })[0], 'write connack')
})

test('a Client that comes back has none of its requests under way', () => {
  const before = steps(connected('client', 4), send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] }, 'mine')).state
  assert.equal(sizeOf(authenticating('client', 4, { connect: { cleanStart: false }, session: before.session! }).session!), { ours: 0, theirs: 0 })
})

test('requests of the connection before are no reason for Session Present 1: nothing of them goes on', () => {
  const before = steps(connected('server', 4), received({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] }, 4)).state
  assert.is(step(authenticating('server', 4, { connect: { cleanStart: false } }), ask(connack(), undefined, before.session)).state.phase, 'connected')
})

test('MQTT-3.2.2-12 (5.0), MQTT-3.2.2-13 (5.0): a Will that the Server could not publish is no Will to accept, and there are codes to refuse it with', () => {
  for (const [properties, rule, code] of [[{ maximumQos: 1 }, 'MQTT-3.2.2-12', '9b'], [{ retainAvailable: false }, 'MQTT-3.2.2-13', '9a']] as const) {
    const state = authenticating('server', 5, { connect: { will: { ...WILL, retain: true } } })
    refused(state, connack({ properties }), rule)
    assert.equal(wire(step(state, send(connack({ reasonCode: Number(`0x${code}`) }))).effects, 5), [`20 03 00 ${code} 00`])
    for (const will of [{ ...WILL, qos: 1 as const, retain: false }, undefined]) assert.is(step(authenticating('server', 5, { connect: { will } }), send(connack({ properties }))).state.phase, 'connected')
  }
  assert.is(step(authenticating('server', 5, { connect: { will: { ...WILL, retain: true } } }), send(connack())).state.phase, 'connected')
})

test('MQTT-3.1.2-24 (5.0): a CONNACK, good or bad, that the Client would find too large is refused, and the answer is still due', () => {
  const state = authenticating('server', 5, { connect: { properties: { maximumPacketSize: 9 } } })
  const properties = { serverReference: 'somewhere.example' }
  refused(state, connack({ properties: { assignedClientIdentifier: 'a-long-one' } }), 'MQTT-3.1.2-24')
  refused(state, connack({ reasonCode: 0x9c, properties }), 'MQTT-3.1.2-24')
  assert.equal(wire(step(state, send(connack({ reasonCode: 0x9c, properties: { reasonString: 'elsewhere' } }))).effects, 5), ['20 03 00 9c 00'])
})

test('MQTT-3.1.2-28 (5.0), MQTT-3.1.2-29 (5.0): a CONNACK with what the Client has not asked for is a violation; Reason String is free', () => {
  const asked = authenticating('client', 5, { connect: { properties: { requestProblemInformation: false } } })
  violates(asked, received(connack({ properties: { responseInformation: 'x' } }), 5), 'MQTT-3.1.2-28', 'e0 01 82')
  assert.is(step(asked, received(connack({ properties: { reasonString: 'hello' } }), 5)).state.phase, 'connected')
})

test('MQTT-3.2.2-5 (5.0), MQTT-4.4.0-1 (5.0), MQTT-4.4.0-1 (3.1.1), MQTT-3.1.2-5 (5.0): a Client whose session is there goes on with it, and otherwise has it back', () => {
  for (const version of VERSIONS) {
    const state = authenticating('client', version, { connect: { cleanStart: false }, session: BUSY })
    const kept = step(state, received(connack({ sessionPresent: version > 3 }), version))
    assert.equal(told(kept.effects), ['disarm connect', 'deliver', 'session resumed', 'write publish'])
    assert.is(kept.state.session!.exchanges, BUSY.exchanges)
    if (version === 3) continue
    const lost = step(state, received(connack(), version))
    assert.equal(told(lost.effects), ['disarm connect', 'deliver', 'session lost 1'])
    assert.equal(lost.state.session, newSession('kitchen'))
    const clean = step(initial({ role: 'client', session: BUSY }), send(connect(version)))
    assert.equal(told(clean.effects), ['write connect', 'arm connect 30000', 'arm keep-alive 60000 sent', 'session lost 1'])
  }
})

test('what the Server had by PUBREC and has lost is over: its token comes back without a packet', () => {
  const publish = { type: 'publish', topic: 'a', payload: '', qos: 2 } as const
  const before = steps(connected('client', 5), send(publish, 'one'), send(publish), send(publish, 'three'), ...[1, 2].map((packetId) => received({ type: 'pubrec', packetId }, 5))).state
  const { effects } = step(authenticating('client', 5, { connect: { cleanStart: false }, session: before.session! }), received(connack(), 5))
  assert.equal(told(effects), ['disarm connect', 'deliver', 'session lost 1', 'settle one'])
  const settled = effects.at(-1)!
  assert.ok(settled.type === 'settle' && settled.packet === undefined)
})

test('a refusal and a cut before CONNACK leave the session as it was', () => {
  for (const version of VERSIONS) {
    const state = authenticating('client', version, { connect: { cleanStart: false }, session: BUSY })
    for (const input of [received(connack({ reasonCode: version === 5 ? 0x88 : 3 }), version), timer('connect'), { type: 'closed' } as const]) assert.is(step(state, input).state.session, BUSY)
  }
})

test('MQTT-4.12.0-6 (5.0): a refusal may repeat the method of CONNECT, and bring none of its own', () => {
  const properties = { authenticationMethod: 'SCRAM-SHA-1' }
  const packet = connack({ reasonCode: 0x87, properties })
  refused(authenticating('server', 5), packet, 'MQTT-4.12.0-6')
  assert.is(step(authenticating('server', 5, { connect: { properties } }), send(packet)).state.phase, 'closing')
})

test.run()
