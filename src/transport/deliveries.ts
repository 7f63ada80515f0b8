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

export class Deliveries {
  /** a handler's promise is pending */
  busy = false
  private readonly handle: (packet: Packet) => Reply | Promise<Reply>
  private readonly done: (packet: Packet, reply: Reply) => void
  private readonly failed: (error: unknown) => void
  private waiting: Waiting[] | undefined = undefined
  private bytes = 0
  private last: (() => void) | undefined = undefined

  /** `done` is called when a handler is, and may be told a packet's answer; `failed` when it throws or its promise rejects */
  constructor(handle: (packet: Packet) => Reply | Promise<Reply>, done: (packet: Packet, reply: Reply) => void, failed: (error: unknown) => void) {
    this.handle = handle
    this.done = done
    this.failed = failed
  }

  get full(): boolean {
    return this.waiting !== undefined && (this.waiting.length >= MAXIMUM_PACKETS || this.bytes >= MAXIMUM_BYTES)
  }

  /** Gives a packet of `size` bytes to the application, now or when it is its turn. */
  push(packet: Packet, size: number): void {
    // A handler that is just done lets the driver read on: what that brings comes behind what has waited.
    if (!this.busy && this.waiting === undefined) return this.give(packet)
    ;(this.waiting ??= []).push({ packet, size })
    this.bytes += size
  }

  /** Calls back once everything has been given and dealt with. */
  finally(callback: () => void): void {
    if (this.busy || this.waiting !== undefined) this.last = callback
    else callback()
  }

  private give(packet: Packet): void {
    try {
      const reply = this.handle(packet)
      if (!(reply instanceof Promise)) return this.done(packet, reply)
      this.busy = true
      reply.then((given) => { this.finished(() => { this.done(packet, given) }) }, (error: unknown) => { this.finished(() => { this.failed(error) }) })
    } catch (error) {
      this.failed(error)
    }
  }

  /** A promise has settled: its outcome is told, then the next packets go, as far as handlers do not wait again. */
  private finished(tell: () => void): void {
    this.busy = false
    try {
      tell()
    } catch (error) {
      this.failed(error)
    }
    while (!this.busy && this.waiting !== undefined) {
      const next = this.waiting.shift()
      if (next === undefined) this.waiting = undefined
      else {
        this.bytes -= next.size
        this.give(next.packet)
      }
    }
    if (this.busy) return
    const { last } = this
    this.last = undefined
    last?.()
  }
}
