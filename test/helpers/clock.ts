// A clock that stands still until it is told to go on, and then goes from one scheduled call to the next.
import type { Clock } from '../../src/transport/index.ts'

interface Scheduled { readonly at: number, readonly callback: () => void }

export class FakeClock implements Clock {
  time = 1000
  private readonly scheduled = new Set<Scheduled>()

  now(): number {
    return this.time
  }

  schedule(callback: () => void, ms: number): unknown {
    const entry = { at: this.time + ms, callback }
    this.scheduled.add(entry)
    return entry
  }

  cancel(handle: unknown): void {
    this.scheduled.delete(handle as Scheduled)
  }

  /** Lets `ms` pass; what is due on the way is called at its time. */
  pass(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const next = [...this.scheduled].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.scheduled.delete(next)
      this.time = Math.max(this.time, next.at)
      next.callback()
    }
    this.time = end
  }

  /** A suspended machine: `ms` pass at once, and whatever was due comes late, when the clock goes on. */
  jump(ms: number): void {
    this.time += ms
  }

  get pending(): number {
    return this.scheduled.size
  }
}
