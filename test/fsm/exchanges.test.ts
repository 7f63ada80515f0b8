// Our side of QoS 1 and 2, SUBSCRIBE and UNSUBSCRIBE: identifiers, acknowledgements, Receive Maximum, Topic Aliases, and what is sent again.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProtocolVersion, PublishInput } from '../../src/codec/index.ts'
import { newSession, restoreSession, sizeOf } from '../../src/fsm/index.ts'
import type { Effect, Live, Role, SendInput, Session, State } from '../../src/fsm/index.ts'
import { countIds, getId } from '../../src/fsm/packet-ids.ts'
import { authenticating, broken, connack, connected, ignored, received, refused, step, steps, VERSIONS, violates } from './helpers.ts'
import { ack, after, again, ask, brief, publish, redoOf, sessionOf, SUBSCRIBE, UNSUBSCRIBE, unsuback } from './talk.ts'

const ROLES: readonly Role[] = ['client', 'server']
const in5 = (version: ProtocolVersion, ...written: readonly string[]): readonly string[] => (version === 5 ? written : [])
const rule = (version: ProtocolVersion, ...statements: readonly [string, string, string]): string => statements[version - 3]!

/** The peer of `role` has announced this Receive Maximum. */
function narrow(role: Role, receiveMaximum: number): Parameters<typeof connected>[2] {
  const properties = { receiveMaximum }
  return role === 'client' ? { connack: { properties } } : { connect: { properties } }
}

function awaits(state: State, id: number): string | undefined {
  return getId(sessionOf(state).exchanges.ours, id)?.awaits
}

/** A session with these messages under way, sent by `role` in version 5 with tokens m1, m2 … */
function underWay(role: Role, ...messages: readonly PublishInput[]): Live {
  return after(connected(role, 5), ...messages.map((packet, at) => ask(packet, `m${at + 1}`)))
}

test('MQTT-4.3.1-1 (5.0), MQTT-4.3.1-1 (3.1.1): QoS 0 goes out as it is, and nothing is kept of it', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const state = connected(role, version)
      const { state: next, effects } = step(state, ask(publish(0), 'mine'))
      assert.equal(brief(effects), ['write publish'])
      assert.is(next, state)
    }
  }
})

test('MQTT-4.3.2-1 (5.0), MQTT-4.3.2-2 (5.0), MQTT-4.3.3-1 (5.0), MQTT-4.3.3-2 (5.0), MQTT-2.2.1-3 (5.0), MQTT-2.2.1-4 (5.0), MQTT-2.3.1-2 (3.1.1), MQTT-2.3.1-4 (3.1.1): a new message gets an unused identifier and goes out with its QoS and DUP 0', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      let state: State = connected(role, version)
      const used: number[] = []
      for (const qos of [1, 2, 1, 2] as const) {
        const { state: next, effects } = step(state, ask(publish(qos)))
        const [effect] = effects
        assert.ok(effect?.type === 'write' && effect.packet.type === 'publish' && effects.length === 1)
        assert.is(effect.packet.qos, qos)
        assert.not.ok(effect.packet.dup)
        used.push(effect.packet.packetId!)
        state = next
      }
      assert.equal(used, [1, 2, 3, 4])
    }
  }
})

test('MQTT-4.3.2-1 (3.1.1), MQTT-4.3.2-3 (5.0): a QoS 1 message is unacknowledged until its PUBACK, which gives its identifier back', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const state = after(connected(role, version), ask(publish(1), 'mine'))
      assert.is(awaits(state, 1), 'puback')
      refused(state, publish(1, 1), role === 'client' ? rule(version, '3.1 §2.4', 'MQTT-2.3.1-2', 'MQTT-2.2.1-3') : rule(version, '3.1 §2.4', 'MQTT-2.3.1-4', 'MQTT-2.2.1-4'))
      const acked = step(state, received(ack('puback', 1), version))
      assert.equal(brief(acked.effects), ['deliver', 'settle mine puback'])
      assert.is(countIds(sessionOf(acked.state).exchanges.ours), 0)
      assert.equal(brief(step(acked.state, ask(publish(1, 1))).effects), ['write publish 1'])
      assert.equal(brief(step(acked.state, ask(publish(1))).effects), ['write publish 2'], 'not the one that has just become free')
    }
  }
})

