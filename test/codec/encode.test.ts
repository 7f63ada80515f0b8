import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../src/codec/decode.ts'
import { encode, encodedSize, encodeInto, encodeParts } from '../../src/codec/encode.ts'
import { fromHex, toHex } from '../../src/codec/json.ts'
import type { PacketInput } from '../../src/codec/packet.ts'
import type { ProtocolVersion } from '../../src/codec/protocol.ts'
import { encoded, misused, thrownBy, VERSIONS } from '../helpers/codec.ts'

/** One small packet of each type, as 3.x and 5.0 write it. */
const SMALL: readonly (readonly [packet: PacketInput, three: string, five: string])[] = [
  [{ type: 'connack', reasonCode: 0 }, '20 02 00 00', '20 03 00 00 00'],
  [{ type: 'publish', topic: 'a', payload: 'b' }, '30 04 00 01 61 62', '30 05 00 01 61 00 62'],
  [{ type: 'puback', packetId: 1 }, '40 02 00 01', '40 02 00 01'],
  [{ type: 'pubrec', packetId: 1 }, '50 02 00 01', '50 02 00 01'],
  [{ type: 'pubrel', packetId: 1 }, '62 02 00 01', '62 02 00 01'],
  [{ type: 'pubcomp', packetId: 1 }, '70 02 00 01', '70 02 00 01'],
  [{ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 1 }] }, '82 06 00 01 00 01 61 01', '82 07 00 01 00 00 01 61 01'],
  [{ type: 'suback', packetId: 1, reasonCodes: [1] }, '90 03 00 01 01', '90 04 00 01 00 01'],
  [{ type: 'unsubscribe', packetId: 1, filters: ['a'] }, 'a2 05 00 01 00 01 61', 'a2 06 00 01 00 00 01 61'],
  [{ type: 'pingreq' }, 'c0 00', 'c0 00'],
  [{ type: 'pingresp' }, 'd0 00', 'd0 00'],
  [{ type: 'disconnect' }, 'e0 00', 'e0 00'],
]

function everyWay(packet: PacketInput, version: ProtocolVersion): string {
  const hex = toHex(encode(packet, version))
  const size = fromHex(hex).length
  assert.is(encodedSize(packet, version), size)
  const target = new Uint8Array(size + 5).fill(0xee)
  assert.is(encodeInto(packet, version, target, 3), 3 + size)
  assert.is(toHex(target), `ee ee ee ${hex} ee ee`)
  const [head, payload] = encodeParts(packet, version)
  assert.is(toHex(Uint8Array.of(...head, ...payload)), hex)
  return hex
}

test('MQTT-2.1.3-1 (5.0), MQTT-2.2.2-1 (3.1.1): each type goes out with its number and flags, the same from all four functions', () => {
  for (const [packet, three, five] of SMALL) {
    for (const version of VERSIONS) assert.is(everyWay(packet, version), version < 5 ? three : five)
  }
  for (const version of [3, 4] as const) assert.is(everyWay({ type: 'unsuback', packetId: 1 }, version), 'b0 02 00 01')
  assert.is(everyWay({ type: 'unsuback', packetId: 1, reasonCodes: [0x11] }, 5), 'b0 04 00 01 00 11')
  assert.is(everyWay({ type: 'auth' }, 5), 'f0 00')
  const connect = { type: 'connect', clientId: 'a', cleanStart: true, keepAlive: 1 } as const
  assert.is(everyWay({ ...connect, version: 3 }, 3), '10 0f 00 06 4d 51 49 73 64 70 03 02 00 01 00 01 61')
  assert.is(everyWay({ ...connect, version: 4 }, 4), '10 0d 00 04 4d 51 54 54 04 02 00 01 00 01 61')
  assert.is(everyWay({ ...connect, version: 5 }, 5), '10 0e 00 04 4d 51 54 54 05 02 00 01 00 00 01 61')
})

