// The properties of a byte stream: packets come out alike however it is cut, an error is the end of it, and no more is kept than has come.
import { toHex } from '../../src/codec/index.ts'
import type { MalformedPacket, Packet, PacketStreamOptions, ProtocolError, ProtocolVersion } from '../../src/codec/index.ts'
import { ALL_QUIRKS, attempt, describe, sameFault, sameResult } from './check-codec.ts'
import type { Codec, Result } from './check-codec.ts'
import { equal } from './equal.ts'
import { checkFault, outcomeOf } from './fault.ts'
import { hashOf, Random } from './random.ts'
import { hold, inVersion } from './target.ts'

/** Two bytes in front of each input: how it is cut, and how large a packet may be. */
export const STREAM_CHOICES = 2

/** With no version the stream is a server's: it goes by CONNECT. */
const STREAM_VERSIONS: readonly (ProtocolVersion | undefined)[] = [3, 4, 5, undefined]
const LIMITS: readonly number[] = [1_048_576, 65_536, 1024, 64, 16, 2]
/** What a stream may keep at once for a packet that is cut, whatever has come of it. */
const FIRST_CARRY = 512
/** As long as the Remaining Length is not complete, the limit cannot be judged. */
const LENGTH_UNKNOWN = 4
/** Buffers up to this size may be slabs, which many streams share. */
const SLAB = 65_536

interface Outcome {
  readonly packets: readonly Packet[]
  readonly error: MalformedPacket | ProtocolError | undefined
  readonly pending: number
  /** bytes of the packets that came out */
  readonly consumed: number
  readonly version: ProtocolVersion | undefined
}

export function checkStream(codec: Codec, input: Uint8Array): readonly string[] {
  const bytes = input.subarray(STREAM_CHOICES)
  const cuts = cutsOf(input)
  const maximumPacketSize = limitOf(input)
  const outcomes: string[] = []
  for (const version of STREAM_VERSIONS) {
    inVersion(version, () => {
      const options = { version, maximumPacketSize }
      const whole = run(codec, bytes, [], options)
      compare(whole, run(codec, bytes, cuts, options), bytes.length, `version ${version ?? 'by CONNECT'}`)
      const last = whole.packets.at(-1)
      outcomes.push(`${version} ${Math.min(4, whole.packets.length)} ${whole.error !== undefined ? outcomeOf({ error: whole.error }) : last === undefined ? 'nothing' : last.type} ${whole.pending > 0}`)
    })
  }
  // One of four inputs is read leniently as well; in the version by CONNECT, since quirks are the same code in all.
  if (hashOf(input) % 4 === 0) checkLenient(codec, bytes, cuts, maximumPacketSize)
  return outcomes
}

/** Whole = split for lenient reading: what is forgiven is told alike, too. */
function checkLenient(codec: Codec, bytes: Uint8Array, cuts: readonly number[], maximumPacketSize: number): void {
  const read = (at: readonly number[]): Outcome & { readonly told: readonly string[] } => {
    const told: string[] = []
    const onQuirk = (error: MalformedPacket | ProtocolError): void => { told.push(`${error.rule} at ${error.offset}`) }
    return { ...run(codec, bytes, at, { maximumPacketSize, lenient: ALL_QUIRKS, onQuirk }), told }
  }
  const [whole, split] = [read([]), read(cuts)]
  compare(whole, split, bytes.length, 'lenient')
  hold(whole.told.join() === split.told.join(), 'whole = split: the same departures are told', () => `${whole.told.join()} whole, ${split.told.join()} split`)
}

function compare(whole: Outcome, split: Outcome, length: number, name: string): void {
  hold(whole.packets.length === split.packets.length && whole.packets.every((packet, i) => equal(packet, split.packets[i])), 'whole = split: the same packets', () =>
    `${name}: ${whole.packets.length} packets whole, ${split.packets.length} split${firstDifference(whole.packets, split.packets)}`)
  hold(whole.error === undefined ? split.error === undefined : split.error !== undefined && sameFault(whole.error, split.error), 'whole = split: the same error', () =>
    `${name}: ${String(whole.error)} whole, ${String(split.error)} split`)
  hold(whole.pending === split.pending && whole.consumed === split.consumed && whole.version === split.version, 'whole = split: the same is left', () =>
    `${name}: ${whole.pending} of ${length - whole.consumed} bytes whole, ${split.pending} of ${length - split.consumed} split`)
}

/** Where an input's choice cuts it: 0 at every byte, else at random places, from few to many. */
export function cutsOf(input: Uint8Array): readonly number[] {
  const choice = input[0] ?? 0
  const length = Math.max(0, input.length - STREAM_CHOICES)
  if (choice === 0) return Array.from({ length: Math.max(0, length - 1) }, (_, i) => i + 1)
  const random = new Random(choice)
  const count = random.pick([1, 1, 2, 3, 8, length >> 2])
  return [...new Set(Array.from({ length: count }, () => random.below(length + 1)))].sort((a, b) => a - b)
}

export function chunksOf(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  return [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length))
}

