// SPDX-License-Identifier: MIT
// MQTT over a pair of Web Streams (WHATWG Streams), as Deno, Bun, Workers, WebSocketStream and node:stream/web have them. Nothing of Node in here.
import { Client } from './client.ts'
import type { ClientOptions } from './client.ts'
import type { Duplex } from './duplex.ts'
import { TransportError } from './open.ts'
import type { OpenOptions } from './open.ts'

/** What is used of a ReadableStream and a WritableStream of bytes, whoever's types they have. */
export interface StreamPair {
  readonly readable: { getReader(): ByteReader }
  readonly writable: { getWriter(): ByteWriter }
}

/** What is used of a reader; values are Uint8Array or ArrayBuffer. */
export interface ByteReader {
  read(): Promise<{ readonly done: boolean, readonly value?: unknown }>
  cancel(reason?: unknown): Promise<void>
}

/** What is used of a writer. */
export interface ByteWriter {
  /** null: the stream has failed */
  readonly desiredSize: number | null
  readonly closed: Promise<unknown>
  write(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
  abort(reason?: unknown): Promise<void>
}

/** What `connectStreams` is given. */
export interface ConnectStreamsOptions extends ClientOptions {
  /** gives up the attempt, at any point before CONNACK; the promise then rejects with its reason */
  readonly signal?: OpenOptions['signal']
}

/** Connects over a pair of streams, which it locks. Rejects with ConnectionClosed, UsageError, or the signal's reason. */
export async function connectStreams(pair: StreamPair, options: ConnectStreamsOptions = {}): Promise<Client> {
  return Client.connect(streamsDuplex(pair), options, options.signal)
}

/**
 * A pair of streams as a Duplex; it locks both, and begins to read in a microtask of its own: set the callbacks, or give it to `new Peer(duplex)`, at
 * once. Chunks are Uint8Array or ArrayBuffer; any other ends the connection with ERR_NOT_BYTES.
 */
export function streamsDuplex({ readable, writable }: StreamPair): Duplex {
  const reader = readable.getReader()
  const writer = writable.getWriter()
  let paused = false
  let reading = false
  /** bytes handed over whose promise is pending */
  let unsent = 0
  let full = false
  let over = false
  let closed = false

  const end = (error?: Error): void => {
    if (over) return
    over = true
    duplex.onEnd(error)
  }
  const abort = (reason: Error): void => {
    closed = true
    writer.abort(reason).catch(ignore)
    reader.cancel(reason).catch(ignore)
  }
  const read = async (): Promise<void> => {
    reading = true
    while (!paused && !over) {
      const { done, value } = await reader.read()
      if (done) return end()
      const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value
      if (!(bytes instanceof Uint8Array)) throw new TransportError('ERR_NOT_BYTES', `a chunk of the stream is of type ${typeof value}, and MQTT is made of bytes: Uint8Array or ArrayBuffer`)
      duplex.onData(bytes)
    }
    reading = false
  }
  const fail = (reason: unknown): void => {
    const error = reason instanceof Error ? reason : new Error(String(reason))
    end(error)
    abort(error)
  }
  // desiredSize counts what its maker chose: those of node:stream take 16,384 chunks, of whatever size, for 16 KiB. So bytes are counted as well.
  const hasRoom = (): boolean => unsent === 0 || (unsent <= (full ? LOW_WATER : HIGH_WATER) && (writer.desiredSize ?? 0) > 0)
  const sent = (size: number): void => {
    unsent -= size
    if (!full || !hasRoom()) return
    full = false
    duplex.onDrain()
  }
  const duplex: Duplex = {
    write(bytes) {
      if (closed) return true
      unsent += bytes.length
      writer.write(bytes).then(() => { sent(bytes.length) }, ignore)
      full ||= !hasRoom()
      return !full
    },
    close(now) {
      if (now === true) {
        queueMicrotask(end)
        return abort(new Error('aborted by the application'))
      }
      if (!closed) writer.close().catch(ignore)
      closed = true
    },
    pause: () => { paused = true },
    resume() {
      paused = false
      if (!reading) read().catch(fail)
    },
    onData: ignore, onDrain: ignore, onEnd: ignore,
  }
  // The one place that hears of a broken writable: the promises of single writes say the same.
  writer.closed.catch(fail)
  read().catch(fail)
  return duplex
}

function ignore(): void {}

/** unsent bytes from which on `write` says that it is enough, and down to which they must sink again */
const HIGH_WATER = 262_144
const LOW_WATER = 65_536

export { TransportError } from './open.ts'
