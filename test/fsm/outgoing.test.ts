import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, encodedSize, toHex } from '../../src/codec/index.ts'
import type { PacketInput } from '../../src/codec/index.ts'
import type { Agreement, Role, State } from '../../src/fsm/index.ts'
import { outgoing, outgoingFor, unaskedInformation } from '../../src/fsm/outgoing.ts'
import { authenticating, connack, connected, deepFreeze, heard, received, refused, send, step, told, violates, wire } from './helpers.ts'
import { after, again, ask, brief, publish, sessionOf } from './talk.ts'

const EXPLAINED = { reasonString: 'because', userProperties: [['a', 'b']] } as const

/** The peer of `role` takes packets of this size. */
function sized(role: Role, maximumPacketSize: number, version: 4 | 5 = 5): Agreement {
  const properties = { maximumPacketSize }
  return connected(role, version, role === 'client' ? { connack: { properties } } : { connect: { properties } }).agreement
}

const spare = connected('server', 5, { connect: { properties: { requestProblemInformation: false } } })
const explains = (packet: PacketInput): boolean => 'properties' in packet && (packet.properties as typeof EXPLAINED | undefined)?.reasonString !== undefined

test('a peer that has said nothing gets every packet as it is, the very same object', () => {
  const packet: PacketInput = deepFreeze({ type: 'puback', packetId: 1, reasonCode: 0x10, properties: EXPLAINED })
  for (const role of ['client', 'server'] as const) assert.is(outgoing(packet, role, connected(role, 5).agreement), packet)
})

test('MQTT-3.1.2-29 (5.0): asked to be spared, the Server leaves Reason String and User Properties out of all but PUBLISH, CONNACK and DISCONNECT', () => {
  const packets: readonly PacketInput[] = [
    { type: 'puback', packetId: 1, properties: EXPLAINED }, { type: 'pubrec', packetId: 1, properties: EXPLAINED }, { type: 'pubrel', packetId: 1, properties: EXPLAINED },
    { type: 'pubcomp', packetId: 1, properties: EXPLAINED }, { type: 'suback', packetId: 1, reasonCodes: [0], properties: EXPLAINED },
    { type: 'unsuback', packetId: 1, reasonCodes: [0], properties: EXPLAINED }, { type: 'auth', reasonCode: 0x18, properties: { ...EXPLAINED, authenticationMethod: 'X' } },
  ]
  for (const packet of packets) {
    const out = outgoing(deepFreeze(packet), 'server', spare.agreement)!
    assert.equal(out, { ...packet, properties: packet.type === 'auth' ? { authenticationMethod: 'X' } : {} })
    assert.is(outgoing(packet, 'server', connected('server', 5).agreement), packet)
    // It is the Client that asks; what it sends itself is its own affair.
    assert.is(outgoing(packet, 'client', connected('client', 5, { connect: { properties: { requestProblemInformation: false } } }).agreement), packet)
  }
  const free: readonly PacketInput[] = [connack({ properties: EXPLAINED }), { type: 'disconnect', properties: EXPLAINED }, { ...publish(0), properties: { userProperties: EXPLAINED.userProperties } }]
  for (const packet of free) assert.is(outgoing(packet, 'server', spare.agreement), packet)
  const bare: PacketInput = { type: 'puback', packetId: 1 }
  assert.is(outgoing(bare, 'server', spare.agreement), bare)
  const other: PacketInput = { type: 'puback', packetId: 1, properties: {} }
  assert.is(outgoing(other, 'server', spare.agreement), other)
})

test('MQTT-3.1.2-29 (5.0): on the wire, with what the application gave it', () => {
  const state = after(spare, received(publish(1, 7), 5))
  assert.equal(wire(step(state, send({ type: 'puback', packetId: 7, reasonCode: 0x10, properties: EXPLAINED })).effects, 5), ['40 03 00 07 10'])
})

test('MQTT-3.1.2-29 (5.0): a Client that has asked to be spared and is not takes it as a Protocol Error', () => {
  const made = { connect: { properties: { requestProblemInformation: false } } }
  const state = after(connected('client', 5, made), ask(publish(1)))
  for (const properties of [{ reasonString: 'because' }, { userProperties: EXPLAINED.userProperties }]) {
    violates(state, received({ type: 'puback', packetId: 1, properties }, 5), 'MQTT-3.1.2-29', 'e0 01 82')
  }
  assert.equal(brief(step(state, received({ ...publish(0), properties: { userProperties: [['a', 'b']] } }, 5)).effects), ['deliver'])
  assert.equal(brief(step(state, received({ type: 'disconnect', reasonCode: 0x8b, properties: EXPLAINED }, 5)).effects), ['close disconnect'])
  assert.is(connected('client', 5, { ...made, connack: { properties: EXPLAINED } }).phase, 'connected')
  assert.equal(brief(step(after(connected('client', 5), ask(publish(1))), received({ type: 'puback', packetId: 1, properties: EXPLAINED }, 5)).effects), ['deliver'])
})

test('MQTT-3.1.2-28 (5.0): Response Information comes only to a Client that has asked for it', () => {
  const packet = connack({ properties: { responseInformation: 'here', reasonString: 'hello' } })
  const written = (requestResponseInformation: boolean | undefined): readonly string[] =>
    wire(step(authenticating('server', 5, { connect: { properties: { requestResponseInformation } } }), send(packet)).effects, 5)
  for (const asked of [false, undefined]) assert.equal(written(asked), ['20 0b 00 00 08 1f 00 05 68 65 6c 6c 6f'])
  assert.equal(written(true), ['20 12 00 00 0f 1a 00 04 68 65 72 65 1f 00 05 68 65 6c 6c 6f'])
  for (const asked of [false, undefined]) {
    const client = authenticating('client', 5, { connect: { properties: { requestResponseInformation: asked } } })
    violates(client, received(packet, 5), 'MQTT-3.1.2-28', 'e0 01 82')
  }
  assert.is(step(authenticating('client', 5, { connect: { properties: { requestResponseInformation: true } } }), received(packet, 5)).state.phase, 'connected')
})

