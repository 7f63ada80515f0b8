// The other end of each connection, and the application of this one: a Client that keeps to the standard, as far as its kind allows, and knows
// what it is owed. Only Clients with something unfinished have an account.
import { decode, encode } from '../../src/codec/index.ts'
import type { Packet, PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import type { Effect, Session } from '../../src/fsm/index.ts'
import type { Random } from '../fuzz/random.ts'
import type { Books } from './books.ts'
import type { Server } from './server.ts'

/** What is not finished between one Client and the server. */
interface Account {
  /** the Client's messages: what it waits for */
  readonly out: Map<number, 'puback' | 'pubrec' | 'pubcomp'>
  /** those that the application has not answered, in the order they came */
  readonly owed: { readonly type: 'puback' | 'pubrec', readonly packetId: number }[]
  /** the server's messages: what the Client has said of them, and by which token the application knows them */
  readonly into: Map<number, { readonly qos: 1 | 2, readonly token: number, released: boolean }>
}

export class Clients {
  readonly accounts: Map<number, Account> = new Map()
  private readonly server: Server
  private readonly books: Books
  private readonly random: Random
  private tokens = 0

  constructor(server: Server, books: Books, random: Random) {
    this.server = server
    this.books = books
    this.random = random
  }

  version(i: number): ProtocolVersion {
    return (3 + i % 3) as ProtocolVersion
  }

  /** How many messages the server may have under way; 3.x does not say. */
  receiveMaximum(i: number): number {
    return this.version(i) === 5 ? RECEIVE_MAXIMUM : 0xffff
  }

  /** CONNECT, and the application's answer. A session, if there is one, goes on. */
  connect(i: number, keepAlive: number, cleanStart: boolean, session: Session | undefined): void {
    const version = this.version(i)
    const properties = version === 5 ? { receiveMaximum: RECEIVE_MAXIMUM, sessionExpiryInterval: 3600 } : undefined
    const packet = decode(encode({ type: 'connect', version, clientId: `client-${i}`, cleanStart, keepAlive, properties }, version), version)
    this.answer(this.server.receive(i, packet), 'CONNECT is given to the application', ({ type }) => type === 'deliver', i)
    const effects = this.server.send(i, version === 5 ? CONNACK_OF_FIVE : CONNACK, undefined, session)
    this.answer(effects, 'CONNECT is answered by CONNACK', writes('connack'), i)
    if (session === undefined) this.accounts.delete(i)
    else this.resume(i, effects)
  }

  ping(i: number): void {
    this.answer(this.server.receive(i, PINGREQ), 'PINGREQ is answered by PINGRESP', writes('pingresp'), i)
  }

  /** The Client publishes; with `qos` 1 and 2 the application answers, sooner or later. */
  publish(i: number, qos: 0 | 1 | 2): void {
    const version = this.version(i)
    if (qos === 0) return this.answer(this.server.receive(i, packetOf(version, 0, 0, false)), 'QoS 0 is delivered', ({ type }) => type === 'deliver', i)
    const account = this.account(i)
    const packetId = [1, 2, 3, 4].find((id) => !account.out.has(id))
    if (packetId === undefined) return this.reply(i, account, true)
    this.deliver(i, account, packetId, qos, false)
    this.reply(i, account, false)
    this.close(i, account)
  }

  /** The Client breaks a rule, and is closed for it: more messages than it was told (5.0), or a second CONNECT. */
  misbehave(i: number): void {
    const floods = this.version(i) === 5
    const unanswered = [...this.accounts.get(i)?.out.values() ?? []].length
    for (let id = 10; floods && id < 10 + OUR_RECEIVE_MAXIMUM - unanswered; id++) this.answer(this.server.receive(i, packetOf(5, 1, id, false)), 'QoS 1 and 2 are delivered', ({ type }) => type === 'deliver', i)
    const effects = this.server.receive(i, floods ? packetOf(5, 2, 9, false) : SECOND_CONNECT)
    this.answer(effects, 'a broken rule closes the connection', (effect) => effect.type === 'close' && effect.cause.reasonCode === (floods ? 0x93 : 0x82), i)
    this.forget(i)
  }

  /** The server's application publishes; it is refused exactly if the Client's Receive Maximum is used up. `leaves`: without an answer for now. */
  notify(i: number, qos: 0 | 1 | 2, leaves = false): void {
    if (qos === 0) return this.answer(this.server.send(i, MESSAGES[0]), 'QoS 0 is sent', writes('publish'), i)
    const account = this.account(i)
    const token = ++this.tokens
    const [effect, ...others] = this.server.send(i, MESSAGES[qos], token)
    const full = account.into.size >= this.receiveMaximum(i)
    if (full) {
      this.books.hold(effect?.type === 'refuse' && effect.token === token && others.length === 0, 'what the quota does not allow is refused', () => `${i}: ${account.into.size} are under way`)
    } else {
      const packetId = effect?.type === 'write' && effect.packet.type === 'publish' ? effect.packet.packetId! : 0
      this.books.hold(packetId > 0 && !account.into.has(packetId), 'a message gets an identifier that is free', () => `${i}: ${packetId}`)
      account.into.set(packetId, { qos, token, released: false })
    }
    if (!leaves) this.acknowledge(i, account, full)
    this.close(i, account)
  }

  /** SUBSCRIBE and its SUBACK. */
  subscribe(i: number): void {
    const version = this.version(i)
    this.answer(this.server.receive(i, SUBSCRIBE[version]), 'SUBSCRIBE is given to the application', ({ type }) => type === 'deliver', i)
    this.answer(this.server.send(i, { type: 'suback', packetId: 9, reasonCodes: [1] }), 'SUBSCRIBE is answered by SUBACK', writes('suback'), i)
  }

  /** The session is lost, with all that was unfinished. */
  forget(i: number): void {
    this.accounts.delete(i)
  }

  /** Both sides go on: what the server has sent again is what was unfinished, and the Client does the same. */
  private resume(i: number, effects: readonly Effect[]): void {
    const account = this.accounts.get(i)
    const again = effects.flatMap((effect) => (effect.type === 'write' && (effect.packet.type === 'publish' || effect.packet.type === 'pubrel') ? [effect.packet] : []))
    this.books.hold(again.length === (account?.into.size ?? 0), 'what is unfinished is sent again when a session goes on', () => `${i}: ${again.length} of ${account?.into.size ?? 0}`)
    if (account === undefined) return
    for (const packet of again) {
      const message = account.into.get(packet.packetId!)
      this.books.hold(message !== undefined && (packet.type === 'pubrel') === message.released && (packet.type === 'pubrel' || packet.dup === true), 'it is sent again as it stood, PUBLISH with DUP', () => `${i}: ${packet.type} ${packet.packetId}`)
    }
    account.owed.length = 0
    for (const [packetId, waits] of account.out) if (waits !== 'pubcomp') this.deliver(i, account, packetId, waits === 'puback' ? 1 : 2, true)
    this.reply(i, account, true)
    this.acknowledge(i, account, true)
    this.close(i, account)
  }

  private deliver(i: number, account: Account, packetId: number, qos: 1 | 2, dup: boolean): void {
    const effects = this.server.receive(i, packetOf(this.version(i), qos, packetId, dup))
    const type = qos === 1 ? 'puback' : 'pubrec'
    if (dup && qos === 2) {
      this.answer(effects, 'QoS 2 that comes again is answered and not delivered', (effect) => writes('pubrec')(effect), i)
      account.out.set(packetId, 'pubcomp')
      return
    }
    this.answer(effects, 'QoS 1 and 2 are delivered', (effect) => effect.type === 'deliver', i)
    account.out.set(packetId, type)
    account.owed.push({ type, packetId })
  }

  /** The application answers what it owes, in order, and the Client goes on with PUBREL; now and then either leaves it for later. */
  private reply(i: number, account: Account, all: boolean): void {
    while (account.owed.length > 0 && (all || !this.random.oneIn(STOPS))) {
      const { type, packetId } = account.owed.shift()!
      this.answer(this.server.send(i, { type, packetId }), `what is owed is answered by ${type.toUpperCase()}`, writes(type, packetId), i)
      if (type === 'puback') account.out.delete(packetId)
      else account.out.set(packetId, 'pubcomp')
    }
    for (const [packetId, waits] of account.out) {
      if (waits !== 'pubcomp' || (!all && this.random.oneIn(STOPS))) continue
      this.answer(this.server.receive(i, { type: 'pubrel', packetId, reasonCode: 0, properties: undefined }), 'PUBREL is answered by PUBCOMP', writes('pubcomp', packetId), i)
      account.out.delete(packetId)
    }
  }

  /** The Client acknowledges the server's messages; each token is told of once, with the last of it. */
  private acknowledge(i: number, account: Account, all: boolean): void {
    for (const [packetId, message] of account.into) {
      if (!all && this.random.oneIn(STOPS)) continue
      if (message.qos === 2 && !message.released) {
        this.answer(this.server.receive(i, { type: 'pubrec', packetId, reasonCode: 0, properties: undefined }), 'PUBREC is answered by PUBREL', writes('pubrel', packetId), i)
        message.released = true
        if (!all && this.random.oneIn(STOPS)) continue
      }
      const effects = this.server.receive(i, { type: message.qos === 1 ? 'puback' : 'pubcomp', packetId, reasonCode: 0, properties: undefined })
      const settled = effects.filter(({ type }) => type === 'settle')
      this.books.hold(settled.length === 1 && settled[0]!.type === 'settle' && settled[0]!.token === message.token, 'the last acknowledgement settles its token, once', () => `${i}: ${packetId}`)
      account.into.delete(packetId)
    }
  }

  private answer(effects: readonly Effect[], promise: string, is: (effect: Effect) => boolean, i: number): void {
    let found = 0
    for (const effect of effects) if (is(effect)) found++
    this.books.hold(found === 1, promise, () => `${i}: ${effects.map(({ type }) => type).join(', ') || 'nothing'}`)
  }

  private account(i: number): Account {
    let account = this.accounts.get(i)
    if (account === undefined) this.accounts.set(i, account = { out: new Map(), owed: [], into: new Map() })
    return account
  }

  private close(i: number, { out, into }: Account): void {
    if (out.size === 0 && into.size === 0) this.accounts.delete(i)
  }
}

function writes(type: string, packetId?: number): (effect: Effect) => boolean {
  return (effect) => effect.type === 'write' && effect.packet.type === type && (packetId === undefined || ('packetId' in effect.packet && effect.packet.packetId === packetId))
}

/** As they come out of the decoder, made once: a simulation is of the machine. */
function packetOf(version: ProtocolVersion, qos: 0 | 1 | 2, packetId: number, dup: boolean): Packet {
  const key = (((version << 2) | qos) << 4 | packetId) << 1 | Number(dup)
  return known[key] ??= heard({ type: 'publish', topic: 'sensors/kitchen', payload: 'seventeen bytes !', qos, dup, ...(qos > 0 && { packetId }) }, version)
}

const known: Packet[] = []

function heard(packet: PacketInput, version: ProtocolVersion): Packet {
  return decode(encode(packet, version), version)
}

/** Once in so many times a conversation stops half-way, to go on some other time. */
const STOPS = 8
/** What a Client of 5.0 announces, and what the server does. */
const RECEIVE_MAXIMUM = 3
const OUR_RECEIVE_MAXIMUM = 4
const CONNACK: PacketInput = { type: 'connack', reasonCode: 0 }
const CONNACK_OF_FIVE: PacketInput = { type: 'connack', reasonCode: 0, properties: { receiveMaximum: OUR_RECEIVE_MAXIMUM } }
const SECOND_CONNECT = Object.freeze({ type: 'connect', version: 4, clientId: 'again', cleanStart: true, keepAlive: 0, username: undefined, password: undefined, will: undefined, properties: undefined } as const)
const PINGREQ: Packet = { type: 'pingreq' }
const MESSAGES: { readonly [Q in 0 | 1 | 2]: PacketInput } = {
  0: { type: 'publish', topic: 'actuators', payload: 'on', qos: 0 }, 1: { type: 'publish', topic: 'actuators', payload: 'on', qos: 1 }, 2: { type: 'publish', topic: 'actuators', payload: 'on', qos: 2 },
}
const subscribe: PacketInput = { type: 'subscribe', packetId: 9, subscriptions: [{ filter: 'actuators', qos: 1 }] }
const SUBSCRIBE: { readonly [V in ProtocolVersion]: Packet } = { 3: heard(subscribe, 3), 4: heard(subscribe, 4), 5: heard(subscribe, 5) }
