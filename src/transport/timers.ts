// SPDX-License-Identifier: MIT
// The timers of all connections of a process: one table of deadlines, in blocks, and of each block when the earliest of its deadlines is due at
// the earliest. Arming again later, which is what keep alive does with every packet, is one store: the block is looked through when its old
// time comes, and finds that there is time left. Numbers in bench/README.md. Runs on any clock: tests hand in one that jumps.

/** Where time comes from; milliseconds from any origin that never steps back. */
export interface Clock {
  now(): number
  /** calls back once after `ms`; returns what `cancel` takes */
  schedule(callback: () => void, ms: number): unknown
  cancel(handle: unknown): void
}

/** The platform's clock: monotonic ms, and setTimeout. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(callback, ms) {
    const handle = setTimeout(callback, ms)
    // A waiting connection keeps the process alive by its socket; its deadlines need not.
    ;(handle as { unref?: () => void }).unref?.()
    return handle
  },
  cancel: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
}

/** Resolution in ms: a timer fires up to this much late, never early. */
const TICK = 16
/** Entries in a block, as a power of two: looking through one takes about a microsecond. */
const BLOCK_BITS = 10
const BLOCK = 1 << BLOCK_BITS
/** Deadlines are ticks since `base`, 32 bits of them: 795 days. This one is for what is not armed. */
const NEVER = 0xffff_ffff
/** How far back `base` lies, so that a `now` from a while ago counts from it as well. */
const LEAD = 0x10_0000
/** What setTimeout can wait, 24 days: who wakes too early sleeps again. */
const LONGEST = 0x7fff_ffff
/** The end of the list of entries given back. */
const NONE = -1

type Callback = () => void

/** A lazy timer wheel for any number of connections: to put a timer off is one store. Fires up to one tick (16 ms) late, never early. */
export class Timers {
  private readonly clock: Clock
  private base: number
  /** entry → the tick it is due at */
  private deadlines: Uint32Array = new Uint32Array(0)
  /** block → no entry in it is due before this tick */
  private earliest: Uint32Array = new Uint32Array(0)
  /** block → its entries' callbacks; in place of one given back the next such entry. By blocks, since a list that grows doubles */
  private readonly callbacks: (Callback | number)[][] = []
  private free = NONE
  private used = 0
  private wake: { readonly handle: unknown, readonly tick: number } | undefined = undefined

  constructor(clock: Clock = systemClock) {
    this.clock = clock
    this.base = Math.floor(clock.now() / TICK) - LEAD
  }

  /** Milliseconds on this clock. Read it once per chunk and hand it on: a clock costs more than a PINGREQ. */
  now(): number {
    return this.clock.now()
  }

  /** A new timer, not armed. `release` gives it back. */
  create(callback: Callback): number {
    const entry = this.free === NONE ? this.grow() : this.free
    const callbacks = this.callbacks[entry >>> BLOCK_BITS]!
    const next = callbacks[entry % BLOCK]
    if (typeof next === 'number') this.free = next
    callbacks[entry % BLOCK] = callback
    return entry
  }

  /** Fires `entry` once, `ms` after `now`, instead of whenever it was to fire. Throws a RangeError for what is no time, or more than two years away. */
  arm(entry: number, ms: number, now: number): void {
    const due = Math.ceil((now + ms) / TICK) - this.base
    if (!(due >= 0 && due < NEVER)) return this.armFar(entry, ms, now)
    this.deadlines[entry] = due
    // Its block is looked through no later than this.
    if (due >= this.earliest[entry >>> BLOCK_BITS]!) return
    this.earliest[entry >>> BLOCK_BITS] = due
    if (this.wake === undefined || due < this.wake.tick) this.sleep(due)
  }

  disarm(entry: number): void {
    this.deadlines[entry] = NEVER
  }

  release(entry: number): void {
    this.disarm(entry)
    const callbacks = this.callbacks[entry >>> BLOCK_BITS]!
    if (typeof callbacks[entry % BLOCK] === 'number') return
    callbacks[entry % BLOCK] = this.free
    this.free = entry
  }

  /** Counts the deadlines from a later tick, once in two years; what has been overdue since before it is due then. */
  private armFar(entry: number, ms: number, now: number): void {
    const by = Math.floor(now / TICK) - LEAD - this.base
    const due = Math.ceil((now + ms) / TICK) - this.base - by
    if (!(due >= 0 && due < NEVER)) throw new RangeError(`a timer of ${ms} ms: it takes 0 to ${(NEVER - LEAD - 1) * TICK}`)
    const shift = (tick: number): number => (tick === NEVER ? NEVER : Math.max(0, tick - by))
    this.base += by
    this.deadlines = this.deadlines.map(shift)
    this.earliest = this.earliest.map(shift)
    if (this.wake !== undefined) this.sleep(shift(this.wake.tick))
    this.arm(entry, ms, now)
  }

  private sleep(tick: number): void {
    if (this.wake !== undefined) this.clock.cancel(this.wake.handle)
    const ms = Math.max(1, Math.ceil((tick + this.base) * TICK - this.clock.now()))
    this.wake = { tick, handle: this.clock.schedule(() => { this.advance() }, Math.min(ms, LONGEST)) }
  }

  private advance(): void {
    this.wake = undefined
    const now = Math.floor(this.clock.now() / TICK)
    const due: number[] = []
    for (let block = 0; block < this.callbacks.length; block++) {
      if (this.earliest[block]! <= now - this.base) this.lookThrough(block, now - this.base, due)
    }
    this.fire(due, now)
  }

  /** Adds what is due to `due`, and notes when the rest is. */
  private lookThrough(block: number, tick: number, due: number[]): void {
    const { deadlines } = this
    let earliest = NEVER
    const end = (block + 1) << BLOCK_BITS
    for (let entry = block << BLOCK_BITS; entry < end; entry++) {
      const deadline = deadlines[entry]!
      if (deadline <= tick) due.push(entry)
      else if (deadline < earliest) earliest = deadline
    }
    this.earliest[block] = earliest
  }

  /** Callbacks run behind the search: they may arm, disarm and release whatever they like, each other included. */
  private fire(due: readonly number[], now: number): void {
    let at = 0
    try {
      while (at < due.length) {
        const entry = due[at++]!
        if (this.deadlines[entry]! > now - this.base) continue
        this.deadlines[entry] = NEVER
        ;(this.callbacks[entry >>> BLOCK_BITS]![entry % BLOCK] as Callback)()
      }
    } finally {
      // Those behind a callback that has thrown are looked for again.
      for (; at < due.length; at++) this.earliest[due[at]! >>> BLOCK_BITS] = 0
      const next = this.earliest.reduce((a, b) => Math.min(a, b), NEVER)
      if (next < NEVER) this.sleep(next)
    }
  }

  /** A new entry; with the first of a block the whole block. */
  private grow(): number {
    if (this.used % BLOCK === 0) {
      this.callbacks.push(new Array<number>(BLOCK).fill(NONE))
      if (this.used === this.deadlines.length) this.deadlines = larger(this.deadlines, BLOCK * Math.ceil(1.25 * this.callbacks.length))
      if (this.callbacks.length > this.earliest.length) this.earliest = larger(this.earliest, 2 * this.callbacks.length)
    }
    return this.used++
  }
}

/** The timers that connections share unless given others. */
export const sharedTimers: Timers = /* @__PURE__ */ new Timers()

function larger(ticks: Uint32Array, length: number): Uint32Array {
  const copy = new Uint32Array(length).fill(NEVER)
  copy.set(ticks)
  return copy
}