test('heads short and long, payloads small and large come out the same', () => {
  for (const topic of ['a'.repeat(90), 'a'.repeat(91), 'a'.repeat(92), 'a'.repeat(93), 'a'.repeat(500), 'a'.repeat(3_000)]) {
    for (const payload of [new Uint8Array(0), new Uint8Array(20_000).fill(7)]) {
      const length = 2 + topic.length + payload.length
      const prefix = length < 128 ? [length] : length < 16_384 ? [(length & 127) | 128, length >> 7] : [(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14]
      const bytes = Uint8Array.of(0x30, ...prefix, topic.length >> 8, topic.length & 0xff, ...new TextEncoder().encode(topic), ...payload)
      assert.is(everyWay({ type: 'publish', topic, payload }, 4), toHex(bytes))
    }
  }
})

test('encodeParts gives the payload itself, not a copy', () => {
  const payload = Uint8Array.of(1, 2, 3)
  const [head, tail] = encodeParts({ type: 'publish', topic: 'a', payload }, 4)
  assert.is(tail, payload)
  assert.is(toHex(head), '30 06 00 01 61')
  const [ping, none] = encodeParts({ type: 'pingreq' }, 4)
  assert.is(toHex(ping), 'c0 00')
  assert.is(none.length, 0)
})

test('what was encoded before is not changed by what is encoded next', () => {
  const [first] = encodeParts({ type: 'publish', topic: 'a', payload: '' }, 4)
  const second = encode({ type: 'publish', topic: 'b', payload: '' }, 4)
  assert.is(toHex(first), '30 03 00 01 61')
  assert.is(toHex(second), '30 03 00 01 62')
  const packets = Array.from({ length: 5_000 }, (_, i) => ({ type: 'publish', topic: String(i), payload: 'x'.repeat(i % 50) }) as const)
  const wires = packets.map((packet) => encode(packet, 5))
  for (const [i, wire] of wires.entries()) {
    const packet = decode(wire, 5)
    assert.ok(packet.type === 'publish' && packet.topic === String(i) && packet.payload.length === i % 50)
  }
})

test('a target too small is refused and left alone', () => {
  const publish = { type: 'publish', topic: 'a', payload: '1234' } as const
  for (const [size, offset] of [[8, 0], [9, 1], [0, 0], [20, 12], [20, 20], [20, -1], [20, NaN]] as const) {
    const target = new Uint8Array(size).fill(0xee)
    const error = thrownBy(() => encodeInto(publish, 4, target, offset)) as { name: string, message: string, rule: string, path: string, packet: string }
    assert.equal([error.name, error.packet, error.rule, error.path], ['UsageError', 'publish', 'encodeInto', ''])
    assert.match(error.message, `publish: 9 bytes do not fit a target of ${size} at offset ${offset}`)
    assert.ok(target.every((byte) => byte === 0xee))
  }
  assert.is(encodeInto(publish, 4, new Uint8Array(9), 0), 9)
})

test('what is no packet, and a version there is none of, are refused', () => {
  for (const packet of [{ type: 'hello' }, { type: 'toString' }, { type: '__proto__' }, { type: undefined }, {}]) {
    assert.throws(() => encoded(packet, 5), (error: { name: string, path: string, packet: undefined }) => error.name === 'UsageError' && error.path === 'type' && error.packet === undefined)
  }
  for (const version of [0, 2, 6, '5', undefined]) {
    assert.throws(() => encoded({ type: 'pingreq' }, version as 5), (error: { name: string, path: string, packet: string }) => error.name === 'UsageError' && error.path === 'version' && error.packet === 'pingreq')
  }
})

test('what is not even an object is refused', () => {
  for (const packet of [undefined, null, 'pingreq', 5]) {
    assert.throws(() => encoded(packet, 5), (error: { name: string, path: string }) => error.name === 'UsageError' && error.path === 'type')
  }
})

test('SPEC-2.2.1-1 (3.1.1): AUTH came with 5.0', () => {
  for (const version of [3, 4] as const) misused({ type: 'auth' }, version, 'packetType', '', version === 3 ? '3.1 §2.1' : 'SPEC-2.2.1-1')
})

test('a refused packet leaves no trace in the next', () => {
  misused({ type: 'publish', topic: 'a/#', payload: 'x' }, 5, 'topicWildcard', 'topic')
  assert.is(encoded({ type: 'pingreq' }, 5), 'c0 00')
})

test('a DISCONNECT that says something is not two bytes', () => {
  assert.equal(encoded({ type: 'disconnect', reasonCode: 4 }, 5), 'e0 01 04')
  assert.equal(encoded({ type: 'disconnect', reasonCode: 0, properties: { reasonString: 'a' } }, 5), 'e0 06 00 04 1f 00 01 61')
})

test('twin: what is two bytes without writing is what writing gives', () => {
  for (const version of [3, 4, 5] as const) {
    for (const packet of [{ type: 'pingreq' }, { type: 'pingresp' }, { type: 'disconnect' }, { type: 'disconnect', reasonCode: 0 }] as const) {
      const [head] = encodeParts(packet, version)
      assert.equal(encode(packet, version), head)
      const target = new Uint8Array(4).fill(9)
      assert.is(encodeInto(packet, version, target, 1), 3)
      assert.equal([...target], [9, head[0], head[1], 9])
      for (const offset of [3, 4, -1, 0.5, NaN]) {
        assert.throws(() => encodeInto(packet, version, target, offset), (error: Error) => error.name === 'UsageError')
        assert.equal([...target], [9, head[0], head[1], 9])
      }
    }
  }
})

/** What encoding ends with the long way, which `encodeParts` always goes: the bytes, or what is wrong. */
function longWay(packet: unknown, version: ProtocolVersion): string {
  try {
    const [head, tail] = encodeParts(packet as PacketInput, version)
    return toHex(Uint8Array.of(...head, ...tail))
  } catch (error) {
    return String(error)
  }
}

function shortWays(packet: unknown, version: ProtocolVersion): string[] {
  const target = new Uint8Array(64).fill(0xa5)
  const ways = [() => encode(packet as PacketInput, version), () => target.subarray(5, encodeInto(packet as PacketInput, version, target, 5))]
  return ways.map((way) => {
    try {
      return toHex(way())
    } catch (error) {
      assert.ok(target.every((byte) => byte === 0xa5))
      return String(error)
    }
  })
}

test('twin: acknowledgements and CONNACK in short form are what writing gives, and so are their refusals', () => {
  const ids = [0, 1, 255, 256, 4660, 65_535, 65_536, -1, 0.5, NaN, '1', null, undefined, 1n, true]
  const codes = [undefined, 0, -0, 1, 4, 5, 6, 0x10, 0x80, 0x87, 0xff, 256, -1, 0.5, NaN, '0', null, 0n, true]
  const extras = [undefined, {}, { reasonString: 'a' }, null, 'no']
  for (const version of VERSIONS) {
    for (const properties of extras) {
      for (const reasonCode of codes) {
        for (const type of ['puback', 'pubrec', 'pubrel', 'pubcomp']) {
          for (const packetId of ids) {
            const packet = { type, packetId, reasonCode, properties }
            const long = longWay(packet, version)
            for (const short of shortWays(packet, version)) assert.is(short, long, `${type} ${String(packetId)} ${String(reasonCode)} ${version}`)
          }
        }
        for (const sessionPresent of [undefined, false, true, 0, 1, null, 'true']) {
          const packet = { type: 'connack', sessionPresent, reasonCode, properties }
          const long = longWay(packet, version)
          for (const short of shortWays(packet, version)) assert.is(short, long, `connack ${String(sessionPresent)} ${String(reasonCode)} ${version}`)
        }
      }
    }
  }
})

test('a short form that does not fit is refused and leaves its target alone', () => {
  for (const [size, offset] of [[0, 0], [3, 0], [4, 1], [8, 5], [8, -1], [8, 0.5], [8, NaN]] as const) {
    const target = new Uint8Array(size).fill(0xa5)
    assert.throws(() => encodeInto({ type: 'puback', packetId: 1 }, 4, target, offset), (error: Error) => error.name === 'UsageError')
    assert.ok(target.every((byte) => byte === 0xa5))
  }
  const exact = new Uint8Array(4)
  assert.is(encodeInto({ type: 'puback', packetId: 0x1234 }, 4, exact, 0), 4)
  assert.is(toHex(exact), '40 02 12 34')
})

test('the type is judged before the version', () => {
  for (const packet of [{ type: 'hello' }, {}, undefined]) assert.throws(() => encode(packet as unknown as PacketInput, 7 as 5), /there is no packet of type/)
  for (const type of ['pingreq', 'puback', 'auth']) assert.throws(() => encode({ type } as unknown as PacketInput, 7 as 5), /there is no version 7/)
})

test.run()
