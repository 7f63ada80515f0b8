// Who may speak when: both roles, every phase, every Control Packet.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PACKETS } from '../../src/codec/index.ts'
import type { PacketInput, PacketType, ProtocolVersion } from '../../src/codec/index.ts'
import { initial, TIMERS } from '../../src/fsm/index.ts'
import type { State, TimerName } from '../../src/fsm/index.ts'
import { authenticating, broken, causeOf, connack, connect, connected, ended, ignored, malformed, received, refused, send, step, steps, timer, told, VERSIONS, violates, WILL, wire } from './helpers.ts'

const SAMPLES: { readonly [T in PacketType]: PacketInput } = {
  connect: connect(4), connack: connack(), publish: { type: 'publish', topic: 'a', payload: 'b', qos: 1, packetId: 1 },
  puback: { type: 'puback', packetId: 1 }, pubrec: { type: 'pubrec', packetId: 1 }, pubrel: { type: 'pubrel', packetId: 1 }, pubcomp: { type: 'pubcomp', packetId: 1 },
  subscribe: { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] }, suback: { type: 'suback', packetId: 1, reasonCodes: [0] },
  unsubscribe: { type: 'unsubscribe', packetId: 1, filters: ['a'] }, unsuback: { type: 'unsuback', packetId: 1 },
  pingreq: { type: 'pingreq' }, pingresp: { type: 'pingresp' }, disconnect: { type: 'disconnect' }, auth: { type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'PLAIN' } },
}
const TYPES = Object.keys(PACKETS) as PacketType[]
const TIMER_NAMES = Object.keys(TIMERS) as TimerName[]
const BAD_4 = malformed('38 03 00 01 61', 4)

/** A sample in a version's form. */
function sample(type: PacketType, version: ProtocolVersion): PacketInput {
  if (type === 'connect') return connect(version)
  return type === 'unsuback' && version === 5 ? { type, packetId: 1, reasonCodes: [0] } : SAMPLES[type]
}

test('MQTT-3.1.0-1: a Server that hears anything but CONNECT first closes and writes nothing', () => {
  for (const type of TYPES.filter((one) => one !== 'connect' && one !== 'auth')) {
    const cause = violates(initial({ role: 'server' }), received(sample(type, 4), 4), 'MQTT-3.1.0-1')
    assert.equal([cause.by, cause.why, cause.version], ['server', 'protocol-error', undefined])
  }
  violates(initial({ role: 'server' }), received(connack({ reasonCode: 5 }), 4), 'MQTT-3.1.0-1')
})

test('MQTT-3.1.0-1: a Client that is asked to send anything else before CONNECT refuses', () => {
  for (const type of TYPES.filter((one) => one !== 'connect')) refused(initial({ role: 'client' }), sample(type, 5), 'MQTT-3.1.0-1')
})

test('MQTT-3.1.0-2: a second CONNECT ends the connection, and the Will is due as for any error', () => {
  const statements = { 3: '3.1 §3.1', 4: 'MQTT-3.1.0-2', 5: 'MQTT-3.1.0-2' }
  for (const version of VERSIONS) {
    const cause = violates(connected('server', version, { connect: { will: WILL } }), received(connect(version), version), statements[version], ...(version === 5 ? ['e0 01 82'] : []))
    assert.is(cause.will?.topic, '/hans/will')
    violates(authenticating('server', version), received(connect(version), version), statements[version], ...(version === 5 ? ['20 03 00 82 00'] : []))
    refused(authenticating('client', version), connect(version), statements[version])
    refused(connected('client', version), connect(version), statements[version])
  }
})

