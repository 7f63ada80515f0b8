// SPDX-License-Identifier: MIT
// Packets on their way to the application, one at a time: the next one waits until the handler is done with the last, a promise resolved. Then
// nothing is read either, with one exception: a handler may wait for an acknowledgement (it publishes, say), and that has to be read. What comes before
// it is kept here, in order and up to a bound.
import type { Packet } from '../codec/index.ts'
import type { Reply } from './driver-options.ts'

/** So much may wait behind a handler: packets, and bytes of them. */
const MAXIMUM_PACKETS = 100
const MAXIMUM_BYTES = 1_048_576

interface Waiting { readonly packet: Packet, readonly size: number }

/** Whom the packets are for, and who is told what has become of them. */
export interface Receiver {
  deliver(packet: Packet): Reply | Promise<Reply>
  /** a handler is done, and this is what it gave */
  answer(packet: Packet, reply: Reply): void
  /** a handler has thrown, or its promise has rejected */
  handlerFailed(error: unknown): void
  /** a handler's promise has settled, and what could be given behind it has been */
  wentOn(): void
}

export class Deliveries {
  private readonly receiver: Receiver
  /** a handler's promise is pending */
  private pending = false
  /** what stands behind it; undefined: nothing. What comes while there is something goes to its end, whoever is at work */
  private waiting: Waiting[] | undefined = undefined
  private bytes = 0
  private last: (() => void) | undefined = undefined

  constructor(receiver: Receiver) {
    this.receiver = receiver
  }

  /** What comes now has to wait. */
  get busy(): boolean {
    return this.pending || this.waiting !== undefined
  }

  get full(): boolean {
    return this.waiting !== undefined && (this.waiting.length >= MAXIMUM_PACKETS || this.bytes >= MAXIMUM_BYTES)
  }

  /** Gives a packet of `size` bytes to the application, now or when it is its turn. */
  push(packet: Packet, size: number): void {
    // A handler that is just done lets the driver read on: what that brings comes behind what has waited.
    if (!this.busy) return this.give(packet)
    ;(this.waiting ??= []).push({ packet, size })
    this.bytes += size
  }

  /** Calls back once everything has been given and dealt with. */
  finally(callback: () => void): void {
    if (this.busy) this.last = callback
    else callback()
  }

  private give(packet: Packet): void {
    try {
      const reply = this.receiver.deliver(packet)
      if (!isPromise(reply)) return this.receiver.answer(packet, reply)
      this.pending = true
      Promise.resolve(reply).then((given) => { this.finished(() => { this.receiver.answer(packet, given) }) }, (error: unknown) => { this.finished(() => { throw error }) })
    } catch (error) {
      this.receiver.handlerFailed(error)
    }
  }

  /** A promise has settled: its outcome is told, then the next packets go, as far as handlers do not wait again. */
  private finished(tell: () => void): void {
    this.pending = false
    try {
      tell()
    } catch (error) {
      this.receiver.handlerFailed(error)
    }
    while (!this.pending && this.waiting !== undefined) {
      const next = this.waiting.shift()
      if (next === undefined) this.waiting = undefined
      else {
        this.bytes -= next.size
        this.give(next.packet)
      }
    }
    this.receiver.wentOn()
    if (this.busy) return
    const { last } = this
    this.last = undefined
    last?.()
  }
}

/** Also one of another realm or library, which is no less pending. */
function isPromise(reply: Reply | Promise<Reply>): reply is Promise<Reply> {
  return typeof (reply as { readonly then?: unknown } | undefined)?.then === 'function'
}
