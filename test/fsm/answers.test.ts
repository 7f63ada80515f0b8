// The peer's side of QoS 1 and 2, SUBSCRIBE and UNSUBSCRIBE: what is delivered once, what is answered by whom, and in which order.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion, PublishInput } from '../../src/codec/index.ts'
import { newSession, restoreSession, saveSession, sizeOf, transition } from '../../src/fsm/index.ts'
import type { Live, Role, State } from '../../src/fsm/index.ts'
import { getId } from '../../src/fsm/packet-ids.ts'
import { authenticating, broken, connected, heard, received, refused, step, steps, VERSIONS, violates } from './helpers.ts'
import { ack, after, again, ask, brief, publish, sessionOf, unsuback } from './talk.ts'

const ROLES: readonly Role[] = ['client', 'server']
const in5 = (version: ProtocolVersion, ...written: readonly string[]): readonly string[] => (version === 5 ? written : [])
const rule = (version: ProtocolVersion, ...statements: readonly [string, string, string]): string => statements[version - 3]!
const subscribe = (packetId: number): PacketInput => ({ type: 'subscribe', packetId, subscriptions: [{ filter: 'a', qos: 0 }, { filter: 'b', qos: 2 }] })
const unsubscribe = (packetId: number): PacketInput => ({ type: 'unsubscribe', packetId, filters: ['a', 'b'] })
const suback = (packetId: number, ...reasonCodes: readonly number[]): PacketInput => ({ type: 'suback', packetId, reasonCodes })

function owes(state: State, id: number): string | undefined {
  return getId(sessionOf(state).exchanges.theirs, id)?.owes
}

/** What `role` has announced that it takes. */
function wide(role: Role, properties: { readonly receiveMaximum?: number, readonly topicAliasMaximum?: number }): Parameters<typeof connected>[2] {
  return role === 'client' ? { connect: { properties } } : { connack: { properties } }
}

function aliased(topic: string, topicAlias: number, qos: 0 | 1 | 2 = 0, packetId?: number): PublishInput {
  return publish(qos, packetId, { topic, properties: { topicAlias } })
}

/** The topic of the packet that is delivered. */
function deliveredTopic(state: State, packet: PublishInput): string {
  const [effect] = step(state, received(packet, 5)).effects
  assert.ok(effect?.type === 'deliver')
  return (effect.packet as PublishInput | undefined)?.topic ?? packet.topic
}

test('MQTT-3.3.4-1 (5.0), MQTT-3.3.4-1 (3.1.1), MQTT-2.2.1-5 (5.0), MQTT-2.3.1-6 (3.1.1): QoS 0 is answered by nothing, QoS 1 by PUBACK, QoS 2 by PUBREC, with the identifier of the PUBLISH', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const state = connected(role, version)
      assert.is(step(state, received(publish(0), version)).state, state)
      const statement = rule(version, '3.1 §3.4', 'MQTT-2.3.1-6', 'MQTT-2.2.1-5')
      for (const type of ['puback', 'pubrec'] as const) refused(state, ack(type, 7), statement)
      const one = after(state, received(publish(1, 7), version))
      refused(one, ack('pubrec', 7), statement)
      refused(one, ack('puback', 8), statement)
      assert.equal(brief(step(one, ask(ack('puback', 7))).effects), ['write puback 7'])
      const two = after(state, received(publish(2, 7), version))
      refused(two, ack('puback', 7), statement)
      assert.equal(brief(step(two, ask(ack('pubrec', 7))).effects), ['write pubrec 7'])
      refused(after(one, ask(ack('puback', 7))), ack('puback', 7), statement)
    }
  }
})

test('MQTT-4.3.2-4 (5.0), MQTT-4.3.2-5 (5.0), MQTT-4.3.2-2 (3.1.1): after PUBACK the same identifier is a new message, DUP or not', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const state = after(connected(role, version), received(publish(1, 7), version), ask(ack('puback', 7)))
      for (const dup of [false, true]) {
        const next = step(state, received(publish(1, 7, { dup }), version))
        assert.equal([brief(next.effects), owes(next.state, 7)], [['deliver'], 'puback'])
      }
    }
  }
})

