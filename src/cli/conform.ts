// SPDX-License-Identifier: MIT
// `connack conform`: what a server does with bytes that it must refuse. A few connections at a time, at a bounded rate, for a bounded time.
import { encode, PacketStream, reasonName } from '../codec/index.ts'
import type { ProtocolVersion } from '../codec/index.ts'
import { answerText } from './findings.ts'
import { casesOf } from './conform-cases.ts'
import type { Case } from './conform-cases.ts'
import { safe, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { integer, text } from './options.ts'
import type { OptionRow, Words } from './options.ts'
import { connectPacket, nextPacket, openLink, tryConnect } from './probe/open.ts'
import { addressesOf, Failure } from './probe/wire.ts'
import type { Link } from './probe/wire.ts'
import { targetOf, versionOf } from './target.ts'
import type { Target } from './target.ts'
import { VERSIONS } from './versions.ts'

export const CONFORM_OPTIONS: readonly OptionRow[] = [
  { names: ['wait'], value: 'MS', help: 'how long a server may take to close, 100 to 60000; default 1000' },
  { names: ['rate'], value: 'N', help: 'connections begun a second, 1 to 1000; default 50' },
  { names: ['at-once'], value: 'N', help: 'connections at a time, 1 to 8; default 3' },
  { names: ['time'], value: 'SECONDS', help: 'how long all of it may take, 1 to 3600; default 120' },
  { names: ['all'], help: 'list also what was answered as it must be' },
]

/** `unclear`: refused, and perhaps for another reason than the one tested. */
export type Score = 'right' | 'wrong' | 'unclear'

export interface Outcome {
  readonly score: Score
  readonly text: string
  readonly ms: number
}

export interface Conformance {
  readonly target: Target
  readonly versions: readonly ProtocolVersion[]
  readonly wait: number
  readonly rate: number
  readonly atOnce: number
  readonly time: number
  readonly report: (one: Case, outcome: Outcome) => void
  readonly note: (text: string) => void
}

export interface Summary {
  readonly right: number
  readonly wrong: number
  readonly unclear: number
  /** not sent: no time, or no server left */
  readonly left: number
  /** after which cases the server took no more connections */
  readonly crashed: readonly string[]
  /** why nothing could be tested, as an exit status */
  readonly refused: number | undefined
}

/** Codes by which a server refuses who cannot log in: with a malformed CONNECT there is no telling which came first. */
const LOGIN_CODES: ReadonlySet<number> = new Set([0x04, 0x05, 0x86, 0x87])
/** After so many ms without a word, a PINGREQ asks whether the server has taken what it should have refused. */
const QUIET = 200
/** How long a server that refuses a connection is given before it counts as crashed. */
const REVIVAL = 500
const ALL: readonly ProtocolVersion[] = [5, 4]

export async function conformCommand(words: Words, io: Io): Promise<number> {
  const wanted = text(words, 'version')
  const json = words.values['json'] === true
  const all = words.values['all'] === true
  const summary = await conform({
    target: targetOf(words),
    versions: wanted === undefined ? ALL : [versionOf(wanted)],
    wait: integer(words, 'wait', 1000, 100, 60_000, 'ms'),
    rate: integer(words, 'rate', 50, 1, 1000, 'connections a second'),
    atOnce: integer(words, 'at-once', 3, 1, 8, 'connections'),
    time: 1000 * integer(words, 'time', 120, 1, 3600, 'seconds'),
    report: (one, outcome) => { if (json) io.print(JSON.stringify({ id: one.id, title: one.title, version: one.version, expect: one.expect, ...outcome, ms: Math.round(outcome.ms) })); else if (all || outcome.score !== 'right') show(one, outcome, io) },
    note: io.complain,
  })
  return conclude(summary, json, io)
}

/** Runs the cases; reports each. */
export async function conform(run: Conformance): Promise<Summary> {
  const { target, versions, wait, rate, atOnce, time, report, note } = run
  const tally = { right: 0, wrong: 0, unclear: 0 }
  const end = performance.now() + time
  let address: string
  const cases: Case[] = []
  let refused: number | undefined
  try {
    address = (await addressesOf(target.host, wait))[0]!
    for (const version of versions) {
      const { answer } = await tryConnect(await openLink(target, address, Math.max(wait, 1000)), connectPacket(target, version, 'connackconform'), Math.max(wait, 1000))
      if (answer.kind === 'accepted') {
        leave(answer.link)
        cases.push(...casesOf(version))
        continue
      }
      refused ??= answer.kind === 'refused' ? answer.code : STATUS.lost
      note(`MQTT ${VERSIONS[version]} is left out, since a proper CONNECT is not accepted: ${answerText(answer)}`)
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    note(error.message)
    return { ...tally, left: 0, crashed: [], refused: STATUS.lost }
  }
  const queue = [...cases]
  const running = new Set<Case>()
  let crashed: readonly string[] = []
  let next = performance.now()
  const worker = async (): Promise<void> => {
    while (queue.length > 0 && crashed.length === 0) {
      const begin = next = Math.max(next + 1000 / rate, performance.now())
      if (begin + wait > end) return
      await new Promise((resolve) => { setTimeout(resolve, begin - performance.now()) })
      const one = queue.shift()
      if (one === undefined) return
      running.add(one)
      const outcome = await runCase(run, address, one)
      if (outcome === undefined) {
        // The server went away while these were running; the one that could not connect is the witness.
        if (crashed.length === 0) crashed = [...before, ...running].filter((other) => other !== one).map(({ id }) => id)
        queue.unshift(one)
        return
      }
      running.delete(one)
      before.push(one)
      if (before.length > atOnce) before.shift()
      tally[outcome.score]++
      report(one, outcome)
    }
  }
  const before: Case[] = []
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { ...tally, left: queue.length, crashed, refused: cases.length === 0 ? refused : undefined }
}

/** One case on a connection of its own; undefined when the server takes none any more. */
async function runCase({ target, wait }: Conformance, address: string, one: Case): Promise<Outcome | undefined> {
  const link = await openOrRetry(target, address, wait)
  if (link === undefined) return undefined
  const { version, bytes, connected, expect } = one
  let stream = new PacketStream({ version })
  if (connected) {
    const { answer } = await tryConnect(link, connectPacket(target, version, `connackconform${(++serial) % 1000}`), Math.max(wait, 1000))
    if (answer.kind !== 'accepted') return { score: 'unclear', text: `the CONNECT before it: ${answerText(answer)}`, ms: 0 }
    stream = answer.stream
  }
  const begun = performance.now()
  link.write(bytes)
  const outcome = expect === 'close' ? await untilClosed(link, stream, one, wait) : await untilAnswered(link, stream, expect, wait)
  leave(link)
  return { ...outcome, ms: performance.now() - begun }
}

let serial = 0

async function openOrRetry(target: Target, address: string, wait: number): Promise<Link | undefined> {
  const patience = Math.max(wait, 1000)
  try {
    return await openLink(target, address, patience)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    await new Promise((resolve) => { setTimeout(resolve, REVIVAL) })
    return openLink(target, address, patience).catch(() => undefined)
  }
}

type Found = Omit<Outcome, 'ms'>

/** The server must end the connection; before that it may say why. */
async function untilClosed(link: Link, stream: PacketStream, { connected, version }: Case, wait: number): Promise<Found> {
  const deadline = performance.now() + wait
  let said = ''
  let asked = false
  let login = false
  for (;;) {
    const left = deadline - performance.now()
    const { packet, error, what, bytes } = await nextPacket(link, stream, Math.max(0, !asked && connected ? Math.min(QUIET, left) : left))
    if (what === 'end') return { score: login ? 'unclear' : 'right', text: `${said === '' ? '' : `${said}, then `}${link.ended === 'reset' ? 'reset' : 'closed'}` }
    if (what === 'late') {
      if (asked || !connected || performance.now() >= deadline) return { score: 'wrong', text: `${said === '' ? '' : `${said}, and `}still open after ${wait} ms` }
      asked = true
      link.write(encode({ type: 'pingreq' }, version))
      continue
    }
    // A CONNACK of two bytes in answer to 5.0 refuses as well.
    const code = packet?.type === 'connack' || packet?.type === 'disconnect' ? packet.reasonCode : error !== undefined && bytes[0] === 0x20 && bytes[1] === 2 ? bytes[3]! : undefined
    if (packet?.type === 'pingresp') return { score: 'wrong', text: asked ? 'accepted: a PINGREQ behind it is answered' : 'accepted: PINGRESP' }
    if (packet?.type === 'connack' && code === 0) return { score: 'wrong', text: 'accepted: CONNACK 0x00' }
    if (code !== undefined) {
      said = `${packet?.type === 'disconnect' ? 'DISCONNECT' : 'CONNACK'} 0x${code.toString(16).padStart(2, '0')} ${reasonName(packet?.type ?? 'connack', code, version) ?? ''}`.trim()
      login = !connected && LOGIN_CODES.has(code)
    }
    if (error !== undefined) return finish(link, said === '' ? 'an answer that is not MQTT' : said, Math.max(0, deadline - performance.now()), wait)
  }
}

/** The stream is dead; is the connection? */
async function finish(link: Link, said: string, left: number, wait: number): Promise<Found> {
  const end = performance.now() + left
  for (;;) {
    const what = await link.wait(Math.max(0, end - performance.now()))
    if (what === 'end') return { score: 'right', text: `${said}, then closed` }
    if (what === 'late') return { score: 'wrong', text: `${said}, and still open after ${wait} ms` }
    link.take()
  }
}

async function untilAnswered(link: Link, stream: PacketStream, expect: string, wait: number): Promise<Found> {
  const deadline = performance.now() + wait
  for (;;) {
    const { packet, error, what } = await nextPacket(link, stream, Math.max(0, deadline - performance.now()))
    if (packet?.type === expect) return { score: 'right', text: `${expect.toUpperCase()}${packet.type === 'connack' && packet.reasonCode !== 0 ? ` 0x${packet.reasonCode.toString(16).padStart(2, '0')}` : ''}` }
    if (error !== undefined) return { score: 'wrong', text: `an answer that is malformed: ${error.message}` }
    if (what === 'end') return { score: 'wrong', text: `closed instead of ${expect.toUpperCase()}` }
    if (what === 'late') return { score: 'wrong', text: `no ${expect.toUpperCase()} within ${wait} ms` }
  }
}

/** With a DISCONNECT, so that a Will which should never have been taken is not published. */
function leave(link: Link): void {
  if (link.ended === undefined) link.write(Uint8Array.of(0xe0, 0))
  link.destroy()
}

const MARKS: { readonly [S in Score]: string } = { right: '✓', wrong: '✗', unclear: '?' }

function show({ id, title }: Case, { score, text: said, ms }: Outcome, { print, paint }: Io): void {
  const colour = score === 'right' ? paint.green : score === 'wrong' ? paint.red : paint.dim
  print(`${colour(MARKS[score])} ${id.padEnd(20)} ${safe(said)} (${Math.round(ms)} ms): ${title}`)
}

function conclude({ right, wrong, unclear, left, crashed, refused }: Summary, json: boolean, { print, paint, complain }: Io): number {
  if (refused !== undefined) {
    if (json) print(JSON.stringify({ right, wrong, unclear, left, crashed }))
    complain('nothing could be tested')
    return refused
  }
  const judged = right + wrong
  if (json) print(JSON.stringify({ right, wrong, unclear, left, crashed }))
  else {
    const rest = [...unclear > 0 ? [`${unclear} unclear, refused perhaps for want of a login`] : [], ...left > 0 ? [`${left} not sent`] : []]
    print((wrong === 0 ? paint.green : paint.red)(`${right} of ${judged} cases answered as the standard asks (${judged === 0 ? 0 : Math.floor(100 * right / judged)} %)${rest.map((one) => `; ${one}`).join('')}`))
    if (crashed.length > 0) print(paint.red(`The server takes no more connections, after one of: ${crashed.join(', ')}`))
  }
  if (crashed.length > 0) return STATUS.lost
  return wrong === 0 && left === 0 ? STATUS.fine : STATUS.wrong
}
