// The worlds that the totality walk sees. Each is small enough to be walked to its end: few identifiers, a small Receive Maximum, and an
// alphabet for one matter, with the rest of the protocol in the worlds beside it.
import type { ConnackInput, PacketInput, ProtocolVersion, PublishInput } from '../../src/codec/index.ts'
import { initial, newSession, restoreSession } from '../../src/fsm/index.ts'
import type { Input, Limits, Role, SavedSession, Send, State, TimerName } from '../../src/fsm/index.ts'
import { getId, idEntries } from '../../src/fsm/packet-ids.ts'
import { ACKNOWLEDGED } from '../../src/fsm/session.ts'
import { alphabet, METHOD } from './alphabet.ts'
import { broken, connack, connect, ended, received, timer } from './helpers.ts'
import type { World } from './walk.ts'

type Letter = World['alphabet'][number]

/** Every CONNECT, and one packet held behind it; no more than one exchange at a time, and that where nothing else goes on. */
export function life(role: Role, version: ProtocolVersion): World {
  return {
    start: initial({ role, limits: limitsFor(version, {}), session: role === 'client' ? newSession('kitchen') : undefined }),
    version,
    alphabet: alphabet(role, version),
    allows: (state, input) => fewPings(state, input) && (!begins(input) || isQuiet(state)),
  }
}

/** One CONNECT, and every pair of packets held behind it. */
export function held(version: ProtocolVersion): World {
  const letters = alphabet('server', version).filter(([name]) => name === 'received connect kept 60 will' || !name.startsWith('received connect '))
  return {
    start: initial({ role: 'server', limits: limitsFor(version, { heldPackets: 2 }) }), version, alphabet: letters,
    allows: (state, input) => !begins(input) || state.phase === 'authenticating',
  }
}

/** What we begin: two at a time, with every acknowledgement that may come, over as many connections of the session as one likes. */
export function begun(role: Role, version: ProtocolVersion): World {
  return {
    start: initial({ role, limits: limitsFor(version, { packetIds: 2 }) }), version, again: true,
    alphabet: [...openings(role, version), ...ourExchanges(role, version, [1, 2]), ['closed', ended]],
    allows: (state, input) => !(input.type === 'send' && 'cleanStart' in input.packet && input.packet.cleanStart && state.session !== undefined),
  }
}

/** What the peer begins: as many as Receive Maximum lets it, and one more. */
export function owed(role: Role, version: ProtocolVersion): World {
  return {
    start: initial({ role, limits: limitsFor(version, { receiveMaximum: 2 }) }), version, again: true,
    alphabet: [...openings(role, version), ...theirExchanges(role, version, [1, 2]), ['received publish 1 too many', received({ ...message(1), packetId: 3 }, version)], ['closed', ended]],
    allows: (state, input) => !('packet' in input && input.packet.type === 'publish' && input.packet.packetId === 3) || ('flow' in state && state.flow.receiving === 2),
  }
}

/** Both ways at once, with one identifier, while pings and (5.0) a re-authentication go on. */
export function everything(role: Role, version: ProtocolVersion): World {
  const properties = version === 5 ? METHOD : undefined
  const opening: readonly Letter[] = role === 'client'
    ? [['send connect', { type: 'send', packet: connect(version, { cleanStart: false, properties }) }], ['received connack', received(connack({ properties }), version)]]
    : [['received connect', received(connect(version, { cleanStart: false, properties }), version)], ['send connack', { type: 'send', packet: connack({ properties }) }]]
  return {
    start: initial({ role, limits: limitsFor(version, { packetIds: 1, receiveMaximum: 1 }) }), version,
    alphabet: [
      ...opening, ...ourExchanges(role, version, [1]), ...theirExchanges(role, version, [1]), ...(version === 5 ? authentication() : []),
      ['send pingreq', { type: 'send', packet: { type: 'pingreq' } }], ['received pingreq', { type: 'received', packet: { type: 'pingreq' } }], ['received pingresp', { type: 'received', packet: { type: 'pingresp' } }],
      ...(['keep-alive', 'pingresp', 'auth'] as const).map((name: TimerName): Letter => [`timer ${name}`, timer(name)]),
      ['send disconnect', { type: 'send', packet: { type: 'disconnect' } }], ['received disconnect', { type: 'received', packet: { type: 'disconnect', reasonCode: 0, properties: undefined } }],
      ['malformed', alphabet(role, version).find(([name]) => name.startsWith('malformed: a PUBLISH'))![1]], ['closed', ended], ['closed by an error', broken],
    ],
  }
}

