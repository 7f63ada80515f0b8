// SPDX-License-Identifier: MIT
// CONNECT and CONNACK, both ways (5.0 §3.1.4, §3.2; 3.1.1 §3.1.4, §3.2): who may connect how, what is agreed on, and which session goes on.
import { mayCarry, reasonName } from '../codec/index.ts'
import type { Connack, ConnackInput, Connect, ConnectInput, Packet, ProtocolVersion, Will } from '../codec/index.ts'
import { closing } from './close.ts'
import { refusal, violate } from './errors.ts'
import { armKeepAlive } from './keep-alive.ts'
import { refuse, refuseFor } from './refuse.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { ConnectionRule } from './rules.ts'
import { resume } from './exchanges.ts'
import { NO_FLOW, termsOfConnack, termsOfConnect } from './flow.ts'
import { outgoingFor, unaskedInformation } from './outgoing.ts'
import { newSession, reopened, sizeOf, unfinished } from './session.ts'
import type { Session } from './session.ts'
import type { Agreement, Authenticating, AwaitingConnect, Connected, Effect, Limits, Live, Opening, Redo, Send, Step } from './types.ts'

/** Client: CONNECT goes out. The Keep Alive interval runs from here, not from CONNACK [MQTT-3.1.2-23]. */
export function sendConnect(state: Opening, input: Send, packet: ConnectInput): Step {
  const rule = clientIdFault(packet, state.limits)
  if (rule !== undefined) return refuse(state, input, rule === 'emptyClientId' ? 'emptyClientIdSent' : rule, packet.version, `Client Identifier ${JSON.stringify(packet.clientId)}`)
  const agreement = agreementOf(packet, undefined)
  // A clean start discards what we had, here as there [MQTT-3.1.2-4; 3.1.1 MQTT-3.1.2-6]; another Client Identifier's is not ours [MQTT-3.1.3-2].
  const ours = state.session?.clientId === packet.clientId ? state.session : undefined
  const session = packet.cleanStart ? newSession(packet.clientId) : ours && reopened(ours)
  return {
    state: { phase: 'authenticating', role: 'client', limits: state.limits, session, agreement, flow: NO_FLOW, token: input.token, held: [] },
    effects: [
      { type: 'write', packet },
      { type: 'arm', timer: 'connect', ms: state.limits.connackTimeout },
      ...armKeepAlive('client', agreement.keepAlive),
      ...(packet.cleanStart && ours !== undefined ? lost(ours) : []),
    ],
  }
}

/** Server: CONNECT has come. What the standard refuses is refused here; the rest is for the application to decide. */
export function receiveConnect(state: AwaitingConnect, packet: Connect): Step {
  const { limits } = state
  const rule = limits.versions.includes(packet.version) ? clientIdFault(packet, limits) : 'versionNotAccepted'
  if (rule !== undefined) return refuseClient(state, packet, rule)
  return {
    state: { phase: 'authenticating', role: 'server', limits, session: state.session, agreement: agreementOf(packet, packet.will), flow: NO_FLOW, token: undefined, held: [] },
    effects: [{ type: 'disarm', timer: 'connect' }, { type: 'arm', timer: 'auth', ms: limits.authTimeout }, { type: 'deliver' }],
  }
}

/**
 * Server: the application answers. Accepting sends again what the session has unfinished, then replays, in order, what the Client sent behind its
 * CONNECT: `replay` judges it.
 */
export function sendConnack(state: Authenticating, input: Send, packet: ConnackInput, replay: (state: Live, held: readonly Packet[]) => Step): Step {
  const { limits, agreement, held } = state
  const { version } = agreement
  if (packet.reasonCode !== 0) return sendRefusal(state, input, packet, version)
  const accepted = input.session === undefined ? packet : { ...packet, sessionPresent: packet.sessionPresent ?? true }
  const clientId = packet.properties?.assignedClientIdentifier ?? agreement.clientId
  const session = input.session === undefined ? newSession(clientId) : reopened(input.session)
  const rule = connackFault(agreement, accepted) ?? givenFault(agreement, accepted, session, clientId)
  if (rule !== undefined) return refuse(state, input, rule, version, 'this CONNACK does not go with its CONNECT')
  const out = outgoingFor(input, accepted, 'server', agreement)
  if (out instanceof Error) return refuseFor(state, input, out)
  const connected: Connected = {
    phase: 'connected', role: 'server', limits, session,
    agreement: agreed(agreement, accepted), flow: NO_FLOW, pinging: false, pingTokens: NOBODY,
  }
  const resumed = resume(connected)
  const { state: next, effects } = replay(resumed.state as Live, held)
  return {
    state: next,
    effects: [{ type: 'write', packet: out }, { type: 'disarm', timer: 'auth' }, ...armKeepAlive('server', connected.agreement.keepAlive), ...resumed.effects, ...effects],
  }
}

