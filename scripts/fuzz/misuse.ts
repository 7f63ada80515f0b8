// A packet with one field made wrong, as a program might: encoding refuses it with a UsageError, in whatever way it is asked, or it is fine
// after all, and then it decodes.
import type { Packet, ProtocolVersion } from '../../src/codec/index.ts'
import { attempt, checkTarget, describe, isUsageError } from './check-codec.ts'
import type { Codec } from './check-codec.ts'
import { equal } from './equal.ts'
import type { Random } from './random.ts'
import { hold } from './target.ts'

export function misuse(codec: Codec, packet: Packet, version: ProtocolVersion, random: Random): void {
  const wrong = withField(packet, random.oneIn(4) ? ['properties', random.pick(PROPERTY_NAMES)] : pathIn(packet, random), random.pick(VALUES)) as Packet
  let bytes: Uint8Array
  try {
    bytes = codec.encode(wrong, version)
  } catch (error) {
    hold(isUsageError(error), 'a wrong field is refused with a UsageError', () => `${describe(wrong)}: ${String(error)}`)
    const { path, rule, message } = error as { path?: unknown, rule?: unknown, message: string }
    hold(typeof path === 'string' && typeof rule === 'string' && rule !== '' && message !== '', 'a UsageError is complete', () => String(error))
    return checkTarget(codec, wrong, version, undefined)
  }
  // `bridge` is the one departure that an encoder makes when it is asked to.
  const lenient = (wrong as { readonly bridge?: boolean }).bridge === true ? ['bridge-level' as const] : undefined
  const result = attempt(() => codec.decode(bytes, version, { lenient }))
  hold('packet' in result, 'encode refuses what decode would refuse', () => `${describe(wrong)} became bytes that are ${'error' in result && String(result.error)}`)
  hold(equal(codec.encode(result.packet, version), bytes), 'what was encoded is what decodes', () => `${describe(wrong)} became ${describe(result.packet)}`)
  checkTarget(codec, wrong, version, bytes)
}

/** A field somewhere in a packet, by the names that lead to it. */
function pathIn(value: unknown, random: Random): string[] {
  const path: string[] = []
  for (let here = value; typeof here === 'object' && here !== null && !(here instanceof Uint8Array);) {
    const name = random.pick(Object.keys(here))
    if (name === undefined) break
    path.push(name)
    if (random.oneIn(4)) break
    here = (here as Fields)[name]
  }
  return path
}

function withField(value: unknown, [name, ...rest]: readonly string[], field: unknown): unknown {
  if (name === undefined) return field
  if (Array.isArray(value)) return value.map((item: unknown, i) => (String(i) === name ? withField(item, rest, field) : item))
  const fields = (value ?? {}) as Fields
  return { ...fields, [name]: withField(fields[name], rest, field) }
}

interface Fields { readonly [name: string]: unknown }

const PROPERTY_NAMES = ['sessionExpiryInterval', 'authenticationData', 'topicAlias', 'responseTopic', 'subscriptionIdentifiers', 'subscriptionIdentifier', 'userProperties', 'maximumQos', 'reasonString', '__proto__', 'toString']

const VALUES: readonly unknown[] = [
  undefined, null, true, false, 0, 1, 2, 3, -1, 255, 256, 65_535, 65_536, 268_435_455, 268_435_456, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1.5, NaN, Infinity, 1n,
  '', 'a', '#', 'a/+', '$share/g/a', '$share//a', 'a\0b', '\ud800', 'a\udc00b', '\ufeff', '\u{10ffff}', 'é'.repeat(12), 'x'.repeat(24), 'x'.repeat(25), 'é'.repeat(32_768), 'toString', 'connect', 'ping',
  [], [0], [1], ['a'], [['a', 'b']], [['a']], [['a', 'b', 'c']], [[1, 2]], [null], [undefined], [{}], {}, { qos: 1 }, { filter: 'a', qos: 0 }, { topic: 't', payload: '' }, new Uint8Array(0), new Uint8Array(3), new Uint8Array(65_536), () => 1,
]
