// SPDX-License-Identifier: MIT
// The machine's public names. This folder imports the codec and nothing else: copy the two as they are.
export { backoff, DEFAULT_BACKOFF, DEFAULT_FLAP, flapping, retryAfter } from './backoff.ts'
export type { BackoffPolicy, FlapPolicy, Retry } from './backoff.ts'
export { running } from './close.ts'
export { DEFAULT_LIMITS, holdsInput, initial, opened, transition } from './connection.ts'
export type { InitialOptions } from './connection.ts'
export { lifecycleDiagram } from './diagram.ts'
export { explain } from './explain.ts'
export { LIFECYCLE, TIMERS } from './lifecycle.ts'
export type { PacketEvent, Phase, TimerName } from './lifecycle.ts'
export type { Announced, Flow, Terms } from './flow.ts'
export type { IdMap } from './packet-ids.ts'
export { CONNECTION_RULES } from './rules.ts'
export type { ConnectionRule } from './rules.ts'
export { newSession, reopened, restoreSession, saveSession, sizeOf } from './session.ts'
export type { Awaited, Exchange, Exchanges, Owed, SavedSession, Session } from './session.ts'
export type {
  Agreement, Authenticating, AwaitingConnect, Closed, CloseCause, CloseReason, Closing, Connected, Effect, Input, Limits, Live, Opening, Reauthenticating, Redo, Role, Send, SendInput, State, Step,
} from './types.ts'
