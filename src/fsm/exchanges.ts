// SPDX-License-Identifier: MIT
// Our side of what needs an answer: PUBLISH of QoS 1 and 2, SUBSCRIBE and UNSUBSCRIBE go out, their acknowledgements come in (5.0 §4.3, §4.4, §4.9).
// Which acknowledgement means what is read off session.ts; the peer's exchanges are in answers.ts.
import type { PacketOf, PublishInput, SubscribeInput, UnsubscribeInput, UsageError } from '../codec/index.ts'
import { violate } from './errors.ts'
import { aliasFault, peerTerms, sendQuota } from './flow.ts'
import type { Flow } from './flow.ts'
import { outgoing, outgoingFor } from './outgoing.ts'
import { countIds, freeId, getId, LARGEST_ID, removeId, setId } from './packet-ids.ts'
import { refuse, refuseFor, usageError } from './refuse.ts'
import { CONNECTION_RULES } from './rules.ts'
import { ACKNOWLEDGED, unfinished } from './session.ts'
import type { Exchange, Exchanges } from './session.ts'
import { DELIVER, moved, unchanged } from './step.ts'
import type { Going } from './step.ts'
import type { Effect, Live, Send, Step } from './types.ts'

/** A PUBLISH goes out: QoS 0 is forgotten, QoS 1 and 2 are kept until they are acknowledged. */
export function sendPublish(state: Going, input: Send, packet: PublishInput): Step {
  const { role, agreement, flow } = state
  const { version } = agreement
  if (packet.dup === true) return refuse(state, input, packet.qos === 2 ? 'dupFirstQos2' : 'dupFirst', version, 'DUP 1 in a PUBLISH of the application')
  const alias = packet.properties?.topicAlias
  let { ourAliases } = flow
  if (alias !== undefined) {
    const fault = aliasFault(role, packet.topic, alias, agreement, ourAliases)
    if (fault !== undefined) return refuse(state, input, fault, version, `Topic Alias ${alias}`)
    if (packet.topic !== '' && getId(ourAliases, alias) !== packet.topic) ourAliases = setId(ourAliases, alias, packet.topic)
  }
  const qos = packet.qos ?? 0
  const packetId = qos === 0 ? packet.packetId : identifier(state, input, packet.packetId)
  if (typeof packetId === 'object') return refuseFor(state, input, packetId)
  const out = outgoingFor(input, packetId === packet.packetId ? packet : { ...packet, packetId }, role, agreement)
  if (out instanceof Error) return refuseFor(state, input, out)
  const effects: Effect[] = [{ type: 'write', packet: out }]
  const nextFlow = ourAliases === flow.ourAliases ? flow : { ...flow, ourAliases }
  // Before CONNACK there may be no session yet, and no Topic Alias either.
  if (qos === 0) return { state: nextFlow === flow ? state : moved(state, state.session.exchanges, nextFlow), effects }
  const message = alias === undefined && packet.packetId === undefined ? packet : messageOf(packet, ourAliases)
  const exchange: Exchange = { awaits: qos === 1 ? 'puback' : 'pubrec', turn: state.session.exchanges.nextTurn, message, waits: false, filters: 0, token: input.token }
  return { state: moved(state, begun(state, packetId!, exchange), nextFlow), effects }
}

/** SUBSCRIBE and UNSUBSCRIBE go out. */
export function sendRequest(state: Going, input: Send, packet: Omit<SubscribeInput | UnsubscribeInput, 'packetId'> & { readonly packetId?: number }): Step {
  const { role, agreement, flow } = state
  const packetId = identifier(state, input, packet.packetId)
  if (typeof packetId === 'object') return refuseFor(state, input, packetId)
  const out = outgoingFor(input, { ...packet, packetId } as SubscribeInput | UnsubscribeInput, role, agreement)
  if (out instanceof Error) return refuseFor(state, input, out)
  const filters = out.type === 'subscribe' ? out.subscriptions.length : out.filters.length
  const exchange: Exchange = { awaits: out.type === 'subscribe' ? 'suback' : 'unsuback', turn: state.session.exchanges.nextTurn, message: undefined, waits: false, filters, token: input.token }
  return { state: moved(state, begun(state, packetId, exchange), { ...flow, requests: flow.requests + 1 }), effects: [{ type: 'write', packet: out }] }
}

