// SPDX-License-Identifier: MIT
// MQTT 5.0 Properties as data (5.0 §2.2.2), and the two functions that read and write them from the rows.
//  1. A property's identifier, type, carriers and forbidden values are decided here and nowhere else.
//  2. Nothing below the table knows a single property: to add one, add a row.
import type { Reader } from './reader.ts'
import type { RuleName } from './rules.ts'
import { topicNameFault } from './topic.ts'
import type { Writer } from './writer.ts'

/**
 * How a value is laid out, and which values the standard forbids:
 * `bit` one byte, 0 or 1, as a number · `boolean` one byte, 0 or 1, as a boolean · `u16` `u32` big-endian ·
 * `positive16` `positive32` the same, but not 0 · `alias` u16, 0 is Topic Alias invalid (0x94) · `identifier` Variable Byte Integer, not 0 ·
 * `identifiers` the same, may repeat · `string` · `topic` string that is a Topic Name · `binary` · `pairs` string pairs, may repeat
 */
type Kind =
  | 'bit' | 'boolean' | 'u16' | 'u32' | 'positive16' | 'positive32' | 'alias'
  | 'identifier' | 'identifiers' | 'string' | 'topic' | 'binary' | 'pairs'

/** What can hold properties: a packet, or the Will inside CONNECT. */
export type Carrier =
  | 'connect' | 'will' | 'connack' | 'publish' | 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'
  | 'subscribe' | 'suback' | 'unsubscribe' | 'unsuback' | 'disconnect' | 'auth'

interface PropertyRow {
  readonly id: number
  readonly title: string
  readonly kind: Kind
  readonly carriers: readonly Carrier[]
  /** the statement about its values, where there is one */
  readonly rule?: string
}

/** Table 2-4, in its order. Subscription Identifier has two rows: in PUBLISH it repeats, in SUBSCRIBE it may not. */
export const PROPERTIES = {
  payloadFormatIndicator: { id: 0x01, title: 'Payload Format Indicator', kind: 'bit', carriers: ['publish', 'will'], rule: 'SPEC-3.3.2.3.2-1' },
  messageExpiryInterval: { id: 0x02, title: 'Message Expiry Interval', kind: 'u32', carriers: ['publish', 'will'] },
  contentType: { id: 0x03, title: 'Content Type', kind: 'string', carriers: ['publish', 'will'] },
  responseTopic: { id: 0x08, title: 'Response Topic', kind: 'topic', carriers: ['publish', 'will'] },
  correlationData: { id: 0x09, title: 'Correlation Data', kind: 'binary', carriers: ['publish', 'will'] },
  subscriptionIdentifiers: { id: 0x0b, title: 'Subscription Identifier', kind: 'identifiers', carriers: ['publish'], rule: 'SPEC-3.3.2.3.8-1' },
  subscriptionIdentifier: { id: 0x0b, title: 'Subscription Identifier', kind: 'identifier', carriers: ['subscribe'], rule: 'SPEC-3.8.2.1.2-1' },
  sessionExpiryInterval: { id: 0x11, title: 'Session Expiry Interval', kind: 'u32', carriers: ['connect', 'connack', 'disconnect'] },
  assignedClientIdentifier: { id: 0x12, title: 'Assigned Client Identifier', kind: 'string', carriers: ['connack'] },
  serverKeepAlive: { id: 0x13, title: 'Server Keep Alive', kind: 'u16', carriers: ['connack'] },
  authenticationMethod: { id: 0x15, title: 'Authentication Method', kind: 'string', carriers: ['connect', 'connack', 'auth'] },
  authenticationData: { id: 0x16, title: 'Authentication Data', kind: 'binary', carriers: ['connect', 'connack', 'auth'] },
  requestProblemInformation: { id: 0x17, title: 'Request Problem Information', kind: 'boolean', carriers: ['connect'], rule: 'SPEC-3.1.2.11.6-1' },
  willDelayInterval: { id: 0x18, title: 'Will Delay Interval', kind: 'u32', carriers: ['will'] },
  requestResponseInformation: { id: 0x19, title: 'Request Response Information', kind: 'boolean', carriers: ['connect'], rule: 'SPEC-3.1.2.11.6-1' },
  responseInformation: { id: 0x1a, title: 'Response Information', kind: 'string', carriers: ['connack'] },
  serverReference: { id: 0x1c, title: 'Server Reference', kind: 'string', carriers: ['connack', 'disconnect'] },
  reasonString: {
    id: 0x1f, title: 'Reason String', kind: 'string',
    carriers: ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'disconnect', 'auth'],
  },
  receiveMaximum: { id: 0x21, title: 'Receive Maximum', kind: 'positive16', carriers: ['connect', 'connack'], rule: 'SPEC-3.1.2.11.3-1' },
  topicAliasMaximum: { id: 0x22, title: 'Topic Alias Maximum', kind: 'u16', carriers: ['connect', 'connack'] },
  topicAlias: { id: 0x23, title: 'Topic Alias', kind: 'alias', carriers: ['publish'] },
  maximumQos: { id: 0x24, title: 'Maximum QoS', kind: 'bit', carriers: ['connack'], rule: 'SPEC-3.2.2.3-1' },
  retainAvailable: { id: 0x25, title: 'Retain Available', kind: 'boolean', carriers: ['connack'], rule: 'SPEC-3.2.2.3-1' },
  userProperties: {
    id: 0x26, title: 'User Property', kind: 'pairs',
    carriers: [
      'connect', 'will', 'connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp',
      'subscribe', 'suback', 'unsubscribe', 'unsuback', 'disconnect', 'auth',
    ],
  },
  maximumPacketSize: { id: 0x27, title: 'Maximum Packet Size', kind: 'positive32', carriers: ['connect', 'connack'], rule: 'SPEC-3.1.2.11.4-1' },
  wildcardSubscriptionAvailable: { id: 0x28, title: 'Wildcard Subscription Available', kind: 'boolean', carriers: ['connack'], rule: 'SPEC-3.2.2.3-1' },
  subscriptionIdentifiersAvailable: { id: 0x29, title: 'Subscription Identifiers Available', kind: 'boolean', carriers: ['connack'], rule: 'SPEC-3.2.2.3-1' },
  sharedSubscriptionAvailable: { id: 0x2a, title: 'Shared Subscription Available', kind: 'boolean', carriers: ['connack'], rule: 'SPEC-3.2.2.3-1' },
} as const

