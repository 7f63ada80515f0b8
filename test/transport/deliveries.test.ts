// Packets on their way to a handler: one at a time, in order, a bounded number of them behind one that is busy.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Packet } from '../../src/codec/index.ts'
import type { Reply } from '../../src/transport/index.ts'
import { Deliveries } from '../../src/transport/deliveries.ts'
import { settle } from '../helpers/duplex.ts'

interface Rig { readonly deliveries: Deliveries, readonly log: string[], readonly go: (() => void)[] }

/** `reply` gives what the handler does with each packet, by its number. */
function rig(reply: (number: number) => Reply | Promise<Reply>, wentOn: (deliveries: Deliveries) => void = () => {}): Rig {
  const log: string[] = []
  const go: (() => void)[] = []
  const deliveries: Deliveries = new Deliveries({
    deliver: (packet) => {
      log.push(`got ${numberOf(packet)}`)
      return reply(numberOf(packet))
    },
    answer: (packet, given) => { log.push(`answer ${numberOf(packet)} ${String(given)}`) },
    handlerFailed: (error) => { log.push(`failed ${String(error)}`) },
    wentOn: () => { wentOn(deliveries) },
  })
  return { deliveries, log, go }
}

const packet = (number: number): Packet => ({ type: 'suback', packetId: number, reasonCodes: [0] })
const numberOf = (one: Packet): number => (one as { readonly packetId: number }).packetId

test('a handler that is done at once holds nothing up', () => {
  const { deliveries, log } = rig((n) => n)
  deliveries.push(packet(1), 1)
  deliveries.push(packet(2), 1)
  assert.equal(log, ['got 1', 'answer 1 1', 'got 2', 'answer 2 2'])
  assert.not(deliveries.busy)
})

test('behind a pending promise everything waits its turn, also what comes while the turn is passed on', async () => {
  let number = 3
  // As the driver does: it reads on as soon as it is told, and pushes what it finds.
  const read = (deliveries: Deliveries): void => { if (number < 6) deliveries.push(packet(++number), 1) }
  const { deliveries, log } = rig(async (n) => { if (n === 3) read(deliveries); return n }, read)
  for (const n of [1, 2, 3]) deliveries.push(packet(n), 1)
  assert.equal(log, ['got 1'])
  await settle()
  assert.equal(log.filter((line) => line.startsWith('got')), ['got 1', 'got 2', 'got 3', 'got 4', 'got 5', 'got 6'])
  assert.equal(log.filter((line) => line.startsWith('answer')).length, 6)
})

test('a packet pushed from within an answer does not overtake what waits', async () => {
  const order: number[] = []
  let pushed = false
  const deliveries: Deliveries = new Deliveries({
    deliver: (one) => {
      order.push(numberOf(one))
      return numberOf(one) === 1 ? Promise.resolve() : undefined
    },
    answer: () => {
      if (pushed) return
      pushed = true
      deliveries.push(packet(9), 1)
    },
    handlerFailed: () => {}, wentOn: () => {},
  })
  for (const n of [1, 2, 3]) deliveries.push(packet(n), 1)
  await settle()
  assert.equal(order, [1, 2, 3, 9])
})

test('the last word comes once, behind everything, also where a handler fails', async () => {
  const { deliveries, log } = rig((n) => (n === 2 ? Promise.reject(new Error('no')) : Promise.resolve(n)))
  for (const n of [1, 2, 3]) deliveries.push(packet(n), 1)
  deliveries.finally(() => { log.push('last') })
  await settle()
  assert.equal(log, ['got 1', 'answer 1 1', 'got 2', 'failed Error: no', 'got 3', 'answer 3 3', 'last'])
  deliveries.finally(() => { log.push('at once') })
  assert.is(log.at(-1), 'at once')
})

test('a thrown error, an answer that throws and a promise that rejects with nothing are failures, and nothing else stops', async () => {
  const log: string[] = []
  const deliveries = new Deliveries({
    deliver: (one) => {
      if (numberOf(one) === 1) throw new Error('thrown')
      return numberOf(one) === 3 ? Promise.reject(undefined) : Promise.resolve()
    },
    answer: (one) => { if (numberOf(one) === 2) throw new Error('answer'); log.push(`answer ${numberOf(one)}`) },
    handlerFailed: (error) => { log.push(String(error)) }, wentOn: () => {},
  })
  for (const n of [1, 2, 3, 4]) deliveries.push(packet(n), 1)
  await settle()
  assert.equal(log, ['Error: thrown', 'Error: answer', 'undefined', 'answer 4'])
})

test('a promise of another make is waited for too', async () => {
  const log: string[] = []
  let go = (): void => {}
  const thenable = { then(resolve: () => void) { go = resolve } } as unknown as Promise<Reply>
  const deliveries = new Deliveries({ deliver: () => thenable, answer: () => { log.push('answer') }, handlerFailed: () => {}, wentOn: () => {} })
  deliveries.push(packet(1), 1)
  await settle()
  assert.equal(log, [])
  go()
  await settle()
  assert.equal(log, ['answer'])
})

test('full at 100 packets or 1 MiB of them, and not when they are gone', async () => {
  let go = (): void => {}
  const { deliveries } = rig((n) => (n === 1 ? new Promise<void>((resolve) => { go = resolve }) : undefined))
  deliveries.push(packet(1), 1)
  for (let n = 2; n <= 100; n++) deliveries.push(packet(n), 1)
  assert.not(deliveries.full)
  deliveries.push(packet(101), 1)
  assert.ok(deliveries.full)
  go()
  await settle()
  assert.not(deliveries.full)
  deliveries.push(packet(1), 1)
  deliveries.push(packet(2), 1_048_575)
  assert.not(deliveries.full)
  deliveries.push(packet(3), 1)
  assert.ok(deliveries.full)
})

test.run()
