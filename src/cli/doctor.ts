// SPDX-License-Identifier: MIT
// `connack doctor`: one line a stage, and for what fails one sentence with the bytes that show it.
import { toHex } from '../codec/index.ts'
import type { ProtocolVersion } from '../codec/index.ts'
import { nameOf } from './bytemap.ts'
import { Misused, safe, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { text } from './options.ts'
import type { OptionRow, Words } from './options.ts'
import { Failure } from './probe/wire.ts'
import { packetLines, paintFor } from './render.ts'
import { split } from './split.ts'
import { mqttStages, reach, tlsStage, webSocketStage } from './stages.ts'
import type { Examination, Finding } from './stages.ts'
import { SCHEMES, targetOf, versionOf } from './target.ts'

export const DOCTOR_OPTIONS: readonly OptionRow[] = [{ names: ['timeout'], value: 'SECONDS', help: 'how long each stage may take, 0.1 to 60; default 5' }]

/** Evidence is shown up to here. */
const MOST_EVIDENCE = 32
/** The versions a client may ask for, newest first. */
const ALL: readonly ProtocolVersion[] = [5, 4, 3]

export async function doctorCommand(words: Words, io: Io): Promise<number> {
  const wanted = text(words, 'version')
  const json = words.values['json'] === true
  const examination: Examination = {
    target: targetOf(words),
    versions: wanted === undefined ? ALL : [versionOf(wanted)],
    patience: patienceOf(text(words, 'timeout') ?? '5'),
    report: (finding) => { if (json) io.print(JSON.stringify(jsonOf(finding))); else show(finding, io) },
    watch: words.values['debug'] === true ? (from, bytes, version) => { debug(from, bytes, version, words.values['show-secrets'] === true, io) } : () => {},
  }
  return examine(examination)
}

function patienceOf(seconds: string): number {
  const ms = /^\d+(\.\d+)?$/.test(seconds) ? Math.round(1000 * Number(seconds)) : NaN
  if (!(ms >= 100 && ms <= 60_000)) throw new Misused(`--timeout is 0.1 to 60 seconds, not ${seconds}`)
  return ms
}

/** Goes through the stages and reports each; returns the exit status. */
export async function examine(examination: Examination): Promise<number> {
  const { target, report } = examination
  try {
    const address = await reach(examination)
    if (SCHEMES[target.scheme].tls) await tlsStage(examination, address)
    if (SCHEMES[target.scheme].webSocket) await webSocketStage(examination, address)
    return await mqttStages(examination, address)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    report({ stage: 'verdict', ok: false, text: error.message })
    return STATUS.lost
  }
}

function show({ stage, ok, text: said, ms, evidence }: Finding, { print, paint }: Io): void {
  const mark = ok === undefined ? ' ' : ok ? paint.green('✓') : paint.red('✗')
  const took = ms === undefined ? '' : paint.dim(` (${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms)`)
  const line = stage === 'verdict' ? (ok === true ? paint.green(said) : paint.red(said)) : said
  print(`${mark} ${stage.padEnd(10)} ${line}${took}`)
  if (evidence !== undefined && evidence.length > 0) print(paint.dim(`${' '.repeat(13)}${toHex(evidence.subarray(0, MOST_EVIDENCE))}${evidence.length > MOST_EVIDENCE ? ` … ${evidence.length} bytes` : ''}`))
}

function jsonOf({ stage, ok, text: said, ms, evidence, details }: Finding): object {
  return { stage, ...(ok === undefined ? {} : { ok }), text: said, ...(ms === undefined ? {} : { ms: Number(ms.toFixed(3)) }), ...(evidence === undefined || evidence.length === 0 ? {} : { evidence: toHex(evidence.subarray(0, MOST_EVIDENCE)) }), ...details }
}

function debug(from: 'client' | 'server', bytes: Uint8Array, version: ProtocolVersion, secrets: boolean, { complain }: Io): void {
  // Standard error may be a file while standard output is a terminal.
  const paint = paintFor(process.stderr, process.env)
  for (const piece of split(bytes, from === 'client' ? undefined : version).pieces) {
    complain(`${from === 'client' ? '→' : '←'} ${safe(nameOf(piece))}`)
    for (const line of packetLines(paint, piece.bytes, piece.version ?? version, { secrets, margin: () => '    ' })) complain(line)
  }
}