/** A property's name, a key of PROPERTIES (5.0 §2.2.2.2). */
export type PropertyName = keyof typeof PROPERTIES

interface KindValues {
  bit: 0 | 1
  boolean: boolean
  u16: number
  u32: number
  positive16: number
  positive32: number
  alias: number
  identifier: number
  identifiers: readonly number[]
  string: string
  topic: string
  binary: Uint8Array
  pairs: readonly (readonly [name: string, value: string])[]
}

/** The properties a packet (or Will) may carry, from the rows: one in the wrong place is a type error. */
export type PropertiesOf<C extends Carrier> = {
  readonly [N in PropertyName as C extends (typeof PROPERTIES)[N]['carriers'][number] ? N : never]?: KindValues[(typeof PROPERTIES)[N]['kind']] | undefined
}

/**
 * Reads Property Length and the properties behind it (5.0 §2.2.2); undefined when there are none.
 * Throws for an unknown, misplaced or repeated property, a forbidden value, and a length that does not end where a property does.
 */
export function readProperties<C extends Carrier>(r: Reader, carrier: C): PropertiesOf<C> | undefined {
  const lengthAt = r.position
  const length = r.varint('Property Length')
  if (length === 0) return undefined
  if (length > r.end - r.position) throw r.fault('propertyLength', lengthAt, `${length} bytes are announced and ${r.end - r.position} are left`)
  const outer = r.within(length)
  const columns = BY_ID[carrier]
  const properties: { [name: string]: unknown } = {}
  let seen = 0
  let dataAt = -1
  while (r.position < r.end) {
    const at = r.position
    const id = r.varint('Property Identifier')
    const column = columns[id]
    if (column === undefined) throw r.fault(KNOWN[id] === undefined ? 'propertyUnknown' : 'propertyMisplaced', at, unexpected(id, carrier))
    const { name, bit } = column
    if (column.repeats) {
      const value = column.kind === 'pairs' ? [r.string(USER_PROPERTY_NAME), r.string(USER_PROPERTY_VALUE)] : readValue(r, column)
      if (properties[name] === undefined) properties[name] = [value]
      else (properties[name] as unknown[]).push(value)
      continue
    }
    if ((seen & bit) !== 0) throw r.fault('propertyRepeated', at, `a second ${column.title}`)
    seen |= bit
    if (id === PROPERTIES.authenticationData.id) dataAt = at
    properties[name] = readValue(r, column)
  }
  r.end = outer
  if (dataAt >= 0 && properties['authenticationMethod'] === undefined) throw r.fault('authenticationMethod', dataAt, 'Authentication Data alone')
  return properties as PropertiesOf<C>
}