/** An acknowledgement of something of ours has come. */
export function receiveAck(state: Live, packet: PacketOf<'puback' | 'pubrec' | 'pubcomp' | 'suback' | 'unsuback'>): Step {
  const exchange = getId(state.session.exchanges.ours, packet.packetId)
  if (exchange === undefined) return receiveStray(state, packet)
  const acknowledged = ACKNOWLEDGED[exchange.awaits][packet.type]
  const found = `${packet.type.toUpperCase()} ${packet.packetId}`
  if (acknowledged === undefined) return violate(state, packet, CONNECTION_RULES['reasonCodes' in packet ? 'unaskedAck' : 'wrongAck'], `${found}, which awaits ${exchange.awaits.toUpperCase()}`)
  if ('reasonCodes' in packet && packet.reasonCodes.length !== exchange.filters && (packet.type === 'suback' || state.agreement.version === 5)) {
    return violate(state, packet, CONNECTION_RULES[`${packet.type}Count`], `${found}: ${packet.reasonCodes.length} codes for ${exchange.filters} Topic Filters`)
  }
  // A PUBREC that refuses ends the exchange: the identifier is free, and no PUBREL follows [MQTT-4.4.0-2].
  const refuses = packet.type === 'pubrec' && packet.reasonCode >= 0x80
  if (acknowledged === 'done' || refuses) return finish(state, packet, exchange)
  return release(state, packet.packetId, exchange)
}

/** Nothing of ours has this identifier: the peer may know of something we have lost, and is helped to be rid of it. */
function receiveStray(state: Live, packet: PacketOf<'puback' | 'pubrec' | 'pubcomp' | 'suback' | 'unsuback'>): Step {
  const { type, packetId } = packet
  if (type === 'suback' || type === 'unsuback') return violate(state, packet, CONNECTION_RULES.unaskedAck, `${type.toUpperCase()} ${packetId}`)
  if (type !== 'pubrec' || packet.reasonCode >= 0x80) return unchanged(state)
  return { state, effects: writeIfFits(state, { type: 'pubrel', packetId, reasonCode: state.agreement.version === 5 ? NOT_FOUND : 0 }) }
}

/** PUBREC: the message is the peer's now. PUBREL goes out, and PUBLISH never again [MQTT-4.3.3-6]. */
function release(state: Live, packetId: number, exchange: Exchange): Step {
  const { session: { exchanges }, flow } = state
  const effects = writeIfFits(state, { type: 'pubrel', packetId })
  if (exchange.awaits === 'pubcomp') return { state, effects }
  const released: Exchange = { awaits: 'pubcomp', turn: exchanges.nextTurn, message: undefined, waits: false, filters: 0, token: exchange.token }
  const next = { ...exchanges, ours: setId(exchanges.ours, packetId, released), nextTurn: exchanges.nextTurn + 1 }
  return { state: moved(state, next, noLongerWaiting(flow, exchange)), effects }
}

/** The exchange is over: its identifier is free, and what waited for room may go. */
function finish(state: Live, packet: PacketOf<'puback' | 'pubrec' | 'pubcomp' | 'suback' | 'unsuback'>, { awaits, waits, token }: Exchange): Step {
  const { session: { exchanges }, flow } = state
  const ours = removeId(exchanges.ours, packet.packetId)
  let left: Flow = awaits === 'suback' || awaits === 'unsuback' ? { ...flow, requests: flow.requests - 1 } : flow
  if (waits) left = { ...left, waiting: left.waiting - 1 }
  const next = moved(state, { ours, theirs: exchanges.theirs, nextId: exchanges.nextId, nextTurn: ours === undefined ? 0 : exchanges.nextTurn }, left)
  if (left.waiting === 0 && token === undefined) return { state: next, effects: DELIVER }
  const effects: Effect[] = token === undefined ? [...DELIVER] : [...DELIVER, { type: 'settle', token, packet }]
  return sendWaiting(next, effects)
}

/** Sends what waits, as long as the peer has room, behind the effects there are. */
function sendWaiting(state: Live, effects: Effect[]): Step {
  const { receiveMaximum } = peerTerms(state.role, state.agreement)
  let { flow, session: { exchanges } } = state
  while (flow.waiting > 0 && sendQuota(receiveMaximum, exchanges, flow) > 0) {
    const packetId = flow.resend[flow.resent]!
    const exchange = getId(exchanges.ours, packetId)
    flow = { ...flow, resent: flow.resent + 1 }
    // It has been acknowledged all the same.
    if (exchange?.waits !== true) continue
    flow = { ...flow, waiting: flow.waiting - 1 }
    exchanges = sendAgain(state, exchanges, packetId, exchange, effects)
  }
  if (flow.waiting === 0 && flow.resend.length > 0) flow = { ...flow, resend: NONE, resent: 0 }
  return { state: moved(state, exchanges, flow), effects }
}

/**
 * A session goes on: everything unfinished is sent again with its identifier, in its order, PUBLISH with DUP [MQTT-4.4.0-1], as far as the peer's
 * Receive Maximum lets it; PUBREL is not bound by that [MQTT-4.9.0-3].
 */
