// SPDX-License-Identifier: MIT
// The life of one Network Connection as tables.
//  1. Which packet may be sent in which phase, where it leads, and which timer runs when, is decided here and nowhere else.
//  2. This file does not know which role we play: rows name the sender, so what we send and what we receive are judged alike.
import { PACKETS } from '../codec/index.ts'
import type { AuthInput, PacketInput, ProtocolVersion, Sender } from '../codec/index.ts'
import type { ConnectionRule } from './rules.ts'
import type { SendInput } from './types.ts'

/** Named for what a connection waits for. A client begins in `opening`, a server in `awaiting-connect`: the same row twice. */
export type Phase = 'opening' | 'awaiting-connect' | 'authenticating' | 'connected' | 'reauthenticating' | 'closing' | 'closed'

/**
 * A packet and who sends it. Events of their own: `refusal`, a CONNACK that refuses; `reauthentication`, AUTH 0x19 with which a Client asks for
 * it; `authentication`, AUTH 0x00 with which a Server ends that. `auth` is the AUTH 0x18 between them.
 */
export type PacketEvent = `${Sender} ${EventName}`
type EventName = PacketInput['type'] | 'refusal' | 'reauthentication' | 'authentication'

type Row = { readonly [E in PacketEvent]?: Phase }

/** What flows once CONNACK is through, whoever is being authenticated anew meanwhile. */
function flowing<P extends Phase>(here: P): { readonly [E in (typeof FLOWING)[number]]: P } {
  return Object.fromEntries(FLOWING.map((event) => [event, here])) as { readonly [E in (typeof FLOWING)[number]]: P }
}

const FLOWING = [
  'client publish', 'client puback', 'client pubrec', 'client pubrel', 'client pubcomp', 'client subscribe', 'client unsubscribe', 'client pingreq',
  'server publish', 'server puback', 'server pubrec', 'server pubrel', 'server pubcomp', 'server suback', 'server unsuback', 'server pingresp',
] as const

/** phase × (sender, packet) → phase. What is not here is a Protocol Error of its sender. */
export const LIFECYCLE: { readonly [P in Phase]: Row } = {
  opening: {
    'client connect': 'authenticating',
  },
  'awaiting-connect': {
    'client connect': 'authenticating',
  },
  authenticating: {
    'server connack': 'connected',
    'server refusal': 'closing',
    'server auth': 'authenticating',
    'client auth': 'authenticating',
    'client disconnect': 'closing',
    // "Clients are allowed to send further Control Packets immediately after sending a CONNECT packet" (3.1.1 §3.1.4, 5.0 §3.1.4).
    'client publish': 'authenticating',
    'client puback': 'authenticating',
    'client pubrec': 'authenticating',
    'client pubrel': 'authenticating',
    'client pubcomp': 'authenticating',
    'client subscribe': 'authenticating',
    'client unsubscribe': 'authenticating',
    'client pingreq': 'authenticating',
  },
  connected: {
    .../* @__PURE__ */ flowing('connected'),
    'client reauthentication': 'reauthenticating',
    'client disconnect': 'closing',
    'server disconnect': 'closing',
  },
  reauthenticating: {
    .../* @__PURE__ */ flowing('reauthenticating'),
    'server auth': 'reauthenticating',
    'client auth': 'reauthenticating',
    'server authentication': 'connected',
    'client disconnect': 'closing',
    'server disconnect': 'closing',
  },
  // Nothing is sent after DISCONNECT, a refusal or an error, and what still comes is not read.
  closing: {},
  closed: {},
}

/** Events that came with 5.0. */
const SINCE_FIVE: ReadonlySet<PacketEvent> = /* @__PURE__ */ new Set<PacketEvent>([
  'client auth', 'server auth', 'client reauthentication', 'server reauthentication', 'client authentication', 'server authentication', 'server disconnect',
])

/** role × phase → phase: where a timer can be running, and where its firing leads. */
interface TimerRow {
  readonly text: string
  readonly client: { readonly [P in Phase]?: Phase }
  readonly server: { readonly [P in Phase]?: Phase }
}

