// SPDX-License-Identifier: MIT
// What outlives the Network Connection (5.0 §4.1, 3.1.1 §3.1.2.4): the exchanges that are not finished. It knows no role: each side has one.
//  1. What an exchange of ours awaits, and which acknowledgement takes it where, is decided here and nowhere else.
//  2. This file does not know how a packet comes or goes: exchanges.ts and answers.ts walk its tables.
// Subscriptions are the Server application's to keep, and no part of it.
import type { PacketInput, PublishInput } from '../codec/index.ts'
import { misuse } from '../codec/rules.ts'
import { countIds, idEntries, LARGEST_ID, removeId, setId } from './packet-ids.ts'
import type { IdMap } from './packet-ids.ts'
import { CONNECTION_RULES } from './rules.ts'

/** Handed in when a connection opens, found in its state when it ends. Plain data; `saveSession` makes JSON of it. */
export interface Session {
  readonly clientId: string
  readonly exchanges: Exchanges
}

/** What of a session is not finished, both ways (5.0 §4.1, §4.3). */
export interface Exchanges {
  /** those we have begun, by Packet Identifier */
  readonly ours: IdMap<Exchange>
  /** those the peer has begun and we have not answered to the end */
  readonly theirs: IdMap<Owed>
  /** where the search for a free identifier begins: one that has just become free is not taken at once */
  readonly nextId: number
  /** what the next exchange gets as its `turn`. Only the order of turns means anything; back to 0 when nothing of ours is under way */
  readonly nextTurn: number
}

/** The acknowledgement an exchange of ours waits for. */
export type Awaited = 'puback' | 'pubrec' | 'pubcomp' | 'suback' | 'unsuback'

/** One exchange of ours. */
export interface Exchange {
  readonly awaits: Awaited
  /** when its last packet went out, among the others: what is sent again goes in this order [MQTT-4.6.0-1, MQTT-4.6.0-4] */
  readonly turn: number
  /** awaiting `puback` or `pubrec`: the message, with its whole Topic Name and without Topic Alias; after PUBREC it is the peer's, and gone here */
  readonly message: PublishInput | undefined
  /** of an earlier connection, and not sent on this one yet: the peer's Receive Maximum is in use */
  readonly waits: boolean
  /** awaiting `suback` or `unsuback`: how many Topic Filters it had */
  readonly filters: number
  /** the caller's name for it */
  readonly token: unknown
}

/** What we owe the peer, or it owes us, for an exchange it has begun: `pubrel` waits for the peer's, all others for our own application's. */
export interface Owed {
  readonly owes: 'puback' | 'pubrec' | 'pubrel' | 'suback' | 'unsuback'
  /** `puback` and `pubrec`: its place among those, modulo 65,536 (0 for a Server, which may answer in any order); `suback` and `unsuback`: how many Topic Filters */
  readonly turn: number
  /** its PUBLISH has come on this connection, so it counts against Receive Maximum */
  readonly here: boolean
}

/**
 * What an acknowledgement does to the exchange it meets, by what that awaits: `done` ends it; `release` sends PUBREL and awaits PUBCOMP; `repeat`
 * sends that PUBREL once more. What is not here breaks a rule. A PUBREC of 0x80 or above ends the exchange wherever a PUBREC is awaited or repeated.
 */
export const ACKNOWLEDGED: { readonly [A in Awaited]: { readonly [T in PacketInput['type']]?: 'done' | 'release' | 'repeat' } } = {
  puback: { puback: 'done' },
  pubrec: { pubrec: 'release' },
  // A peer that has not seen our PUBREL may answer the PUBLISH again.
  pubcomp: { pubcomp: 'done', pubrec: 'repeat' },
  suback: { suback: 'done' },
  unsuback: { unsuback: 'done' },
}

/** Nothing has ever been under way: shared by all sessions of which that is true. */
export const NO_EXCHANGES: Exchanges = /* @__PURE__ */ Object.freeze({ ours: undefined, theirs: undefined, nextId: 1, nextTurn: 0 })

/** A session without any exchange, as after a clean start. */
export function newSession(clientId: string): Session {
  return { clientId, exchanges: NO_EXCHANGES }
}

/** Is it a message? Requests (SUBSCRIBE, UNSUBSCRIBE) end with their connection. */
export function isMessage({ awaits }: Exchange): boolean {
  return awaits !== 'suback' && awaits !== 'unsuback'
}

