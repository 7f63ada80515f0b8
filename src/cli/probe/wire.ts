// SPDX-License-Identifier: MIT
// A socket looked at with patience: what has come, whether it is over, and how long ago; every wait has an end, and every buffer a bound.
import { lookup } from 'node:dns/promises'
import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'

/** A byte stream to a server, for looking at. */
export interface Link {
  write(bytes: Uint8Array): void
  /** what has come since the last call, in order */
  take(): Uint8Array
  /** resolves when bytes are there, when it is over, or after `ms` */
  wait(ms: number): Promise<'data' | 'end' | 'late'>
  readonly ended: 'closed' | 'reset' | undefined
  /** closes when what was written is out, and in any case soon; resolves when it is closed */
  destroy(): Promise<void>
}

/** A stage that failed: one sentence, and the bytes that show it. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly evidence: Uint8Array | undefined

  constructor(sentence: string, evidence?: Uint8Array) {
    super(sentence)
    this.evidence = evidence
  }
}

/** Bytes kept unread; beyond them the socket is paused. */
const MAXIMUM_UNREAD = 65_536
/** ms a closed socket may take to get rid of what was written. */
const LINGER = 500

export class Wire implements Link {
  ended: 'closed' | 'reset' | undefined = undefined
  readonly socket: Socket
  private chunks: Uint8Array[] = []
  private unread = 0
  private waiting: (() => void) | undefined = undefined
  private readonly listeners: { readonly [event: string]: (value: never) => void } = {
    data: (chunk: Uint8Array) => {
      this.chunks.push(chunk)
      this.unread += chunk.length
      if (this.unread > MAXIMUM_UNREAD) this.socket.pause()
      this.waiting?.()
    },
    error: (error: Error & { readonly code?: string }) => { this.over(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'closed') },
    end: () => { this.over('closed') },
    close: () => { this.over('closed') },
  }

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    for (const [event, listener] of Object.entries(this.listeners)) socket.on(event, listener as (value: unknown) => void)
  }

  /** Gives the socket to somebody else, with what has come and was not taken put back. */
  release(): Socket {
    const { socket } = this
    socket.pause()
    for (const [event, listener] of Object.entries(this.listeners)) socket.off(event, listener as (value: unknown) => void)
    const rest = Buffer.concat(this.chunks)
    if (rest.length > 0) socket.unshift(rest)
    return socket
  }

  write(bytes: Uint8Array): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(bytes)
  }

  take(): Uint8Array {
    const bytes = new Uint8Array(Buffer.concat(this.chunks))
    this.chunks = []
    this.unread = 0
    this.socket.resume()
    return bytes
  }

  async wait(ms: number): Promise<'data' | 'end' | 'late'> {
    if (this.unread === 0 && this.ended === undefined) {
      let late: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.waiting = resolve
        late = setTimeout(resolve, ms)
      })
      clearTimeout(late)
      this.waiting = undefined
    }
    return this.unread > 0 ? 'data' : this.ended === undefined ? 'late' : 'end'
  }

  destroy(): Promise<void> {
    const { socket } = this
    if (socket.closed) return Promise.resolve()
    const closed = new Promise<void>((resolve) => { socket.once('close', () => { resolve() }) })
    socket.destroySoon()
    setTimeout(() => { socket.destroy() }, LINGER).unref()
    return closed
  }

  private over(how: 'closed' | 'reset'): void {
    this.ended ??= how
    this.waiting?.()
  }
}

/** The addresses of a host, as connecting would use them. Throws Failure. */
export async function addressesOf(host: string, ms: number): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  let late: NodeJS.Timeout | undefined
  try {
    const found = await Promise.race([
      lookup(host, { all: true }),
      new Promise<never>((_, reject) => { late = setTimeout(() => { reject(new Failure(`The name server has not answered for ${host} within ${ms} ms.`)) }, ms) }),
    ])
    return [...new Set(found.map(({ address }) => address))].slice(0, MAXIMUM_ADDRESSES)
  } catch (error) {
    if (error instanceof Failure) throw error
    const { code } = error as { code?: string }
    throw new Failure(code === 'ENOTFOUND' ? `There is no host called ${host}.` : `The name ${host} cannot be looked up: ${code ?? (error as Error).message}.`)
  } finally {
    clearTimeout(late)
  }
}

const MAXIMUM_ADDRESSES = 8

/** Opens a TCP connection within `ms`. Throws Failure, with what the system's error means. */
export function openTcp(address: string, port: number, ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port })
    const fail = (sentence: string): void => {
      clearTimeout(late)
      socket.destroy()
      reject(new Failure(sentence))
    }
    const late = setTimeout(() => { fail(`${place(address, port)} has not answered within ${ms} ms: a firewall drops the packets, or no machine has that address.`) }, ms)
    socket.once('error', ({ code, message }: Error & { code?: string }) => { fail((ERRORS[code ?? ''] ?? ((at) => `No connection to ${at}: ${message}.`))(place(address, port))) })
    socket.once('connect', () => {
      clearTimeout(late)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

const ERRORS: { readonly [code: string]: ((place: string) => string) | undefined } = {
  ECONNREFUSED: (place) => `Nothing listens on ${place}.`,
  ECONNRESET: (place) => `${place} breaks the connection before it is open.`,
  ETIMEDOUT: (place) => `${place} has not answered: a firewall drops the packets, or no machine has that address.`,
  EHOSTUNREACH: (place) => `There is no way to ${place} (EHOSTUNREACH).`,
  ENETUNREACH: (place) => `This machine has no network that leads to ${place} (ENETUNREACH).`,
  EACCES: (place) => `This machine does not allow a connection to ${place} (EACCES).`,
}

function place(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
