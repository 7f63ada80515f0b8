// SPDX-License-Identifier: MIT
// The loop that joins a byte stream and the machine: bytes → packets → transition → effects → bytes. One input, all its effects, then the next.
//  - What a turn writes leaves as one contiguous piece.
//  - While a handler's promise is pending, CONNECT is unanswered or the peer does not read, nothing is read: back-pressure is the socket's.
//  - The machine is pure, so a step whose packets turn out not to be encodable is simply not taken.
import type { MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion } from '../codec/index.ts'
import { PacketStream, UsageError } from '../codec/index.ts'
import { holdsInput, initial, opened, transition } from '../fsm/index.ts'
import type { Effect, Input, SendInput, State, TimerName } from '../fsm/index.ts'
import { ConnectionClosed, DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAXIMUM_CONNECT_SIZE, DEFAULT_MAXIMUM_UNSENT } from './driver-options.ts'
import type { DriverHandler, DriverOptions, TraceRecord } from './driver-options.ts'
import type { Duplex } from './duplex.ts'
import { Outbox } from './outbox.ts'
import { sharedTimers } from './timers.ts'
import type { Timers } from './timers.ts'

/** A request under way: settled by the machine, or by the connection's end. */
interface Request {
  readonly settles: boolean
  readonly resolve: (packet: Packet | undefined) => void
  readonly reject: (error: Error) => void
}

export class Driver {
  state: State
  /** every step as data; absent, it costs nothing */
  trace: ((record: TraceRecord) => void) | undefined
  private readonly duplex: Duplex
  private readonly stream: PacketStream
  private readonly handler: DriverHandler
  private readonly timers: Timers
  private readonly maximumPacketSize: number
  private readonly maximumUnsent: number
  private readonly drainTimeout: number
  private readonly outbox: Outbox = new Outbox()
  private readonly queue: Input[] = []
  private readonly requests: Set<Request> = new Set()
  private readonly entries: Map<TimerName | 'drain', number> = new Map()
  /** the running keep alive, which every packet in its direction puts off */
  private quiet: { readonly direction: 'sent' | 'received', readonly entry: number, readonly ms: number } | undefined = undefined
  private busy = false
  private handling = false
  private blocked = false
  private unsent = 0
  private paused = false
  private ended: { readonly error: Error | undefined } | undefined = undefined
  private failure: Error | undefined = undefined
  /** the peer has ended its side in good order and may still be reading */
  private clean = false
  /** resolves `done`; undefined once that has happened */
  private finished: (() => void) | undefined
  /** resolves when the Network Connection is gone */
  readonly done: Promise<void>

  constructor(duplex: Duplex, handler: DriverHandler, options: DriverOptions) {
    const { role, version, maximumPacketSize = 1_048_576, maximumConnectSize = DEFAULT_MAXIMUM_CONNECT_SIZE } = options
    this.duplex = duplex
    this.handler = handler
    this.timers = options.timers ?? sharedTimers
    this.trace = options.trace
    this.maximumPacketSize = maximumPacketSize
    this.maximumUnsent = options.maximumUnsent ?? DEFAULT_MAXIMUM_UNSENT
    this.drainTimeout = options.drainTimeout ?? DEFAULT_DRAIN_TIMEOUT
    this.stream = new PacketStream({ version, maximumPacketSize: role === 'server' ? Math.min(maximumConnectSize, maximumPacketSize) : maximumPacketSize })
    this.state = initial(options)
    let finished: () => void
    this.done = new Promise((resolve) => { finished = resolve })
    this.finished = finished!
    for (const effect of opened(this.state)) this.run(effect, undefined, this.timers.now())
    duplex.onData = (chunk) => { this.receive(chunk) }
    duplex.onDrain = () => { this.drained() }
    duplex.onEnd = (error) => { this.end(error) }
  }

  /**
   * Asks the machine to send a packet. Resolves when the exchange has ended (CONNECT, PINGREQ) or the packet has been handed to a peer that
   * reads; rejects with UsageError when it may not be sent (nothing was), with ConnectionClosed when the connection ends first.
   */
  send(packet: PacketInput): Promise<Packet | undefined> {
    return new Promise((resolve, reject) => {
      const request: Request = { settles: packet.type === 'connect' || packet.type === 'pingreq', resolve, reject }
      this.requests.add(request)
      this.submit({ type: 'send', packet, token: request })
    })
  }

  /** Drops the connection at once, as if it had broken. */
  abort(error: Error): void {
    this.failure ??= error
    this.submit({ type: 'closed', error })
  }

  private receive(chunk: Uint8Array): void {
    if (this.isOver()) return
    this.stream.push(chunk)
    this.pump()
  }

