// SPDX-License-Identifier: MIT
// From what a server did with each CONNECT to one sentence and an exit status. The rows are tried from the top; the first that fits counts.
import type { ProtocolVersion } from '../codec/index.ts'
import { codeText, saidText } from './findings.ts'
import { STATUS } from './io.ts'
import type { Answer, Answered } from './probe/open.ts'
import { secure } from './probe/tls.ts'
import { openTcp } from './probe/wire.ts'
import type { Examination } from './stages.ts'
import { hostPort, SCHEMES } from './target.ts'
import { VERSIONS } from './versions.ts'

export interface Verdict {
  readonly ok: boolean
  readonly text: string
  readonly status: number
}

type Tried = Answered & { readonly version: ProtocolVersion }
type Refused = Extract<Answer, { readonly kind: 'refused' }>

/** 3.x return code 1, and the Reason Code that says the same. */
const VERSION_CODES: ReadonlySet<number> = new Set([0x01, 0x84])
/** Bad user name or password, not authorized: brokers do not agree on which is which. */
const LOGIN_CODES: ReadonlySet<number> = new Set([0x04, 0x05, 0x86, 0x87])

export async function verdictOf(examination: Examination, address: string, tried: readonly Tried[]): Promise<Verdict> {
  for (const row of ROWS) {
    const verdict = await row(tried, examination, address)
    if (verdict !== undefined) return verdict
  }
  return { ok: false, text: 'The server did nothing that this doctor knows.', status: STATUS.lost }
}

const ROWS: readonly ((tried: readonly Tried[], examination: Examination, address: string) => Verdict | undefined | Promise<Verdict | undefined>)[] = [
  works, anotherProtocol, loginRefused, otherwiseRefused, versionRefused, async (...all) => portSpeaksTls(...all), closedInSilence, silent, nonsense,
]

function works(tried: readonly Tried[]): Verdict | undefined {
  const accepted = tried.filter(({ answer }) => answer.kind === 'accepted')
  if (accepted.length === 0) return undefined
  const others = tried.filter(({ answer }) => answer.kind !== 'accepted').map(({ version, answer }) => `${VERSIONS[version]} ${answer.kind === 'refused' ? `is refused (${codeText(answer)})` : answer.kind === 'closed' ? 'is closed without a word' : 'gets no good answer'}`)
  return { ok: true, text: `MQTT ${listed(accepted.map(({ version }) => VERSIONS[version]))} ${accepted.length === 1 ? 'works' : 'work'}${others.length === 0 ? '' : `; ${others.join(', ')}`}.`, status: STATUS.fine }
}

function anotherProtocol(tried: readonly Tried[], { target: { host, port } }: Examination): Verdict | undefined {
  const foreign = tried.map(({ answer }) => answer).find((answer) => answer.kind === 'foreign')
  if (foreign === undefined) return undefined
  const { protocol } = foreign as Extract<Answer, { readonly kind: 'foreign' }>
  const advice: { readonly [protocol: string]: string | undefined } = {
    TLS: `This port speaks TLS: use mqtts://${hostPort(host, port)}.`,
    HTTP: `An HTTP server answers on this port: MQTT is on another one, or inside WebSocket here (ws://${hostPort(host, port)}/mqtt).`,
  }
  return { ok: false, text: advice[protocol] ?? `${protocol} is spoken on this port, not MQTT.`, status: STATUS.lost }
}

function loginRefused(tried: readonly Tried[], { target: { username, password } }: Examination): Verdict | undefined {
  const refused = refusals(tried).find(({ code }) => LOGIN_CODES.has(code))
  if (refused === undefined) return undefined
  const without = username === undefined && password === undefined
  const text = without ? 'The server wants a user name and password (-u, -P)' : `The server refuses this ${password === undefined ? 'user name without a password' : 'user name or password'}`
  return { ok: false, text: `${text}: ${codeText(refused)}${saidText(refused.connack)}.`, status: refused.code }
}

function otherwiseRefused(tried: readonly Tried[]): Verdict | undefined {
  const refused = refusals(tried).find(({ code }) => !VERSION_CODES.has(code))
  return refused === undefined ? undefined : { ok: false, text: `The server refuses the connection: ${codeText(refused)}${saidText(refused.connack)}.`, status: refused.code }
}

function versionRefused(tried: readonly Tried[]): Verdict | undefined {
  const [refused] = refusals(tried)
  if (refused === undefined) return undefined
  return { ok: false, text: `The server does not speak MQTT ${listed(tried.map(({ version }) => VERSIONS[version]), 'or')}: ${codeText(refused)}${saidText(refused.connack)}.`, status: refused.code }
}

/** Many TLS servers close without a word on what is not TLS: only a handshake tells. */
async function portSpeaksTls(tried: readonly Tried[], { target, patience }: Examination, address: string): Promise<Verdict | undefined> {
  if (SCHEMES[target.scheme].tls || !tried.some(({ answer }) => answer.kind === 'closed' || answer.kind === 'wrong')) return undefined
  try {
    const { socket } = await secure(await openTcp(address, target.port, patience), target, patience)
    socket.destroy()
    return { ok: false, text: `This port speaks TLS: use ${target.scheme}s://${hostPort(target.host, target.port)}.`, status: STATUS.lost }
  } catch {
    return undefined
  }
}

function closedInSilence(tried: readonly Tried[]): Verdict | undefined {
  if (!tried.every(({ answer }) => answer.kind === 'closed')) return undefined
  return { ok: false, text: `The server closes the connection without a word after CONNECT (MQTT ${listed(tried.map(({ version }) => VERSIONS[version]), 'and')}): it is no MQTT server, or it does not want this client.`, status: STATUS.lost }
}

function silent(tried: readonly Tried[], { patience }: Examination): Verdict | undefined {
  if (!tried.some(({ answer }) => answer.kind === 'silent')) return undefined
  return { ok: false, text: `The server takes the connection and never answers CONNECT (waited ${patience} ms): it is no MQTT server, or it hangs.`, status: STATUS.lost }
}

function nonsense(tried: readonly Tried[]): Verdict | undefined {
  const wrong = tried.find(({ answer }) => answer.kind === 'wrong')
  return wrong === undefined ? undefined : { ok: false, text: 'What the server answers to CONNECT is not MQTT.', status: STATUS.lost }
}

function refusals(tried: readonly Tried[]): Refused[] {
  return tried.map(({ answer }) => answer).filter((answer): answer is Refused => answer.kind === 'refused')
}

function listed(words: readonly string[], last: 'and' | 'or' = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
}
