// What a handler gives, as the packet that answers.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Packet, Publish } from '../../src/codec/index.ts'
import { answerTo } from '../../src/transport/reply.ts'

const publish = (qos: 0 | 1 | 2): Publish => ({ type: 'publish', topic: 'a', payload: new Uint8Array(0), qos, retain: false, dup: false, packetId: qos === 0 ? undefined : 7, properties: undefined }) as Publish
const subscribe = { type: 'subscribe', packetId: 8, subscriptions: [{ filter: 'a', qos: 0 }, { filter: 'b', qos: 2 }] } as unknown as Packet
const unsubscribe = { type: 'unsubscribe', packetId: 9, filters: ['a', 'b'] } as unknown as Packet

test('a message is acknowledged by its QoS; a code of the handler counts in 5.0 only', () => {
  assert.is(answerTo(publish(0), 0x87, 5), undefined)
  assert.equal(answerTo(publish(1), undefined, 5), { type: 'puback', packetId: 7, reasonCode: 0 })
  assert.equal(answerTo(publish(2), 0x87, 5), { type: 'pubrec', packetId: 7, reasonCode: 0x87 })
  assert.equal(answerTo(publish(1), 0x87, 4), { type: 'puback', packetId: 7, reasonCode: 0 })
})

test('requests: a code for all or one for each; nothing and `later` are no answer', () => {
  assert.equal(answerTo(subscribe, 1, 5), { type: 'suback', packetId: 8, reasonCodes: [1, 1] })
  assert.equal(answerTo(subscribe, [0, 0x87], 5), { type: 'suback', packetId: 8, reasonCodes: [0, 0x87] })
  assert.equal(answerTo(unsubscribe, 0x11, 5), { type: 'unsuback', packetId: 9, reasonCodes: [0x11, 0x11] })
  assert.equal(answerTo(unsubscribe, 0x11, 4), { type: 'unsuback', packetId: 9, reasonCodes: [] })
  for (const packet of [subscribe, unsubscribe]) assert.is(answerTo(packet, undefined, 5), undefined)
  for (const packet of [publish(1), subscribe, unsubscribe]) assert.is(answerTo(packet, 'later', 5), undefined)
  assert.is(answerTo({ type: 'pingresp' }, 0, 5), undefined)
})

test('MQTT-3.9.3-2 (3.1.1): a refusal is 0x80 in 3.1.1, and cannot be said in 3.1', () => {
  assert.equal(answerTo(subscribe, [2, 0x9e], 4), { type: 'suback', packetId: 8, reasonCodes: [2, 0x80] })
  assert.equal(answerTo(subscribe, [2, 0], 3), { type: 'suback', packetId: 8, reasonCodes: [2, 0] })
  assert.throws(() => answerTo(subscribe, 0x87, 3), /MQTT 3\.1 cannot say.*0x87/)
})

test.run()
