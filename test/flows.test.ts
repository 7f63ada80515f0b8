// The conversations of fixtures/flows, played against the machine on a clock that stands still between steps. All states and inputs are frozen.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { decode, encode, fromHex, fromJson, PacketStream, toHex, toJson } from '../src/codec/index.ts'
import type { Packet, PacketInput, ProtocolVersion, PublishInput } from '../src/codec/index.ts'
import { initial, opened, restoreSession, saveSession, transition } from '../src/fsm/index.ts'
import type { Effect, InitialOptions, Input, Limits, Phase, Role, SavedSession, Send, Session, State, TimerName } from '../src/fsm/index.ts'
import { deepFreeze } from './fsm/helpers.ts'
import { FIXTURES, readJson } from './helpers/fixtures.ts'
import { validate } from './helpers/json-schema.ts'
import type { Schema } from './helpers/json-schema.ts'

interface Flow {
  readonly id: string
  readonly title: string
  readonly spec: readonly string[]
  readonly role: Role
  readonly version: ProtocolVersion
  readonly session?: SavedInJson
  readonly sessionAfter?: SavedInJson
  readonly continues?: string
  readonly limits?: Partial<Limits>
  readonly steps: readonly FlowStep[]
}
interface SavedInJson {
  readonly clientId: string
  readonly nextId?: number
  readonly sent?: readonly { readonly packetId: number, readonly message?: object }[]
  readonly received?: readonly number[]
}
interface FlowStep {
  readonly at: number
  readonly input: FlowInput
  readonly effects: readonly FlowEffect[]
  readonly phase: Phase
  readonly late?: true
}
type FlowInput =
  | { readonly type: 'opened' }
  | { readonly type: 'send', readonly packet: object, readonly token?: string, readonly session?: SavedInJson }
  | { readonly type: 'received', readonly packet: object, readonly hex?: string }
  | { readonly type: 'malformed', readonly hex: string, readonly error: object }
  | { readonly type: 'timer', readonly timer: TimerName }
  | { readonly type: 'closed', readonly error?: string }
type FlowEffect =
  | { readonly type: 'arm', readonly timer: TimerName, readonly ms: number, readonly quiet?: 'sent' | 'received' }
  | { readonly type: 'disarm', readonly timer: TimerName }
  | { readonly type: 'write' | 'deliver' | 'settle' | 'refuse' | 'session' | 'close', readonly packet?: object, readonly [field: string]: unknown }

/** The README's table, so that a new default does not bend a flow. */
const LIMITS: Partial<Limits> = {
  versions: [3, 4, 5], connectTimeout: 10_000, connackTimeout: 30_000, authTimeout: 30_000, pingrespTimeout: 10_000, closeTimeout: 5_000, heldPackets: 100,
  receiveMaximum: 65_535, packetIds: 65_535,
}

const index = readJson('flows/index.json') as readonly { readonly file: string, readonly flows: number, readonly steps: number }[]

for (const { file } of index) {
  for (const flow of readJson(`flows/${file}`) as readonly Flow[]) {
    test(`${flow.spec.join(', ')}: ${flow.id}, ${flow.title}`, () => { play(flow) })
  }
}

/** The timers that run, and when each will fire; kept as the README says. */
class Clock {
  private readonly running: Map<TimerName, { due: number, readonly ms: number, readonly quiet: 'sent' | 'received' | undefined }> = new Map()

  /** What runs, in the order it fires. */
  due(): readonly (readonly [TimerName, number, string | undefined])[] {
    return [...this.running].map(([timer, { due, quiet }]) => [timer, due, quiet] as const).sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
  }

  fire(timer: TimerName): void {
    this.running.delete(timer)
  }

  /** A packet has gone this way. */
  heard(way: 'sent' | 'received', now: number): void {
    for (const entry of this.running.values()) if (entry.quiet === way) entry.due = now + entry.ms
  }

