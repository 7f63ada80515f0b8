// SPDX-License-Identifier: MIT
// The last chapters of the tutorial, played with our broker: what becomes of sessions, Wills and messages when connections end. A and B are clients.
import { setTimeout as sleep } from 'node:timers/promises'
import { sizeOf } from '../fsm/index.ts'
import type { Chapter } from './stage.ts'

const WILL = { topic: 'wills', payload: 'A is lost', qos: 1, retain: false } as const

export const BROKER_CHAPTERS: readonly Chapter[] = [
  {
    title: () => 'A session that is kept: A is away, misses a QoS 1 message, comes back and gets it',
    async play(stage) {
      const before = await stage.guest('A', true)
      stage.expect('QoS 1 is granted', await before.client.subscribe({ filter: 'news', qos: 1 }), [1])
      await before.client.disconnect()
      const b = await stage.guest('B', false)
      await b.client.publish({ topic: 'news', payload: 'read all about it', qos: 1 })
      stage.note('A is away, and the broker has acknowledged the message to B: now it answers for it.')
      const after = await stage.guest('A', true, {}, before.client.session)
      await after.client.ping()
      stage.expect('Session Present, and the message is there', [after.client.connack.sessionPresent, after.heard], [true, ['news: read all about it']])
      await after.client.disconnect()
      await b.client.disconnect()
    },
  },
  {
    title: (version) => `A ${version === 5 ? 'clean start without Session Expiry Interval' : 'clean session'}: the broker forgets`,
    async play(stage) {
      const before = await stage.guest('A', false)
      await before.client.subscribe({ filter: 'news', qos: 1 })
      await before.client.disconnect()
      const b = await stage.guest('B', false)
      await b.client.publish({ topic: 'news', payload: 'read all about it', qos: 1 })
      const after = await stage.guest('A', false)
      await b.client.publish({ topic: 'news', payload: 'and again', qos: 1 })
      await after.client.ping()
      stage.expect('no session, no message, no subscription', [after.client.connack.sessionPresent, after.heard], [false, []])
      await after.client.disconnect()
      await b.client.disconnect()
    },
  },
  {
    title: () => 'A dies, and its Will reaches B; A takes its leave, and there is none',
    async play(stage) {
      const b = await stage.guest('B', false)
      await b.client.subscribe({ filter: 'wills', qos: 1 })
      const first = await stage.guest('A', false, { will: WILL })
      first.client.abort()
      for (let i = 0; i < 100 && b.heard.length === 0; i++) await sleep(10)
      stage.expect('B has the Will of the one that died', b.heard, ['wills: A is lost'])
      const second = await stage.guest('A', false, { will: WILL })
      await second.client.disconnect()
      // Anything that came of it would be in front of this.
      await b.client.publish({ topic: 'wills', payload: 'no more', qos: 1 })
      await b.client.ping()
      stage.expect('and nothing of the one that disconnected', b.heard, ['wills: A is lost', 'wills: no more'])
      await b.client.disconnect()
    },
  },
  {
    title: () => 'QoS 2 across a cut: the connection breaks between PUBLISH and PUBREC, and B gets the message exactly once',
    async play(stage) {
      const b = await stage.guest('B', false)
      await b.client.subscribe({ filter: 'orders', qos: 2 })
      const first = await stage.guest('A', true)
      stage.cutOn('publish')
      const outcome = await first.client.publish({ topic: 'orders', payload: 'one coffee', qos: 2 }).then(() => 'acknowledged', (error: Error) => error.name)
      stage.expect('A does not know whether its message has arrived', [outcome, sizeOf(first.client.session!).ours], ['ConnectionClosed', 1])
      stage.note('It has: but PUBREC was lost. A comes back with its session and sends it again, with DUP.')
      const second = await stage.guest('A', true, {}, first.client.session)
      // One to the PUBREC, one to the PUBCOMP, one for B's own.
      for (const { client } of [second, second, b, b]) await client.ping()
      stage.expect('the session went on, and nothing is open in it', [second.client.sessionOutcome, sizeOf(second.client.session!)], ['resumed', { ours: 0, theirs: 0 }])
      stage.expect('one message, one coffee', b.heard, ['orders: one coffee'])
      await second.client.disconnect()
      await b.client.disconnect()
    },
  },
]