test('a QoS 1 message that comes again before its PUBACK is not delivered again: the one answer is for both', () => {
  for (const version of VERSIONS) {
    const state = after(connected('server', version), received(publish(1, 7), version))
    const { state: next, effects } = step(state, received(publish(1, 7, { dup: true }), version))
    assert.equal([next === state, brief(effects)], [true, []])
    assert.equal(brief(step(next, ask(ack('puback', 7))).effects), ['write puback 7'])
  }
})

test('MQTT-4.3.3-8 (5.0), MQTT-4.3.3-10 (5.0), MQTT-4.3.3-11 (5.0), MQTT-4.3.3-12 (5.0), MQTT-4.3.3-2 (3.1.1): QoS 2 is delivered once until PUBREL, which PUBCOMP answers, and then the identifier is new', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const first = step(connected(role, version), received(publish(2, 7), version))
      assert.equal([brief(first.effects), owes(first.state, 7)], [['deliver'], 'pubrec'])
      const early = step(first.state, received(publish(2, 7, { dup: true }), version))
      assert.equal([early.state === first.state, brief(early.effects)], [true, []], 'the answer is on its way')
      const had = after(first.state, ask(ack('pubrec', 7)))
      assert.is(owes(had, 7), 'pubrel')
      for (const dup of [true, false]) {
        const repeated = step(had, received(publish(2, 7, { dup }), version))
        assert.equal([repeated.state === had, brief(repeated.effects)], [true, ['write pubrec 7']])
      }
      const released = step(had, received(ack('pubrel', 7), version))
      assert.equal([brief(released.effects), owes(released.state, 7)], [['write pubcomp 7'], undefined])
      assert.equal(brief(step(released.state, received(publish(2, 7, { dup: true }), version)).effects), ['deliver'])
    }
  }
})

test('MQTT-4.3.3-9 (5.0): after a PUBREC of 0x80 or above the identifier is a new message\'s, and nothing waits for PUBREL', () => {
  const state = after(connected('server', 5, wide('server', { receiveMaximum: 1 })), received(publish(2, 7), 5), ask(ack('pubrec', 7, 0x97)))
  assert.equal([owes(state, 7), state.flow.receiving], [undefined, 0])
  assert.equal(brief(step(state, received(publish(2, 7), 5)).effects), ['deliver'])
  assert.is(owes(after(connected('server', 5), received(publish(2, 7), 5), ask(ack('pubrec', 7, 0x10))), 7), 'pubrel', '0x10 is a success')
  assert.is(owes(after(connected('server', 5), received(publish(2, 7), 5), ask({ type: 'pubrec', packetId: 7 })), 7), 'pubrel')
})

test('MQTT-4.3.3-11 (5.0), MQTT-4.3.3-2 (3.1.1): a PUBREL we know nothing of gets its PUBCOMP, in 5.0 with 0x92', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const state = after(connected(role, version), received(publish(1, 3), version))
      for (const id of [7, 3]) {
        const { state: next, effects } = step(state, received(ack('pubrel', id), version))
        assert.equal([next === state, brief(effects)], [true, [version === 5 ? `write pubcomp ${id} 92` : `write pubcomp ${id}`]])
      }
    }
  }
})

test('MQTT-4.3.3-4 (5.0), MQTT-4.3.3-1 (3.1.1): a PUBREL before our PUBREC is a violation; PUBREL and PUBCOMP are the machine\'s to send', () => {
  for (const version of VERSIONS) {
    const state = after(connected('server', version), received(publish(2, 7), version))
    const statement = rule(version, '3.1 §4.1', 'MQTT-4.3.3-1', 'MQTT-4.3.3-4')
    violates(state, received(ack('pubrel', 7), version), statement, ...in5(version, 'e0 01 82'))
    refused(after(state, ask(ack('pubrec', 7))), ack('pubcomp', 7), statement)
    refused(connected('client', version), ack('pubrel', 7), statement)
  }
})

