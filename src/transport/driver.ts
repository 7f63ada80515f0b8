// SPDX-License-Identifier: MIT
// The loop that joins a byte stream and the machine: bytes → packets → transition → effects → bytes. One input, all its effects, then the next.
//  - What a turn writes leaves as one contiguous piece.
//  - While a handler's promise is pending, CONNECT is unanswered or the peer does not read, nothing is read: back-pressure is the socket's.
//  - The machine is pure, so a step whose packets turn out not to be encodable is simply not taken.
import type { MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion } from '../codec/index.ts'
import { PacketStream, UsageError } from '../codec/index.ts'
import { holdsInput, initial, opened, transition } from '../fsm/index.ts'
import type { Effect, Input, SendInput, Session, State } from '../fsm/index.ts'
import { ConnectionClosed, DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAXIMUM_CONNECT_SIZE, DEFAULT_MAXIMUM_UNSENT, DEFAULT_MAXIMUM_WAITING } from './driver-options.ts'
import { Alarms } from './alarms.ts'
import type { AlarmName } from './alarms.ts'
import type { Counters, DriverHandler, DriverOptions, Reply, TraceRecord } from './driver-options.ts'
import type { Duplex } from './duplex.ts'
import { Deliveries } from './deliveries.ts'
import { Outbox } from './outbox.ts'
import { answerTo } from './reply.ts'
import { Requests } from './requests.ts'
import { sharedTimers } from './timers.ts'
import type { Timers } from './timers.ts'

