// SPDX-License-Identifier: MIT
// The server's end of one connection, over any byte stream: the application sees CONNECT and accepts or refuses.
import { mayCarry } from '../codec/index.ts'
import type { AuthInput, Connack, Connect, DisconnectInput, Packet, PacketInput, PacketOf, Publish } from '../codec/index.ts'
import type { Closed, CloseCause, Limits, Session, State } from '../fsm/index.ts'
import { unlessClosed } from './driver-options.ts'
import type { Counters, DriverOptions, Reply, TraceRecord } from './driver-options.ts'
import { Driver } from './driver.ts'
import type { Duplex } from './duplex.ts'
import { iterateMessages } from './messages.ts'
import { published } from './outcome.ts'
import type { Message } from './outcome.ts'

/** What a server is given for each connection, whatever it comes over. */
export interface PeerOptions extends Omit<DriverOptions, 'role' | 'version' | 'session'> {
  readonly limits?: Partial<Limits> | undefined
}

/** What a server says to a Client it accepts. */
export interface AcceptOptions {
  /** the session that an earlier connection of this Client has left in `peer.session`: what is unfinished in it goes on */
  readonly session?: Session | undefined
  /** the Client's session was kept (MQTT 3.1 has no way to say so); default: whether there is a `session` */
  readonly sessionPresent?: boolean | undefined
  /** 5.0 only. A Client Identifier is assigned, and Maximum Packet Size announced, unless given here */
  readonly properties?: Connack['properties']
}

/** A server's end of one connection. Set its handlers at once, before a byte is read. */
export class Peer {
  /** CONNECT, once it has come */
  connect: Connect | undefined = undefined
  /** called with CONNECT; answer, now or later, by `accept` or `refuse`. Without it every Client is refused as Server unavailable */
  onConnect: ((connect: Connect) => void | Promise<void>) | undefined = undefined
  /** called with every message. Acknowledged (QoS 1 and 2) when it is done, a promise resolved; see Reply. A promise holds up reading until then */
  onPublish: ((message: Publish) => Reply | Promise<Reply>) | undefined = undefined
  /** called with SUBSCRIBE: gives the code of each filter, the QoS granted or a refusal. Without it every filter is refused */
  onSubscribe: ((packet: PacketOf<'subscribe'>) => Reply | Promise<Reply>) | undefined = undefined
  /** called with UNSUBSCRIBE: gives the code of each filter; 3.x Clients are told none. Without it: 0x11, No subscription existed */
  onUnsubscribe: ((packet: PacketOf<'unsubscribe'>) => Reply | Promise<Reply>) | undefined = undefined
  /** called for every other packet for the application, and for those above that have no handler of their own: then answer them by what it gives */
  onPacket: ((packet: Packet) => Reply | Promise<Reply>) | undefined = undefined
  /** called once, when the connection is over, behind the last message; `cause.will` is the Will to publish, if one is due. What it throws is lost: nobody is left to be told */
  onClose: ((cause: CloseCause, error: Error | undefined) => void) | undefined = undefined
  /** resolves, never rejects, when the Network Connection is gone. A handler that is still busy is not waited for, it may be the one who waits for this */
  readonly closed: Promise<CloseCause>
  private readonly driver: Driver
  private readonly maximumPacketSize: number

  constructor(duplex: Duplex, options: PeerOptions = {}) {
    this.maximumPacketSize = options.maximumPacketSize ?? 1_048_576
    this.driver = new Driver(duplex, {
      deliver: (packet) => this.deliver(packet),
      closed: (cause, error) => this.onClose?.(cause, error),
    }, { ...options, role: 'server', maximumPacketSize: this.maximumPacketSize })
    this.closed = this.driver.done.then(() => (this.state as Closed).cause)
  }

  /** every step of this connection as data; see TraceRecord */
  set onTrace(trace: ((record: TraceRecord) => void) | undefined) {
    this.driver.trace = trace
  }

  /** The machine's state: plain data, a new object where something has changed. */
  get state(): State {
    return this.driver.state
  }

  /** What outlives this connection: give it to `accept` when the Client comes back, or store it by `saveSession`. */
  get session(): Session | undefined {
    return this.driver.state.session
  }

  /** Resolves, never rejects, when the connection is over and every handler is done with what had come: nothing of it is left. */
  get finished(): Promise<void> {
    return this.driver.finished
  }

  /** What has gone over this connection; the same object all along, and it goes on counting. */
  get counters(): Readonly<Counters> {
    return this.driver.counters
  }

  /** The Client Identifier in use: the Client's, or the one assigned to it. */
  get clientId(): string {
    return this.driver.state.session?.clientId ?? this.connect?.clientId ?? ''
  }

