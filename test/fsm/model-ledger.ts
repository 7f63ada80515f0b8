// What a world's messages have come to, and what is wrong with that: every delivery, acknowledgement and identifier is held to the properties here.
import type { Packet, Publish } from '../../src/codec/index.ts'
import type { Redo, Role } from '../../src/fsm/index.ts'
import { idEntries } from '../../src/fsm/packet-ids.ts'
import { labelIn, throughStore } from './model-parts.ts'
import type { Carried } from './model-parts.ts'
import { Broken, ROLES } from './model-world.ts'
import type { End, Message, Place, World } from './model-world.ts'

export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class Ledger {
  readonly place: Mutable<Place>
  protected readonly world: World
  private readonly before: Place

  constructor(world: World, place: Place) {
    this.world = world
    this.before = place
    this.place = { ...place }
  }

  /** One end, to be changed: what is not touched stays the very same. */
  protected end(role: Role): Mutable<End> {
    if (this.place[role] === this.before[role]) this.place[role] = { ...this.before[role] }
    return this.place[role]
  }

  /** A new message or request. */
  protected begin(from: Role, what: Message['what'], topic: string): string {
    const { messages } = this.place
    const request = what === 'subscribe'
    const label = `${request ? 'r' : from[0]}${1 + messages.filter((one) => one.from === from && (one.what === 'subscribe') === request).length}`
    this.place.messages = [...messages, { label, from, what, topic, delivered: false, taken: 'no', token: 'open' }]
    return label
  }

  /** A message is given to the application. */
  protected given(role: Role, { packetId, qos, payload, topic }: Publish): void {
    const label = labelIn(payload)
    const message = this.find(label)
    const again = message.delivered && message.taken !== 'refused'
    if (again && qos !== 1) throw new Broken(qos === 2 ? 'exactlyOnce' : 'atMostOnce', `${label} is delivered again`)
    if (message.what !== qos || message.topic !== topic) throw new Broken('atLeastOnce', `${label} arrives as another message`)
    if (!message.delivered) {
      const later = this.place.messages.slice(this.place.messages.indexOf(message) + 1)
      const overtaken = later.find((one) => one.from === message.from && one.what === qos && one.topic === topic && one.delivered)
      if (overtaken !== undefined) throw new Broken('order', `${label} is delivered after ${overtaken.label}`)
      this.change(label, { delivered: true })
    }
    if (qos === 0) return
    const end = this.end(role)
    end.inbox = [...end.inbox, { answer: qos === 1 ? 'puback' : 'pubrec', id: packetId!, label, first: !message.delivered }]
  }

  protected settle(label: string, packet: Packet | undefined): void {
    const { token, what, taken } = this.find(label)
    if (token !== 'open') throw new Broken('tokens', `${label} is settled, which was ${token} before`)
    const refused = packet?.type === 'pubrec'
    if (!refused && what !== 'subscribe' && taken !== 'yes') throw new Broken('promise', `${label} is acknowledged`)
    this.change(label, { token: refused ? 'told' : 'settled' })
  }

  /** The session of this side is over, and its application knows that nobody knows; what it is told of must be all there is. */
  protected told(role: Role, redo?: readonly Redo[]): void {
    this.end(role).used = []
    for (const { label, from, token, what, taken } of this.place.messages) {
      if (from !== role || what === 0 || (token !== 'open' && token !== 'dead')) continue
      const named = redo === undefined || redo.some((one) => labelIn(one.packet.payload) === label && (token === 'dead' || one.token === label))
      // What is not named has been acknowledged, by PUBREC at least: it is settled in the same step, or nobody waits for that.
      if (!named && taken !== 'yes') throw new Broken('tokens', `the session is lost, and nothing is said of ${label}`)
      if (named) this.change(label, { token: 'told' })
    }
  }

  /** Identifiers: one exchange each, until the last acknowledgement; and on this connection no more than the other side takes. */
  protected use(role: Role, { packet, name }: Carried, written: boolean): void {
    const end = this.end(role)
    const label = packet.type === 'publish' ? labelIn(packet.payload) : packet.type === 'subscribe' ? packet.subscriptions[0]!.filter : undefined
    if (label === undefined || !('packetId' in packet) || packet.packetId === undefined) return
    const id = packet.packetId
    const known = end.used.find(([used]) => used === id)
    const again = packet.type === 'publish' && packet.dup
    if (again ? known?.[1] !== label : known !== undefined) throw new Broken('identifiers', `${name}, and ${known === undefined ? 'nothing' : known[1]} has that identifier`)
    if (known === undefined) end.used = [...end.used, [id, label]]
    if (!written || packet.type === 'subscribe') return
    if (!end.here.includes(id)) end.here = [...end.here, id]
    // Before CONNACK a Client cannot know.
    const maximum = this.maximum()
    if (end.here.length > maximum && end.state.phase !== 'authenticating') throw new Broken('quota', `${role} writes ${name} behind ${end.here.length - 1} others, and Receive Maximum is ${maximum}`)
  }

  /** A message is refused only where there is no identifier or no room for it, or where nobody knows yet whether there is. */
  protected mayRefuse(role: Role, qos: 0 | 1 | 2): void {
    const { state, used } = this.place[role]
    const { packetIds = 0xffff, maximumPacketSize } = this.world
    if (state.phase !== 'connected' || maximumPacketSize !== undefined) return
    const messages = used.filter(([, label]) => !label.startsWith('r')).length
    if (qos === 0 || (used.length < packetIds && messages < this.maximum())) throw new Broken('progress', `${role} may not publish with QoS ${qos}, though ${used.length} identifiers are in use`)
  }

  /** The last acknowledgement frees an identifier of its receiver. */
  protected heard(role: Role, packet: Packet): void {
    if (packet.type === 'connack' && role === 'client') this.place.cleaning = false
    if (packet.type !== 'puback' && packet.type !== 'pubcomp' && packet.type !== 'suback' && !(packet.type === 'pubrec' && packet.reasonCode >= 0x80)) return
    const end = this.end(role)
    end.used = end.used.filter(([id]) => id !== packet.packetId)
    end.here = end.here.filter((id) => id !== packet.packetId)
  }

  /** Opening a connection with a session says that every QoS 2 message of the last one has been dealt with. */
  protected keep(role: Role): void {
    const end = this.end(role)
    for (const { answer, label } of end.inbox) if (answer === 'kept') this.change(label, { taken: 'yes' })
    end.inbox = end.inbox.filter(({ answer }) => answer !== 'kept')
  }

  /** The connection is gone for both ends, with all that was on its way. Requests end with it. */
  protected disconnected(): void {
    this.place.up = false
    for (const role of ROLES) {
      const end = this.end(role)
      end.sending = []
      end.here = []
      end.inbox = end.inbox.flatMap((pending) => (pending.answer === 'pubrec' || pending.answer === 'kept' ? [{ ...pending, answer: 'kept' }] : []))
      end.used = end.used.filter(([, label]) => !label.startsWith('r'))
    }
    for (const { label, what, token } of this.place.messages) if (what === 'subscribe' && token === 'open') this.change(label, { token: 'told' })
  }

  /** A process comes back with what its store has; what its application had not dealt with, it has never seen, and nobody waits for its tokens. */
  protected restarted(role: Role): void {
    const end = this.end(role)
    this.place.crashes = { ...this.place.crashes, [role]: this.place.crashes[role] + 1 }
    for (const { answer, label, first } of end.inbox) if (first && (answer === 'puback' || answer === 'pubrec' || answer === 'kept')) this.change(label, { delivered: false })
    end.inbox = []
    for (const { label, from, token } of this.place.messages) if (from === role && token === 'open') this.change(label, { token: 'dead' })
    end.stored = end.stored && throughStore(end.stored)
    end.used = [...idEntries(end.stored?.exchanges.ours)].map(([id, { message }]) => [id, message === undefined ? end.used.find(([used]) => used === id)?.[1] ?? '?' : labelIn(message.payload)])
  }

  /** A message of an earlier connection cannot be sent on this one, and its application is told. */
  protected dropped(role: Role, label: string | undefined): void {
    const end = this.end(role)
    for (const message of this.place.messages) {
      if (message.label !== label) continue
      if (message.token !== 'open') throw new Broken('tokens', `${label} is refused, which was ${message.token} before`)
      end.used = end.used.filter(([, user]) => user !== label)
      this.change(label, { token: 'told' })
    }
  }

  /** Receive Maximum of each side on this connection. */
  protected maximum(): number {
    return this.announced(this.world.receiveMaximum) ?? 0xffff
  }

  /** What of a list goes for this connection. */
  protected announced(list: readonly number[] = []): number | undefined {
    return list[Math.min(this.place.connections, list.length) - 1] || undefined
  }

  private find(label: string): Message {
    return this.place.messages.find((message) => message.label === label)!
  }

  protected change(label: string, to: Partial<Message>): void {
    this.place.messages = this.place.messages.map((message) => (message.label === label ? { ...message, ...to } : message))
  }
}
