// SPDX-License-Identifier: MIT
// The fields of every Control Packet as options of `connack encode`.
//  1. Which fields a packet has, and how a person writes their values, is decided here; its properties are the rows of PROPERTIES.
//  2. What is legal is not decided here: the encoder judges, and its UsageError names the field.
import { fromHex, PROPERTIES } from '../codec/index.ts'
import type { Carrier, PacketType } from '../codec/index.ts'
import { Misused } from './io.ts'
import type { OptionRow } from './options.ts'

/** How a value is written: see KINDS. */
type Kind = 'text' | 'number' | 'switch' | 'hex' | 'pair'

interface FieldRow {
  readonly option: string
  readonly kind: Kind
  /** where it goes: `will.qos`; `filters[]` appends, `subscriptions[].qos` is a field of the last one */
  readonly path: string
  readonly help: string
}

/** An option and the field it fills. */
export interface FieldOption extends OptionRow {
  readonly row: FieldRow
}

const PACKET_ID: FieldRow = { option: 'packet-id', kind: 'number', path: 'packetId', help: 'Packet Identifier, 1 to 65535' }
const REASON: FieldRow = { option: 'reason-code', kind: 'number', path: 'reasonCode', help: 'Reason Code, such as 0x87' }
const REASONS: FieldRow = { option: 'reason-code', kind: 'number', path: 'reasonCodes[]', help: 'Reason Code, once for each Topic Filter' }

const FIELDS: { readonly [T in PacketType]: readonly FieldRow[] } = {
  connect: [
    { option: 'client-id', kind: 'text', path: 'clientId', help: "Client Identifier; default ''" },
    { option: 'clean-start', kind: 'switch', path: 'cleanStart', help: 'Clean Start, in 3.x Clean Session; default true' },
    { option: 'keep-alive', kind: 'number', path: 'keepAlive', help: 'seconds; default 60' },
    { option: 'username', kind: 'text', path: 'username', help: 'User Name' },
    { option: 'password', kind: 'text', path: 'password', help: 'Password' },
    { option: 'password-hex', kind: 'hex', path: 'password', help: 'Password as bytes' },
    { option: 'will-topic', kind: 'text', path: 'will.topic', help: 'Will Topic' },
    { option: 'will-payload', kind: 'text', path: 'will.payload', help: 'Will Payload' },
    { option: 'will-payload-hex', kind: 'hex', path: 'will.payload', help: 'Will Payload as bytes' },
    { option: 'will-qos', kind: 'number', path: 'will.qos', help: '0 to 2' },
    { option: 'will-retain', kind: 'switch', path: 'will.retain', help: 'Will Retain' },
    { option: 'bridge', kind: 'switch', path: 'bridge', help: '3.x: bit 7 of the level, as bridges have it' },
  ],
  connack: [{ option: 'session-present', kind: 'switch', path: 'sessionPresent', help: 'Session Present' }, REASON],
  publish: [
    { option: 'topic', kind: 'text', path: 'topic', help: 'Topic Name' },
    { option: 'payload', kind: 'text', path: 'payload', help: "payload as text; default ''" },
    { option: 'payload-hex', kind: 'hex', path: 'payload', help: 'payload as bytes' },
    { option: 'qos', kind: 'number', path: 'qos', help: '0 to 2' },
    { option: 'retain', kind: 'switch', path: 'retain', help: 'RETAIN' },
    { option: 'dup', kind: 'switch', path: 'dup', help: 'DUP' },
    PACKET_ID,
  ],
  puback: [PACKET_ID, REASON],
  pubrec: [PACKET_ID, REASON],
  pubrel: [PACKET_ID, REASON],
  pubcomp: [PACKET_ID, REASON],
  subscribe: [
    PACKET_ID,
    { option: 'filter', kind: 'text', path: 'subscriptions[].filter', help: 'Topic Filter; repeat it for more. The options below belong to the filter before them' },
    { option: 'qos', kind: 'number', path: 'subscriptions[].qos', help: '0 to 2; default 0' },
    { option: 'no-local', kind: 'switch', path: 'subscriptions[].noLocal', help: 'No Local (5.0)' },
    { option: 'retain-as-published', kind: 'switch', path: 'subscriptions[].retainAsPublished', help: 'Retain As Published (5.0)' },
    { option: 'retain-handling', kind: 'number', path: 'subscriptions[].retainHandling', help: '0 to 2 (5.0)' },
  ],
  suback: [PACKET_ID, REASONS],
  unsubscribe: [PACKET_ID, { option: 'filter', kind: 'text', path: 'filters[]', help: 'Topic Filter; repeat it for more' }],
  unsuback: [PACKET_ID, REASONS],
  pingreq: [],
  pingresp: [],
  disconnect: [REASON],
  auth: [REASON],
}

/** What is there without being said; what the encoder asks for and has no obvious value is not. */
const DEFAULTS: { readonly [T in PacketType]?: object } = {
  connect: { clientId: '', cleanStart: true, keepAlive: 60 },
  connack: { reasonCode: 0 },
  publish: { payload: '' },
}

