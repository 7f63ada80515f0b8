// SPDX-License-Identifier: MIT
// What is printed of the connections of a proxy: lines for people, or one JSON object a line.
import { toJson } from '../../codec/index.ts'
import type { Sender } from '../../codec/index.ts'
import { explain } from '../../fsm/index.ts'
import type { CloseCause } from '../../fsm/index.ts'
import { maskedHex } from '../bytemap.ts'
import { masked } from '../decode.ts'
import { safe } from '../io.ts'
import type { Io } from '../io.ts'
import { ladder, packetLines, toLeft, toRight } from '../render.ts'
import { round } from './answers.ts'
import { nameOf } from './observer.ts'
import type { Observed } from './observer.ts'
import type { Phases, Reports, Summary } from './watch.ts'

export interface ReportOptions {
  readonly json: boolean
  /** no packets: only what is wrong, and the ends */
  readonly quiet: boolean
  readonly secrets: boolean
}

export interface Opened {
  readonly number: number
  /** ms since 1970 */
  readonly at: number
  readonly client: string
  readonly target: string
}

/** Where reports of one connection go. */
export function reporter(io: Io, opened: Opened, options: ReportOptions): Reports {
  return options.json ? new JsonReports(io, opened, options) : new TextReports(io, opened, options)
}

const MARGIN = 22

class TextReports implements Reports {
  private readonly io: Io
  private readonly number: number
  private readonly options: ReportOptions

  constructor(io: Io, { number, at, client, target }: Opened, options: ReportOptions) {
    this.io = io
    this.number = number
    this.options = options
    if (!options.quiet) io.print(io.paint.bold(`${this.head(0)} ${client} connects, for ${target}, at ${new Date(at).toISOString().slice(11, 23)} UTC`))
  }

  packet(observed: Observed, phases: Readonly<Phases>): void {
    const { print, paint } = this.io
    const { from, time, bytes, size, version, answers, broken, notes, keepAlive } = observed
    if (this.options.quiet && broken.length === 0) return
    const arrow = (from === 'client' ? toRight : toLeft)(titleOf(observed))
    const took = answers === undefined ? '' : paint.dim(`  ${round(answers.ms)} ms after ${answers.type.toUpperCase()}`)
    print(`${this.head(time)}${ladder(paint, phases.client, arrow, phases.server)}${took}`)
    if (!this.options.quiet) {
      for (const line of packetLines(paint, bytes, version, { secrets: this.options.secrets, margin: (at) => `${at ?? ''}`.padStart(MARGIN - 2).padEnd(MARGIN) })) print(line)
      if (bytes.length < size) print(paint.dim(`${' '.repeat(MARGIN)}… ${(size - bytes.length).toLocaleString('en-US')} more bytes`))
    }
    for (const { by, text } of broken) print(paint.red(`${' '.repeat(MARGIN)}✗ the ${nameOf(by)} breaks a rule: ${safe(text)}`))
    for (const note of notes) print(paint.dim(`${' '.repeat(MARGIN)}${safe(note)}`))
    if (keepAlive !== undefined && !this.options.quiet && (from === 'client' || observed.type === 'connack')) print(paint.dim(`${' '.repeat(MARGIN)}keep alive: the Client's next packet is due by ${seconds(keepAlive.due)}; without one the Server closes at ${seconds(keepAlive.closes)}`))
  }

  remark(from: Sender | undefined, time: number, text: string, wrong: boolean): void {
    if (this.options.quiet && !wrong) return
    const { print, paint } = this.io
    const side = from === undefined ? ' ' : from === 'client' ? '▷' : '◁'
    print(`${this.head(time)} ${(wrong ? paint.red : paint.dim)(`${side} ${safe(text)}`)}`)
  }

  closed(cause: CloseCause, { time, packets, bytes, unread }: Summary): void {
    const { print, paint } = this.io
    const amount = (['client', 'server'] as const).map((side) => `${counted(packets[side], 'packet')} (${counted(bytes[side], 'byte')}${unread[side] === 0 ? '' : `, ${unread[side].toLocaleString('en-US')} of them not read`}) from the ${nameOf(side)}`).join(', ')
    print(`${this.head(time)} ${(GOOD.has(cause.why) && (cause.reasonCode ?? 0) === 0 ? paint.green : paint.red)(safe(sentenceOf(cause)))} ${paint.dim(`After ${amount}.`)}`)
  }

  private head(time: number): string {
    return `${this.io.paint.bold(`#${this.number}`.padEnd(4))}${seconds(time).padStart(11)} `
  }
}

class JsonReports implements Reports {
  private readonly io: Io
  private readonly opened: Opened
  private readonly options: ReportOptions

  constructor(io: Io, opened: Opened, options: ReportOptions) {
    this.io = io
    this.opened = opened
    this.options = options
    if (!options.quiet) this.line('open', 0, { client: opened.client, target: opened.target })
  }

  packet(observed: Observed, phases: Readonly<Phases>): void {
    const { from, time, bytes, size, version, type, packet, answers, broken, notes, keepAlive } = observed
    const { quiet, secrets } = this.options
    if (quiet && broken.length === 0) return
    this.line('packet', time, {
      from, type: type ?? null, size, version, hex: maskedHex(bytes, version, secrets),
      packet: packet === undefined ? undefined : secrets ? toJson(packet) : masked(toJson(packet)),
      phases,
      answers: answers === undefined ? undefined : { type: answers.type, ms: fixed(answers.ms) },
      broken: broken.length === 0 ? undefined : broken.map(({ by, rule, text, error }) => ({ by, rule, text, ...(error === undefined ? {} : { name: error.name, reasonCode: error.reasonCode, offset: error.offset }) })),
      notes: notes.length === 0 ? undefined : notes,
      keepAlive: keepAlive === undefined ? undefined : { due: fixed(keepAlive.due) / 1000, closes: fixed(keepAlive.closes) / 1000 },
    })
  }

  remark(from: Sender | undefined, time: number, text: string, wrong: boolean): void {
    if (!this.options.quiet || wrong) this.line('remark', time, { from, text, wrong: wrong ? true : undefined })
  }

  closed(cause: CloseCause, { time, packets, bytes, unread }: Summary): void {
    const { by, why, phase, version, reasonCode, reasonString, serverReference, rule, offset } = cause
    this.line('close', time, { by, why, phase, version, reasonCode, reasonString, serverReference, rule, offset, will: cause.will === undefined ? undefined : { topic: cause.will.topic, delay: cause.willDelay }, sentence: sentenceOf(cause), packets, bytes, unread })
  }

  private line(event: string, time: number, more: object): void {
    const { number, at } = this.opened
    this.io.print(JSON.stringify({ event, connection: number, time: (at + time) / 1000, after: fixed(time) / 1000, ...more }))
  }
}

/** Where the proxy itself ended it there is no more to say than why. */
function sentenceOf(cause: CloseCause): string {
  return cause.by === 'network' ? cause.sentence : explain(cause)
}

/** Endings as both sides wanted them. */
const GOOD: ReadonlySet<string> = new Set(['disconnect'])

function titleOf({ type, packet, broken }: Observed): string {
  const foreign = broken.find((one) => one.foreign !== undefined)?.foreign
  if (foreign !== undefined) return `${foreign}, not MQTT`
  if (type === undefined) return 'not MQTT'
  if (packet?.type === 'publish') return `PUBLISH QoS ${packet.qos}${packet.dup ? ' DUP' : ''}`
  return type.toUpperCase()
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 100_000 ? 4 : 1)} s`
}

function fixed(ms: number): number {
  return Number(ms.toFixed(3))
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`
}
