// The model check: two machines, their applications and a wire that may be cut, in every order in which things can happen. Breadth-first, so that
// what is found is found in the fewest steps; it is told as a ladder.
//  1. What may happen is in `actions`; what machines and applications make of it in model-turn.ts; what must be true on the way in model-ledger.ts, and
//     once all is at rest in `restless`.
//  2. Nothing here knows how a machine works: messages are told by their payload, identifiers by the bytes on the wire.
import { initial, transition } from '../../src/fsm/index.ts'
import { encode, toHex } from '../../src/codec/index.ts'
import type { Role, Session } from '../../src/fsm/index.ts'
import { drawn } from './model-ladder.ts'
import { Parts } from './model-parts.ts'
import type { Carried, Machine } from './model-parts.ts'
import { Turn } from './model-turn.ts'
import { Broken, ROLES } from './model-world.ts'
import type { Action, End, Place, Property, World } from './model-world.ts'

export const REAL: Machine = { transition, handOver: (session: Session): Session => session }

export interface Checked {
  /** different worlds that were reached */
  readonly places: number
  readonly steps: number
  /** those where nothing is left to happen but new messages and accidents */
  readonly atRest: number
  /** steps to the farthest */
  readonly depth: number
  /** different states of one machine */
  readonly machineStates: number
  /** every packet that has been on the wire */
  readonly wire: readonly Carried[]
  /** what broke, in the fewest steps */
  readonly broken?: { readonly property: Property, readonly steps: number, readonly ladder: string }
}

interface Found { readonly place: Place, readonly from: number, readonly by: Action | undefined, readonly depth: number }