/** Of the kinds that properties have, how a person writes each. */
const PROPERTY_KINDS: { readonly [K in (typeof PROPERTIES)[keyof typeof PROPERTIES]['kind']]: readonly [kind: Kind, repeats: boolean] } = {
  bit: ['number', false], boolean: ['switch', false], u16: ['number', false], u32: ['number', false], positive16: ['number', false], positive32: ['number', false],
  alias: ['number', false], identifier: ['number', false], identifiers: ['number', true], string: ['text', false], topic: ['text', false], binary: ['hex', false], pairs: ['pair', true],
}

const KINDS: { readonly [K in Kind]: { readonly value: string, readonly read: (value: string, option: string) => unknown } } = {
  text: { value: 'TEXT', read: (value) => value },
  number: { value: 'NUMBER', read: readNumber },
  switch: { value: 'true|false', read: readSwitch },
  hex: { value: 'HEX', read: readHex },
  pair: { value: 'NAME=VALUE', read: readPair },
}

/** The options of one packet: its fields, then its properties, and for CONNECT those of the Will. */
export function fieldOptions(type: PacketType): readonly FieldOption[] {
  return [...FIELDS[type], ...propertyRows(type as Carrier, 'properties', ''), ...type === 'connect' ? propertyRows('will', 'will.properties', 'will-') : []].map(optionOf)
}

/** The packet that options give, in the order they stood. Throws Misused for a value that cannot be read. */
export function packetOf(type: PacketType, given: readonly (readonly [name: string, value: string | true])[], version: number): object {
  const options = fieldOptions(type)
  const packet: Tree = { type, ...(type === 'connect' ? { version } : {}), ...DEFAULTS[type] }
  for (const [name, value] of given) {
    const option = options.find(({ names }) => names[0] === name)
    if (option !== undefined) put(packet, option.row, KINDS[option.row.kind].read(String(value), name))
  }
  for (const subscription of (packet['subscriptions'] ?? []) as Tree[]) subscription['qos'] ??= 0
  return packet
}

/** The option that fills the field a UsageError names; undefined where none does. */
export function optionFor(type: PacketType, path: string): string | undefined {
  const plain = path.replace(/\[\d+\](\[\d\])?$/, '[]').replace(/\[\d+\]\./, '[].')
  return fieldOptions(type).find(({ row }) => row.path === plain || row.path === path)?.names[0]
}

type Tree = { [name: string]: unknown }

function propertyRows(carrier: Carrier, base: string, prefix: string): FieldRow[] {
  return Object.entries(PROPERTIES).filter(([, { carriers }]) => (carriers as readonly Carrier[]).includes(carrier)).map(([name, { title, id, kind }]) => {
    const [written, repeats] = PROPERTY_KINDS[kind]
    const option = title.toLowerCase().replaceAll(' ', '-')
    return {
      option: option.startsWith(prefix) ? option : `${prefix}${option}`,
      kind: written, path: `${base}.${name}${repeats ? '[]' : ''}`,
      help: `property 0x${id.toString(16).padStart(2, '0')} (5.0)${repeats ? ', may be repeated' : ''}`,
    }
  })
}

function optionOf(row: FieldRow): FieldOption {
  return { names: [row.option], value: KINDS[row.kind].value, help: row.help, row }
}

/** Puts a value where its path says. */
function put(packet: Tree, { path, option }: FieldRow, value: unknown): void {
  const parts = path.split('.')
  let here = packet
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1
    const list = part.endsWith('[]') ? part.slice(0, -2) : undefined
    if (list === undefined) {
      if (last) here[part] = value
      else here = (here[part] ??= {}) as Tree
      continue
    }
    const items = (here[list] ??= []) as unknown[]
    if (last) items.push(value)
    // The first field of an element begins another one.
    else if (parts[i + 1] === 'filter') items.push(here = {})
    else if (items.length === 0) throw new Misused(`--${option} belongs to a --filter before it`)
    else here = items.at(-1) as Tree
  }
}

function readNumber(value: string, option: string): number {
  if (!/^(0x[0-9a-f]+|-?\d+(\.\d+)?)$/i.test(value)) throw new Misused(`--${option} wants a number such as 10 or 0x0a, not ${JSON.stringify(value)}`)
  return Number(value)
}

function readSwitch(value: string, option: string): boolean {
  const known: { readonly [word: string]: boolean | undefined } = { true: true, 1: true, yes: true, false: false, 0: false, no: false }
  const read = Object.hasOwn(known, value.toLowerCase()) ? known[value.toLowerCase()] : undefined
  if (read === undefined) throw new Misused(`--${option} wants true or false, not ${JSON.stringify(value)}`)
  return read
}

function readHex(value: string, option: string): Uint8Array {
  try {
    return fromHex(value)
  } catch {
    throw new Misused(`--${option} wants hexadecimal, not ${JSON.stringify(value.slice(0, 40))}`)
  }
}

function readPair(value: string, option: string): readonly [string, string] {
  const equals = value.indexOf('=')
  if (equals < 0) throw new Misused(`--${option} wants NAME=VALUE, not ${JSON.stringify(value)}`)
  return [value.slice(0, equals), value.slice(equals + 1)]
}
