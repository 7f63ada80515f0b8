// SPDX-License-Identifier: MIT
// Bytes into packets as a PacketStream takes them, keeping what the stream keeps to itself: where each one lies, and what was refused.
import { annotate, PacketStream } from '../codec/index.ts'
import type { MalformedPacket, Packet, ProtocolError, ProtocolVersion } from '../codec/index.ts'

/** One packet, or the bytes that are none. */
export interface Piece {
  /** of its first byte, in the bytes it was found in */
  readonly offset: number
  readonly bytes: Uint8Array
  /** whose rules were applied; undefined where no CONNECT came first and no version was given */
  readonly version: ProtocolVersion | undefined
  /** absent where there is an error */
  readonly packet?: Packet | undefined
  readonly error?: MalformedPacket | ProtocolError | undefined
  /** the input ends inside this packet: more bytes might make it whole */
  readonly cut?: boolean | undefined
}

export interface Split {
  readonly pieces: readonly Piece[]
  /** bytes behind a fault: the stream is dead, nothing more is read of it */
  readonly unread: number
}

/** Whose rules: the CONNECT's, else those given, else those that read the most of it; `why` says which. */
export interface Judged extends Split {
  readonly version: ProtocolVersion | undefined
  readonly why: 'connect' | 'given' | 'tried'
  /** `tried`: the other versions that read as much */
  readonly also: readonly ProtocolVersion[]
}

/** The largest packet of all: what is on disk has no size limit of its own. */
const MAXIMUM_PACKET_SIZE = 268_435_460

/** Newest first: of versions that read as much, the newest counts. */
export const VERSIONS_TO_TRY: readonly ProtocolVersion[] = [5, 4, 3]

/** Packets until the bytes end or one is wrong. A CONNECT sets the version for what follows. */
export function split(bytes: Uint8Array, version: ProtocolVersion | undefined): Split {
  const stream = new PacketStream({ version, maximumPacketSize: MAXIMUM_PACKET_SIZE })
  const pieces: Piece[] = []
  let offset = 0
  stream.push(bytes)
  try {
    for (let packet = stream.next(); packet !== undefined; packet = stream.next()) {
      if (packet.type === 'connect') stream.version = packet.version
      const size = stream.lastBytes().length
      pieces.push({ offset, bytes: bytes.subarray(offset, offset + size), version: stream.version, packet })
      offset += size
    }
  } catch (thrown) {
    const error = thrown as MalformedPacket | ProtocolError
    const size = stream.lastBytes().length
    pieces.push({ offset, bytes: bytes.subarray(offset, offset + size), version: error.version ?? stream.version, error })
    return { pieces, unread: bytes.length - offset - size }
  }
  if (offset < bytes.length) {
    const rest = bytes.subarray(offset)
    const error = annotate(rest, stream.version).find((annotation) => annotation.error !== undefined)?.error
    // A stream judges a packet when it is whole; a fault in what is there is one all the same.
    const cut = error?.offset === rest.length || rest.subarray(1).every((byte) => byte > 0x7f)
    pieces.push({ offset, bytes: rest, version: stream.version, error, cut })
  }
  return { pieces, unread: 0 }
}

/** Bytes of which it may not be known whose version they are. */
export function judge(bytes: Uint8Array, given: ProtocolVersion | undefined): Judged {
  return judgeAll([bytes], given)[0]!
}

/** The same for several streams of one connection, which have one version. */
export function judgeAll(streams: readonly Uint8Array[], given: ProtocolVersion | undefined): readonly Judged[] {
  const opening = streams.find((bytes) => bytes[0]! >> 4 === 1)
  if (opening !== undefined) {
    const own = split(opening, undefined)
    const version = own.pieces[0]!.version
    return streams.map((bytes) => ({ ...(bytes === opening ? own : split(bytes, version ?? given)), version, why: 'connect', also: [] }))
  }
  if (given !== undefined) return streams.map((bytes) => ({ ...split(bytes, given), version: given, why: 'given', also: [] }))
  const tries = VERSIONS_TO_TRY.map((version) => {
    const splits = streams.map((bytes) => split(bytes, version))
    return { version, splits, read: splits.reduce((sum, one) => sum + wellRead(one), 0) }
  })
  const most = Math.max(...tries.map(({ read }) => read))
  const [best, ...others] = tries.filter(({ read }) => read === most)
  return best!.splits.map((one) => ({ ...one, version: best!.version, why: 'tried', also: others.map(({ version }) => version) }))
}

/** Bytes in packets without fault; a packet cut by the end counts half, for so far nothing speaks against it. */
function wellRead({ pieces }: Split): number {
  return pieces.reduce((sum, { bytes, error, cut }) => sum + (error === undefined ? bytes.length : cut === true ? bytes.length / 2 : 0), 0)
}
