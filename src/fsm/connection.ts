// SPDX-License-Identifier: MIT
// The machine: (state, input) → state and effects. Pure: no clock, no I/O, no randomness, and it never throws for anything a peer can send.
// What is legal when is read off lifecycle.ts; this file says what follows from it.
import { maySend, reasonName } from '../codec/index.ts'
import type { Auth, AuthInput, Disconnect, DisconnectInput, Packet, PacketInput, ProtocolVersion } from '../codec/index.ts'
import { closing, ended, running, versionOf } from './close.ts'
import { fail, violate } from './errors.ts'
import { answerOverdue, receiveConnack, receiveConnect, sendConnack, sendConnect } from './handshake.ts'
import { keepAliveDue, ping, pingrespOverdue, receivePingresp } from './keep-alive.ts'
import { destination, eventOf, violation } from './lifecycle.ts'
import type { TimerName } from './lifecycle.ts'
import { refuse } from './refuse.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { ConnectionRule } from './rules.ts'
import type { Agreement, Authenticating, AwaitingConnect, Connected, Effect, Input, Limits, Opening, Role, Session, State, Step } from './types.ts'

export interface InitialOptions {
  readonly role: Role
  /** client: the session that an earlier connection left in `state.session`; none: there is no session state */
  readonly session?: Session | undefined
  readonly limits?: Partial<Limits> | undefined
}

export const DEFAULT_LIMITS: Limits = /* @__PURE__ */ Object.freeze({
  versions: Object.freeze([3, 4, 5] as const),
  connectTimeout: 10_000,
  connackTimeout: 30_000,
  authTimeout: 30_000,
  pingrespTimeout: 10_000,
  closeTimeout: 5_000,
  heldPackets: 100,
  clientIdLength31: 23,
})

/** The state of a connection whose Network Connection has just opened. Run the effects of `opened` before the first input. */
export function initial({ role, session, limits }: InitialOptions): State {
  const all = limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...limits }
  return role === 'client' ? { phase: 'opening', role, limits: all, session } : { phase: 'awaiting-connect', role, limits: all, session }
}

/** What to do at once: a server's wait for CONNECT begins. */
export function opened(state: State): readonly Effect[] {
  return state.phase === 'awaiting-connect' ? [{ type: 'arm', timer: 'connect', ms: state.limits.connectTimeout }] : NOTHING
}

/** One step. Returns the very state it was given when nothing has changed. */
export function transition(state: State, input: Input): Step {
  switch (input.type) {
    case 'received': return receive(state, input.packet)
    case 'send': return send(state, input)
    case 'timer': return fire(state, input.timer)
    case 'malformed': return isOver(state) ? unchanged(state) : fail(state, input.error)
    case 'closed': return connectionClosed(state, input.error)
  }
}

/**
 * Whose turn it is to speak, while CONNECT is being answered: what a Client sends meanwhile is held (up to `limits.heldPackets`), so a
 * driver that stops reading while this is true holds nothing at all.
 */
export function holdsInput(state: State): boolean {
  return state.phase === 'authenticating' && state.role === 'server' && state.agreement.authenticationMethod === undefined
}

function receive(state: State, packet: Packet): Step {
  if (isOver(state)) return unchanged(state)
  const sender = state.role === 'client' ? 'server' : 'client'
  const version = versionOf(state) ?? (packet.type === 'connect' ? packet.version : 5)
  const event = eventOf(sender, packet)
  if (destination(state.phase, event, version) === undefined) {
    return violate(state, packet, CONNECTION_RULES[violation(state.phase, event, version)], `${packet.type.toUpperCase()} from the ${sender} while ${state.phase}`)
  }
  // The table has let nothing else through.
  if (packet.type === 'connect') return receiveConnect(state as AwaitingConnect, packet)
  if (packet.type === 'connack') return receiveConnack(state as Authenticating, packet)
  const here = state as Authenticating | Connected
  const rule = contentFault(sender, packet, here.agreement) ?? (here.phase === 'authenticating' ? beforeConnackFault(packet, here) : undefined)
  if (rule !== undefined) return violate(here, packet, CONNECTION_RULES[rule], packet.type.toUpperCase())
  if (here.phase === 'authenticating') return hold(here, packet)
  switch (packet.type) {
    case 'pingreq': return stay(here, ANSWER_PING)
    case 'pingresp': return receivePingresp(here)
    case 'disconnect': return disconnectedByPeer(here, packet)
    default: return stay(here, DELIVER)
  }
}