  /**
   * Accepts the Client: CONNACK goes out, then what it sent meanwhile is looked at. An answer the standard forbids (Session Present after a
   * clean start) rejects with UsageError, and nothing has been sent.
   */
  accept(options: AcceptOptions = {}): Promise<void> {
    return this.answer({ type: 'connack', sessionPresent: options.sessionPresent, reasonCode: 0, properties: this.properties(options) }, options.session)
  }

  /**
   * Refuses the Client with a 5.0 Reason Code of CONNACK, such as 0x87 Not authorized; 3.x Clients are told the return code that says the
   * same, or nothing where there is none. Then the connection closes.
   */
  refuse(reasonCode: number, properties?: Connack['properties']): Promise<void> {
    return this.answer({ type: 'connack', reasonCode, properties: this.connect?.version === 5 ? properties : undefined })
  }

  /** Sends a message to this Client, as `Client.publish` does to a Server. Leave the payload alone until it is settled. */
  async publish(message: Message): Promise<PacketOf<'puback' | 'pubrec' | 'pubcomp'> | undefined> {
    return published(await this.driver.send({ type: 'publish', ...message }), message.topic)
  }

  /** Resolves when the Client reads what it is sent: at once, when it has caught up, or when the connection is over. */
  drained(): Promise<void> {
    return this.driver.drained()
  }

  /** Messages as an async iterator, instead of `onPublish`: one is acknowledged when the next is asked for. */
  messages(): AsyncGenerator<Publish, void> {
    return iterateMessages(this)
  }

  /** 5.0: asks the Client for more (0x18), or tells it that its re-authentication is through (0x00); the method is CONNECT's. */
  async auth(reasonCode: number, authenticationData?: Uint8Array): Promise<void> {
    const authenticationMethod = this.connect?.properties?.authenticationMethod
    const packet: AuthInput = { type: 'auth', reasonCode, properties: authenticationData === undefined ? { authenticationMethod } : { authenticationMethod, authenticationData } }
    await this.driver.send(packet)
  }

  /** Sends a packet as it is, for what has no method of its own; rejects with UsageError where the standard forbids it here and now. */
  send(packet: PacketInput): Promise<Packet | undefined> {
    return this.driver.send(packet)
  }

  /** Ends the connection: DISCONNECT in 5.0 (0x8e: the session was taken over), a bare close in 3.x; a refusal where CONNECT is unanswered. The Will, if there is one, is due. */
  async disconnect(reasonCode = 0, properties?: DisconnectInput['properties']): Promise<CloseCause> {
    const { phase } = this.state
    if (phase === 'connected' || phase === 'reauthenticating') await this.driver.send({ type: 'disconnect', reasonCode, properties: this.connect?.version === 5 ? properties : undefined }).catch(unlessClosed)
    else if (phase === 'authenticating') await this.refuse(reasonCode >= 0x80 && mayCarry('connack', reasonCode, 5) ? reasonCode : SERVER_UNAVAILABLE).catch(unlessClosed)
    else if (phase === 'awaiting-connect') this.abort()
    return this.closed
  }

  /** Drops the connection at once. */
  abort(reason: Error = new Error('aborted by the application')): void {
    this.driver.abort(reason)
  }

  private deliver(packet: Packet): Reply | Promise<Reply> {
    switch (packet.type) {
      case 'connect':
        this.connect = packet
        if (this.onConnect === undefined) return void this.refuse(SERVER_UNAVAILABLE)
        return this.onConnect(packet)
      case 'publish': return (this.onPublish ?? this.onPacket ?? nobody)(packet)
      case 'subscribe': return (this.onSubscribe ?? this.onPacket ?? noSubscriptions)(packet)
      case 'unsubscribe': return (this.onUnsubscribe ?? this.onPacket ?? noneExisted)(packet)
      default: return this.onPacket?.(packet)
    }
  }

  /** An answer nobody waits for must not be lost in silence: its failure drops the connection, and `onClose` is told. */
  private answer(connack: PacketInput, session?: Session): Promise<void> {
    const sent = this.driver.send(connack, session).then(() => undefined)
    sent.catch((error: unknown) => { if (this.state.phase === 'authenticating') this.abort(error as Error) })
    return sent
  }

  private properties({ properties }: AcceptOptions): Connack['properties'] {
    if (this.connect?.version !== 5) return properties
    const { receiveMaximum } = this.driver.state.limits
    return {
      ...(this.connect.clientId === '' ? { assignedClientIdentifier: `auto-${globalThis.crypto.randomUUID()}` } : {}),
      maximumPacketSize: this.maximumPacketSize,
      // What we would enforce is what we say.
      ...(receiveMaximum < 65_535 ? { receiveMaximum } : {}),
      ...properties,
    }
  }
}

const SERVER_UNAVAILABLE = 0x88

// What a Server says that does nothing but connect.
const nobody = (): number => 0x10
const noSubscriptions = (): number => 0x83
const noneExisted = (): number => 0x11
