// SPDX-License-Identifier: MIT
// The peer's side of what needs an answer: its PUBLISH of QoS 1 and 2, SUBSCRIBE and UNSUBSCRIBE come in, our answers go out (5.0 §4.3, §4.6, §4.9).
// PUBACK, PUBREC, SUBACK and UNSUBACK are the application's to give, when it has dealt with the matter; PUBCOMP is nobody's decision.
// Method A of the standard: a QoS 2 message is delivered when it comes, and its identifier kept until PUBREL.
import type { PacketInputOf, PacketOf, Publish } from '../codec/index.ts'
import { violate } from './errors.ts'
import { aliasFault, receiving } from './flow.ts'
import type { Flow } from './flow.ts'
import { outgoing, outgoingFor } from './outgoing.ts'
import { getId, removeId, setId } from './packet-ids.ts'
import { refuse, refuseFor } from './refuse.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { Exchanges, Owed } from './session.ts'
import { DELIVER, exchangesOf, moved, NOTHING, stay } from './step.ts'
import type { Going } from './step.ts'
import type { Effect, Live, Role, Send, Step } from './types.ts'

export function receivePublish(state: Live, packet: Publish): Step {
  const alias = packet.properties?.topicAlias
  if (packet.qos === 0 && alias === undefined) return stay(state, DELIVER)
  const { role, agreement, flow } = state
  let { theirAliases } = flow
  let delivered = packet
  if (alias !== undefined) {
    const fault = aliasFault(role === 'client' ? 'server' : 'client', packet.topic, alias, agreement, theirAliases)
    if (fault !== undefined) return violate(state, packet, CONNECTION_RULES[fault], `Topic Alias ${alias}`)
    if (packet.topic === '') delivered = { ...packet, topic: getId(theirAliases, alias)! }
    else if (getId(theirAliases, alias) !== packet.topic) theirAliases = setId(theirAliases, alias, packet.topic)
  }
  const next = theirAliases === flow.theirAliases ? flow : { ...flow, theirAliases }
  const effects: readonly Effect[] = delivered === packet ? DELIVER : [{ type: 'deliver', packet: delivered }]
  if (packet.qos === 0) return stay(moved(state, state.session.exchanges, next), effects)
  const owed = getId(state.session.exchanges.theirs, packet.packetId!)
  return owed === undefined ? newMessage(state, packet, next, effects) : repeated(state, packet, next, owed)
}

/** A QoS 1 or 2 message we have not seen: delivered, and an answer is owed. */
function newMessage(state: Live, packet: Publish, flow: Flow, effects: readonly Effect[]): Step {
  const { role, session: { exchanges } } = state
  if (isFull(state)) return oneTooMany(state, packet)
  const first = packet.qos === 1
  const owed: Owed = { owes: first ? 'puback' : 'pubrec', turn: first ? flow.nextPuback : flow.nextPubrec, here: true }
  const { nextPuback, duePuback, nextPubrec, duePubrec } = flow
  const next = receiving(flow, flow.receiving + 1, first ? after(role, nextPuback) : nextPuback, duePuback, first ? nextPubrec : after(role, nextPubrec), duePubrec)
  return { state: moved(state, owing(exchanges, packet.packetId!, owed), next), effects }
}

/** The message we have: never delivered again [MQTT-4.3.3-10]. Until the application has answered, one answer will do for both. */
function repeated(state: Live, packet: Publish, flow: Flow, owed: Owed): Step {
  const { owes, here } = owed
  const packetId = packet.packetId!
  const known = packet.qos === 1 ? owes === 'puback' : owes === 'pubrec' || owes === 'pubrel'
  if (!known) return violate(state, packet, CONNECTION_RULES[state.role === 'server' ? 'identifierInUse' : 'identifierInUseByServer'], `PUBLISH of QoS ${packet.qos} with Packet Identifier ${packetId}`)
  const { exchanges } = state.session
  if (owes !== 'pubrel') return stay(moved(state, exchanges, flow), NOTHING)
  if (!here && isFull(state)) return oneTooMany(state, packet)
  const next = here
    ? moved(state, exchanges, flow)
    : moved(state, owing(exchanges, packetId, { ...owed, here: true }), { ...flow, receiving: flow.receiving + 1 })
  return { state: next, effects: written(state, { type: 'pubrec', packetId }) }
}

/** The peer has sent here as many messages that are not answered to the end as it may, those of an earlier connection that it has sent again included. */
function isFull({ limits, role, flow, agreement: { terms } }: Live): boolean {
  return flow.receiving >= Math.min(limits.receiveMaximum, terms[role].receiveMaximum)
}

function oneTooMany(state: Live, packet: Publish): Step {
  return violate(state, packet, CONNECTION_RULES.receiveMaximum, `${state.flow.receiving} messages of QoS 1 and 2 are unanswered`)
}

