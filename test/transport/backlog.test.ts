// Messages across connections: order, one promise each, a bound.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PublishInput } from '../../src/codec/index.ts'
import type { Redo } from '../../src/fsm/index.ts'
import { Backlog } from '../../src/transport/backlog.ts'
import { ConnectionClosed } from '../../src/transport/index.ts'
import type { Client, Message } from '../../src/transport/index.ts'
import type { Request } from '../../src/transport/requests.ts'
import { failure, outcome } from '../helpers/lab.ts'

const GONE = new ConnectionClosed({ by: 'network', why: 'broken', phase: 'connected', sentence: 'gone' })

/** Stands for a connection: keeps what it is handed. */
class Hands {
  readonly handed: { readonly message: Message, readonly request: Request }[] = []
  redo: readonly Redo[] = []
  readonly client: Client = { hand: (message: Message, request: Request) => { this.handed.push({ message, request }) }, redo: [] } as unknown as Client

  get payloads(): unknown[] {
    return this.handed.map(({ message }) => message.payload)
  }

  /** What the machine says when the session is lost: `from` had these. */
  static after(from: Hands): Hands {
    const hands = new Hands()
    Object.assign(hands.client, { redo: from.handed.map(({ message, request }) => ({ packet: { type: 'publish', ...message } as PublishInput, token: request })) })
    return hands
  }
}

const message = (payload: string, qos: 0 | 1 | 2 = 1): Message => ({ topic: 'a', payload, qos })

test('what nobody has taken waits in its order, before anything later', async () => {
  const backlog = new Backlog(10)
  const first = new Hands()
  const all = ['1', '2', '3'].map((payload) => backlog.publish(message(payload), payload === '2' ? first.client : undefined))
  first.handed[0]!.request.reject(GONE)
  const second = new Hands()
  backlog.connected(second.client)
  assert.equal(second.payloads, ['1', '2', '3'])
  for (const { request } of second.handed) request.resolve({ type: 'puback', packetId: 1, reasonCode: 0 } as never)
  assert.equal((await Promise.all(all)).map((ack) => ack!.type), ['puback', 'puback', 'puback'])
})

test('QoS 0 may have arrived: it is not sent twice', async () => {
  const backlog = new Backlog(10)
  const hands = new Hands()
  const sent = failure(backlog.publish(message('1', 0), hands.client))
  hands.handed[0]!.request.reject(GONE)
  assert.is(await sent, GONE)
  const again = new Hands()
  backlog.connected(again.client)
  assert.equal(again.payloads, [])
})

test('a session lost again and again: one entry and one promise for each message, however often', async () => {
  const backlog = new Backlog(3)
  let hands = new Hands()
  const all = ['1', '2'].map((payload) => backlog.publish(message(payload), hands.client))
  for (let i = 0; i < 20; i++) {
    hands = Hands.after(hands)
    backlog.connected(hands.client)
    assert.equal(hands.payloads, ['1', '2'])
  }
  const third = backlog.publish(message('3'), hands.client)
  assert.match((await failure(backlog.publish(message('4'), hands.client))).message, /3 messages are not settled, and maximumBacklog is 3/)
  for (const { request } of hands.handed) request.resolve(undefined)
  assert.equal(await Promise.all([...all, third]), [undefined, undefined, undefined])
  assert.is(await outcome(backlog.publish(message('5'), hands.client)), 'hangs', 'there is room again')
})

test('messages of a stored session have nobody to tell, those of an earlier client its promise', () => {
  const backlog = new Backlog(10)
  const told: unknown[] = []
  const own: Request = { done: 'message', resolve: () => { told.push('own') }, reject: (error) => { told.push(error.name) } }
  const hands = new Hands()
  const redo = (payload: string, token: unknown): Redo => ({ packet: { type: 'publish', ...message(payload) } as PublishInput, token })
  Object.assign(hands.client, { redo: [redo('1', undefined), redo('2', own), redo('3', own)] })
  backlog.connected(hands.client)
  assert.equal(hands.payloads, ['1', '2', '3'])
  hands.handed[0]!.request.resolve(undefined)
  hands.handed[1]!.request.resolve(undefined)
  hands.handed[2]!.request.resolve({ type: 'puback', packetId: 1, reasonCode: 0x97 } as never)
  assert.equal(told, ['own', 'Refused'])
})

test('a refusal, a misuse and the end are told once', async () => {
  const backlog = new Backlog(10)
  const hands = new Hands()
  const all = ['1', '2', '3'].map((payload) => failure(backlog.publish(message(payload), hands.client)))
  hands.handed[0]!.request.resolve({ type: 'puback', packetId: 1, reasonCode: 0x87 } as never)
  hands.handed[1]!.request.reject(new TypeError('misuse'))
  backlog.close(new Error('over'))
  hands.handed[2]!.request.reject(GONE)
  hands.handed[2]!.request.resolve(undefined)
  assert.equal((await Promise.all(all)).map(({ name, message: said }) => (name === 'Refused' ? name : said)), ['Refused', 'misuse', 'over'])
  assert.is((await failure(backlog.publish(message('4'), undefined))).message, 'over')
})

test.run()