/** 5.0: Topic Aliases of both sides, one each, for two Topic Names, over several connections. */
export function aliases(role: Role): World {
  const properties = { topicAliasMaximum: 1 }
  const messages = ([[0, 'a', 1], [0, 'b', 1], [0, '', 1], [0, 'a', 2], [1, 'a', 1], [1, '', 1], [2, '', 1]] as const).map(([qos, topic, topicAlias]): readonly [string, PublishInput] =>
    [`publish ${qos} ${topic} alias ${topicAlias}`, { type: 'publish', topic, payload: '', qos, properties: { topicAlias } }])
  const opening: readonly Letter[] = role === 'client'
    ? [['send connect', { type: 'send', packet: connect(5, { cleanStart: false, properties }) }], ['received connack', received(connack({ properties }), 5)], ['received connack present', received(connack({ sessionPresent: true, properties }), 5)]]
    : [['received connect', received(connect(5, { cleanStart: false, properties }), 5)], ['send connack', { type: 'send', packet: connack({ properties }) }], ['send connack resuming', resuming({ properties })]]
  return {
    start: initial({ role, limits: limitsFor(5, { packetIds: 1, receiveMaximum: 1 }) }), version: 5, again: true,
    alphabet: [
      ...opening,
      ...messages.map(([name, packet]): Letter => [`send ${name}`, { type: 'send', packet, token: name }]),
      ...messages.map(([name, packet]): Letter => [`received ${name}`, received(packet.qos === 0 ? packet : { ...packet, packetId: 1 }, 5)]),
      ...acknowledgements(5, [1]).filter(([, packet]) => packet.type === 'puback' || packet.type === 'pubcomp' || packet.type === 'pubrec').map(([name, packet]): Letter => [`received ${name}`, received(packet, 5)]),
      ['send puback 1', { type: 'send', packet: { type: 'puback', packetId: 1 } }], ['send pubrec 1', { type: 'send', packet: { type: 'pubrec', packetId: 1 } }], ['received pubrel 1', received({ type: 'pubrel', packetId: 1 }, 5)],
      ['closed', ended],
    ],
  }
}

/**
 * A session that was stored, with two messages, a PUBREL and a PUBCOMP to come, goes on with a peer that takes one at a time, or (5.0) finds one of
 * them too large, or has lost it all. Acknowledgements are those that are due: the others are in `begun`.
 */
export function resumption(role: Role, version: ProtocolVersion): World {
  const five = version === 5
  const bounds = [['', undefined], ...(five ? [[' one at a time', { receiveMaximum: 1 }], [' small', { maximumPacketSize: 14, receiveMaximum: 2 }]] as const : [])] as const
  const opening = role === 'client'
    ? bounds.flatMap(([name, properties]): Letter[] => [
      [`received connack${name}`, received(connack({ properties }), version)],
      [`received connack present${name}`, received(connack({ sessionPresent: version > 3, properties }), version)],
    ])
    : [['received connect clean', received(connect(version), version)] as const, ...bounds.map(([name, properties]): Letter => [`received connect${name}`, received(connect(version, { cleanStart: false, properties }), version)])]
  return {
    start: initial({ role, limits: limitsFor(version, { heldPackets: five ? 0 : 1, packetIds: 3, receiveMaximum: 2 }), session: restoreSession(STORED) }), version, again: true,
    alphabet: [
      ...opening,
      ...(role === 'client'
        ? [['send connect', { type: 'send', packet: connect(version, { cleanStart: false }) }], ['send connect clean', { type: 'send', packet: connect(version) }], ['send connect of another', { type: 'send', packet: connect(version, { clientId: 'cellar', cleanStart: false }) }]] as const
        : [['send connack', { type: 'send', packet: connack() }], ['send connack resuming', resuming()], ['send connack resuming, saying no', resuming({}, false)]] as const),
      ...acknowledgements(version, [1, 2, 3]).filter(([, { type }]) => type !== 'suback' && type !== 'unsuback').map(([name, packet]): Letter => [`received ${name}`, received(packet, version)]),
      ...publishes(version, [7]).filter(([, { qos }]) => qos === 2).map(([name, packet]): Letter => [`received ${name}`, received(packet, version)]),
      ['received pubrel 7', received({ type: 'pubrel', packetId: 7 }, version)],
      ['send publish 1', { type: 'send', packet: message(1), token: 'new' }],
      ['closed', ended],
    ],
    allows: (state, input) => (!acknowledges(input) || isDue(state, input)) && !(input.type === 'send' && begins(input) && !oneNew(state)),
  }
}

