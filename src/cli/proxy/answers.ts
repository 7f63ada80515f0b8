// SPDX-License-Identifier: MIT
// Questions and their answers, as they pass: how long each took, and which answer fits no question. The book is kept by whoever watches and sees only one
// connection, so what may be of an earlier one breaks no rule here.
import type { Packet, PacketType, Sender } from '../../codec/index.ts'
import type { Announced, Awaited, ConnectionRule } from '../../fsm/index.ts'
import { ACKNOWLEDGED } from '../../fsm/session.ts'

export interface Answered {
  /** what was answered, and how long ago that passed */
  readonly to?: { readonly type: PacketType, readonly ms: number } | undefined
  readonly broken?: { readonly rule: ConnectionRule, readonly found: string } | undefined
  readonly note?: string | undefined
}

interface Question {
  readonly type: PacketType
  readonly awaits: Awaited
  readonly time: number
  readonly filters: number
  /** counts against Receive Maximum */
  readonly counts: boolean
}

/** Unanswered PINGREQs remembered. */
const MOST_PINGS = 100
const FAILED = 0x80

export class Answers {
  /** a packet has passed that was not read: nothing is known any more of what has no question */
  blind = false
  private readonly questions: { readonly [S in Sender]: Map<number, Question> } = { client: new Map(), server: new Map() }
  private readonly counts: { [S in Sender]: number } = { client: 0, server: 0 }
  private readonly pings: number[] = []
  private connect: number | undefined = undefined
  private auth: { readonly from: Sender, readonly time: number } | undefined = undefined

  /** when the oldest PINGREQ that nobody has answered passed */
  get pinging(): number | undefined {
    return this.pings[0]
  }

  /** `terms` of the side this goes to, once it has announced them. */
  take(from: Sender, packet: Packet, time: number, terms: Announced | undefined): Answered {
    const since = (type: PacketType, begun: number | undefined): Answered => (begun === undefined ? NOTHING : { to: { type, ms: time - begun } })
    switch (packet.type) {
      case 'connect':
        this.connect = time
        return NOTHING
      case 'connack': return since('connect', this.connect)
      case 'pingreq':
        if (this.pings.length < MOST_PINGS) this.pings.push(time)
        return NOTHING
      case 'pingresp': return since('pingreq', this.pings.shift())
      case 'auth': {
        const asked = this.auth
        this.auth = { from, time }
        return asked === undefined || asked.from === from ? NOTHING : since('auth', asked.time)
      }
      case 'publish': return packet.qos === 0 ? NOTHING : this.ask(from, packet, packet.qos === 1 ? 'puback' : 'pubrec', 0, time, terms)
      case 'subscribe': return this.ask(from, packet, 'suback', packet.subscriptions.length, time, undefined)
      case 'unsubscribe': return this.ask(from, packet, 'unsuback', packet.filters.length, time, undefined)
      case 'pubrel': return this.release(from, packet.packetId, time)
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
      case 'suback':
      case 'unsuback': return this.answer(from === 'client' ? 'server' : 'client', packet, time)
      case 'disconnect': return NOTHING
    }
  }

  private ask(from: Sender, packet: Extract<Packet, { readonly type: 'publish' | 'subscribe' | 'unsubscribe' }>, awaits: Awaited, filters: number, time: number, terms: Announced | undefined): Answered {
    const packetId = packet.packetId!
    const known = this.questions[from].get(packetId)
    if (packet.type === 'publish' && packet.dup && known !== undefined) return { note: `sent again: it passed ${round(time - known.time)} ms ago and is not answered` }
    const counts = packet.type === 'publish' && terms !== undefined
    this.put(from, packetId, { type: packet.type, awaits, time, filters, counts })
    if (known !== undefined) return { broken: { rule: from === 'client' || packet.type !== 'publish' ? 'identifierInUse' : 'identifierInUseByServer', found: `Packet Identifier ${packetId} is that of a ${known.type.toUpperCase()} that awaits ${known.awaits.toUpperCase()}` } }
    if (counts && this.counts[from] > terms.receiveMaximum) return { broken: { rule: 'receiveMaximum', found: `${this.counts[from]} messages are not answered, and Receive Maximum is ${terms.receiveMaximum}` } }
    return NOTHING
  }

  /** PUBREL, which answers PUBREC and asks for PUBCOMP. */
  private release(from: Sender, packetId: number, time: number): Answered {
    const known = this.questions[from].get(packetId)
    if (known !== undefined && known.awaits !== 'pubcomp') return { broken: { rule: 'pubrelEarly', found: `Packet Identifier ${packetId} awaits ${known.awaits.toUpperCase()}` } }
    this.put(from, packetId, { type: 'pubrel', awaits: 'pubcomp', time, filters: 0, counts: known?.counts ?? false })
    if (known === undefined) return this.unknown(packetId)
    return known.type === 'pubrec' ? { to: { type: 'pubrec', ms: time - known.time } } : NOTHING
  }

  /** An acknowledgement of something that `asker` has sent. */
  private answer(asker: Sender, packet: Extract<Packet, { readonly type: 'puback' | 'pubrec' | 'pubcomp' | 'suback' | 'unsuback' }>, time: number): Answered {
    const { packetId, type } = packet
    const known = this.questions[asker].get(packetId)
    if (known === undefined) {
      if (type !== 'suback' && type !== 'unsuback' || this.blind) return this.unknown(packetId)
      return { broken: { rule: 'unaskedAck', found: `nothing awaits a ${type.toUpperCase()} for Packet Identifier ${packetId}` } }
    }
    const to = { type: known.type, ms: time - known.time }
    const does = ACKNOWLEDGED[known.awaits][type]
    if (does === undefined) return { broken: { rule: 'wrongAck', found: `Packet Identifier ${packetId} awaits ${known.awaits.toUpperCase()}` } }
    if (does === 'done' || (type === 'pubrec' && packet.reasonCode >= FAILED)) this.put(asker, packetId, undefined)
    else if (does === 'release') this.put(asker, packetId, { ...known, type: 'pubrec', awaits: 'pubcomp', time })
    // Before 5.0 an UNSUBACK has no codes.
    if ((type === 'suback' || (type === 'unsuback' && packet.reasonCodes.length > 0)) && packet.reasonCodes.length !== known.filters) {
      return { to, broken: { rule: type === 'suback' ? 'subackCount' : 'unsubackCount', found: `${packet.reasonCodes.length} codes for ${known.filters} Topic Filters` } }
    }
    return { to }
  }

  private unknown(packetId: number): Answered {
    return { note: `what it answers has not passed here: Packet Identifier ${packetId} is of an earlier connection, or of nothing` }
  }

  private put(from: Sender, packetId: number, question: Question | undefined): void {
    const before = this.questions[from].get(packetId)
    this.counts[from] += (question?.counts === true ? 1 : 0) - (before?.counts === true ? 1 : 0)
    if (question === undefined) this.questions[from].delete(packetId)
    else this.questions[from].set(packetId, question)
  }
}

/** Milliseconds as people read them. */
export function round(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en-US')
}

const NOTHING: Answered = Object.freeze({})
