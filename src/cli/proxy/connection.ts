// SPDX-License-Identifier: MIT
// One client and one target joined. Every byte is written on before anybody looks at it; a side that does not read stops the other one from being read.
import type { Socket } from 'node:net'
import type { Sender } from '../../codec/index.ts'
import { Failure } from '../probe/wire.ts'
import { SCHEMES } from '../target.ts'
import type { Target } from '../target.ts'
import { PLAIN, reach, wrap } from './reach.ts'
import type { Wrapping } from './reach.ts'
import type { CaptureFlow } from './save.ts'
import type { Watch } from './watch.ts'

export interface Joint {
  readonly client: Socket
  readonly target: Target
  readonly watch: Watch
  readonly capture: CaptureFlow | undefined
  /** when it opened, by performance.now() */
  readonly begun: number
}

export class Connection {
  /** resolves when both sides are gone */
  readonly closed: Promise<void>
  private readonly joint: Joint
  private target: Socket | undefined = undefined
  private timer: NodeJS.Timeout | undefined = undefined
  private gone!: () => void
  private stopped = false

  constructor(joint: Joint) {
    this.joint = joint
    this.closed = new Promise((resolve) => { this.gone = resolve })
    joint.client.setNoDelay(true)
    joint.client.on('error', ignore)
    this.open().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      this.stop(error.message)
    })
  }

  /** Ends it at once: why. */
  stop(sentence: string): void {
    if (this.stopped) return
    this.stopped = true
    const { watch, client, capture } = this.joint
    const now = this.now()
    for (const side of ['server', 'client'] as const) capture?.end(side, this.wallClock(now))
    watch.stop(now, sentence)
    client.destroy()
    this.target?.destroy()
    this.finish()
  }

  private async open(): Promise<void> {
    const { client, target } = this.joint
    const socket = await reach(target)
    // Whatever becomes of the upgrade, the socket is ours to close.
    this.target = socket
    socket.on('error', ignore)
    if (this.stopped) return void socket.destroy()
    const first = SCHEMES[target.scheme].webSocket ? await firstBytes(client) : undefined
    if (this.stopped) return
    const wrapping = first === undefined || first[0] === G ? PLAIN : await wrap(socket, target, first)
    if (client.destroyed || socket.destroyed) return this.stop(client.destroyed ? 'The Client was gone before the target was there.' : 'The target was gone before a byte had passed.')
    // Here and not before: a handshake that the other end gives up has to end at once.
    socket.allowHalfOpen = true
    socket.setNoDelay(true)
    this.forward('client', client, socket, (bytes) => socket.write(wrapping.out(bytes)), wrapping.last)
    this.backward(socket, client, wrapping)
  }

  private backward(socket: Socket, client: Socket, wrapping: Wrapping): void {
    const { capture, watch } = this.joint
    const wrapped = wrapping !== PLAIN
    this.forward('server', socket, client, (bytes, now) => {
      if (!wrapped) return client.write(bytes)
      let room = true
      wrapping.in(bytes, (inner) => {
        room = client.write(inner) && room
        capture?.data('server', this.wallClock(now), inner)
        watch.push('server', inner, now)
      }, (answer) => { if (!socket.writableNeedDrain) socket.write(answer) })
      return room
    }, undefined, wrapped)
  }

  /** One direction. `unseen`: whoever writes shows what it has written. */
  private forward(from: Sender, source: Socket, sink: Socket, write: (bytes: Uint8Array, now: number) => boolean, last: Uint8Array | undefined, unseen: boolean = false): void {
    const { watch, capture } = this.joint
    let failure: Error | undefined
    let over = false
    const end = (error: Error | undefined): void => {
      if (over || this.stopped) return
      over = true
      const now = this.now()
      if (error === undefined) capture?.end(from, this.wallClock(now))
      else capture?.reset(from, this.wallClock(now))
      watch.end(from, now, error)
    }
    source.on('data', (chunk: Uint8Array) => {
      const now = this.now()
      if (!write(chunk, now)) {
        source.pause()
        sink.once('drain', () => { source.resume() })
      }
      if (!unseen) {
        capture?.data(from, this.wallClock(now), chunk)
        watch.push(from, chunk, now)
      }
      this.arm()
    })
    source.on('end', () => {
      if (last !== undefined && sink.writable) sink.write(last)
      sink.end()
      end(undefined)
    })
    source.on('error', (error) => { failure = error })
    source.on('close', () => {
      // What was said before it broke is still passed on: a DISCONNECT must not be lost. The other side sees an end in either case.
      sink.destroySoon()
      end(failure)
      if (source.destroyed && sink.closed) this.finish()
    })
    source.resume()
  }

  private finish(): void {
    clearTimeout(this.timer)
    this.gone()
  }

  /** One timer, set anew only when it has fired: a packet costs none. */
  private arm(): void {
    const { deadline } = this.joint.watch
    if (this.timer !== undefined || deadline === undefined) return
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.joint.watch.tick(this.now())
      this.arm()
    }, Math.max(0, Math.min(deadline - this.now() + 1, LONGEST_TIMEOUT)))
  }

  /** ms since 1970 */
  private wallClock(now: number): number {
    return performance.timeOrigin + this.joint.begun + now
  }

  private now(): number {
    return performance.now() - this.joint.begun
  }
}

/** What the client begins with, a WebSocket upgrade of its own or MQTT; undefined when it goes without a word. Nothing is taken from it. */
function firstBytes(client: Socket): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    client.once('readable', () => {
      const chunk = client.read() as Buffer | null
      if (chunk !== null) client.unshift(chunk)
      resolve(chunk ?? undefined)
    })
    client.once('close', () => { resolve(undefined) })
  })
}

/** Of `GET`: no CONNECT begins so. */
const G = 0x47
/** setTimeout takes 31 bits, and would take more for 1 ms */
const LONGEST_TIMEOUT = 0x7fff_ffff

function ignore(): void {}
