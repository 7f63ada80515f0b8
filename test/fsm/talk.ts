// What the tests of sessions and exchanges share: what is asked for in one word, and effects with their Packet Identifiers.
import * as assert from 'uvu/assert'
import type { ConnackInput, ConnectInput, PacketInput, ProtocolVersion, PublishInput } from '../../src/codec/index.ts'
import { initial } from '../../src/fsm/index.ts'
import type { Effect, Input, Limits, Live, Redo, Role, SendInput, Session, State, Step } from '../../src/fsm/index.ts'
import { connack, connect, received, step, steps } from './helpers.ts'

/** `send` as an application has it: with or without Packet Identifier, token and session. */
export function ask(packet: SendInput, token?: unknown, session?: Session): Input {
  return { type: 'send', packet, token, session }
}

export function publish(qos: 0 | 1 | 2, packetId?: number, more: Partial<PublishInput> = {}): PublishInput {
  return { type: 'publish', topic: 'a', payload: 'b', qos, packetId, ...more }
}

export function ack(type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number, reasonCode: number = 0): PacketInput {
  return { type, packetId, reasonCode }
}

export const SUBSCRIBE: SendInput = { type: 'subscribe', subscriptions: [{ filter: 'a', qos: 2 }] }
export const UNSUBSCRIBE: SendInput = { type: 'unsubscribe', filters: ['a', 'b'] }

/** UNSUBACK has codes since 5.0. */
export function unsuback(packetId: number, version: ProtocolVersion, count: number = 2): PacketInput {
  return { type: 'unsuback', packetId, reasonCodes: version === 5 ? Array<number>(count).fill(0) : undefined }
}

/** Effects with what matters here: `write publish 1 dup`, `write pubcomp 2 92`, `settle x`, `deliver`. Timers are left out. */
export function brief(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect): readonly string[] => {
    switch (effect.type) {
      case 'write': return [`write ${named(effect.packet)}`]
      case 'deliver': return [effect.packet === undefined ? 'deliver' : `deliver ${named(effect.packet)}`]
      case 'settle': return [`settle ${String(effect.token)}${effect.packet === undefined ? '' : ` ${effect.packet.type}`}`]
      case 'refuse': return [`refuse ${effect.error.rule}${effect.token === undefined ? '' : ` ${String(effect.token)}`}`]
      case 'session': return [effect.outcome === 'resumed' ? 'resumed' : `lost ${effect.redo.length}`]
      case 'close': return [`close ${effect.cause.why}`]
      case 'arm':
      case 'disarm': return []
    }
  })
}

function named(packet: PacketInput): string {
  const { packetId, dup, reasonCode } = packet as { readonly packetId?: number, readonly dup?: boolean, readonly reasonCode?: number }
  return [packet.type, packetId, dup === true ? 'dup' : '', packet.type === 'connack' || !reasonCode ? '' : reasonCode.toString(16)].filter((word) => word !== undefined && word !== '').join(' ')
}

/** The messages and tokens that come back when a session is lost. */
export function redoOf(effects: readonly Effect[]): readonly Redo[] {
  const found = effects.flatMap((effect) => (effect.type === 'session' && effect.outcome === 'lost' ? [effect.redo] : []))
  assert.is(found.length, 1)
  return found[0]!
}

/** The session of an open connection, and of one that has ended. */
export function sessionOf({ session }: State): Session {
  assert.ok(session !== undefined)
  return session
}

export interface Again {
  readonly connect?: Partial<ConnectInput> | undefined
  readonly connack?: Partial<ConnackInput> | undefined
  readonly limits?: Partial<Limits> | undefined
}

/** A new connection of this session, the step with which CONNACK goes through. */
export function again(role: Role, version: ProtocolVersion, session: Session, { connect: asked, connack: answer, limits }: Again = {}): Step & { readonly state: Live } {
  const hello = connect(version, { clientId: session.clientId, cleanStart: false, ...asked })
  const step_ = role === 'client'
    ? steps(initial({ role, session, limits }), ask(hello), received(connack({ sessionPresent: version > 3, ...answer }), version))
    : steps(initial({ role, limits }), received(hello, version), ask(connack({ sessionPresent: undefined, ...answer }), undefined, session))
  assert.is(step_.state.phase, 'connected', brief(step_.effects).join())
  return step_ as Step & { readonly state: Live }
}

/** The state after these inputs, each of which is legal. */
export function after(state: State, ...inputs: readonly Input[]): Live {
  let next = state
  for (const input of inputs) {
    const { state: now, effects } = step(next, input)
    const wrong = effects.filter(({ type }) => type === 'refuse' || type === 'close')
    assert.equal(brief(wrong), [], 'legal')
    next = now
  }
  return next as Live
}
