// What the tests of the machine share. Every state and input is frozen to the bottom before `transition` sees it, so that a change throws;
// packets and errors that a peer is said to have sent are made by really encoding and decoding bytes.
import * as assert from 'uvu/assert'
import { decode, encode, fromHex, PacketStream, toHex } from '../../src/codec/index.ts'
import type { ConnackInput, ConnectInput, MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion, WillInput } from '../../src/codec/index.ts'
import { initial, transition } from '../../src/fsm/index.ts'
import type { CloseCause, Connected, Effect, InitialOptions, Input, Limits, Session, State, Step, TimerName } from '../../src/fsm/index.ts'

export const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5]
export const WILL: WillInput = { topic: '/hans/will', payload: 'unexpected exit', qos: 2 }

/** Freezes a value and all it holds, but for bytes, which JavaScript cannot freeze. What is frozen already is so to the bottom. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  for (const field of Object.values(value)) deepFreeze(field)
  return Object.freeze(value)
}

/** One step on frozen data. */
export function step(state: State, input: Input): Step {
  return deepFreeze(transition(deepFreeze(state), deepFreeze(input)))
}

/** Several steps; the last one, and the state each has led to is the next one's. */
export function steps(state: State, ...inputs: readonly Input[]): Step {
  let last: Step = { state, effects: [] }
  for (const input of inputs) last = step(last.state, input)
  return last
}

export function send(packet: PacketInput, token?: unknown): Input {
  return { type: 'send', packet, token }
}

/** The packet as the other side of this version decodes it. */
export function received(packet: PacketInput, version: ProtocolVersion): Input {
  return { type: 'received', packet: heard(packet, version) }
}

export function heard(packet: PacketInput, version: ProtocolVersion): Packet {
  return decode(encode(packet, version), version)
}

export function timer(name: TimerName): Input {
  return { type: 'timer', timer: name }
}

export const ended: Input = { type: 'closed' }
export const broken: Input = { type: 'closed', error: new Error('ECONNRESET') }

/** What a stream of this version (none: a server's) says to these bytes. */
export function malformed(hex: string, version?: ProtocolVersion): Input {
  return { type: 'malformed', error: faultIn(hex, version) }
}

export function faultIn(hex: string, version?: ProtocolVersion): MalformedPacket | ProtocolError {
  const stream = new PacketStream({ version, maximumPacketSize: 1024 })
  stream.push(fromHex(hex))
  try {
    stream.next()
  } catch (error) {
    return error as MalformedPacket | ProtocolError
  }
  return assert.unreachable(`${hex} is well formed`) as never
}

export function connect(version: ProtocolVersion, more: Partial<ConnectInput> = {}): ConnectInput {
  return { type: 'connect', version, clientId: 'kitchen', cleanStart: true, keepAlive: 60, ...more }
}

export function connack(more: Partial<ConnackInput> = {}): ConnackInput {
  return { type: 'connack', sessionPresent: false, reasonCode: 0, ...more }
}

export interface Made extends Omit<InitialOptions, 'role'> {
  readonly connect?: Partial<ConnectInput>
  readonly connack?: Partial<ConnackInput>
  readonly session?: Session
  readonly limits?: Partial<Limits>
  readonly token?: unknown
}

/** CONNECT is through, CONNACK is not. */
export function authenticating(role: 'client' | 'server', version: ProtocolVersion, made: Made = {}): State {
  const packet = connect(version, made.connect)
  const opening = initial({ role, session: made.session, limits: made.limits })
  const { state } = step(opening, role === 'client' ? send(packet, made.token) : received(packet, version))
  assert.is(state.phase, 'authenticating')
  return state
}

export function connected(role: 'client' | 'server', version: ProtocolVersion, made: Made = {}): Connected {
  const packet = connack(made.connack)
  const { state } = step(authenticating(role, version, made), role === 'client' ? received(packet, version) : send(packet))
  assert.is(state.phase, 'connected')
  return state as Connected
}

/** Effects in a word or two each: `write connack`, `arm keep-alive 90000 received`, `refuse MQTT-3.1.0-1`, `close refused`. */
export function told(effects: readonly Effect[]): readonly string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'write': return `write ${effect.packet.type}`
      case 'deliver': return effect.packet === undefined ? 'deliver' : `deliver ${effect.packet.type}`
      case 'settle': return `settle ${String(effect.token)}`
      case 'arm': return `arm ${effect.timer} ${effect.ms}${effect.quiet === undefined ? '' : ` ${effect.quiet}`}`
      case 'disarm': return `disarm ${effect.timer}`
      case 'refuse': return `refuse ${effect.error.rule}`
      case 'session': return effect.outcome === 'resumed' ? 'session resumed' : `session lost ${effect.redo.length}`
      case 'close': return `close ${effect.cause.why}`
    }
  })
}

/** The bytes of what is written, in a version's form. */
export function wire(effects: readonly Effect[], version: ProtocolVersion): readonly string[] {
  return effects.flatMap((effect) => (effect.type === 'write' ? [toHex(encode(effect.packet, version))] : []))
}

/** The cause in the one `close` effect there must be. */
export function causeOf(effects: readonly Effect[]): CloseCause {
  const causes = effects.flatMap((effect) => (effect.type === 'close' ? [effect.cause] : []))
  assert.is(causes.length, 1, `close effects in ${told(effects).join(', ')}`)
  return causes[0]!
}

/** The input is refused under this rule: the very same state, and nothing else happens. */
export function refused(state: State, packet: PacketInput, rule: string): void {
  const { state: after, effects } = step(state, send(packet, 'mine'))
  assert.equal(told(effects), [`refuse ${rule}`], `${packet.type} while ${state.phase}`)
  assert.is(after, state)
  const [effect] = effects
  assert.ok(effect?.type === 'refuse' && effect.error.name === 'UsageError' && effect.token === 'mine' && effect.error.packet === packet.type)
}

/** The input changes nothing: the very same state, no effects. */
export function ignored(state: State, input: Input): void {
  const { state: after, effects } = step(state, input)
  assert.is(after, state)
  assert.equal(effects, [])
}

/** The input breaks `rule`: the connection closes, having written exactly these bytes. */
export function violates(state: State, input: Input, rule: string, ...written: readonly string[]): CloseCause {
  const { state: after, effects } = step(state, input)
  const cause = causeOf(effects)
  assert.is(after.phase, 'closing')
  assert.is(cause.rule, rule)
  assert.is(cause.phase, state.phase)
  assert.equal(wire(effects, cause.version ?? 5), written)
  return cause
}
