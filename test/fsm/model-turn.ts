// One thing happens in a world: what the machines make of it, and what the applications do.
import type { PropertiesOf } from '../../src/codec/index.ts'
import { initial } from '../../src/fsm/index.ts'
import type { Effect, Input, Role, SendInput } from '../../src/fsm/index.ts'
import { Ledger } from './model-ledger.ts'
import { labelIn } from './model-parts.ts'
import type { Parts } from './model-parts.ts'
import { Broken, other, ROLES } from './model-world.ts'
import type { Action, Kind, Pending, Place, World } from './model-world.ts'

/** What is drawn of a step: words at the sides, packets on the wire. */
export interface Sketch {
  readonly client: string[]
  readonly server: string[]
  readonly wire: { readonly text: string, readonly from?: Role }[]
}

const BROKEN: Input = { type: 'closed', error: new Error('cut') }

export class Turn extends Ledger {
  private readonly parts: Parts
  private readonly sketch: Sketch | undefined
  /** whose process dies before the effects of this step are run, its session being stored already */
  private dying: Role | undefined

  constructor(world: World, parts: Parts, place: Place, sketch?: Sketch) {
    super(world, place)
    this.parts = parts
    this.sketch = sketch
  }

  /** False: the machine has refused, and nothing has happened. */
  happen(action: Action): boolean {
    if ('dies' in action && action.dies === true) this.dying = action.by
    if (!this.act(action)) return false
    if (this.dying !== undefined) this.crash(this.dying)
    return true
  }

  private act(action: Action): boolean {
    switch (action.kind) {
      case 'deliver': return this.deliver(action.by)
      case 'answer': return this.answer(action)
      case 'publish': return this.publish(action.by, action.of)
      case 'subscribe': return this.subscribe()
      case 'cut':
        this.place.cuts++
        return this.cut(ROLES)
      case 'connect': return this.connect(false)
      case 'restart':
        this.place.restarts++
        return this.connect(true)
      case 'forget': return this.forget()
      case 'crash': return this.crash(action.by)
    }
  }

  private deliver(to: Role): boolean {
    const from = this.end(other(to))
    const [carried, ...rest] = from.sending
    from.sending = rest
    const { packet, name, no } = carried!
    this.sketch?.wire.push({ text: name, from: other(to) })
    this.heard(to, packet)
    return this.submit(to, { type: 'received', packet }, `r${no}`)
  }

  /** The application answers one that is due, and has thereby dealt with it. */
  private answer({ by, what, nth, refuses = false }: Extract<Action, { kind: 'answer' }>): boolean {
    const end = this.end(by)
    const pending = end.inbox.filter(({ answer }) => answer === what)[nth]!
    end.inbox = end.inbox.filter((one) => one !== pending)
    if (what === 'connack') return this.accept(pending)
    const { id, label } = pending
    this.sketch?.[by].push(refuses ? `refuses ${label}` : `answers ${label}`)
    if (refuses) this.place.refusals++
    if (what !== 'suback') this.change(label, { taken: refuses ? 'refused' : 'yes' })
    const packet: SendInput = what === 'suback' ? { type: what, packetId: id, reasonCodes: [0] } : { type: what, packetId: id, reasonCode: refuses ? 0x80 : 0 }
    const sent = this.submit(by, { type: 'send', packet }, `a${what} ${id} ${refuses}`)
    if (!sent && nth === 0) throw new Broken('progress', `${what.toUpperCase()} ${id} is refused`)
    return sent
  }

  private publish(by: Role, { qos, topic, alias }: Kind): boolean {
    const label = this.begin(by, qos, topic)
    this.sketch?.[by].push(`publishes ${label}, QoS ${qos}, ${topic}`)
    const properties = alias && { topicAlias: 1 }
    const packet: SendInput = { type: 'publish', topic: alias === 'short' ? '' : topic, payload: label, qos, properties }
    const sent = this.submit(by, { type: 'send', packet, token: label }, `p${label} ${qos} ${topic} ${alias}`)
    if (!sent && alias !== 'short') this.mayRefuse(by, qos)
    return sent
  }

  private subscribe(): boolean {
    const label = this.begin('client', 'subscribe', '')
    this.sketch?.client.push(`subscribes to ${label}`)
    return this.submit('client', { type: 'send', packet: { type: 'subscribe', subscriptions: [{ filter: label, qos: 2 }] }, token: label }, `s${label}`)
  }

  /** The Client opens a connection with the session it has, and the Server awaits it. A clean start is asked for until CONNACK has come. */
  private connect(clean: boolean): boolean {
    const { place, world: { version, packetIds, asksOnce = false }, parts } = this
    const limits = packetIds === undefined ? undefined : { packetIds }
    const session = place.client.stored && parts.machine.handOver(place.client.stored, 'client')
    const cleanStart = clean || (place.cleaning && !asksOnce) || (version === 5 && session === undefined)
    place.up = true
    place.connections++
    place.cleaning = cleanStart
    this.end('client').state = parts.only(initial({ role: 'client', session, limits }))
    this.end('server').state = parts.only(initial({ role: 'server', limits }))
    const properties = version < 5 ? undefined : { sessionExpiryInterval: 0xffff_ffff, ...this.terms() }
    const packet: SendInput = { type: 'connect', version, clientId: 'kitchen', cleanStart, keepAlive: 0, properties }
    this.sketch?.client.push('connects')
    this.keep('client')
    return this.submit('client', { type: 'send', packet }, `c${cleanStart} ${place.connections}`)
  }

