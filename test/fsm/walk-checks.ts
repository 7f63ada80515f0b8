// What must be true of each step of a connection's life, judged by the tables: what is written, how it ends, which timers run, where it leads.
// What is promised of sessions is in scripts/promises.
import { encode } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import { LIFECYCLE, TIMERS } from '../../src/fsm/index.ts'
import type { Effect, Input, Phase, State, Step } from '../../src/fsm/index.ts'
import { destination, ENDINGS, eventOf } from '../../src/fsm/lifecycle.ts'
import { getId } from '../../src/fsm/packet-ids.ts'
import { ACKNOWLEDGED } from '../../src/fsm/session.ts'

/** Says that a promise is broken unless it is true. */
export type Check = (truth: boolean, promise: string | (() => string)) => void

/** Every packet we write is ours to send in the phase it is written in, and its bytes exist. Gives the phase the last one leads to. */
export function checkWrites(state: State, input: Input, { state: next, effects }: Step, agreed: ProtocolVersion, check: Check): Phase {
  let phase = state.phase
  // What is answered has come first: an answer to CONNECT, also to one that cannot be read, is given behind it.
  if (phase === 'awaiting-connect' && (input.type === 'received' || input.type === 'malformed')) phase = destination(phase, 'client connect', 5)!
  for (const effect of effects) {
    if (effect.type !== 'write') continue
    const { packet } = effect
    const form = packet.type === 'connect' ? packet.version : 'agreement' in state ? state.agreement.version : ('cause' in next ? next.cause.version : undefined) ?? agreed
    const to = destination(phase, eventOf(state.role, packet), form)
    check(to !== undefined, () => `writes ${packet.type} while ${phase}`)
    phase = to!
    // What the application gives us to send may have no bytes; the driver then does not take the step.
    if (input.type !== 'send' || packet !== input.packet) check(encodes(packet, form), () => `writes a ${packet.type} that version ${form} cannot encode`)
  }
  return phase
}

/** `close` comes once, last, on the way from a phase that is not over to one that is, and says why. */
export function checkClose(state: State, input: Input, { state: next, effects }: Step, last: Phase, check: Check): void {
  const closes = effects.filter((effect) => effect.type === 'close')
  const ends = !isOver(state) && isOver(next)
  check(closes.length === (ends ? 1 : 0), () => `close ${ends ? 'comes exactly once' : 'comes only with the end'}, and here ${closes.length} times`)
  check(last !== 'closing' || isOver(next), 'a last packet ends the connection')
  const [close] = closes
  if (close === undefined) {
    check(isOver(next) === isOver(state) && (!('cause' in next) || !('cause' in state) || next.cause === state.cause), 'over stays over, for the same cause')
    return
  }
  const { cause } = close
  check(effects.at(-1) === close, 'nothing follows close')
  check('cause' in next && next.cause === cause, 'the cause is the state\'s')
  check(/^The .+\.$|^No .+\.$/s.test(cause.sentence) && !cause.sentence.includes('undefined'), () => `a sentence that can be read: ${cause.sentence}`)
  const replayed = input.type === 'send' && input.packet.type === 'connack' && input.packet.reasonCode === 0
  check(cause.phase === (replayed ? 'connected' : state.phase), () => `the phase it ended in, not ${cause.phase}`)
  const agreement = 'agreement' in state ? state.agreement : undefined
  check(agreement === undefined || cause.version === agreement.version, 'the version agreed on')
  const will = state.role === 'server' && (cause.phase === 'connected' || cause.phase === 'reauthenticating') && !discards(cause) ? agreement?.will : undefined
  check(cause.will === will, 'the Will, where one is due')
}

/** DISCONNECT 0x00 of the Client. */
function discards({ by, why, reasonCode }: { readonly by: string, readonly why: string, readonly reasonCode?: number | undefined }): boolean {
  return by === 'client' && why === 'disconnect' && reasonCode === 0
}

/** What is delivered came from the peer, but for a Topic Name in place of its alias; what is refused is so by a UsageError. Tokens are in promises/tokens.ts. */
export function checkWords(state: State, input: Input, effects: readonly Effect[], check: Check): void {
  for (const effect of effects) {
    if (effect.type === 'deliver') {
      const { packet } = effect
      const came = input.type === 'received' ? [input.packet] : 'held' in state ? state.held : []
      check(packet === undefined ? input.type === 'received' : came.some((one) => one === packet || (one.type === 'publish' && one.topic === '' && packet.type === 'publish' && one.payload === packet.payload)), 'delivers what has come')
    }
    if (effect.type === 'refuse') check(effect.error.name === 'UsageError', 'refuses by a UsageError')
  }
}

