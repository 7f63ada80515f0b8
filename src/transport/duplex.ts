// SPDX-License-Identifier: MIT
// What a connection needs of a byte stream (5.0 §4.2: ordered and lossless, both ways), and nothing more.

/** An adapter provides the four methods and calls the three callbacks, which the driver sets; it holds no protocol. */
export interface Duplex {
  /** Takes bytes to send and keeps them until they are sent. False: enough for now, `onDrain` will tell when there is room again. */
  write(bytes: Uint8Array): boolean
  /** Sends what has been written, then ends our side; with `abort` drops everything at once. May be called more than once. */
  close(abort?: boolean): void
  /** Stops and goes on calling `onData`; a chunk or two may still come after `pause`. */
  pause(): void
  resume(): void
  onData: (chunk: Uint8Array) => void
  onDrain: () => void
  /** The peer has ended its side, or the connection broke; called once or more, after all data. */
  onEnd: (error?: Error) => void
}
