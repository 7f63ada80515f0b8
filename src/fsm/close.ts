// SPDX-License-Identifier: MIT
// How a connection ends: the cause, in data and in one sentence, and the effects that go with it. Every ending passes through here, so each
// connection has exactly one `close` effect, no timer outlives its phase, and a Will is named wherever one is due.
import type { PacketInput, ProtocolVersion } from '../codec/index.ts'
import type { RuleRow } from '../codec/rules.ts'
import { statementOf } from '../codec/rules.ts'
import type { TimerName } from './lifecycle.ts'
import { outgoing } from './outgoing.ts'
import type { CloseCause, CloseReason, Effect, State, Step } from './types.ts'

/** What the caller knows; phase, version and Will are read off the state. */
export interface Ending {
  readonly by: CloseCause['by']
  readonly why: CloseReason
  readonly sentence: string
  readonly reasonCode?: number | undefined
  readonly reasonString?: string | undefined
  readonly serverReference?: string | undefined
  readonly rule?: string | RuleRow | undefined
  readonly offset?: number | undefined
  /** what the DISCONNECT has changed it to */
  readonly sessionExpiryInterval?: number | undefined
  readonly bytes?: Uint8Array | undefined
  /** the Client's DISCONNECT has discarded its Will */
  readonly willDiscarded?: boolean | undefined
  readonly version?: ProtocolVersion | undefined
}

/** Ends a connection from our side: the last packets, then `close`; the peer has `limits.closeTimeout` to close its side. */
export function closing(state: State, ending: Ending, ...last: readonly PacketInput[]): Step {
  const cause = causeOf(state, ending)
  return {
    state: { phase: 'closing', role: state.role, limits: state.limits, session: state.session, cause },
    effects: [
      ...last.flatMap((packet): Effect[] => (fits(state, packet) ? [{ type: 'write', packet }] : [])),
      ...disarmAll(state),
      { type: 'arm', timer: 'close', ms: state.limits.closeTimeout },
      { type: 'close', cause },
    ],
  }
}

/** The Network Connection has ended under a connection that was not closing. */
export function ended(state: State, ending: Ending): Step {
  const cause = causeOf(state, ending)
  return {
    state: { phase: 'closed', role: state.role, limits: state.limits, session: state.session, cause },
    effects: [...disarmAll(state), { type: 'close', cause }],
  }
}

/** The timers that can be running in a state, by the state alone. */
export function running(state: State): readonly TimerName[] {
  switch (state.phase) {
    case 'opening': return []
    case 'awaiting-connect': return ['connect']
    case 'authenticating':
      if (state.role === 'server') return ['auth']
      return state.agreement.keepAlive > 0 ? ['connect', 'keep-alive'] : ['connect']
    case 'connected':
    case 'reauthenticating': return [
      ...(state.agreement.keepAlive > 0 ? ['keep-alive' as const] : []),
      ...(state.pinging ? ['pingresp' as const] : []),
      ...(state.phase === 'reauthenticating' ? ['auth' as const] : []),
    ]
    case 'closing': return ['close']
    case 'closed': return []
  }
}

/** The version agreed on; undefined before CONNECT. */
export function versionOf(state: State): ProtocolVersion | undefined {
  switch (state.phase) {
    case 'authenticating':
    case 'connected':
    case 'reauthenticating': return state.agreement.version
    case 'closing':
    case 'closed': return state.cause.version
    default: return undefined
  }
}

/** Not even a last word is said to a peer that takes no packet of its size [MQTT-3.1.2-24, MQTT-3.2.2-15]. */
function fits(state: State, packet: PacketInput): boolean {
  return !('agreement' in state) || outgoing(packet, state.role, state.agreement) !== undefined
}

function disarmAll(state: State): Effect[] {
  return running(state).map((timer): Effect => ({ type: 'disarm', timer }))
}

function causeOf(state: State, ending: Ending): CloseCause {
  const { by, why, sentence, reasonCode, reasonString, serverReference, rule, offset, bytes } = ending
  const version = ending.version ?? versionOf(state)
  const agreement = state.phase === 'connected' || state.phase === 'reauthenticating' ? state.agreement : undefined
  const sessionExpiryInterval = agreement === undefined ? undefined : ending.sessionExpiryInterval ?? agreement.sessionExpiryInterval
  // A Server owes a Will once it has accepted the Client, however the connection ends, unless the Client's DISCONNECT discarded it
  // [MQTT-3.1.2-8]. A Client owes nothing.
  const will = state.role === 'server' && ending.willDiscarded !== true ? agreement?.will : undefined
  return {
    by, why, phase: state.phase, version, reasonCode, reasonString, serverReference,
    rule: typeof rule === 'object' ? statementOf(rule, version) : rule,
    offset, will,
    // Published when its delay has passed or the session ends, whichever comes first (5.0 §3.1.3.2.2).
    willDelay: will === undefined ? undefined : Math.min(will.properties?.willDelayInterval ?? 0, sessionExpiryInterval!),
    sessionExpiryInterval,
    bytes: bytes?.slice(-LAST_BYTES),
    sentence,
  }
}

/** So many of them a cause keeps: enough to see what was said, too few to matter. */
const LAST_BYTES = 64
