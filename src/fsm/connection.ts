// SPDX-License-Identifier: MIT
// The machine: (state, input) → state and effects. Pure: no clock, no I/O, no randomness, and it never throws for anything a peer can send.
// What is legal when is read off lifecycle.ts; this file takes each packet to the one that says what follows from it.
import type { Packet } from '../codec/index.ts'
import { receivePublish, receivePubrel, receiveRequest, sendAnswer } from './answers.ts'
import { authFault, receiveAuth, reauthenticationOverdue, sendAuth } from './authentication.ts'
import { running, versionOf } from './close.ts'
import { connackOverdue, connectionClosed, connectOverdue, disconnect, disconnectedByPeer, disconnectFault } from './endings.ts'
import { fail, violate } from './errors.ts'
import { receiveAck, sendPublish, sendRequest } from './exchanges.ts'
import { termsFault } from './flow.ts'
import { answerOverdue, receiveConnack, receiveConnect, sendConnack, sendConnect } from './handshake.ts'
import { keepAliveDue, ping, pingrespOverdue, receivePingresp } from './keep-alive.ts'
import { destination, eventOf, violation } from './lifecycle.ts'
import type { TimerName } from './lifecycle.ts'
import { unaskedInformation } from './outgoing.ts'
import { refuse } from './refuse.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { ConnectionRule } from './rules.ts'
import type { Session } from './session.ts'
import { NOTHING, stay, unchanged } from './step.ts'
import type { Agreement, Authenticating, AwaitingConnect, Effect, Input, Limits, Live, Opening, Reauthenticating, Role, Send, SendInput, State, Step } from './types.ts'

/** What a connection begins with. */
export interface InitialOptions {
  readonly role: Role
  /** client: the session that an earlier connection left in `state.session`; none: there is no session state. A server gives it with its CONNACK */
  readonly session?: Session | undefined
  readonly limits?: Partial<Limits> | undefined
}

