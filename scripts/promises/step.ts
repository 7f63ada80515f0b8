// What is true of every step, as far as sessions go: exchanges begin and end for a reason, nothing is sent or delivered twice that should not be,
// and no token is lost or told of twice. Judged from the outside, by what was there before, what is there afterwards and the effects.
import type { Packet, PacketInput, PublishInput } from '../../src/codec/index.ts'
import type { Effect, Exchange, IdMap, Input, Owed, Redo, Session, State, Step } from '../../src/fsm/index.ts'
import { idEntries } from '../../src/fsm/packet-ids.ts'
import { equal } from '../fuzz/equal.ts'
import type { Check } from './check.ts'
import { checkTokens } from './tokens.ts'

/** A step with all that the promises ask about it. */
export interface Seen {
  readonly state: State
  readonly input: Input
  readonly next: State
  readonly effects: readonly Effect[]
  /** the session it goes on with: what a Server's application hands in with its CONNACK, or what was there */
  readonly base: Session | undefined
  /** a connection begins to use its session: requests of an earlier one are gone */
  readonly reopens: boolean
  /** the session is given up */
  readonly discards: boolean
  /** what the peer has sent and is dealt with here */
  readonly heard: readonly Packet[]
  readonly before: ReadonlyMap<number, Exchange>
  readonly after: ReadonlyMap<number, Exchange>
  readonly owed: ReadonlyMap<number, Owed>
  readonly owing: ReadonlyMap<number, Owed>
}

export function checkStep(state: State, input: Input, step: Step, check: Check): void {
  if (step.state === state && step.effects.length === 0) return
  if (refuses(state, input, step)) {
    const [refusal] = step.effects
    return check(refusal!.type === 'refuse' && refusal!.token === (input as { readonly token?: unknown }).token, 'a request is refused by its token')
  }
  const seen = see(state, input, step)
  checkRefusals(seen, check)
  checkOurs(seen, check)
  for (const effect of seen.effects) if (effect.type === 'write') checkWrite(seen, effect.packet, check)
  checkOrder(seen, check)
  checkTheirs(seen, check)
  checkDeliveries(seen, check)
  checkAliases(seen, check)
  checkClean(seen, check)
  checkOutcome(seen, check)
  checkTokens(seen, check)
}

function see(state: State, input: Input, { state: next, effects }: Step): Seen {
  const sent = input.type === 'send' ? input.packet : undefined
  const accepts = sent?.type === 'connack' && sent.reasonCode === 0 && state.role === 'server' && state.phase === 'authenticating'
  const connects = sent?.type === 'connect' && state.phase === 'opening'
  const base = accepts && input.type === 'send' ? input.session : state.session
  const answered = input.type === 'received' && input.packet.type === 'connack' && state.phase === 'authenticating' && next.phase === 'connected'
  const foreign = connects && base !== undefined && base.clientId !== sent.clientId
  const gone = answered && !state.agreement.cleanStart && !input.packet.sessionPresent && state.agreement.version > 3
  return {
    state, input, next, effects, base,
    reopens: accepts || connects,
    discards: foreign || gone || (connects && sent.cleanStart),
    heard: input.type === 'received' ? [input.packet] : accepts && 'held' in state ? state.held : [],
    before: entriesOf(base?.exchanges.ours), after: entriesOf(next.session?.exchanges.ours),
    owed: entriesOf(base?.exchanges.theirs), owing: entriesOf(next.session?.exchanges.theirs),
  }
}

/** A map never changes, so it is listed once. */
function entriesOf<T>(map: IdMap<T>): ReadonlyMap<number, T> {
  if (map === undefined) return NONE
  const known = listed.get(map) as ReadonlyMap<number, T> | undefined
  if (known !== undefined) return known
  const entries = new Map(idEntries(map))
  listed.set(map, entries)
  return entries
}

const NONE: ReadonlyMap<number, any> = new Map()
const listed = new WeakMap<object, ReadonlyMap<number, unknown>>()

/** The request itself was refused: refusals of another kind are those of messages that a new peer would find too large. */
function refuses(state: State, input: Input, { state: next, effects }: Step): boolean {
  return input.type === 'send' && next === state && effects.length === 1 && effects[0]!.type === 'refuse'
}

