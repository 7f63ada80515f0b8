// Two machines on a wire of its own clock, and everything that happens to them, written down: what the ladder is drawn from. Nothing in here is made up but
// the moments at which the application asks for something, and the moment at which the wire is cut.
import { encode, decode } from '../../src/codec/index.ts'
import type { Packet, PacketInput } from '../../src/codec/index.ts'
import { initial, opened, transition } from '../../src/fsm/index.ts'
import type { CloseCause, Effect, Input, Limits, Role, Session, State, TimerName } from '../../src/fsm/index.ts'

export interface Passage {
  readonly from: Role
  readonly packet: PacketInput
  readonly sent: number
  /** undefined: it was lost */
  readonly arrived: number | undefined
}

export type Happening =
  | { readonly kind: 'phase', readonly at: number, readonly side: Role, readonly phase: State['phase'] }
  | { readonly kind: 'delivered' | 'settled' | 'resumed', readonly at: number, readonly side: Role, readonly packet?: Packet | undefined }
  | { readonly kind: 'closed', readonly at: number, readonly side: Role, readonly cause: CloseCause }
  /** a timer is armed at `from`, and fires or would fire at `at` */
  | { readonly kind: 'timer', readonly side: Role, readonly timer: TimerName, readonly from: number, readonly at: number }

export interface Recording {
  readonly passages: readonly Passage[]
  readonly happenings: readonly Happening[]
  readonly cut: number
  readonly end: number
}

/** All in ms. */
export const LATENCY = 400
export const KEEP_ALIVE = 5
const CUT = 1700
const LIMITS: Partial<Limits> = { pingrespTimeout: 2000, closeTimeout: 500 }
const AGAIN = 10_000
const END = 13_600

/** QoS 2 across a cut: the message is sent, its PUBREC is lost, and both sides find out by silence; the session goes on later. */
export function record(): Recording {
  const passages: Passage[] = []
  const happenings: Happening[] = []
  const tasks: { at: number, order: number, run: () => void }[] = []
  let now = 0
  let order = 0
  const later = (at: number, run: () => void): void => { tasks.push({ at, order: order++, run }) }
  const connection = (session: { readonly client: Session | undefined, readonly server: Session | undefined }, cut: number): Readonly<Record<Role, End>> => {
    const ends: Record<Role, End> = {
      client: new End('client', session.client), server: new End('server', session.server),
    }
    const reach = (from: Role, packet: PacketInput): void => {
      const arrived = now + LATENCY < cut ? now + LATENCY : undefined
      passages.push({ from, packet, sent: now, arrived })
      const other = ends[from === 'client' ? 'server' : 'client']
      if (arrived !== undefined) later(arrived, () => { other.take({ type: 'received', packet: decode(encode(packet, 5), 5) }) })
    }
    for (const end of [ends.client, ends.server]) end.begin({ now: () => now, later, write: (packet) => { reach(end.role, packet) }, note: (happening) => { happenings.push(happening) }, finish: () => {
      const other = ends[end.role === 'client' ? 'server' : 'client']
      if (now + LATENCY < cut) later(now + LATENCY, () => { other.take({ type: 'closed' }) })
    } })
    return ends
  }
  const connect = { type: 'connect', version: 5, clientId: 'sensor', cleanStart: false, keepAlive: KEEP_ALIVE, properties: { sessionExpiryInterval: 3600 } } as const
  const first = connection({ client: undefined, server: undefined }, CUT)
  later(100, () => { first.client.take({ type: 'send', packet: connect }) })
  later(1100, () => { first.client.take({ type: 'send', packet: { type: 'publish', topic: 'door/opened', payload: 'front', qos: 2 }, token: 'door/opened' }) })
  later(AGAIN, () => {
    const second = connection({ client: first.client.state.session, server: first.server.state.session }, Infinity)
    second.client.take({ type: 'send', packet: connect })
    later(AGAIN + 2800, () => { second.client.take({ type: 'send', packet: { type: 'disconnect' } }) })
  })
  for (let next = tasks.sort(byTime).shift(); next !== undefined && next.at <= END; next = tasks.sort(byTime).shift()) {
    now = next.at
    next.run()
  }
  return { passages, happenings, cut: CUT, end: END }
}

