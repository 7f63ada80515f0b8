// Inputs of the connection machine out of bytes: two bytes say whose connection it is, then three for each thing that happens.
import { decode, fromJson, PACKETS, PacketStream } from '../../src/codec/index.ts'
import type { MalformedPacket, Packet, PacketInput, PacketType, ProtocolError, ProtocolVersion } from '../../src/codec/index.ts'
import { newSession, restoreSession, TIMERS } from '../../src/fsm/index.ts'
import type { Agreement, InitialOptions, Input, Session, State, TimerName } from '../../src/fsm/index.ts'
import { idEntries } from '../../src/fsm/packet-ids.ts'
import type { Case } from './fixtures.ts'
import { isFault } from './fault.ts'

export const STATE_CHOICES = 2
/** Things that happen in one connection, at most: longer lives show nothing new. */
export const MOST_HAPPENINGS = 40

/** One thing that happens; `save`: the state goes through JSON and the connection goes on with what comes back; `open`: another connection of the session. */
export type Happening = Input | { readonly type: 'save' } | { readonly type: 'open' }

/** What the fixtures offer to be sent, received or refused. */
export interface Stock {
  /** by version and type: as our application would write it, and as the decoder gives it */
  readonly packets: { readonly [V in ProtocolVersion]: { readonly [type: string]: readonly { readonly sent: PacketInput, readonly received: Packet }[] } }
  readonly errors: readonly (MalformedPacket | ProtocolError)[]
}

export function stockOf(cases: readonly Case[]): Stock {
  const small = cases.filter(({ bytes }) => bytes.length < 2048)
  const errors = small.flatMap(({ error, bytes, version }) => (error === undefined ? [] : [version, undefined].flatMap((given) => errorIn(bytes, given))))
  const of = (version: ProtocolVersion): Stock['packets'][ProtocolVersion] =>
    Object.fromEntries(Object.keys(PACKETS).map((type) => [type, small.flatMap(({ packet, bytes, version: own }) =>
      (packet?.type === type && own === version ? [{ sent: frozen(fromJson(packet)) as PacketInput, received: frozen(decode(bytes, version, { copy: true })) }] : []))]))
  return { packets: { 3: of(3), 4: of(4), 5: of(5) }, errors }
}

/** Whose connection it is, in which version most happens, and what it begins with. */
export function openingOf(program: Uint8Array): { readonly options: InitialOptions, readonly version: ProtocolVersion } {
  const [who = 0, what = 0] = program
  const limits = LIMITS[(who >> 2) % LIMITS.length]!
  return {
    options: { role: (who & 1) === 0 ? 'client' : 'server', limits, ...(who & 2) !== 0 && { session: at(SESSIONS, what >> 4) } },
    version: (3 + what % 3) as ProtocolVersion,
  }
}

/**
 * The thing that three bytes say, given the state it happens in; undefined for one that cannot happen. Identifiers are drawn close together, to
 * what is under way or near it: with the fixtures' own no acknowledgement would ever meet its message.
 */
export function happening(stock: Stock, [act = 0, high = 0, low = 0]: Uint8Array, state: State, version: ProtocolVersion, token: string): Happening | undefined {
  const choice = (high << 8) | low
  const here = 'agreement' in state ? state.agreement.version : version
  const peer = state.role === 'client' ? 'server' : 'client'
  const sent = (type: PacketType, of: ProtocolVersion): Input | undefined => {
    const packet = at(stock.packets[of][type]!, choice)?.sent
    return packet && { type: 'send', packet: (act & 0x40) === 0 ? asSent(packet, state, low) : packet, ...(act & 0x80) !== 0 && { token } }
  }
  const received = (type: PacketType, of: ProtocolVersion): Input | undefined => {
    const packet = at(stock.packets[of][type]!, choice)?.received
    return packet && { type: 'received', packet: (act & 0x40) === 0 ? asReceived(packet, state, low) : packet }
  }
  switch (act & 0x0f) {
    case 0: case 1: case 2: return received(at(TALK[peer], high)!, here)
    case 3: case 4: case 5: return sent(at(TALK[state.role], high)!, here)
    case 6: return received(at(TYPES, high)!, here)
    case 7: return sent(at(TYPES, high)!, here)
    case 8: return received(at(TYPES, high)!, (3 + low % 3) as ProtocolVersion)
    case 9: return { type: 'timer', timer: at(Object.keys(TIMERS), choice) as TimerName }
    case 10:
      if (state.phase === 'closed') return { type: 'open' }
      return high < 128 ? { type: 'save' } : { type: 'closed', ...low < 128 && { error: RESET } }
    case 11: return { type: 'malformed', error: at(stock.errors, choice)! }
    // As it should go: CONNECT, then the CONNACK that goes with it.
    default: return onward(state, version, low, received, sent)
  }
}

