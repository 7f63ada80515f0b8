// SPDX-License-Identifier: MIT
// Steps that many share: the ones that change nothing, and the ones that move a session on.
import type { Flow } from './flow.ts'
import { NO_EXCHANGES } from './session.ts'
import type { Exchanges, Session } from './session.ts'
import type { Authenticating, Effect, Live, State, Step } from './types.ts'

export const NOTHING: readonly Effect[] = /* @__PURE__ */ Object.freeze([])
export const DELIVER: readonly Effect[] = /* @__PURE__ */ Object.freeze([/* @__PURE__ */ Object.freeze({ type: 'deliver' })])

/** A step that changes nothing and has shared effects is the same value every time: a stream of packets on one connection makes none. */
let last: Step | undefined
export function stay(state: State, effects: readonly Effect[]): Step {
  if (last === undefined || last.state !== state || last.effects !== effects) last = { state, effects }
  return last
}

export function unchanged(state: State): Step {
  return stay(state, NOTHING)
}

/** A connection on which packets go out: every one with CONNACK through, and a client's before that. */
export type Going = Live | Authenticating

/** A client that has nothing of an earlier connection has no session before CONNACK, and nothing is under way then. */
export function exchangesOf({ session }: Going): Exchanges {
  return session?.exchanges ?? NO_EXCHANGES
}

/** The state with these exchanges and this flow; the same one where both are what they were. */
export function moved<S extends Going>(state: S, exchanges: Exchanges, flow: Flow): S {
  const { session, agreement } = state
  const before = exchangesOf(state)
  if (exchanges === before && flow === state.flow) return state
  const next: Session | undefined = exchanges === before ? session : { clientId: agreement.clientId, exchanges }
  if (state.phase !== 'connected') return { ...state, session: next, flow }
  // By hand, not by `...`: each QoS 1 and 2 packet comes by here, and copying by name costs ten times as much.
  const { role, limits, pinging, pingTokens } = state
  return { phase: 'connected', role, limits, session: next, agreement, flow, pinging, pingTokens } as unknown as S
}
