// SPDX-License-Identifier: MIT
// Our own caller's misuse: the state is the one it was, nothing is sent, and the error says which rule stands in the way.
import type { ProtocolVersion } from '../codec/index.ts'
import { misuse } from '../codec/rules.ts'
import { CONNECTION_RULES } from './rules.ts'
import type { ConnectionRule } from './rules.ts'
import type { Input, State, Step } from './types.ts'

export function refuse(state: State, input: Extract<Input, { type: 'send' }>, rule: ConnectionRule, version: ProtocolVersion | undefined, found: string): Step {
  const error = misuse(CONNECTION_RULES[rule], { packet: input.packet.type, version }, '', found)
  return { state, effects: [{ type: 'refuse', error, token: input.token }] }
}
