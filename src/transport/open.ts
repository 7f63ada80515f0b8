// SPDX-License-Identifier: MIT
// What every way of opening a byte stream has in common: how long it may take, who may call it off, and how it says what went wrong. Knows no
// protocol, no socket and nothing of Node.
import { Client } from './client.ts'
import type { ClientOptions } from './client.ts'
import type { Duplex } from './duplex.ts'

export interface OpenOptions {
  /** how long opening the byte stream may take, handshakes below MQTT included, in ms; default 10,000. CONNACK has `limits.connackTimeout` of its own */
  readonly openTimeout?: number | undefined
  /** gives up the attempt, at any point before CONNACK; the promise then rejects with its reason */
  readonly signal?: AbortSignal | undefined
}

/** The faults that only an adapter can see, and what is at fault. */
export type TransportFault =
  /** not open within `openTimeout` */
  | 'ERR_OPEN_TIMEOUT'
  /** no MQTT subprotocol was agreed on [MQTT-6.0.0-3, MQTT-6.0.0-4] */
  | 'ERR_SUBPROTOCOL'
  /** the opening handshake of a WebSocket failed */
  | 'ERR_WEBSOCKET_HANDSHAKE'
  /** a WebSocket closed with a code that means failure */
  | 'ERR_WEBSOCKET_CLOSED'
  /** text where only bytes may come [MQTT-6.0.0-1] */
  | 'ERR_NOT_BYTES'
  /** more came than may be held for an application that does not read */
  | 'ERR_UNREAD'

/** A byte stream that could not be opened, or broke. `code` is a TransportFault, or the system's own: `ECONNREFUSED`, `CERT_HAS_EXPIRED` … */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code: string
  constructor(code: TransportFault | (string & {}), message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * Waits for something to open. `begin` starts it, tells by `open` or `fail` how it went, and returns how to drop it. What comes after the first word
 * is ignored.
 */
export function opening<T>(where: string, options: OpenOptions, begin: (open: (value: T) => void, fail: (reason: unknown) => void) => () => void): Promise<T> {
  const { openTimeout = DEFAULT_OPEN_TIMEOUT, signal } = options
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    let settled = false
    let late: ReturnType<typeof setTimeout> | undefined
    const settle = (): void => {
      settled = true
      clearTimeout(late)
      signal?.removeEventListener('abort', abort)
    }
    const fail = (reason: unknown): void => {
      if (settled) return
      settle()
      drop()
      reject(reason)
    }
    const abort = (): void => { fail(signal!.reason) }
    const drop = begin((value) => {
      if (settled) return
      settle()
      resolve(value)
    }, fail)
    const message = `no connection to ${where} within ${openTimeout} ms (openTimeout)`
    late = setTimeout(() => { fail(new TransportError('ERR_OPEN_TIMEOUT', message)) }, Math.min(openTimeout, LONGEST_TIMEOUT))
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** A client over a byte stream that has yet to open. Rejects with what `duplex` rejects with, with ConnectionClosed, UsageError, or the signal's reason. */
export async function connectOver(duplex: Promise<Duplex>, options: ClientOptions & OpenOptions): Promise<Client> {
  return Client.connect(await duplex, options, options.signal)
}

export const DEFAULT_OPEN_TIMEOUT = 10_000
/** setTimeout takes 31 bits, and would take more for 1 ms */
const LONGEST_TIMEOUT = 0x7fff_ffff
