// Two machines and a session that goes on: the connection is cut behind every single packet, twice, and what the standard promises of QoS 1 and 2 holds.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Packet, PacketInput, ProtocolVersion, PublishInput } from '../../src/codec/index.ts'
import { initial, newSession, restoreSession, saveSession, sizeOf, transition } from '../../src/fsm/index.ts'
import type { Effect, Role, Session, State } from '../../src/fsm/index.ts'
import { connack, connect, heard, VERSIONS } from './helpers.ts'
import { ask } from './talk.ts'

interface World {
  readonly version: ProtocolVersion
  /** of both sides, connection by connection; the last one holds on */
  readonly receiveMaximum: readonly number[]
  /** the application answers at once, or only when nothing else is left to do */
  readonly prompt: boolean
  /** the session goes through a store at each cut */
  readonly stored: boolean
}

const MESSAGES: readonly (readonly [text: string, qos: 1 | 2])[] = [['a', 2], ['b', 1], ['c', 2], ['d', 1]]

class Side {
  readonly role: Role
  state!: State
  session: Session | undefined = undefined
  readonly delivered: string[] = []
  readonly settled: string[] = []
  readonly toSend: (readonly [string, 1 | 2])[] = [...MESSAGES]
  queue: PacketInput[] = []
  answers: PacketInput[] = []
  opened = -1
  other!: Side
  private readonly world: World

  constructor(role: Role, world: World) {
    this.role = role
    this.world = world
  }

  open(): void {
    this.queue = []
    this.answers = []
    this.opened++
    this.state = initial({ role: this.role, session: this.role === 'client' ? this.session : undefined })
  }

  cut(): void {
    this.state = transition(this.state, { type: 'closed' }).state
    if (this.state.session !== undefined) this.session = this.world.stored ? restoreSession(saveSession(this.state.session)) : this.state.session
  }

  send(packet: PacketInput, token?: string, session?: Session): readonly Effect[] {
    return this.run(transition(this.state, ask(packet, token, session)), undefined)
  }

  receive(): void {
    const packet = heard(this.queue.shift()!, this.world.version)
    this.run(transition(this.state, { type: 'received', packet }), packet)
  }

  /** Sends what Receive Maximum lets it. */
  speak(): void {
    while (this.state.phase === 'connected' && this.toSend.length > 0) {
      const [text, qos] = this.toSend[0]!
      const packet: PublishInput = { type: 'publish', topic: text, payload: text, qos }
      if (this.send(packet, text).some(({ type }) => type === 'refuse')) return
      this.toSend.shift()
    }
  }

  private run({ state, effects }: { readonly state: State, readonly effects: readonly Effect[] }, packet: Packet | undefined): readonly Effect[] {
    this.state = state
    for (const effect of effects) {
      if (effect.type === 'write') this.other.queue.push(effect.packet)
      else if (effect.type === 'settle') this.settled.push(effect.token as string)
      else if (effect.type === 'deliver') this.take((effect.packet ?? packet)!)
      else if (effect.type === 'close' && effect.cause.why !== 'ended') assert.unreachable(effect.cause.sentence)
    }
    return effects
  }

  private take(packet: Packet): void {
    if (packet.type === 'connect') this.send(connack({ sessionPresent: this.session === undefined ? false : undefined, properties: this.properties() }), undefined, this.session)
    if (packet.type !== 'publish') return
    this.delivered.push(packet.topic)
    this.answers.push({ type: packet.qos === 1 ? 'puback' : 'pubrec', packetId: packet.packetId! })
    if (this.world.prompt) this.answer()
  }

  answer(): void {
    for (let packet = this.answers.shift(); packet !== undefined; packet = this.answers.shift()) this.send(packet)
  }

  properties(): { readonly receiveMaximum: number } | undefined {
    return this.world.version === 5 ? { receiveMaximum: this.world.receiveMaximum[this.opened] ?? this.world.receiveMaximum.at(-1)! } : undefined
  }
}

