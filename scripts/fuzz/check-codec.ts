// The properties of one Control Packet's bytes, in all versions: any bytes are a packet or one of the two named errors, and everything the
// codec offers agrees with everything else it offers.
import { QUIRKS } from '../../src/codec/index.ts'
import type { Annotation, MalformedPacket, Packet, ProtocolError, ProtocolVersion, Quirk, REASONS } from '../../src/codec/index.ts'
import type * as codecModule from '../../src/codec/index.ts'
import { equal, equalBytes } from './equal.ts'
import { checkFault, isFault, outcomeOf } from './fault.ts'
import { misuse } from './misuse.ts'
import { hashOf, Random } from './random.ts'
import { Broken, hold, inVersion } from './target.ts'

/** What is under test; a test plants bugs by handing in another. */
export type Codec = Pick<typeof codecModule, 'decode' | 'encode' | 'encodeInto' | 'encodedSize' | 'encodeParts' | 'annotate' | 'PacketStream'> & { readonly REASONS: typeof REASONS }

export type Result = { readonly packet: Packet } | { readonly error: MalformedPacket | ProtocolError }

export const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5]

/**
 * Checks these bytes; returns the outcomes, one for each version. Copies, lenience and wrong fields cost as much as all the rest, and see the same
 * bytes: each gets one of four inputs, chosen by what it is, unless `everything` is asked for.
 */
export function checkCodec(codec: Codec, input: Uint8Array, everything = false): readonly string[] {
  const before = input.slice()
  const hash = hashOf(input)
  const turn = (n: number): boolean => everything || hash % 4 === n
  const connect = input.length > 0 && input[0]! >> 4 === 1
  const outcomes: string[] = []
  let first: Result | undefined
  for (const version of VERSIONS) {
    inVersion(version, () => {
      const result = attempt(() => codec.decode(input, version))
      // CONNECT brings its version: the argument makes no difference, and checking it once will do.
      if (connect && first !== undefined) return hold(sameResult(first, result), 'CONNECT decodes alike in all versions', () => `version ${version} differs`)
      first ??= result
      checkVersion(codec, input, version, result)
      if (turn(0)) checkCopy(codec, input, version, result)
      if (turn(1)) checkLenient(codec, input, version, result)
      if (turn(2) && 'packet' in result && input.length < 4096) misuse(codec, result.packet, versionOf(result.packet, version), new Random(hash))
      outcomes.push(`${version} ${outcomeOf(result)}`)
    })
  }
  checkAnnotations(codec.annotate(input), input.length, connect ? first! : undefined)
  hold(equalBytes(before, input), 'the input is left alone', () => 'it has changed')
  return outcomes
}

function checkVersion(codec: Codec, input: Uint8Array, version: ProtocolVersion, result: Result): void {
  if ('error' in result) checkFault(result.error, input.length)
  else checkRoundTrip(codec, result.packet, versionOf(result.packet, version))
  const annotations = codec.annotate(input, version)
  checkAnnotations(annotations, input.length, result)
  if ('packet' in result) checkMasks(annotations, input, result.packet)
}

/** CONNECT is encoded in the version it announces, whatever it was decoded as. */
function versionOf(packet: Packet, given: ProtocolVersion): ProtocolVersion {
  return packet.type === 'connect' ? packet.version : given
}

/** A packet, or one of the two errors; anything else breaks the first property of all. */
export function attempt(act: () => Packet): Result {
  try {
    return { packet: act() }
  } catch (error) {
    if (!isFault(error)) throw new Broken('nothing but the named errors', String(error), error)
    return { error }
  }
}

export function sameResult(a: Result, b: Result): boolean {
  if ('error' in a) return 'error' in b && sameFault(a.error, b.error)
  return 'packet' in b && equal(a.packet, b.packet)
}

export function sameFault(a: MalformedPacket | ProtocolError, b: MalformedPacket | ProtocolError): boolean {
  return a.name === b.name && a.reasonCode === b.reasonCode && a.offset === b.offset && a.rule === b.rule && a.packet === b.packet
}