function limitsFor(version: ProtocolVersion, more: Partial<Limits>): Partial<Limits> {
  return { versions: [version], heldPackets: 1, packetIds: 1, receiveMaximum: 1, ...more }
}

/** Two PINGREQ that the application waits for are as good as any number. */
function fewPings(state: State, input: Input): boolean {
  return !(input.type === 'send' && input.packet.type === 'pingreq' && input.token !== undefined && 'pingTokens' in state && state.pingTokens.length > 1)
}

function begins(input: Input): boolean {
  return 'packet' in input && (input.packet.type === 'subscribe' || input.packet.type === 'unsubscribe' || (input.packet.type === 'publish' && (input.packet.qos ?? 0) > 0))
}

function acknowledges(input: Input): input is Extract<Input, { type: 'received' }> {
  return input.type === 'received' && (input.packet.type === 'puback' || input.packet.type === 'pubrec' || input.packet.type === 'pubcomp')
}

function isDue({ session }: State, { packet }: Extract<Input, { type: 'received' }>): boolean {
  const exchange = 'packetId' in packet ? getId(session?.exchanges.ours, packet.packetId!) : undefined
  return exchange !== undefined && ACKNOWLEDGED[exchange.awaits][packet.type] !== undefined
}

/** One new message behind the stored ones is as good as any number, and without them it is another world's. */
function oneNew({ session }: State): boolean {
  const tokens = [...idEntries(session?.exchanges.ours)].map(([, { token }]) => token)
  return tokens.length > 0 && !tokens.includes('new')
}

function isQuiet(state: State): boolean {
  if (!('agreement' in state)) return true
  const { session, agreement: { keepAlive, authenticationMethod, sessionExpiryInterval } } = state
  return keepAlive === 0 && authenticationMethod === undefined && sessionExpiryInterval === 0 && session?.exchanges.ours === undefined && session?.exchanges.theirs === undefined
}

/** CONNECT that keeps its session and CONNACK of each kind. */
function openings(role: Role, version: ProtocolVersion): readonly Letter[] {
  const kept = connect(version, { cleanStart: false, keepAlive: 0 })
  if (role === 'server') return [['received connect', received(kept, version)], ['send connack', { type: 'send', packet: connack() }], ['send connack resuming', resuming()]]
  return [
    ['send connect', { type: 'send', packet: kept }], ['send connect clean', { type: 'send', packet: connect(version, { keepAlive: 0 }) }],
    ['received connack', received(connack(), version)], ...(version > 3 ? [['received connack present', received(connack({ sessionPresent: true }), version)] as const] : []),
  ]
}

/** A Server's application goes on with the session that the connection before has left; `sessionPresent`: what it says of that, if anything. */
function resuming(more: Partial<ConnackInput> = {}, sessionPresent?: boolean): (state: State) => Send | undefined {
  const packet: ConnackInput = { ...connack(more), sessionPresent }
  return ({ session, phase, ...state }) => {
    const misleads = sessionPresent === false && 'agreement' in state && !state.agreement.cleanStart
    return session === undefined || phase !== 'authenticating' || misleads ? undefined : { type: 'send', packet, session }
  }
}

function message(qos: 1 | 2): PublishInput {
  return { type: 'publish', topic: 'a', payload: 'x', qos }
}

function ourExchanges(role: Role, version: ProtocolVersion, ids: readonly number[]): readonly Letter[] {
  const requests: readonly Letter[] = role === 'server' ? [] : [
    ['send subscribe', { type: 'send', packet: { type: 'subscribe', subscriptions: [{ filter: 'a', qos: 1 }] }, token: 'subscribe?' }],
    ['send unsubscribe', { type: 'send', packet: { type: 'unsubscribe', filters: ['a'] }, token: 'unsubscribe?' }],
  ]
  return [
    ['send publish 1', { type: 'send', packet: message(1), token: 'publish 1?' }], ['send publish 2', { type: 'send', packet: message(2), token: 'publish 2?' }],
    ['send publish 1 identified', { type: 'send', packet: { ...message(1), packetId: ids.at(-1) }, token: 'publish 1?' }], ['send publish 1 dup', { type: 'send', packet: { ...message(1), dup: true } }],
    ...requests,
    ...acknowledgements(version, ids).filter(([, { type }]) => role === 'client' || (type !== 'suback' && type !== 'unsuback')).map(([name, packet]): Letter => [`received ${name}`, received(packet, version)]),
  ]
}