test('MQTT-4.3.3-1 (3.1.1), MQTT-4.3.3-3 (5.0), MQTT-4.3.3-4 (5.0), MQTT-4.3.3-5 (5.0), MQTT-2.2.1-5 (5.0), MQTT-2.3.1-6 (3.1.1): QoS 2 waits for PUBREC, answers PUBREL with the same identifier, and waits for PUBCOMP', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const sent = after(connected(role, version), ask(publish(1)), ask(publish(2), 'mine'))
      assert.is(awaits(sent, 2), 'pubrec')
      const released = step(sent, received(ack('pubrec', 2), version))
      assert.equal(brief(released.effects), ['write pubrel 2'])
      assert.is(awaits(released.state, 2), 'pubcomp')
      assert.is(getId(sessionOf(released.state).exchanges.ours, 2)!.message, undefined, 'the message is the peer\'s')
      refused(released.state, publish(2, 2), role === 'client' ? rule(version, '3.1 §2.4', 'MQTT-2.3.1-2', 'MQTT-2.2.1-3') : rule(version, '3.1 §2.4', 'MQTT-2.3.1-4', 'MQTT-2.2.1-4'))
      const done = step(released.state, received(ack('pubcomp', 2), version))
      assert.equal(brief(done.effects), ['deliver', 'settle mine pubcomp'])
      assert.is(awaits(done.state, 2), undefined)
    }
  }
})

test('a PUBREC that comes again is answered by PUBREL again, and changes nothing', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), ask(publish(2)), received(ack('pubrec', 1), version))
    const { state: next, effects } = step(state, received(ack('pubrec', 1), version))
    assert.equal([next === state, brief(effects)], [true, ['write pubrel 1']])
  }
})

test('MQTT-4.4.0-2 (5.0), SPEC-4.9-1 (5.0): PUBREC of 0x80 or above ends the exchange: no PUBREL, the identifier free, the quota raised', () => {
  for (const role of ROLES) {
    const state = after(connected(role, 5, narrow(role, 1)), ask(publish(2), 'mine'))
    const { state: next, effects } = step(state, received(ack('pubrec', 1, 0x97), 5))
    assert.equal(brief(effects), ['deliver', 'settle mine pubrec'])
    assert.equal(brief(step(next, ask(publish(2, 1))).effects), ['write publish 1'])
    const late = after(connected(role, 5), ask(publish(2)), received(ack('pubrec', 1), 5))
    assert.equal(brief(step(late, received(ack('pubrec', 1, 0x80), 5)).effects), ['deliver'], 'also where it had said yes before')
  }
})

test('MQTT-4.4.0-2 (5.0): PUBACK of 0x80 or above is an acknowledgement, and what it answers is not sent again', () => {
  const state = after(connected('client', 5), ask(publish(1), 'mine'))
  const refusal = step(state, received(ack('puback', 1, 0x87), 5))
  assert.equal(brief(refusal.effects), ['deliver', 'settle mine puback'])
  assert.equal(brief(again('client', 5, sessionOf(refusal.state)).effects), ['deliver', 'resumed'])
})

test('MQTT-3.8.4-1 (5.0), MQTT-3.8.4-1 (3.1.1), MQTT-3.10.4-4 (5.0), MQTT-3.10.4-4 (3.1.1): a request is answered with its identifier, and its token comes back', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), ask(SUBSCRIBE, 's'), ask(UNSUBSCRIBE, 'u'))
    assert.equal(brief(step(state, received(unsuback(2, version), version)).effects), ['deliver', 'settle u unsuback'])
    const { state: next, effects } = steps(state, received(unsuback(2, version), version), received({ type: 'suback', packetId: 1, reasonCodes: [2] }, version))
    assert.equal(brief(effects), ['deliver', 'settle s suback'])
    assert.equal([sizeOf(sessionOf(next)).ours, (next as Live).flow.requests], [0, 0])
  }
})

test('MQTT-2.2.1-6 (5.0), MQTT-2.3.1-7 (3.1.1): SUBACK or UNSUBACK of nothing we asked is a Protocol Error', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), ask(publish(1)))
    for (const packet of [{ type: 'suback', packetId: 9, reasonCodes: [0] }, unsuback(9, version)] as const) {
      violates(state, received(packet, version), rule(version, '3.1 §3.9', 'MQTT-2.3.1-7', 'MQTT-2.2.1-6'), ...in5(version, 'e0 01 82'))
    }
  }
})

test('MQTT-3.8.4-5 (3.1.1), MQTT-3.8.4-6 (5.0), MQTT-3.11.3-1 (5.0): as many codes as there were Topic Filters, or it is a Protocol Error', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), ask(SUBSCRIBE), ask(UNSUBSCRIBE))
    violates(state, received({ type: 'suback', packetId: 1, reasonCodes: [0, 0] }, version), rule(version, '3.1 §3.9', 'MQTT-3.8.4-5', 'MQTT-3.8.4-6'), ...in5(version, 'e0 01 82'))
    if (version === 5) violates(state, received(unsuback(2, 5, 1), 5), 'MQTT-3.11.3-1', 'e0 01 82')
    else assert.equal(brief(step(state, received(unsuback(2, version), version)).effects), ['deliver'])
  }
})

