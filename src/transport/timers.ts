// SPDX-License-Identifier: MIT
// One lazy timer wheel for all connections of a process: arming again later, which is what keep alive does with every packet, is one store.
// The wheel looks at an entry when its old time comes, finds that there is time left and moves it on. Numbers in shared/numbers-to-beat.md
// and bench/README.md. Runs on any clock: tests hand in one that jumps.

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
const SLOTS = 4096
const NEVER = Infinity

/** A lazy timer wheel for any number of connections: to put a timer off is one store. Fires up to one tick (16 ms) late, never early. */
export class Timers {
  private readonly clock: Clock
  /** entry → when it is due; NEVER: not armed */
  private deadlines: Float64Array = new Float64Array(SLOTS + 64).fill(NEVER)
  /** each slot is a ring through its own index (0 to SLOTS - 1); an entry that is in no ring points at itself */
  private next: Int32Array = ringOfSelves(SLOTS + 64)
  private previous: Int32Array = ringOfSelves(SLOTS + 64)
  private readonly callbacks: ((() => void) | undefined)[] = []
  private readonly free: number[] = []
  /** during a wake-up: those whose time has come and whose callback has not run */
  private readonly due: Set<number> = new Set()
  private used = SLOTS
  /** the last tick that has been looked at */
  private tick: number
  private wake: { readonly handle: unknown, readonly tick: number } | undefined = undefined

  constructor(clock: Clock = systemClock) {
    this.clock = clock
    this.tick = Math.floor(clock.now() / TICK)
  }

  /** Milliseconds on the wheel's clock. Read it once per chunk and hand it on: a clock costs more than a PINGREQ. */
  now(): number {
    return this.clock.now()
  }

  /** A new timer, not armed. `release` gives it back. */
  create(callback: () => void): number {
    const entry = this.free.pop() ?? this.grow()
    this.callbacks[entry - SLOTS] = callback
    return entry
  }

  /** Fires `entry` once, `ms` after `now`, instead of whenever it was to fire. */
  arm(entry: number, ms: number, now: number): void {
    const deadline = now + ms
    const before = this.deadlines[entry]!
    this.deadlines[entry] = deadline
    // In its ring already, and looked at no later than this: the wheel will move it on. What is in no ring is due NEVER.
    if (before <= deadline) return
    this.unlink(entry)
    this.due.delete(entry)
    const tick = this.link(entry, deadline)
    if (this.wake === undefined || tick < this.wake.tick) this.sleep(tick)
  }

  disarm(entry: number): void {
    this.deadlines[entry] = NEVER
    this.unlink(entry)
    this.due.delete(entry)
  }

  release(entry: number): void {
    this.disarm(entry)
    this.callbacks[entry - SLOTS] = undefined
    this.free.push(entry)
  }

  /** Puts an entry into the ring of its tick, which is returned. */
  private link(entry: number, deadline: number): number {
    const tick = Math.max(this.tick + 1, Math.ceil(deadline / TICK))
    const slot = tick % SLOTS
    const after = this.next[slot]!
    this.next[slot] = entry
    this.previous[entry] = slot
    this.next[entry] = after
    this.previous[after] = entry
    return tick
  }

  private unlink(entry: number): void {
    const before = this.previous[entry]!
    const after = this.next[entry]!
    this.next[before] = after
    this.previous[after] = before
    this.next[entry] = entry
    this.previous[entry] = entry
  }

  /** Wakes at `tick`. A deadline more than one turn away is in a slot that comes up earlier and is left there. */
  private sleep(tick: number): void {
    if (this.wake !== undefined) this.clock.cancel(this.wake.handle)
    const ms = Math.max(1, Math.ceil(tick * TICK - this.clock.now()))
    this.wake = { tick, handle: this.clock.schedule(() => { this.advance() }, ms) }
  }

  private advance(): void {
    this.wake = undefined
    const now = this.clock.now()
    const last = Math.floor(now / TICK)
    // After a long sleep (a suspended laptop) one whole turn has seen everything.
    const first = Math.max(this.tick + 1, last - SLOTS + 1)
    this.tick = Math.max(this.tick, last)
    for (let tick = first; tick <= last; tick++) this.visit(tick % SLOTS, now)
    // Callbacks run behind the sweep: they may arm, disarm and release whatever they like, each other included.
    for (const entry of this.due) {
      this.due.delete(entry)
      this.callbacks[entry - SLOTS]!()
    }
    if (this.wake === undefined) this.sleepToNext()
  }

  private visit(slot: number, now: number): void {
    let entry = this.next[slot]!
    while (entry !== slot) {
      const after = this.next[entry]!
      const deadline = this.deadlines[entry]!
      if (deadline <= now) {
        this.unlink(entry)
        this.deadlines[entry] = NEVER
        this.due.add(entry)
      } else {
        this.unlink(entry)
        this.link(entry, deadline)
      }
      entry = after
    }
  }

  private sleepToNext(): void {
    for (let tick = this.tick + 1; tick <= this.tick + SLOTS; tick++) {
      if (this.next[tick % SLOTS] !== tick % SLOTS) return this.sleep(tick)
    }
  }

  private grow(): number {
    if (this.used === this.deadlines.length) {
      const length = 2 * this.used
      const deadlines = new Float64Array(length).fill(NEVER)
      const next = ringOfSelves(length)
      const previous = ringOfSelves(length)
      deadlines.set(this.deadlines)
      next.set(this.next)
      previous.set(this.previous)
      this.deadlines = deadlines
      this.next = next
      this.previous = previous
    }
    return this.used++
  }
}

/** The wheel that connections share unless given another. */
export const sharedTimers: Timers = /* @__PURE__ */ new Timers()

function ringOfSelves(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i)
}