test('MQTT-3.2.2-19 (5.0), MQTT-3.2.2-20 (5.0): CONNACK leaves out Reason String, or User Properties too, where the Client would find it too large', () => {
  const packet = connack({ properties: { ...EXPLAINED, serverKeepAlive: 9 } })
  const written = (maximumPacketSize: number): readonly string[] =>
    wire(step(authenticating('server', 5, { connect: { properties: { maximumPacketSize } } }), send(packet)).effects, 5)
  const rows = [[packet, 25], [connack({ properties: { userProperties: EXPLAINED.userProperties, serverKeepAlive: 9 } }), 15], [connack({ properties: { serverKeepAlive: 9 } }), 8]] as const
  rows.forEach(([expected, size], at) => {
    assert.is(encodedSize(expected, 5), size)
    for (const limit of [size, (rows[at - 1]?.[1] ?? 101) - 1]) assert.equal(written(limit), [toHex(encode(expected, 5))], `${limit}`)
  })
  refused(authenticating('server', 5, { connect: { properties: { maximumPacketSize: 7 } } }), packet, 'MQTT-3.1.2-24')
})

test('MQTT-3.1.2-24 (5.0), MQTT-3.2.2-15 (5.0): nothing larger than the peer\'s Maximum Packet Size is written, whoever asks', () => {
  for (const [role, rule] of [['client', 'MQTT-3.2.2-15'], ['server', 'MQTT-3.1.2-24']] as const) {
    const properties = { maximumPacketSize: 30 }
    const state = connected(role, 5, role === 'client' ? { connack: { properties } } : { connect: { properties } })
    const fits = publish(0, undefined, { payload: 'x'.repeat(24) })
    assert.is(encodedSize(fits, 5), 30)
    assert.equal(told(step(state, send(fits)).effects), ['write publish'])
    for (const qos of [0, 1, 2] as const) refused(state, publish(qos, undefined, { payload: 'x'.repeat(25) }), rule)
  }
  refused(connected('client', 5, { connack: { properties: { maximumPacketSize: 30 } } }), { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'f'.repeat(30), qos: 0 }] }, 'MQTT-3.2.2-15')
})

test('MQTT-3.2.2-15 (5.0): what the machine says of itself is left unsaid to a peer that finds even that too large', () => {
  const state = (maximumPacketSize: number): State => connected('client', 5, { connack: { properties: { maximumPacketSize } } })
  const stray = received({ type: 'pubrec', packetId: 1 }, 5)
  assert.equal(brief(step(state(5), stray).effects), ['write pubrel 1 92'])
  assert.equal(brief(step(state(4), stray).effects), [])
  const violation = received(connack(), 5)
  assert.equal(brief(step(state(3), violation).effects), ['write disconnect 82', 'close protocol-error'])
  assert.equal(brief(step(state(2), violation).effects), ['close protocol-error'])
  assert.equal(brief(step(state(2), send({ type: 'pingreq' })).effects), ['write pingreq'])
})

test('MQTT-3.1.2-25 (5.0): a message of the session that the new peer finds too large is given up, its token told, its identifier free', () => {
  const large = publish(1, undefined, { payload: 'x'.repeat(50) })
  for (const [role, rule] of [['client', 'MQTT-3.2.2-15'], ['server', 'MQTT-3.1.2-24']] as const) {
    const session = sessionOf(after(connected(role, 5, { connect: { cleanStart: false } }), ask(large, 'large'), ask(publish(1), 'small')))
    const properties = { maximumPacketSize: 30 }
    const { state, effects } = again(role, 5, session, role === 'client' ? { connack: { properties } } : { connect: { properties } })
    assert.equal(brief(effects).slice(-2), [`refuse ${rule} large`, 'write publish 2 dup'])
    assert.equal(brief(step(state, ask(publish(2, 1))).effects), ['write publish 1'])
  }
})

test('what is asked for and cannot be encoded is refused for that, and nothing is thrown', () => {
  const packet = { type: 'publish', topic: 'a/#', payload: '' } as const
  const { effects } = step(connected('client', 5, { connack: { properties: { maximumPacketSize: 99 } } }), ask(packet, 'mine'))
  assert.equal(brief(effects), ['refuse MQTT-3.3.2-2 mine'])
  const out = outgoingFor({ type: 'send', packet }, packet, 'client', sized('client', 99))
  assert.ok(out instanceof Error && out.name === 'UsageError')
  const good = publish(0)
  assert.is(outgoingFor({ type: 'send', packet: good }, good, 'client', sized('client', 99)), good)
})

test('what a Client has asked not to be told, packet by packet', () => {
  const { agreement } = connected('client', 5, { connect: { properties: { requestProblemInformation: false } } })
  assert.is(unaskedInformation(heard({ type: 'pingresp' }, 5), agreement), undefined)
  assert.is(unaskedInformation(heard({ type: 'puback', packetId: 1 }, 5), agreement), undefined)
  assert.is(unaskedInformation({ type: 'puback', packetId: 1, properties: { ...EXPLAINED } }, agreement), 'problemInformation')
  assert.is(unaskedInformation(connack({ properties: { ...EXPLAINED, responseInformation: 'x' } }), agreement), 'responseInformation')
  assert.ok(explains(outgoing(connack({ properties: EXPLAINED }), 'server', spare.agreement)!))
})

test.run()
