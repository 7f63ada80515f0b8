// SPDX-License-Identifier: MIT
// One connection as it is watched: chunks and ends in, what they mean out. Knows no socket; whoever calls says when, in ms since it opened.
import type { Sender } from '../../codec/index.ts'
import type { CloseCause, Phase } from '../../fsm/index.ts'
import { causeOf } from './ending.ts'
import { nameOf, Observer } from './observer.ts'
import type { Observed } from './observer.ts'
import { Reading } from './reading.ts'

/** What comes of watching. */
export interface Reports {
  packet(observed: Observed, phases: Readonly<Phases>): void
  /** something that is no packet; `from` undefined: of the connection as a whole */
  remark(from: Sender | undefined, time: number, text: string, wrong: boolean): void
  closed(cause: CloseCause, summary: Summary): void
}

export interface Phases {
  client: Phase
  server: Phase
}

export interface Summary {
  readonly time: number
  readonly packets: { readonly [S in Sender]: number }
  readonly bytes: { readonly [S in Sender]: number }
  /** bytes that could not be read as packets */
  readonly unread: { readonly [S in Sender]: number }
}

export class Watch {
  readonly observer: Observer = new Observer()
  /** another connection of the proxy came with the same Client Identifier */
  takenOverBy: number | undefined = undefined
  private readonly reports: Reports
  private readonly reading: Reading
  private readonly packets: { [S in Sender]: number } = { client: 0, server: 0 }
  private readonly bytes: { [S in Sender]: number } = { client: 0, server: 0 }
  private readonly gone: { [S in Sender]: boolean } = { client: false, server: false }
  private time = 0
  private first: Parameters<typeof causeOf>[1] | undefined = undefined
  private over = false
  private late: 'due' | 'closes' | undefined = undefined

  constructor(reports: Reports) {
    this.reports = reports
    this.reading = new Reading({
      packet: (from, frame) => {
        const observed = this.observer.take(from, frame, this.time)
        if (from === 'client') this.late = undefined
        this.packets[from]++
        if (this.observer.version !== undefined) this.reading.version = this.observer.version
        // Bytes of another protocol have no packets, whatever their first one looks like.
        if (observed.broken.some(({ foreign }) => foreign !== undefined)) this.reading.sides[from].framer.lose()
        reports.packet(observed, this.observer.phases)
      },
      remark: (from, text) => { reports.remark(from, this.time, text, false) },
      foreign: (from, name) => { this.observer.foreign(from, name) },
    })
  }

  /** Bytes pass. */
  push(from: Sender, chunk: Uint8Array, time: number): void {
    this.time = time
    this.bytes[from] += chunk.length
    this.reading.push(from, chunk)
  }

  /** A side has ended its stream, or its connection broke. The first one counts. */
  end(from: Sender, time: number, error?: Error): void {
    if (this.gone[from] || this.over) return
    this.gone[from] = true
    this.time = time
    this.reading.sides[from].end()
    this.first ??= this.endOf({ by: from, error })
    this.observer.ended(from)
    if (this.gone.client && this.gone.server) this.close()
    else this.reports.remark(from, time, error === undefined ? `the ${nameOf(from)} ends its side` : `the connection of the ${nameOf(from)} breaks: ${error.message}`, false)
  }

  /** There is no connection, or no more: for a reason of the proxy's own. */
  stop(time: number, sentence: string): void {
    this.time = time
    this.first ??= this.endOf({ by: 'network', sentence })
    this.close()
  }

  /** When to call `tick` next, if the clock gets there; undefined: never. */
  get deadline(): number | undefined {
    const deadlines = this.observer.deadlines()
    if (deadlines === undefined || this.over || this.late === 'closes') return undefined
    return this.late === 'due' ? deadlines.closes : deadlines.due
  }

  /** Says that a Keep Alive has passed, and that one and a half have, once each. */
  tick(time: number): void {
    const { deadline } = this
    if (deadline === undefined || time < deadline) return
    const { keepAlive } = this.observer.agreement!
    const first = this.late === undefined
    this.late = first ? 'due' : 'closes'
    this.reports.remark(undefined, time, first
      ? `the Client has sent nothing for its Keep Alive of ${keepAlive} s: it is late [MQTT-3.1.2-23]`
      : `the Client has sent nothing for one and a half times its Keep Alive of ${keepAlive} s: the Server has to close [${this.observer.version === 5 ? 'MQTT-3.1.2-22' : 'MQTT-3.1.2-24'}]`, true)
  }

  private endOf(end: Pick<Parameters<typeof causeOf>[1], 'by' | 'error' | 'sentence'>): Parameters<typeof causeOf>[1] {
    return { ...end, time: this.time, phases: { ...this.observer.phases }, deadlines: this.observer.deadlines() }
  }

  private close(): void {
    if (this.over) return
    this.over = true
    const { client, server } = this.reading.sides
    const cause = causeOf(this.observer, { ...this.first!, takenOverBy: this.takenOverBy })
    this.reports.closed(cause, { time: this.time, packets: { ...this.packets }, bytes: { ...this.bytes }, unread: { client: client.unread, server: server.unread } })
  }
}