  run(effect: FlowEffect | Effect, now: number): void {
    if (effect.type === 'write') this.heard('sent', now)
    else if (effect.type === 'disarm') this.running.delete(effect.timer)
    else if (effect.type === 'arm') this.running.set(effect.timer, { due: now + effect.ms, ms: effect.ms, quiet: effect.quiet })
  }
}

function play({ role, version, session, sessionAfter, limits, steps }: Flow): void {
  const [expected, actual] = [new Clock(), new Clock()]
  let state: State = deepFreeze(initial({ role, session: restored(session), limits: { ...LIMITS, ...limits } } satisfies InitialOptions))
  let now = 0
  steps.forEach((step, i) => {
    const where = `step ${i} at ${step.at}`
    assert.ok(step.at >= now, `${where}: time runs backwards`)
    now = step.at
    assert.is(step.input.type === 'opened', i === 0, where)
    checkTime(step, actual, where)
    const input = step.input.type === 'opened' ? undefined : deepFreeze(inputOf(step.input, state, version))
    const { state: next, effects } = input === undefined ? { state, effects: opened(state) } : transition(state, input)
    for (const clock of [expected, actual]) {
      if (step.input.type === 'timer') clock.fire(step.input.timer)
      if (step.input.type === 'received') clock.heard('received', now)
    }
    for (const effect of step.effects) expected.run(effect, now)
    for (const effect of effects) actual.run(effect, now)
    assert.equal(visible(effects, input, next, version), step.effects.filter(({ type }) => type !== 'arm' && type !== 'disarm').map((effect) => complete(effect, step.input)), where)
    assert.equal(actual.due(), expected.due(), `${where}: timers`)
    assert.is(next.phase, step.phase, where)
    state = deepFreeze(next)
  })
  if (state.phase === 'closed') assert.equal(actual.due(), [], 'a closed connection has timers')
  if (sessionAfter !== undefined) assert.equal(savedForm(state.session, version, sessionAfter.nextId !== undefined), { sent: [], received: [], ...sessionAfter }, 'the session afterwards')
}

function restored(session: SavedInJson | undefined): Session | undefined {
  return session && restoreSession(fromJson(session) as SavedSession)
}

/** What a store would hold, in the form of the flows; `nextId` is nobody's business unless the flow says it. */
function savedForm(session: Session | undefined, version: ProtocolVersion, withNextId: boolean): SavedInJson | undefined {
  if (session === undefined) return undefined
  const { clientId, nextId, sent = [], received = [] } = saveSession(session)
  return {
    clientId, ...(withNextId ? { nextId } : {}), received,
    sent: sent.map(({ packetId, message }) => ({ packetId, ...(message === undefined ? {} : { message: messageForm(message, version) }) })),
  } as SavedInJson
}

/** A message without its identifier, as it would be decoded: what the application left out is there. */
function messageForm(message: PublishInput, version: ProtocolVersion): object {
  assert.is(message.packetId, undefined, 'a message has no identifier of its own')
  const { packetId: _, ...rest } = decode(encode({ ...message, packetId: 1 }, version), version) as Packet & { readonly packetId: number }
  return toJson(rest) as object
}

/** No timer has fired unseen, and the one that fires does so now; a late one does not run at all. */
function checkTime({ at, input, late }: FlowStep, clock: Clock, where: string): void {
  const due = clock.due()
  for (const [timer, time] of due) assert.ok(time >= at, `${where}: ${timer} fires at ${time}`)
  if (input.type !== 'timer') return assert.is(late, undefined, where)
  assert.is(due.find(([timer]) => timer === input.timer)?.[1], late === true ? undefined : at, `${where}: ${input.timer}`)
}