/** Client: the Server accepts or refuses. */
export function receiveConnack(state: Authenticating, packet: Connack): Step {
  const { agreement, session } = state
  const settled: Effect[] = state.token === undefined ? [{ type: 'deliver' }] : [{ type: 'deliver' }, { type: 'settle', token: state.token, packet }]
  if (packet.reasonCode !== 0) return refusedByServer(state, packet, settled)
  const rule = sessionFault(agreement, packet, session) ?? methodFault(agreement, packet) ?? (agreement.version === 5 ? unaskedInformation(packet, agreement) : undefined)
  if (rule !== undefined) return violate(state, packet, CONNECTION_RULES[rule], `Session Present ${packet.sessionPresent ? 1 : 0}`)
  const next = agreed(agreement, packet)
  // MQTT 3.1 has no way to say that the session is there: it goes on.
  const resumes = !agreement.cleanStart && session !== undefined && (packet.sessionPresent || agreement.version === 3)
  const kept = (resumes || agreement.cleanStart) && session !== undefined ? named(session, next.clientId) : newSession(next.clientId)
  const connected: Connected = {
    phase: 'connected', role: 'client', limits: state.limits, session: kept, agreement: next, flow: state.flow, pinging: false, pingTokens: NOBODY,
  }
  const resumed = resumes ? resume(connected) : { state: connected, effects: [] }
  const outcome: readonly Effect[] = resumes ? [{ type: 'session', outcome: 'resumed' }] : session === undefined || agreement.cleanStart ? [] : lost(session)
  return {
    state: resumed.state,
    effects: [{ type: 'disarm', timer: 'connect' }, ...rearmKeepAlive(agreement.keepAlive, next.keepAlive), ...settled, ...outcome, ...resumed.effects],
  }
}

/** The Server has nothing of our session any more, or is told to forget it: what it may not have got is for the application to decide [MQTT-3.2.2-5]. */
function lost({ exchanges }: Session): readonly Effect[] {
  const messages = unfinished(exchanges).map(([, exchange]) => exchange)
  const redo = messages.flatMap(({ message, token }): Redo[] => (message === undefined ? [] : [{ packet: message, token }]))
  // What had been answered by PUBREC was the Server's; nothing more will be heard of it.
  const over = messages.flatMap(({ message, token }): Effect[] => (message !== undefined || token === undefined ? [] : [{ type: 'settle', token }]))
  return [{ type: 'session', outcome: 'lost', redo }, ...over]
}

/** A session begun before its Client Identifier was assigned has it now. */
function named(session: Session, clientId: string): Session {
  return session.clientId === clientId ? session : { clientId, exchanges: session.exchanges }
}

/** What CONNACK makes of what CONNECT has asked for. */
function agreed(agreement: Agreement, { properties }: ConnackInput): Agreement {
  const { version, cleanStart, will, askedToExpireAtOnce, authenticationMethod, terms } = agreement
  return {
    version, cleanStart, will, askedToExpireAtOnce, authenticationMethod, terms: termsOfConnack(terms, properties),
    clientId: properties?.assignedClientIdentifier ?? agreement.clientId,
    keepAlive: properties?.serverKeepAlive ?? agreement.keepAlive,
    sessionExpiryInterval: properties?.sessionExpiryInterval ?? agreement.sessionExpiryInterval,
  }
}

/** Server: nobody answered in time, neither the application nor the Client's AUTH. */
export function answerOverdue(state: Authenticating): Step {
  const rule = CONNECTION_RULES.answerInTime
  const answer = refusal(rule.code, state.agreement.version)!
  return closing(state, { by: 'server', why: 'auth-timeout', reasonCode: rule.code, rule, sentence: `The CONNECT was not answered within ${state.limits.authTimeout} ms.` }, answer)
}

function agreementOf(packet: ConnectInput, will: Will | undefined): Agreement {
  const { version, clientId, cleanStart, keepAlive, properties } = packet
  return {
    version, clientId, cleanStart, keepAlive, will,
    askedToExpireAtOnce: (properties?.sessionExpiryInterval ?? 0) === 0,
    sessionExpiryInterval: properties?.sessionExpiryInterval ?? (version === 5 || cleanStart ? 0 : 0xffff_ffff),
    authenticationMethod: properties?.authenticationMethod,
    terms: termsOfConnect(properties),
  }
}

/** 3.1 wants 1 to 23 characters; 3.1.1 an empty one only with Clean Session 1; 5.0 takes any [MQTT-3.1.3-8; 5.0 MQTT-3.1.3-6]. */
function clientIdFault({ version, clientId, cleanStart }: ConnectInput, limits: Limits): 'clientIdLength' | 'emptyClientId' | undefined {
  if (version === 3) return clientId === '' || [...clientId].length > limits.clientIdLength31 ? 'clientIdLength' : undefined
  return version === 4 && clientId === '' && !cleanStart ? 'emptyClientId' : undefined
}