test('MQTT-3.2.0-1: before CONNACK a Client hears nothing else, and a Server says nothing else', () => {
  const statements = { 3: '3.1 §3.2', 4: 'MQTT-3.2.0-1', 5: 'MQTT-3.2.0-1' }
  for (const version of VERSIONS) {
    for (const type of ['publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'pingresp'] as const) {
      violates(authenticating('client', version), received(sample(type, version), version), statements[version], ...(version === 5 ? ['e0 01 82'] : []))
      refused(authenticating('server', version), sample(type, version), statements[version])
    }
  }
})

test('MQTT-3.14.0-1: no DISCONNECT of a Server before its CONNACK, and before 5.0 none at all', () => {
  for (const state of [initial({ role: 'server' }), authenticating('server', 5)]) refused(state, { type: 'disconnect' }, 'MQTT-3.14.0-1')
  violates(authenticating('client', 5), received({ type: 'disconnect' }, 5), 'MQTT-3.14.0-1', 'e0 01 82')
  violates(authenticating('client', 4), received({ type: 'disconnect' }, 4), '3.1.1 §3.14')
  violates(connected('client', 4), received({ type: 'disconnect' }, 4), '3.1.1 §3.14')
  violates(connected('client', 3), received({ type: 'disconnect' }, 3), '3.1 §3.14')
})

test('MQTT-3.2.0-2, MQTT-4.8.0-1: CONNACK comes once, whatever it says', () => {
  const statements = { 3: '3.1 §3.2', 4: 'MQTT-4.8.0-1', 5: 'MQTT-3.2.0-2' }
  for (const version of VERSIONS) {
    for (const packet of [connack(), connack({ reasonCode: version === 5 ? 0x87 : 5 })]) {
      violates(connected('client', version), received(packet, version), statements[version], ...(version === 5 ? ['e0 01 82'] : []))
      refused(connected('server', version), packet, statements[version])
    }
  }
})

test('MQTT-4.8.0-1, MQTT-4.13.1-1: what only the other side sends is a violation of its sender, before and after CONNACK', () => {
  const statements = { 3: '3.1 §2.1', 4: 'MQTT-4.8.0-1', 5: 'MQTT-4.13.1-1' }
  for (const version of VERSIONS) {
    const five = version === 5
    for (const type of ['connack', 'suback', 'unsuback', 'pingresp'] as const) {
      violates(connected('server', version), received(sample(type, version), version), statements[version], ...(five ? ['e0 01 82'] : []))
      violates(authenticating('server', version), received(sample(type, version), version), statements[version], ...(five ? ['20 03 00 82 00'] : []))
      refused(connected('client', version), sample(type, version), statements[version])
      refused(authenticating('client', version), sample(type, version), statements[version])
    }
    for (const type of ['connect', 'subscribe', 'unsubscribe', 'pingreq'] as const) {
      violates(connected('client', version), received(sample(type, version), version), statements[version], ...(five ? ['e0 01 82'] : []))
      refused(connected('server', version), sample(type, version), statements[version])
    }
    // A CONNACK that refuses is no less a CONNACK: a Client does not send one, and is not a Server because it did.
    const refusal = connack({ reasonCode: five ? 0x87 : 5 })
    violates(authenticating('server', version), received(refusal, version), statements[version], ...(five ? ['20 03 00 82 00'] : []))
    refused(authenticating('client', version), refusal, statements[version])
  }
})

test('a Client that has not sent CONNECT is spoken to by nobody', () => {
  for (const type of ['connack', 'publish', 'pingresp', 'connect'] as const) {
    const cause = causeOf(step(initial({ role: 'client' }), received(sample(type, 4), 4)).effects)
    assert.equal([cause.by, cause.why, cause.phase], ['client', 'protocol-error', 'opening'])
  }
})

test('connected, every packet of its sender has its turn: what begins an exchange at any time, what goes on with one when it is due', () => {
  const [pub1, pub2] = [sample('publish', 4), { ...sample('publish', 4), qos: 2, packetId: 2 } as PacketInput]
  const released = { type: 'pubrec', packetId: 2 } as const
  for (const version of VERSIONS) {
    for (const [near, far] of [['client', 'server'], ['server', 'client']] as const) {
      const requests = near === 'client' ? ['subscribe', 'unsubscribe'] as const : []
      for (const packet of [pub1, pub2, ...requests.map((type) => sample(type, version))]) {
        const sent = step(connected(near, version), send(packet))
        assert.equal(told(sent.effects), [`write ${packet.type}`])
        const heard = step(connected(far, version), received(packet, version))
        assert.equal(told(heard.effects), ['deliver'])
      }
      // PUBACK: the application's, and it is told of one. PUBREL answers PUBREC, PUBCOMP PUBREL, whoever does not ask for it.
      const sent = steps(connected(near, version), send(pub1), send(pub2)).state
      const heard = steps(connected(far, version), received(pub1, version), received(pub2, version)).state
      assert.equal(told(step(heard, send({ type: 'puback', packetId: 1 })).effects), ['write puback'])
      assert.equal(told(step(sent, received({ type: 'puback', packetId: 1 }, version)).effects), ['deliver'])
      assert.equal(told(step(heard, send(released)).effects), ['write pubrec'])
      assert.equal(told(step(sent, received(released, version)).effects), ['write pubrel'])
      assert.equal(told(steps(heard, send(released), received({ type: 'pubrel', packetId: 2 }, version)).effects), ['write pubcomp'])
      assert.equal(told(steps(sent, received(released, version), received({ type: 'pubcomp', packetId: 2 }, version)).effects), ['deliver'])
      for (const [request, answer] of [['subscribe', 'suback'], ['unsubscribe', 'unsuback']] as const) {
        if (near === 'server') continue
        assert.equal(told(steps(connected(far, version), received(sample(request, version), version), send(sample(answer, version))).effects), [`write ${answer}`])
        assert.equal(told(steps(connected(near, version), send(sample(request, version)), received(sample(answer, version), version)).effects), ['deliver'])
      }
    }
  }
})

test('MQTT-3.14.4-1, MQTT-3.14.4-2, MQTT-3.1.4-5: after DISCONNECT, a refusal or an error nothing is sent and nothing read', () => {
  const over: readonly State[] = [
    step(connected('client', 4), send({ type: 'disconnect' })).state,
    step(connected('server', 4), received({ type: 'disconnect' }, 4)).state,
    step(authenticating('server', 4), send(connack({ reasonCode: 5 }))).state,
    step(connected('server', 4), BAD_4).state,
    step(connected('client', 4), ended).state,
  ]
  for (const state of over) {
    for (const type of TYPES) {
      refused(state, sample(type, 4), 'MQTT-3.14.4-2')
      if (type !== 'auth') ignored(state, received(sample(type, 4), 4))
    }
    ignored(state, BAD_4)
  }
})

test('a timer that is late, fires twice or belongs to another phase does nothing, in every phase', () => {
  const pinging = steps(connected('client', 4), timer('keep-alive')).state
  const table: readonly (readonly [State, readonly TimerName[]])[] = [
    [initial({ role: 'client' }), []],
    [initial({ role: 'server' }), ['connect']],
    [authenticating('client', 4), ['connect', 'keep-alive']],
    [authenticating('client', 4, { connect: { keepAlive: 0 } }), ['connect']],
    [authenticating('server', 4), ['auth']],
    [connected('client', 4), ['keep-alive']],
    [connected('client', 4, { connect: { keepAlive: 0 } }), []],
    [pinging, ['keep-alive', 'pingresp']],
    [steps(pinging, received({ type: 'pingresp' }, 4)).state, ['keep-alive']],
    [connected('server', 4), ['keep-alive']],
    [connected('server', 4, { connect: { keepAlive: 0 } }), []],
    [steps(connected('server', 4), timer('keep-alive')).state, ['close']],
    [steps(pinging, timer('pingresp')).state, ['close']],
    [steps(pinging, timer('pingresp'), timer('close')).state, []],
    [steps(pinging, broken).state, []],
  ]
  for (const [state, live] of table) {
    for (const name of TIMER_NAMES.filter((one) => !live.includes(one))) ignored(state, timer(name))
    for (const name of live) {
      const { state: after, effects } = step(state, timer(name))
      assert.ok(after !== state || effects.length > 0, `${name} does something while ${state.phase}`)
    }
  }
})

test('SPEC-3.2.2-1: who does not answer in time: a late CONNECT is closed on in silence, a late CONNACK as well', () => {
  const noConnect = step(initial({ role: 'server', limits: { connectTimeout: 8 } }), timer('connect'))
  assert.equal(wire(noConnect.effects, 4), [])
  const { why, by, sentence } = causeOf(noConnect.effects)
  assert.equal({ why, by, sentence }, { why: 'connect-timeout', by: 'server', sentence: 'No complete CONNECT came within 8 ms.' })
  ignored(noConnect.state, received(connect(4), 4))
  for (const version of VERSIONS) {
    const noConnack = step(authenticating('client', version, { limits: { connackTimeout: 9 } }), timer('connect'))
    assert.equal(wire(noConnack.effects, version), [])
    const cause = causeOf(noConnack.effects)
    assert.equal([cause.why, cause.by, cause.sentence], ['connack-timeout', 'client', 'No CONNACK came within 9 ms.'])
    ignored(noConnack.state, received(connack(), version))
  }
})

test.run()
