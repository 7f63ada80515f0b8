// Mutations that know what a packet is made of: fields are left out, repeated, swapped, taken from other packets, and the lengths around them
// put right (mostly), so that what is wrong is looked at instead of being cut off at the first length that does not fit.
import { annotate, PROPERTIES } from '../../src/codec/index.ts'
import type { Annotation, ProtocolVersion } from '../../src/codec/index.ts'
import { splice, TOKENS } from './mutate-bytes.ts'
import type { Random } from './random.ts'

export type Kind = 'first' | 'remainingLength' | 'propertyLength' | 'property' | 'field'

/** A piece of a packet: a field, or a property from its identifier to the end of its value. */
export interface Unit {
  readonly kind: Kind
  readonly bytes: Uint8Array
}

/** The pieces of what is, or nearly is, a packet: as the version sees them in which it goes on longest without a fault. */
export function unitsOf(input: Uint8Array): readonly Unit[] {
  const known = cache.get(input)
  if (known !== undefined) return known
  const views = VERSIONS.map((version) => ({ list: annotated(input, version) })).map(({ list }) => ({ list, faultAt: list.find(({ error }) => error !== undefined)?.start ?? Infinity }))
  const best = views.reduce((a, b) => (b.faultAt > a.faultAt ? b : a))
  const units = toUnits(input, best.list)
  cache.set(input, units)
  return units
}

