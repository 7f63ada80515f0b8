// SPDX-License-Identifier: MIT
// Both machines of one connection, seen from the wire between them. No clock and no socket in here: whoever calls says when.
//  1. A machine of ours would write, refuse and number; an observer may not. It walks the LIFECYCLE table for each side, and keeps a book of questions.
//  2. A side is judged by what it sends, in its own phase. What reaches it moves it on, but what it had sent before that arrived broke no rule: after the
//     other side's last word only that side's own silence is known.
import { annotate, decode, MalformedPacket, ProtocolError } from '../../codec/index.ts'
import type { Connect, Packet, PacketType, ProtocolVersion, Sender } from '../../codec/index.ts'
import { PACKET_TYPES } from '../../codec/protocol.ts'
import { statementOf } from '../../codec/rules.ts'
import { authFault } from '../../fsm/authentication.ts'
import { disconnectFault } from '../../fsm/endings.ts'
import { aliasFault, termsFault, termsOfConnack } from '../../fsm/flow.ts'
import { CONNECTION_RULES, initial, transition } from '../../fsm/index.ts'
import type { Agreement, ConnectionRule, IdMap, Phase } from '../../fsm/index.ts'
import { destination, eventOf, violation } from '../../fsm/lifecycle.ts'
import { unaskedInformation } from '../../fsm/outgoing.ts'
import { setId } from '../../fsm/packet-ids.ts'
import { Answers } from './answers.ts'
import type { Frame } from './framer.ts'

/** A rule, and who has broken it how. */
export interface Broken {
  readonly by: Sender
  /** the statement of the standard, or the section */
  readonly rule: string
  readonly text: string
  readonly error?: MalformedPacket | ProtocolError | undefined
  /** another protocol that is spoken instead */
  readonly foreign?: string | undefined
}

/** A packet that has passed, or what was taken for one. Times are ms since the connection opened. */
export interface Observed {
  readonly from: Sender
  readonly time: number
  readonly bytes: Uint8Array
  /** of the whole packet, of which there may be fewer bytes */
  readonly size: number
  readonly version: ProtocolVersion | undefined
  readonly type: PacketType | undefined
  /** absent where it could not be read */
  readonly packet: Packet | undefined
  /** what it answers, and after how long */
  readonly answers: { readonly type: PacketType, readonly ms: number } | undefined
  readonly broken: readonly Broken[]
  readonly notes: readonly string[]
  /** when the Client is to have sent its next packet, and when the Server is to close otherwise */
  readonly keepAlive: Deadlines | undefined
}

export interface Deadlines {
  readonly due: number
  readonly closes: number
}

export class Observer {
  readonly phases: { client: Phase, server: Phase } = { client: 'opening', server: 'awaiting-connect' }
  version: ProtocolVersion | undefined = undefined
  connect: Connect | undefined = undefined
  agreement: Agreement | undefined = undefined
  /** CONNACK that accepts has passed */
  accepted = false
  /** the last word of a side, and who has broken a rule last */
  farewell: { readonly from: Sender, readonly packet: Extract<Packet, { readonly type: 'disconnect' | 'connack' }>, readonly phase: Phase } | undefined = undefined
  broken: Broken | undefined = undefined
  readonly answers: Answers = new Answers()
  /** the last packet of the Client */
  private heard = 0
  private aliases: { [S in Sender]: IdMap<string> } = { client: undefined, server: undefined }

  /** A packet passes. */
  take(from: Sender, { bytes, size, lost }: Frame, time: number): Observed {
    if (from === 'client') this.heard = time
    const read = lost && bytes.length < size ? { error: undefined } : this.read(bytes, size)
    const { packet, error } = read
    const type = packet?.type ?? error?.packet ?? (this.version === undefined ? undefined : PACKET_TYPES[bytes[0]! >> 4])
    const notes: string[] = []
    const faults: Broken[] = []
    if (lost && bytes.length < size) notes.push('the stream ends inside this packet')
    if (error !== undefined) faults.push({ by: from, rule: error.rule, text: error.message, error, foreign: error.foreign })
    if (packet === undefined) this.answers.blind = true
    if (packet === undefined && bytes.length < size && !lost) notes.push(`a packet of ${size.toLocaleString('en-US')} bytes, more than are kept to be read`)
    const { broken: rules, note, answers } = packet === undefined ? UNREAD : this.judge(from, packet, time)
    for (const [rule, found] of rules) faults.push(this.fault(from, rule, packet!.type, found))
    if (note !== undefined) notes.push(note)
    this.broken = faults.at(-1) ?? this.broken
    return { from, time, bytes, size, version: this.version ?? error?.version, type, packet, answers, broken: faults, notes, keepAlive: this.deadlines() }
  }

  /** When the Client is late, and when the Server closes; undefined without a Keep Alive, and when there is nothing more to wait for. */
  deadlines(): Deadlines | undefined {
    const { keepAlive = 0 } = this.agreement ?? {}
    if (keepAlive === 0 || !this.accepted || this.phases.client === 'closing' || this.phases.client === 'closed' || this.phases.server === 'closed') return undefined
    return { due: this.heard + keepAlive * 1000, closes: this.heard + keepAlive * 1500 }
  }

  /** What passes is another protocol, and has no packets. */
  foreign(from: Sender, name: string): void {
    const { text } = CONNECTION_RULES.firstPacket
    this.broken = { by: from, rule: statementOf(CONNECTION_RULES.firstPacket, this.version), text: `${name}; ${text}`, foreign: name }
  }

  /** A side has ended its stream. */
  ended(from: Sender): void {
    this.phases[from] = 'closed'
  }