test('MQTT-4.6.0-2 (5.0), MQTT-4.6.0-3 (5.0), MQTT-4.6.0-2 (3.1.1), MQTT-4.6.0-3 (3.1.1): PUBACK goes out in the order of QoS 1, PUBREC in that of QoS 2, each by itself', () => {
  for (const version of VERSIONS) {
    const [one, two] = [rule(version, '3.1 §4.3', 'MQTT-4.6.0-2', 'MQTT-4.6.0-2'), rule(version, '3.1 §4.3', 'MQTT-4.6.0-3', 'MQTT-4.6.0-3')]
    const state = after(connected('client', version), ...[publish(1, 9), publish(2, 8), publish(1, 7), publish(2, 6), publish(1, 5)].map((packet) => received(packet, version)))
    for (const id of [7, 5]) refused(state, ack('puback', id), one)
    refused(state, ack('pubrec', 6), two)
    const next = after(state, ask(ack('pubrec', 8)), ask(ack('puback', 9)), ask(ack('puback', 7)))
    refused(next, ack('puback', 9), rule(version, '3.1 §3.4', 'MQTT-2.3.1-6', 'MQTT-2.2.1-5'))
    assert.equal(brief(step(next, ask(ack('puback', 5))).effects), ['write puback 5'])
    assert.equal(brief(step(next, ask(ack('pubrec', 6))).effects), ['write pubrec 6'])
  }
})

test('the order of answers goes on behind its 65,536th, and a refusal has its turn like any other', () => {
  let state: State = after(connected('client', 5), received(publish(2, 2), 5), received(publish(2, 3), 5))
  refused(state, ack('pubrec', 3, 0x87), 'MQTT-4.6.0-3')
  const input = { type: 'received', packet: heard(publish(1, 1), 5) } as const
  for (let i = 0; i < 65_535; i++) state = transition(transition(state, input).state, ask({ type: 'puback', packetId: 1 })).state
  assert.is((state as Live).flow.nextPuback, 65_535)
  const next = after(state, received(publish(1, 1), 5), received(publish(1, 2 + 8), 5))
  assert.equal([next.flow.nextPuback, next.flow.duePuback], [1, 65_535])
  refused(next, ack('puback', 10), 'MQTT-4.6.0-2')
  assert.equal(brief(step(after(next, ask(ack('puback', 1))), ask(ack('puback', 10))).effects), ['write puback 10'])
})

test('a Server answers in any order: what the standard says of the order of acknowledgements speaks of Clients', () => {
  const state = after(connected('server', 5), received(publish(1, 1), 5), received(publish(1, 2), 5), received(publish(2, 3), 5), received(publish(2, 4), 5))
  for (const [type, first, second] of [['puback', 2, 1], ['pubrec', 4, 3]] as const) {
    assert.equal(brief(step(after(state, ask(ack(type, first))), ask(ack(type, second))).effects), [`write ${type} ${second}`])
  }
})

test('MQTT-4.5.0-2 (5.0), MQTT-4.5.0-2 (3.1.1): a Client owes the acknowledgement of its QoS for every message, wanted or not', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), received(publish(1, 1, { topic: 'never/asked/for' }), version), received(publish(2, 2, { topic: 'never/asked/for' }), version))
    assert.equal([owes(state, 1), owes(state, 2)], ['puback', 'pubrec'])
    assert.equal(sizeOf(sessionOf(after(state, ask(ack('puback', 1)), ask(ack('pubrec', 2)), received(ack('pubrel', 2), version)))).theirs, 0)
  }
})