/** Server: before the CONNACK only an AUTH is looked at; the rest waits its turn [SPEC-3.1.4-1]. Client: an AUTH for the application. */
function hold(state: Authenticating, packet: Packet): Step {
  if (packet.type === 'auth') return stay(state, DELIVER)
  if (packet.type === 'disconnect' && state.agreement.authenticationMethod !== undefined) return disconnectedByPeer(state, packet)
  if (state.held.length >= state.limits.heldPackets) return violate(state, packet, CONNECTION_RULES.tooManyHeld, `packet ${state.held.length + 1} before the CONNACK`)
  return { state: { ...state, held: [...state.held, packet] }, effects: NOTHING }
}

/** Once accepted: judges what was held, in order, as if it came now; what follows an end is not processed [MQTT-3.1.4-5]. */
function replay(state: Connected, held: readonly Packet[]): Step {
  let next: State = state
  const effects: Effect[] = []
  for (const packet of held) {
    const step = receive(next, packet)
    next = step.state
    for (const effect of step.effects) effects.push(effect.type === 'deliver' ? { type: 'deliver', packet } : effect)
  }
  return { state: next, effects }
}

function send(state: State, input: Extract<Input, { type: 'send' }>): Step {
  const { packet } = input
  const version = versionOf(state) ?? (packet.type === 'connect' ? packet.version : 5)
  const event = eventOf(state.role, packet)
  // 3.x has no DISCONNECT of the Server: to send one is to close without a word (3.1.1 §4.8).
  const silent = event === 'server disconnect' && version < 5 && state.phase === 'connected'
  if (!silent && destination(state.phase, event, version) === undefined) {
    return refuse(state, input, violation(state.phase, event, version), versionOf(state), `${packet.type.toUpperCase()} while ${state.phase}`)
  }
  if (packet.type === 'connect') return sendConnect(state as Opening, input, packet)
  if (packet.type === 'connack') return sendConnack(state as Authenticating, input, packet, replay)
  const here = state as Authenticating | Connected
  const rule = contentFault(state.role, packet, here.agreement) ?? (here.phase === 'authenticating' ? beforeConnackFault(packet, here) : undefined)
  if (rule !== undefined) return refuse(state, input, rule, version, packet.type.toUpperCase())
  if (packet.type === 'pingreq') return ping(here, input.token)
  if (packet.type === 'disconnect') return disconnect(here, packet, version)
  return { state, effects: [{ type: 'write', packet }] }
}

/** What lifecycle.ts cannot see: fields that only one side may use, and authentication that CONNECT did not announce. */
function contentFault(sender: Role, packet: PacketInput, { version, authenticationMethod, askedToExpireAtOnce }: Agreement): ConnectionRule | undefined {
  if (version < 5) return undefined
  switch (packet.type) {
    case 'publish': return sender === 'client' && packet.properties?.subscriptionIdentifiers !== undefined ? 'clientSubscriptionIdentifier' : undefined
    case 'auth': return authFault(sender, packet, authenticationMethod)
    case 'disconnect': return disconnectFault(sender, packet, askedToExpireAtOnce)
    default: return undefined
  }
}

function authFault(sender: Role, packet: AuthInput | Auth, method: string | undefined): ConnectionRule | undefined {
  if (method === undefined) return sender === 'server' ? 'serverAuthWithoutMethod' : 'authWithoutMethod'
  if (!maySend(sender, 'auth', packet.reasonCode ?? 0)) return 'authCode'
  return packet.properties?.authenticationMethod === method ? undefined : 'authMethodChanged'
}

function disconnectFault(sender: Role, packet: DisconnectInput | Disconnect, askedToExpireAtOnce: boolean): ConnectionRule | undefined {
  const expiry = packet.properties?.sessionExpiryInterval
  if (!maySend(sender, 'disconnect', packet.reasonCode ?? 0)) return 'disconnectCode'
  if (expiry === undefined) return undefined
  if (sender === 'server') return 'serverSessionExpiry'
  return askedToExpireAtOnce && expiry !== 0 ? 'raisedSessionExpiry' : undefined
}

