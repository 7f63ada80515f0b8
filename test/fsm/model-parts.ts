// The parts a model is put together from: states of one machine, packets on the wire, sessions in a store. Equal parts are one and the same
// object with a number, so that a whole world is told from another by a few numbers, and each step of one machine is worked out only once.
import { decode, encode, fromHex, fromJson, toHex, toJson } from '../../src/codec/index.ts'
import type { Packet, PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import { restoreSession, saveSession } from '../../src/fsm/index.ts'
import type { Flow, Input, Role, SavedSession, Session, State, Step } from '../../src/fsm/index.ts'
import { idEntries } from '../../src/fsm/packet-ids.ts'
import { canonical, remember } from './canonical.ts'
import { deepFreeze } from './helpers.ts'
import type { End, Message, Place } from './model-world.ts'

/** What is put to the proof: the machine, and what a driver does with a session between two connections. */
export interface Machine {
  readonly transition: (state: State, input: Input) => Step
  /** the session a new connection is given: the one the last connection left, unless there is a bug in it */
  readonly handOver: (session: Session, role: Role) => Session
}

/** A packet under way, as bytes and as the other side will decode them. */
export interface Carried {
  readonly no: number
  readonly hex: string
  readonly packet: Packet
  /** `PUBLISH 1 c1 QoS 2 DUP` */
  readonly name: string
}

export class Parts {
  readonly machine: Machine
  private readonly version: ProtocolVersion
  private readonly states: Numbered<State> = new Numbered()
  private readonly sessions: Map<string, number> = new Map()
  private readonly sessionNumbers: WeakMap<Session, number> = new WeakMap()
  private readonly steps: Map<string, Step> = new Map()
  private readonly packets: Map<string, Carried> = new Map()
  private readonly written: WeakMap<PacketInput, Carried> = new WeakMap()
  private readonly ends: Numbered<End> = new Numbered()
  private readonly messages: Numbered<readonly Message[]> = new Numbered()

  constructor(machine: Machine, version: ProtocolVersion) {
    this.machine = machine
    this.version = version
  }

  /** One step, frozen to the bottom. `key` tells inputs apart. */
  step(state: State, input: Input, key: string): Step {
    const name = `${this.numberOf(state)} ${key}`
    const known = this.steps.get(name)
    if (known !== undefined) return known
    const { state: next, effects } = this.machine.transition(deepFreeze(state), deepFreeze(input))
    const step = deepFreeze({ state: this.only(next), effects })
    this.steps.set(name, step)
    return step
  }

  /** The one state that stands for all that are equal to this one. */
  only(state: State): State {
    return this.states.only(deepFreeze(state), () => textOf(state))
  }

  private numberOf(state: State): number {
    return this.states.of(state)
  }

  numberOfSession(session: Session | undefined): number {
    if (session === undefined) return -1
    let known = this.sessionNumbers.get(session)
    if (known !== undefined) return known
    const text = sessionText(session, undefined)
    known = this.sessions.get(text) ?? this.sessions.size
    this.sessions.set(text, known)
    this.sessionNumbers.set(session, known)
    return known
  }

  /** The packet as it goes over the wire. */
  carry(packet: PacketInput): Carried {
    const known = this.written.get(packet)
    if (known !== undefined) return known
    const hex = toHex(encode(packet, this.version))
    let carried = this.packets.get(hex)
    if (carried === undefined) {
      const heard = deepFreeze(decode(fromHex(hex), this.version))
      carried = { no: this.packets.size, hex, packet: heard, name: nameOf(heard) }
      this.packets.set(hex, carried)
    }
    this.written.set(packet, carried)
    return carried
  }

  /** The place, of parts that are known where there are such, and a name that is equal for places from which the same can happen. */
  known(place: Place): { readonly key: string, readonly place: Place } {
    const { up, connections, cuts, forgets, restarts, crashes, refusals, cleaning } = place
    const client = this.ends.only(place.client, () => this.textOfEnd(place.client, up))
    const server = this.ends.only(place.server, () => this.textOfEnd(place.server, up))
    const messages = this.messages.only(place.messages, () => textOfMessages(place.messages))
    const numbers = `${this.ends.of(client)} ${this.ends.of(server)} ${this.messages.of(messages)}`
    return {
      key: `${up ? 1 : 0}${cleaning ? 1 : 0}${connections}${cuts}${forgets}${restarts}${crashes.client}${crashes.server}${refusals} ${numbers}`,
      place: { ...place, client, server, messages },
    }
  }

  /** Of an end without a connection only the store counts. */
  private textOfEnd({ state, stored, sending, inbox, used, here }: End, up: boolean): string {
    const machine = up ? this.numberOf(state) : ''
    const store = up && stored === state.session ? '' : this.numberOfSession(stored)
    const pending = inbox.map(({ answer, id, label, first }) => `${answer}${id}${label}${first ? 1 : 0}`)
    return `${machine}.${store}.${sending.map(({ no }) => no).join()}.${pending.join()}.${used.join()}.${here.join()}`
  }

  /** Everything that has ever been on the wire. */
  wire(): readonly Carried[] {
    return [...this.packets.values()]
  }

  /** How many different states of one machine there have been. */
  get machineStates(): number {
    return this.states.size
  }
}

/** Values of which equal ones are to be the very same, with a number each. */
class Numbered<T extends object> {
  private readonly values: Map<string, T> = new Map()
  private readonly numbers: WeakMap<T, number> = new WeakMap()

  only(value: T, text: () => string): T {
    if (this.numbers.has(value)) return value
    const name = text()
    const known = this.values.get(name)
    if (known !== undefined) return known
    this.numbers.set(value, this.values.size)
    this.values.set(name, value)
    return value
  }

  of(value: T): number {
    return this.numbers.get(value)!
  }

  get size(): number {
    return this.values.size
  }
}

function textOfMessages(messages: readonly Message[]): string {
  return messages.map(({ label, what, topic, delivered, taken, token }) => `${label}${what}${topic}${delivered ? 1 : 0}${taken[0]}${token[0]}`).join()
}

/** What comes back from the store. */
export function throughStore(session: Session): Session {
  let restored = RESTORED.get(session)
  if (restored === undefined) {
    restored = deepFreeze(restoreSession(fromJson(JSON.parse(JSON.stringify(toJson(saveSession(session))))) as SavedSession))
    RESTORED.set(session, restored)
  }
  return restored
}

const RESTORED: WeakMap<Session, Session> = new WeakMap()

/** The label a message carries in its payload. */
export function labelIn(payload: Uint8Array | string): string {
  return typeof payload === 'string' ? payload : String.fromCharCode(...payload)
}

function nameOf(packet: Packet): string {
  const name = packet.type.toUpperCase()
  switch (packet.type) {
    case 'publish': return `${name} ${packet.qos === 0 ? '' : `${packet.packetId} `}${labelIn(packet.payload)} QoS ${packet.qos}${packet.dup ? ' DUP' : ''}${packet.topic === '' ? ' alias only' : ''}`
    case 'connect': return `${name} clean start ${packet.cleanStart ? 1 : 0}`
    case 'connack': return `${name} session present ${packet.sessionPresent ? 1 : 0}`
    case 'subscribe':
    case 'suback': return `${name} ${packet.packetId}`
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp': return `${name} ${packet.packetId}${packet.reasonCode === 0 ? '' : ` 0x${packet.reasonCode.toString(16)}`}`
    default: return name
  }
}

/**
 * A state as text, equal where nothing that can still happen differs: turns by rank, places in the order of answers from the next one due, and
 * of a connection that is over its session alone.
 */
export function textOf(state: State): string {
  const { session } = state
  if (state.phase === 'closed' || state.phase === 'closing') return `${state.role} over ${session === undefined ? '' : sessionText(session, undefined)}`
  const flow = 'flow' in state ? state.flow : undefined
  const rest: { session?: unknown, flow?: unknown } = { ...state }
  delete rest.session
  delete rest.flow
  if ('agreement' in state) remember(state.agreement)
  remember(state.limits)
  return `${canonical(rest)} ${session === undefined ? '' : sessionText(session, flow)} ${flow === undefined ? '' : flowText(flow)}`
}

function flowText({ resend, resent, nextPuback, duePuback, nextPubrec, duePubrec, ...rest }: Flow): string {
  return `${resend.slice(resent).join()} ${(nextPuback - duePuback) & 0xffff} ${(nextPubrec - duePubrec) & 0xffff} ${canonical(rest)}`
}

function sessionText({ clientId, exchanges }: Session, flow: Flow | undefined): string {
  const { ours, theirs, nextId } = exchanges
  const turns = [...idEntries(ours)].map(([, { turn }]) => turn).sort((a, b) => a - b)
  const begun = [...idEntries(ours)].map(([id, exchange]) => `${id}:${canonical({ ...exchange, turn: turns.indexOf(exchange.turn) })}`)
  const owed = [...idEntries(theirs)].map(([id, { owes, turn, here }]) => {
    const due = flow === undefined ? undefined : owes === 'puback' ? flow.duePuback : owes === 'pubrec' ? flow.duePubrec : undefined
    return `${id}:${owes}${here ? '!' : ''}${due !== undefined ? (turn - due) & 0xffff : owes === 'suback' ? turn : ''}`
  })
  return `${clientId} ${begun.join()} ${owed.join()} ${nextId}`
}