export function limitOf(input: Uint8Array): number {
  // Mostly a limit that is not met.
  const choice = input[1] ?? 0
  return choice < 192 ? LIMITS[0]! : LIMITS[choice % LIMITS.length]!
}

function run(codec: Codec, bytes: Uint8Array, cuts: readonly number[], options: PacketStreamOptions & { readonly maximumPacketSize: number }): Outcome {
  const { maximumPacketSize } = options
  const stream = new codec.PacketStream(options)
  const packets: Packet[] = []
  let received = 0
  let consumed = 0
  for (const [i, chunk] of chunksOf(bytes, cuts).entries()) {
    stream.push(chunk)
    received += chunk.length
    for (;;) {
      const result = next(stream)
      if (result === undefined) break
      if ('error' in result) {
        checkDead(stream, result.error, received - consumed)
        return { packets, error: result.error, pending: 0, consumed, version: stream.version }
      }
      packets.push(result.packet)
      consumed += checkFrame(codec, stream, result, options)
    }
    hold(stream.pending === received - consumed, 'pending is what has come and gone nowhere', () => `pending ${stream.pending}, received ${received}, in packets ${consumed}`)
    hold(stream.pending <= Math.max(maximumPacketSize, LENGTH_UNKNOWN), 'pending stays below the limit', () => `${stream.pending} of ${maximumPacketSize}`)
    // Looking costs more than reading: at every byte of a long stream it would be all that is done.
    if (i < 32 || i % 16 === 0) checkRetained(stream)
  }
  return { packets, error: undefined, pending: stream.pending, consumed, version: stream.version }
}

function next(stream: InstanceType<Codec['PacketStream']>): Result | undefined {
  let drained = false
  const result = attempt(() => {
    const packet = stream.next()
    drained = packet === undefined
    return packet as Packet
  })
  return drained ? undefined : result
}

/** The bytes a packet came from are that packet, taken by themselves. Returns how many there are. */
function checkFrame(codec: Codec, stream: InstanceType<Codec['PacketStream']>, result: Result, options: PacketStreamOptions): number {
  const frame = stream.lastBytes()
  const version = options.version ?? stream.version
  hold(version !== undefined, 'a stream knows its version once a packet has come', () => 'it does not')
  const alone = attempt(() => codec.decode(frame, version, { lenient: options.lenient }))
  hold(sameResult(result, alone), 'a packet of a stream is the packet of its bytes', () => `${describe(result)} in a stream, ${describe(alone)} alone: ${toHex(frame.subarray(0, 40))}`)
  return frame.length
}

/** After an error every call gives the same error, whatever is pushed, and nothing is kept. `length`: bytes that had come since the last packet. */
function checkDead(stream: InstanceType<Codec['PacketStream']>, error: MalformedPacket | ProtocolError, length: number): void {
  checkFault(error, length)
  const seen = stream.lastBytes()
  hold(seen.length <= length, 'the bytes of what is refused are some that came', () => `${seen.length} of ${length}`)
  for (let round = 0; round < 2; round++) {
    const again = next(stream)
    hold(again !== undefined && 'error' in again && again.error === error, 'after an error a stream is dead', () => `${describe(again)} after ${String(error)}`)
    hold(stream.pending === 0, 'a dead stream keeps nothing', () => `${stream.pending} bytes pending`)
    stream.push(PING)
  }
  const kept = retained(stream, seen)
  hold(kept === 0, 'a dead stream keeps nothing', () => `${kept} bytes besides the refused packet`)
}

/** A stream that has given all it can keeps the beginning of one packet, in a buffer that follows what has come. */
function checkRetained(stream: InstanceType<Codec['PacketStream']>): void {
  const most = stream.pending === 0 ? 0 : Math.max(FIRST_CARRY, 2 * stream.pending)
  const kept = retained(stream)
  hold(kept <= most, 'memory follows the bytes that have come', () => `${kept} bytes are kept for ${stream.pending} pending`)
}

/** All memory behind the stream's own fields, whatever they are called; a piece of a slab that streams share counts as the piece it is. */
function retained(stream: object, besides?: Uint8Array): number {
  const buffers = new Map<ArrayBufferLike, number>()
  for (const field of Object.values(stream)) {
    for (const bytes of within(field)) {
      if (!(bytes instanceof Uint8Array) || bytes.buffer === besides?.buffer) continue
      buffers.set(bytes.buffer, bytes.buffer.byteLength > SLAB ? bytes.buffer.byteLength : bytes.length + (buffers.get(bytes.buffer) ?? 0))
    }
  }
  return [...buffers.values()].reduce((sum, size) => sum + size, 0)
}

/** A field, or what an object in it holds, or what a list in that holds. */
function within(field: unknown): unknown[] {
  const held = typeof field === 'object' && field !== null && !(field instanceof Uint8Array) ? Object.values(field) : [field]
  return held.flat()
}

function firstDifference(a: readonly Packet[], b: readonly Packet[]): string {
  const i = a.findIndex((packet, k) => !equal(packet, b[k]))
  return i < 0 ? '' : `, number ${i + 1} ${describe(a[i])} and ${describe(b[i])}`
}

const PING = Uint8Array.of(0xc0, 0x00)
