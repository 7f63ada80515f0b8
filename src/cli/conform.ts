// SPDX-License-Identifier: MIT
// `connack conform`: what a server does with bytes that it must refuse. A few connections at a time, at a bounded rate, for a bounded time.
import type { ProtocolVersion } from '../codec/index.ts'
import { answerText } from './findings.ts'
import { casesOf } from './conform-cases.ts'
import type { Case } from './conform-cases.ts'
import { safe, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { integer, text } from './options.ts'
import type { OptionRow, Words } from './options.ts'
import { leave, patienceOf, runCase } from './conform-judge.ts'
import type { Outcome, Score } from './conform-judge.ts'
import { connectPacket, openLink, tryConnect } from './probe/open.ts'
import { addressesOf, Failure } from './probe/wire.ts'
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

/** Runs the cases of every version that the server speaks; reports each. */
export async function conform(run: Conformance): Promise<Summary> {
  const nothing = { right: 0, wrong: 0, unclear: 0, left: 0, crashed: [] }
  const end = performance.now() + run.time
  try {
    const [address] = await addressesOf(run.target.host, run.wait)
    const { cases, refused } = await prepare(run, address!)
    return cases.length === 0 ? { ...nothing, refused } : { ...await runAll(run, address!, cases, end), refused: undefined }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    run.note(error.message)
    return { ...nothing, refused: STATUS.lost }
  }
}

/** The cases of the versions in which a proper CONNECT is accepted. */
async function prepare({ target, versions, wait, note }: Conformance, address: string): Promise<{ readonly cases: readonly Case[], readonly refused: number | undefined }> {
  const cases: Case[] = []
  const patience = patienceOf(wait)
  let refused: number | undefined
  for (const version of versions) {
    const { answer } = await tryConnect(await openLink(target, address, patience), connectPacket(target, version, 'connackconform'), patience)
    if (answer.kind === 'accepted') {
      await leave(answer.link)
      cases.push(...casesOf(version))
      continue
    }
    refused ??= answer.kind === 'refused' ? answer.code : STATUS.lost
    note(`MQTT ${VERSIONS[version]} is left out, since a proper CONNECT is not accepted: ${answerText(answer)}`)
  }
  return { cases, refused }
}

/** All cases by `atOnce` workers, until there is no case, no time or no server left. */
async function runAll(run: Conformance, address: string, cases: readonly Case[], end: number): Promise<Omit<Summary, 'refused'>> {
  const { rate, atOnce, wait, report } = run
  const tally = { right: 0, wrong: 0, unclear: 0 }
  const queue = [...cases]
  /** being run, and run just before: what may have crashed the server */
  const running = new Set<Case>()
  const recent: Case[] = []
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
      running.delete(one)
      if (outcome === undefined) {
        if (crashed.length === 0) crashed = [...recent, ...running].map(({ id }) => id)
        queue.unshift(one)
        return
      }
      recent.push(one)
      if (recent.length > atOnce) recent.shift()
      tally[outcome.score]++
      report(one, outcome)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { ...tally, left: queue.length, crashed }
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
