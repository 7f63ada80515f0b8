// SPDX-License-Identifier: MIT
// The endings that are nobody's fault: DISCONNECT both ways, the end of the Network Connection, and the first packet that does not come in time.
import { maySend, reasonName } from '../codec/index.ts'
import type { Disconnect, DisconnectInput } from '../codec/index.ts'
import { closing, ended } from './close.ts'
import { outgoingFor } from './outgoing.ts'
import { refuseFor } from './refuse.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { ConnectionRule } from './rules.ts'
import { unchanged } from './step.ts'
import type { Agreement, Authenticating, Live, Role, Send, State, Step } from './types.ts'

/** What a DISCONNECT may not say, given who sends it. */
export function disconnectFault(sender: Role, packet: DisconnectInput | Disconnect, { askedToExpireAtOnce }: Agreement): ConnectionRule | undefined {
  const expiry = packet.properties?.sessionExpiryInterval
  if (!maySend(sender, 'disconnect', packet.reasonCode ?? 0)) return 'disconnectCode'
  if (expiry === undefined) return undefined
  if (sender === 'server') return 'serverSessionExpiry'
  return askedToExpireAtOnce && expiry !== 0 ? 'raisedSessionExpiry' : undefined
}

/** We go. A Server of 3.x has no packet for it and closes without a word. */
export function disconnect(state: Authenticating | Live, input: Send, packet: DisconnectInput): Step {
  const { role, agreement } = state
  const { reasonCode = 0, properties } = packet
  const out = outgoingFor(input, packet, role, agreement)
  if (out instanceof Error) return refuseFor(state, input, out)
  const ending = {
    by: role, why: reasonCode === TAKEN_OVER ? 'taken-over' : 'disconnect', reasonCode, reasonString: properties?.reasonString,
    serverReference: properties?.serverReference, sessionExpiryInterval: properties?.sessionExpiryInterval,
    sentence: `The ${nameOf(role)} disconnected: ${reasonName('disconnect', reasonCode)}.`,
  } as const
  return role === 'server' && agreement.version < 5 ? closing(state, ending) : closing(state, ending, out)
}

/** A DISCONNECT has come. From a Client it discards the Will, unless it says otherwise: only 0x00 discards [MQTT-3.14.4-3]. */
export function disconnectedByPeer(state: Authenticating | Live, packet: Disconnect): Step {
  const by = state.role === 'client' ? 'server' : 'client'
  const { reasonCode, properties } = packet
  return closing(state, {
    by, why: reasonCode === TAKEN_OVER ? 'taken-over' : 'disconnect', reasonCode, reasonString: properties?.reasonString, serverReference: properties?.serverReference,
    sessionExpiryInterval: properties?.sessionExpiryInterval, willDiscarded: reasonCode === 0,
    sentence: `The ${nameOf(by)} disconnected: ${reasonName('disconnect', reasonCode)}.`,
  })
}

export function connectOverdue(state: State): Step {
  const rule = CONNECTION_RULES.connectInTime
  return closing(state, { by: 'server', why: 'connect-timeout', reasonCode: rule.code, rule, sentence: `No complete CONNECT came within ${state.limits.connectTimeout} ms.` })
}

export function connackOverdue(state: State): Step {
  const rule = CONNECTION_RULES.connackInTime
  return closing(state, { by: 'client', why: 'connack-timeout', reasonCode: rule.code, rule, sentence: `No CONNACK came within ${state.limits.connackTimeout} ms.` })
}

/** The Network Connection is gone. Nothing is left to half-close: whoever ends it, it is over. */
export function connectionClosed(state: State, error: Error | undefined): Step {
  switch (state.phase) {
    case 'closed': return unchanged(state)
    case 'closing': return { state: { ...state, phase: 'closed' }, effects: [{ type: 'disarm', timer: 'close' }] }
    default: {
      const peer = state.role === 'client' ? 'server' : 'client'
      if (error !== undefined) return ended(state, { by: 'network', why: 'broken', sentence: `The Network Connection broke while ${state.phase}: ${error.message}.` })
      return ended(state, { by: peer, why: 'ended', sentence: endedSentence(state, nameOf(peer)) })
    }
  }
}

/** A bare end is how 3.x refuses and how brokers answer what they cannot read: say what it may mean. */
function endedSentence(state: State, peer: string): string {
  if (state.phase === 'authenticating' && state.role === 'client') return `The ${peer} closed the connection without a CONNACK: it did not accept this CONNECT and did not say why.`
  if (state.phase === 'connected' || state.phase === 'reauthenticating') return `The ${peer} closed the connection without DISCONNECT.`
  return `The ${peer} closed the connection before CONNECT was through.`
}

function nameOf(role: Role): string {
  return role === 'client' ? 'Client' : 'Server'
}

const TAKEN_OVER = 0x8e
