// SPDX-License-Identifier: MIT
// The loop that joins a byte stream and the machine: bytes → packets → transition → effects → bytes. One input, all its effects, then the next.
//  - What a turn writes leaves as one contiguous piece.
//  - While a handler's promise is pending, CONNECT is unanswered or the peer does not read, nothing is read: back-pressure is the socket's.
//  - The machine is pure, so a step whose packets turn out not to be encodable is simply not taken.
import type { MalformedPacket, Packet, PacketInput, PacketInputOf, ProtocolError, ProtocolVersion } from '../codec/index.ts'
import { PacketStream, UsageError } from '../codec/index.ts'
import { peerTerms, sendQuota } from '../fsm/flow.ts'
import { countIds, getId } from '../fsm/packet-ids.ts'
import { holdsInput, initial, opened, transition } from '../fsm/index.ts'
import type { Effect, Input, Send, SendInput, Session, State } from '../fsm/index.ts'
import { ConnectionClosed, DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAXIMUM_CONNECT_SIZE, DEFAULT_MAXIMUM_UNSENT, DEFAULT_MAXIMUM_WAITING } from './driver-options.ts'
import { Alarms } from './alarms.ts'
import type { AlarmName } from './alarms.ts'
import type { Counters, DriverHandler, DriverOptions, Reply, TraceRecord } from './driver-options.ts'
import type { Duplex } from './duplex.ts'
import { Deliveries } from './deliveries.ts'
import type { Receiver } from './deliveries.ts'
import { Outbox } from './outbox.ts'
import { answerTo } from './reply.ts'
import { doneWhen, Requests } from './requests.ts'
import type { Request } from './requests.ts'
import { sharedTimers } from './timers.ts'
import type { Timers } from './timers.ts'

/** The loop of one connection: bytes in, packets to the machine, its effects carried out. Client and Peer are built on it. */
export class Driver implements Receiver {
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
  /** when reading last went on after a pause */
  private readsSince = -Infinity
  private ended: { readonly error: Error | undefined } | undefined = undefined
  /** the peer will neither read nor write again */
  private broken = false
  private failure: Error | undefined = undefined
  /** the peer has ended its side in good order and may still be reading */
  private clean = false
  /** resolves `done`; undefined once that has happened */
  private tellDone: (() => void) | undefined
  /** resolves when the Network Connection is gone */
  readonly done: Promise<void>
  /** every handler is done, and the end has been told */
  private handled = false
  private tellHandled: (() => void) | undefined = undefined
  private handledPromise: Promise<void> | undefined = undefined

  constructor(duplex: Duplex, handler: DriverHandler, options: DriverOptions) {
    const { role, version, maximumPacketSize = 1_048_576, maximumConnectSize = DEFAULT_MAXIMUM_CONNECT_SIZE } = options
    this.duplex = duplex
    this.handler = handler
    this.timers = options.timers ?? sharedTimers
    this.alarms = new Alarms(this.timers, this)
    this.deliveries = new Deliveries(this)
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
    this.tellDone = finished!
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
    return new Promise((resolve, reject) => { this.ask(packet, { done: doneWhen(packet), resolve, reject }, session) })
  }

  /** The same for whoever keeps account of what becomes of it by himself, across connections too: `request` is told. */
  ask(packet: SendInput, request: Request, session?: Session): void {
    const { state } = this
    if (state.phase === 'closing' || state.phase === 'closed') return request.reject(new ConnectionClosed(state.cause))
    const input: Send = { type: 'send', packet, token: request, session }
    if (!this.requests.takes(input, request)) this.submit(input)
  }

  /** Resolves when the connection is over and every handler is done. */
  get finished(): Promise<void> {
    return this.handledPromise ??= this.handled ? Promise.resolve() : new Promise((resolve) => { this.tellHandled = resolve })
  }

  /** Resolves when the peer reads: at once, when it has caught up, or when the connection is over. */
  drained(): Promise<void> {
    return this.blocked ? new Promise((resolve) => { (this.roomTold ??= []).push(resolve) }) : Promise.resolve()
  }