test('MQTT-3.3.4-1 (5.0), MQTT-3.3.4-1 (3.1.1): an acknowledgement that is not the one its exchange awaits is a Protocol Error', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), ask(publish(1)), ask(publish(2)), ask(publish(2)), received(ack('pubrec', 3), version), ask(SUBSCRIBE), ask(UNSUBSCRIBE))
    const answers = { puback: (id: number) => ack('puback', id), pubrec: (id: number) => ack('pubrec', id), pubcomp: (id: number) => ack('pubcomp', id), suback: (id: number) => ({ type: 'suback', packetId: id, reasonCodes: [0] } as const), unsuback: (id: number) => unsuback(id, version) }
    const right = [[1, 'puback'], [2, 'pubrec'], [3, 'pubcomp'], [3, 'pubrec'], [4, 'suback'], [5, 'unsuback']].join(';')
    for (const id of [1, 2, 3, 4, 5]) {
      for (const [type, make] of Object.entries(answers)) {
        const input = received(make(id), version)
        if (right.includes(`${id},${type}`)) assert.is(step(state, input).state.phase, 'connected', `${type} ${id}`)
        else if (type === 'suback' || type === 'unsuback') violates(state, input, rule(version, '3.1 §3.9', 'MQTT-2.3.1-7', 'MQTT-2.2.1-6'), ...in5(version, 'e0 01 82'))
        else violates(state, input, rule(version, '3.1 §4.1', 'MQTT-3.3.4-1', 'MQTT-3.3.4-1'), ...in5(version, 'e0 01 82'))
      }
    }
  }
})

test('an acknowledgement of what we have lost: PUBACK, PUBCOMP and a PUBREC that refuses are nothing; PUBREC is helped on by PUBREL, in 5.0 with 0x92', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const state = connected(role, version)
      for (const packet of [ack('puback', 7), ack('pubcomp', 7), ...(version === 5 ? [ack('pubrec', 7, 0x83)] : [])]) ignored(state, received(packet, version))
      const { state: next, effects } = step(state, received(ack('pubrec', 7), version))
      assert.equal([next === state, brief(effects)], [true, [version === 5 ? 'write pubrel 7 92' : 'write pubrel 7']])
    }
  }
})

test('MQTT-2.2.1-3 (5.0), MQTT-2.3.1-1 (3.1.1): identifiers the application chooses are 1 to 65,535 and unused, whatever uses them', () => {
  for (const packetId of [0, -1, 65_536, 1.5, NaN]) {
    for (const packet of [publish(1, packetId), publish(2, packetId), { ...SUBSCRIBE, packetId }, { ...UNSUBSCRIBE, packetId }] as const) {
      const { effects } = step(connected('client', 5), ask(packet as SendInput))
      assert.equal(brief(effects), ['refuse MQTT-2.2.1-3'], `${packetId}`)
    }
  }
  const state = after(connected('client', 4), ask({ ...SUBSCRIBE, packetId: 65_535 } as SendInput))
  refused(state, publish(1, 65_535), 'MQTT-2.3.1-2')
  assert.equal(brief(step(state, ask(publish(1))).effects), ['write publish 1'], 'the search goes round')
})

test('MQTT-2.3.1-2 (3.1.1), MQTT-2.2.1-3 (5.0): the peer\'s identifiers are its own: the same number both ways is two exchanges', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), received(publish(2, 1), version))
    const mine = step(state, ask(publish(2)))
    assert.equal(brief(mine.effects), ['write publish 1'])
    assert.equal(sizeOf(sessionOf(mine.state)), { ours: 1, theirs: 1 })
  }
})

test('the search for a free identifier begins behind the last one, and goes round', () => {
  const state = after(connected('client', 4, { limits: { packetIds: 3 } }), ask(publish(1, 3)), ask(publish(1, 2)))
  assert.equal(brief(step(state, ask(publish(1))).effects), ['write publish 1'], '3 is next, and taken')
  const last = after(connected('client', 4), ask(publish(1, 65_535)))
  assert.is(last.session.exchanges.nextId, 1)
  assert.equal(brief(step(after(last, received(ack('puback', 65_535), 4)), ask(publish(1))).effects), ['write publish 1'])
})

test('turns begin at 0 again when nothing of ours is under way, so that a long connection is none the larger', () => {
  const state = after(connected('client', 4), ask(publish(1)), ask(publish(2)), received(ack('puback', 1), 4))
  assert.is(state.session.exchanges.nextTurn, 2)
  const done = after(state, received(ack('pubrec', 2), 4), received(ack('pubcomp', 2), 4))
  assert.equal(done.session.exchanges, { ours: undefined, theirs: undefined, nextId: 3, nextTurn: 0 })
})

test('with every identifier up to limits.packetIds in use the next is refused, and there is one again as soon as one is free', () => {
  const state = after(connected('client', 4, { limits: { packetIds: 3 } }), ask(publish(1)), ask(SUBSCRIBE), ask(publish(2)))
  for (const packet of [publish(1), SUBSCRIBE, UNSUBSCRIBE]) assert.equal(brief(step(state, ask(packet, 'x')).effects), ['refuse 3.1.1 §2.3.1 x'])
  assert.is(step(state, ask(SUBSCRIBE)).state, state)
  const freed = after(state, received({ type: 'suback', packetId: 2, reasonCodes: [0] }, 4))
  assert.equal(brief(step(freed, ask(publish(2))).effects), ['write publish 2'])
  assert.equal(brief(step(state, ask(publish(1, 9))).effects), ['write publish 9'], 'one of the application\'s own may be beyond')
})