/** Durations are sane, and only keep alive counts silence: the Client's its own, the Server's the Client's. */
export function checkTimers({ role }: State, effects: readonly Effect[], check: Check): void {
  for (const effect of effects) {
    if (effect.type !== 'arm') continue
    check(Number.isInteger(effect.ms) && effect.ms > 0, () => `arms ${effect.timer} for ${effect.ms} ms`)
    check(effect.quiet === (effect.timer !== 'keep-alive' ? undefined : role === 'client' ? 'sent' : 'received'), () => `arms ${effect.timer}, quiet ${effect.quiet}`)
  }
}

/** The phase is the one that the tables lead to; what they do not know leads out. Notes which of their entries were taken. */
export function checkDestination(state: State, input: Input, next: State, taken: Set<string>, check: Check): void {
  const { role, phase } = state
  if (isOver(state) && input.type !== 'closed' && input.type !== 'timer') return check(next === state, 'what comes after the end is not read')
  switch (input.type) {
    case 'timer': {
      const to = TIMERS[input.timer][role][phase]
      check(next.phase === to, () => `timer ${input.timer} leads to ${String(to)}, not ${next.phase}`)
      taken.add(`${phase} timer ${input.timer} ${role}`)
      return
    }
    case 'malformed':
    case 'closed': {
      check(next.phase === ENDINGS[input.type], () => `${input.type} leads to ${ENDINGS[input.type]}, not ${next.phase}`)
      taken.add(`${phase} ${input.type}`)
      return
    }
    case 'send':
    case 'received': {
      const sender = (input.type === 'send') === (role === 'client') ? 'client' : 'server'
      const version = 'agreement' in state ? state.agreement.version : 5
      const event = eventOf(sender, input.packet)
      const to = destination(phase, event, version)
      if (to !== undefined && next.phase === to) taken.add(`${phase} ${event}`)
      // A request the table does not know is refused, but for the silent close of a Server of 3.x.
      if (input.type === 'send') check(to !== undefined || (event === 'server disconnect' && version < 5), () => `sends ${event} while ${phase}`)
      // Legal packets may still break a rule that the table cannot see; then they end the connection, as illegal ones do.
      const held = input.type === 'received' && 'held' in next && next.held.at(-1) === input.packet
      check(next.phase === (held ? phase : to) || next.phase === 'closing', () => `${event} leads to ${to ?? 'closing'}, not ${next.phase}`)
    }
  }
}

/** An acknowledgement has met an exchange of ours, and the connection goes on. */
export function noteAcknowledged(state: State, input: Input, next: State, taken: Set<string>): void {
  if (input.type !== 'received' || !('packetId' in input.packet) || !('pinging' in state) || isOver(next)) return
  const { packet } = input
  const awaits = getId(state.session.exchanges.ours, packet.packetId!)?.awaits
  if (awaits !== undefined && ACKNOWLEDGED[awaits][packet.type] !== undefined) taken.add(`${awaits} ${packet.type}`)
}

/** All that walks of both roles can take. */
export function entries(): readonly string[] {
  const packets = Object.entries(LIFECYCLE).flatMap(([phase, row]) => Object.keys(row).map((event) => `${phase} ${event}`))
  const timers = Object.entries(TIMERS).flatMap(([timer, row]) =>
    (['client', 'server'] as const).flatMap((role) => Object.keys(row[role]).map((phase) => `${phase} timer ${timer} ${role}`)))
  const acknowledged = Object.entries(ACKNOWLEDGED).flatMap(([awaits, row]) => Object.keys(row).map((type) => `${awaits} ${type}`))
  const endings = ['opening', 'awaiting-connect', 'authenticating', 'connected', 'reauthenticating'].flatMap((phase) => [`${phase} malformed`, `${phase} closed`])
  return [...packets, ...timers, ...acknowledged, ...endings, 'closing closed']
}

function encodes(packet: PacketInput, version: ProtocolVersion): boolean {
  try {
    return encode(packet, version).length > 0
  } catch {
    return false
  }
}

function isOver({ phase }: State): boolean {
  return phase === 'closing' || phase === 'closed'
}
