// What the proxy makes of a connection, without a socket and without a clock: bytes and times in, packets, broken rules and one sentence out.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameReader } from '../../src/cli/proxy/frames.ts'
import type { Observed } from '../../src/cli/proxy/observer.ts'
import { Watch } from '../../src/cli/proxy/watch.ts'
import type { Summary } from '../../src/cli/proxy/watch.ts'
import { encode, fromHex } from '../../src/codec/index.ts'
import type { ConnectInput, PacketInput, ProtocolVersion, Sender } from '../../src/codec/index.ts'
import { explain } from '../../src/fsm/index.ts'
import type { CloseCause, Phase } from '../../src/fsm/index.ts'

interface Seen {
  readonly watch: Watch
  readonly packets: (Observed & { readonly phases: readonly [Phase, Phase] })[]
  readonly remarks: string[]
  readonly ends: (readonly [CloseCause, Summary])[]
}

function seen(): Seen {
  const all: Omit<Seen, 'watch'> = { packets: [], remarks: [], ends: [] }
  const watch = new Watch({
    packet: (observed, { client, server }) => { all.packets.push({ ...observed, phases: [client, server] }) },
    remark: (_from, time, text) => { all.remarks.push(`${time} ${text}`) },
    closed: (...end) => { all.ends.push(end) },
  })
  return { watch, ...all }
}

type Line = readonly [from: Sender, packet: PacketInput | string, time?: number]

/** A conversation in one version; bytes stand as hexadecimal. Without a time each line is a millisecond after the one before. */
function talk(version: ProtocolVersion, lines: readonly Line[]): Seen {
  const result = seen()
  let now = 0
  for (const [from, packet, time = now + 1] of lines) {
    now = time
    result.watch.push(from, typeof packet === 'string' ? fromHex(packet) : encode(packet, version), now)
  }
  return result
}

const connect = (version: ProtocolVersion, more: Partial<ConnectInput> = {}): Line => ['client', { type: 'connect', version, clientId: 'a', cleanStart: true, keepAlive: 60, ...more } as ConnectInput]
const connack = (properties?: object): Line => ['server', { type: 'connack', reasonCode: 0, ...(properties === undefined ? {} : { properties }) }]
const rulesOf = ({ packets }: Seen): (readonly [Sender, string])[] => packets.flatMap(({ broken }) => broken.map(({ by, rule }) => [by, rule] as const))

