import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { initial } from '../../src/fsm/index.ts'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import type { CloseCause, Limits, State } from '../../src/fsm/index.ts'
import { fail, refusal, violate } from '../../src/fsm/errors.ts'
import { CONNECTION_RULES } from '../../src/fsm/rules.ts'
import { authenticating, causeOf, connected, deepFreeze, faultIn, heard, told, VERSIONS, WILL, wire } from './helpers.ts'

/** CONNECTs, client id `a`, clean, keep alive 0; `flags` 03 has the reserved bit set. */
const LEVEL_6 = '10 0e 00 04 4d 51 54 54 06 02 00 00 00 00 01 61'
const LEVEL_2 = '10 0d 00 04 4d 51 54 54 02 02 00 00 00 01 61'
const MQISDP_4 = '10 0f 00 06 4d 51 49 73 64 70 04 02 00 00 00 01 61'
const MQTX_4 = '10 0d 00 04 4d 51 54 58 04 02 00 00 00 01 61'
const RESERVED_5 = '10 0e 00 04 4d 51 54 54 05 03 00 00 00 00 01 61'
const RESERVED_4 = '10 0d 00 04 4d 51 54 54 04 03 00 00 00 01 61'
const PUBLISH_FIRST = '30 03 00 01 61'

const awaiting = (limits?: Partial<Limits>): State => deepFreeze(initial({ role: 'server', limits }))

interface Answer extends Pick<CloseCause, 'version' | 'reasonCode' | 'rule'> {
  readonly written: readonly string[]
}

/** What goes on the wire for these bytes, and the cause's facts. */
function answer(state: State, hex: string, version?: ProtocolVersion): Answer {
  const { state: after, effects } = fail(state, faultIn(hex, version))
  const cause = causeOf(effects)
  assert.is(after.phase, 'closing')
  return { written: wire(effects, cause.version ?? 5), version: cause.version, reasonCode: cause.reasonCode, rule: cause.rule }
}

test('MQTT-3.1.2-2: a Protocol Version beyond 5 is answered in the form of the newest version the Server accepts', () => {
  const rule = 'MQTT-3.1.2-2'
  assert.equal(answer(awaiting(), LEVEL_6), { written: ['20 03 00 84 00'], version: 5, reasonCode: 0x84, rule })
  assert.equal(answer(awaiting({ versions: [5] }), LEVEL_6), { written: ['20 03 00 84 00'], version: 5, reasonCode: 0x84, rule })
  assert.equal(answer(awaiting({ versions: [3, 4] }), LEVEL_6), { written: ['20 02 00 01'], version: 4, reasonCode: 0x84, rule })
})

test('MQTT-3.1.2-2: a Protocol Level below 4 is answered by return code 1', () => {
  for (const versions of [[3, 4, 5], [5], [4]] as const) {
    assert.equal(answer(awaiting({ versions }), LEVEL_2), { written: ['20 02 00 01'], version: 4, reasonCode: 0x84, rule: 'MQTT-3.1.2-2' })
  }
})

test('SPEC-3.1-protocol-id: MQIsdp with another level than 3 is answered by return code 1', () => {
  assert.equal(answer(awaiting(), MQISDP_4), { written: ['20 02 00 01'], version: 3, reasonCode: 0x84, rule: 'SPEC-3.1-protocol-id' })
})

test('MQTT-3.1.2-1: another Protocol Name is not ours to answer', () => {
  assert.equal(answer(awaiting(), MQTX_4), { written: [], version: undefined, reasonCode: 0x84, rule: 'MQTT-3.1.2-1' })
})

test('MQTT-3.1.4-1: a malformed CONNECT of 5.0 is answered by CONNACK 0x81, one of 3.1.1 by nothing', () => {
  assert.equal(answer(awaiting(), RESERVED_5), { written: ['20 03 00 81 00'], version: 5, reasonCode: 0x81, rule: 'MQTT-3.1.2-3' })
  assert.equal(answer(awaiting(), RESERVED_4), { written: [], version: 4, reasonCode: 0x81, rule: 'MQTT-3.1.2-3' })
})

test('MQTT-3.1.0-1: whatever comes first and is no CONNECT is answered by nothing', () => {
  for (const hex of [PUBLISH_FIRST, 'c0 00', '00 00']) assert.equal(answer(awaiting(), hex).written, [])
  assert.is(answer(awaiting(), PUBLISH_FIRST).rule, 'MQTT-3.1.0-1')
})

test('another protocol is named, and answered by nothing', () => {
  const http = '47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a'
  const { effects } = fail(awaiting(), faultIn(http))
  assert.match(causeOf(effects).sentence, /^The Client does not speak MQTT here but HTTP: .*\.$/)
  assert.equal(wire(effects, 5), [])
  // The answer of a web server to our CONNECT of 5.0.
  const reply = fail(authenticating('client', 5), faultIn('48 54 54 50 2f 31 2e 31 20 34 30 30', 5))
  assert.match(causeOf(reply.effects).sentence, /^The Server does not speak MQTT 5\.0 here but HTTP: .*\.$/)
  assert.equal(wire(reply.effects, 5), [])
})

test('MQTT-4.13.1-1, SPEC-4.13.1-1: in 5.0 both sides say what was wrong, by DISCONNECT, before CONNACK the Server by CONNACK', () => {
  const dup = '38 04 00 01 61 00'
  for (const role of ['client', 'server'] as const) {
    assert.equal(answer(connected(role, 5), dup, 5).written, ['e0 01 81'])
    assert.is(answer(connected(role, 5), dup, 5).rule, 'MQTT-3.3.1-2')
  }
  assert.equal(answer(authenticating('server', 5), dup, 5).written, ['20 03 00 81 00'])
  assert.equal(answer(authenticating('client', 5), dup, 5).written, ['e0 01 81'])
})

