// Messages as an async iterator.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PacketOf, Publish } from '../../src/codec/index.ts'
import { iterateMessages } from '../../src/transport/index.ts'
import type { MessageSource } from '../../src/transport/index.ts'
import { failure, lab, outcome, text } from '../helpers/lab.ts'
import { quiet } from '../helpers/pair.ts'

function source(): MessageSource & { readonly give: (payload: string) => unknown, readonly end: () => void } {
  let end!: () => void
  const finished = new Promise<void>((resolve) => { end = resolve })
  const self: MessageSource & { give: (payload: string) => unknown, end: () => void } = {
    onPublish: undefined, finished, end, give: (payload) => self.onPublish?.({ type: 'publish', topic: 'a', payload: new TextEncoder().encode(payload) } as PacketOf<'publish'>),
  }
  return self
}

test('it listens from the moment it is asked for, not from the first message that is', async () => {
  const s = source()
  const messages = iterateMessages(s)
  const done = s.give('1') as Promise<unknown>
  assert.is(text((await messages.next()).value as Publish), '1')
  assert.is(await outcome(done), 'hangs', 'in hand')
  const next = messages.next()
  assert.is(await done, undefined)
  assert.is(await outcome(next), 'hangs')
  s.end()
  assert.equal(await next, { done: true, value: undefined })
  assert.equal(await messages.next(), { done: true, value: undefined })
})

test('several may ask at once, and are served in order', async () => {
  const s = source()
  const messages = iterateMessages(s)
  const asked = [messages.next(), messages.next(), messages.next()]
  void s.give('1')
  void s.give('2')
  s.end()
  assert.equal((await Promise.all(asked)).map(({ done, value }) => (done === true ? 'over' : text(value as Publish))), ['1', '2', 'over'])
})

test('it can be left while it waits, and its place is given back', async () => {
  const s = source()
  const before: string[] = []
  const own = (message: Publish): void => { before.push(text(message)) }
  s.onPublish = own
  const messages = iterateMessages(s)
  const waiting = messages.next()
  await messages.return()
  assert.is((await waiting).done, true)
  assert.is(s.onPublish, own)
  const thrown = iterateMessages(s)
  const first = s.give('1')
  const second = s.give('2')
  assert.is((await failure(thrown.throw(new Error('enough')))).message, 'enough')
  await Promise.all([first, second])
  assert.is(s.onPublish, own)
})

test('two at a time: the later one has the messages, whoever leaves first', async () => {
  const s = source()
  const one = iterateMessages(s)
  const two = iterateMessages(s)
  await one.return()
  void s.give('1')
  assert.is(text((await two.next()).value as Publish), '1')
  await two.return()
  assert.is(s.give('2'), undefined, 'the first is not there any more')
})

test('what came before the end is given, all of it, and then it is over', async () => {
  const { client, peer, wire } = await lab({}, { set: (end) => { end.onPublish = () => 'later' } })
  for (const payload of ['1', '2', '3']) peer.publish({ topic: 'a', payload, qos: 1 }).catch(() => {})
  const own = client.publish({ topic: 'b', payload: '', qos: 1 }).catch(() => {})
  const messages = client.messages()
  // The acknowledgement that `own` waits for is looked for behind all three.
  await quiet()
  wire.cut()
  await own
  await client.closed
  const seen: string[] = []
  for await (const message of messages) seen.push(text(message))
  await client.finished
  assert.equal(seen, ['1', '2', '3'])
})

test('a loop may disconnect and wait for it', async () => {
  const { client, peer } = await lab()
  peer.publish({ topic: 'a', payload: '1', qos: 1 }).catch(() => {})
  const loop = (async () => {
    for await (const _ of client.messages()) await client.disconnect()
    return 'through'
  })()
  assert.is(await outcome(loop), 'through')
  assert.is(await outcome(client.finished), undefined)
})

test.run()
