// SPDX-License-Identifier: MIT
// Whether to come back after a connection has ended, and when.
//  1. Which ending is worth another try is decided here and nowhere else.
//  2. This file has neither a clock nor a die: how long a connection lived and the random number are told.
import type { CloseCause } from './types.ts'

/** How long `backoff` lets a client wait. */
export interface BackoffPolicy {
  /** the longest first wait, in ms */
  readonly base: number
  /** the longest of all, in ms */
  readonly maximum: number
}

/** At most 1 s after the first failure, at most 60 s after any. */
export const DEFAULT_BACKOFF: BackoffPolicy = /* @__PURE__ */ Object.freeze({ base: 1_000, maximum: 60_000 })

/**
 * How long to wait before trying again, in ms: anything up to `base` after the first failure (`attempt` 0), up to twice that after each
 * further one, never above `maximum`. `random` is in [0, 1). "Full jitter": a thousand clients of a server that restarts come back spread over the
 * whole interval, not in waves.
 */
export function backoff(attempt: number, random: number, { base, maximum }: BackoffPolicy = DEFAULT_BACKOFF): number {
  return Math.floor(random * Math.min(maximum, base * 2 ** Math.min(attempt, 30)))
}

/**
 * `retry`: the same may go well next time · `credentials`: only with another User Name, Password or Authentication Data ·
 * `never`: the same would happen again, or the end was wanted
 */
export type Retry = 'retry' | 'credentials' | 'never'

/** 5.0 Reason Codes of CONNACK and DISCONNECT that are not `retry` (§2.4). */
const BY_REASON: { readonly [code: number]: Retry } = {
  // what we sent is wrong, and would be again
  0x81: 'never', 0x82: 'never', 0x84: 'never', 0x85: 'never', 0x8c: 'never', 0x8f: 'never', 0x90: 'never', 0x93: 'never', 0x94: 'never', 0x95: 'never',
  0x99: 'never', 0x9a: 'never', 0x9b: 'never', 0x9e: 'never', 0xa1: 'never', 0xa2: 'never',
  // who we are is
  0x86: 'credentials', 0x87: 'credentials', 0x8a: 'never',
  // it is elsewhere, for good: see `cause.serverReference`. 0x9c is for now only
  0x9d: 'never',
}

/** 3.x CONNACK return codes that are not `retry` (3.1.1 §3.2.2.3). */
const BY_RETURN_CODE: { readonly [code: number]: Retry } = { 1: 'never', 2: 'never', 4: 'credentials', 5: 'credentials' }

/** For a client: is it worth connecting again after this end? */
export function retryAfter({ by, why, phase, version, reasonCode = 0 }: CloseCause): Retry {
  switch (why) {
    // A clean end of our own; of the Server's only its code tells.
    case 'disconnect': return by === 'client' ? 'never' : BY_REASON[reasonCode] ?? 'retry'
    case 'refused': return (version === 5 ? BY_REASON : BY_RETURN_CODE)[reasonCode] ?? 'retry'
    // What answers CONNECT with something else than MQTT will do so again; in a stream of packets it may have been one.
    case 'malformed':
    case 'protocol-error': return phase === 'authenticating' ? 'never' : 'retry'
    default: return 'retry'
  }
}

/** What `flapping` takes for two clients that throw each other out. */
export interface FlapPolicy {
  /** so many in a row are no accident */
  readonly times: number
  /** a connection that has lived this long, in ms, was not kicked off by somebody who came right back */
  readonly lived: number
}

/** Three connections in a row that lived less than two minutes each. */
export const DEFAULT_FLAP: FlapPolicy = /* @__PURE__ */ Object.freeze({ times: 3, lived: 120_000 })

/**
 * Notices two clients that share a Client Identifier and kick each other off for ever. Given how many ends in a row have looked like it, the
 * latest one, and how many ms that connection lived since CONNACK; gives the new count and, from `times` on, a sentence for a person.
 * 5.0 says Session taken over; 3.x only closes, so there it is a suspicion.
 */
export function flapping(count: number, clientId: string, cause: CloseCause, lived: number, { times, lived: enough }: FlapPolicy = DEFAULT_FLAP): { readonly count: number, readonly sentence: string | undefined } {
  const live = cause.phase === 'connected' || cause.phase === 'reauthenticating'
  const told = cause.why === 'taken-over'
  const suspicious = live && cause.by === 'server' && lived < enough && (told || (cause.why === 'ended' && cause.version !== 5))
  if (!suspicious) return { count: 0, sentence: undefined }
  if (count + 1 < times) return { count: count + 1, sentence: undefined }
  const seems = told ? 'another client uses' : 'it may be that another client uses'
  return {
    count: count + 1,
    sentence: `${count + 1} connections in a row as ${JSON.stringify(clientId)} were ended by the Server within ${Math.round(enough / 1000)} s of their CONNACK: ${seems} the same Client Identifier, and each throws the other out.`,
  }
}
