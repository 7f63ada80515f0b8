// SPDX-License-Identifier: MIT
// The timers of one connection by name, on the wheel all connections share. Hardly ever are there more than two, so they are a list: a Map costs each
// idle connection 230 bytes.
import type { TimerName } from '../fsm/index.ts'
import type { Timers } from './timers.ts'

export type AlarmName = TimerName | 'drain' | 'handler'

interface Alarm {
  readonly name: AlarmName
  /** of the wheel */
  readonly entry: number
  /** a keep alive, which every packet in its direction puts off, by `ms` */
  quiet: 'sent' | 'received' | undefined
  ms: number
  next: Alarm | undefined
}

export class Alarms {
  private readonly timers: Timers
  private readonly target: { fired(alarm: AlarmName): void }
  private first: Alarm | undefined = undefined

  constructor(timers: Timers, target: { fired(alarm: AlarmName): void }) {
    this.timers = timers
    this.target = target
  }

  arm(name: AlarmName, ms: number, quiet: 'sent' | 'received' | undefined, now: number): void {
    const alarm = this.find(name) ?? this.create(name)
    // The Client has to have sent its packet by then [MQTT-3.1.2-23]: set out a little early.
    alarm.ms = quiet === 'sent' ? ms - Math.min(ms / 10, 500) : ms
    alarm.quiet = quiet
    this.timers.arm(alarm.entry, alarm.ms, now)
  }

  disarm(name: AlarmName): void {
    let before: Alarm | undefined
    for (let alarm = this.first; alarm !== undefined; before = alarm, alarm = alarm.next) {
      if (alarm.name !== name) continue
      this.timers.release(alarm.entry)
      if (before === undefined) this.first = alarm.next
      else before.next = alarm.next
      return
    }
  }

  disarmAll(): void {
    for (let alarm = this.first; alarm !== undefined; alarm = alarm.next) this.timers.release(alarm.entry)
    this.first = undefined
  }

  /** A packet has gone this way: silence begins anew. Tells whether anybody listens for it. */
  heard(direction: 'sent' | 'received', now: number): boolean {
    for (let alarm = this.first; alarm !== undefined; alarm = alarm.next) {
      if (alarm.quiet !== direction) continue
      this.timers.arm(alarm.entry, alarm.ms, now)
      return true
    }
    return false
  }

  private find(name: AlarmName): Alarm | undefined {
    let alarm = this.first
    while (alarm !== undefined && alarm.name !== name) alarm = alarm.next
    return alarm
  }

  private create(name: AlarmName): Alarm {
    const entry = this.timers.create(() => { this.target.fired(name) })
    this.first = { name, entry, quiet: undefined, ms: 0, next: this.first }
    return this.first
  }
}