  /** The Server's application takes the Client in, with the session it has. */
  private accept({ label }: Pending): boolean {
    const { place: { server, connections }, parts } = this
    const session = label === 'clean' || server.stored === undefined ? undefined : parts.machine.handOver(server.stored, 'server')
    this.sketch?.server.push('accepts')
    if (session === undefined) this.told('server')
    this.keep('server')
    const packet: SendInput = { type: 'connack', sessionPresent: session !== undefined, reasonCode: 0, properties: this.terms() }
    return this.submit('server', { type: 'send', packet, session }, `k${parts.numberOfSession(session)} ${connections}`)
  }

  private terms(): PropertiesOf<'connack'> & PropertiesOf<'connect'> | undefined {
    const { version, receiveMaximum, maximumPacketSize, kinds } = this.world
    if (version < 5) return undefined
    const topicAliasMaximum = kinds.some(({ alias }) => alias !== undefined) ? 1 : undefined
    return { receiveMaximum: this.announced(receiveMaximum), maximumPacketSize: this.announced(maximumPacketSize), topicAliasMaximum }
  }

  private forget(): boolean {
    this.place.forgets++
    this.end('server').stored = undefined
    this.sketch?.server.push('forgets the session')
    this.keep('server')
    this.told('server')
    return true
  }

  private cut(ends: readonly Role[]): boolean {
    const lost = ROLES.flatMap((role) => this.place[role].sending.map(({ name }) => name))
    this.sketch?.wire.push({ text: lost.length === 0 ? 'cut' : `cut, lost: ${lost.join(', ')}` })
    for (const role of ends) this.submit(role, BROKEN, 'x')
    this.disconnected()
    return true
  }

  private crash(role: Role): boolean {
    this.dying = undefined
    this.sketch?.[role].push('crashes')
    this.restarted(role)
    if (this.place.up) this.cut([other(role)])
    return true
  }

  /** One step of a machine, stored before its effects are run. */
  private submit(role: Role, input: Input, key: string): boolean {
    const end = this.end(role)
    let step
    try {
      step = this.parts.step(end.state, input, key)
    } catch (error) {
      throw new Broken('total', `${String(error)} at ${role}, ${input.type}`, error)
    }
    const { state, effects } = step
    if (input.type === 'send' && effects[0]?.type === 'refuse') return false
    end.state = state
    const late = input.type === 'received' && this.world.late?.includes(input.packet.type) === true
    if (state.session !== undefined && !late) end.stored = state.session
    for (const effect of effects) this.effect(role, effect, input)
    return true
  }

  private effect(role: Role, effect: Effect, input: Input): void {
    if (effect.type === 'write') {
      const carried = this.parts.carry(effect.packet)
      this.use(role, carried, this.dying !== role)
      if (this.dying === role) return
      this.sketch?.[role].push(role === 'client' ? `${carried.name} ▸` : `◂ ${carried.name}`)
      const end = this.end(role)
      end.sending = [...end.sending, carried]
    } else if (this.dying !== role) this.run(role, effect, input)
  }

  private run(role: Role, effect: Exclude<Effect, { type: 'write' }>, input: Input): void {
    const end = this.end(role)
    switch (effect.type) {
      case 'deliver': {
        const packet = effect.packet ?? (input as Extract<Input, { type: 'received' }>).packet
        if (packet.type === 'publish') {
          this.sketch?.[role].push(`gets ${labelIn(packet.payload)}`)
          this.given(role, packet)
        }
        if (packet.type === 'subscribe') end.inbox = [...end.inbox, { answer: 'suback', id: packet.packetId, label: packet.subscriptions[0]!.filter, first: true }]
        if (packet.type === 'connect') end.inbox = [...end.inbox, { answer: 'connack', id: 0, label: packet.cleanStart ? 'clean' : '', first: true }]
        break
      }
      case 'settle':
        this.sketch?.[role].push(`${String(effect.token)} settled`)
        this.settle(effect.token as string, effect.packet)
        break
      case 'session':
        this.sketch?.[role].push(`session ${effect.outcome}`)
        if (effect.outcome === 'lost') this.told(role, effect.redo)
        break
      case 'refuse':
        this.sketch?.[role].push(`${String(effect.token)} refused`)
        this.dropped(role, effect.token as string | undefined)
        break
      case 'close': if (input.type !== 'closed') throw new Broken('peace', `${role}: ${effect.cause.sentence}`)
    }
  }
}