/** The one rule that a conversation breaks, and by whom. */
const BROKEN: readonly (readonly [what: string, version: ProtocolVersion, lines: readonly Line[], by: Sender, rule: string])[] = [
  ['a second CONNECT', 4, [connect(4), connack(), connect(4)], 'client', 'MQTT-3.1.0-2'],
  ['PUBLISH before CONNACK, by the Server', 4, [connect(4), ['server', { type: 'publish', topic: 'a', payload: '' }]], 'server', 'MQTT-3.2.0-1'],
  ['DISCONNECT of a Server before 5.0', 4, [connect(4), connack(), ['server', 'e0 00']], 'server', '3.1.1 §3.14'],
  ['a packet behind one\'s own DISCONNECT', 5, [connect(5), connack(), ['client', { type: 'disconnect' }], ['client', { type: 'pingreq' }]], 'client', 'MQTT-3.14.4-1'],
  ['a packet behind a refusal', 5, [connect(5), ['server', { type: 'connack', reasonCode: 0x87 }], ['server', { type: 'pingresp' }]], 'server', 'MQTT-3.14.4-1'],
  ['Session Present after a clean start', 5, [connect(5), ['server', { type: 'connack', reasonCode: 0, sessionPresent: true }]], 'server', 'MQTT-3.2.2-2'],
  ['AUTH without a method', 5, [connect(5), connack(), ['client', { type: 'auth', reasonCode: 0x19, properties: { authenticationMethod: 'x' } }]], 'client', 'MQTT-4.12.0-7'],
  ['PUBLISH while there is a method and no CONNACK', 5, [connect(5, { properties: { authenticationMethod: 'x' } }), ['client', { type: 'publish', topic: 'a', payload: '' }]], 'client', 'MQTT-3.1.2-30'],
  ['an identifier in use', 4, [connect(4), connack(), ['client', { type: 'publish', topic: 'a', payload: '', qos: 1, packetId: 7 }], ['client', { type: 'subscribe', packetId: 7, subscriptions: [{ filter: 'a', qos: 0 }] }]], 'client', 'MQTT-2.3.1-2'],
  ['an identifier in use, by the Server', 5, [connect(5), connack(), ['server', { type: 'publish', topic: 'a', payload: '', qos: 1, packetId: 7 }], ['server', { type: 'publish', topic: 'b', payload: '', qos: 1, packetId: 7 }]], 'server', 'MQTT-2.2.1-4'],
  ['PUBACK for a message of QoS 2', 5, [connect(5), connack(), ['client', { type: 'publish', topic: 'a', payload: '', qos: 2, packetId: 7 }], ['server', { type: 'puback', packetId: 7 }]], 'server', 'MQTT-3.3.4-1'],
  ['SUBACK of nothing', 4, [connect(4), connack(), ['server', { type: 'suback', packetId: 7, reasonCodes: [0] }]], 'server', 'MQTT-2.3.1-7'],
  ['SUBACK with a code too few', 4, [connect(4), connack(), ['client', { type: 'subscribe', packetId: 7, subscriptions: [{ filter: 'a', qos: 0 }, { filter: 'b', qos: 0 }] }], ['server', { type: 'suback', packetId: 7, reasonCodes: [0] }]], 'server', 'MQTT-3.8.4-5'],
  ['UNSUBACK with a code too many', 5, [connect(5), connack(), ['client', { type: 'unsubscribe', packetId: 7, filters: ['a'] }], ['server', { type: 'unsuback', packetId: 7, reasonCodes: [0, 0] }]], 'server', 'MQTT-3.11.3-1'],
  ['PUBREL before PUBREC', 4, [connect(4), connack(), ['client', { type: 'publish', topic: 'a', payload: '', qos: 2, packetId: 7 }], ['client', { type: 'pubrel', packetId: 7 }]], 'client', 'MQTT-4.3.3-1'],
  ['more than Receive Maximum, by the Client', 5, [connect(5), connack({ receiveMaximum: 1 }), ['client', { type: 'publish', topic: 'a', payload: '', qos: 1, packetId: 1 }], ['client', { type: 'publish', topic: 'a', payload: '', qos: 1, packetId: 2 }]], 'client', 'SPEC-3.3.4-1'],
  ['more than Receive Maximum, by the Server', 5, [connect(5, { properties: { receiveMaximum: 1 } }), connack(), ['server', { type: 'publish', topic: 'a', payload: '', qos: 1, packetId: 1 }], ['server', { type: 'publish', topic: 'a', payload: '', qos: 2, packetId: 2 }]], 'server', 'SPEC-3.3.4-1'],
  ['a Topic Alias beyond the maximum', 5, [connect(5), connack({ topicAliasMaximum: 1 }), ['client', { type: 'publish', topic: 'a', payload: '', properties: { topicAlias: 2 } }]], 'client', 'MQTT-3.3.2-9'],
  ['a Topic Alias that stands for nothing', 5, [connect(5, { properties: { topicAliasMaximum: 5 } }), connack(), ['server', { type: 'publish', topic: '', payload: '', properties: { topicAlias: 2 } }]], 'server', 'SPEC-3.3.2.1-1'],
  ['QoS above Maximum QoS', 5, [connect(5), connack({ maximumQos: 0 }), ['client', { type: 'publish', topic: 'a', payload: '', qos: 1, packetId: 1 }]], 'client', 'MQTT-3.2.2-11'],
  ['a Reason String that was not wanted', 5, [connect(5, { properties: { requestProblemInformation: false } }), connack(), ['client', { type: 'publish', topic: 'a', payload: '', qos: 1, packetId: 1 }], ['server', { type: 'puback', packetId: 1, properties: { reasonString: 'x' } }]], 'server', 'MQTT-3.1.2-29'],
  ['the Server speaks first', 4, [['server', { type: 'pingresp' }]], 'server', 'MQTT-3.1.0-1'],
]

for (const [what, version, lines, by, rule] of BROKEN) test(`a rule broken is seen, once, and whose it is: ${what}`, () => { assert.equal(rulesOf(talk(version, lines)), [[by, rule]]) })

