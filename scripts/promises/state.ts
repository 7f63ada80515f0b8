// What is true of every state that has a session, however it came about: the exchanges are whole, and what is counted is as many as it says.
import { fromJson, toJson } from '../../src/codec/index.ts'
import type { PublishInput } from '../../src/codec/index.ts'
import { restoreSession, saveSession, sizeOf } from '../../src/fsm/index.ts'
import type { Exchange, Live, Owed, Session, State } from '../../src/fsm/index.ts'
import { idEntries } from '../../src/fsm/packet-ids.ts'
import { isMessage } from '../../src/fsm/session.ts'
import { equal } from '../fuzz/equal.ts'
import type { Check } from './check.ts'

export function checkState(state: State, check: Check): void {
  const { session, phase } = state
  if (session !== undefined) checkSession(session, check)
  if (phase === 'connected' || phase === 'reauthenticating') checkLive(state, check)
}

function checkSession(session: Session, check: Check): void {
  const { exchanges } = session
  const ours = [...idEntries(exchanges.ours)]
  const theirs = [...idEntries(exchanges.theirs)]
  const { ours: begun, theirs: owing } = sizeOf(session)
  check(ours.length === begun && theirs.length === owing, 'a map counts what it holds', () => `${begun} and ${owing}, and there are ${ours.length} and ${theirs.length}`)
  check(exchanges.nextId >= 1 && exchanges.nextId <= 0xffff, 'the next identifier is one', () => String(exchanges.nextId))
  const turns = ours.map(([, { turn }]) => turn)
  check(new Set(turns).size === turns.length && turns.every((turn) => turn < exchanges.nextTurn), 'each exchange of ours has a turn of its own, all before the next', () => `${turns.join(' ')}, then ${exchanges.nextTurn}`)
  for (const [id, exchange] of ours) checkExchange(id, exchange, check)
  for (const [id, { owes, here, turn }] of theirs) {
    check(id >= 1 && id <= 0xffff, 'an identifier is 1 to 65,535', () => String(id))
    if (owes === 'suback' || owes === 'unsuback') check(!here && turn > 0, 'a request of the peer has Topic Filters and is no message', () => String(id))
  }
  // Two thirds of all states have nothing to save.
  if (begun === 0 && owing === 0) return
  const saved = saveSession(session)
  const stored = fromJson(JSON.parse(JSON.stringify(toJson(saved)))) as typeof saved
  check(equal(saveSession(restoreSession(stored)), saved), 'a session that is saved, stored and restored saves the same', () => JSON.stringify(toJson(saved)))
}

function checkExchange(id: number, { awaits, message, waits, filters }: Exchange, check: Check): void {
  const keeps = awaits === 'puback' ? 1 : awaits === 'pubrec' ? 2 : undefined
  check(id >= 1 && id <= 0xffff, 'an identifier is 1 to 65,535', () => String(id))
  check(message?.qos === keeps, 'a message is kept until its first acknowledgement, and no longer', () => `${id} awaits ${awaits}, with QoS ${String(message?.qos)}`)
  check(message === undefined || isWhole(message), 'a message is kept whole, for any connection', () => JSON.stringify(toJson(message)))
  check(!waits || message !== undefined, 'only a message waits for room', () => `${id} awaits ${awaits}`)
  check((filters > 0) === !isMessage({ awaits } as Exchange), 'a request has Topic Filters', () => `${id} awaits ${awaits}, with ${filters}`)
}

function isWhole({ topic, packetId, dup, properties }: PublishInput): boolean {
  return topic !== '' && packetId === undefined && dup !== true && properties?.topicAlias === undefined
}

/** What this connection counts, counted again; and that neither side has been let beyond what the other has announced. */
function checkLive({ session, flow, role, limits, agreement: { clientId, terms } }: Live, check: Check): void {
  const ours = [...idEntries(session.exchanges.ours)].map(([id, exchange]) => ({ id, ...exchange }))
  const theirs = [...idEntries(session.exchanges.theirs)].map(([, owed]) => owed)
  const count = (promise: string, counted: number, there: number): void => { check(counted === there, promise, () => `${counted}, and there are ${there}`) }
  check(session.clientId === clientId, 'the session is this Client\'s', () => `${session.clientId}, not ${clientId}`)
  count('flow.requests counts the requests of ours', flow.requests, ours.filter((exchange) => !isMessage(exchange)).length)
  count('flow.waiting counts the messages that wait', flow.waiting, ours.filter(({ waits }) => waits).length)
  count('flow.receiving counts the messages that have come here', flow.receiving, theirs.filter(({ here }) => here).length)
  const most = Math.min(limits.receiveMaximum, terms[role].receiveMaximum)
  check(flow.receiving <= most, 'no more come than we have announced', () => `${flow.receiving} of ${most}`)
  const inOrder = ours.filter(({ waits }) => waits).sort((a, b) => a.turn - b.turn).map(({ id }) => id)
  check(equal(flow.resend.slice(flow.resent).filter((id) => inOrder.includes(id)), inOrder), 'what waits is in line, in its order', () => `${inOrder.join(' ')}, and in line are ${flow.resend.slice(flow.resent).join(' ')}`)
  for (const [owes, next, due] of [['puback', flow.nextPuback, flow.duePuback], ['pubrec', flow.nextPubrec, flow.duePubrec]] as const) checkTurns(role, owes, theirs, next, due, check)
}

/** Answers are due one after the other, none twice and none left out; a Server, which may give them in any order, keeps no turns. */
function checkTurns(role: State['role'], owes: Owed['owes'], theirs: readonly Owed[], next: number, due: number, check: Check): void {
  const places = theirs.filter((owed) => owed.owes === owes).map(({ turn }) => (turn - due) & 0xffff).sort((a, b) => a - b)
  if (role === 'server') return check(next === 0 && due === 0 && places.every((place) => place === 0), 'a Server keeps no turns', () => `${owes}: ${places.join(' ')}`)
  check(equal(places, places.map((_, place) => place)) && places.length === ((next - due) & 0xffff), 'answers are due one after the other', () => `${owes}: ${places.join(' ')} of ${(next - due) & 0xffff}`)
}
