// SPDX-License-Identifier: MIT
// One case of `connack conform`: what the server did with it, and whether that is right.
import { encode, PacketStream, reasonName } from '../codec/index.ts'
import type { Case } from './conform-cases.ts'
import { answerText } from './findings.ts'
import { connectPacket, nextPacket, openLink, tryConnect } from './probe/open.ts'
import { Failure } from './probe/wire.ts'
import type { Link } from './probe/wire.ts'
import type { Target } from './target.ts'

/** `unclear`: refused, and perhaps for another reason than the one tested. */
export type Score = 'right' | 'wrong' | 'unclear'

export interface Outcome {
  readonly score: Score
  readonly text: string
  readonly ms: number
}

/** Codes by which a server refuses who cannot log in: with a malformed CONNECT there is no telling which came first. */
const LOGIN_CODES: ReadonlySet<number> = new Set([0x04, 0x05, 0x86, 0x87])
/** After so many ms without a word, a PINGREQ asks whether the server has taken what it should have refused. */
const QUIET = 200
/** How long a server that refuses a connection is given before it counts as crashed. */
const REVIVAL = 500
/** One case on a connection of its own; undefined when the server takes none any more. */
export async function runCase({ target, wait }: { readonly target: Target, readonly wait: number }, address: string, one: Case): Promise<Outcome | undefined> {
  const link = await openOrRetry(target, address, wait)
  if (link === undefined) return undefined
  const { version, bytes, connected, expect } = one
  let stream = new PacketStream({ version })
  if (connected) {
    const { answer } = await tryConnect(link, connectPacket(target, version, `connackconform${(++serial) % 1000}`), patienceOf(wait))
    if (answer.kind !== 'accepted') return { score: 'unclear', text: `the CONNECT before it: ${answerText(answer)}`, ms: 0 }
    stream = answer.stream
  }
  const begun = performance.now()
  link.write(bytes)
  const outcome = expect === 'close' ? await untilClosed(link, stream, one, wait) : await untilAnswered(link, stream, expect, wait)
  const ms = performance.now() - begun
  // Only then does the next one begin: no more connections at a time than was asked for.
  await leave(link)
  return { ...outcome, ms }
}

let serial = 0

async function openOrRetry(target: Target, address: string, wait: number): Promise<Link | undefined> {
  const patience = patienceOf(wait)
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
    // A server that talks without end is still open.
    if (left < -QUIET) return { score: 'wrong', text: `still open after ${wait} ms` }
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
    if (packet?.type !== 'disconnect' && code === 0) return { score: 'wrong', text: 'accepted: CONNACK 0x00' }
    if (code !== undefined) {
      said = `${packet?.type === 'disconnect' ? 'DISCONNECT' : 'CONNACK'} 0x${code.toString(16).padStart(2, '0')} ${reasonName(packet?.type ?? 'connack', code, packet === undefined ? 4 : version) ?? ''}`.trim()
      login = !connected && LOGIN_CODES.has(code)
    }
    if (error !== undefined) return finish(link, said === '' ? 'an answer that is malformed' : said, Math.max(0, deadline - performance.now()), wait)
  }
}

/** The stream is dead; is the connection? */
async function finish(link: Link, said: string, left: number, wait: number): Promise<Found> {
  const end = performance.now() + left
  for (;;) {
    const what = await link.wait(Math.max(0, end - performance.now()))
    if (what === 'end') return { score: 'right', text: `${said}, then closed` }
    if (what === 'late' || performance.now() > end) return { score: 'wrong', text: `${said}, and still open after ${wait} ms` }
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
    if (what === 'late' || performance.now() > deadline) return { score: 'wrong', text: `no ${expect.toUpperCase()} within ${wait} ms` }
  }
}

/** With a DISCONNECT, so that a Will which should never have been taken is not published. */
export function leave(link: Link): Promise<void> {
  if (link.ended === undefined) link.write(Uint8Array.of(0xe0, 0))
  return link.destroy()
}

/** A handshake may take longer than a case. */
export function patienceOf(wait: number): number {
  return Math.max(wait, 1000)
}