function acknowledgements(version: ProtocolVersion, ids: readonly number[]): readonly (readonly [name: string, packet: PacketInput])[] {
  return ids.flatMap((packetId): (readonly [string, PacketInput])[] => [
    [`puback ${packetId}`, { type: 'puback', packetId }], [`pubrec ${packetId}`, { type: 'pubrec', packetId }], [`pubcomp ${packetId}`, { type: 'pubcomp', packetId }],
    [`suback ${packetId}`, { type: 'suback', packetId, reasonCodes: [0] }], [`suback ${packetId} of two`, { type: 'suback', packetId, reasonCodes: [0, 1] }],
    [`unsuback ${packetId}`, { type: 'unsuback', packetId, ...(version === 5 ? { reasonCodes: [0] } : {}) }],
    ...(version === 5 ? [[`pubrec ${packetId} 0x97`, { type: 'pubrec', packetId, reasonCode: 0x97 }]] as const : []),
  ])
}

function publishes(version: ProtocolVersion, ids: readonly number[]): readonly (readonly [name: string, packet: PublishInput])[] {
  return ids.flatMap((packetId) => ([1, 2] as const).map((qos) => [`publish ${qos} id ${packetId}${version === 3 ? ' dup' : ''}`, { ...message(qos), packetId, dup: version === 3 }] as const))
}

function theirExchanges(role: Role, version: ProtocolVersion, ids: readonly number[]): readonly Letter[] {
  const [first] = ids as [number]
  const requests: readonly (readonly [string, PacketInput])[] = role === 'client' ? [] : [
    ['subscribe', { type: 'subscribe', packetId: first, subscriptions: [{ filter: 'a', qos: 1 }] }], ['unsubscribe', { type: 'unsubscribe', packetId: first, filters: ['a'] }],
  ]
  const answers: readonly (readonly [string, PacketInput])[] = [
    ...ids.slice(0, 2).flatMap((packetId) => [[`puback ${packetId}`, { type: 'puback', packetId }], [`pubrec ${packetId}`, { type: 'pubrec', packetId }]] as const),
    ...(version === 5 ? [[`pubrec ${first} 0x83`, { type: 'pubrec', packetId: first, reasonCode: 0x83 }], [`puback ${first} 0x83`, { type: 'puback', packetId: first, reasonCode: 0x83 }]] as const : []),
    ...(role === 'client' ? [] : [['suback', { type: 'suback', packetId: first, reasonCodes: [1] }], ['unsuback', { type: 'unsuback', packetId: first, ...(version === 5 ? { reasonCodes: [0] } : {}) }]] as const),
  ]
  return [
    ...[...publishes(version, ids), ...requests, ...ids.slice(0, 2).map((packetId) => [`pubrel ${packetId}`, { type: 'pubrel', packetId }] as const)].map(([name, packet]): Letter => [`received ${name}`, received(packet, version)]),
    ...answers.map(([name, packet]): Letter => [`send ${name}`, { type: 'send', packet }]),
    ['send pubrel', { type: 'send', packet: { type: 'pubrel', packetId: first } }], ['send pubcomp', { type: 'send', packet: { type: 'pubcomp', packetId: first } }],
  ]
}

/** Re-authentication, from either side, with the token of whom it is for. */
function authentication(): readonly Letter[] {
  return [0x18, 0x19, 0x00].flatMap((reasonCode): Letter[] => {
    const packet: PacketInput = { type: 'auth', reasonCode, properties: METHOD }
    return [[`send auth ${reasonCode}`, { type: 'send', packet, token: 'auth?' }], [`received auth ${reasonCode}`, received(packet, 5)]]
  })
}

const STORED: SavedSession = {
  clientId: 'kitchen', nextId: 3,
  sent: [{ packetId: 3, message: message(1) }, { packetId: 1 }, { packetId: 2, message: { ...message(2), payload: 'a longer one' } }],
  received: [7],
}
