// The four ways a case is measured. Each runs in a process of its own, so nothing another contender did to the
// compiler or the heap can be seen here.

import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { stopwatch, wall } from './stopwatch.js'

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** Until that much work has been done, however long it had to wait for a core. */
function warmUp(ms, work) {
  for (const read = stopwatch(); read() < ms * 1e6;) work()
}

/** ns per operation: warm up, then batches of about 4 ms; the median batch speaks for the process. */
export function time({ loop, per = 1 }, { warm, span }) {
  let n = 1
  for (let took = 0; took < 1e6; n *= 2) {
    const read = stopwatch()
    loop(n)
    took = read()
  }
  warmUp(warm, () => loop(n))
  const read = stopwatch()
  loop(n)
  n = Math.max(1, Math.round(n * 4e6 / Math.max(1, read())))
  const batches = []
  for (const stop = wall() + span * 1e6; wall() < stop || batches.length < 9;) {
    const lap = stopwatch()
    loop(n)
    batches.push(lap() / n / per)
  }
  return { value: median(batches), best: Math.min(...batches), batches: batches.length }
}

/** ns for one big thing, run a few times as time allows after a small rehearsal. */
export function once({ rehearse, run }, { warm, span }) {
  warmUp(warm, rehearse)
  const runs = []
  for (const stop = wall() + span * 2e6; runs.length < 9 && (wall() < stop || runs.length === 0);) {
    const lap = stopwatch()
    run()
    runs.push(lap())
  }
  return { value: median(runs), best: Math.min(...runs), batches: runs.length }
}

/**
 * Heap bytes per operation. A span in which any collection fell is thrown away: it would count what was freed.
 * Needs --expose-gc and a young generation large enough for a span.
 */
export async function heap({ loop, per = 1 }, { warm }) {
  const collections = []
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  warmUp(warm, () => loop(16))
  const looking = await lookingCosts()
  let n = 4096
  const spans = []
  const outside = []
  for (let tries = 0; tries < 60 && spans.length < 15; tries++) {
    globalThis.gc()
    await turn()
    // A full collection also drops object shapes nobody holds at the moment, and optimised code that relied on them.
    loop(n)
    const from = performance.now()
    const before = process.memoryUsage()
    loop(n)
    const after = process.memoryUsage()
    const to = performance.now()
    await turn()
    await turn()
    const disturbed = collections.some(({ startTime }) => startTime >= from && startTime <= to)
    collections.length = 0
    if (disturbed) {
      n = Math.max(16, n >> 1)
      continue
    }
    spans.push((after.heapUsed - before.heapUsed - looking) / n / per)
    outside.push((after.arrayBuffers - before.arrayBuffers) / n / per)
  }
  observer.disconnect()
  if (spans.length === 0) throw new Error('a collection fell into every span')
  return { value: Math.max(0, median(spans)), best: Math.max(0, Math.min(...spans)), outside: Math.max(0, median(outside)), batches: spans.length }
}

/** Asking for the heap's size makes an object on it. */
async function lookingCosts() {
  const costs = []
  for (let i = 0; i < 9; i++) {
    globalThis.gc()
    await turn()
    const before = process.memoryUsage()
    costs.push(process.memoryUsage().heapUsed - before.heapUsed)
  }
  return median(costs)
}

/** ns per packet of a conversation that needs the event loop: send a turn's worth, wait until it has all arrived. */
export async function flow({ send, count, writes }, { warm, span }) {
  const PATIENCE = 2e9
  let turns = 0
  const round = async () => {
    const before = count()
    send()
    turns++
    const from = wall()
    do {
      await turn()
      if (wall() - from > PATIENCE) throw new Error('packets do not arrive')
    } while (count() < before + 64)
  }
  for (const stop = wall() + warm * 1e6; wall() < stop;) await round()
  turns = 0
  const wroteBefore = writes?.count
  const batches = []
  for (const stop = wall() + span * 2e6; wall() < stop || batches.length < 5;) {
    const had = count()
    const lap = stopwatch()
    for (let i = 0; i < 8; i++) await round()
    batches.push(lap() / (count() - had))
  }
  const note = writes && `${((writes.count - wroteBefore) / turns).toFixed(1)} writes a turn of 64 packets`
  return { value: median(batches), best: Math.min(...batches), batches: batches.length, note }
}

/** Bytes that stay, per thing made: what a server pays for each idle connection. The median of several lots, since the
 * heap as a whole also moves a little by itself. */
export async function retained({ make }) {
  const lot = 5_000
  const lots = 7
  const held = new Array(lot * lots).fill(undefined)
  const heap = []
  const outside = []
  await settle()
  let before = process.memoryUsage()
  for (let at = 0; at < held.length; at += lot) {
    for (let i = at; i < at + lot; i++) held[i] = make()
    await settle()
    const after = process.memoryUsage()
    heap.push((after.heapUsed - before.heapUsed) / lot)
    outside.push((after.arrayBuffers - before.arrayBuffers) / lot)
    before = after
  }
  if (held.some((each) => each === undefined)) throw new Error('nothing was made')
  return { value: median(heap), best: Math.min(...heap), outside: median(outside), batches: lots }
}

/** Bytes per thing when they are made all together, typed arrays included. */
export async function mass({ make, count }) {
  await settle()
  const before = process.memoryUsage()
  const made = await make()
  await settle()
  const after = process.memoryUsage()
  if (made === undefined) throw new Error('nothing was made')
  const value = (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / count
  return { value, best: value, batches: 1 }
}

async function settle() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await turn()
  }
}
