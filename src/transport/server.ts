// SPDX-License-Identifier: MIT
// The server's end of one connection, over any byte stream: the application sees CONNECT and accepts or refuses.
import type { Connack, Connect, DisconnectInput, Packet, PacketInput } from '../codec/index.ts'
import type { CloseCause, Limits, State } from '../fsm/index.ts'
import type { DriverOptions, TraceRecord } from './driver-options.ts'
import { Driver } from './driver.ts'
import type { Duplex } from './duplex.ts'

export interface PeerOptions extends Omit<DriverOptions, 'role' | 'version' | 'session'> {
  readonly limits?: Partial<Limits> | undefined
}

export interface AcceptOptions {
  /** the Client's session was kept (MQTT 3.1 has no way to say so); default false */
  readonly sessionPresent?: boolean | undefined
  /** 5.0 only. A Client Identifier is assigned, and Maximum Packet Size announced, unless given here */
  readonly properties?: Connack['properties']
}

export class Peer {
  /** CONNECT, once it has come */
  connect: Connect | undefined = undefined
  /** called with CONNECT; answer, now or later, by `accept` or `refuse`. Without it every Client is refused as Server unavailable */
  onConnect: ((connect: Connect) => void | Promise<void>) | undefined = undefined
  /** called for every other packet for the application. A promise holds up reading until it resolves */
  onPacket: ((packet: Packet) => void | Promise<void>) | undefined = undefined
  /** called once, when the connection is over; `cause.will` is the Will to publish, if one is due */
  onClose: ((cause: CloseCause, error: Error | undefined) => void) | undefined = undefined
  /** resolves, never rejects, when the Network Connection is gone */
  readonly closed: Promise<CloseCause>
  private readonly driver: Driver
  private readonly maximumPacketSize: number

  constructor(duplex: Duplex, options: PeerOptions = {}) {
    let over: (cause: CloseCause) => void
    const cause = new Promise<CloseCause>((resolve) => { over = resolve })
    this.maximumPacketSize = options.maximumPacketSize ?? 1_048_576
    this.driver = new Driver(duplex, {
      deliver: (packet) => this.deliver(packet),
      closed: (why, error) => {
        over(why)
        this.onClose?.(why, error)
      },
    }, { ...options, role: 'server', maximumPacketSize: this.maximumPacketSize })
    this.closed = this.driver.done.then(() => cause)
  }

  /** every step of this connection as data; see TraceRecord */
  set onTrace(trace: ((record: TraceRecord) => void) | undefined) {
    this.driver.trace = trace
  }

  get state(): State {
    return this.driver.state
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
    return this.answer({ type: 'connack', sessionPresent: options.sessionPresent, reasonCode: 0, properties: this.properties(options) })
  }

  /**
   * Refuses the Client with a 5.0 Reason Code of CONNACK, such as 0x87 Not authorized; 3.x Clients are told the return code that says the
   * same, or nothing where there is none. Then the connection closes.
   */
  refuse(reasonCode: number, properties?: Connack['properties']): Promise<void> {
    return this.answer({ type: 'connack', reasonCode, properties: this.connect?.version === 5 ? properties : undefined })
  }

  /** Sends a packet as it is; rejects with UsageError where the standard forbids it here and now. */
  async send(packet: PacketInput): Promise<void> {
    await this.driver.send(packet)
  }

  /** Ends the connection: DISCONNECT in 5.0 (0x8e: the session was taken over), a bare close in 3.x. The Will, if there is one, is due. */
  async disconnect(reasonCode = 0, properties?: DisconnectInput['properties']): Promise<CloseCause> {
    if (this.state.phase === 'connected') await this.driver.send({ type: 'disconnect', reasonCode, properties: this.connect?.version === 5 ? properties : undefined })
    else if (this.state.phase === 'authenticating') await this.refuse(reasonCode >= 0x80 ? reasonCode : 0x88)
    else this.abort()
    return this.closed
  }

  /** Drops the connection at once. */
  abort(reason: Error = new Error('aborted by the application')): void {
    this.driver.abort(reason)
  }

  private deliver(packet: Packet): void | Promise<void> {
    if (packet.type !== 'connect') return this.onPacket?.(packet)
    this.connect = packet
    if (this.onConnect === undefined) return void this.refuse(0x88)
    return this.onConnect(packet)
  }

  /** An answer nobody waits for must not be lost in silence: its failure drops the connection, and `onClose` is told. */
  private answer(connack: PacketInput): Promise<void> {
    const sent = this.driver.send(connack).then(() => undefined)
    sent.catch((error: unknown) => { if (this.state.phase === 'authenticating') this.abort(error as Error) })
    return sent
  }

  private properties({ properties }: AcceptOptions): Connack['properties'] {
    if (this.connect?.version !== 5) return properties
    return {
      ...(this.connect.clientId === '' ? { assignedClientIdentifier: `auto-${globalThis.crypto.randomUUID()}` } : {}),
      maximumPacketSize: this.maximumPacketSize,
      ...properties,
    }
  }
}
