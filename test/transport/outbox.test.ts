import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, toHex, UsageError } from '../../src/codec/index.ts'
import type { PacketInput } from '../../src/codec/index.ts'
import { Outbox } from '../../src/transport/outbox.ts'

const publish = (size: number, fill = 1): PacketInput => ({ type: 'publish', topic: 't', payload: new Uint8Array(size).fill(fill) })

test('what a turn writes is one piece, in order', () => {
  const outbox = new Outbox()
  assert.is(outbox.take(), undefined)
  outbox.append({ type: 'pingreq' }, 4)
  outbox.append(publish(3), 4)
  outbox.append({ type: 'disconnect' }, 4)
  assert.is(outbox.length, 12)
  assert.is(toHex(outbox.take()!), 'c0 00 30 06 00 01 74 01 01 01 e0 00')
  assert.is(outbox.length, 0)
})

test('bytes handed out are never written again, over many slabs', () => {
  const outbox = new Outbox()
  const given: { readonly bytes: Uint8Array, readonly expected: string }[] = []
  for (let i = 0; i < 200; i++) {
    const packet = publish(1 + (i * 37) % 3000, i)
    outbox.append(packet, 4)
    given.push({ bytes: outbox.take()!, expected: toHex(encode(packet, 4)) })
  }
  for (const { bytes, expected } of given) assert.is(toHex(bytes), expected)
})

test('a packet larger than a slab, behind others that wait', () => {
  const outbox = new Outbox()
  outbox.append({ type: 'pingreq' }, 4)
  outbox.append(publish(200_000), 4)
  const bytes = outbox.take()!
  assert.is(bytes.length, 2 + 200_000 + 7)
  assert.is(toHex(bytes.subarray(0, 4)), 'c0 00 30 c3')
})

test('two connections that write in turn keep their bytes apart', () => {
  const a = new Outbox()
  const b = new Outbox()
  a.append({ type: 'pingreq' }, 4)
  b.append({ type: 'pingresp' }, 4)
  a.append({ type: 'disconnect' }, 4)
  b.append({ type: 'pingresp' }, 4)
  assert.is(toHex(a.take()!), 'c0 00 e0 00')
  assert.is(toHex(b.take()!), 'd0 00 d0 00')
})

test('a refused packet leaves what waits as it was', () => {
  const outbox = new Outbox()
  outbox.append({ type: 'pingreq' }, 4)
  assert.throws(() => outbox.append({ type: 'publish', topic: 'a/#', payload: 'x' }, 4), (error: Error) => error instanceof UsageError)
  outbox.append({ type: 'pingresp' }, 4)
  outbox.truncate(2)
  assert.is(toHex(outbox.take()!), 'c0 00')
})

test.run()
