import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BODILESS, checkFirstByte, decode, isFirstByte, readPacket } from '../../src/codec/decode.ts'
import { fromHex, toHex, toJson } from '../../src/codec/json.ts'
import { PACKETS } from '../../src/codec/protocol.ts'
import type { PacketType, ProtocolVersion } from '../../src/codec/protocol.ts'
import { decoded, faulty, thrownBy, VERSIONS } from '../helpers/codec.ts'
import { readerOf } from '../helpers/cursors.ts'

/** The shortest packet of each type, by version: first byte and body. */
const SHORTEST: { readonly [T in PacketType]: (version: ProtocolVersion) => string } = {
  connect: (v) => (v === 3 ? '10 0e 00 06 4d 51 49 73 64 70 03 02 00 00 00 00' : `10 ${v === 4 ? '0c' : '0d'} 00 04 4d 51 54 54 0${v} 02 00 00 ${v === 4 ? '' : '00 '}00 00`),
  connack: (v) => (v < 5 ? '20 02 00 00' : '20 03 00 00 00'),
  publish: (v) => (v < 5 ? '30 03 00 01 61' : '30 04 00 01 61 00'),
  puback: () => '40 02 00 01',
  pubrec: () => '50 02 00 01',
  pubrel: () => '62 02 00 01',
  pubcomp: () => '70 02 00 01',
  subscribe: (v) => (v < 5 ? '82 06 00 01 00 01 61 00' : '82 07 00 01 00 00 01 61 00'),
  suback: (v) => (v < 5 ? '90 03 00 01 00' : '90 04 00 01 00 00'),
  unsubscribe: (v) => (v < 5 ? 'a2 05 00 01 00 01 61' : 'a2 06 00 01 00 00 01 61'),
  unsuback: (v) => (v < 5 ? 'b0 02 00 01' : 'b0 04 00 01 00 00'),
  pingreq: () => 'c0 00',
  pingresp: () => 'd0 00',
  disconnect: () => 'e0 00',
  auth: () => 'f0 00',
}
const TYPES = Object.keys(SHORTEST) as PacketType[]

test('each type is read by its own reader, in every version that has it', () => {
  for (const version of VERSIONS) {
    for (const type of TYPES) {
      if (version >= PACKETS[type].since) assert.is(decode(fromHex(SHORTEST[type](version)), version).type, type)
    }
  }
})

test('MQTT-2.1.3-1 (5.0), MQTT-2.2.2-1, MQTT-2.2.2-2, MQTT-3.6.1-1, MQTT-3.8.1-1, MQTT-3.10.1-1, MQTT-3.14.1-1, MQTT-3.15.1-1 (5.0): header flags have one legal value, but in PUBLISH', () => {
  for (const version of [4, 5] as const) {
    for (const type of TYPES) {
      if (type === 'publish' || version < PACKETS[type].since) continue
      const hex = SHORTEST[type](version)
      for (let flags = 0; flags < 16; flags++) {
        const wrong = hex[0] + flags.toString(16) + hex.slice(2)
        if (wrong !== hex) faulty(wrong, version, 'headerFlags', 0)
      }
    }
  }
})

test('SPEC-3.1-fixed-header-flags: 3.1 checks the QoS bits of its three QoS 1 packets and nothing else', () => {
  for (const type of TYPES) {
    if (type === 'publish' || type === 'auth') continue
    const hex = SHORTEST[type](3)
    for (let flags = 0; flags < 16; flags++) {
      const other = hex[0] + flags.toString(16) + hex.slice(2)
      if (hex[1] === '0' || (flags & 0b0110) === 0b0010) assert.equal(decoded(other, 3), decoded(hex, 3), other)
      else faulty(other, 3, 'headerFlags', 0)
    }
  }
})

test('SPEC-2.1.2-1, SPEC-2.2.1-1: packet type 0 is forbidden, and 15 before 5.0', () => {
  for (const version of VERSIONS) {
    for (const hex of ['00 00', '0f 00']) faulty(hex, version, 'packetType', 0)
  }
  for (const version of [3, 4] as const) faulty('f0 00', version, 'packetType', 0)
})