export function resume(state: Live): Step {
  const effects: Effect[] = []
  const messages = unfinished(state.session.exchanges)
  let room = peerTerms(state.role, state.agreement).receiveMaximum - messages.filter(([, { awaits }]) => awaits === 'pubcomp').length
  let { exchanges } = state.session
  const resend: number[] = []
  for (const [packetId, exchange] of messages) {
    if (exchange.awaits !== 'pubcomp' && room <= 0) {
      exchanges = { ...exchanges, ours: setId(exchanges.ours, packetId, { ...exchange, waits: true }) }
      resend.push(packetId)
      continue
    }
    const before = countIds(exchanges.ours)
    exchanges = sendAgain(state, exchanges, packetId, exchange, effects)
    if (exchange.awaits !== 'pubcomp' && countIds(exchanges.ours) === before) room--
  }
  const flow = resend.length === 0 ? state.flow : { ...state.flow, resend, resent: 0, waiting: resend.length }
  return { state: moved(state, exchanges, flow), effects }
}

/** One packet again; a message this peer would find too large is given up, and its token told so [MQTT-3.1.2-25]. */
function sendAgain(state: Live, exchanges: Exchanges, packetId: number, exchange: Exchange, effects: Effect[]): Exchanges {
  const { message, token, waits } = exchange
  if (message === undefined) {
    effects.push(...writeIfFits(state, { type: 'pubrel', packetId }))
    return exchanges
  }
  // A session may go on over 3.x that has begun over 5.0: what 3.x has no word for stays behind.
  const { properties } = state.agreement.version === 5 ? message : {}
  const input: Send = { type: 'send', packet: { ...message, properties, packetId, dup: true }, token }
  const out = outgoingFor(input, input.packet as PublishInput, state.role, state.agreement)
  if (out instanceof Error) {
    effects.push({ type: 'refuse', error: out, token })
    return { ...exchanges, ours: removeId(exchanges.ours, packetId) }
  }
  effects.push({ type: 'write', packet: out })
  return waits ? { ...exchanges, ours: setId(exchanges.ours, packetId, { ...exchange, waits: false }) } : exchanges
}

/** The identifier of a new exchange, the application's or the next that is free; or why there is none. */
function identifier(state: Going, input: Send, given: number | undefined): number | UsageError {
  const { role, limits, agreement, flow } = state
  const { version, cleanStart } = agreement
  if (state.phase === 'authenticating' && !cleanStart) return usageError(input, 'sessionUnknown', version, `${input.packet.type.toUpperCase()} before CONNACK`)
  const { exchanges } = state.session
  const { ours, nextId } = exchanges
  const id = given ?? (freeId(ours, nextId, limits.packetIds) || freeId(ours, 1, limits.packetIds))
  if (given === undefined && id === 0) return usageError(input, 'identifiersExhausted', version, `${countIds(ours)} exchanges are under way`)
  if (!(Number.isInteger(id) && id >= 1 && id <= LARGEST_ID)) return usageError(input, 'identifierRange', version, `Packet Identifier ${id}`)
  if (getId(ours, id) !== undefined) return usageError(input, role === 'client' ? 'identifierInUse' : 'identifierInUseByServer', version, `Packet Identifier ${id}`)
  const { receiveMaximum } = peerTerms(role, agreement)
  const full = input.packet.type === 'publish' && sendQuota(receiveMaximum, exchanges, flow) <= 0
  return full ? usageError(input, 'sendQuota', version, `${receiveMaximum} are unanswered`) : id
}

function begun({ limits, session: { exchanges: { ours, theirs, nextTurn } } }: Going, packetId: number, exchange: Exchange): Exchanges {
  return { ours: setId(ours, packetId, exchange), theirs, nextId: packetId >= limits.packetIds ? 1 : packetId + 1, nextTurn: nextTurn + 1 }
}

/** A message as it may be sent on any connection: a Topic Alias means nothing on the next one [MQTT-3.3.2-7]. */
function messageOf({ packetId: _, properties, ...message }: PublishInput, aliases: Flow['ourAliases']): PublishInput {
  const { topicAlias, ...rest } = properties ?? {}
  const topic = message.topic === '' ? getId(aliases, topicAlias!)! : message.topic
  return { ...message, topic, properties: Object.keys(rest).length === 0 ? undefined : rest }
}

function noLongerWaiting(flow: Flow, { waits }: Exchange): Flow {
  return waits ? { ...flow, waiting: flow.waiting - 1 } : flow
}

function writeIfFits(state: Live, packet: PacketOf<'pubrel'> | { readonly type: 'pubrel', readonly packetId: number }): Effect[] {
  const out = outgoing(packet, state.role, state.agreement)
  return out === undefined ? [] : [{ type: 'write', packet: out }]
}

const NONE: readonly number[] = /* @__PURE__ */ Object.freeze([])
const NOT_FOUND = 0x92