function checkRefusals({ state, input, next, effects, before, after, reopens }: Seen, check: Check): void {
  const refusals = effects.filter((effect) => effect.type === 'refuse')
  if (refusals.length === 0) return
  // No promise is broken by giving up a message that cannot be sent to this peer; the one request itself goes on.
  check(reopens || (input.type === 'received' && 'agreement' in state), 'a refusal changes nothing', () => `${refusals.length} refusals, while ${state.phase}`)
  const given = [...before].filter(([id, { message }]) => message !== undefined && after.get(id)?.message === undefined).map(([, { token }]) => token)
  check(refusals.every(({ token, error }) => given.includes(token) && error.name === 'UsageError') && next !== state, 'what is refused behind the application\'s back was a message of the session')
}

/** An exchange of ours begins by being sent, ends by its acknowledgement, and is otherwise what it was. */
function checkOurs(seen: Seen, check: Check): void {
  const { input, effects, reopens, discards, heard, before, after } = seen
  for (const [id, exchange] of after) {
    const was = discards ? undefined : before.get(id)
    if (was === undefined) {
      const begins = input.type === 'send' && BEGIN.has(input.packet.type) && effects.some((effect) => effect.type === 'write' && BEGIN.has(effect.packet.type) && 'packetId' in effect.packet && effect.packet.packetId === id)
      check(begins && exchange.token === (input as { readonly token?: unknown }).token, 'an exchange of ours begins by being sent', () => `${id}, which awaits ${exchange.awaits}`)
    } else if (was !== exchange) {
      const released = was.awaits === 'pubrec' && exchange.awaits === 'pubcomp' && heard.some((packet) => packet.type === 'pubrec' && packet.packetId === id && packet.reasonCode < 0x80)
      // Given up where a session goes on with a peer that does not take it any more: PUBREL rids the peer of what it may have.
      const givenUp = was.awaits === 'pubrec' && exchange.awaits === 'pubcomp' && exchange.token === undefined && effects.some((effect) => effect.type === 'refuse' && effect.token === was.token) && effects.some((effect) => effect.type === 'write' && effect.packet.type === 'pubrel' && effect.packet.packetId === id)
      check(released || givenUp || (was.awaits === exchange.awaits && was.message === exchange.message && was.turn === exchange.turn), 'PUBREC moves an exchange on, and nothing else does', () => `${id}: ${was.awaits}, then ${exchange.awaits}`)
      check(givenUp || was.token === exchange.token, 'an exchange keeps its token', () => String(id))
    }
  }
  for (const [id, { awaits, message, token }] of before) {
    if (after.has(id) || discards) continue
    const acknowledged = heard.some((packet) => 'packetId' in packet && packet.packetId === id && (FINAL.has(packet.type) || (packet.type === 'pubrec' && packet.reasonCode >= 0x80)))
    const dropped = (reopens && (awaits === 'suback' || awaits === 'unsuback')) || (message !== undefined && effects.some((effect) => effect.type === 'refuse' && effect.token === token))
    check(acknowledged || dropped, 'an exchange of ours ends by its acknowledgement', () => `${id}, which awaited ${awaits}`)
  }
}

/** Each packet with an identifier that goes out goes with an exchange. */
function checkWrite(seen: Seen, packet: PacketInput, check: Check): void {
  const { input, heard, owing, after } = seen
  const asked = input.type === 'send' && input.packet.type === packet.type
  switch (packet.type) {
    case 'publish': return (packet.qos ?? 0) === 0 ? undefined : checkPublish(seen, packet, check)
    case 'subscribe':
    case 'unsubscribe': return check(asked && !seen.before.has(packet.packetId) && after.has(packet.packetId), 'a request has an identifier that was free and is not', () => `${packet.type} ${packet.packetId}`)
    case 'pubrel': {
      const awaited = after.get(packet.packetId)?.awaits
      // Held with the CONNACK it may already have been answered.
      return check(awaited === 'pubcomp' || awaited === undefined, 'PUBREL is for what awaits PUBCOMP, or for what we do not have', () => `${packet.packetId} awaits ${awaited}`)
    }
    case 'pubcomp': return check(!asked && owing.get(packet.packetId)?.owes !== 'pubrel' && heard.some(({ type }) => type === 'pubrel'), 'PUBCOMP frees its identifier', () => String(packet.packetId))
    case 'pubrec': {
      const owes = owing.get(packet.packetId)?.owes
      return check((packet.reasonCode ?? 0) >= 0x80 ? owes === undefined : owes === 'pubrel' || (!asked && input.type === 'send'), 'PUBREC leaves PUBREL owed, unless it refuses', () => `${packet.packetId} owes ${owes}`)
    }
    case 'puback':
    case 'suback':
    case 'unsuback': return check(asked && seen.owed.get(packet.packetId)?.owes === packet.type && !owing.has(packet.packetId), 'an answer is asked for by the application, and ends what was owed', () => `${packet.type} ${packet.packetId}`)
  }
}