/** The timers, with a sentence each. One that fires late or twice does nothing; see `running` in close.ts. */
export const TIMERS: { readonly [T in TimerName]: TimerRow } = {
  connect: {
    text: 'the first packet is due: CONNECT from the Client, then CONNACK from the Server',
    client: { authenticating: 'closing' }, server: { 'awaiting-connect': 'closing' },
  },
  auth: {
    text: 'server: the answer to CONNECT is due, with all AUTH before it; both: the end of a re-authentication is due',
    client: { reauthenticating: 'closing' }, server: { authenticating: 'closing', reauthenticating: 'closing' },
  },
  'keep-alive': {
    text: 'client: Keep Alive has passed without sending, PINGREQ is due; server: one and a half times Keep Alive has passed without a packet',
    client: { authenticating: 'authenticating', connected: 'connected', reauthenticating: 'reauthenticating' }, server: { connected: 'closing', reauthenticating: 'closing' },
  },
  pingresp: {
    text: 'PINGRESP is due',
    client: { connected: 'closing', reauthenticating: 'closing' }, server: {},
  },
  close: {
    text: 'the end of the Network Connection is due',
    client: { closing: 'closed' }, server: { closing: 'closed' },
  },
}

/** The timers of a connection; TIMERS says when each fires and in which phases it runs. */
export type TimerName = 'connect' | 'auth' | 'keep-alive' | 'pingresp' | 'close'

/** What else ends a connection, from any phase that is not over. */
export const ENDINGS: { readonly [input: string]: Phase } = { malformed: 'closing', closed: 'closed' }

/** The event a packet is, sent by `sender`. */
export function eventOf(sender: Sender, packet: SendInput): PacketEvent {
  return EVENTS[sender][packet.type === 'connack' && packet.reasonCode !== 0 ? 'refusal' : packet.type === 'auth' ? authEvent(packet) : packet.type]
}

function authEvent({ reasonCode = 0 }: AuthInput): EventName {
  return reasonCode === 0 ? 'authentication' : reasonCode === RE_AUTHENTICATE ? 'reauthentication' : 'auth'
}

const RE_AUTHENTICATE = 0x19

/** Where this event leads; undefined when it is not legal here. */
export function destination(phase: Phase, event: PacketEvent, version: ProtocolVersion): Phase | undefined {
  return version < 5 && SINCE_FIVE.has(event) ? undefined : LIFECYCLE[phase][event]
}

/** Every event's name, made once: a packet must not cost a string. */
const EVENTS: { readonly [S in Sender]: { readonly [T in EventName]: PacketEvent } } = /* @__PURE__ */ (() => {
  const names = [...Object.keys(PACKETS), 'refusal', 'reauthentication', 'authentication'] as EventName[]
  const of = (sender: Sender): { [T in EventName]: PacketEvent } => Object.fromEntries(names.map((name) => [name, `${sender} ${name}`])) as { [T in EventName]: PacketEvent }
  return { client: of('client'), server: of('server') }
})()

/** The rule that an illegal event breaks. */
export function violation(phase: Phase, event: PacketEvent, version: ProtocolVersion): ConnectionRule {
  if (phase === 'closing' || phase === 'closed') return 'nothingAfterDisconnect'
  if (event === 'client connect') return 'secondConnect'
  const early = phase === 'opening' || phase === 'awaiting-connect'
  if (!early && version === 5) {
    const authentication = phase === 'authenticating' ? AUTH_BEFORE_CONNACK[event] : AUTH_EVENTS.has(event) ? 'authOutOfTurn' : undefined
    if (authentication !== undefined) return authentication
  }
  if (event.startsWith('client ')) return early ? 'firstPacket' : 'wrongSender'
  if (event === 'server disconnect' && version < 5) return 'serverDisconnect'
  if (event === 'server disconnect') return 'disconnectBeforeConnack'
  if (phase === 'connected' || phase === 'reauthenticating') return event === 'server connack' || event === 'server refusal' ? 'secondConnack' : 'wrongSender'
  return event === 'server connack' || event === 'server refusal' ? 'firstPacket' : 'beforeConnack'
}

/** AUTH that is for after CONNACK. */
const AUTH_BEFORE_CONNACK: { readonly [E in PacketEvent]?: ConnectionRule } = {
  'client reauthentication': 'reauthenticateEarly',
  'server authentication': 'continueBeforeConnack',
}
const AUTH_EVENTS: ReadonlySet<PacketEvent> = /* @__PURE__ */ new Set<PacketEvent>(['client auth', 'server auth', 'client reauthentication', 'server authentication'])