test('MQTT-2.2.1-3 (5.0), MQTT-2.2.1-4 (5.0), MQTT-2.3.1-2 (3.1.1), MQTT-2.3.1-4 (3.1.1): an identifier in use for one thing is not taken for another', () => {
  for (const version of VERSIONS) {
    const ofClient = rule(version, '3.1 §2.4', 'MQTT-2.3.1-2', 'MQTT-2.2.1-3')
    const told = in5(version, 'e0 01 82')
    const asked = after(connected('server', version), received(subscribe(1), version), received(unsubscribe(2), version), received(publish(1, 3), version), received(publish(2, 4), version))
    const state = after(asked, received(publish(2, 5), version), ask(ack('pubrec', 4)), ask(ack('pubrec', 5)))
    for (const [id, packets] of [[1, [subscribe, unsubscribe, publish1, publish2]], [2, [subscribe, unsubscribe, publish1, publish2]], [3, [subscribe, unsubscribe, publish2]], [4, [subscribe, unsubscribe, publish1]], [5, [publish1]]] as const) {
      for (const make of packets) violates(state, received(make(id), version), ofClient, ...told)
    }
    const client = after(connected('client', version), received(publish(1, 3), version))
    violates(client, received(publish(2, 3), version), rule(version, '3.1 §2.4', 'MQTT-2.3.1-4', 'MQTT-2.2.1-4'), ...told)
  }
})

test('MQTT-3.8.4-1 (5.0), MQTT-3.8.4-5 (5.0), MQTT-2.2.1-6 (5.0), MQTT-3.8.4-1 (3.1.1), MQTT-3.8.4-2 (3.1.1), MQTT-3.8.4-5 (3.1.1), MQTT-2.3.1-7 (3.1.1): SUBSCRIBE is given to the application, which answers once, with its identifier and a code for each filter', () => {
  for (const version of VERSIONS) {
    const asked = rule(version, '3.1 §3.9', 'MQTT-2.3.1-7', 'MQTT-2.2.1-6')
    const first = step(connected('server', version), received(subscribe(7), version))
    assert.equal([brief(first.effects), owes(first.state, 7)], [['deliver'], 'suback'])
    const { state } = first
    refused(state, suback(8, 0, 2), asked)
    refused(state, unsuback(7, version), asked)
    for (const codes of [[0], [0, 1, 2]]) refused(state, suback(7, ...codes), rule(version, '3.1 §3.9', 'MQTT-3.8.4-5', 'MQTT-3.8.4-6'))
    const done = step(state, ask(suback(7, 0, 2)))
    assert.equal([brief(done.effects), owes(done.state, 7)], [['write suback 7'], undefined])
    refused(done.state, suback(7, 0, 2), asked)
    assert.equal(brief(step(done.state, received(subscribe(7), version)).effects), ['deliver'], 'the identifier is free')
  }
})

test('MQTT-3.10.4-4 (5.0), MQTT-3.10.4-5 (5.0), MQTT-3.10.4-6 (5.0), MQTT-3.10.4-4 (3.1.1), MQTT-3.10.4-5 (3.1.1): UNSUBSCRIBE is answered once, with its identifier, also where nothing was deleted; since 5.0 with a code for each filter', () => {
  for (const version of VERSIONS) {
    const state = after(connected('server', version), received(unsubscribe(7), version))
    if (version === 5) for (const count of [0, 1, 3]) refused(state, unsuback(7, 5, count), 'MQTT-3.11.3-1')
    const answer: PacketInput = version === 5 ? { type: 'unsuback', packetId: 7, reasonCodes: [0x11, 0x11] } : { type: 'unsuback', packetId: 7 }
    const { state: next, effects } = step(state, ask(answer))
    assert.equal([brief(effects), owes(next, 7)], [['write unsuback 7'], undefined])
    refused(next, answer, rule(version, '3.1 §3.9', 'MQTT-2.3.1-7', 'MQTT-2.2.1-6'))
  }
})

test('requests are answered in any order: only messages have one', () => {
  const state = after(connected('server', 4), received(subscribe(1), 4), received(unsubscribe(2), 4), received(subscribe(3), 4))
  assert.is(sizeOf(sessionOf(after(state, ask(suback(3, 0, 0)), ask(unsuback(2, 4)), ask(suback(1, 0, 0))))).theirs, 0)
})