  private read(bytes: Uint8Array, size: number): { readonly packet?: Packet, readonly error?: MalformedPacket | ProtocolError | undefined } {
    if (bytes.length < size) return {}
    try {
      // Only a CONNECT has no version before it; anything else without one says by annotate() what is wrong with it.
      if (this.version === undefined && bytes[0]! >> 4 !== 1) return { error: annotate(bytes, undefined).find(({ error }) => error !== undefined)?.error }
      return { packet: decode(bytes, this.version as ProtocolVersion) }
    } catch (error) {
      if (error instanceof MalformedPacket || error instanceof ProtocolError) return { error }
      throw error
    }
  }

  private judge(from: Sender, packet: Packet, time: number): { readonly broken: readonly (readonly [ConnectionRule, string])[], readonly note?: string | undefined, readonly answers?: Observed['answers'] } {
    if (packet.type === 'connect' && this.version === undefined) this.version = packet.version
    const version = this.version!
    const event = eventOf(from, packet)
    const own = this.phases[from]
    const to = destination(own, event, version)
    if (to === undefined) {
      // The other side's last word and this packet may have met on the way.
      if (own === 'closing' && this.farewell !== undefined && this.farewell.from !== from) return { broken: [], note: `it comes behind the ${this.farewell.packet.type.toUpperCase()} of the ${nameOf(this.farewell.from)}, which will not read it or had not sent it yet` }
      return { broken: [[violation(own, event, version), `${packet.type.toUpperCase()} from the ${nameOf(from)} while ${own}`]] }
    }
    const rules = this.contentFaults(from, packet)
    this.move(from, packet, to, event)
    const terms = this.accepted || from === 'server' ? this.agreement?.terms[from === 'client' ? 'server' : 'client'] : undefined
    const { to: answers, broken, note } = this.answers.take(from, packet, time, terms)
    if (broken !== undefined) rules.push([broken.rule, broken.found])
    return { broken: rules, note, answers }
  }

  /** Both machines go on: the sender's because it has sent, the other's because it will receive. */
  private move(from: Sender, packet: Packet, to: Phase, event: ReturnType<typeof eventOf>): void {
    const other = from === 'client' ? 'server' : 'client'
    const before = this.phases[from]
    this.phases[from] = to
    this.phases[other] = destination(this.phases[other], event, this.version!) ?? this.phases[other]
    if (packet.type === 'connect') this.begin(packet)
    if (packet.type === 'connack' && packet.reasonCode === 0) this.accept(packet)
    if (packet.type === 'disconnect' || (packet.type === 'connack' && packet.reasonCode !== 0)) this.farewell ??= { from, packet, phase: before }
  }

  private begin(packet: Connect): void {
    this.connect = packet
    const { state } = transition(initial({ role: 'server' }), { type: 'received', packet })
    if ('agreement' in state) this.agreement = state.agreement
  }

  private accept({ properties }: Extract<Packet, { readonly type: 'connack' }>): void {
    this.accepted = true
    const { agreement } = this
    if (agreement === undefined) return
    this.agreement = {
      ...agreement, keepAlive: properties?.serverKeepAlive ?? agreement.keepAlive, clientId: properties?.assignedClientIdentifier ?? agreement.clientId,
      sessionExpiryInterval: properties?.sessionExpiryInterval ?? agreement.sessionExpiryInterval, terms: termsOfConnack(agreement.terms, properties),
    }
  }

  /** What the tables cannot see, and what needs no more than the two announcements to be seen. */
  private contentFaults(from: Sender, packet: Packet): (readonly [ConnectionRule, string])[] {
    const rules: (readonly [ConnectionRule, string])[] = []
    const { agreement } = this
    const add = (rule: ConnectionRule | undefined, found: string = packet.type.toUpperCase()): void => { if (rule !== undefined) rules.push([rule, found]) }
    if (packet.type === 'connack' && packet.sessionPresent && this.connect?.cleanStart === true) add('sessionPresentCleanStart')
    if (agreement === undefined || agreement.version < 5) return rules
    if (packet.type === 'auth') add(authFault(from, packet, agreement))
    if (packet.type === 'disconnect') add(disconnectFault(from, packet, agreement))
    if (from === 'client' && !this.accepted && agreement.authenticationMethod !== undefined && packet.type !== 'auth' && packet.type !== 'disconnect') add('authOnly')
    if (from === 'client' && packet.type === 'publish' && packet.properties?.subscriptionIdentifiers !== undefined) add('clientSubscriptionIdentifier')
    if (from === 'server') add(unaskedInformation(packet, agreement))
    if (this.accepted) add(termsFault(from, packet, agreement))
    if (packet.type === 'publish' && packet.properties?.topicAlias !== undefined && (from === 'server' || this.accepted)) {
      const { topic, properties: { topicAlias } } = packet
      add(aliasFault(from, topic, topicAlias, agreement, this.aliases[from]), `Topic Alias ${topicAlias}`)
      // That it stands for something is all there is to know.
      if (topic !== '') this.aliases[from] = setId(this.aliases[from], topicAlias, '')
    }
    return rules
  }

  private fault(by: Sender, name: ConnectionRule, type: PacketType, found: string): Broken {
    const row = CONNECTION_RULES[name]
    const rule = statementOf(row, this.version)
    return { by, rule, text: `${found.startsWith(type.toUpperCase()) ? found : `${type.toUpperCase()}: ${found}`}; ${row.text} [${rule}]` }
  }
}

export function nameOf(side: Sender): string {
  return side === 'client' ? 'Client' : 'Server'
}

const UNREAD = { broken: [] as readonly (readonly [ConnectionRule, string])[], note: undefined, answers: undefined }