test('MQTT-4.9.0-1 (5.0), MQTT-4.9.0-2 (5.0), MQTT-3.3.4-7 (5.0), MQTT-3.3.4-9 (5.0): no more unanswered messages than the peer\'s Receive Maximum', () => {
  for (const role of ROLES) {
    const state = after(connected(role, 5, narrow(role, 2)), ask(publish(1)), ask(publish(2)))
    for (const qos of [1, 2] as const) refused(state, publish(qos), 'MQTT-4.9.0-2')
    // A PUBREC below 0x80 makes no room, its PUBCOMP does.
    const released = after(state, received(ack('pubrec', 2), 5))
    refused(released, publish(1), 'MQTT-4.9.0-2')
    assert.equal(brief(step(after(released, received(ack('pubcomp', 2), 5)), ask(publish(1))).effects), ['write publish 3'])
    assert.equal(brief(step(after(state, received(ack('puback', 1), 5)), ask(publish(2))).effects), ['write publish 3'])
  }
})

test('SPEC-4.9-1 (5.0): acknowledgements of nothing do not raise the quota above what it began with', () => {
  const state = after(connected('client', 5, narrow('client', 1)), received(ack('puback', 9), 5), received(ack('pubcomp', 9), 5), received(ack('pubrec', 9, 0x80), 5), ask(publish(1)))
  refused(state, publish(1), 'MQTT-4.9.0-2')
})

test('MQTT-4.9.0-3 (5.0), MQTT-3.3.4-8 (5.0), MQTT-3.3.4-10 (5.0): at quota 0 everything but QoS 1 and 2 PUBLISH goes on', () => {
  for (const role of ROLES) {
    const state = after(connected(role, 5, narrow(role, 1)), ask(publish(2)), received(publish(1, 1), 5), received(publish(2, 2), 5))
    const packets: readonly SendInput[] = [publish(0), ack('puback', 1), ack('pubrec', 2), ...(role === 'client' ? [SUBSCRIBE, UNSUBSCRIBE, { type: 'pingreq' } as const] : [])]
    for (const packet of packets) assert.ok(brief(step(state, ask(packet)).effects)[0]!.startsWith('write'), packet.type)
    assert.equal(brief(step(state, received(ack('pubrec', 1), 5)).effects), ['write pubrel 1'])
    refused(state, publish(1), 'MQTT-4.9.0-2')
  }
})

test('a message goes out for the first time with DUP 0, whatever the application says', () => {
  refused(connected('client', 4), publish(1, 1, { dup: true }), 'MQTT-4.3.2-1')
  refused(connected('server', 5), publish(1, 1, { dup: true }), 'MQTT-4.3.2-2')
  refused(connected('client', 4), publish(2, 1, { dup: true }), 'MQTT-4.3.3-1')
  refused(connected('server', 5), publish(2, 1, { dup: true }), 'MQTT-4.3.3-2')
  assert.equal(brief(step(connected('client', 4), ask(publish(1, undefined, { dup: false }))).effects), ['write publish 1'])
})

test('MQTT-3.3.2-9 (5.0), MQTT-3.3.2-11 (5.0): a Topic Alias of ours stays within what the peer has announced', () => {
  for (const [role, statement] of [['client', 'MQTT-3.3.2-9'], ['server', 'MQTT-3.3.2-11']] as const) {
    const properties = { topicAliasMaximum: 2 }
    const state = connected(role, 5, role === 'client' ? { connack: { properties } } : { connect: { properties } })
    const aliased = (topic: string, topicAlias: number, qos: 0 | 1 = 0): PublishInput => publish(qos, undefined, { topic, properties: { topicAlias } })
    refused(state, aliased('a', 3), statement)
    refused(state, aliased('', 1), 'SPEC-3.3.2.1-1')
    refused(connected(role, 5), aliased('a', 1), statement)
    const known = after(state, ask(aliased('a', 2)))
    assert.equal(brief(step(known, ask(aliased('', 2, 1))).effects), ['write publish 1'])
    assert.is(step(known, ask(aliased('a', 2))).state, known, 'told again it stands as it did')
    assert.is(step(known, ask(aliased('', 2))).state, known)
    const replaced = after(known, ask(aliased('b', 2)), ask(aliased('', 2, 1)))
    assert.is(getId(sessionOf(replaced).exchanges.ours, 1)!.message!.topic, 'b')
    // One that was refused stands for nothing.
    const full = after(connected(role, 5, { connect: { properties: { ...properties, receiveMaximum: 1 } }, connack: { properties: { ...properties, receiveMaximum: 1 } } }), ask(publish(1)))
    refused(full, aliased('a', 2, 1), 'MQTT-4.9.0-2')
    refused(full, aliased('', 2), 'SPEC-3.3.2.1-1')
  }
})