/**
 * The session as a new connection finds it: without what was bound to the old one. Requests are gone on both sides; a QoS 1 message the
 * application has not answered will be sent again; a QoS 2 message that was given to the application is ours, and will be answered as such.
 */
export function reopened(session: Session): Session {
  const { clientId, exchanges } = session
  let { ours, theirs } = exchanges
  for (const [id, exchange] of idEntries(ours)) if (!isMessage(exchange)) ours = removeId(ours, id)
  for (const [id, owed] of idEntries(theirs)) {
    if (owed.owes !== 'pubrec' && owed.owes !== 'pubrel') theirs = removeId(theirs, id)
    else if (owed.here) theirs = setId(theirs, id, RECEIVED_BEFORE)
  }
  if (ours === exchanges.ours && theirs === exchanges.theirs) return session
  const { nextId, nextTurn } = exchanges
  return { clientId, exchanges: { ours, theirs, nextId, nextTurn: ours === undefined ? 0 : nextTurn } }
}

/** Our messages that are not finished, in the order their last packet went out. */
export function unfinished({ ours }: Exchanges): readonly (readonly [id: number, exchange: Exchange])[] {
  return [...idEntries(ours)].filter(([, exchange]) => isMessage(exchange)).sort(([, a], [, b]) => a.turn - b.turn)
}

/** A session in a form that any store can keep: `JSON.stringify(toJson(saved))`, and back by `fromJson`. */
export interface SavedSession {
  readonly clientId: string
  /** where the search for a free identifier begins; default 1 */
  readonly nextId?: number | undefined
  /** our messages that are not finished, in order; without `message` it is the peer's already and PUBREL is unanswered */
  readonly sent?: readonly { readonly packetId: number, readonly message?: PublishInput | undefined }[] | undefined
  /** identifiers of the peer's QoS 2 messages that we have answered with PUBREC and it has not released */
  readonly received?: readonly number[] | undefined
}

/**
 * What must be stored so that the session survives this process. Tokens stay behind; so do messages the application has been given and not
 * yet acknowledged: they will be sent again. Store it before the effects of a step are run, and nothing is ever promised that is not kept.
 */
export function saveSession({ clientId, exchanges }: Session): SavedSession {
  return {
    clientId,
    nextId: exchanges.nextId,
    sent: unfinished(exchanges).map(([packetId, { message }]) => (message === undefined ? { packetId } : { packetId, message })),
    received: [...idEntries(exchanges.theirs)].filter(([, { owes }]) => owes === 'pubrel').map(([id]) => id),
  }
}

/** The session that was saved, on this machine or another. Throws a UsageError for a Packet Identifier that is none (5.0 §2.2.1). */
export function restoreSession({ clientId, nextId = 1, sent = [], received = [] }: SavedSession): Session {
  let ours: IdMap<Exchange>
  let theirs: IdMap<Owed>
  sent.forEach(({ packetId, message }, turn) => {
    checkId(packetId, `sent[${turn}].packetId`)
    const awaits = message === undefined ? 'pubcomp' : message.qos === 2 ? 'pubrec' : 'puback'
    ours = setId(ours, packetId, { awaits, turn, message, waits: false, filters: 0, token: undefined })
  })
  received.forEach((id, at) => {
    checkId(id, `received[${at}]`)
    theirs = setId(theirs, id, RECEIVED_BEFORE)
  })
  checkId(nextId, 'nextId')
  return { clientId, exchanges: { ours, theirs, nextId, nextTurn: sent.length } }
}

/** How much is not finished: our exchanges, and the peer's. */
export function sizeOf({ exchanges }: Session): { readonly ours: number, readonly theirs: number } {
  return { ours: countIds(exchanges.ours), theirs: countIds(exchanges.theirs) }
}

/** A store may have been written to by others. */
function checkId(id: number, path: string): void {
  if (!(Number.isInteger(id) && id >= 1 && id <= LARGEST_ID)) throw misuse(CONNECTION_RULES.identifierRange, { packet: 'publish', version: undefined }, path, `Packet Identifier ${id}`)
}

const RECEIVED_BEFORE: Owed = /* @__PURE__ */ Object.freeze({ owes: 'pubrel', turn: 0, here: false })