interface World {
  readonly now: () => number
  readonly later: (at: number, run: () => void) => void
  readonly write: (packet: PacketInput) => void
  readonly note: (happening: Happening) => void
  readonly finish: () => void
}

/** One machine, and the smallest driver and application that there can be. */
class End {
  state: State
  readonly role: Role
  private readonly session: Session | undefined
  private world!: World
  private readonly timers: Map<TimerName, { readonly ms: number, readonly quiet: 'sent' | 'received' | undefined, readonly armed: number }> = new Map()
  private readonly last = { sent: 0, received: 0 }

  constructor(role: Role, session: Session | undefined) {
    this.role = role
    this.session = session
    this.state = initial({ role, limits: LIMITS, session: role === 'client' ? session : undefined })
  }

  begin(world: World): void {
    this.world = world
    this.last.sent = this.last.received = world.now()
    this.phase()
    for (const effect of opened(this.state)) this.run(effect, undefined)
  }

  take(input: Input): void {
    if (input.type === 'received') this.last.received = this.world.now()
    const { phase } = this.state
    const { state, effects } = transition(this.state, input)
    this.state = state
    if (state.phase !== phase) this.phase()
    for (const effect of effects) this.run(effect, input)
  }

  private phase(): void {
    this.world.note({ kind: 'phase', at: this.world.now(), side: this.role, phase: this.state.phase })
  }

  private run(effect: Effect, input: Input | undefined): void {
    const { world, role: side } = this
    const at = world.now()
    switch (effect.type) {
      case 'write':
        this.last.sent = at
        return world.write(effect.packet)
      case 'deliver': return this.deliver(effect.packet ?? (input as Extract<Input, { readonly type: 'received' }>).packet)
      case 'settle': return world.note({ kind: 'settled', at, side, packet: effect.packet })
      case 'session': return effect.outcome === 'resumed' ? world.note({ kind: 'resumed', at, side }) : undefined
      case 'arm':
        this.timers.set(effect.timer, { ms: effect.ms, quiet: effect.quiet, armed: at })
        return this.watch(effect.timer)
      case 'disarm': return void this.timers.delete(effect.timer)
      case 'refuse': throw effect.error
      case 'close':
        world.note({ kind: 'closed', at, side, cause: effect.cause })
        return world.finish()
    }
  }

  /** The application: accepts, and takes every message at once. */
  private deliver(packet: Packet): void {
    if (packet.type === 'publish') {
      this.world.note({ kind: 'delivered', at: this.world.now(), side: this.role, packet })
      this.take({ type: 'send', packet: { type: 'pubrec', packetId: packet.packetId! } })
    }
    if (packet.type === 'connect') this.take({ type: 'send', packet: { type: 'connack', reasonCode: 0 }, session: this.session })
  }

  /** Waits until a timer is due; silence may have begun anew meanwhile. */
  private watch(timer: TimerName): void {
    const running = this.timers.get(timer)
    if (running === undefined) return
    const from = running.quiet === undefined ? running.armed : Math.max(running.armed, this.last[running.quiet])
    const at = from + running.ms
    this.world.later(at, () => {
      if (this.timers.get(timer) !== running) return
      const silent = running.quiet === undefined ? running.armed : Math.max(running.armed, this.last[running.quiet])
      if (silent !== from) return this.watch(timer)
      this.timers.delete(timer)
      if (timer !== 'close') this.world.note({ kind: 'timer', side: this.role, timer, from, at })
      this.take({ type: 'timer', timer })
    })
  }
}

function byTime(a: { readonly at: number, readonly order: number }, b: { readonly at: number, readonly order: number }): number {
  return a.at - b.at || a.order - b.order
}