test('MQTT-3.3.2-7 (5.0): an alias ends with the connection: what is sent again has its whole Topic Name and no alias, and the next connection knows none', () => {
  for (const role of ROLES) {
    const properties = { topicAliasMaximum: 2 }
    const made = role === 'client' ? { connack: { properties } } : { connect: { properties } }
    const state = after(connected(role, 5, made), ask(publish(1, undefined, { topic: 'long/name', properties: { topicAlias: 1, contentType: 'x' } })), ask(publish(2, undefined, { topic: '', properties: { topicAlias: 1 } })), ask(publish(1, undefined, { topic: '', properties: { topicAlias: 1 } })))
    const { state: next, effects } = again(role, 5, sessionOf(state), made)
    const sent = effects.flatMap((effect: Effect) => (effect.type === 'write' && effect.packet.type === 'publish' ? [effect.packet] : []))
    assert.equal(sent.map(({ topic, properties: left, dup, packetId }) => [packetId, topic, left, dup]), [[1, 'long/name', { contentType: 'x' }, true], [2, 'long/name', undefined, true], [3, 'long/name', undefined, true]])
    assert.is(next.flow.ourAliases, undefined)
    refused(next, publish(0, undefined, { topic: '', properties: { topicAlias: 1 } }), 'SPEC-3.3.2.1-1')
  }
})

test('MQTT-4.4.0-1 (5.0), MQTT-4.4.0-1 (3.1.1), MQTT-3.3.1-1 (5.0), MQTT-3.3.1-1 (3.1.1), MQTT-2.3.1-3 (3.1.1), MQTT-4.6.0-1 (5.0), MQTT-4.6.0-1 (3.1.1): a session that goes on sends again what is unfinished, in order, with the same identifiers and DUP 1', () => {
  for (const version of VERSIONS) {
    for (const role of ROLES) {
      const state = after(connected(role, version), ask(publish(1, 9), 'a'), ask(publish(2, 3), 'b'), ask(publish(2, 5), 'c'), ask(publish(1, 1), 'd'), received(ack('pubrec', 3), version))
      const cut = step(state, broken).state
      const { state: next, effects } = again(role, version, sessionOf(cut))
      assert.equal(brief(effects).filter((word) => word.startsWith('write pub')), ['write publish 9 dup', 'write publish 5 dup', 'write publish 1 dup', 'write pubrel 3'])
      // And again on a third connection, in the same order; new messages go behind.
      const third = again(role, version, sessionOf(after(next, ask(publish(1, 2)), received(ack('puback', 1), version))))
      assert.equal(brief(third.effects).filter((word) => word.startsWith('write pub')), ['write publish 9 dup', 'write publish 5 dup', 'write pubrel 3', 'write publish 2 dup'])
      const done = steps(third.state, received(ack('pubcomp', 3), version))
      assert.equal(brief(done.effects), ['deliver', 'settle b pubcomp'], 'the token comes back on a later connection')
    }
  }
})

test('MQTT-4.3.3-6 (5.0), MQTT-4.3.3-1 (3.1.1): after PUBREC it is PUBREL that is sent again, never PUBLISH', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), ask(publish(2)), received(ack('pubrec', 1), version))
    const { effects } = again('client', version, sessionOf(state))
    assert.equal(brief(effects), ['deliver', 'resumed', 'write pubrel 1'])
  }
})

test('MQTT-4.6.0-4 (5.0), MQTT-4.6.0-4 (3.1.1): PUBREL goes out in the order of PUBREC, at once and when sent again', () => {
  for (const version of VERSIONS) {
    let state: State = after(connected('client', version), ask(publish(2)), ask(publish(2)), ask(publish(2)))
    for (const id of [2, 3, 1]) {
      const next = step(state, received(ack('pubrec', id), version))
      assert.equal(brief(next.effects), [`write pubrel ${id}`])
      state = next.state
    }
    assert.equal(brief(again('client', version, sessionOf(state)).effects).slice(2), ['write pubrel 2', 'write pubrel 3', 'write pubrel 1'])
  }
})

test('MQTT-4.4.0-1 (5.0): nothing is sent again while the connection lasts, nor on one without the session', () => {
  const state = after(connected('client', 5), ask(publish(1), 'mine'))
  for (const input of [received(publish(0), 5), received(ack('puback', 9), 5)]) assert.not.ok(brief(step(state, input).effects).some((word) => word.startsWith('write')))
  const { effects } = again('client', 5, sessionOf(state), { connack: { sessionPresent: false } })
  assert.equal(brief(effects), ['deliver', 'lost 1'])
})