test('MQTT-3.10.4-3 (5.0), MQTT-3.10.4-3 (3.1.1): deliveries that were begun are completed, whatever is unsubscribed meanwhile', () => {
  for (const version of VERSIONS) {
    const state = after(connected('server', version), ask(publish(2), 'm'), received(unsubscribe(7), version), ask(unsuback(7, version)), received(ack('pubrec', 1), version))
    assert.equal(brief(step(state, received(ack('pubcomp', 1), version)).effects), ['deliver', 'settle m pubcomp'])
  }
})

test('SPEC-3.3.4-1 (5.0): more unanswered messages than we have announced, or than limits.receiveMaximum, end the connection with 0x93', () => {
  for (const role of ROLES) {
    for (const made of [wide(role, { receiveMaximum: 2 }), { limits: { receiveMaximum: 2 } }, { ...wide(role, { receiveMaximum: 2 }), limits: { receiveMaximum: 9 } }, { ...wide(role, { receiveMaximum: 9 }), limits: { receiveMaximum: 2 } }]) {
      const full = after(connected(role, 5, made), received(publish(1, 1), 5), received(publish(2, 2), 5))
      for (const qos of [1, 2] as const) violates(full, received(publish(qos, 3), 5), 'SPEC-3.3.4-1', 'e0 01 93')
      assert.equal(brief(step(full, received(publish(0), 5)).effects), ['deliver'])
      // PUBREC makes no room, PUBACK and PUBCOMP do.
      violates(after(full, ask(ack('pubrec', 2))), received(publish(1, 3), 5), 'SPEC-3.3.4-1', 'e0 01 93')
      assert.equal(brief(step(after(full, ask(ack('puback', 1))), received(publish(2, 3), 5)).effects), ['deliver'])
      assert.equal(brief(step(after(full, ask(ack('pubrec', 2)), received(ack('pubrel', 2), 5)), received(publish(2, 3), 5)).effects), ['deliver'])
    }
  }
})

test('in 3.x limits.receiveMaximum bounds what is unanswered, and the connection ends in silence', () => {
  for (const [version, statement] of [[3, '3.1 §4.1'], [4, '3.1.1 §4.3']] as const) {
    const full = after(connected('server', version, { limits: { receiveMaximum: 1 } }), received(publish(1, 1), version))
    violates(full, received(publish(1, 2), version), statement)
    // A repetition of the one is none of the others.
    assert.equal(brief(step(full, received(publish(1, 1, { dup: true }), version)).effects), [])
  }
})

test('SPEC-3.3.4-1 (5.0): on a connection that goes on with a session, messages count when their PUBLISH comes again', () => {
  for (const role of ROLES) {
    const made = wide(role, { receiveMaximum: 2 })
    const before = after(connected(role, 5), received(publish(2, 1), 5), received(publish(2, 2), 5), received(publish(2, 3), 5), ask(ack('pubrec', 1)), ask(ack('pubrec', 2)), ask(ack('pubrec', 3)))
    const { state } = again(role, 5, sessionOf(before), made)
    assert.is(state.flow.receiving, 0)
    const repeated = after(state, received(publish(2, 1, { dup: true }), 5))
    assert.is(repeated.flow.receiving, 1)
    assert.is(after(repeated, received(publish(2, 1, { dup: true }), 5)).flow.receiving, 1, 'once')
    const released = after(repeated, received(ack('pubrel', 2), 5), received(ack('pubrel', 1), 5))
    assert.is(released.flow.receiving, 0)
    const full = after(released, received(publish(1, 8), 5), received(publish(1, 9), 5))
    violates(full, received(publish(1, 10), 5), 'SPEC-3.3.4-1', 'e0 01 93')
  }
})