test('the bytes are exactly one packet: none are none, fewer or more are a fault', () => {
  for (const version of VERSIONS) {
    faulty('', version, 'fieldFits', 0)
    faulty('d0', version, 'fieldFits', 1)
    faulty('30 03 00 01', version, 'wholePacket', 4)
    faulty('d0 00 d0 00', version, 'wholePacket', 2)
    faulty('d0 01', version, 'wholePacket', 2)
  }
})

test('MQTT-1.5.5-1, SPEC-1.5.5-1: Remaining Length is a Variable Byte Integer', () => {
  faulty('d0 80 00', 5, 'minimalVarint', 2)
  assert.equal(decoded('d0 80 00', 4), { type: 'pingresp' })
  for (const version of VERSIONS) faulty('d0 80 80 80 80 00', version, 'remainingLength', 4)
})

test('CONNECT brings its own version; whatever the caller says is not asked', () => {
  for (const version of VERSIONS) {
    for (const asked of VERSIONS) assert.is((toJson(decode(fromHex(SHORTEST.connect(version)), asked)) as { version: number }).version, version)
  }
})

test('twin: which byte can begin a packet is told alike by the table and by the checks', () => {
  for (const version of [undefined, ...VERSIONS]) {
    for (let first = 0; first < 256; first++) {
      const r = readerOf('', 5, 'connect')
      r.version = version
      let legal = true
      try {
        checkFirstByte(r, first, version)
      } catch {
        legal = false
      }
      assert.is(isFirstByte(first, version), legal, `${first.toString(16)} in ${version}`)
    }
  }
})

test('twin: the bodiless packets are what reading them gives', () => {
  for (const version of VERSIONS) {
    for (const [first, packet] of BODILESS.entries()) {
      if (packet === undefined) continue
      const r = readerOf(`${first.toString(16)} 00`, version, packet.type)
      r.version = version
      assert.is(readPacket(r), packet)
    }
  }
})

test('MQTT-3.1.0-1: without a version the packet must be a CONNECT', () => {
  const bytes = fromHex('d0 00')
  assert.throws(() => decode(bytes, undefined as unknown as 5), (error: { rule: string, reasonCode: number }) => error.rule === 'MQTT-3.1.0-1' && error.reasonCode === 0x82)
})

test('binary fields are views, unless copies are asked for', () => {
  const bytes = fromHex('30 04 00 01 61 62')
  const [view, copy] = [decode(bytes, 4), decode(bytes, 4, { copy: true })]
  assert.ok(view.type === 'publish' && copy.type === 'publish')
  assert.is(view.payload.buffer, bytes.buffer)
  bytes.fill(0)
  assert.is(toHex(view.payload), '00')
  assert.is(toHex(copy.payload), '62')
})

test('another protocol is recognised by its opening bytes', () => {
  const error = thrownBy(() => decode(new TextEncoder().encode('HTTP/1.1 400 Bad Request'), 5)) as { name: string, foreign: string, message: string }
  assert.equal([error.name, error.foreign], ['MalformedPacket', 'HTTP'])
  assert.match(error.message, 'these are the opening bytes of HTTP')
})

test('a refused packet leaves no trace in the next', () => {
  faulty('31 ff', 5, 'fieldFits', 1)
  faulty('20 03 02 00 00', 5, 'acknowledgeFlags', 2)
  assert.equal(decoded('20 03 01 00 00', 5), { type: 'connack', sessionPresent: true, reasonCode: 0 })
})

test('a version there is none of is the caller\'s mistake', () => {
  for (const version of [0, 2, 6, '5', null]) {
    assert.throws(() => decode(fromHex('30 03 00 01 61'), version as 5), (error: Error) => error.name === 'UsageError' && /there is no version/.test(error.message))
  }
})

test.run()
