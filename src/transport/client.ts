// SPDX-License-Identifier: MIT
// The client over any byte stream: promises around a driver. It adds nothing to the protocol but defaults for CONNECT.
import type { AuthInput, Connack, Connect, ConnectInput, DisconnectInput, Packet, PacketInput, PacketOf, PropertiesOf, Publish, Subscription } from '../codec/index.ts'
import type { CloseCause, Limits, Redo, Session, State } from '../fsm/index.ts'
import { ConnectionClosed, unlessClosed } from './driver-options.ts'
import type { Counters, DriverOptions, Reply } from './driver-options.ts'
import { Driver } from './driver.ts'
import type { Duplex } from './duplex.ts'
import { iterateMessages } from './messages.ts'
import { answered, published } from './outcome.ts'
import type { Message } from './outcome.ts'
import type { Request } from './requests.ts'

/** What a client is given, whatever it connects over. */
export interface ClientOptions extends Omit<DriverOptions, 'role' | 'version' | 'maximumConnectSize'> {
  /** CONNECT; left out: version 5, clientId '', cleanStart true, keepAlive 60 */
  readonly connect?: Partial<Omit<ConnectInput, 'type'>> | undefined
  /** what an earlier connection has left in `client.session`, to go on with; then `connect.cleanStart` is false unless given */
  readonly session?: Session | undefined
  readonly limits?: Partial<Limits> | undefined
  /** called for messages from the very first one on: those of a session that goes on can come right behind CONNACK */
  readonly onPublish?: Client['onPublish']
  /** 5.0, enhanced authentication: called with each AUTH of the Server; gives the data of the answer, nothing for none */
  readonly onAuth?: Client['onAuth']
}

/** A Topic Filter to subscribe to, alone (QoS 0) or with its Subscription Options. */
export type SubscribeTo = string | Subscription

/** The largest packet a client takes, which in 5.0 it announces. */
const MAXIMUM_PACKET_SIZE = 1_048_576
const CONTINUE_AUTHENTICATION = 0x18
const RE_AUTHENTICATE = 0x19

/** A client's end of one connection; `Client.connect` opens it. Ends with its connection: see ReconnectingClient for one that comes back. */
export class Client {
  /** CONNACK; its `sessionPresent` tells whether the Server has kept the session */
  connack!: Connack
  /** what has become of the session that was handed in; undefined where there was none */
  sessionOutcome: 'resumed' | 'lost' | undefined = undefined
  /** where it is lost: the messages of which nobody knows whether the Server has them */
  redo: readonly Redo[] = []
  /** called with every message. Acknowledged (QoS 1 and 2) when it is done, a promise resolved; see Reply. A promise holds up reading until then */
  onPublish: ((message: Publish) => Reply | Promise<Reply>) | undefined
  /** 5.0, enhanced authentication: called with each AUTH of the Server; gives the data of the answer, nothing for none */
  onAuth: ((packet: PacketOf<'auth'>) => Uint8Array | undefined | Promise<Uint8Array | undefined>) | undefined
  /** called for every other packet for the application: acknowledgements, DISCONNECT; messages and AUTH too where they have no handler of their own */
  onPacket: ((packet: Packet) => Reply | Promise<Reply>) | undefined = undefined
  /** called once, when the connection is over, behind the last message. What it throws is lost: nobody is left to be told */
  onClose: ((cause: CloseCause, error: Error | undefined) => void) | undefined = undefined
  /** resolves, never rejects, when the Network Connection is gone. A handler that is still busy is not waited for, it may be the one who waits for this */
  readonly closed: Promise<CloseCause>
  private readonly driver: Driver

  private constructor(duplex: Duplex, options: ClientOptions, connect: ConnectInput) {
    this.onPublish = options.onPublish
    this.onAuth = options.onAuth
    const handler = {
      deliver: (packet: Packet) => this.deliver(packet),
      session: (outcome: 'resumed' | 'lost', redo: readonly Redo[]) => {
        this.sessionOutcome = outcome
        this.redo = redo
      },
      closed: (cause: CloseCause, error: Error | undefined) => this.onClose?.(cause, error),
    }
    const maximumPacketSize = options.maximumPacketSize ?? connect.properties?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE
    this.driver = new Driver(duplex, handler, { ...options, role: 'client', version: connect.version, maximumPacketSize })
    this.closed = this.driver.done.then(() => causeOf(this.state))
  }