test('what legal conversations do breaks no rule: aliases, a full window that empties, answers of every kind', () => {
  const publish = (packetId: number, qos: 1 | 2, dup = false): PacketInput => ({ type: 'publish', topic: 'a', payload: '', qos, packetId, dup })
  assert.equal(rulesOf(talk(5, [
    connect(5, { properties: { topicAliasMaximum: 2 } }), connack({ receiveMaximum: 2 }),
    ['server', { type: 'publish', topic: 'a', payload: '', properties: { topicAlias: 2 } }], ['server', { type: 'publish', topic: '', payload: '', properties: { topicAlias: 2 } }],
    ['client', publish(1, 2)], ['client', publish(2, 1)], ['server', { type: 'pubrec', packetId: 1 }], ['client', { type: 'pubrel', packetId: 1 }], ['server', { type: 'pubcomp', packetId: 1 }],
    ['client', publish(1, 2)], ['server', { type: 'pubrec', packetId: 1, reasonCode: 0x87 }], ['client', publish(1, 1)], ['server', { type: 'puback', packetId: 2 }], ['client', publish(2, 1)],
    ['server', publish(1, 2)], ['client', { type: 'pubrec', packetId: 1 }], ['server', { type: 'pubrel', packetId: 1 }], ['client', { type: 'pubcomp', packetId: 1 }],
    ['client', { type: 'disconnect' }],
  ])), [])
})

test('what is of an earlier connection is said to be that, and breaks no rule', () => {
  const { packets } = talk(4, [connect(4, { cleanStart: false }), ['server', { type: 'connack', reasonCode: 0, sessionPresent: true }], ['client', { type: 'pubrel', packetId: 9 }], ['server', { type: 'pubcomp', packetId: 9 }], ['client', { type: 'puback', packetId: 3 }]])
  assert.equal(packets.flatMap(({ broken }) => broken), [])
  assert.equal(packets.map(({ notes }) => notes.length), [0, 0, 1, 0, 1])
  assert.equal(packets[3]!.answers, { type: 'pubrel', ms: 1 })
})

test('answers are timed: CONNACK, PUBACK, the four of QoS 2, SUBACK, PINGRESP in order, AUTH', () => {
  const method = { authenticationMethod: 'x' }
  const { packets } = talk(5, [
    connect(5, { properties: method }), ['server', { type: 'auth', reasonCode: 0x18, properties: method }, 5], ['client', { type: 'auth', reasonCode: 0x18, properties: method }, 9], ['server', { type: 'connack', reasonCode: 0, properties: method }, 20],
    ['client', { type: 'pingreq' }, 100], ['client', { type: 'pingreq' }, 110], ['server', { type: 'pingresp' }, 115], ['server', { type: 'pingresp' }, 116],
    ['client', { type: 'publish', topic: 'a', payload: '', qos: 2, packetId: 1 }, 200], ['server', { type: 'pubrec', packetId: 1 }, 201], ['client', { type: 'pubrel', packetId: 1 }, 203], ['server', { type: 'pubcomp', packetId: 1 }, 207],
  ])
  assert.equal(packets.map(({ type, answers }) => [type, answers?.type, answers?.ms]), [
    ['connect', undefined, undefined], ['auth', undefined, undefined], ['auth', 'auth', 4], ['connack', 'connect', 19], ['pingreq', undefined, undefined], ['pingreq', undefined, undefined], ['pingresp', 'pingreq', 15],
    ['pingresp', 'pingreq', 6], ['publish', undefined, undefined], ['pubrec', 'publish', 1], ['pubrel', 'pubrec', 2], ['pubcomp', 'pubrel', 4],
  ])
})

test('the phases of both sides, re-authentication among them', () => {
  const method = { authenticationMethod: 'x' }
  const { packets } = talk(5, [connect(5, { properties: method }), connack(method), ['client', { type: 'auth', reasonCode: 0x19, properties: method }], ['server', { type: 'auth', reasonCode: 0, properties: method }], ['server', { type: 'disconnect', reasonCode: 0x8b }]])
  assert.equal(packets.map(({ phases }) => phases[0]), ['authenticating', 'connected', 'reauthenticating', 'connected', 'closing'])
  assert.ok(packets.every(({ phases: [client, server] }) => client === server))
})

