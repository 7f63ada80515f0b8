// SPDX-License-Identifier: MIT
// What is due after a Client has gone: its Will after the Will Delay Interval, the end of its session after the Session Expiry Interval, whichever
// comes first of a Will and its session's end (5.0 §3.1.3.2.2); and neither if it is back before.
import type { Timers } from '../transport/index.ts'
import type { BrokerSession } from './session.ts'
import type { StoredMessage } from './store.ts'

interface Due {
  will: StoredMessage | undefined
  readonly willTimer: number
  readonly endTimer: number
}

export class Endings {
  private readonly timers: Timers
  private readonly publish: (will: StoredMessage) => void
  private readonly forget: (session: BrokerSession) => void
  private readonly due: Map<BrokerSession, Due> = new Map()

  constructor(timers: Timers, publish: (will: StoredMessage) => void, forget: (session: BrokerSession) => void) {
    this.timers = timers
    this.publish = publish
    this.forget = forget
  }

  /** The Client is gone. `delay` and `expiry` in seconds. */
  away(session: BrokerSession, will: StoredMessage | undefined, delay: number, expiry: number): void {
    const now = this.timers.now()
    const due: Due = { will, willTimer: this.timers.create(() => { this.willDue(due) }), endTimer: this.timers.create(() => { this.over(session) }) }
    this.due.set(session, due)
    if (delay === 0) this.willDue(due)
    else if (will !== undefined) this.timers.arm(due.willTimer, delay * 1000, now)
    if (expiry === 0) this.over(session)
    else this.timers.arm(due.endTimer, expiry * 1000, now)
  }

  /** The Client is back. With a clean start its old session ends here, and a Will that waited is due now. */
  back(session: BrokerSession, cleanStart: boolean): void {
    const due = this.due.get(session)
    if (due === undefined) return
    if (cleanStart) this.willDue(due)
    this.release(session, due)
  }

  /** Nobody will remember the Wills that wait: they are due now. */
  close(): void {
    for (const [session, due] of this.due) {
      this.willDue(due)
      this.release(session, due)
    }
  }

  private willDue(due: Due): void {
    const { will } = due
    due.will = undefined
    if (will !== undefined) this.publish(will)
  }

  /** The session has ended: its Will waits no longer. */
  private over(session: BrokerSession): void {
    const due = this.due.get(session)!
    this.willDue(due)
    this.release(session, due)
    this.forget(session)
  }

  private release(session: BrokerSession, due: Due): void {
    this.timers.release(due.willTimer)
    this.timers.release(due.endTimer)
    this.due.delete(session)
  }
}