function inputOf(input: Exclude<FlowInput, { type: 'opened' }>, state: State, version: ProtocolVersion): Input {
  switch (input.type) {
    case 'send': return { type: 'send', packet: fromJson(input.packet) as Send['packet'], token: input.token, session: restored(input.session) }
    case 'received': {
      const packet = fromJson(input.packet) as PacketInput
      const bytes = input.hex === undefined ? encode(packet, version) : fromHex(input.hex)
      assert.equal(toJson(decode(bytes, version)), input.packet, 'a received packet is as a decoder gives it')
      return { type: 'received', packet: packet as Packet }
    }
    case 'malformed': return { type: 'malformed', error: faultIn(input, state.phase === 'awaiting-connect' ? undefined : version) }
    case 'timer': return input
    case 'closed': return { type: 'closed', error: input.error === undefined ? undefined : new Error(input.error) }
  }
}

/** What the codec says to these bytes, which has to be what the flow says. */
function faultIn({ hex, error }: Extract<FlowInput, { type: 'malformed' }>, version: ProtocolVersion | undefined): Extract<Input, { type: 'malformed' }>['error'] {
  const stream = new PacketStream({ version, maximumPacketSize: 1_048_576 })
  stream.push(fromHex(hex))
  try {
    stream.next()
  } catch (thrown) {
    const fault = thrown as Extract<Input, { type: 'malformed' }>['error']
    assert.equal({ name: fault.name, reasonCode: fault.reasonCode, offset: fault.offset }, error, hex)
    return fault
  }
  return assert.unreachable(`${hex} is well formed`) as never
}

/** The effects that can be seen from outside, in the form of the flows. */
function visible(effects: readonly Effect[], input: Input | undefined, next: State, version: ProtocolVersion): readonly object[] {
  return effects.flatMap((effect): object[] => {
    switch (effect.type) {
      case 'arm': case 'disarm': return []
      case 'write': return [{ type: 'write', packet: onTheWire(effect.packet, next, version) }]
      case 'deliver': return [{ type: 'deliver', packet: toJson(effect.packet ?? (input as Extract<Input, { type: 'received' }>).packet) }]
      case 'settle': return [toJson(effect) as object]
      case 'session': return [toJson(effect.outcome === 'resumed' ? effect : { ...effect, redo: effect.redo.map(({ packet, token }) => ({ packet: messageForm(packet, version), token })) }) as object]
      case 'refuse': return [toJson({ type: 'refuse', token: effect.token, error: { name: effect.error.name, rule: effect.error.rule } }) as object]
      case 'close': {
        const { by, why, reasonCode, rule, will, willDelay, sessionExpiryInterval } = effect.cause
        return [toJson({ type: 'close', cause: { by, why, reasonCode, rule, will, willDelay, sessionExpiryInterval } }) as object]
      }
    }
  })
}

/** What the other side decodes, in the version that a driver would write in. */
function onTheWire(packet: PacketInput, next: State, version: ProtocolVersion): unknown {
  const form = (next.phase === 'closing' ? next.cause.version : undefined) ?? version
  assert.is(form, version, `${toHex(encode(packet, form))} is in the form of another version`)
  return toJson(decode(encode(packet, form), form))
}

/** An expected effect with what it leaves out. */
function complete(effect: FlowEffect, input: FlowInput): object {
  return effect.type === 'deliver' && effect.packet === undefined && input.type === 'received' ? { ...effect, packet: input.packet } : effect
}

/** The schema of the flows with that of the packets inside: what refers to the other file is what stands there. */
function flowSchema(): Schema {
  type Definitions = { readonly [name: string]: unknown }
  const packets = readJson('schema.json') as { readonly $defs: Definitions }
  const flows = readJson('flows/schema.json') as { readonly $defs: Definitions }
  const inside = Object.entries(flows.$defs).map(([name, definition]) => {
    const [file, pointer] = String((definition as { readonly $ref?: string }).$ref).split('#/')
    return [name, file === '../schema.json' ? pointer!.split('/').reduce((part, key) => (part as Definitions)[key], packets as unknown) : definition]
  })
  return { ...flows, $defs: { ...packets.$defs, ...Object.fromEntries(inside) } }
}