export class Driver {
  state: State
  /** every step as data; absent, it costs nothing */
  trace: ((record: TraceRecord) => void) | undefined
  readonly counters: Counters = { packetsReceived: 0, packetsSent: 0, bytesReceived: 0, bytesSent: 0 }
  private roomTold: (() => void)[] | undefined = undefined
  private readonly duplex: Duplex
  private readonly stream: PacketStream
  private readonly handler: DriverHandler
  private readonly timers: Timers
  private readonly maximumPacketSize: number
  private readonly maximumUnsent: number
  private readonly drainTimeout: number
  private readonly outbox: Outbox = new Outbox()
  private readonly queue: Input[] = []
  private readonly requests: Requests
  private readonly keepMessages: boolean
  private readonly alarms: Alarms
  private busy = false
  private readonly deliveries: Deliveries
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
    this.alarms = new Alarms(this.timers, (alarm) => { this.fired(alarm) })
    this.deliveries = new Deliveries((packet) => handler.deliver(packet), (packet, reply) => {
      this.answer(packet, reply)
      this.pump()
    }, (error) => { this.handlerFailed(error) })
    this.trace = options.trace
    this.maximumPacketSize = maximumPacketSize
    this.maximumUnsent = options.maximumUnsent ?? DEFAULT_MAXIMUM_UNSENT
    this.drainTimeout = options.drainTimeout ?? DEFAULT_DRAIN_TIMEOUT
    this.requests = new Requests(options.maximumWaiting ?? DEFAULT_MAXIMUM_WAITING)
    this.keepMessages = options.keepMessages ?? false
    this.stream = new PacketStream({ version, maximumPacketSize: role === 'server' ? Math.min(maximumConnectSize, maximumPacketSize) : maximumPacketSize })
    this.state = initial(options)
    let finished: () => void
    this.done = new Promise((resolve) => { finished = resolve })
    this.finished = finished!
    for (const effect of opened(this.state)) this.run(effect, undefined, this.timers.now())
    duplex.onData = (chunk) => { this.receive(chunk) }
    duplex.onDrain = () => { this.caughtUp() }
    duplex.onEnd = (error) => { this.end(error) }
  }

  /**
   * Asks the machine to send a packet. Resolves with the packet that ends the exchange (CONNECT, PINGREQ, SUBSCRIBE, UNSUBSCRIBE, PUBLISH of QoS 1 and 2,
   * AUTH 0x19), or with nothing when the packet has been handed to a peer that reads. Rejects with UsageError when it may not be sent (nothing
   * was), with ConnectionClosed when the connection ends first. A message beyond the peer's Receive Maximum waits. `session`: with a CONNACK.
   */
  send(packet: SendInput, session?: Session): Promise<Packet | undefined> {
    const { state } = this
    if (state.phase === 'closing' || state.phase === 'closed') return Promise.reject(new ConnectionClosed(state.cause))
    const { input, settled } = this.requests.ask(packet, session)
    if (!this.requests.queues(input)) this.submit(input)
    return settled
  }

  /** Resolves when the peer reads: at once, when it has caught up, or when the connection is over. */
  drained(): Promise<void> {
    return this.blocked ? new Promise((resolve) => { (this.roomTold ??= []).push(resolve) }) : Promise.resolve()
  }

  /** Drops the connection at once, as if it had broken. */
  abort(error: Error): void {
    this.failure ??= error
    this.submit({ type: 'closed', error })
  }

  private receive(chunk: Uint8Array): void {
    if (this.isOver()) return
    this.counters.bytesReceived += chunk.length
    this.stream.push(chunk)
    this.pump()
  }

  private end(error: Error | undefined): void {
    // The last word of a socket that was lingering.
    if (this.finished === undefined) return this.drop()
    this.ended ??= { error }
    this.failure ??= error
    // A stream that has ended tells of no room any more: whoever waits for it would wait in vain.
    this.blocked = false
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
    if (this.blocked || holdsInput(this.state) || this.isOver()) return false
    return !this.deliveries.busy || (this.requests.awaiting && !this.deliveries.full)
  }

  private nextPacket(now: number): Input | undefined {
    try {
      const packet = this.stream.next()
      if (packet === undefined) return undefined
      this.counters.packetsReceived++
      this.alarms.heard('received', now)
      return { type: 'received', packet }
    } catch (error) {
      return { type: 'malformed', error: error as MalformedPacket | ProtocolError, bytes: this.stream.lastBytes() }
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
    this.counters.packetsSent += written.length
    if (written.length > 0) this.alarms.heard('sent', now)
    for (const effect of effects) this.run(effect, input, now)
    // A request that nothing will settle is done once its bytes are with a peer that reads.
    if (input.type === 'send' && !this.blocked && input.token !== undefined) this.requests.handed(input.token)
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
      this.requests.settle(input.token, ({ reject }) => { reject(error as UsageError) })
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
    if ('agreement' in after) return after.agreement.version
    return (after.phase === 'closing' ? after.cause.version : undefined) ?? 5
  }

  private run(effect: Effect, input: Input | undefined, now: number): void {
    switch (effect.type) {
      case 'write': return
      case 'deliver': return this.deliveries.push(effect.packet ?? (input as Extract<Input, { type: 'received' }>).packet, this.stream.lastBytes().length)
      case 'settle': return this.settle(effect.token, effect.packet)
      case 'refuse': return this.requests.refused(effect.token, effect.error, input)
      case 'arm': return this.alarms.arm(effect.timer, effect.ms, effect.quiet, now)
      case 'disarm': return this.alarms.disarm(effect.timer)
      case 'session': return this.handler.session?.(effect.outcome, effect.outcome === 'lost' ? effect.redo : [])
      // Behind the last message, also one that still waits for its handler.
      case 'close': return this.deliveries.finally(() => { this.handler.closed(effect.cause, this.failure) })
    }
  }

  /** What the handler makes of a packet that wants an answer goes out before the next one is read. */
  private answer(packet: Packet, reply: Reply): void {
    const { state } = this
    if (!('agreement' in state)) return
    const answer = answerTo(packet, reply, state.agreement.version)
    if (answer !== undefined) this.queue.push({ type: 'send', packet: answer })
  }

  private settle(token: unknown, packet: Packet | undefined): void {
    this.requests.settle(token, ({ resolve }) => { resolve(packet) })
    const next = this.requests.next()
    if (next !== undefined) this.queue.push(next)
  }

  /** A handler has thrown: this connection closes, the process and the others go on [3.1.1 MQTT-4.8.0-2]. */
  private handlerFailed(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error))
    this.abort(new Error(`a handler failed: ${failure.message}`, { cause: failure }))
  }

  private fired(timer: AlarmName): void {
    if (timer === 'drain' && this.state.phase === 'closed') return this.drop()
    if (timer === 'drain') return this.abort(new Error(`the peer has read nothing for ${this.drainTimeout} ms (drainTimeout)`))
    // We are the ones who do not read: that is neither the Client's silence nor the Server's.
    if (timer === 'keep-alive' && !this.mayRead() && this.alarms.heard('received', this.timers.now())) return
    if (timer === 'pingresp' && !this.mayRead()) return this.alarms.arm('pingresp', this.state.limits.pingrespTimeout, undefined, this.timers.now())
    this.submit({ type: 'timer', timer })
  }

  private drop(): void {
    this.alarms.disarm('drain')
    this.duplex.close(true)
  }

  private entered(after: State): void {
    if (after.phase === 'connected') this.stream.maximumPacketSize = this.maximumPacketSize
    if (after.phase !== 'closing' && after.phase !== 'closed') return
    this.alarms.disarm('drain')
    this.blocked = false
    this.tellRoom()
    this.requests.close(after.cause, this.keepMessages)
    if (after.phase === 'closing') return
    this.alarms.disarmAll()
  }

  private flush(now: number): void {
    const { phase } = this.state
    const over = phase === 'closed' && !this.clean
    const bytes = this.outbox.take()
    if (bytes !== undefined && !over) {
      this.unsent += bytes.length
      this.counters.bytesSent += bytes.length
      if (this.duplex.write(bytes)) this.unsent = 0
      else if (!this.blocked && this.ended === undefined && !this.isOver()) {
        this.blocked = true
        this.alarms.arm('drain', this.drainTimeout, undefined, now)
      }
    }
    if (phase === 'closing') this.duplex.close()
    else if (phase === 'closed' && this.finished !== undefined) this.finish(over, now)
  }

  /** Nothing is awaited any more. A peer that has ended in good order gets what is on its way, for as long as the close timeout. */
  private finish(abort: boolean, now: number): void {
    this.duplex.close(abort)
    if (!abort) this.alarms.arm('drain', this.state.limits.closeTimeout, undefined, now)
    this.finished!()
    this.finished = undefined
  }

  private caughtUp(): void {
    this.unsent = 0
    if (!this.blocked) return
    this.blocked = false
    this.alarms.disarm('drain')
    this.requests.handed()
    this.tellRoom()
    this.pump()
  }

  private tellRoom(): void {
    const told = this.roomTold
    this.roomTold = undefined
    for (const resolve of told ?? []) resolve()
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