  private end(error: Error | undefined): void {
    // The last word of a socket that was lingering.
    if (this.finished === undefined) return this.drop()
    this.ended ??= { error }
    this.failure ??= error
    this.pump()
  }

  private submit(input: Input): void {
    this.queue.push(input)
    this.pump()
  }

  /** Everything that can be done now, in order: requests and timers, then packets as long as we may read, then the end. */
  private pump(): void {
    if (this.busy) return
    this.busy = true
    const now = this.timers.now()
    try {
      for (;;) {
        const input = this.queue.shift() ?? (this.mayRead() ? this.nextPacket(now) : undefined)
        if (input === undefined) break
        this.step(input, now)
      }
      if (this.ended !== undefined && (this.mayRead() || this.isOver())) {
        const { error } = this.ended
        this.ended = undefined
        this.clean = error === undefined
        this.step({ type: 'closed', error }, now)
      }
    } finally {
      this.busy = false
      this.flush(now)
      this.regulate()
    }
  }

  private mayRead(): boolean {
    return !this.handling && !this.blocked && !holdsInput(this.state) && !this.isOver()
  }

  private nextPacket(now: number): Input | undefined {
    try {
      const packet = this.stream.next()
      if (packet === undefined) return undefined
      if (this.quiet?.direction === 'received') this.timers.arm(this.quiet.entry, this.quiet.ms, now)
      return { type: 'received', packet }
    } catch (error) {
      return { type: 'malformed', error: error as MalformedPacket | ProtocolError }
    }
  }

  private step(input: Input, now: number): void {
    const before = this.state
    const { state: after, effects } = transition(before, input)
    const written = this.encodeAll(input, after, effects)
    if (written === undefined) return
    this.state = after
    if (this.trace !== undefined) {
      const heard = input.type === 'received' || input.type === 'malformed' ? this.stream.lastBytes() : undefined
      this.trace({ input, before, after, effects, received: heard, written })
    }
    if (written.length > 0 && this.quiet?.direction === 'sent') this.timers.arm(this.quiet.entry, this.quiet.ms, now)
    for (const effect of effects) this.run(effect, input, now)
    this.resolveSend(input, effects)
    if (before.phase !== after.phase) this.entered(after)
  }

  /** Encodes what the step writes; undefined where that is refused, and then the step has not happened. */
  private encodeAll(input: Input, after: State, effects: readonly Effect[]): readonly Uint8Array[] | undefined {
    const written: Uint8Array[] = []
    const waiting = this.outbox.length
    try {
      for (const effect of effects) {
        if (effect.type === 'write') written.push(this.outbox.append(effect.packet, this.versionOf(effect.packet, after)))
      }
      if (input.type === 'send' && this.blocked) this.refuseBeyond(this.outbox.length + this.unsent, input.packet)
      return written
    } catch (error) {
      this.outbox.truncate(waiting)
      if (input.type !== 'send') throw error
      this.settle(input.token as Request, (request) => { request.reject(error as UsageError) })
      return undefined
    }
  }

  private refuseBeyond(unsent: number, packet: SendInput): void {
    if (unsent <= this.maximumUnsent) return
    const message = `${packet.type}: ${unsent} bytes would wait for a peer that does not read, and maximumUnsent is ${this.maximumUnsent}; wait for the promise of the send before`
    throw new UsageError(message, { packet: packet.type, rule: 'maximumUnsent', path: '' })
  }

  private versionOf(packet: PacketInput, after: State): ProtocolVersion {
    if (packet.type === 'connect') return packet.version
    if (after.phase === 'authenticating' || after.phase === 'connected') return after.agreement.version
    return (after.phase === 'closing' ? after.cause.version : undefined) ?? 5
  }

  private run(effect: Effect, input: Input | undefined, now: number): void {
    switch (effect.type) {
      case 'write': return
      case 'deliver': return this.deliver(effect.packet ?? (input as Extract<Input, { type: 'received' }>).packet)
      case 'settle': return this.settle(effect.token as Request, (request) => { request.resolve(effect.packet) })
      case 'refuse': return this.settle(effect.token as Request, (request) => { request.reject(effect.error) })
      case 'arm': return this.arm(effect.timer, effect.ms, effect.quiet, now)
      case 'disarm': return this.disarm(effect.timer)
      case 'session': return
      case 'close': return this.handler.closed(effect.cause, this.failure)
    }
  }

  private deliver(packet: Packet): void {
    try {
      const pending = this.handler.deliver(packet)
      if (pending === undefined) return
      this.handling = true
      pending.then(() => {
        this.handling = false
        this.pump()
      }, (error: unknown) => { this.handlerFailed(error) })
    } catch (error) {
      this.handlerFailed(error)
    }
  }