  /**
   * Sends CONNECT over an open byte stream and resolves with the accepted client. Rejects with ConnectionClosed, whose `cause` says who
   * refused and why, or with UsageError for a CONNECT that the standard forbids. Aborting `signal` before that drops the connection.
   */
  static async connect(duplex: Duplex, options: ClientOptions = {}, signal?: AbortSignal): Promise<Client> {
    const connect = connectPacket(options)
    const client = new Client(duplex, options, connect)
    const abort = (): void => { client.driver.abort(signal!.reason as Error) }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const connack = await client.driver.send(connect) as Connack
      if (connack.reasonCode !== 0) throw new ConnectionClosed(causeOf(client.state))
      client.connack = connack
      return client
    } catch (error) {
      // A CONNECT we could not send: nobody is waiting for the Server.
      if (!(error instanceof ConnectionClosed)) client.driver.abort(error as Error)
      if (signal?.aborted === true) throw signal.reason
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The machine's state: plain data, a new object where something has changed. */
  get state(): State {
    return this.driver.state
  }

  /** What outlives this connection: hand it to the next one as `session`, or store it by `saveSession`. */
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

  /** The Client Identifier in use, which in 5.0 the Server may have assigned. */
  get clientId(): string {
    const { state } = this.driver
    return state.session?.clientId ?? ''
  }

  /**
   * Publishes a message. QoS 0 resolves when it is with a Server that reads; QoS 1 at PUBACK, QoS 2 at PUBCOMP, with that packet. Rejects with Refused where the
   * Server refuses it (5.0), UsageError where it may not be sent, ConnectionClosed when the connection ends first: then the message is in
   * `session`, and goes out again on the next connection. Leave the payload alone until it is settled.
   */
  async publish(message: Message): Promise<PacketOf<'puback' | 'pubrec' | 'pubcomp'> | undefined> {
    return published(await this.driver.send({ type: 'publish', ...message }), message.topic)
  }

  /** As `publish`, for whoever keeps account of messages across connections: what becomes of it is told to `request`. */
  hand(message: Message, request: Request): void {
    this.driver.ask({ type: 'publish', ...message }, request)
  }

  /** Subscribes; resolves with the granted QoS of each filter, in order. Rejects with Refused if one of them is refused; the others then hold. */
  async subscribe(to: SubscribeTo | readonly SubscribeTo[], properties?: PropertiesOf<'subscribe'>): Promise<readonly number[]> {
    const subscriptions = listOf(to).map((one) => (typeof one === 'string' ? { filter: one, qos: 0 as const } : one))
    const suback = await this.driver.send({ type: 'subscribe', subscriptions, properties })
    return answered(suback as PacketOf<'suback'>, subscriptions.map(({ filter }) => filter))
  }

  /** Gives up subscriptions; resolves with a code for each filter (5.0) or with none. */
  async unsubscribe(from: string | readonly string[], properties?: PropertiesOf<'unsubscribe'>): Promise<readonly number[]> {
    const filters = listOf(from)
    return answered(await this.driver.send({ type: 'unsubscribe', filters, properties }) as PacketOf<'unsuback'>, filters)
  }

  /** Messages as an async iterator, instead of `onPublish`: one is acknowledged when the next is asked for. */
  messages(): AsyncGenerator<Publish, void> {
    return iterateMessages(this)
  }

  /** 5.0: authenticates anew by the method of CONNECT, `onAuth` answering what the Server asks; resolves with its AUTH 0x00, rejects when it disconnects instead. */
  async reauthenticate(authenticationData?: Uint8Array): Promise<PacketOf<'auth'>> {
    return await this.driver.send(this.auth(RE_AUTHENTICATE, authenticationData)) as PacketOf<'auth'>
  }

  /** Sends a packet as it is, for what has no method of its own. Resolves with the packet that answers it, if one does, else when a peer that reads has it. */
  send(packet: PacketInput): Promise<Packet | undefined> {
    return this.driver.send(packet)
  }

  /** Sends PINGREQ and resolves at PINGRESP; keep alive does this by itself. */
  async ping(): Promise<void> {
    await this.driver.send({ type: 'pingreq' })
  }

  /**
   * Sends DISCONNECT and resolves when the Network Connection is gone. The Will is discarded unless `reasonCode` says otherwise (5.0: 0x04). Rejects
   * with UsageError for a DISCONNECT that the standard forbids, never because the connection is over already.
   */
  async disconnect(options: Omit<DisconnectInput, 'type'> = {}): Promise<CloseCause> {
    const { phase } = this.state
    if (phase === 'connected' || phase === 'reauthenticating') await this.driver.send({ type: 'disconnect', ...options }).catch(unlessClosed)
    return this.closed
  }

  /** Drops the connection without DISCONNECT: the Server will publish the Will. */
  abort(reason: Error = new Error('aborted by the application')): void {
    this.driver.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect()
  }

  private deliver(packet: Packet): Reply | Promise<Reply> {
    if (packet.type === 'connack') return undefined
    if (packet.type === 'publish' && this.onPublish !== undefined) return this.onPublish(packet)
    if (packet.type === 'auth' && this.onAuth !== undefined) return this.answerAuth(packet, this.onAuth)
    return this.onPacket?.(packet)
  }

  private async answerAuth(packet: PacketOf<'auth'>, onAuth: NonNullable<Client['onAuth']>): Promise<void> {
    const data = await onAuth(packet)
    if (packet.reasonCode === CONTINUE_AUTHENTICATION) await this.driver.send(this.auth(CONTINUE_AUTHENTICATION, data))
  }

  private auth(reasonCode: number, authenticationData: Uint8Array | undefined): AuthInput {
    const { state } = this
    const authenticationMethod = 'agreement' in state ? state.agreement.authenticationMethod : undefined
    return { type: 'auth', reasonCode, properties: authenticationData === undefined ? { authenticationMethod } : { authenticationMethod, authenticationData } }
  }
}

function listOf<T extends string | Subscription>(one: T | readonly T[]): readonly T[] {
  return Array.isArray(one) ? one as readonly T[] : [one as T]
}

function connectPacket({ connect = {}, maximumPacketSize, session, limits }: ClientOptions): ConnectInput {
  const { version = 5, clientId = session?.clientId ?? '', cleanStart = session === undefined, keepAlive = 60, properties, ...rest } = connect
  const announced: Connect['properties'] = version === 5 ? { maximumPacketSize: maximumPacketSize ?? MAXIMUM_PACKET_SIZE, receiveMaximum: limits?.receiveMaximum, ...properties } : properties
  return { type: 'connect', version, clientId, cleanStart, keepAlive, properties: announced, ...rest }
}

function causeOf(state: State): CloseCause {
  return (state as Extract<State, { readonly cause: CloseCause }>).cause
}
