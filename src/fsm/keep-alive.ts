// SPDX-License-Identifier: MIT
// When to ping and when to give up (5.0 §3.1.2.10). Two clocks, both the driver's: how long we have sent nothing decides the PINGREQ, the
// answer to a PINGREQ decides whether the Server is still there. Traffic in either direction never hides a missing PINGRESP.
import { closing } from './close.ts'
import { CONNECTION_RULES } from './rules.ts'
import { NOTHING, pinged, stay } from './step.ts'
import type { Authenticating, Effect, Live, Role, Step } from './types.ts'

/** `keepAlive` in seconds; 0 arms nothing. A client pings after that long without sending, a server gives up after half as long again. */
export function armKeepAlive(role: Role, keepAlive: number): readonly Effect[] {
  if (keepAlive === 0) return []
  return role === 'client'
    ? [{ type: 'arm', timer: 'keep-alive', ms: keepAlive * 1000, quiet: 'sent' }]
    : [{ type: 'arm', timer: 'keep-alive', ms: keepAlive * 1500, quiet: 'received' }]
}

/** `keep-alive` has fired while it was running. */
export function keepAliveDue(state: Authenticating | Live): Step {
  return state.role === 'client' ? ping(state) : clientSilent(state as Live)
}

/**
 * Client: sends PINGREQ; the first unanswered one sets the deadline. Before CONNACK a PINGREQ may go out, but with an Authentication Method
 * it may not [MQTT-3.1.2-30], and `connect` is the deadline; `token` is settled by a PINGRESP and so means nothing before CONNACK.
 */
export function ping(state: Authenticating | Live, token?: unknown): Step {
  const again = armKeepAlive('client', state.agreement.keepAlive)
  if (state.phase === 'authenticating') {
    return { state, effects: state.agreement.authenticationMethod === undefined ? [{ type: 'write', packet: PINGREQ }, ...again] : again }
  }
  const deadline: Effect[] = state.pinging ? [] : [{ type: 'arm', timer: 'pingresp', ms: state.limits.pingrespTimeout }]
  return {
    state: state.pinging && token === undefined ? state : pinged(state, true, token === undefined ? state.pingTokens : [...state.pingTokens, token]),
    effects: [{ type: 'write', packet: PINGREQ }, ...again, ...deadline],
  }
}

/** Client: the Server is there. One that nobody asked for does no harm. */
export function receivePingresp(state: Live): Step {
  if (!state.pinging) return stay(state, NOTHING)
  return {
    state: pinged(state, false, NOBODY),
    effects: [{ type: 'disarm', timer: 'pingresp' }, ...state.pingTokens.map((token): Effect => ({ type: 'settle', token, packet: PINGRESP }))],
  }
}

/** Client: no PINGRESP in time, however busy the connection looks. */
export function pingrespOverdue(state: Live): Step {
  const rule = CONNECTION_RULES.pingrespInTime
  return closing(state, { by: 'client', why: 'pingresp-timeout', reasonCode: rule.code, rule, sentence: `No PINGRESP came within ${state.limits.pingrespTimeout} ms: the Server is taken for dead.` })
}

function clientSilent(state: Live): Step {
  const rule = CONNECTION_RULES.keepAlive
  const { version, keepAlive } = state.agreement
  const ending = { by: 'server', why: 'keep-alive-timeout', reasonCode: rule.code, rule, sentence: `The Client sent nothing for one and a half times its Keep Alive of ${keepAlive} s.` } as const
  return version === 5 ? closing(state, ending, { type: 'disconnect', reasonCode: rule.code }) : closing(state, ending)
}

const PINGREQ = { type: 'pingreq' } as const
const PINGRESP = { type: 'pingresp' } as const
const NOBODY: readonly unknown[] = /* @__PURE__ */ Object.freeze([])
