// SPDX-License-Identifier: MIT
// The timers of one connection by name, on the wheel all connections share.
import type { TimerName } from '../fsm/index.ts'
import type { Timers } from './timers.ts'

export type AlarmName = TimerName | 'drain' | 'handler'

export class Alarms {
  private readonly timers: Timers
  private readonly fire: (alarm: AlarmName) => void
  private readonly entries: Map<AlarmName, number> = new Map()
  /** the running keep alive, which every packet in its direction puts off */
  private quiet: { readonly direction: 'sent' | 'received', readonly entry: number, readonly ms: number } | undefined = undefined

  constructor(timers: Timers, fire: (alarm: AlarmName) => void) {
    this.timers = timers
    this.fire = fire
  }

  arm(alarm: AlarmName, ms: number, quiet: 'sent' | 'received' | undefined, now: number): void {
    let entry = this.entries.get(alarm)
    if (entry === undefined) {
      entry = this.timers.create(() => { this.fire(alarm) })
      this.entries.set(alarm, entry)
    }
    // The Client has to have sent its packet by then [MQTT-3.1.2-23]: set out a little early.
    const due = quiet === 'sent' ? ms - Math.min(ms / 10, 500) : ms
    if (quiet !== undefined) this.quiet = { direction: quiet, entry, ms: due }
    this.timers.arm(entry, due, now)
  }

  disarm(alarm: AlarmName): void {
    const entry = this.entries.get(alarm)
    if (entry === undefined) return
    this.timers.release(entry)
    this.entries.delete(alarm)
    if (this.quiet?.entry === entry) this.quiet = undefined
  }

  disarmAll(): void {
    for (const alarm of [...this.entries.keys()]) this.disarm(alarm)
  }

  /** A packet has gone this way: silence begins anew. Tells whether anybody listens for it. */
  heard(direction: 'sent' | 'received', now: number): boolean {
    const { quiet } = this
    if (quiet?.direction !== direction) return false
    this.timers.arm(quiet.entry, quiet.ms, now)
    return true
  }
}
