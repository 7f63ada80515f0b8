// SPDX-License-Identifier: MIT
// What a driver is given and what it tells: its options, its bounds, its trace, and the error for what it could not finish.
import type { Packet, ProtocolVersion } from '../codec/index.ts'
import type { CloseCause, Effect, InitialOptions, Input, Redo, State } from '../fsm/index.ts'
import type { Timers } from './timers.ts'

/** What a driver is given: the bounds of one connection, and who watches. */
export interface DriverOptions extends InitialOptions {
  /** whose rules hold for received packets; a server leaves it out and goes by CONNECT */
  readonly version?: ProtocolVersion | undefined
  /** largest packet taken, in bytes; default 1 MiB. A server begins with `maximumConnectSize` */
  readonly maximumPacketSize?: number | undefined
  /** server: largest packet taken before CONNECT is accepted, in bytes; default 64 KiB */
  readonly maximumConnectSize?: number | undefined
  /** bytes taken for sending while the peer does not read; default 1 MiB. Beyond it `send` refuses */
  readonly maximumUnsent?: number | undefined
  /** how long the peer may not read, or a handler hold up more than can wait behind it, before the connection is given up, in ms; default 30,000 */
  readonly drainTimeout?: number | undefined
  /** messages of QoS 1 and 2 that wait for the peer's Receive Maximum; default 1,000. Beyond it `send` refuses */
  readonly maximumWaiting?: number | undefined
  /** true: messages the session holds stay unsettled when the connection ends, for a later one to settle; default false */
  readonly keepMessages?: boolean | undefined
  readonly timers?: Timers | undefined
  /** every step as data; absent, it costs nothing */
  readonly trace?: ((record: TraceRecord) => void) | undefined
}

/** One step of a connection as data; `received` is a view, valid until the next step. */
export interface TraceRecord {
  readonly input: Input
  readonly before: State
  readonly after: State
  readonly effects: readonly Effect[]
  /** the bytes of the packet received, or of the one refused as malformed as far as they had come */
  readonly received: Uint8Array | undefined
  /** the bytes of each `write` effect, in order */
  readonly written: readonly Uint8Array[]
}

/**
 * The application's answer to a packet. PUBLISH of QoS 1 and 2 is acknowledged when the handler is done: with this Reason Code (5.0; 3.x knows only
 * success), or success for nothing. SUBSCRIBE and UNSUBSCRIBE: a code for each Topic Filter, or one for all. `later`: the application answers by `send`
 * when it is ready, messages in the order they came; for SUBSCRIBE and UNSUBSCRIBE nothing means the same.
 */
export type Reply = void | number | readonly number[] | 'later'

/** What has gone over a connection, for whoever watches. */
export interface Counters {
  packetsReceived: number
  packetsSent: number
  bytesReceived: number
  bytesSent: number
}

/** What a driver tells the application. */
export interface DriverHandler {
  /** a packet for the application; a promise holds up reading until it resolves. What it gives is the answer, see Reply */
  deliver(packet: Packet): Reply | Promise<Reply>
  /** client: what has become of the session that was handed in; `redo` where it is lost */
  session?(outcome: 'resumed' | 'lost', redo: readonly Redo[]): void
  /** the connection is over; `error` is the socket's or a handler's, where there is one */
  closed(cause: CloseCause, error: Error | undefined): void
}

/** A connection that ended before what was asked of it was done. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed'
  override readonly cause: CloseCause
  constructor(cause: CloseCause) {
    super(cause.sentence)
    this.cause = cause
  }
}

/** For what is asked of a connection that may be over by then. */
export function unlessClosed(error: unknown): void {
  if (!(error instanceof ConnectionClosed)) throw error
}

export const DEFAULT_MAXIMUM_CONNECT_SIZE = 65_536
export const DEFAULT_MAXIMUM_UNSENT = 1_048_576
export const DEFAULT_DRAIN_TIMEOUT = 30_000
export const DEFAULT_MAXIMUM_WAITING = 1_000
