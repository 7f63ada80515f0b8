// Two machines on a fake wire that carries real bytes, and a fake clock that jumps to whatever is due next.
import { encode, PacketStream } from '../../src/codec/index.ts'
import type { MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion } from '../../src/codec/index.ts'
import { holdsInput, initial, opened, running } from '../../src/fsm/index.ts'
import type { CloseCause, Effect, InitialOptions, Input, State, TimerName } from '../../src/fsm/index.ts'
import { step } from './helpers.ts'

interface Timer { readonly name: TimerName, readonly from: number, readonly ms: number, readonly quiet: 'sent' | 'received' | undefined }

export interface WireOptions {
  readonly version: ProtocolVersion
  readonly client?: Partial<InitialOptions>
  readonly server?: Partial<InitialOptions>
  /** ms from one end to the other */
  readonly latency?: number
  /** bytes delivered at once; all there are unless said */
  readonly chunk?: number
  /** the server reads on while its application has not answered CONNECT; otherwise it leaves the bytes on the wire, as our driver does */
  readonly eager?: boolean
}

/** One end: what a driver does, without sockets. */
export class End {
  state: State
  /** the application: gets what is delivered */
  onPacket: (packet: Packet) => void = () => {}
  /** who is on the other side of the wire */
  peer!: End
  readonly settled: unknown[] = []
  readonly refused: string[] = []
  cause: CloseCause | undefined = undefined
  /** it has lost power: nothing reaches it, nothing fires */
  dead = false
  private readonly wire: Wire
  private readonly stream: PacketStream
  private readonly eager: boolean
  private readonly timers: Map<TimerName, Timer> = new Map()
  private readonly inputs: Input[] = []
  private readonly unread: (Uint8Array | 'end')[] = []
  private last = { sent: 0, received: 0 }
  private busy = false
  private failed = false

  constructor(wire: Wire, options: InitialOptions, version: ProtocolVersion | undefined, eager: boolean) {
    this.wire = wire
    this.stream = new PacketStream({ version })
    this.eager = eager
    this.state = initial(options)
    for (const effect of opened(this.state)) this.run(effect, undefined)
  }

  send(packet: PacketInput, token?: unknown): void {
    this.submit({ type: 'send', packet, token })
  }

  /** The timer that is due first, and when. */
  due(): { readonly timer: TimerName, readonly at: number } | undefined {
    if (this.dead) return undefined
    const all = [...this.timers.values()].map(({ name, from, ms, quiet }) => ({ timer: name, at: ms + (quiet === undefined ? from : Math.max(from, this.last[quiet])) }))
    return all.sort((a, b) => a.at - b.at)[0]
  }

  fire(timer: TimerName): void {
    this.timers.delete(timer)
    this.submit({ type: 'timer', timer })
  }

  arrive(bytes: Uint8Array | 'end'): void {
    if (this.dead) return
    this.unread.push(bytes)
    this.read()
  }

  private submit(input: Input): void {
    this.inputs.push(input)
    if (this.busy) return
    this.busy = true
    for (let next = this.inputs.shift(); next !== undefined; next = this.inputs.shift()) this.take(next)
    this.busy = false
    this.read()
  }

  private take(input: Input): void {
    const { state, effects } = step(this.state, input)
    const before = this.state
    this.state = state
    for (const effect of effects) this.run(effect, input)
    const armed = [...this.timers.keys()].sort().join()
    if (armed !== [...running(state)].sort().join()) throw new Error(`${state.role} ${before.phase}, ${input.type}: ${armed} run, and ${running(state).join()} should`)
  }

  private run(effect: Effect, input: Input | undefined): void {
    switch (effect.type) {
      case 'write': return this.write(effect.packet)
      case 'deliver': return this.onPacket(effect.packet ?? (input as Extract<Input, { type: 'received' }>).packet)
      case 'settle': return void this.settled.push(effect.token)
      case 'refuse': return void this.refused.push(effect.error.rule)
      case 'arm': return void this.timers.set(effect.timer, { name: effect.timer, from: this.wire.time, ms: effect.ms, quiet: effect.quiet })
      case 'disarm': return void this.timers.delete(effect.timer)
      case 'close':
        this.cause = effect.cause
        this.wire.log.push(`${this.wire.time} ${this.state.role} closes: ${effect.cause.why}`)
        return this.wire.carry(this.peer, 'end')
    }
  }

