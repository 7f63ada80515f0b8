// SPDX-License-Identifier: MIT
// What `connack conform` sends: every malformed CONNECT of the fixtures, a selection of the other packets a Client sends, and a few that must be answered.
//  1. What a server must do with a case is decided here and nowhere else; where the standard leaves room there is no case.
//  2. Nothing here may leave a trace on the server: no retained message, no session, no Will.
import { readFileSync } from 'node:fs'
import { encode, fromHex, fromJson, PACKETS, PacketStream } from '../codec/index.ts'
import type { ConnectInput, PacketInput, PacketType, ProtocolVersion, Subscription } from '../codec/index.ts'
import { Refused } from './io.ts'

export interface Case {
  readonly id: string
  readonly title: string
  readonly version: ProtocolVersion
  readonly bytes: Uint8Array
  /** send these behind a CONNECT that was accepted */
  readonly connected: boolean
  /** what the server must do: end the connection, or answer with this packet */
  readonly expect: 'close' | PacketType
}

interface Fixture {
  readonly id: string
  readonly title: string
  readonly spec: readonly string[]
  readonly hex: string
  readonly canonical?: boolean
  readonly packet?: object
  readonly error?: { readonly reasonCode: number }
}

/** Cases of each kind of packet besides CONNECT, each for another statement. */
const OTHERS_EACH = 8
const VALID_CONNECTS = 10

/**
 * Where a server may do something else than close: 0x8f and 0x90 name filters and topics that it does not accept, which it may say in an
 * acknowledgement; of a Payload Format Indicator of 2 no statement says what it is.
 */
const ROOM_CODES: ReadonlySet<number> = new Set([0x8f, 0x90])
const ROOM_STATEMENTS: ReadonlySet<string> = new Set(['SPEC-3.3.2.3.2-1'])

/** All cases of one version, those with a CONNECT first. Throws Refused where the fixtures are not there. */
export function casesOf(version: ProtocolVersion): readonly Case[] {
  const senders = Object.entries(PACKETS).filter(([type, { senders, since }]) => type !== 'connect' && senders !== 'server' && since <= version).map(([type]) => type as PacketType)
  const connects = load(version, 'connect')
  return [
    ...connects.filter((one) => mustClose(one, undefined)).map((one) => caseOf(one, version, false, 'close')),
    ...connects.filter(isHarmlessConnect).filter((_, i, all) => i % Math.ceil(all.length / VALID_CONNECTS) === 0).map((one) => caseOf(one, version, false, 'connack')),
    ...senders.flatMap((type) => selection(load(version, type), version).map((one) => caseOf(one, version, true, 'close'))),
    ...exchanges(version),
  ]
}

/** Packets that must be answered, and two that come at the wrong time. */
function exchanges(version: ProtocolVersion): Case[] {
  const connect: ConnectInput = { type: 'connect', version, clientId: 'connackconform', cleanStart: true, keepAlive: 60 }
  const filter: Subscription = { filter: 'connack/conform', qos: 1, ...(version === 5 ? { noLocal: false, retainAsPublished: false, retainHandling: 2 } : {}) }
  const rows: readonly (readonly [name: string, title: string, packet: PacketInput, connected: boolean, expect: Case['expect']])[] = [
    ['pingreq', 'PINGREQ is answered with PINGRESP', { type: 'pingreq' }, true, 'pingresp'],
    ['subscribe', 'SUBSCRIBE is answered with SUBACK', { type: 'subscribe', packetId: 1, subscriptions: [filter] }, true, 'suback'],
    ['unsubscribe', 'UNSUBSCRIBE is answered with UNSUBACK', { type: 'unsubscribe', packetId: 2, filters: ['connack/conform'] }, true, 'unsuback'],
    ['publish-1', 'PUBLISH with QoS 1 is answered with PUBACK', { type: 'publish', topic: 'connack/conform', payload: '', qos: 1, packetId: 3 }, true, 'puback'],
    ['publish-2', 'PUBLISH with QoS 2 is answered with PUBREC', { type: 'publish', topic: 'connack/conform', payload: '', qos: 2, packetId: 4 }, true, 'pubrec'],
    ['second-connect', 'a second CONNECT ends the connection [MQTT-3.1.0-2]', connect, true, 'close'],
    ['no-connect', 'a first packet other than CONNECT ends the connection [MQTT-3.1.0-1]', { type: 'pingreq' }, false, 'close'],
  ]
  return rows.map(([name, title, packet, connected, expect]) => ({ id: `v${version}-${name}`, title, version, bytes: encode(packet, version), connected, expect }))
}

/** The first case for each statement, spread over the file. */
function selection(fixtures: readonly Fixture[], version: ProtocolVersion): Fixture[] {
  const byStatement = new Map<string, Fixture>()
  for (const one of fixtures) {
    const [statement = ''] = one.spec
    // A PUBLISH that is taken although it is malformed must not stay behind as a retained message.
    const retained = /^3[13579bdf]/.test(one.hex)
    if (!byStatement.has(statement) && !retained && mustClose(one, version)) byStatement.set(statement, one)
  }
  return [...byStatement.values()].slice(0, OTHERS_EACH)
}

/** Malformed, whole, and without room: our own stream refuses it as it stands, so a server cannot be waiting for more of it. */
function mustClose({ hex, error, spec }: Fixture, version: ProtocolVersion | undefined): boolean {
  if (error === undefined || ROOM_CODES.has(error.reasonCode) || spec.some((statement) => ROOM_STATEMENTS.has(statement))) return false
  const bytes = fromHex(hex)
  // A server may wait for the fifth byte of a length before it refuses it.
  if (bytes.subarray(1).every((byte) => byte > 0x7f)) return false
  const stream = new PacketStream({ version, maximumPacketSize: 268_435_460 })
  try {
    stream.push(bytes)
    while (stream.next() !== undefined);
    return false
  } catch {
    return true
  }
}

/** Nothing stays behind when it is accepted, and no method is asked for that a server may not have. */
function isHarmlessConnect({ packet, canonical }: Fixture): boolean {
  if (canonical !== true) return false
  const { will, cleanStart, username, password, clientId, properties = {} } = packet as Partial<ConnectInput>
  return will === undefined && cleanStart === true && username === undefined && password === undefined && /^[\w-]{1,23}$/.test(clientId ?? '') &&
    !('authenticationMethod' in properties) && !('sessionExpiryInterval' in properties)
}

function caseOf({ id, title, hex, packet }: Fixture, version: ProtocolVersion, connected: boolean, expect: Case['expect']): Case {
  return { id, title, version, connected, expect, bytes: packet === undefined ? fromHex(hex) : encode(fromJson(packet) as PacketInput, version) }
}

function load(version: ProtocolVersion, type: PacketType): readonly Fixture[] {
  const url = new URL(`../../fixtures/v${version}-${type}.json`, import.meta.url)
  try {
    return JSON.parse(readFileSync(url, 'utf8')) as readonly Fixture[]
  } catch (error) {
    throw new Refused(`the fixtures are not where they belong: ${(error as Error).message}`)
  }
}