test('MQTT-4.3.3-10 (5.0), MQTT-4.3.3-2 (3.1.1): across connections a QoS 2 message is delivered once: its PUBLISH, sent again, gets PUBREC', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      // Answered or not, the application has had it.
      for (const answer of [[], [ask(ack('pubrec', 7))]]) {
        const cut = step(after(connected(role, version), received(publish(2, 7), version), ...answer), broken).state
        const { state } = again(role, version, sessionOf(cut))
        const { state: next, effects } = step(state, received(publish(2, 7, { dup: true }), version))
        assert.equal(brief(effects), ['write pubrec 7'])
        refused(next, ack('pubrec', 7), rule(version, '3.1 §3.4', 'MQTT-2.3.1-6', 'MQTT-2.2.1-5'))
        assert.equal(brief(step(next, received(ack('pubrel', 7), version)).effects), ['write pubcomp 7'])
        assert.equal(brief(step(state, received(ack('pubrel', 7), version)).effects), ['write pubcomp 7'], 'PUBREL alone as well')
      }
    }
  }
})

test('MQTT-4.3.3-10 (5.0): and across processes, from what was saved', () => {
  const state = after(connected('server', 5), received(publish(2, 7), 5), ask(ack('pubrec', 7)))
  const { state: next } = again('server', 5, restoreSession(saveSession(sessionOf(state))))
  assert.equal(brief(step(next, received(publish(2, 7, { dup: true }), 5)).effects), ['write pubrec 7'])
})

test('a QoS 1 message and a request that were not answered come anew on the next connection', () => {
  for (const version of VERSIONS) {
    const before = after(connected('server', version), received(publish(1, 1), version), received(publish(1, 2), version), ask(ack('puback', 1)), received(subscribe(3), version))
    const { state } = again('server', version, sessionOf(before))
    refused(state, ack('puback', 2), rule(version, '3.1 §3.4', 'MQTT-2.3.1-6', 'MQTT-2.2.1-5'))
    const next = steps(state, received(publish(1, 2, { dup: true }), version))
    assert.equal(brief(next.effects), ['deliver'])
    assert.equal(brief(step(next.state, ask(ack('puback', 2))).effects), ['write puback 2'], 'the order of answers begins anew as well')
    assert.equal(brief(step(next.state, received(subscribe(3), version)).effects), ['deliver'])
  }
})

test('MQTT-3.1.2-6 (3.1.1), MQTT-3.1.2-4 (5.0): after a clean start nothing is known of the messages before', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const session = sessionOf(after(connected(role, version), received(publish(2, 7), version), ask(ack('pubrec', 7))))
      const state = connected(role, version, role === 'client' ? { session } : {})
      assert.equal(brief(step(state, received(publish(2, 7), version)).effects), ['deliver'])
    }
  }
})

test('MQTT-3.3.2-10 (5.0), MQTT-3.3.2-12 (5.0): every alias from 1 to what we have announced is taken, none beyond', () => {
  for (const [role, statement] of [['client', 'MQTT-3.3.2-11'], ['server', 'MQTT-3.3.2-9']] as const) {
    const made = wide(role, { topicAliasMaximum: 300 })
    let state: State = connected(role, 5, made)
    for (let alias = 1; alias <= 300; alias++) state = after(state, received(aliased(`t${alias}`, alias), 5))
    for (const alias of [1, 2, 255, 256, 300]) assert.is(deliveredTopic(state, aliased('', alias)), `t${alias}`)
    violates(state, received(aliased('a', 301), 5), statement, 'e0 01 94')
    violates(connected(role, 5), received(aliased('a', 1), 5), statement, 'e0 01 94')
    violates(connected(role, 5, made), received(aliased('', 1), 5), 'SPEC-3.3.2.1-1', 'e0 01 82')
  }
})

test('an alias stands for the last topic it came with, in messages of every QoS; what is delivered has the topic', () => {
  const made = wide('server', { topicAliasMaximum: 2 })
  const state = after(connected('server', 5, made), received(aliased('a', 1), 5), received(aliased('b', 1, 1, 7), 5), received(aliased('c', 2, 2, 8), 5))
  assert.is(deliveredTopic(state, aliased('', 1)), 'b')
  assert.is(deliveredTopic(state, aliased('', 1, 2, 9)), 'b')
  assert.is(deliveredTopic(state, aliased('', 2, 1, 9)), 'c')
  assert.equal(brief(step(state, received(aliased('b', 1), 5)).effects), ['deliver'])
  assert.is(step(state, received(aliased('b', 1), 5)).state, state, 'told again it stands as it did')
  assert.is(step(state, received(aliased('', 1), 5)).state, state)
  // A message that is not delivered again may bring an alias all the same.
  const repeated = after(state, ask(ack('pubrec', 8)), received(aliased('d', 2, 2, 8), 5), received(aliased('e', 1, 1, 7), 5))
  assert.is(deliveredTopic(repeated, aliased('', 2)), 'd')
  assert.is(deliveredTopic(repeated, aliased('', 1)), 'e')
})

