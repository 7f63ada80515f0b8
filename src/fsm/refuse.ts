// SPDX-License-Identifier: MIT
// Our own caller's misuse: the state is the one it was, nothing is sent, and the error says which rule stands in the way.
import type { ProtocolVersion, UsageError } from '../codec/index.ts'
import { misuse } from '../codec/rules.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { ConnectionRule } from './rules.ts'
import type { Send, State, Step } from './types.ts'

export function refuse(state: State, input: Send, rule: ConnectionRule, version: ProtocolVersion | undefined, found: string): Step {
  return refuseFor(state, input, usageError(input, rule, version, found))
}

export function refuseFor(state: State, { token }: Send, error: UsageError): Step {
  return { state, effects: [{ type: 'refuse', error, token }] }
}

/** The error alone. */
export function usageError({ packet }: Send, rule: ConnectionRule, version: ProtocolVersion | undefined, found: string): UsageError {
  return misuse(CONNECTION_RULES[rule], { packet: packet.type, version }, '', found)
}