  /** A handler has thrown: this connection closes, the process and the others go on [3.1.1 MQTT-4.8.0-2]. */
  private handlerFailed(error: unknown): void {
    this.handling = false
    const failure = error instanceof Error ? error : new Error(String(error))
    this.abort(new Error(`a handler failed: ${failure.message}`, { cause: failure }))
  }

  private arm(timer: TimerName | 'drain', ms: number, quiet: 'sent' | 'received' | undefined, now: number): void {
    let entry = this.entries.get(timer)
    if (entry === undefined) {
      entry = this.timers.create(() => { this.fired(timer) })
      this.entries.set(timer, entry)
    }
    // The Client has to have sent its packet by then [MQTT-3.1.2-23]: set out a little early.
    const due = quiet === 'sent' ? ms - Math.min(ms / 10, 500) : ms
    if (quiet !== undefined) this.quiet = { direction: quiet, entry, ms: due }
    this.timers.arm(entry, due, now)
  }

  private disarm(timer: TimerName | 'drain'): void {
    const entry = this.entries.get(timer)
    if (entry === undefined) return
    this.timers.release(entry)
    this.entries.delete(timer)
    if (this.quiet?.entry === entry) this.quiet = undefined
  }

  private fired(timer: TimerName | 'drain'): void {
    if (timer === 'drain' && this.state.phase === 'closed') return this.drop()
    if (timer === 'drain') return this.abort(new Error(`the peer has read nothing for ${this.drainTimeout} ms (drainTimeout)`))
    // We are the ones who do not read: that is not the Client's silence.
    if (this.quiet?.direction === 'received' && timer === 'keep-alive' && !this.mayRead()) return this.timers.arm(this.quiet.entry, this.quiet.ms, this.timers.now())
    this.submit({ type: 'timer', timer })
  }

  private drop(): void {
    this.disarm('drain')
    this.duplex.close(true)
  }

  /** A request that nothing will settle is done once its bytes are with a peer that reads. */
  private resolveSend(input: Input, effects: readonly Effect[]): void {
    if (input.type !== 'send' || effects.some(({ type }) => type === 'refuse')) return
    const request = input.token as Request | undefined
    if (request !== undefined && !request.settles && !this.blocked) this.settle(request, ({ resolve }) => { resolve(undefined) })
  }

  private settle(request: Request | undefined, how: (request: Request) => void): void {
    if (request !== undefined && this.requests.delete(request)) how(request)
  }

  private entered(after: State): void {
    if (after.phase === 'connected') this.stream.maximumPacketSize = this.maximumPacketSize
    if (after.phase !== 'closing' && after.phase !== 'closed') return
    this.disarm('drain')
    this.blocked = false
    const { cause } = after
    for (const request of this.requests) {
      if (cause.why === 'disconnect' && !request.settles) request.resolve(undefined)
      else request.reject(new ConnectionClosed(cause))
    }
    this.requests.clear()
    if (after.phase === 'closing') return
    for (const timer of [...this.entries.keys()]) this.disarm(timer)
  }

  private flush(now: number): void {
    const { phase } = this.state
    const over = phase === 'closed' && !this.clean
    const bytes = this.outbox.take()
    if (bytes !== undefined && !over) {
      this.unsent += bytes.length
      if (this.duplex.write(bytes)) this.unsent = 0
      else if (!this.blocked && !this.isOver()) {
        this.blocked = true
        this.arm('drain', this.drainTimeout, undefined, now)
      }
    }
    if (phase === 'closing') this.duplex.close()
    else if (phase === 'closed' && this.finished !== undefined) this.finish(over, now)
  }

  /** Nothing is awaited any more. A peer that has ended in good order gets what is on its way, for as long as the close timeout. */
  private finish(abort: boolean, now: number): void {
    this.duplex.close(abort)
    if (!abort) this.arm('drain', this.state.limits.closeTimeout, undefined, now)
    this.finished!()
    this.finished = undefined
  }

  private drained(): void {
    this.unsent = 0
    if (!this.blocked) return
    this.blocked = false
    this.disarm('drain')
    for (const request of this.requests) {
      if (!request.settles) this.settle(request, ({ resolve }) => { resolve(undefined) })
    }
    this.pump()
  }

  /** Reads from the socket exactly while packets may be taken, or nothing is taken any more and only the end is awaited. */
  private regulate(): void {
    const pause = !this.mayRead() && !this.isOver()
    if (pause === this.paused) return
    this.paused = pause
    if (pause) this.duplex.pause()
    else this.duplex.resume()
  }

  private isOver(): boolean {
    return this.state.phase === 'closing' || this.state.phase === 'closed'
  }
}