test('MQTT-3.3.2-7 (5.0): the peer\'s aliases end with the connection, whatever session goes on', () => {
  for (const role of ROLES) {
    const made = wide(role, { topicAliasMaximum: 2 })
    const before = after(connected(role, 5, made), received(aliased('a', 1, 2, 7), 5), ask(ack('pubrec', 7)))
    const { state } = again(role, 5, sessionOf(before), made)
    violates(state, received(aliased('', 1), 5), 'SPEC-3.3.2.1-1', 'e0 01 82')
  }
})

test('an answer too large for the peer, or one that cannot be encoded, is refused and still owed', () => {
  const properties = { maximumPacketSize: 20 }
  const state = after(connected('server', 5, { connect: { properties } }), received({ type: 'subscribe', packetId: 7, subscriptions: Array.from({ length: 20 }, (_, i) => ({ filter: `${i}`, qos: 0 as const })) }, 5), received(publish(1, 8), 5))
  refused(state, suback(7, ...Array<number>(20).fill(0)), 'MQTT-3.1.2-24')
  assert.is(owes(state, 7), 'suback')
  const { effects } = step(state, ask(ack('puback', 8, 0x55)))
  assert.ok(effects[0]?.type === 'refuse')
  assert.equal(brief(step(state, ask(ack('puback', 8))).effects), ['write puback 8'])
})

test('before CONNACK nothing has been asked, and nothing can be answered', () => {
  for (const version of VERSIONS) {
    for (const session of [undefined, newSession('kitchen')]) {
      const state = authenticating('client', version, { connect: { cleanStart: false }, ...(session === undefined ? {} : { session }) })
      refused(state, ack('puback', 1), rule(version, '3.1 §3.4', 'MQTT-2.3.1-6', 'MQTT-2.2.1-5'))
    }
  }
})

test('MQTT-3.2.2-15 (5.0): PUBREC and PUBCOMP of the machine are left unsaid to a Server that takes no packet of four bytes', () => {
  const made = { connack: { properties: { maximumPacketSize: 3 } } }
  const before = after(connected('client', 5), received(publish(2, 7), 5))
  const { state } = again('client', 5, sessionOf(before), made)
  assert.is(encode(ack('pubrec', 7), 5).length, 4)
  assert.equal(brief(step(state, received(publish(2, 7, { dup: true }), 5)).effects), [])
  assert.equal(brief(step(state, received(ack('pubrel', 7), 5)).effects), [])
})

function publish1(id: number): PublishInput { return publish(1, id) }
function publish2(id: number): PublishInput { return publish(2, id) }

test('SPEC-3.3.4-1 (5.0): a message of an earlier connection that is sent again here counts, and one too many ends it', () => {
  const before = after(connected('client', 5), received(publish(2, 1), 5), received(publish(2, 2), 5), ask(ack('pubrec', 1)), ask(ack('pubrec', 2)))
  const { state } = again('client', 5, sessionOf(before), { connect: { cleanStart: false, properties: { receiveMaximum: 1 } } })
  const once = step(state, received(publish(2, 1, { dup: true }), 5))
  assert.equal(brief(once.effects), ['write pubrec 1'])
  assert.equal(brief(step(once.state, received(publish(2, 1, { dup: true }), 5)).effects), ['write pubrec 1'])
  violates(once.state, received(publish(2, 2, { dup: true }), 5), 'SPEC-3.3.4-1', 'e0 01 93')
})

test.run()
