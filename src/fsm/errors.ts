// SPDX-License-Identifier: MIT
// Error → what goes on the wire for it: CONNACK, DISCONNECT or silence, by role, phase and version (5.0 §4.13; 3.1.1 §4.8).
import { maySend, returnCode } from '../codec/index.ts'
import type { MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion } from '../codec/index.ts'
import type { RuleRow } from '../codec/rules.ts'
import { fault } from '../codec/rules.ts'
import { closing, versionOf } from './close.ts'
import type { Ending } from './close.ts'
import type { Phase } from './lifecycle.ts'
import type { Role, State, Step } from './types.ts'

type Answer = 'connack' | 'disconnect'

/** Before 5.0 nothing is ever said about an error, but for one return code: an unacceptable protocol level. */
const ANSWERS_OF_FIVE: { readonly [R in Role]: { readonly [P in Phase]?: Answer } } = {
  server: { 'awaiting-connect': 'connack', authenticating: 'connack', connected: 'disconnect', reauthenticating: 'disconnect' },
  client: { authenticating: 'disconnect', connected: 'disconnect', reauthenticating: 'disconnect' },
}

/** The peer's packet cannot be read, or may not be sent here: answers as far as the standard has an answer, and closes. */
export function fail(state: State, error: MalformedPacket | ProtocolError, bytes?: Uint8Array): Step {
  const version = formFor(state, error)
  const answer = version === undefined ? undefined : answerTo(state, error, version)
  const peer = state.role === 'server' ? 'Client' : 'Server'
  const ending: Ending = {
    by: state.role, why: error.name === 'MalformedPacket' ? 'malformed' : 'protocol-error',
    reasonCode: error.reasonCode, rule: error.rule, offset: error.offset, version, bytes,
    sentence: error.foreign === undefined
      ? `The ${peer} sent what it may not: ${error.message}.`
      : `The ${peer} does not speak ${error.version === 5 ? 'MQTT 5.0' : 'MQTT'} here but ${error.foreign}: ${error.message}.`,
  }
  return answer === undefined ? closing(state, ending) : closing(state, ending, answer)
}

/** The same for a packet that is well formed and illegal here: `rule` says why. */
export function violate(state: State, packet: Packet, rule: RuleRow, found: string): Step {
  const version = versionOf(state) ?? (packet.type === 'connect' ? packet.version : undefined)
  return fail(state, fault(rule, { packet: packet.type, version }, 0, found) as ProtocolError)
}

/** The CONNACK by which a server of these limits refuses with a 5.0 Reason Code; undefined where the version cannot say it. */
export function refusal(reasonCode: number, version: ProtocolVersion): PacketInput | undefined {
  if (version === 5) return { type: 'connack', reasonCode }
  const code = returnCode(reasonCode)
  return code === undefined ? undefined : { type: 'connack', reasonCode: code }
}

function answerTo({ role, phase }: State, error: MalformedPacket | ProtocolError, version: ProtocolVersion): PacketInput | undefined {
  if (error.foreign !== undefined) return undefined
  if (error.reasonCode === UNSUPPORTED_VERSION && phase === 'awaiting-connect') return refusal(UNSUPPORTED_VERSION, version)
  if (version < 5) return undefined
  const answer = ANSWERS_OF_FIVE[role][phase]
  if (answer === undefined) return undefined
  const reasonCode = maySend(role, answer, error.reasonCode) ? error.reasonCode : PROTOCOL_ERROR
  return { type: answer, reasonCode }
}

/**
 * The version an answer is in: the one agreed on. Before there is one the error tells which could be understood: a level no document
 * describes is answered in the form of the newest version this server accepts (a Client newer than us will know it), a level of 3.x in
 * that of 3.x.
 */
function formFor(state: State, { version, reasonCode }: MalformedPacket | ProtocolError): ProtocolVersion | undefined {
  const agreed = versionOf(state)
  if (agreed !== undefined) return agreed
  return version === 5 && reasonCode === UNSUPPORTED_VERSION && !state.limits.versions.includes(5) ? 4 : version
}

const UNSUPPORTED_VERSION = 0x84
const PROTOCOL_ERROR = 0x82