test('requests are lost at a cut: they are not sent again, and their identifiers are free', () => {
  for (const version of VERSIONS) {
    const state = after(connected('client', version), ask(SUBSCRIBE, 's'), ask(publish(1), 'm'), ask(UNSUBSCRIBE, 'u'))
    const { state: next, effects } = again('client', version, sessionOf(state))
    assert.equal(brief(effects), ['deliver', 'resumed', 'write publish 2 dup'])
    assert.equal([sizeOf(next.session).ours, next.flow.requests], [1, 0])
    violates(next, received({ type: 'suback', packetId: 1, reasonCodes: [0] }, version), rule(version, '3.1 §3.9', 'MQTT-2.3.1-7', 'MQTT-2.2.1-6'), ...in5(version, 'e0 01 82'))
    assert.equal(brief(step(next, ask({ ...SUBSCRIBE, packetId: 1 } as SendInput)).effects), ['write subscribe 1'])
  }
})

test('MQTT-4.9.0-2 (5.0), MQTT-3.3.4-7 (5.0), MQTT-3.3.4-9 (5.0): a smaller Receive Maximum holds back what is sent again; the rest follows in order as answers come', () => {
  for (const role of ROLES) {
    const session = sessionOf(underWay(role, publish(1), publish(2), publish(1), publish(1)))
    const { state, effects } = again(role, 5, session, narrow(role, 2))
    assert.equal(brief(effects).filter((word) => word.startsWith('write pub')), ['write publish 1 dup', 'write publish 2 dup'])
    refused(state, publish(1), 'MQTT-4.9.0-2')
    const one = step(state, received(ack('puback', 1), 5))
    assert.equal(brief(one.effects), ['deliver', 'settle m1 puback', 'write publish 3 dup'])
    // A PUBREC makes no room; the PUBCOMP does, and then there is no more to wait for.
    const two = step(one.state, received(ack('pubrec', 2), 5))
    assert.equal(brief(two.effects), ['write pubrel 2'])
    const three = step(two.state, received(ack('pubcomp', 2), 5))
    assert.equal(brief(three.effects), ['deliver', 'settle m2 pubcomp', 'write publish 4 dup'])
    assert.equal([(three.state as Live).flow.waiting, (three.state as Live).flow.resend], [0, []])
    refused(three.state, publish(1), 'MQTT-4.9.0-2')
    assert.equal(brief(step(after(three.state, received(ack('puback', 3), 5)), ask(publish(1))).effects), ['write publish 5'])
  }
})

test('MQTT-4.9.0-3 (5.0): PUBREL is sent again whatever Receive Maximum says, and what waits behind it is not forgotten', () => {
  const state = after(underWay('client', publish(2), publish(2), publish(1)), received(ack('pubrec', 1), 5), received(ack('pubrec', 2), 5))
  const { state: next, effects } = again('client', 5, sessionOf(state), narrow('client', 1))
  assert.equal(brief(effects), ['deliver', 'resumed', 'write pubrel 1', 'write pubrel 2'])
  const one = step(next, received(ack('pubcomp', 1), 5))
  assert.equal(brief(one.effects), ['deliver', 'settle m1 pubcomp'], 'the second one is still the peer\'s')
  assert.equal(brief(step(one.state, received(ack('pubcomp', 2), 5)).effects), ['deliver', 'settle m2 pubcomp', 'write publish 3 dup'])
})

test('what is held back and acknowledged all the same, from the connection before, is done: it does not go out', () => {
  const session = sessionOf(underWay('client', publish(1), publish(1), publish(2), publish(1), publish(2)))
  const { state } = again('client', 5, session, narrow('client', 1))
  const early = after(state, received(ack('puback', 2), 5), received(ack('pubrec', 3), 5))
  assert.is(early.flow.waiting, 2)
  const next = step(early, received(ack('puback', 1), 5))
  assert.equal(brief(next.effects), ['deliver', 'settle m1 puback'], 'PUBREL 3 is unanswered and takes the only place')
  const more = step(next.state, received(ack('pubcomp', 3), 5))
  assert.equal(brief(more.effects), ['deliver', 'settle m3 pubcomp', 'write publish 4 dup'])
  const last = step(more.state, received(ack('puback', 4), 5))
  assert.equal(brief(last.effects), ['deliver', 'settle m4 puback', 'write publish 5 dup'])
})

test('an identifier that was held back, acknowledged and taken by a new message is not sent twice', () => {
  const session = sessionOf(underWay('client', publish(1), publish(1), publish(1)))
  const { state } = again('client', 5, session, narrow('client', 2))
  // 3 waits; it is acknowledged, 1 is answered, and 3 is used again.
  const reused = after(state, received(ack('puback', 3), 5), received(ack('puback', 1), 5), ask(publish(1, 3), 'new'))
  const next = step(reused, received(ack('puback', 2), 5))
  assert.equal(brief(next.effects), ['deliver', 'settle m2 puback'])
})

