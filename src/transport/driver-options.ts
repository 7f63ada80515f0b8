// SPDX-License-Identifier: MIT
// What a driver is given and what it tells: its options, its bounds, its trace, and the error for what it could not finish.
import type { Packet, ProtocolVersion } from '../codec/index.ts'
import type { CloseCause, Effect, InitialOptions, Input, State } from '../fsm/index.ts'
import type { Timers } from './timers.ts'

export interface DriverOptions extends InitialOptions {
  /** whose rules hold for received packets; a server leaves it out and goes by CONNECT */
  readonly version?: ProtocolVersion | undefined
  /** largest packet taken, in bytes; default 1 MiB. A server begins with `maximumConnectSize` */
  readonly maximumPacketSize?: number | undefined
  /** server: largest packet taken before CONNECT is accepted, in bytes; default 64 KiB */
  readonly maximumConnectSize?: number | undefined
  /** bytes taken for sending while the peer does not read; default 1 MiB. Beyond it `send` refuses */
  readonly maximumUnsent?: number | undefined
  /** how long the peer may not read before the connection is given up, in ms; default 30,000 */
  readonly drainTimeout?: number | undefined
  readonly timers?: Timers | undefined
  /** every step as data; absent, it costs nothing */
  readonly trace?: ((record: TraceRecord) => void) | undefined
}

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

/** What a driver tells the application. */
export interface DriverHandler {
  /** a packet for the application; a promise holds up reading until it resolves */
  deliver(packet: Packet): void | Promise<void>
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

export const DEFAULT_MAXIMUM_CONNECT_SIZE = 65_536
export const DEFAULT_MAXIMUM_UNSENT = 1_048_576
export const DEFAULT_DRAIN_TIMEOUT = 30_000