/** Writes Property Length and the properties in the order of Table 2-4; for `undefined` the length 0 [MQTT-2.2.2-1]. */
export function writeProperties<C extends Carrier>(w: Writer, carrier: C, given: PropertiesOf<C> | undefined, path = 'properties'): void {
  if (given === undefined) return w.u8(0)
  const lengthAt = w.reserveVarint()
  if (typeof given !== 'object' || given === null) throw w.wrongType(given, path, 'an object')
  const properties = given as { readonly [name: string]: unknown }
  const { held } = w
  const columns = BY_NAME[carrier]
  let found = 0
  let stray = false
  for (const name in properties) {
    const value = properties[name]
    if (value === undefined) continue
    const column = columns[name]
    if (column === undefined) {
      stray = true
      continue
    }
    found |= column.bit
    held[column.place] = value
  }
  w.base = path
  // The bits stand in the table's order, whatever order the names came in.
  for (let left = found; left !== 0; left &= left - 1) {
    const place = 31 - Math.clz32(left & -left)
    const value = held[place]
    held[place] = undefined
    writeProperty(w, COLUMNS[place]!, value)
  }
  if (stray) throw strayProperty(w, carrier, properties)
  if ((found & AUTHENTICATION) === AUTHENTICATION_DATA) {
    throw w.misuse('authenticationMethod', 'authenticationData', 'Authentication Data alone')
  }
  w.base = ''
  w.patchVarint(lengthAt)
}

/** Refuses properties before 5.0; what the writers of 3.x call where 5.0's write them. */
export function refuseProperties(w: Writer, given: unknown, path = 'properties'): void {
  if (given !== undefined) throw w.misuse('versionFive', path, 'properties in a packet of MQTT 3.x')
}

function readValue(r: Reader, column: Column): unknown {
  const at = r.position
  switch (column.kind) {
    case 'bit': {
      const value = r.u8(column.title)
      if (value > 1) throw r.fault('propertyValue', at, `${column.title} is ${value}, not 0 or 1`, column.rule)
      return value
    }
    case 'boolean': {
      const value = r.u8(column.title)
      if (value > 1) throw r.fault('propertyValue', at, `${column.title} is ${value}, not 0 or 1`, column.rule)
      return value === 1
    }
    case 'u16': return r.u16(column.title)
    case 'u32': return r.u32(column.title)
    case 'positive16': return nonZero(r, column, at, r.u16(column.title))
    case 'positive32': return nonZero(r, column, at, r.u32(column.title))
    case 'alias': {
      const value = r.u16(column.title)
      if (value === 0) throw r.fault('topicAlias', at, 'Topic Alias 0')
      return value
    }
    case 'identifier':
    case 'identifiers': return nonZero(r, column, at, r.varint(column.title))
    case 'topic': {
      const value = r.string(column.title)
      if (topicNameFault(value) !== undefined) throw r.fault('responseTopic', at, `${column.title} ${JSON.stringify(value)}`)
      return value
    }
    case 'binary': return r.binary(column.title)
    default: return r.string(column.title)
  }
}

function nonZero(r: Reader, column: Column, at: number, value: number): number {
  if (value === 0) throw r.fault('propertyValue', at, `${column.title} is 0`, column.rule)
  return value
}

function writeProperty(w: Writer, column: Column, value: unknown): void {
  const { name } = column
  if (!column.repeats) {
    w.u8(column.id)
    return writeValue(w, column, value)
  }
  if (!Array.isArray(value)) throw w.wrongType(value, name, 'an array')
  for (let i = 0; i < value.length; i++) {
    w.item = i
    w.u8(column.id)
    if (column.kind === 'pairs') writePair(w, value[i], name)
    else writeValue(w, column, value[i])
  }
  w.item = -1
}

function writePair(w: Writer, pair: unknown, name: string): void {
  if (!Array.isArray(pair) || pair.length !== 2) throw w.wrongType(pair, name, 'a [name, value] pair')
  w.part = 0
  w.string(pair[0], name)
  w.part = 1
  w.string(pair[1], name)
  w.part = -1
}