/** decode → encode → decode is equal; the size is known before; every way of encoding gives the same bytes. */
function checkRoundTrip(codec: Codec, packet: Packet, version: ProtocolVersion): void {
  let bytes: Uint8Array
  try {
    bytes = codec.encode(packet, version)
  } catch (error) {
    hold(isUsageError(error) && mayBeRefused(packet), 'what decodes can be encoded', () => `${packet.type} of version ${version}: ${String(error)}`)
    checkTarget(codec, packet, version, undefined)
    return
  }
  const first = bytes.slice()
  const again = attempt(() => codec.decode(bytes, version))
  hold('packet' in again && equal(again.packet, packet), 'decode, encode, decode is equal', () => `${describe(packet)} became ${'packet' in again ? describe(again.packet) : String(again.error)}`)
  hold(equalBytes(codec.encode(again.packet, version), bytes), 'encoding has one form', () => `a second round gives other bytes for ${describe(packet)}`)
  hold(codec.encodedSize(packet, version) === bytes.length, 'encodedSize is the size', () => `${codec.encodedSize(packet, version)}, and encode gave ${bytes.length} bytes`)
  const [head, payload] = codec.encodeParts(packet, version)
  hold(head.length + payload.length === bytes.length && equalBytes(head, bytes.subarray(0, head.length)) && equalBytes(payload, bytes.subarray(head.length)), 'the parts are the whole', () => 'encodeParts differs from encode')
  checkTarget(codec, packet, version, bytes)
  hold(equalBytes(first, bytes), 'what has been encoded stays as it is', () => `${packet.type} has changed`)
}

/** encodeInto writes exactly its packet, or refuses and writes nothing. */
export function checkTarget(codec: Codec, packet: Packet, version: ProtocolVersion, bytes: Uint8Array | undefined): void {
  const size = bytes?.length ?? 8
  const target = new Uint8Array(size + 3).fill(UNTOUCHED)
  const untouched = (from: number, to: number): boolean => target.subarray(from, to).every((byte) => byte === UNTOUCHED)
  if (bytes !== undefined) {
    refused(() => codec.encodeInto(packet, version, target.subarray(0, size - 1), 0), 'a target too small')
    refused(() => codec.encodeInto(packet, version, target, 4), 'an offset too large')
    hold(untouched(0, size + 3), 'a refusal writes nothing', () => 'a target too small has changed')
    const exact = target.subarray(1, size + 1)
    hold(codec.encodeInto(packet, version, exact, 0) === size && equalBytes(exact, bytes), 'encodeInto writes what encode gives', () => 'the bytes differ')
    hold(untouched(0, 1) && untouched(size + 1, size + 3), 'encodeInto keeps to its place', () => 'bytes around it have changed')
    target.fill(UNTOUCHED)
    hold(codec.encodeInto(packet, version, target, 2) === size + 2 && equalBytes(target.subarray(2, size + 2), bytes) && untouched(0, 2), 'encodeInto writes from its offset', () => 'the bytes differ')
  } else {
    refused(() => codec.encodeInto(packet, version, target, 0), 'encodeInto')
    refused(() => codec.encodedSize(packet, version), 'encodedSize')
    refused(() => codec.encodeParts(packet, version), 'encodeParts')
    hold(untouched(0, size + 3), 'a refusal writes nothing', () => 'the target has changed')
  }
}

/** Every byte in exactly one annotation, in order; an error marked exactly when decoding throws, and that error. */
function checkAnnotations(list: readonly Annotation[], length: number, result: Result | undefined, covers = 'annotations cover each byte once, in order'): void {
  let at = 0
  for (const { start, end } of list) {
    hold(start === at && end >= start, covers, () => `an annotation from ${start} to ${end} behind one that ends at ${at}`)
    hold(end > start || end === length, covers, () => `an empty annotation at ${start}`)
    at = end
  }
  hold(at === length, covers, () => `they end at ${at} of ${length}`)
  if (result === undefined) return
  const marked = list.filter(({ error }) => error !== undefined)
  if ('packet' in result) return hold(marked.length === 0, 'an error is marked exactly when decoding throws', () => `${String(marked[0]!.error)}, and it decodes`)
  const [mark] = marked
  hold(mark !== undefined && marked.length === 1, 'an error is marked exactly when decoding throws', () => `${marked.length} marks for ${String(result.error)}`)
  hold(sameFault(mark.error!, result.error), 'the error marked is the one thrown', () => `${String(mark.error)} for ${String(result.error)}`)
  const { offset } = result.error
  hold(mark.start === offset || (mark.start < offset && offset < mark.end), 'the mark holds the first wrong byte', () => `marked from ${mark.start} to ${mark.end}, error at ${offset}`)
}

