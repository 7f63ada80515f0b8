// SPDX-License-Identifier: MIT
// Enhanced authentication (5.0 §4.12): AUTH before CONNACK, and re-authentication behind it. What the data mean is for the applications of both
// sides; the machine sees that it is asked for, answered in time, and by the method that CONNECT named.
import { maySend } from '../codec/index.ts'
import type { Auth, AuthInput } from '../codec/index.ts'
import { closing } from './close.ts'
import { eventOf } from './lifecycle.ts'
import { outgoingFor } from './outgoing.ts'
import { refuseFor } from './refuse.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { ConnectionRule } from './rules.ts'
import { DELIVER, stay } from './step.ts'
import type { Agreement, Authenticating, Connected, Effect, Live, Reauthenticating, Role, Send, Step } from './types.ts'

/** The rule that an AUTH breaks whatever the phase: no method was agreed on, another one, or a code of the other side. */
export function authFault(sender: Role, packet: AuthInput | Auth, { version, authenticationMethod }: Agreement): ConnectionRule | undefined {
  if (version < 5) return undefined
  if (authenticationMethod === undefined) return sender === 'server' ? 'serverAuthWithoutMethod' : 'authWithoutMethod'
  if (!maySend(sender, 'auth', packet.reasonCode ?? 0)) return 'authCode'
  return packet.properties?.authenticationMethod === authenticationMethod ? undefined : 'authMethodChanged'
}

/** An AUTH of ours; the table has let nothing through that is out of turn. */
export function sendAuth(state: Authenticating | Live, input: Send, packet: AuthInput): Step {
  const out = outgoingFor(input, packet, state.role, state.agreement)
  if (out instanceof Error) return refuseFor(state, input, out)
  const effects: readonly Effect[] = [{ type: 'write', packet: out }]
  switch (eventOf(state.role, packet)) {
    case 'client reauthentication': return begin(state as Connected, effects, input.token)
    case 'server authentication': return end(state as Reauthenticating, effects, [])
    default: return { state, effects }
  }
}

/** An AUTH of the peer, for the application. */
export function receiveAuth(state: Authenticating | Live, packet: Auth): Step {
  switch (eventOf(state.role === 'client' ? 'server' : 'client', packet)) {
    case 'client reauthentication': return begin(state as Connected, DELIVER, undefined)
    case 'server authentication': {
      const { authToken } = state as Reauthenticating
      return end(state as Reauthenticating, DELIVER, authToken === undefined ? [] : [{ type: 'settle', token: authToken, packet }])
    }
    default: return stay(state, DELIVER)
  }
}

/** `auth` has fired after CONNACK [MQTT-4.12.1-2]. */
export function reauthenticationOverdue(state: Reauthenticating): Step {
  const { role, limits: { authTimeout } } = state
  const rule = CONNECTION_RULES.reauthenticatedInTime
  const reasonCode = role === 'server' ? rule.code : UNSPECIFIED_ERROR
  const cause = { by: role, why: 'auth-timeout', reasonCode, rule, sentence: `The re-authentication did not end within ${authTimeout} ms.` } as const
  return closing(state, cause, { type: 'disconnect', reasonCode })
}

function begin({ role, limits, session, agreement, flow, pinging, pingTokens }: Connected, effects: readonly Effect[], authToken: unknown): Step {
  return {
    state: { phase: 'reauthenticating', role, limits, session, agreement, flow, pinging, pingTokens, authToken },
    effects: [...effects, { type: 'arm', timer: 'auth', ms: limits.authTimeout }],
  }
}

function end({ role, limits, session, agreement, flow, pinging, pingTokens }: Reauthenticating, effects: readonly Effect[], more: readonly Effect[]): Step {
  return {
    state: { phase: 'connected', role, limits, session, agreement, flow, pinging, pingTokens },
    effects: [...effects, { type: 'disarm', timer: 'auth' }, ...more],
  }
}

const UNSPECIFIED_ERROR = 0x80
