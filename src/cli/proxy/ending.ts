// SPDX-License-Identifier: MIT
// Who closed first, and why, as far as the wire tells: a CloseCause as a machine would give it. The rows are tried from the top; the first that fits counts.
import { reasonName } from '../../codec/index.ts'
import type { Sender } from '../../codec/index.ts'
import type { CloseCause, CloseReason, Phase } from '../../fsm/index.ts'
import { round } from './answers.ts'
import { nameOf } from './observer.ts'
import type { Deadlines, Observer } from './observer.ts'

/** How a connection came to its end. */
export interface End {
  /** who ended its stream first; `network`: neither, as when the proxy was stopped */
  readonly by: Sender | 'network'
  /** ms since the connection opened */
  readonly time: number
  readonly error?: Error | undefined
  /** where there never was a connection, or the proxy has ended it: why */
  readonly sentence?: string | undefined
  /** both phases before it */
  readonly phases: { readonly client: Phase, readonly server: Phase }
  readonly deadlines: Deadlines | undefined
  /** another connection of the proxy that has come with the same Client Identifier */
  readonly takenOverBy?: number | undefined
}

/** Timers are not that exact: a Server may close a little early. */
const NEARLY = 0.95

export function causeOf(observer: Observer, end: End): CloseCause {
  for (const row of ROWS) {
    const found = row(observer, end)
    if (found !== undefined) return complete(observer, end, found)
  }
  return complete(observer, end, { by: end.by, why: 'ended', sentence: endedSentence(observer, end) })
}

type Found = Pick<CloseCause, 'by' | 'why' | 'sentence'> & Partial<CloseCause>

const ROWS: readonly ((observer: Observer, end: End) => Found | undefined)[] = [stopped, saidGoodbye, brokeRule, silentClient, silentServer, takenOver, broke]

function stopped(_observer: Observer, { sentence }: End): Found | undefined {
  return sentence === undefined ? undefined : { by: 'network', why: 'broken', sentence }
}

function saidGoodbye({ farewell, version, broken }: Observer): Found | undefined {
  if (farewell === undefined) return undefined
  const { from: by, packet: { type, reasonCode, properties }, phase } = farewell
  const { reasonString, serverReference } = (properties ?? {}) as { readonly reasonString?: string, readonly serverReference?: string }
  const name = reasonName(type, reasonCode, version ?? 5) ?? 'a code that is none'
  return {
    by, phase, reasonCode, reasonString, serverReference,
    why: type === 'connack' ? 'refused' : reasonCode === TAKEN_OVER ? 'taken-over' : 'disconnect',
    // A DISCONNECT with an error says that the other side has done something.
    ...(broken !== undefined && broken.by !== by && reasonCode !== 0 ? { rule: broken.rule } : {}),
    sentence: type === 'connack' ? `The Server refused the connection: ${name}` : `The ${nameOf(by)} disconnected: ${name}`,
  }
}

/** A side closes without a word behind what the other may not send. */
function brokeRule({ broken }: Observer, { by }: End): Found | undefined {
  if (broken === undefined || broken.by === by || by === 'network') return undefined
  const { error, rule, text, foreign } = broken
  const why: CloseReason = error?.name === 'MalformedPacket' ? 'malformed' : 'protocol-error'
  const sentence = foreign === undefined ? `The ${nameOf(broken.by)} sent what it may not: ${text}` : `The ${nameOf(broken.by)} does not speak MQTT here but ${foreign}`
  return { by, why, rule, offset: error?.offset, sentence }
}

function silentClient({ agreement }: Observer, { by, time, deadlines }: End): Found | undefined {
  if (by !== 'server' || deadlines === undefined || agreement === undefined) return undefined
  const { keepAlive } = agreement
  const silence = time - (deadlines.due - keepAlive * 1000)
  return silence < NEARLY * keepAlive * 1500 ? undefined : { by, why: 'keep-alive-timeout', sentence: `The Server closed after ${round(silence)} ms without a packet of the Client, whose Keep Alive is ${keepAlive} s` }
}

function silentServer({ answers: { pinging } }: Observer, { by, time }: End): Found | undefined {
  return by !== 'client' || pinging === undefined ? undefined : { by, why: 'pingresp-timeout', sentence: `The Client closed ${round(time - pinging)} ms after a PINGREQ that the Server has not answered` }
}

function takenOver(_observer: Observer, { by, takenOverBy }: End): Found | undefined {
  return by !== 'server' || takenOverBy === undefined ? undefined : { by, why: 'taken-over', sentence: `The Server closed when connection #${takenOverBy} came with the same Client Identifier` }
}

function broke(_observer: Observer, { by, error }: End): Found | undefined {
  return error === undefined || by === 'network' ? undefined : { by, why: 'broken', sentence: `The connection of the ${nameOf(by)} broke: ${error.message}` }
}

/** A bare end is how 3.x refuses: say what it may mean. */
function endedSentence({ connect, accepted }: Observer, { by }: End): string {
  const who = by === 'network' ? 'Somebody' : `The ${nameOf(by)}`
  if (connect === undefined) return `${who} closed the connection before there was a CONNECT`
  if (accepted) return `${who} closed the connection without DISCONNECT`
  return by === 'server' ? 'The Server closed the connection without a CONNACK: it did not accept this CONNECT and did not say why' : `${who} closed the connection before the CONNACK`
}

function complete({ version, connect, accepted, agreement, farewell }: Observer, { by, phases }: End, found: Found): CloseCause {
  const discarded = farewell !== undefined && farewell.from === 'client' && farewell.packet.reasonCode === 0
  const will = accepted && !discarded ? connect?.will : undefined
  return {
    phase: phases[by === 'network' ? 'server' : by], version, will,
    willDelay: will === undefined ? undefined : Math.min(will.properties?.willDelayInterval ?? 0, agreement?.sessionExpiryInterval ?? 0),
    ...found,
  }
}

const TAKEN_OVER = 0x8e