function refuseClient(state: AwaitingConnect, packet: Connect, rule: ConnectionRule): Step {
  const row = CONNECTION_RULES[rule]
  const answer = refusal(row.code, packet.version)!
  return closing(state, {
    by: 'server', why: 'refused', reasonCode: row.code, rule: row, version: packet.version,
    sentence: `The Server refused CONNECT from ${JSON.stringify(packet.clientId)}: ${row.text}.`,
  }, answer)
}

/** An application may refuse every Client with 5.0's codes: 3.x is told the return code that says the same, or nothing [MQTT-3.2.2-6]. */
function sendRefusal(state: Authenticating, input: Send, packet: ConnackInput, version: ProtocolVersion): Step {
  const known = version === 5 ? mayCarry('connack', packet.reasonCode, 5) : reasonName('connack', packet.reasonCode, version) !== undefined || reasonName('connack', packet.reasonCode) !== undefined
  if (!known) return refuse(state, input, 'connackCode', version, `code ${packet.reasonCode}`)
  if (version === 5 && packet.properties?.authenticationMethod !== undefined && state.agreement.authenticationMethod === undefined) {
    return refuse(state, input, 'serverAuthWithoutMethod', version, 'a refusal with an Authentication Method')
  }
  const answer = version === 5 ? outgoingFor(input, packet, 'server', state.agreement) : refusal(packet.reasonCode, version)
  if (answer instanceof Error) return refuseFor(state, input, answer)
  const ending = {
    by: 'server', why: 'refused', reasonCode: packet.reasonCode, rule: CONNECTION_RULES.refused,
    sentence: `The Server refused the Client: ${refusalName(packet.reasonCode, version)}.`,
  } as const
  return answer === undefined ? closing(state, ending) : closing(state, ending, answer)
}

function refusedByServer(state: Authenticating, packet: Connack, settled: readonly Effect[]): Step {
  const { version } = state.agreement
  const { state: next, effects } = closing(state, {
    by: 'server', why: 'refused', reasonCode: packet.reasonCode, rule: CONNECTION_RULES.refused,
    reasonString: packet.properties?.reasonString, serverReference: packet.properties?.serverReference,
    sentence: `The Server refused the connection: ${refusalName(packet.reasonCode, version)}.`,
  })
  return { state: next, effects: [...settled, ...effects] }
}

function refusalName(code: number, version: ProtocolVersion): string {
  return reasonName('connack', code, version) ?? reasonName('connack', code) ?? `code ${code}`
}

/** What our own CONNACK may not say, given the CONNECT it answers. */
function connackFault(agreement: Agreement, packet: ConnackInput): ConnectionRule | undefined {
  const { version, cleanStart, clientId, will } = agreement
  if (packet.sessionPresent === true && cleanStart) return 'sessionPresentCleanStart'
  if (version === 5 && clientId === '' && packet.properties?.assignedClientIdentifier === undefined) return 'assignedClientId'
  if (will !== undefined && will.qos > (packet.properties?.maximumQos ?? 2)) return 'willQosAccepted'
  if (will?.retain === true && packet.properties?.retainAvailable === false) return 'willRetainAccepted'
  return methodFault(agreement, packet)
}

/** The session our application goes on with: this Client's, and told to it. One that has nothing unfinished may be a new one. */
function givenFault({ version, cleanStart }: Agreement, { sessionPresent }: ConnackInput, session: Session, clientId: string): ConnectionRule | undefined {
  if (session.clientId !== clientId) return 'sessionOfAnother'
  const { ours, theirs } = sizeOf(session)
  if (sessionPresent === true || ours + theirs === 0) return undefined
  if (cleanStart) return 'sessionPresentCleanStart'
  // MQTT 3.1 has no way to tell it.
  return version === 3 ? undefined : 'sessionPresentUntold'
}

/**
 * Session Present against our own session state. 5.0 must not go on with a session it knows nothing of [MQTT-3.2.2-4]; 3.1.1 leaves that
 * to the Client (§3.2.2.2), and a restarted 3.1.1 Client without a store would never come back, so there it goes on.
 */
function sessionFault({ version, cleanStart }: Agreement, packet: Connack, session: Session | undefined): ConnectionRule | undefined {
  if (!packet.sessionPresent) return undefined
  if (cleanStart) return 'sessionPresentCleanStart'
  return version === 5 && session === undefined ? 'sessionPresentUnknown' : undefined
}

function methodFault({ authenticationMethod }: Agreement, packet: ConnackInput): ConnectionRule | undefined {
  if (packet.properties?.authenticationMethod === authenticationMethod) return undefined
  return authenticationMethod === undefined ? 'serverAuthWithoutMethod' : 'authMethodChanged'
}

function rearmKeepAlive(before: number, now: number): readonly Effect[] {
  if (before === now) return []
  return now === 0 ? [{ type: 'disarm', timer: 'keep-alive' }] : armKeepAlive('client', now)
}

const NOBODY: readonly unknown[] = /* @__PURE__ */ Object.freeze([])