test('every file is valid by the schema', () => {
  const schema = flowSchema()
  for (const { file } of index) assert.equal(validate(schema, readJson(`flows/${file}`)).slice(0, 10), [], file)
})

test('the schema refuses what is no flow', () => {
  const good = {
    id: 'v5-server-one', title: 't', spec: ['MQTT-3.1.0-1'], role: 'server', version: 5,
    steps: [{ at: 0, input: { type: 'opened' }, effects: [{ type: 'arm', timer: 'connect', ms: 10_000 }], phase: 'awaiting-connect' }],
  }
  const [step] = good.steps
  const schema = flowSchema()
  assert.equal(validate(schema, [good]), [])
  const wrong: readonly object[] = [
    { ...good, id: 'one' }, { ...good, session: {} }, { ...good, sessionAfter: { clientId: 'a', sent: [{ message: {} }] } }, { ...good, continues: 'one' }, { ...good, limits: { packetIds: 0 } },
    { ...good, version: 6 }, { ...good, spec: [] }, { ...good, more: 1 }, { ...good, limits: { patience: 1 } }, { ...good, steps: [] },
    ...[
      { at: -1 }, { phase: 'open' }, { late: false }, { input: { type: 'open' } }, { input: { type: 'send' } }, { input: { type: 'timer', timer: 'tea' } },
      { input: { type: 'received', packet: { type: 'puback', packetId: 0, reasonCode: 0 } } }, { effects: [{ type: 'arm', timer: 'connect' }] }, { effects: [{ type: 'close' }] },
      { input: { type: 'send', packet: { type: 'subscribe', packetId: 1 } } }, { effects: [{ type: 'session', outcome: 'lost' }] }, { effects: [{ type: 'session', outcome: 'gone' }] },
      { effects: [{ type: 'close', cause: { by: 'peer', why: 'ended' } }] }, { effects: [{ type: 'write', packet: { type: 'ping' } }] },
    ].map((other) => ({ ...good, steps: [{ ...step, ...other }] })),
  ]
  for (const one of wrong) assert.ok(validate(schema, [one]).length > 0, JSON.stringify(one))
})

test('the index lists every file with true counts, and no id is there twice', () => {
  const files = index.map(({ file }) => file)
  assert.equal(readdirSync(new URL('flows/', FIXTURES)).filter((name) => name.endsWith('.json') && name !== 'index.json' && name !== 'schema.json').sort(), files)
  const all = files.flatMap((file) => readJson(`flows/${file}`) as readonly Flow[])
  for (const { file, ...counts } of index) {
    const flows = readJson(`flows/${file}`) as readonly Flow[]
    assert.equal(counts, { flows: flows.length, steps: flows.reduce((sum, { steps }) => sum + steps.length, 0) }, file)
  }
  assert.is(new Set(all.map(({ id }) => id)).size, all.length)
  for (const { id, role, version } of all) assert.ok(id.startsWith(`v${version}-${role}-`), id)
})

test('a conversation that continues another one begins with the session that has left, on the same side', () => {
  const all = index.flatMap(({ file }) => readJson(`flows/${file}`) as readonly Flow[])
  const continuing = all.filter(({ continues }) => continues !== undefined)
  assert.ok(continuing.length > 10)
  for (const { id, role, version, session, continues, steps } of continuing) {
    const before = all.find((flow) => flow.id === continues)
    assert.ok(before?.sessionAfter !== undefined && before.role === role && before.version === version, `${id}: ${continues}`)
    const given = steps.flatMap(({ input }) => (input.type === 'send' && input.session !== undefined ? [input.session] : []))
    for (const one of role === 'client' ? [session] : given) assert.equal(one, before.sessionAfter, id)
    assert.is(given.length > 0, role === 'server', id)
  }
})

test('the files are what fixtures/flows/make makes', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('flows/make/make.js', FIXTURES)), '--check'], { encoding: 'utf8' })
  assert.is(status, 0, stdout + stderr)
})

test.run()