/** One connection, until so many packets have been heard; true if all has been said before that. */
function live(client: Side, server: Side, version: ProtocolVersion, packets: number): boolean {
  client.open()
  server.open()
  const properties = version === 5 ? { ...client.properties(), sessionExpiryInterval: 0xffff_ffff } : undefined
  client.send(connect(version, { cleanStart: false, keepAlive: 0, properties }))
  for (let left = packets; left > 0; left--) {
    for (const side of [client, server]) side.speak()
    const busier = server.queue.length >= client.queue.length ? server : client
    if (busier.queue.length === 0) {
      for (const side of [client, server]) side.answer()
      if (client.queue.length + server.queue.length === 0) return true
      left++
      continue
    }
    busier.receive()
  }
  return false
}

/** The whole story with these cuts: everything has arrived, in order, as often as its QoS allows. */
function story(world: World, cuts: readonly number[]): boolean {
  const [client, server] = [new Side('client', world), new Side('server', world)]
  client.other = server
  server.other = client
  // It has connected before: one that has not, and whose first CONNACK is lost, is told of a session it knows nothing of, and must close [MQTT-3.2.2-4].
  client.session = newSession('kitchen')
  let early = false
  for (const packets of cuts) {
    early = live(client, server, world.version, packets)
    for (const side of [client, server]) side.cut()
  }
  assert.ok(live(client, server, world.version, 1000), 'it comes to an end')
  const where = `${JSON.stringify(world)}, cut after ${cuts.join(' and ')}`
  for (const side of [client, server]) {
    const qos2 = side.delivered.filter((text) => text === 'a' || text === 'c')
    const qos1 = side.delivered.filter((text) => text === 'b' || text === 'd')
    // A process that forgets what its application was given and has not answered gives it again.
    if (world.prompt || !world.stored) assert.equal(qos2, ['a', 'c'], `${side.role}, QoS 2, ${where}`)
    assert.equal(qos2.filter((text, at) => qos2.indexOf(text) === at), ['a', 'c'], `${side.role}, QoS 2 in order, ${where}`)
    assert.equal(qos1.filter((text, at) => qos1.indexOf(text) === at), ['b', 'd'], `${side.role}, QoS 1 in order, ${where}`)
    if (!world.stored) assert.equal([...side.settled].sort(), ['a', 'b', 'c', 'd'], `${side.role}, each is settled once, ${where}`)
    assert.equal(sizeOf(side.state.session!), { ours: 0, theirs: 0 }, where)
  }
  return early
}

/** All stories with two cuts; how many there were. */
function everyStory(world: World): number {
  let told = 0
  for (let first = 1; ; first++) {
    if (story(world, [first])) return told
    for (let second = 1; second <= 12; second++) {
      story(world, [first, second])
      told++
    }
  }
}

test('MQTT-4.3.3-1 (3.1.1), MQTT-4.3.3-2 (3.1.1), MQTT-4.3.3-10 (5.0), MQTT-4.4.0-1 (5.0), MQTT-4.4.0-1 (3.1.1), MQTT-4.6.0-1 (5.0), MQTT-4.6.0-1 (3.1.1): cut anywhere, QoS 2 arrives once and QoS 1 at least once, both in order, and every token comes back', () => {
  for (const version of VERSIONS) {
    for (const prompt of [true, false]) assert.ok(everyStory({ version, prompt, receiveMaximum: [65_535], stored: false }) > 200)
  }
})

test('MQTT-4.9.0-2 (5.0), MQTT-3.3.4-7 (5.0), MQTT-3.3.4-9 (5.0): the same within a small Receive Maximum on both sides, and one that is smaller on the next connection', () => {
  for (const receiveMaximum of [[1], [2], [65_535, 1], [65_535, 2, 1]]) {
    for (const prompt of [true, false]) assert.ok(everyStory({ version: 5, prompt, receiveMaximum, stored: false }) > 200)
  }
})

test('MQTT-4.1.0-1 (5.0), MQTT-4.1.0-1 (3.1.1): the same where both sessions go through a store at each cut', () => {
  for (const version of VERSIONS) {
    for (const prompt of [true, false]) assert.ok(everyStory({ version, prompt, receiveMaximum: [65_535], stored: true }) > 200)
  }
})

test.run()
