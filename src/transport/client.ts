// SPDX-License-Identifier: MIT
// The client over any byte stream: promises around a driver. It adds nothing to the protocol but defaults for CONNECT.
import type { Connack, Connect, ConnectInput, DisconnectInput, Packet, PacketInput } from '../codec/index.ts'
import type { CloseCause, Limits, Session, State } from '../fsm/index.ts'
import { ConnectionClosed } from './driver-options.ts'
import type { DriverOptions } from './driver-options.ts'
import { Driver } from './driver.ts'
import type { Duplex } from './duplex.ts'

export interface ClientOptions extends Omit<DriverOptions, 'role' | 'version' | 'maximumConnectSize'> {
  /** CONNECT; left out: version 5, clientId '', cleanStart true, keepAlive 60 */
  readonly connect?: Partial<Omit<ConnectInput, 'type'>> | undefined
  readonly session?: Session | undefined
  readonly limits?: Partial<Limits> | undefined
}

/** The largest packet a client takes, which in 5.0 it announces. */
const MAXIMUM_PACKET_SIZE = 1_048_576

export class Client {
  /** CONNACK; its `sessionPresent` tells whether the Server has kept the session */
  connack!: Connack
  /** called for every packet for the application: all but CONNACK and PINGRESP. A promise holds up reading until it resolves */
  onPacket: ((packet: Packet) => void | Promise<void>) | undefined = undefined
  /** called once, when the connection is over */
  onClose: ((cause: CloseCause, error: Error | undefined) => void) | undefined = undefined
  /** resolves, never rejects, when the Network Connection is gone */
  readonly closed: Promise<CloseCause>
  private readonly driver: Driver

  private constructor(duplex: Duplex, options: ClientOptions, connect: ConnectInput) {
    let over: (cause: CloseCause) => void
    const cause = new Promise<CloseCause>((resolve) => { over = resolve })
    const handler = {
      deliver: (packet: Packet) => (packet.type === 'connack' ? undefined : this.onPacket?.(packet)),
      closed: (why: CloseCause, error: Error | undefined) => {
        over(why)
        this.onClose?.(why, error)
      },
    }
    const maximumPacketSize = options.maximumPacketSize ?? connect.properties?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE
    this.driver = new Driver(duplex, handler, { ...options, role: 'client', version: connect.version, maximumPacketSize })
    this.closed = this.driver.done.then(() => cause)
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

  get state(): State {
    return this.driver.state
  }

  /** The Client Identifier in use, which in 5.0 the Server may have assigned. */
  get clientId(): string {
    const { state } = this.driver
    return state.session?.clientId ?? ''
  }

  /** Sends a packet as it is. Resolves when a peer that reads has it; rejects with UsageError where the standard forbids it here and now. */
  async send(packet: PacketInput): Promise<void> {
    await this.driver.send(packet)
  }

  /** Sends PINGREQ and resolves at PINGRESP; keep alive does this by itself. */
  async ping(): Promise<void> {
    await this.driver.send({ type: 'pingreq' })
  }

  /** Sends DISCONNECT and resolves when the Network Connection is gone. The Will is discarded unless `reasonCode` says otherwise (5.0: 0x04). */
  async disconnect(options: Omit<DisconnectInput, 'type'> = {}): Promise<CloseCause> {
    if (this.state.phase === 'connected') await this.driver.send({ type: 'disconnect', ...options })
    return this.closed
  }

  /** Drops the connection without DISCONNECT: the Server will publish the Will. */
  abort(reason: Error = new Error('aborted by the application')): void {
    this.driver.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect()
  }
}

function connectPacket({ connect = {}, maximumPacketSize }: ClientOptions): ConnectInput {
  const { version = 5, clientId = '', cleanStart = true, keepAlive = 60, properties, ...rest } = connect
  const announced: Connect['properties'] = version === 5 ? { maximumPacketSize: maximumPacketSize ?? MAXIMUM_PACKET_SIZE, ...properties } : properties
  return { type: 'connect', version, clientId, cleanStart, keepAlive, properties: announced, ...rest }
}

function causeOf(state: State): CloseCause {
  return (state as Extract<State, { readonly cause: CloseCause }>).cause
}