/** No byte of a secret is named without being masked. */
function checkMasks(list: readonly Annotation[], input: Uint8Array, packet: Packet): void {
  const { password, properties } = packet as { readonly password?: Uint8Array, readonly properties?: { readonly authenticationData?: Uint8Array } }
  for (const secret of [password, properties?.authenticationData]) {
    if (secret === undefined || secret.length === 0) continue
    const from = secret.byteOffset - input.byteOffset
    for (const { start, end, masked, value } of list) {
      if (start < from + secret.length && end > from) hold(masked === true && value === undefined, 'secrets are masked', () => `bytes ${start} to ${end} are shown`)
    }
  }
}

/** With `copy` the same packet comes, and nothing in it is a view of the input. */
function checkCopy(codec: Codec, input: Uint8Array, version: ProtocolVersion, strict: Result): void {
  const copied = attempt(() => codec.decode(input, version, { copy: true }))
  hold(sameResult(strict, copied), 'copying changes nothing', () => `version ${version} differs`)
  if ('error' in copied || 'error' in strict) return
  for (const [view, copy] of [[strict.packet, false], [copied.packet, true]] as const) {
    for (const bytes of binaryOf(view)) hold((bytes.buffer === input.buffer) !== copy && Object.getPrototypeOf(bytes) === Uint8Array.prototype, copy ? 'a copy is a copy' : 'a view is a view', () => `${bytes.length} bytes in ${strict.packet.type}`)
  }
}

/** All quirks at once: still a packet or a named error; nothing changes for what is right, and whoever asks is told of what is not. */
function checkLenient(codec: Codec, input: Uint8Array, version: ProtocolVersion, strict: Result): void {
  const told: (MalformedPacket | ProtocolError)[] = []
  const result = attempt(() => codec.decode(input, version, { lenient: ALL_QUIRKS, onQuirk: (error) => { told.push(error) } }))
  if ('packet' in strict) return hold(told.length === 0 && sameResult(strict, result), 'lenience changes nothing for what is right', () => `version ${version}: ${told.length} quirks told`)
  for (const error of told) checkFault(error, input.length)
  // Refused all the same: for the same fault or for another behind it.
  if ('error' in result) checkFault(result.error, input.length)
  else hold(told.length > 0 && sameFault(told[0]!, strict.error), 'an accepted departure is told', () => `${String(told[0])} told for ${String(strict.error)}`)
  checkAnnotations(codec.annotate(input, version, { lenient: ALL_QUIRKS }), input.length, undefined, 'annotations of lenient reading cover each byte once, in order')
}

/** What a decoder must take and an encoder may not give (fixtures with `encodes: false`): 3.1's 1 to 23 characters, 3.1.1's empty identifier. */
function mayBeRefused(packet: Packet): boolean {
  if (packet.type !== 'connect') return false
  const { version, clientId, cleanStart } = packet
  const characters = Array.from(clientId).length
  return version === 3 ? characters < 1 || characters > 23 : version === 4 && clientId === '' && !cleanStart
}

function refused(act: () => unknown, what: string): void {
  try {
    act()
  } catch (error) {
    return hold(isUsageError(error), 'refusals are UsageErrors', () => `${what}: ${String(error)}`)
  }
  throw new Broken('refusals are UsageErrors', `${what} was accepted`)
}

export function isUsageError(error: unknown): boolean {
  return error instanceof Error && error.name === 'UsageError'
}

function* binaryOf(value: unknown): Generator<Uint8Array> {
  if (value instanceof Uint8Array) yield value
  else if (typeof value === 'object' && value !== null) for (const field of Object.values(value)) yield* binaryOf(field)
}

export function describe(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => (field instanceof Uint8Array ? `${field.length} bytes` : typeof field === 'bigint' ? `${field}n` : field))?.slice(0, 300) ?? 'nothing'
}

const UNTOUCHED = 0xa5
export const ALL_QUIRKS: readonly Quirk[] = Object.keys(QUIRKS) as Quirk[]
