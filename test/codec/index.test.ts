import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as codec from '../../src/codec/index.ts'

test('the public names of the codec are these and no others', () => {
  assert.equal(Object.keys(codec).sort(), [
    'MAXIMUM_REMAINING_LENGTH', 'MalformedPacket', 'PACKETS', 'PROPERTIES', 'PROTOCOL_NAMES', 'PacketStream', 'ProtocolError', 'QUIRKS', 'REASONS', 'RETURN_CODES', 'RULES', 'UsageError',
    'annotate', 'decode', 'encode', 'encodeInto', 'encodeParts', 'encodedSize', 'fit', 'fromHex', 'fromJson', 'isTopicFilter', 'isTopicName', 'mayCarry', 'maySend',
    'parseSharedFilter', 'reasonName', 'returnCode', 'toHex', 'toJson', 'topicMatches',
  ])
})

test('the example of the README works with these names alone', () => {
  const wire = codec.encode({ type: 'publish', topic: 'temperature', payload: '21.5', qos: 1, packetId: 7 }, 5)
  const packet = codec.decode(wire, 5)
  assert.equal(codec.toJson(packet), { type: 'publish', topic: 'temperature', payload: { hex: '32 31 2e 35' }, qos: 1, retain: false, dup: false, packetId: 7 })
  const stream = new codec.PacketStream({ version: 5, maximumPacketSize: 1 << 20 })
  stream.push(wire)
  assert.equal(codec.toJson(stream.next()), codec.toJson(packet))
})

test.run()