function checkPublish({ state, input, reopens, before, after, heard }: Seen, packet: PublishInput, check: Check): void {
  const id = packet.packetId!
  const was = before.get(id)
  if (was === undefined) {
    check(input.type === 'send' && packet.dup !== true && after.get(id)?.message !== undefined, 'a new message goes out with DUP 0 and an identifier that is its own from then on', () => String(id))
    return
  }
  const again = reopens || was.waits || (input.type === 'received' && input.packet.type === 'connack')
  check(again && packet.dup === true, 'a message is sent again only where a session is resumed, and with DUP 1', () => `${id} while ${state.phase}`)
  check(equal({ ...was.message, packetId: id, dup: true }, packet), 'a message is sent again as it was', () => String(id))
  check(after.get(id)?.waits === false || heard.length > 0, 'a message that is sent again waits no longer', () => String(id))
}

/** Resumption: all that is unfinished goes out, in its order, but for what waits [MQTT-4.6.0-1]; and no more than the peer takes. */
function checkOrder({ state, effects, next, before, after, discards, heard, input }: Seen, check: Check): void {
  const replays = input.type === 'send' && heard.length > 0
  const again = effects.flatMap((effect) => (effect.type === 'write' && (effect.packet.type === 'pubrel' || (effect.packet.type === 'publish' && effect.packet.dup === true)) ? [effect.packet.packetId!] : []))
  const turns = again.map((id) => before.get(id)?.turn ?? Infinity)
  check(replays || turns.every((turn, i) => i === 0 || turn >= turns[i - 1]!), 'what is sent again goes in the order it went', () => again.join(' '))
  const begins = state.phase === 'authenticating' && (next.phase === 'connected' || input.type === 'send') && 'agreement' in next
  if (!('agreement' in next) || !LIVE.has(next.phase)) return
  const inFlight = [...after.values()].filter(({ awaits, waits }) => !waits && awaits !== 'suback' && awaits !== 'unsuback')
  const { receiveMaximum } = next.agreement.terms[next.role === 'client' ? 'server' : 'client']
  const published = effects.some((effect) => effect.type === 'write' && effect.packet.type === 'publish' && (effect.packet.qos ?? 0) > 0)
  check(!published || replays || inFlight.length <= receiveMaximum, 'no more goes out than the peer has announced', () => `${inFlight.length} of ${receiveMaximum}`)
  if (!begins || discards || state.agreement.cleanStart) return
  for (const [id, { awaits, message }] of before) {
    if (awaits === 'suback' || awaits === 'unsuback') continue
    check(again.includes(id) || after.get(id)?.waits === true || (message !== undefined && !after.has(id)), 'all that is unfinished is sent again, or waits', () => `${id}, which awaits ${awaits}`)
  }
}

/** What we owe begins with what has come, and ends with its answer. */
function checkTheirs({ input, next, reopens, discards, heard, owed, owing }: Seen, check: Check): void {
  for (const [id, { owes }] of owing) {
    if (owed.has(id) && !discards) continue
    check(heard.some((packet) => 'packetId' in packet && packet.packetId === id && BEGIN.has(packet.type)), 'what we owe has been asked', () => `${owes} ${id}`)
  }
  for (const [id, { owes }] of owed) {
    if (owing.has(id) || discards) continue
    const answers = input.type === 'send' && input.packet.type === owes && 'packetId' in input.packet && input.packet.packetId === id
    // A message that was delivered and not answered counts as received when its session is resumed.
    const released = (owes === 'pubrel' || (reopens && owes === 'pubrec')) && heard.some((packet) => packet.type === 'pubrel' && packet.packetId === id)
    check(answers || released || (reopens && owes !== 'pubrec' && owes !== 'pubrel'), 'what we owe is owed until it is answered', () => `${owes} ${id}, ${next.phase}`)
  }
}