test('two last words that meet on the way break no rule; one\'s own does', () => {
  const crossed = talk(5, [connect(5), connack(), ['server', { type: 'disconnect', reasonCode: 0x8b }], ['client', { type: 'publish', topic: 'a', payload: '' }], ['client', { type: 'disconnect' }]])
  assert.equal(rulesOf(crossed), [])
  assert.match(crossed.packets[3]!.notes[0]!, /comes behind the DISCONNECT of the Server/)
})

test('however the bytes are cut: the same packets', () => {
  const lines: Line[] = [connect(5), connack(), ['client', { type: 'publish', topic: 'a', payload: new Uint8Array(300), qos: 1, packetId: 1 }], ['client', '80 01 00'], ['client', { type: 'pingreq' }], ['client', 'f0 80 80 80 80 01 02']]
  const whole = talk(5, lines)
  assert.equal(rulesOf(whole).length, 2)
  for (const size of [1, 2, 3, 7]) {
    const cut = seen()
    for (const [from, packet] of lines) {
      const bytes = typeof packet === 'string' ? fromHex(packet) : encode(packet, 5)
      for (let at = 0; at < bytes.length; at += size) cut.watch.push(from, bytes.subarray(at, at + size), 0)
    }
    assert.equal(cut.packets.map(({ type, size: length, broken }) => [type, length, broken.map(({ rule }) => rule)]).slice(0, -1), whole.packets.map(({ type, size: length, broken }) => [type, length, broken.map(({ rule }) => rule)]).slice(0, -1), `${size} bytes at a time`)
    // The last one has no end: how much of it is shown depends on how it came.
    assert.equal(cut.packets.at(-1)!.broken[0]!.rule, whole.packets.at(-1)!.broken[0]!.rule)
  }
})

test('all chunks in one, and chunks that hold the end of one packet and the beginning of the next', () => {
  const bytes = Buffer.concat([encode({ type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 60 }, 4), ...Array.from({ length: 50 }, (_, i) => encode({ type: 'publish', topic: 'abc', payload: new Uint8Array(i * 7) }, 4))])
  for (const size of [bytes.length, 13, 129]) {
    const { watch, packets } = seen()
    for (let at = 0; at < bytes.length; at += size) watch.push('client', bytes.subarray(at, at + size), 0)
    assert.equal([packets.length, packets.reduce((sum, one) => sum + one.bytes.length, 0)], [51, bytes.length])
  }
})

test('a packet too large to be kept is passed over, and the next one is read', () => {
  const { watch, packets } = talk(4, [connect(4), connack()])
  const large = encode({ type: 'publish', topic: 'a', payload: new Uint8Array(2_000_000), qos: 1, packetId: 1 }, 4)
  for (let at = 0; at < large.length; at += 65_536) watch.push('client', large.subarray(at, at + 65_536), 5)
  watch.push('client', fromHex('c0 00'), 6)
  // It may have been asked for by what was not read.
  watch.push('server', encode({ type: 'suback', packetId: 1, reasonCodes: [0] }, 4), 7)
  assert.equal(packets.slice(2).map(({ type, size, bytes, broken, notes }) => [type, size, bytes.length <= 64, broken.length, notes.length]), [['publish', large.length, true, 0, 1], ['pingreq', 2, true, 0, 0], ['suback', 5, true, 0, 1]])
})

test('behind what has no end nothing is read, and it is counted; half a packet at the end is said', () => {
  const { watch, packets, ends } = talk(4, [connect(4), ['client', `00 ${'aa '.repeat(99)}`], ['client', 'bb '.repeat(10)], ['server', '20 02 00']])
  watch.end('server', 9)
  watch.end('client', 10)
  assert.equal(packets.map(({ bytes, size }) => [bytes.length, size]).slice(1), [[64, 64], [3, 4]])
  assert.match(packets[2]!.notes[0]!, /ends inside this packet/)
  assert.equal(ends[0]![1].unread, { client: 46, server: 0 })
})

test('an HTTP header that does not come to its end is bytes that are no packet, and is counted', () => {
  for (const bytes of ['47 45', '47 45 54 20 2f']) {
    const { watch, packets } = talk(4, [['client', bytes]])
    assert.is(packets.length, 0)
    watch.end('client', 5)
    assert.equal(packets.map(({ packet, size }) => [packet, size]), [[undefined, bytes.split(' ').length]])
  }
  const { watch, remarks, ends } = talk(4, [['client', '47 45 54 20 '.repeat(5000)]])
  watch.stop(9, 'enough')
  assert.match(remarks[0]!, /HTTP header of more than/)
  assert.is(ends[0]![1].unread.client, 20_000)
})