const TALK = {
  client: Object.entries(PACKETS).flatMap(([type, { senders }]) => (senders === 'server' || type === 'connect' ? [] : [type as PacketType])),
  server: Object.entries(PACKETS).flatMap(([type, { senders }]) => (senders === 'client' || type === 'connack' ? [] : [type as PacketType])),
}
const TYPES = Object.keys(PACKETS) as PacketType[]
const LIMITS: readonly InitialOptions['limits'][] = [
  undefined, undefined, { heldPackets: 1 }, { versions: [4] }, { versions: [3, 5] }, { clientIdLength31: 65_535 },
  { packetIds: 2, receiveMaximum: 1 }, { packetIds: 1, receiveMaximum: 2 }, { packetIds: 3, receiveMaximum: 3, heldPackets: 2 },
]
const MESSAGE = { type: 'publish', topic: 'a', payload: 'x', qos: 1 } as const
const SESSIONS: readonly Session[] = [
  newSession('a'),
  restoreSession({ clientId: 'a', nextId: 3, sent: [{ packetId: 2, message: MESSAGE }, { packetId: 1, message: { ...MESSAGE, qos: 2 } }, { packetId: 3 }], received: [1, 9] }),
  restoreSession({ clientId: 'a', nextId: 2, sent: [{ packetId: 1, message: { ...MESSAGE, payload: 'x'.repeat(64) } }] }),
]
/** What CONNECT and CONNACK of 5.0 announce, so that limits are met. */
const ANNOUNCED: readonly ({ readonly receiveMaximum?: number, readonly topicAliasMaximum?: number, readonly maximumPacketSize?: number } | undefined)[] = [
  undefined, { receiveMaximum: 1 }, { receiveMaximum: 2, topicAliasMaximum: 1 }, { topicAliasMaximum: 10 }, { maximumPacketSize: 40 }, { maximumPacketSize: 40, receiveMaximum: 1 },
]
const RESET = Object.freeze(new Error('ECONNRESET'))

type Say = (type: PacketType, version: ProtocolVersion) => Input | undefined

/** As it should go. Every other CONNECT keeps the session there is, and its CONNACK knows it. */
function onward(state: State, version: ProtocolVersion, choice: number, received: Say, sent: Say): Happening | undefined {
  switch (state.phase) {
    case 'opening': return choice % 2 === 0 ? sent('connect', version) : { type: 'send', packet: keeping(state.session, version, choice) }
    case 'awaiting-connect': return choice % 2 === 0 ? received('connect', version) : { type: 'received', packet: keeping(state.session, version, choice) }
    case 'authenticating': {
      const packet = accepting(state.agreement, choice)
      if (state.role === 'server') return { type: 'send', packet, ...(choice & 4) !== 0 && { session: state.session } }
      return { type: 'received', packet: (choice & 4) !== 0 && version > 3 ? frozen({ ...packet, sessionPresent: true }) : packet }
    }
    case 'closed': return { type: 'open' }
    default: return state.role === 'client' ? received('publish', version) : received('pingreq', version)
  }
}

/** A CONNECT that goes on with this session. */
function keeping(session: Session | undefined, version: ProtocolVersion, choice: number): Extract<Packet, { type: 'connect' }> {
  const properties = version === 5 ? at(ANNOUNCED, choice >> 3) : undefined
  return frozen({ type: 'connect', version, clientId: session?.clientId ?? 'a', cleanStart: false, keepAlive: 0, username: undefined, password: undefined, will: undefined, properties })
}

/** The CONNACK that accepts this CONNECT. */
function accepting({ version, clientId, authenticationMethod }: Agreement, choice: number): Extract<Packet, { type: 'connack' }> {
  const properties = { ...at(ANNOUNCED, choice >> 3), ...clientId === '' && { assignedClientIdentifier: 'b' }, ...authenticationMethod !== undefined && { authenticationMethod } }
  return frozen({ type: 'connack', sessionPresent: false, reasonCode: 0, properties: version === 5 && Object.keys(properties).length > 0 ? properties : undefined })
}

/** What our application sends: new exchanges without DUP and mostly without an identifier, answers to what is owed. */
function asSent(packet: PacketInput, state: State, choice: number): PacketInput {
  if (!('packetId' in packet) || packet.packetId === undefined) return packet
  if (packet.type === 'publish' || packet.type === 'subscribe' || packet.type === 'unsubscribe') {
    const { packetId: _, ...rest } = packet
    const fresh = packet.type === 'publish' ? { ...rest, dup: false } : rest
    return frozen(choice % 4 === 0 ? { ...fresh, packetId: 1 + choice % 5 } : fresh) as PacketInput
  }
  return frozen({ ...packet, packetId: at(identifiers(state.session?.exchanges.theirs), choice) ?? 1 + choice % 5 })
}

/** What the peer sends: acknowledgements for what is under way, new exchanges with small identifiers. */
function asReceived(packet: Packet, state: State, choice: number): Packet {
  if (!('packetId' in packet) || packet.packetId === undefined) return packet
  const begins = packet.type === 'publish' || packet.type === 'subscribe' || packet.type === 'unsubscribe'
  const { ours, theirs } = state.session?.exchanges ?? { ours: undefined, theirs: undefined }
  const known = begins ? undefined : at(identifiers(packet.type === 'pubrel' ? theirs : ours), choice)
  return frozen({ ...packet, packetId: known ?? 1 + choice % 5 })
}

function identifiers(map: Session['exchanges']['ours'] | Session['exchanges']['theirs']): readonly number[] {
  return [...idEntries<unknown>(map)].map(([id]) => id)
}

function errorIn(bytes: Uint8Array, version: ProtocolVersion | undefined): (MalformedPacket | ProtocolError)[] {
  const stream = new PacketStream({ version, copy: true })
  stream.push(bytes)
  try {
    stream.next()
    return []
  } catch (error) {
    return isFault(error) ? [Object.freeze(error)] : []
  }
}

function at<T>(list: readonly T[], choice: number): T | undefined {
  return list[choice % list.length]
}

/** Frozen to the bottom, but for bytes, which JavaScript cannot freeze. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || done.has(value)) return value
  done.add(value)
  for (const field of Object.values(value)) frozen(field)
  return Object.freeze(value)
}

const done = new WeakSet<object>()