test('what is given up takes no room, and a PUBREL takes its own only', () => {
  const large = publish(1, undefined, { payload: 'x'.repeat(50) })
  const properties = { receiveMaximum: 1, maximumPacketSize: 30 }
  assert.equal(brief(again('client', 5, sessionOf(underWay('client', large, publish(1))), { connack: { properties } }).effects), ['deliver', 'resumed', 'refuse MQTT-3.2.2-15 m1', 'write publish 2 dup'])
  const released = after(underWay('client', publish(2)), received(ack('pubrec', 1), 5), ask(publish(1)), ask(publish(1)))
  const { state, effects } = again('client', 5, sessionOf(released), narrow('client', 2))
  assert.equal(brief(effects), ['deliver', 'resumed', 'write pubrel 1', 'write publish 2 dup'])
  assert.is(state.flow.waiting, 1)
})

test('a cut while messages are held back loses none of them, and keeps their order', () => {
  const session = sessionOf(underWay('server', publish(1), publish(2), publish(1)))
  const held = again('server', 5, session, narrow('server', 1)).state
  assert.equal(brief(again('server', 5, sessionOf(held)).effects), ['write connack', 'write publish 1 dup', 'write publish 2 dup', 'write publish 3 dup'])
  assert.is(again('server', 5, sessionOf(held)).state.flow.waiting, 0)
})

test('what is given up on the way makes room for what waits behind it', () => {
  const large = { payload: 'x'.repeat(50) }
  const session = sessionOf(underWay('client', publish(1), publish(1, undefined, large), publish(1)))
  const properties = { receiveMaximum: 1, maximumPacketSize: 30 }
  const { state, effects } = again('client', 5, session, { connack: { properties } })
  assert.equal(brief(effects), ['deliver', 'resumed', 'write publish 1 dup'])
  const next = step(state, received(ack('puback', 1), 5))
  assert.equal(brief(next.effects), ['deliver', 'settle m1 puback', 'refuse MQTT-3.2.2-15 m2', 'write publish 3 dup'])
  const alone = again('client', 5, sessionOf(underWay('client', publish(1, undefined, large))), { connack: { properties } })
  assert.equal([brief(alone.effects), alone.state.session.exchanges.ours, alone.state.session.exchanges.nextTurn], [['deliver', 'resumed', 'refuse MQTT-3.2.2-15 m1'], undefined, 0])
})

test('MQTT-3.2.2-11 (5.0), MQTT-3.2.2-14 (5.0): a message that the Server does not take any more is given up, not sent again', () => {
  const session = sessionOf(underWay('client', publish(2), publish(1, undefined, { retain: true }), publish(1)))
  const properties = { maximumQos: 1, retainAvailable: false } as const
  assert.equal(brief(again('client', 5, session, { connack: { properties } }).effects), ['deliver', 'resumed', 'refuse MQTT-3.2.2-11 m1', 'write pubrel 1', 'refuse MQTT-3.2.2-14 m2', 'write publish 3 dup'])
})

test('MQTT-4.4.0-1 (3.1.1): a session of 5.0 goes on in 3.1.1 without its properties, and has them again in 5.0', () => {
  const session = sessionOf(underWay('server', publish(1, undefined, { properties: { contentType: 'x' } })))
  const old = again('server', 4, session)
  assert.equal(brief(old.effects), ['write connack', 'write publish 1 dup'])
  const written = (effects: readonly Effect[]): unknown => effects.flatMap((effect) => (effect.type === 'write' && effect.packet.type === 'publish' ? [effect.packet.properties] : []))
  assert.equal(written(old.effects), [undefined])
  assert.equal(written(again('server', 5, sessionOf(old.state)).effects), [{ contentType: 'x' }])
})

test('MQTT-4.1.0-1 (5.0), MQTT-4.4.0-1 (5.0): a session that was saved and restored goes on as one that never left', () => {
  const message: PublishInput = { type: 'publish', topic: 'a', payload: 'b', qos: 2 }
  const session = restoreSession({ clientId: 'kitchen', nextId: 4, sent: [{ packetId: 3, message }, { packetId: 1 }, { packetId: 2, message: { ...message, qos: 1 } }], received: [9] })
  for (const role of ROLES) {
    const { state, effects } = again(role, 5, session)
    assert.equal(brief(effects).filter((word) => word.startsWith('write pub')), ['write publish 3 dup', 'write pubrel 1', 'write publish 2 dup'])
    assert.equal(brief(step(state, ask(publish(1))).effects), ['write publish 4'])
    assert.equal(brief(step(state, received(publish(2, 9, { dup: true }), 5)).effects), ['write pubrec 9'])
  }
})