function writeValue(w: Writer, column: Column, value: unknown): void {
  const { name } = column
  switch (column.kind) {
    case 'bit':
      if (value !== 0 && value !== 1) throw w.misuse('propertyValue', name, `${String(value)}, not 0 or 1`, column.rule)
      return w.u8(value)
    case 'boolean':
      if (typeof value !== 'boolean') throw w.wrongType(value, name, 'a boolean')
      return w.u8(value ? 1 : 0)
    case 'alias':
      if (value === 0) throw w.misuse('topicAlias', name, 'Topic Alias 0')
      return w.u16(value as number, name)
    case 'u16': return w.u16(value as number, name)
    case 'u32': return w.u32(value as number, name)
    case 'positive16':
      refuseZero(w, column, value)
      return w.u16(value as number, name)
    case 'positive32':
      refuseZero(w, column, value)
      return w.u32(value as number, name)
    case 'identifier':
    case 'identifiers':
      refuseZero(w, column, value)
      return w.varint(value as number, name)
    case 'topic':
      if (typeof value === 'string' && topicNameFault(value) !== undefined) throw w.misuse('responseTopic', name, JSON.stringify(value))
      return w.string(value as string, name)
    case 'binary': return w.binary(value as Uint8Array, name)
    default: return w.string(value as string, name)
  }
}

function refuseZero(w: Writer, column: Column, value: unknown): void {
  if (value === 0) throw w.misuse('propertyValue', column.name, `${column.title} is 0`, column.rule)
}

function strayProperty(w: Writer, carrier: Carrier, properties: { readonly [name: string]: unknown }): Error {
  const allowed = BY_NAME[carrier]
  let stray = ''
  for (const name in properties) {
    if (properties[name] !== undefined && allowed[name] === undefined) stray = name
  }
  const rule: RuleName = Object.hasOwn(PROPERTIES, stray) ? 'propertyMisplaced' : 'propertyUnknown'
  return w.misuse(rule, stray, rule === 'propertyMisplaced' ? `not a property of ${carrier.toUpperCase()}` : 'no property of MQTT 5.0')
}

function unexpected(id: number, carrier: Carrier): string {
  const title = KNOWN[id]
  const hex = `0x${id.toString(16).padStart(2, '0')}`
  return title === undefined ? `identifier ${hex} is no property` : `${title} (${hex}) in ${carrier === 'will' ? 'the Will Properties' : carrier.toUpperCase()}`
}

/** A row with what is made of it: all of one shape, as the rows are not. */
interface Column {
  readonly name: string
  readonly id: number
  readonly title: string
  readonly kind: Kind
  readonly rule: string | undefined
  readonly carriers: readonly Carrier[]
  /** its place in the table */
  readonly place: number
  /** its bit in the set of properties seen */
  readonly bit: number
  readonly repeats: boolean
}

const COLUMNS: readonly Column[] = /* @__PURE__ */ Object.entries(PROPERTIES).map(columnOf)

function columnOf([name, row]: readonly [string, PropertyRow], place: number): Column {
  const { id, title, kind, rule, carriers } = row
  return { name, id, title, kind, rule, carriers, place, bit: 1 << place, repeats: kind === 'pairs' || kind === 'identifiers' }
}

const USER_PROPERTY_NAME = 'User Property name'
const USER_PROPERTY_VALUE = 'User Property value'

/** The property with this identifier as the standard calls it; undefined where there is none. */
export function propertyTitle(id: number): string | undefined {
  return KNOWN[id]
}

/** Titles by identifier. */
const KNOWN: readonly (string | undefined)[] = /* @__PURE__ */ byId(COLUMNS).map((column) => column?.title)

/** Each carrier's by identifier. */
const BY_ID: { readonly [C in Carrier]: readonly (Column | undefined)[] } = /* @__PURE__ */ perCarrier(byId)

/** Each carrier's by name: tables without a prototype to find other names in. */
const BY_NAME: { readonly [C in Carrier]: { readonly [name: string]: Column | undefined } } = /* @__PURE__ */ perCarrier((columns) =>
  Object.assign(Object.create(null) as object, Object.fromEntries(columns.map((column) => [column.name, column]))))

const AUTHENTICATION_DATA: number = /* @__PURE__ */ bitsOf('authenticationData')
const AUTHENTICATION: number = /* @__PURE__ */ bitsOf('authenticationData', 'authenticationMethod')

function bitsOf(...names: readonly PropertyName[]): number {
  return COLUMNS.reduce((bits, { name, bit }) => (names.includes(name as PropertyName) ? bits | bit : bits), 0)
}

function byId(columns: readonly Column[]): (Column | undefined)[] {
  const table = new Array<Column | undefined>(0x2b).fill(undefined)
  for (const column of columns) table[column.id] = column
  return table
}

function perCarrier<T>(make: (columns: readonly Column[]) => T): { readonly [C in Carrier]: T } {
  const carriers = new Set(COLUMNS.flatMap((column) => column.carriers))
  return Object.fromEntries([...carriers].map((carrier) => [carrier, make(COLUMNS.filter((column) => column.carriers.includes(carrier)))])) as { readonly [C in Carrier]: T }
}
