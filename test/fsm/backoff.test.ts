// When to come back: how long to wait, after which endings, and when somebody else is there under the same name.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { REASONS, RETURN_CODES } from '../../src/codec/index.ts'
import { backoff, DEFAULT_BACKOFF, flapping, retryAfter } from '../../src/fsm/index.ts'
import type { CloseCause, CloseReason } from '../../src/fsm/index.ts'

function cause(more: Partial<CloseCause>): CloseCause {
  return { by: 'server', why: 'ended', phase: 'connected', version: 5, sentence: 'The Server went.', ...more }
}

test('the wait is anywhere from nothing to twice as much each time, and bounded', () => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const most = Math.min(60_000, 1_000 * 2 ** attempt)
    assert.is(backoff(attempt, 0), 0)
    assert.is(backoff(attempt, 0.5), Math.floor(most / 2))
    assert.ok(backoff(attempt, 0.999_999) < most)
    assert.ok(Number.isInteger(backoff(attempt, 0.123)))
  }
  assert.is(backoff(2, 0.5, { base: 10, maximum: 30 }), 15)
  assert.is(backoff(1e9, 0.5, { base: 10, maximum: 1e6 }), 500_000)
  assert.ok(Object.isFrozen(DEFAULT_BACKOFF))
})

test('a thousand clients that lose their server come back spread over the whole interval', () => {
  const waits = Array.from({ length: 1000 }, (_, i) => backoff(4, i / 1000))
  const tenths = Array.from({ length: 10 }, (_, tenth) => waits.filter((wait) => Math.floor(wait / 1600) === tenth).length)
  assert.equal(tenths, Array(10).fill(100))
})

test('an end that was wanted, or that the same CONNECT would bring again, is not tried again', () => {
  assert.is(retryAfter(cause({ by: 'client', why: 'disconnect', reasonCode: 0 })), 'never')
  for (const why of ['malformed', 'protocol-error'] as const) {
    assert.is(retryAfter(cause({ by: 'client', why, phase: 'authenticating', reasonCode: 0x81 })), 'never')
    assert.is(retryAfter(cause({ by: 'client', why, phase: 'connected', reasonCode: 0x81 })), 'retry')
  }
})

test('every Reason Code that a Server may refuse or disconnect with has its class', () => {
  const expected: { readonly [code: number]: string } = {
    0x81: 'never', 0x82: 'never', 0x84: 'never', 0x85: 'never', 0x86: 'credentials', 0x87: 'credentials', 0x8a: 'never', 0x8c: 'never', 0x8f: 'never', 0x90: 'never',
    0x93: 'never', 0x94: 'never', 0x95: 'never', 0x99: 'never', 0x9a: 'never', 0x9b: 'never', 0x9d: 'never', 0x9e: 'never', 0xa1: 'never', 0xa2: 'never',
  }
  for (const [code, { carriers }] of Object.entries(REASONS)) {
    const reasonCode = Number(code)
    if (carriers.includes('connack') && reasonCode >= 0x80) assert.is(retryAfter(cause({ why: 'refused', phase: 'authenticating', reasonCode })), expected[reasonCode] ?? 'retry', code)
    if (carriers.some((carrier) => carrier === 'disconnect' || carrier === 'disconnect by server')) assert.is(retryAfter(cause({ why: 'disconnect', reasonCode })), expected[reasonCode] ?? 'retry', code)
  }
})

test('3.x refuses with five codes', () => {
  const classes = RETURN_CODES.map((_, reasonCode) => retryAfter(cause({ why: 'refused', phase: 'authenticating', version: 4, reasonCode })))
  assert.equal(classes.slice(1), ['never', 'never', 'retry', 'credentials', 'credentials'])
})

test('whatever the network or a clock has ended is worth another try', () => {
  const reasons: readonly CloseReason[] = ['ended', 'broken', 'connack-timeout', 'pingresp-timeout', 'keep-alive-timeout', 'auth-timeout', 'taken-over', 'connect-timeout']
  for (const why of reasons) assert.is(retryAfter(cause({ why })), 'retry', why)
  assert.is(retryAfter(cause({ why: 'disconnect' })), 'retry', 'a Server that goes without a reason')
})

test('two clients that share a Client Identifier are noticed, and said so', () => {
  const taken = cause({ why: 'taken-over', reasonCode: 0x8e })
  let count = 0
  const said: (string | undefined)[] = []
  for (let i = 0; i < 4; i++) {
    const { count: next, sentence } = flapping(count, 'kitchen', taken, 2_000)
    count = next
    said.push(sentence)
  }
  assert.equal(said.slice(0, 2), [undefined, undefined])
  assert.match(said[2]!, /^3 connections in a row as "kitchen" .* within 120 s .*: another client uses the same Client Identifier/)
  assert.match(said[3]!, /^4 connections/)
})

test('3.x does not say why it closes: then it is a suspicion', () => {
  const closed = cause({ version: 4 })
  assert.match(flapping(2, 'kitchen', closed, 10).sentence!, /it may be that another client uses/)
  assert.is(flapping(2, 'kitchen', cause({ version: 5 }), 10).sentence, undefined, '5.0 would say so')
  assert.is(flapping(0, 'kitchen', { ...closed, phase: 'reauthenticating', why: 'taken-over' }, 10).count, 1)
})

test('an end of another kind, or after a long life, begins the count anew', () => {
  const taken = cause({ why: 'taken-over', reasonCode: 0x8e })
  for (const [end, lived] of [[taken, 120_000], [cause({ why: 'broken', by: 'network' }), 10], [cause({ why: 'refused', phase: 'authenticating' }), 0], [cause({ by: 'client', why: 'pingresp-timeout' }), 10]] as const) {
    assert.equal(flapping(2, 'kitchen', end, lived), { count: 0, sentence: undefined })
  }
  assert.is(flapping(0, 'kitchen', taken, 10, { times: 1, lived: 20 }).count, 1)
})

test.run()