test('an upgrade that is asked for and refused: nothing behind it is taken for frames', () => {
  const hex = (text: string): string => Buffer.from(text).toString('hex').replace(/../g, '$& ')
  const { watch, packets, ends } = talk(4, [
    ['client', hex('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n')], ['server', hex('HTTP/1.1 404 Not Found\r\n\r\nno')], ['client', '82 02 c0 00'],
  ])
  watch.stop(9, 'enough')
  assert.equal([packets.length, ends[0]![1].unread], [0, { client: 4, server: 2 }])
})

test('keep alive: the deadlines move with each packet of the Client, and the Server\'s own counts', () => {
  const { watch, packets, remarks } = talk(5, [connect(5, { keepAlive: 60 }), ['server', { type: 'connack', reasonCode: 0, properties: { serverKeepAlive: 10 } }, 2], ['client', { type: 'pingreq' }, 5000], ['server', { type: 'pingresp' }, 5001]])
  assert.equal(packets.map(({ keepAlive }) => keepAlive?.due), [undefined, 10_001, 15_000, 15_000])
  assert.equal([packets[2]!.keepAlive!.closes, watch.deadline], [20_000, 15_000])
  watch.tick(14_999)
  assert.equal(remarks, [])
  watch.tick(15_000)
  watch.tick(15_001)
  assert.is(watch.deadline, 20_000)
  watch.tick(20_000)
  assert.is(watch.deadline, undefined)
  assert.equal(remarks.map((remark) => /^\d+ .*(late|has to close) \[/.exec(remark)?.[1]), ['late', 'has to close'])
  watch.push('client', fromHex('c0 00'), 21_000)
  assert.is(watch.deadline, 31_000)
  assert.is(talk(4, [connect(4, { keepAlive: 0 }), connack()]).watch.deadline, undefined)
})

/** How it ended, who first and at what time; the sentence. */
const ENDS: readonly (readonly [what: string, version: ProtocolVersion, lines: readonly Line[], first: Sender, time: number, why: string, by: string, sentence: RegExp, error?: Error])[] = [
  ['DISCONNECT', 5, [connect(5, { will: { topic: 'w', payload: '' } }), connack(), ['client', { type: 'disconnect' }]], 'client', 9, 'disconnect', 'client', /^The Client disconnected: Normal disconnection \(ended by the Client while connected; code 0x00, Normal disconnection\)\.$/],
  ['DISCONNECT with Will', 5, [connect(5, { will: { topic: 'w', payload: '', properties: { willDelayInterval: 5 } }, properties: { sessionExpiryInterval: 3 } }), connack(), ['client', { type: 'disconnect', reasonCode: 4 }]], 'client', 9, 'disconnect', 'client', /Will on "w" due in 3 s/],
  ['DISCONNECT of the Server, for a fault of the Client', 5, [connect(5), connack(), ['client', '32 05 00 01 61 00 00'], ['server', { type: 'disconnect', reasonCode: 0x82, properties: { reasonString: 'no' } }]], 'server', 9, 'disconnect', 'server', /code 0x82, Protocol Error; Reason String "no"; rule MQTT-2\.2\.1-3/],
  ['a refusal of 3.1.1', 4, [connect(4), ['server', { type: 'connack', reasonCode: 5 }]], 'server', 9, 'refused', 'server', /^The Server refused the connection: .*return code 5, /],
  ['taken over, said', 5, [connect(5), connack(), ['server', { type: 'disconnect', reasonCode: 0x8e }]], 'server', 9, 'taken-over', 'server', /Session taken over/],
  ['a bare end without CONNACK', 4, [connect(4)], 'server', 9, 'ended', 'server', /without a CONNACK: it did not accept this CONNECT/],
  ['a bare end before CONNECT', 4, [], 'client', 9, 'ended', 'client', /before there was a CONNECT \(ended by the Client while opening\)/],
  ['a bare end of the Client', 4, [connect(4, { will: { topic: 'w', payload: '' } }), connack()], 'client', 9, 'ended', 'client', /without DISCONNECT .*Will on "w" due now/],
  ['the Client gives up before CONNACK', 4, [connect(4)], 'client', 9, 'ended', 'client', /before the CONNACK/],
  ['malformed, and closed for it', 4, [connect(4), connack(), ['client', '36 05 00 01 61 00 01']], 'server', 9, 'malformed', 'server', /^The Client sent what it may not: PUBLISH, offset 0: QoS 3; .*rule MQTT-3\.3\.1-4; offset 0\)/],
  ['a protocol error, and closed for it', 4, [connect(4), connack(), connect(4)], 'server', 9, 'protocol-error', 'server', /CONNECT from the Client while connected/],
  ['not closed for it', 4, [connect(4), connack(), connect(4)], 'client', 9, 'ended', 'client', /without DISCONNECT/],
  ['the Client is silent', 4, [connect(4, { keepAlive: 10 }), connack()], 'server', 15_002, 'keep-alive-timeout', 'server', /closed after 15,001 ms without a packet of the Client, whose Keep Alive is 10 s/],
  ['the Client is silent, not long', 4, [connect(4, { keepAlive: 10 }), connack()], 'server', 9_000, 'ended', 'server', /without DISCONNECT/],
  ['the Server is silent', 4, [connect(4), connack(), ['client', { type: 'pingreq' }, 100]], 'client', 5100, 'pingresp-timeout', 'client', /5,000 ms after a PINGREQ/],
  ['it breaks', 4, [connect(4), connack()], 'client', 9, 'broken', 'client', /^The connection of the Client broke: gone \(/, new Error('gone')],
  ['another protocol', 4, [['client', '47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a']], 'server', 9, 'protocol-error', 'server', /does not speak MQTT here but HTTP/],
]

for (const [what, version, lines, first, time, why, by, sentence, error] of ENDS) {
  test(`who closed first and why: ${what}`, () => {
    const { watch, ends } = talk(version, lines)
    watch.end(first, time, error)
    assert.equal(ends, [], 'the other side is still there')
    watch.end(first === 'client' ? 'server' : 'client', time + 5)
    assert.equal(ends.map(([cause]) => [cause.why, cause.by]), [[why, by]])
    assert.match(explain(ends[0]![0]), sentence)
    watch.end(first, time + 9)
    watch.stop(time + 9, 'too late')
    assert.is(ends.length, 1)
  })
}

test('WebSocket frames: masked or not, of any length, cut anywhere, control frames between', () => {
  const payload = Uint8Array.from({ length: 70_000 }, (_, i) => i)
  const masked = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => byte ^ [1, 2, 3, 4][i % 4]!)
  const wire = Buffer.concat([
    fromHex('82 05'), payload.subarray(0, 5), fromHex('89 01 21'), fromHex('02 fe 01 00 01 02 03 04'), masked(payload.subarray(5, 261)), fromHex('80 7f 00 00 00 00 00 01 10 6b'), payload.subarray(261), fromHex('82 00'), fromHex('88 82 01 02 03 04'), masked(fromHex('03 e8')),
  ])
  for (const size of [1, 3, 64, wire.length]) {
    const data: Uint8Array[] = []
    const controls: (readonly [number, number])[] = []
    const reader = new FrameReader({ data: (bytes) => { data.push(bytes) }, control: (opcode, bytes) => { controls.push([opcode, bytes[0]!]) }, fault: (text) => { throw new Error(text) } })
    for (let at = 0; at < wire.length; at += size) reader.push(wire.subarray(at, at + size))
    assert.ok(Buffer.concat(data).equals(payload), `${size}`)
    assert.equal(controls, [[9, 0x21], [8, 3]])
  }
  for (const [hex, pattern] of [['c2 01 00', /compressed/], ['81 01 61', /text message/], ['89 7e 00 7e 00', /more than 125/]] as const) {
    const faults: string[] = []
    const reader = new FrameReader({ data: () => { throw new Error('data') }, control: () => { throw new Error('control') }, fault: (text) => { faults.push(text) } })
    reader.push(fromHex(hex))
    reader.push(fromHex('00 00'))
    assert.match(faults.join(), pattern)
    assert.ok(reader.unread >= 2)
  }
})

test.run()
