// A value as text: equal values, equal text, in whatever order their fields were written. And a state as the key of all that behave alike.
import type { Exchange, Flow, Owed, Session, State } from '../../src/fsm/index.ts'
import { idEntries } from '../../src/fsm/packet-ids.ts'

/** What has been found plain, and its text. A walk meets the same parts (limits, agreements, packets) again and again. */
const remembered = new WeakMap<object, string>()

export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? JSON.stringify(value) : String(value)
  const known = remembered.get(value)
  if (known !== undefined) return known
  if (value instanceof Uint8Array) return `<${value.join(' ')}>`
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${name}:${canonical(field)}`).join(',')}}`
}

/**
 * The same for all states that no sequence of inputs can tell apart: turns count by their order alone, those of answers by how far they are
 * from the one that is due, and what has gone out of the line of messages that wait is behind us. That makes the space finite.
 */
export function keyOf(state: State): string {
  const { session, ...rest } = state
  const { flow, ...others } = rest as typeof rest & { readonly flow?: Flow }
  return `${canonical(others)} ${session === undefined ? '' : sessionKey(session, flow)} ${flow === undefined ? '' : flowKey(flow)}`
}

function sessionKey({ clientId, exchanges: { ours, theirs, nextId } }: Session, flow: Flow | undefined): string {
  const all = [...idEntries<Exchange>(ours)]
  const turns = all.map(([, { turn }]) => turn).sort((a, b) => a - b)
  const begun = all.map(([id, exchange]) => `${id} ${canonical({ ...exchange, turn: turns.indexOf(exchange.turn) })}`)
  const owed = [...idEntries<Owed>(theirs)].map(([id, { owes, turn, here }]) => `${id} ${owes} ${here} ${place(owes, turn, flow)}`)
  return `${clientId} [${begun.join(',')}] [${owed.join(',')}] ${nextId}`
}

/** Once the connection is over nothing is due any more, and places mean nothing. */
function place(owes: Owed['owes'], turn: number, flow: Flow | undefined): number {
  if (owes !== 'puback' && owes !== 'pubrec') return turn
  return flow === undefined ? 0 : (turn - (owes === 'puback' ? flow.duePuback : flow.duePubrec)) & 0xffff
}

function flowKey({ resend, resent, nextPuback, duePuback, nextPubrec, duePubrec, ...rest }: Flow): string {
  return `${resend.slice(resent).join(' ')} ${(nextPuback - duePuback) & 0xffff} ${(nextPubrec - duePubrec) & 0xffff} ${canonical(rest)}`
}

/** Plain objects, arrays, bytes and what JSON has: nothing that a store would lose. */
export function isPlain(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (value instanceof Uint8Array || remembered.has(value)) return true
  return (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) && Object.values(value).every(isPlain)
}

/** Remembers a plain, frozen value and its parts for as long as they are in use. */
export function remember(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || remembered.has(value)) return
  for (const field of Object.values(value)) remember(field)
  remembered.set(value, canonical(value))
}