/** The bytes of these pieces. With `repair`, Remaining Length and Property Lengths say what is there. */
export function assemble(units: readonly Unit[], repair = true): Uint8Array {
  const parts = units.map(({ bytes }) => bytes)
  if (repair) {
    for (let i = units.length - 1; i >= 0; i--) {
      const { kind } = units[i]!
      if (kind === 'propertyLength') parts[i] = varint(sizeOf(parts, i + 1, endOfProperties(units, i + 1)))
      if (kind === 'remainingLength') parts[i] = varint(sizeOf(parts, i + 1, parts.length))
    }
  }
  const out = new Uint8Array(sizeOf(parts, 0, parts.length))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Changes the structure of `input` in one to three ways; `other` is a second packet to take pieces from. */
export function mutateStructure(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const units = [...unitsOf(input)]
  if (units.length === 0) return input
  for (let n = random.few(3); n > 0; n--) change(units, unitsOf(other), random)
  // Lengths that do not fit are faults of their own, and one of sixteen is enough of them.
  const repaired = assemble(units, !random.oneIn(16))
  return random.oneIn(24) ? bumpLength(repaired, random) : repaired
}

/** The number of bytes as a Variable Byte Integer. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; bytes.length === 0 || rest > 0; rest >>>= 7) bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
  return Uint8Array.from(bytes)
}

/** A field of text or binary data behind a two-byte length: what it holds; undefined for any other. */
export function contentOf({ kind, bytes }: Unit): { readonly at: number, readonly length: number } | undefined {
  const at = kind === 'property' ? 1 : 0
  if (kind !== 'field' && kind !== 'property') return undefined
  const length = (bytes[at]! << 8) | bytes[at + 1]!
  return bytes.length >= at + 2 && length <= bytes.length - at - 2 ? { at, length } : undefined
}

/** The unit with other content, its length put right. */
export function withContent(unit: Unit, content: Uint8Array): Unit {
  const { at, length } = contentOf(unit)!
  const prefix = Uint8Array.of(content.length >> 8, content.length)
  return { ...unit, bytes: splice(splice(unit.bytes, at + 2, at + 2 + length, content), at, at + 2, prefix) }
}

const VERSIONS: readonly ProtocolVersion[] = [5, 4, 3]
const IDENTIFIERS: readonly number[] = [...new Set(Object.values(PROPERTIES).map(({ id }) => id)), 0x00, 0x7f]
const cache = new WeakMap<Uint8Array, readonly Unit[]>()

function annotated(input: Uint8Array, version: ProtocolVersion): readonly Annotation[] {
  try {
    return annotate(input, version, { mask: false })
  } catch {
    // The check of `annotate` will say so; here there is just nothing to go by.
    return []
  }
}

function toUnits(input: Uint8Array, list: readonly Annotation[]): readonly Unit[] {
  const units: Unit[] = []
  let propertiesEnd = -1
  let property = -1
  const closeProperty = (end: number): void => {
    if (property >= 0) units.push({ kind: 'property', bytes: input.slice(property, end) })
    property = -1
  }
  for (const { start, end, name, value } of list) {
    if (start >= propertiesEnd || name === 'Property Identifier') closeProperty(start)
    if (name === 'Property Identifier') property = start
    if (property >= 0) continue
    if (name === 'Property Length' && typeof value === 'number') propertiesEnd = end + value
    const kind = start === 0 ? 'first' : name === 'Remaining Length' ? 'remainingLength' : name === 'Property Length' ? 'propertyLength' : 'field'
    if (end > start) units.push({ kind, bytes: input.slice(start, end) })
  }
  closeProperty(input.length)
  return units
}

function change(units: Unit[], others: readonly Unit[], random: Random): void {
  const i = random.below(units.length)
  const unit = units[i]
  if (unit === undefined) return
  switch (random.below(11)) {
    case 0: units.splice(i, 1); break
    case 1: units.splice(i, 0, unit); break
    case 2: {
      const j = random.below(units.length)
      units[i] = units[j]!
      units[j] = unit
      break
    }
    case 3: if (others.length > 0) units.splice(i + 1, 0, random.pick(others)); break
    case 4: {
      // A property where properties are.
      const properties = others.filter(({ kind }) => kind === 'property')
      const at = units.findIndex(({ kind }) => kind === 'propertyLength')
      if (properties.length > 0 && at >= 0) units.splice(at + 1, 0, random.pick(properties))
      break
    }
    case 5: if (others.length > 0) units[i] = random.pick(others); break
    case 6:
    case 7: if (contentOf(unit) !== undefined) units[i] = withContent(unit, newContent(unit, random)); break
    case 8: {
      const content = contentOf(unit)
      if (content !== undefined) units[i] = { ...unit, bytes: splice(unit.bytes, content.at + 1, content.at + 2, [unit.bytes[content.at + 1]! + (random.oneIn(2) ? 1 : -1)]) }
      break
    }
    case 9:
      // The first byte of a property is its identifier, of a packet its type; a version stands alone in its field.
      if (unit.kind === 'property') units[i] = { ...unit, bytes: splice(unit.bytes, 0, 1, [random.pick(IDENTIFIERS)]) }
      else if (unit.bytes.length === 1) units[i] = { ...unit, bytes: Uint8Array.of(random.oneIn(2) ? 3 + random.below(3) : random.byte()) }
      break
    default: {
      const [first] = units
      if (first?.kind === 'first') units[0] = { ...first, bytes: Uint8Array.of((random.below(16) << 4) | (random.oneIn(3) ? random.below(16) : random.oneIn(2) ? 2 : first.bytes[0]! & 15)) }
    }
  }
}

function newContent(unit: Unit, random: Random): Uint8Array {
  const { at, length } = contentOf(unit)!
  const old = unit.bytes.subarray(at + 2, at + 2 + length)
  switch (random.below(6)) {
    case 0: return Uint8Array.from(random.pick(TOKENS))
    case 1: return new Uint8Array(0)
    case 2: return splice(old, random.below(length + 1), length, random.pick(TOKENS))
    case 3: return splice(old, 0, 0, random.pick(TOKENS))
    // Around the length up to which short strings take another way, and around one that takes two bytes to say.
    case 4: return new Uint8Array(random.pick([22, 23, 24, 25, 126, 127, 128, 129])).fill(random.oneIn(2) ? 0x61 : 0x2f)
    default: {
      const text = new TextEncoder().encode('aé☃/')
      return Uint8Array.from({ length: random.few(30) }, (_, i) => text[(i + length) % text.length]!)
    }
  }
}

function bumpLength(packet: Uint8Array, random: Random): Uint8Array {
  if (packet.length < 2) return packet
  return splice(packet, 1, 2, [packet[1]! + (random.oneIn(2) ? 1 : -1)])
}

/** Properties follow their length; where something else stands between them, they end. */
function endOfProperties(units: readonly Unit[], from: number): number {
  let end = from
  while (units[end]?.kind === 'property') end++
  return end
}

function sizeOf(parts: readonly Uint8Array[], from: number, to: number): number {
  let size = 0
  for (let i = from; i < to; i++) size += parts[i]!.length
  return size
}