  /** Drops the connection at once, as if it had broken. */
  abort(error: Error): void {
    this.failure ??= error
    // Over, but what was on its way still had time.
    if (this.state.phase === 'closed') return this.tellDone === undefined ? this.drop() : undefined
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
    if (this.tellDone === undefined) return this.drop()
    this.ended ??= { error }
    this.failure ??= error
    if (error !== undefined) {
      this.broken = true
      this.unblock()
    }
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
        const input = this.queue.shift() ?? this.nextWaiting() ?? (this.mayRead() ? this.nextPacket(now) : undefined)
        if (input === undefined) break
        this.step(input, now)
        // Whether the peer reads shows when it is written to: a long turn is told before it has made more.
        if (this.outbox.length >= FLUSH_AT) this.flush(now)
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
      this.regulate(now)
    }
  }

  /** A message that has waited for the peer's Receive Maximum, once there is room, whoever made it: not everything that ends has a promise. */
  private nextWaiting(): Input | undefined {
    const { state } = this
    if (!this.requests.waits || this.blocked || !('agreement' in state) || state.session === undefined) return undefined
    return sendQuota(peerTerms(state.role, state.agreement).receiveMaximum, state.session.exchanges, state.flow) > 0 ? this.requests.next() : undefined
  }

  private mayRead(): boolean {
    if (this.isOver()) return false
    // What has come counts, but nobody can be answered: no need to wait for a handler, nor for the peer to read.
    if (this.broken) return true
    if (this.blocked || holdsInput(this.state)) return false
    return !this.deliveries.busy || (this.awaits() && !this.deliveries.full)
  }

  /** Is there anything that only a packet of the peer can settle, and a handler may be waiting for? Its message may be an earlier connection's. */
  private awaits(): boolean {
    return this.requests.awaiting || countIds(this.state.session?.exchanges.ours) > 0
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
    // Asked for in the turn that has ended the connection: no misuse, it came too late.
    if (input.type === 'send' && (before.phase === 'closing' || before.phase === 'closed')) {
      return this.requests.settle(input.token, ({ reject }) => { reject(new ConnectionClosed(before.cause)) })
    }
    const { state: after, effects } = transition(before, input)
    const written = this.encodeAll(input, after, effects)
    if (written === undefined) return
    this.state = after
    if (this.trace !== undefined) {
      const heard = input.type === 'received' || input.type === 'malformed' ? this.stream.lastBytes() : undefined
      this.call(() => this.trace!({ input, before, after, effects, received: heard, written }))
    }
    this.counters.packetsSent += written.length
    if (written.length > 0) this.alarms.heard('sent', now)
    for (const effect of effects) this.run(effect, input, now)
    if (input.type === 'send' && input.token !== undefined && effects[0]?.type !== 'refuse') this.requests.sent(input.token as Request)
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
      // The last word is short, and must not have to wait for a peer that does not read; answers are as many as what was read.
      if (input.type === 'send' && this.blocked && after.phase !== 'closing' && input.token !== ANSWER) this.refuseBeyond(this.outbox.length + this.unsent, input.packet)
      return written
    } catch (error) {
      this.outbox.truncate(waiting)
      if (input.type === 'send') this.refused(input.token, error as UsageError, input)
      // A stored session may hold what no packet can: the connection that was to go on with it ends.
      else this.queue.unshift({ type: 'closed', error: this.failure ??= error as UsageError })
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
      case 'settle': return this.requests.settle(effect.token, ({ resolve }) => { resolve(effect.packet) })
      case 'refuse': return this.refused(effect.token, effect.error, input)
      case 'arm': return this.alarms.arm(effect.timer, effect.ms, effect.quiet, now)
      case 'disarm': return this.alarms.disarm(effect.timer)
      case 'session': return this.call(() => this.handler.session?.(effect.outcome, effect.outcome === 'lost' ? effect.redo : []))
      // Behind the last message, also one that still waits for its handler.
      case 'close': return this.deliveries.finally(() => {
        this.handled = true
        this.tellHandled?.()
        this.call(() => this.handler.closed(effect.cause, this.failure))
      })
    }
  }

  /** For Deliveries, as the three below that are not private: this driver is whom they tell, without a closure for each. */
  deliver(packet: Packet): Reply | Promise<Reply> {
    return this.handler.deliver(packet)
  }

  /** What the handler makes of a packet that wants an answer goes out before the next one is read. */
  answer(packet: Packet, reply: Reply): void {
    const { state } = this
    if (!('agreement' in state)) return
    const answer = answerTo(packet, reply, state.agreement.version)
    if (answer !== undefined) this.queue.push({ type: 'send', packet: answer, token: ANSWER })
  }

  wentOn(): void {
    this.pump()
  }

  private refused(token: unknown, error: UsageError, input: Input | undefined): void {
    if (token !== ANSWER) return this.requests.refused(token, error, input)
    const { packet: { type, packetId } } = input as { readonly packet: PacketInputOf<'puback' | 'pubrec' | 'suback' | 'unsuback'> }
    // Still owed: two codes for three Topic Filters, say, and the peer would wait for ever. Else the application has answered by itself.
    if (getId(this.state.session?.exchanges.theirs, packetId)?.owes === type) this.handlerFailed(error)
  }

  /** Calls the application outside of a delivery. What it throws, or the promise of an `async` one rejects with, ends this connection if that is not over. */
  private call(handler: () => unknown): void {
    const failed = (error: unknown): void => { this.handlerFailed(error) }
    try {
      const given = handler()
      if (given instanceof Promise) given.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  /** A handler has thrown: this connection closes, the process and the others go on [3.1.1 MQTT-4.8.0-2]. */
  handlerFailed(error: unknown): void {
    const cause = errorOf(error)
    const failure = new Error(`a handler failed: ${cause.message}`, { cause })
    if (this.isOver()) this.failure ??= failure
    else this.abort(failure)
  }

  /** For Alarms. */
  fired(timer: AlarmName): void {
    if (timer === 'drain' && this.state.phase === 'closed') return this.drop()
    if (timer === 'drain') return this.abort(new Error(`the peer has read nothing for ${this.drainTimeout} ms (drainTimeout)`))
    if (timer === 'handler') return this.abort(new Error(`a handler has been busy for ${this.drainTimeout} ms (drainTimeout), and what it may be waiting for is behind more than can wait for it`))
    // We are the ones who do not read: that is neither the Client's silence nor the Server's.
    const now = this.timers.now()
    const deaf = !this.mayRead() || now - this.readsSince < READ_GRACE
    if (timer === 'keep-alive' && deaf && this.alarms.heard('received', now)) return
    if (timer === 'pingresp' && deaf) return this.alarms.arm('pingresp', this.state.limits.pingrespTimeout, undefined, now)
    this.submit({ type: 'timer', timer })
  }

  private drop(): void {
    this.alarms.disarm('drain')
    this.duplex.close(true)
  }

  private entered(after: State): void {
    if (after.phase === 'connected') this.stream.maximumPacketSize = this.maximumPacketSize
    if (after.phase !== 'closing' && after.phase !== 'closed') return
    this.unblock()
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
    this.requests.flushed(!this.blocked, over && 'cause' in this.state ? this.state.cause : undefined)
    if (phase === 'closing') this.duplex.close()
    else if (phase === 'closed' && this.tellDone !== undefined) this.finish(over, now)
  }

  /** Nothing is awaited any more. A peer that has ended in good order gets what is on its way, for as long as the close timeout. */
  private finish(abort: boolean, now: number): void {
    this.duplex.close(abort)
    if (!abort) this.alarms.arm('drain', this.state.limits.closeTimeout, undefined, now)
    this.tellDone!()
    this.tellDone = undefined
  }

  private caughtUp(): void {
    this.unsent = 0
    if (!this.blocked) return
    this.unblock()
    this.requests.handed()
    this.pump()
  }

  private unblock(): void {
    this.blocked = false
    this.alarms.disarm('drain')
    this.tellRoom()
  }

  private tellRoom(): void {
    const told = this.roomTold
    this.roomTold = undefined
    for (const resolve of told ?? []) resolve()
  }

  /** Reads from the socket exactly while packets may be taken, or nothing is taken any more and only the end is awaited. */
  private regulate(now: number): void {
    const pause = !this.mayRead() && !this.isOver()
    if (pause === this.paused) return
    this.paused = pause
    if (pause && this.deliveries.full) this.alarms.arm('handler', this.drainTimeout, undefined, now)
    if (pause) return this.duplex.pause()
    this.alarms.disarm('handler')
    this.readsSince = now
    this.duplex.resume()
  }

  private isOver(): boolean {
    return this.state.phase === 'closing' || this.state.phase === 'closed'
  }
}

/** How long what has come meanwhile may take to be read, once reading goes on after a pause, in ms. */
const READ_GRACE = 1_000
/** bytes */
const FLUSH_AT = 65_536

/** The token of every answer that a handler has given. */
const ANSWER: Request = /* @__PURE__ */ Object.freeze({ done: 'handed', resolve: () => {}, reject: () => {} })

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