/** Looks at all of a world; ends at the first thing that breaks. */
export function check(world: World, machine: Machine = REAL): Checked {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new Search(world, machine).run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

class Search {
  private readonly world: World
  private readonly parts: Parts
  private readonly found: Found[] = []
  private readonly known: Map<string, number> = new Map()
  private readonly next: number[][] = []
  private steps = 0
  private atRest = 0

  constructor(world: World, machine: Machine) {
    this.world = world
    this.parts = new Parts(machine, world.version)
  }

  run(): Checked {
    const end = (role: Role): End => ({ state: this.parts.only(initial({ role })), stored: undefined, sending: [], inbox: [], used: [], here: [] })
    const start = { client: end('client'), server: end('server'), up: false, connections: 0, cuts: 0, forgets: 0, restarts: 0, crashes: { client: 0, server: 0 }, refusals: 0, cleaning: false, messages: [] }
    this.discover(start, -1, undefined)
    for (let at = 0; at < this.found.length; at++) {
      const broken = this.expand(at)
      if (broken !== undefined) return this.result(broken)
    }
    const cycle = this.cycle()
    for (const { hex, packet } of this.parts.wire()) if (toHex(encode(packet, this.world.version)) !== hex) throw new Error(`a machine has changed ${packet.type}`)
    return this.result(cycle)
  }

  /** Everything that can happen at a place. */
  private expand(at: number): Checked['broken'] {
    const { place } = this.found[at]!
    const next: number[] = []
    this.next.push(next)
    let moves = false
    for (const action of actions(this.world, place)) {
      this.steps++
      const turn = new Turn(this.world, this.parts, place)
      try {
        if (!turn.happen(action)) continue
      } catch (error) {
        if (error instanceof Broken) return this.tell(error, [...this.path(at), action])
        throw error
      }
      next.push(this.discover(turn.place, at, action))
      moves ||= PROGRESS.has(action.kind) && !('dies' in action)
    }
    if (moves) return undefined
    this.atRest++
    const broken = restless(this.world, this.parts, place)
    return broken && this.tell(broken, this.path(at))
  }

  private discover(reached: Place, from: number, by: Action | undefined): number {
    const { key, place } = this.parts.known(reached)
    const known = this.known.get(key)
    if (known !== undefined) return known
    this.known.set(key, this.found.length)
    this.found.push({ place, from, by, depth: from < 0 ? 0 : this.found[from]!.depth + 1 })
    return this.found.length - 1
  }

  private path(to: number): Action[] {
    const path: Action[] = []
    for (let { from, by } = this.found[to]!; by !== undefined; { from, by } = this.found[from]!) path.unshift(by)
    return path
  }

  private tell(broken: Broken, path: readonly Action[]): Checked['broken'] {
    return { property: broken.property, steps: path.length, ladder: drawn(this.world, this.parts, this.found[0]!.place, path, broken.message) }
  }

  /** Cuts and messages are counted, so if no place can be reached from itself every way through the world ends, and ends at rest. */
  private cycle(): Checked['broken'] {
    const ways = new Int32Array(this.found.length)
    for (const next of this.next) for (const to of next) ways[to]!++
    const free = [...ways.keys()].filter((at) => ways[at] === 0)
    for (let at = free.pop(); at !== undefined; at = free.pop()) for (const to of this.next[at]!) if (--ways[to]! === 0) free.push(to)
    const at = ways.findIndex((left) => left > 0)
    if (at < 0) return undefined
    return this.tell(new Broken('end', 'from here it can go round for ever'), this.path(at))
  }

  private result(broken: Checked['broken']): Checked {
    const { found, steps, atRest, parts } = this
    return { places: found.length, steps, atRest, depth: found.at(-1)!.depth, machineStates: parts.machineStates, wire: parts.wire(), ...broken && { broken } }
  }
}

/** What has to happen sooner or later, if nothing else does. */
const PROGRESS: ReadonlySet<Action['kind']> = new Set<Action['kind']>(['deliver', 'answer', 'connect'])

/** What may happen at a place; a machine may still refuse to publish. */
function actions(world: World, place: Place): Action[] {
  const { cuts, forgets = 0, mutes = false, restarts = 0, crashes = {} } = world
  const all: Action[] = []
  if (!place.up) {
    all.push({ kind: 'connect' })
    if (place.restarts < restarts && place.client.stored !== undefined) all.push({ kind: 'restart' })
    if (place.forgets < forgets && place.server.stored !== undefined) all.push({ kind: 'forget' })
  } else if (place.cuts < cuts && (mutes || !bearsNews(place))) all.push({ kind: 'cut' })
  for (const by of ROLES) {
    const own = place.up ? ofSide(world, place, by) : []
    all.push(...own)
    if (place.crashes[by] >= (crashes[by] ?? 0)) continue
    all.push({ kind: 'crash', by }, ...own.map((action) => ({ ...action, dies: true })))
  }
  return all
}

/** Is a CONNACK under way that tells the Client of the loss of its session? */
function bearsNews({ forgets, server: { sending } }: Place): boolean {
  return forgets > 0 && sending.some(({ packet }) => packet.type === 'connack' && !packet.sessionPresent)
}

type OfSide = Extract<Action, { dies?: boolean }>

function ofSide({ kinds, requests = 0, early = false, refusals = 0, crashes, ...world }: World, place: Place, by: Role): OfSide[] {
  const end = place[by]
  const all: OfSide[] = []
  if (place[by === 'client' ? 'server' : 'client'].sending.length > 0) all.push({ kind: 'deliver', by })
  for (const what of ['puback', 'pubrec', 'suback', 'connack'] as const) {
    const due = end.inbox.filter(({ answer }) => answer === what)
    // Out of order only where nobody dies: who has dealt with the second message and then dies gets the first one again, behind it.
    for (let nth = 0; nth < (crashes === undefined ? due.length : Math.min(due.length, 1)); nth++) all.push({ kind: 'answer', by, what, nth })
    if (due.length > 0 && what === 'pubrec' && place.refusals < refusals) all.push({ kind: 'answer', by, what, nth: 0, refuses: true })
  }
  if (end.state.phase !== 'connected' && !(early && end.state.phase === 'authenticating' && by === 'client')) return all
  const begun = (request: boolean): number => place.messages.filter(({ from, what }) => from === by && (what === 'subscribe') === request).length
  if (begun(false) < world[by]) for (const of of kinds) all.push({ kind: 'publish', by, of })
  if (by === 'client' && begun(true) < requests) all.push({ kind: 'subscribe', by })
  return all
}

/** Nothing has to happen any more: has everything come to its end? */
function restless(world: World, parts: Parts, place: Place): Broken | undefined {
  for (const { label, what, token, delivered, taken } of place.messages) {
    const lost = token === 'told' || taken === 'yes' && delivered
    if (!lost && what === 2) return new Broken('exactlyOnce', `${label} is never delivered`)
    if (!lost && what === 1) return new Broken('atLeastOnce', `${label} is never delivered`)
    if (what !== 0 && token === 'open') return new Broken('tokens', `${label} is never settled`)
  }
  for (const role of ROLES) {
    const { state } = place[role]
    if (state.phase !== 'connected') return new Broken('progress', `the ${role} stays ${state.phase}`)
    const { flow, session: { exchanges: { ours, theirs } } } = state
    const left = Object.entries({ ours, theirs, ...flow, resend: flow.resend[0] }).filter(([name, value]) => !/^(next|due)|Aliases$/.test(name) && value !== undefined && value !== 0)
    if (left.length > 0) return new Broken('leak', `${role}: ${left.map(([name]) => name).join(', ')}`)
    if (place[role].used.length > 0) return new Broken('identifiers', `${role}: ${place[role].used.join('; ')}`)
    for (const of of world.maximumPacketSize === undefined ? world.kinds.filter(({ alias }) => alias !== 'short') : []) {
      const turn = new Turn(world, parts, place)
      if (!turn.happen({ kind: 'publish', by: role, of })) return new Broken('progress', `${role} may not publish with QoS ${of.qos}`)
    }
  }
  return undefined
}