  private write(packet: PacketInput): void {
    const { state } = this
    const agreed = 'agreement' in state ? state.agreement.version : 'cause' in state ? state.cause.version : undefined
    this.wire.log.push(`${this.wire.time} ${state.role} ${packet.type}`)
    this.last.sent = this.wire.time
    this.wire.carry(this.peer, encode(packet, packet.type === 'connect' ? packet.version : agreed ?? 5))
  }

  /** Reads what has come, as long as it may, packet by packet. The end is an input of its own, and waits behind the bytes. */
  private read(): void {
    while (!this.busy && (this.eager || !holdsInput(this.state))) {
      const input = this.next()
      if (input !== undefined) {
        this.submit(input)
        continue
      }
      const [bytes] = this.unread
      if (bytes === undefined || (bytes === 'end' && holdsInput(this.state))) return
      this.unread.shift()
      if (bytes === 'end') this.submit({ type: 'closed' })
      else this.stream.push(bytes)
    }
  }

  private next(): Input | undefined {
    if (this.failed) return undefined
    try {
      const packet = this.stream.next()
      if (packet === undefined) return undefined
      this.last.received = this.wire.time
      return { type: 'received', packet }
    } catch (error) {
      this.failed = true
      return { type: 'malformed', error: error as MalformedPacket | ProtocolError }
    }
  }
}

export class Wire {
  time = 0
  readonly client: End
  readonly server: End
  /** who wrote what when, and who closed */
  readonly log: string[] = []
  private readonly latency: number
  private readonly chunk: number
  private readonly moving: { readonly at: number, readonly to: End, readonly bytes: Uint8Array | 'end' }[] = []

  constructor({ version, client, server, latency = 0, chunk = Infinity, eager = false }: WireOptions) {
    this.latency = latency
    this.chunk = chunk
    this.client = new End(this, { ...client, role: 'client' }, version, true)
    this.server = new End(this, { ...server, role: 'server' }, undefined, eager)
    this.client.peer = this.server
    this.server.peer = this.client
  }

  /** Puts bytes, or the end of them, on the wire to an end; uncut, what leaves at one moment arrives as one piece. */
  carry(to: End, bytes: Uint8Array | 'end'): void {
    const at = this.time + this.latency
    const before = this.moving.at(-1)
    if (bytes === 'end') this.moving.push({ at, to, bytes })
    else if (this.chunk < Infinity) {
      for (let from = 0; from < bytes.length; from += this.chunk) this.moving.push({ at, to, bytes: bytes.slice(from, from + this.chunk) })
    } else if (before?.to === to && before.at === at && before.bytes !== 'end') {
      this.moving.splice(-1, 1, { at, to, bytes: Uint8Array.of(...before.bytes, ...bytes) })
    } else this.moving.push({ at, to, bytes })
  }

  /** Lets everything happen that is due until `end`, in the order of its time; what arrives comes before what fires. */
  until(end: number): void {
    for (;;) {
      const arrival = this.moving.reduce<number | undefined>((first, { at }) => (first === undefined || at < first ? at : first), undefined)
      const [timer] = [this.client, this.server].flatMap((side) => {
        const due = side.due()
        return due === undefined ? [] : [{ side, ...due }]
      }).sort((a, b) => a.at - b.at)
      const next = Math.min(arrival ?? Infinity, timer?.at ?? Infinity)
      if (next > end) break
      this.time = next
      if (arrival === next) {
        const [moved] = this.moving.splice(this.moving.findIndex(({ at }) => at === arrival), 1)
        moved!.to.arrive(moved!.bytes)
      } else timer!.side.fire(timer!.timer)
    }
    this.time = end
  }
}