test('MQTT-3.1.2-4 (5.0), MQTT-3.1.2-6 (3.1.1): our own clean start gives the session up at CONNECT: messages come back to be done again, what the peer had is over', () => {
  for (const version of VERSIONS) {
    const session = sessionOf(after(connected('client', version), ask(publish(1), 'a'), ask(publish(2), 'b'), ask(publish(2), undefined), ask(SUBSCRIBE, 's'), received(ack('pubrec', 2), version), received(ack('pubrec', 3), version)))
    const state = authenticating('client', version, { session })
    const { effects } = steps({ phase: 'opening', role: 'client', limits: state.limits, session }, ask({ type: 'connect', version, clientId: 'kitchen', cleanStart: true, keepAlive: 0 }))
    assert.equal(brief(effects), ['write connect', 'lost 1', 'settle b'])
    assert.equal(redoOf(effects), [{ packet: { type: 'publish', topic: 'a', payload: 'b', qos: 1, packetId: undefined }, token: 'a' }])
    assert.equal(sizeOf(sessionOf(state)), { ours: 0, theirs: 0 })
    assert.equal(brief(step(state, received(connack(), version)).effects), ['deliver'])
  }
})

test('MQTT-3.2.2-5 (5.0): told that its session is gone, the Client drops it: messages come back, identifiers are free, QoS 2 ones it had are new', () => {
  for (const version of [4, 5] as const) {
    const session = sessionOf(after(connected('client', version), ask(publish(2), 'a'), received(publish(2, 7), version), ask(ack('pubrec', 7))))
    const { state, effects } = again('client', version, session, { connack: { sessionPresent: false } })
    assert.equal(brief(effects), ['deliver', 'lost 1'])
    assert.equal(redoOf(effects).map(({ token }) => token), ['a'])
    assert.equal(state.session, newSession('kitchen'))
    assert.equal(brief(step(state, received(publish(2, 7), version)).effects), ['deliver'])
  }
})

test('before CONNACK what needs an identifier goes out only after a clean start: then nobody can mistake it', () => {
  for (const version of VERSIONS) {
    const where = rule(version, '3.1 §3.1', '3.1.1 §3.1.4', '5.0 §3.1.4')
    const clean = after(authenticating('client', version), ask(SUBSCRIBE, 's'), ask(publish(1), 'm'), ask(publish(0)))
    const { state, effects } = step(clean, received(connack(), version))
    assert.equal(brief(effects), ['deliver'], 'and is not sent again')
    assert.equal([sizeOf(sessionOf(state)).ours, (state as Live).flow.requests], [2, 1])
    assert.equal(brief(step(state, received({ type: 'suback', packetId: 1, reasonCodes: [0] }, version)).effects), ['deliver', 'settle s suback'])
    for (const session of [undefined, newSession('kitchen'), newSession('cellar')] satisfies (Session | undefined)[]) {
      const kept = authenticating('client', version, { connect: { cleanStart: false }, ...(session === undefined ? {} : { session }) })
      for (const packet of [publish(1), publish(2), SUBSCRIBE, UNSUBSCRIBE]) {
        const { state: next, effects: told } = step(kept, ask(packet, 'x'))
        assert.equal([next === kept, brief(told)], [true, [`refuse ${where} x`]])
      }
      const { state: next, effects: told } = step(kept, ask(publish(0)))
      assert.equal([next === kept, brief(told)], [true, ['write publish']])
    }
  }
})

test('MQTT-3.2.2-15 (5.0): what the Server would find too large is refused, and takes no identifier; a PUBREL of four bytes too', () => {
  const made = { connack: { properties: { maximumPacketSize: 12 } } }
  const state = connected('client', 5, made)
  refused(state, publish(1, 1, { payload: 'x'.repeat(20) }), 'MQTT-3.2.2-15')
  refused(state, { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'long/filter', qos: 0 }] }, 'MQTT-3.2.2-15')
  assert.equal(brief(step(state, ask(publish(1))).effects), ['write publish 1'])
  const tiny = after(connected('client', 5), ask(publish(2)))
  const { effects } = again('client', 5, sessionOf(after(tiny, received(ack('pubrec', 1), 5))), { connack: { properties: { maximumPacketSize: 3 } } })
  assert.equal(brief(effects), ['deliver', 'resumed'])
})

test('MQTT-4.3.1-1 (5.0), MQTT-4.3.1-1 (3.1.1): a PUBLISH that names no QoS is QoS 0', () => {
  for (const version of VERSIONS) {
    const state = connected('client', version)
    const { state: next, effects } = step(state, ask({ type: 'publish', topic: 'a', payload: '' }))
    assert.equal([next === state, brief(effects)], [true, ['write publish']])
  }
})

test('what waits for room goes out whoever made it, also where nobody asked to be told', () => {
  const state = after(connected('client', 5), ask(publish(1)), ask(publish(1)), ask(publish(1)))
  const held = again('client', 5, sessionOf(state), narrow('client', 1))
  assert.equal(brief(step(held.state, received(ack('puback', 1), 5)).effects), ['deliver', 'write publish 2 dup'])
})

test('an identifier of a session that began with an empty Client Identifier is kept under the one assigned', () => {
  const state = after(authenticating('client', 5, { connect: { clientId: '' } }), ask(publish(1), 'm'), received(connack({ properties: { assignedClientIdentifier: 'auto-1' } }), 5))
  assert.equal([state.session.clientId, sizeOf(state.session).ours], ['auto-1', 1])
})

test.run()