/** A message is delivered when it comes for the first time, with its Topic Name, and never again. */
function checkDeliveries({ state, input, next, effects, heard, owed }: Seen, check: Check): void {
  const delivered = effects.filter((effect) => effect.type === 'deliver')
  if (input.type !== 'received') {
    return check(delivered.length <= heard.length, 'what was held is delivered once')
  }
  const { packet } = input
  check(delivered.length <= 1, 'one packet is delivered once')
  if (packet.type !== 'publish' || !LIVE.has(state.phase)) return
  const over = next.phase === 'closing'
  const known = packet.qos > 0 && owed.has(packet.packetId!)
  check((delivered.length === 1) === (!over && !known), 'a message is delivered when it comes for the first time', () => `${delivered.length} times`)
  const given = delivered[0]?.packet ?? packet
  check(delivered.length === 0 || (given.type === 'publish' && given.topic !== '' && equal({ ...given, topic: packet.topic }, packet) && (packet.topic === '' || packet.topic === given.topic)), 'a message is delivered whole')
}

/** A Topic Alias stands for what a PUBLISH of this connection has said. */
function checkAliases({ state, input, next, heard }: Seen, check: Check): void {
  if (!('flow' in next) || ('flow' in state && state.flow === next.flow)) return
  const sent = input.type === 'send' ? [input.packet] : []
  for (const [map, said] of [['ourAliases', sent], ['theirAliases', heard]] as const) {
    const known = entriesOf('flow' in state ? state.flow[map] : undefined)
    for (const [alias, topic] of entriesOf(next.flow[map])) {
      const told = said.some((packet) => packet.type === 'publish' && packet.properties?.topicAlias === alias && packet.topic === topic)
      check(told || known.get(alias) === topic, 'a Topic Alias stands for what was said on this connection', () => `${alias}, ${topic}`)
    }
  }
}

/** A clean start begins with nothing, whatever the application hands in [MQTT-3.1.2-4; 3.1.1 MQTT-3.1.2-6]. */
function checkClean({ state, reopens, heard, before, after, owed, owing }: Seen, check: Check): void {
  if (!reopens || !('agreement' in state) || !state.agreement.cleanStart) return
  const kept = [...before.keys()].some((id) => after.has(id)) || (heard.length === 0 && [...owed.keys()].some((id) => owing.has(id)))
  check(!kept, 'a clean start goes on with no session')
}

/** A Client is told once what has become of the session it was handed. */
function checkOutcome({ state, input, next, effects, base, discards }: Seen, check: Check): void {
  const outcomes = effects.filter((effect) => effect.type === 'session')
  const connects = input.type === 'send' && input.packet.type === 'connect'
  const accepted = input.type === 'received' && input.packet.type === 'connack' && next.phase === 'connected'
  const due = state.role === 'client' && base !== undefined && ((connects && discards && base.clientId === input.packet.clientId) || (accepted && 'agreement' in state && !state.agreement.cleanStart))
  check(outcomes.length === (due ? 1 : 0), 'a session that was handed in is told of, once, and no other', () => `${outcomes.length} times`)
  const [outcome] = outcomes
  if (outcome === undefined) return
  check(outcome.outcome === (discards ? 'lost' : 'resumed'), 'the outcome is what the Server says', () => outcome.outcome)
  if (outcome.outcome === 'lost') check(equal(outcome.redo, redoOf(base!)), 'a session that is lost leaves its messages, in order')
}

function redoOf({ exchanges }: Session): readonly Redo[] {
  const messages = [...idEntries(exchanges.ours)].map(([, exchange]) => exchange).filter(({ message }) => message !== undefined)
  return messages.sort((a, b) => a.turn - b.turn).map(({ message, token }) => ({ packet: message!, token }))
}

const BEGIN: ReadonlySet<string> = new Set(['publish', 'subscribe', 'unsubscribe'])
const FINAL: ReadonlySet<string> = new Set(['puback', 'pubcomp', 'suback', 'unsuback'])
const LIVE: ReadonlySet<string> = new Set(['connected', 'reauthenticating'])