/** What `initial` takes where it is given nothing else; see Limits for units and ranges. */
export const DEFAULT_LIMITS: Limits = /* @__PURE__ */ Object.freeze({
  versions: /* @__PURE__ */ Object.freeze([3, 4, 5] as const),
  connectTimeout: 10_000,
  connackTimeout: 30_000,
  authTimeout: 30_000,
  pingrespTimeout: 10_000,
  closeTimeout: 5_000,
  heldPackets: 100,
  clientIdLength31: 23,
  receiveMaximum: 65_535,
  packetIds: 65_535,
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
    case 'malformed': return isOver(state) ? unchanged(state) : fail(state, input.error, input.bytes)
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
  const illegal = (rule: ConnectionRule): Step => violate(state, packet, CONNECTION_RULES[rule], `${packet.type.toUpperCase()} from the ${sender} while ${state.phase}`)
  if (packet.type === 'auth' && 'agreement' in state) {
    const rule = authFault(sender, packet, state.agreement)
    if (rule !== undefined) return illegal(rule)
  }
  const event = eventOf(sender, packet)
  if (destination(state.phase, event, version) === undefined) return illegal(violation(state.phase, event, version))
  // The table has let nothing else through.
  if (packet.type === 'connect') return receiveConnect(state as AwaitingConnect, packet)
  if (packet.type === 'connack') return receiveConnack(state as Authenticating, packet)
  const here = state as Authenticating | Live
  if (version === 5) {
    const rule = contentFault(sender, packet, here) ?? (sender === 'server' ? unaskedInformation(packet, here.agreement) : undefined)
    if (rule !== undefined) return violate(here, packet, CONNECTION_RULES[rule], packet.type.toUpperCase())
  }
  return here.phase === 'authenticating' ? hold(here, packet) : receiveLive(here, packet)
}

/** CONNACK is through, and the packet is legal. */
function receiveLive(state: Live, packet: Exclude<Packet, { readonly type: 'connect' | 'connack' }>): Step {
  switch (packet.type) {
    case 'publish': return receivePublish(state, packet)
    case 'puback':
    case 'pubrec':
    case 'pubcomp':
    case 'suback':
    case 'unsuback': return receiveAck(state, packet)
    case 'pubrel': return receivePubrel(state, packet)
    case 'subscribe':
    case 'unsubscribe': return receiveRequest(state, packet)
    case 'pingreq': return stay(state, ANSWER_PING)
    case 'pingresp': return receivePingresp(state)
    case 'disconnect': return disconnectedByPeer(state, packet)
    case 'auth': return receiveAuth(state, packet)
  }
}

/** Server: before the CONNACK only an AUTH is looked at; the rest waits its turn [SPEC-3.1.4-1]. Client: an AUTH for the application. */
function hold(state: Authenticating, packet: Packet): Step {
  if (packet.type === 'auth') return receiveAuth(state, packet)
  if (packet.type === 'disconnect' && state.agreement.authenticationMethod !== undefined) return disconnectedByPeer(state, packet)
  if (state.held.length >= state.limits.heldPackets) return violate(state, packet, CONNECTION_RULES.tooManyHeld, `packet ${state.held.length + 1} before the CONNACK`)
  return { state: { ...state, held: [...state.held, packet] }, effects: NOTHING }
}

/** Once accepted: judges what was held, in order, as if it came now; what follows an end is not processed [MQTT-3.1.4-5]. */
function replay(state: Live, held: readonly Packet[]): Step {
  let next: State = state
  const effects: Effect[] = []
  for (const packet of held) {
    const step = receive(next, packet)
    next = step.state
    for (const effect of step.effects) effects.push(effect.type === 'deliver' ? { type: 'deliver', packet: effect.packet ?? packet } : effect)
  }
  return { state: next, effects }
}

function send(state: State, input: Send): Step {
  const { packet } = input
  const version = versionOf(state) ?? (packet.type === 'connect' ? packet.version : 5)
  const event = eventOf(state.role, packet)
  const illegal = (rule: ConnectionRule): Step => refuse(state, input, rule, versionOf(state), `${packet.type.toUpperCase()} while ${state.phase}`)
  if (packet.type === 'auth' && 'agreement' in state) {
    const rule = authFault(state.role, packet, state.agreement)
    if (rule !== undefined) return illegal(rule)
  }
  // 3.x has no DISCONNECT of the Server: to send one is to close without a word (3.1.1 §4.8).
  const silent = event === 'server disconnect' && version < 5 && state.phase === 'connected'
  if (!silent && destination(state.phase, event, version) === undefined) return illegal(violation(state.phase, event, version))
  if (packet.type === 'connect') return sendConnect(state as Opening, input, packet)
  if (packet.type === 'connack') return sendConnack(state as Authenticating, input, packet, replay)
  const here = state as Authenticating | Live
  const rule = contentFault(state.role, packet, here)
  if (rule !== undefined) return refuse(state, input, rule, version, packet.type.toUpperCase())
  return sendLegal(here, input, packet, version)
}

function sendLegal(state: Authenticating | Live, input: Send, packet: Exclude<SendInput, { readonly type: 'connect' | 'connack' }>, version: Agreement['version']): Step {
  switch (packet.type) {
    case 'publish': return sendPublish(state, input, packet)
    case 'subscribe':
    case 'unsubscribe': return sendRequest(state, input, packet)
    case 'puback':
    case 'pubrec':
    case 'suback':
    case 'unsuback': return sendAnswer(state, input, packet)
    case 'pubrel':
    case 'pubcomp': return refuse(state, input, 'machineSends', version, packet.type.toUpperCase())
    case 'pingreq': return ping(state, input.token)
    case 'disconnect': return disconnect(state, input, packet)
    case 'auth': return sendAuth(state, input, packet)
    // A Client does not send it, and a Server's answer to PINGREQ is not the application's: the table and ANSWER_PING.
    case 'pingresp': return { state, effects: [{ type: 'write', packet }] }
  }
}

/** What lifecycle.ts cannot see: fields that only one side may use, what CONNECT and CONNACK have announced, and authentication under way. */
function contentFault(sender: Role, packet: SendInput, { phase, agreement }: Authenticating | Live): ConnectionRule | undefined {
  if (agreement.version < 5) return undefined
  if (phase === 'authenticating' && agreement.authenticationMethod !== undefined && packet.type !== 'auth' && packet.type !== 'disconnect') return 'authOnly'
  if (packet.type === 'disconnect') return disconnectFault(sender, packet, agreement)
  if (sender === 'client' && packet.type === 'publish' && packet.properties?.subscriptionIdentifiers !== undefined) return 'clientSubscriptionIdentifier'
  return termsFault(sender, packet, agreement)
}

/** A timer has fired. One that is not running in this state came late or twice, and nothing happens. */
function fire(state: State, timer: TimerName): Step {
  if (!running(state).includes(timer)) return unchanged(state)
  switch (timer) {
    case 'connect': return state.role === 'server' ? connectOverdue(state) : connackOverdue(state)
    case 'auth': return state.phase === 'authenticating' ? answerOverdue(state) : reauthenticationOverdue(state as Reauthenticating)
    case 'keep-alive': return keepAliveDue(state as Authenticating | Live)
    case 'pingresp': return pingrespOverdue(state as Live)
    // The peer has not closed its side: a driver destroys what is left of a closed connection.
    case 'close': return { state: { ...state, phase: 'closed' } as State, effects: NOTHING }
  }
}

function isOver(state: State): boolean {
  return state.phase === 'closing' || state.phase === 'closed'
}

const ANSWER_PING: readonly Effect[] = /* @__PURE__ */ Object.freeze([/* @__PURE__ */ Object.freeze({ type: 'write', packet: /* @__PURE__ */ Object.freeze({ type: 'pingresp' }) })])
