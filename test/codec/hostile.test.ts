// Hostile input that no fixture holds, because it is too large, too deep or too slow: docs/hostile-input.md says what the other classes are proven by.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode, encode, encodedSize, encodeParts, PacketStream, topicMatches } from '../../src/codec/index.ts'
import type { PublishInput } from '../../src/codec/index.ts'
import { fromHex, toHex } from '../../src/codec/json.ts'
import { expected, facts, thrownBy, VERSIONS } from '../helpers/codec.ts'

/** Remaining Lengths at the ends of each size of Table 1-1, as they are written. */
const LENGTHS = [
  [127, '7f'], [128, '80 01'], [16_383, 'ff 7f'], [16_384, '80 80 01'], [2_097_151, 'ff ff 7f'], [2_097_152, '80 80 80 01'], [268_435_455, 'ff ff ff 7f'],
] as const
const LARGEST_PACKET = 268_435_460

/** A PUBLISH of QoS 0 with this Remaining Length. */
function publishOf(remaining: number, version: 3 | 4 | 5): PublishInput {
  return { type: 'publish', topic: 'a', payload: new Uint8Array(remaining - (version === 5 ? 4 : 3)) }
}

test('MQTT-1.5.5-1 (5.0), SPEC-2.2.3-1 (3.1.1): a packet with a Remaining Length at each end of each size is headed by 1, 2, 3 and 4 bytes of it', () => {
  for (const version of VERSIONS) {
    for (const [remaining, hex] of LENGTHS) {
      const packet = publishOf(remaining, version)
      const header = fromHex(`30 ${hex}`)
      assert.is(encodedSize(packet, version), header.length + remaining, `size of ${remaining}`)
      const [head, payload] = encodeParts(packet, version)
      assert.equal(toHex(head.subarray(0, header.length)), toHex(header), `header of ${remaining}`)
      assert.is(head.length + payload.length, header.length + remaining)
    }
  }
})

test('MQTT-1.5.5-1 (5.0), SPEC-2.2.3-1 (3.1.1): packets up to the first of four bytes come back from a stream, cut inside its Remaining Length or not, and what follows it too', () => {
  for (const version of VERSIONS) {
    for (const [remaining] of LENGTHS.slice(0, -1)) {
      const packet = publishOf(remaining, version)
      const bytes = encode(packet, version)
      const payload = packet.payload as Uint8Array
      for (const cut of [0, 1, 2, 3, 4, 5, bytes.length - 1]) {
        const stream = new PacketStream({ version, maximumPacketSize: LARGEST_PACKET })
        stream.push(bytes.subarray(0, cut))
        assert.is(stream.next(), undefined)
        assert.is(stream.pending, cut)
        stream.push(bytes.subarray(cut))
        stream.push(Uint8Array.of(0xd0, 0))
        const read = stream.next()
        assert.is(read?.type === 'publish' && read.payload.length, payload.length, `Remaining Length ${remaining}, cut at ${cut}`)
        assert.is(stream.next()?.type, 'pingresp')
        assert.is(stream.pending, 0)
      }
    }
  }
})

test('SPEC-1.5.5-1 (5.0), SPEC-2.2.3-1 (3.1.1): a Remaining Length of 268,435,455 is waited for where the limit allows it, one byte more is not asked for', () => {
  for (const version of VERSIONS) {
    const stream = new PacketStream({ version, maximumPacketSize: LARGEST_PACKET })
    for (const byte of fromHex('30 ff ff ff 7f 00 01 61')) {
      stream.push(Uint8Array.of(byte))
      assert.is(stream.next(), undefined)
    }
    assert.is(stream.pending, 8)
    const smaller = new PacketStream({ version, maximumPacketSize: LARGEST_PACKET - 1 })
    smaller.push(fromHex('30 ff ff ff'))
    assert.is(smaller.next(), undefined)
    smaller.push(fromHex('7f'))
    const error = thrownBy(() => smaller.next()) as { readonly reasonCode: number }
    assert.is(error.reasonCode, 0x95)
  }
})

test('SPEC-1.5.5-1 (5.0), SPEC-2.2.3-1 (3.1.1): a header cut inside the Remaining Length is waited for by a stream and refused by decode, wherever it is cut', () => {
  for (const version of VERSIONS) {
    for (const hex of ['30', '30 80', '30 ff ff', '30 ff ff ff']) {
      const bytes = fromHex(hex)
      const stream = new PacketStream({ version })
      stream.push(bytes)
      assert.is(stream.next(), undefined)
      assert.is(stream.pending, bytes.length)
      const error = thrownBy(() => decode(bytes, version)) as { readonly name: string, readonly offset: number }
      assert.equal([error.name, error.offset], ['MalformedPacket', 1], hex)
    }
  }
})

test('filters and names as deep as a string can hold match in reads linear in their levels, right to the last', () => {
  /** Counted, not timed: a string that tells how often it is looked at. */
  const reads = (levels: number): number => {
    let count = 0
    const counted = (text: string): string => ({ length: text.length, charCodeAt: (i: number) => (count++, text.charCodeAt(i)) }) as unknown as string
    const name = `${'a/'.repeat(levels)}a`
    const filters = [[`${'+/'.repeat(levels)}b`, false], [`${'+/'.repeat(levels)}+`, true], [`${'a/'.repeat(levels)}#`, true], [`${'+/'.repeat(levels)}+/+`, false], [`${'+/'.repeat(levels)}a/#`, true]] as const
    for (const [filter, matches] of filters) assert.is(topicMatches(counted(filter), counted(name)), matches)
    return count
  }
  const [few, many] = [reads(2_000), reads(32_000)]
  assert.ok(many < 17 * few, `2,000 levels took ${few} reads, 32,000 took ${many}`)
})

test('MQTT-4.7.3-3 (3.1.1), MQTT-4.7.3-3 (5.0): a SUBSCRIBE of a filter with 32,768 levels goes out and comes back', () => {
  const filter = '+/'.repeat(32_767) + '+'
  for (const version of VERSIONS) {
    const packet = decode(encode({ type: 'subscribe', packetId: 1, subscriptions: [{ filter, qos: 0 }] }, version), version)
    assert.is(packet.type === 'subscribe' && packet.subscriptions[0]?.filter, filter)
  }
})

test('MQTT-3.1.0-1 (5.0): AUTH before CONNECT, whole, cut or of any code, is refused at its first byte', () => {
  for (const hex of ['f0', 'f0 00', 'f0 06 18 04 15 00 01 6d', 'f0 06 19 04 15 00 01 6d']) {
    const stream = new PacketStream({})
    stream.push(fromHex(hex))
    assert.equal(facts(thrownBy(() => stream.next())), expected('firstPacket', 5, 0), hex)
  }
})

test.run()
