// What an acknowledgement says, as a value or an error.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketOf } from '../../src/codec/index.ts'
import { answered, published, Refused } from '../../src/transport/outcome.ts'

type Ack = PacketOf<'puback' | 'pubrec' | 'pubcomp'>
type Suback = PacketOf<'suback' | 'unsuback'>

function thrown(run: () => unknown): Refused {
  try {
    run()
  } catch (error) {
    return error as Refused
  }
  throw new Error('it did not throw')
}

test('a message is taken, or it is not and says why', () => {
  assert.is(published(undefined, 'a'), undefined)
  const puback = { type: 'puback', packetId: 1, reasonCode: 0x10 } as Ack
  assert.is(published(puback, 'a'), puback)
  const error = thrown(() => published({ type: 'pubrec', packetId: 1, reasonCode: 0x97, properties: { reasonString: 'full' } } as Ack, 'a'))
  assert.equal([error.name, error.reasonCode, error.packet.type], ['Refused', 0x97, 'pubrec'])
  assert.match(error.message, /"a" was refused: 0x97 Quota exceeded \(full\)/)
})

test('5.0 §4.3.3: PUBCOMP 0x92 comes after the message was taken', () => {
  const pubcomp = { type: 'pubcomp', packetId: 1, reasonCode: 0x92 } as Ack
  assert.is(published(pubcomp, 'a'), pubcomp)
})

test('one refusal among many filters is named', () => {
  assert.equal(answered({ type: 'suback', packetId: 1, reasonCodes: [0, 2] } as Suback, ['a', 'b']), [0, 2])
  const error = thrown(() => answered({ type: 'suback', packetId: 1, reasonCodes: [0, 0x87] } as Suback, ['a', 'b']))
  assert.match(error.message, /SUBSCRIBE "b" was refused: 0x87 Not authorized/)
  assert.match(thrown(() => answered({ type: 'unsuback', packetId: 1, reasonCodes: [0x80] } as Suback, ['a'])).message, /UNSUBSCRIBE "a"/)
  assert.equal(answered({ type: 'unsuback', packetId: 1 } as unknown as Suback, ['a']), [])
})

test.run()