/** PUBREL: the identifier is free again, and PUBCOMP says so [MQTT-4.3.3-11]; also where we know nothing of it. */
export function receivePubrel(state: Live, packet: PacketOf<'pubrel'>): Step {
  const { session: { exchanges }, flow, agreement: { version } } = state
  const { packetId } = packet
  const owed = getId(exchanges.theirs, packetId)
  if (owed?.owes === 'pubrec') return violate(state, packet, CONNECTION_RULES.pubrelEarly, `PUBREL ${packetId}, which has no PUBREC yet`)
  if (owed?.owes !== 'pubrel') return { state, effects: written(state, { type: 'pubcomp', packetId, reasonCode: version === 5 ? NOT_FOUND : 0 }) }
  return { state: answered(state, packetId, owed, flow), effects: written(state, { type: 'pubcomp', packetId }) }
}

/** Server: SUBSCRIBE or UNSUBSCRIBE has come, for the application to answer. */
export function receiveRequest(state: Live, packet: PacketOf<'subscribe' | 'unsubscribe'>): Step {
  const { exchanges } = state.session
  const { packetId } = packet
  if (getId(exchanges.theirs, packetId) !== undefined) return violate(state, packet, CONNECTION_RULES.identifierInUse, `${packet.type.toUpperCase()} with Packet Identifier ${packetId}`)
  const owed: Owed = packet.type === 'subscribe' ? { owes: 'suback', turn: packet.subscriptions.length, here: false } : { owes: 'unsuback', turn: packet.filters.length, here: false }
  return { state: moved(state, owing(exchanges, packetId, owed), state.flow), effects: DELIVER }
}

/** The application answers: a message with PUBACK or PUBREC, a Client's in the order they came [MQTT-4.6.0-2, MQTT-4.6.0-3], a request with SUBACK or UNSUBACK. */
export function sendAnswer(state: Going, input: Send, packet: PacketInputOf<'puback' | 'pubrec' | 'suback' | 'unsuback'>): Step {
  const { role, agreement, flow } = state
  const { version } = agreement
  const { type, packetId } = packet
  const owed = getId(exchangesOf(state).theirs, packetId)
  if (owed?.owes !== type) return refuse(state, input, type === 'puback' || type === 'pubrec' ? 'answerWithoutQuestion' : 'unaskedAck', version, `${type.toUpperCase()} ${packetId}`)
  if (type === 'suback' || type === 'unsuback') {
    const counts = packet.reasonCodes?.length ?? 0
    if (counts !== owed.turn && (type === 'suback' || version === 5)) return refuse(state, input, `${type}Count`, version, `${counts} codes for ${owed.turn} Topic Filters`)
  } else if (role === 'client' && owed.turn !== (type === 'puback' ? flow.duePuback : flow.duePubrec)) {
    return refuse(state, input, type === 'puback' ? 'pubackOrder' : 'pubrecOrder', version, `${type.toUpperCase()} ${packetId} is not the next one due`)
  }
  const out = outgoingFor(input, packet, role, agreement)
  if (out instanceof Error) return refuseFor(state, input, out)
  return { state: settled(state as Live, packet, owed), effects: [{ type: 'write', packet: out }] }
}

function settled(state: Live, packet: PacketInputOf<'puback' | 'pubrec' | 'suback' | 'unsuback'>, owed: Owed): Live {
  const { role, session: { exchanges }, flow } = state
  const { type, packetId } = packet
  const { nextPuback, duePuback, nextPubrec, duePubrec } = flow
  if (type === 'puback') return answered(state, packetId, owed, receiving(flow, flow.receiving, nextPuback, after(role, duePuback), nextPubrec, duePubrec))
  if (type !== 'pubrec') return answered(state, packetId, owed, flow)
  const next = receiving(flow, flow.receiving, nextPuback, duePuback, nextPubrec, after(role, duePubrec))
  // A PUBREC that refuses leaves nothing to release: the identifier is a new message's next time [MQTT-4.3.3-9].
  return (packet.reasonCode ?? 0) >= 0x80 ? answered(state, packetId, owed, next) : moved(state, owing(exchanges, packetId, { owes: 'pubrel', turn: 0, here: true }), next)
}

/** Nothing more is owed for this identifier. */
function answered(state: Live, packetId: number, { here }: Owed, flow: Flow): Live {
  const { exchanges } = state.session
  const { ours, nextId, nextTurn } = exchanges
  const { nextPuback, duePuback, nextPubrec, duePubrec } = flow
  const left = here ? receiving(flow, flow.receiving - 1, nextPuback, duePuback, nextPubrec, duePubrec) : flow
  return moved(state, { ours, theirs: removeId(exchanges.theirs, packetId), nextId, nextTurn }, left)
}

function owing({ ours, theirs, nextId, nextTurn }: Exchanges, packetId: number, owed: Owed): Exchanges {
  return { ours, theirs: setId(theirs, packetId, owed), nextId, nextTurn }
}

function written({ role, agreement }: Live, packet: PacketInputOf<'pubrec' | 'pubcomp'>): Effect[] {
  const out = outgoing(packet, role, agreement)
  return out === undefined ? [] : [{ type: 'write', packet: out }]
}

/** The turn behind this one; a Server, which may answer in any order, has none. */
function after(role: Role, turn: number): number {
  return role === 'server' ? turn : (turn + 1) & 0xffff
}

const NOT_FOUND = 0x92