function beforeConnackFault(packet: PacketInput, { agreement }: Authenticating): ConnectionRule | undefined {
  if (packet.type === 'auth' && packet.reasonCode === RE_AUTHENTICATE) return 'reauthenticateEarly'
  if (packet.type === 'auth' && packet.reasonCode !== CONTINUE_AUTHENTICATION) return 'continueBeforeConnack'
  return agreement.authenticationMethod !== undefined && packet.type !== 'auth' && packet.type !== 'disconnect' ? 'authOnly' : undefined
}

function disconnect(state: Authenticating | Connected, packet: DisconnectInput, version: ProtocolVersion): Step {
  const { reasonCode = 0 } = packet
  const ending = {
    by: state.role, why: reasonCode === TAKEN_OVER ? 'taken-over' : 'disconnect', reasonCode, reasonString: packet.properties?.reasonString,
    serverReference: packet.properties?.serverReference,
    sentence: `The ${nameOf(state.role)} disconnected: ${reasonName('disconnect', reasonCode)}.`,
  } as const
  return state.role === 'server' && version < 5 ? closing(state, ending) : closing(state, ending, packet)
}

/** A DISCONNECT has come. From a Client it discards the Will, unless it says otherwise: only 0x00 discards [MQTT-3.14.4-3]. */
function disconnectedByPeer(state: Authenticating | Connected, packet: Disconnect): Step {
  const by = state.role === 'client' ? 'server' : 'client'
  const { reasonCode, properties } = packet
  return closing(state, {
    by, why: reasonCode === TAKEN_OVER ? 'taken-over' : 'disconnect', reasonCode, reasonString: properties?.reasonString, serverReference: properties?.serverReference,
    willDiscarded: reasonCode === 0,
    sentence: `The ${nameOf(by)} disconnected: ${reasonName('disconnect', reasonCode)}.`,
  })
}

/** A timer has fired. One that is not running in this state came late or twice, and nothing happens. */
function fire(state: State, timer: TimerName): Step {
  if (!running(state).includes(timer)) return unchanged(state)
  switch (timer) {
    case 'connect': return state.role === 'server' ? connectOverdue(state) : connackOverdue(state)
    case 'auth': return answerOverdue(state as Authenticating)
    case 'keep-alive': return keepAliveDue(state as Authenticating | Connected)
    case 'pingresp': return pingrespOverdue(state as Connected)
    // The peer has not closed its side: a driver destroys what is left of a closed connection.
    case 'close': return { state: { ...state, phase: 'closed' } as State, effects: NOTHING }
  }
}

function connectOverdue(state: State): Step {
  const rule = CONNECTION_RULES.connectInTime
  return closing(state, { by: 'server', why: 'connect-timeout', reasonCode: rule.code, rule, sentence: `No complete CONNECT came within ${state.limits.connectTimeout} ms.` })
}

function connackOverdue(state: State): Step {
  const rule = CONNECTION_RULES.connackInTime
  return closing(state, { by: 'client', why: 'connack-timeout', reasonCode: rule.code, rule, sentence: `No CONNACK came within ${state.limits.connackTimeout} ms.` })
}

/** The Network Connection is gone. Nothing is left to half-close: whoever ends it, it is over. */
function connectionClosed(state: State, error: Error | undefined): Step {
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
  if (state.phase === 'connected') return `The ${peer} closed the connection without DISCONNECT.`
  return `The ${peer} closed the connection before CONNECT was through.`
}

function isOver(state: State): boolean {
  return state.phase === 'closing' || state.phase === 'closed'
}

function unchanged(state: State): Step {
  return stay(state, NOTHING)
}

/** A step that changes nothing and has shared effects is the same value every time: a stream of packets on one connection makes none. */
let last: Step | undefined
function stay(state: State, effects: readonly Effect[]): Step {
  if (last === undefined || last.state !== state || last.effects !== effects) last = { state, effects }
  return last
}

function nameOf(role: Role): string {
  return role === 'client' ? 'Client' : 'Server'
}

const CONTINUE_AUTHENTICATION = 0x18
const RE_AUTHENTICATE = 0x19
const TAKEN_OVER = 0x8e
const NOTHING: readonly Effect[] = /* @__PURE__ */ Object.freeze([])
const DELIVER: readonly Effect[] = /* @__PURE__ */ Object.freeze([Object.freeze({ type: 'deliver' })])
const ANSWER_PING: readonly Effect[] = /* @__PURE__ */ Object.freeze([Object.freeze({ type: 'write', packet: Object.freeze({ type: 'pingresp' }) })])