test('MQTT-4.8.0-1: before 5.0 both sides close without a word', () => {
  const dup = '38 03 00 01 61'
  for (const version of [3, 4] as const) {
    for (const role of ['client', 'server'] as const) {
      assert.equal(answer(connected(role, version), dup, version).written, [])
      assert.equal(answer(authenticating(role, version), dup, version).written, [])
    }
  }
})

test('before CONNECT a Client says nothing to whoever speaks first', () => {
  assert.equal(answer(deepFreeze(initial({ role: 'client' })), RESERVED_5, 5).written, [])
})

test('SPEC-3.1.2.11.4-2, MQTT-3.3.2-8: the specific Reason Code goes out where its packet and sender may carry it, else 0x82', () => {
  const tooLarge = '30 ff 7f'
  const aliasZero = '30 07 00 01 61 03 23 00 00'
  const emptyFilter = '82 06 00 01 00 00 00 00'
  assert.equal(answer(connected('server', 5), tooLarge, 5).written, ['e0 01 95'])
  assert.equal(answer(connected('client', 5), aliasZero, 5).written, ['e0 01 94'])
  // 0x94 is no code of CONNACK, 0x8f none of a Client.
  assert.equal(answer(authenticating('server', 5), aliasZero, 5).written, ['20 03 00 82 00'])
  assert.equal(answer(connected('server', 5), emptyFilter, 5).written, ['e0 01 8f'])
  assert.equal(answer(connected('client', 5), emptyFilter, 5).written, ['e0 01 82'])
})

test('MQTT-3.2.0-2: a CONNECT of an unknown level is answered by CONNACK only where CONNACK is due, and in the version agreed on', () => {
  for (const version of VERSIONS) {
    const five = version === 5
    assert.equal(answer(connected('server', version), LEVEL_6, version), { written: five ? ['e0 01 82'] : [], version, reasonCode: 0x84, rule: 'MQTT-3.1.2-2' })
    assert.equal(answer(authenticating('server', version), LEVEL_6, version).written, five ? ['20 03 00 84 00'] : [])
    // From a Server: a Client never sends CONNACK.
    assert.equal(answer(authenticating('client', version), LEVEL_6, version).written, five ? ['e0 01 82'] : [])
    assert.equal(answer(connected('client', version), LEVEL_2, version).written, five ? ['e0 01 82'] : [])
  }
  assert.equal(answer(deepFreeze(initial({ role: 'client' })), LEVEL_6, 5).written, [])
})

test('the cause tells malformed from illegal, where the byte was, and names the Will that is due', () => {
  const state = connected('server', 4, { connect: { will: WILL } })
  const malformed = causeOf(fail(state, faultIn('38 03 00 01 61', 4)).effects)
  assert.equal([malformed.by, malformed.why, malformed.phase, malformed.offset], ['server', 'malformed', 'connected', 0])
  assert.is(malformed.will?.topic, '/hans/will')
  assert.match(malformed.sentence, /^The Client sent what it may not: PUBLISH, offset 0: .* \[MQTT-3\.3\.1-2\]\.$/)
  const illegal = causeOf(fail(connected('client', 4), faultIn('82 04 00 00 00 00', 4)).effects)
  assert.equal([illegal.by, illegal.why, illegal.rule], ['client', 'protocol-error', 'MQTT-2.3.1-1'])
  assert.match(illegal.sentence, /^The Server sent what it may not: /)
})

test('a packet that is well formed and illegal here fails under its rule, in the version agreed on or, of a CONNECT, its own', () => {
  const pingreq = { type: 'pingreq' } as const
  const here = violate(connected('server', 5), pingreq, CONNECTION_RULES.wrongSender, 'PINGREQ')
  assert.equal(told(here.effects), ['write disconnect', 'disarm keep-alive', 'arm close 5000', 'close protocol-error'])
  assert.is(causeOf(here.effects).rule, 'MQTT-4.13.1-1')
  const first = causeOf(violate(awaiting(), pingreq, CONNECTION_RULES.firstPacket, 'PINGREQ').effects)
  assert.equal([first.version, first.rule], [undefined, 'MQTT-3.1.0-1'])
  const connect = heard({ type: 'connect', version: 3, clientId: 'a', cleanStart: true, keepAlive: 0 }, 3)
  const cause = causeOf(violate(deepFreeze(initial({ role: 'client' })), connect, CONNECTION_RULES.beforeConnack, 'CONNECT').effects)
  assert.equal([cause.version, cause.rule], [3, '3.1 §3.2'])
})

test('MQTT-3.2.2-6: a refusal in each version\'s form; a code without a return code is no CONNACK in 3.x', () => {
  const codes: readonly (readonly [code: number, return3: number | undefined])[] = [
    [0x84, 1], [0x85, 2], [0x88, 3], [0x89, 3], [0x97, 3], [0x9f, 3], [0x86, 4], [0x87, 5], [0x8a, 5], [0x80, undefined], [0x9c, undefined],
  ]
  for (const [code, return3] of codes) {
    assert.equal(refusal(code, 5), { type: 'connack', reasonCode: code })
    for (const version of [3, 4] as const) assert.equal(refusal(code, version), return3 === undefined ? undefined : { type: 'connack', reasonCode: return3 })
  }
})

test.run()
