// SPDX-License-Identifier: MIT
// Segments into connections, and each direction of a connection into its bytes: in order, each byte once, up to the first one missing.
// Segments are views of the file and are joined once; nothing grows beyond it.
import type { Endpoint } from './pcapng-write.ts'
import { readFrames } from './read.ts'
import { LINK_NAMES, segmentOf } from './segment.ts'
import type { Segment, Unread } from './segment.ts'

export interface Stream {
  readonly bytes: Uint8Array
  /** for each joined segment: where in `bytes` it ends, and when it came; in order of both */
  readonly arrivals: readonly { readonly end: number, readonly time: number }[]
  /** how many bytes are missing behind `bytes`, though later ones were captured; 0 for none */
  readonly missing: number
  /** the beginning was not captured: no SYN */
  readonly late: boolean
}

export interface Connection {
  readonly client: Endpoint
  readonly server: Endpoint
  readonly fromClient: Stream
  readonly fromServer: Stream
}

export interface Capture {
  readonly connections: readonly Connection[]
  readonly notes: readonly string[]
}

/** Every TCP connection of a pcap or pcapng file with what was sent in it, in order of first sight. */
export function readCapture(file: Uint8Array): Capture {
  const { frames, notes } = readFrames(file)
  const open = new Map<string, Gathering>()
  const all: Gathering[] = []
  const unread: { [U in Unread]: number } = { other: 0, fragment: 0, damaged: 0, link: 0 }
  for (const frame of frames) {
    const segment = segmentOf(frame)
    if (typeof segment === 'string') {
      unread[segment]++
      continue
    }
    const key = keyOf(segment)
    let gathering = open.get(key)
    // The same addresses and ports again, and another initial sequence number: another connection.
    if (gathering === undefined || gathering.renewed(segment)) {
      gathering = new Gathering(segment.from, segment.to)
      open.set(key, gathering)
      all.push(gathering)
    }
    gathering.add(segment)
  }
  return { connections: all.map((gathering) => gathering.connection()), notes: [...notes, ...unreadNotes(unread, frames[0]?.linkType)] }
}

/** What one direction has sent so far. */
interface Direction {
  readonly segments: { readonly at: number, readonly segment: Segment }[]
  /** the sequence number of its first byte, once SYN told */
  initial: number | undefined
  /** the last sequence number seen, and its distance from the first one seen: sequence numbers go round after 4 GiB */
  last: number | undefined
  distance: number
}

class Gathering {
  private readonly first: Endpoint
  private readonly second: Endpoint
  private readonly directions: readonly [Direction, Direction] = [direction(), direction()]
  /** which of the two sent SYN without ACK */
  private opener: 0 | 1 | undefined = undefined

  constructor(first: Endpoint, second: Endpoint) {
    this.first = first
    this.second = second
  }

  add(segment: Segment): void {
    const way = this.wayOf(segment)
    const to = this.directions[way]
    const { sequence } = segment
    if (to.last !== undefined) to.distance += (sequence - to.last) | 0
    to.last = sequence
    if (segment.syn) {
      if (!segment.ack) this.opener ??= way
      to.initial ??= to.distance + 1
    }
    // SYN takes a number of its own.
    if (segment.data.length + segment.lost > 0) to.segments.push({ at: to.distance + (segment.syn ? 1 : 0), segment })
  }

  renewed(segment: Segment): boolean {
    const { initial, last, distance, segments } = this.directions[this.wayOf(segment)]
    if (!segment.syn || segment.ack || last === undefined) return false
    const at = distance + ((segment.sequence - last) | 0) + 1
    return initial === undefined ? segments.length > 0 : at !== initial
  }

  connection(): Connection {
    const [one, two] = [join(this.directions[0]), join(this.directions[1])] as const
    const clientIsFirst = this.opener === undefined ? guessClient(this.first, this.second, one, two) : this.opener === 0
    return clientIsFirst
      ? { client: this.first, server: this.second, fromClient: one, fromServer: two }
      : { client: this.second, server: this.first, fromClient: two, fromServer: one }
  }

  private wayOf({ from }: Segment): 0 | 1 {
    return from.address === this.first.address && from.port === this.first.port ? 0 : 1
  }
}

function direction(): Direction {
  return { segments: [], initial: undefined, last: undefined, distance: 0 }
}

/** Joins segments by their place; of bytes that came twice the first ones count. */
function join({ segments, initial }: Direction): Stream {
  const ordered = [...segments].sort((a, b) => a.at - b.at)
  const start = initial ?? ordered[0]?.at ?? 0
  const pieces: Uint8Array[] = []
  const arrivals: { end: number, time: number }[] = []
  let end = 0
  let missing = 0
  let time = 0
  for (const { at, segment: { data, lost, time: came } } of ordered) {
    const from = at - start
    const rest = from + data.length - end
    if (rest + lost <= 0) continue
    if (from > end) {
      missing = from - end
      break
    }
    if (rest > 0) {
      pieces.push(data.subarray(data.length - rest))
      end += rest
      // A byte is known when all before it are.
      time = Math.max(time, came)
      arrivals.push({ end, time })
    }
    missing = lost
  }
  return { bytes: concat(pieces, end), arrivals, missing, late: initial === undefined }
}

/** Without a SYN: whoever sends a CONNECT, else the one with the port that is not MQTT's, else the higher port. */
function guessClient(first: Endpoint, second: Endpoint, one: Stream, two: Stream): boolean {
  const [a, b] = [startsWithConnect(one.bytes), startsWithConnect(two.bytes)]
  if (a !== b) return a
  return first.port === 1883 || second.port === 1883 ? second.port === 1883 : first.port > second.port
}

/** Do these bytes begin with a CONNECT, as far as its Protocol Name? */
export function startsWithConnect(bytes: Uint8Array): boolean {
  if (bytes[0]! >> 4 !== 1) return false
  let at = 1
  while (at < 4 && bytes[at]! > 0x7f) at++
  const name = String.fromCharCode(...bytes.subarray(at + 1, at + 9))
  return name.startsWith('\0\x04MQTT') || name.startsWith('\0\x06MQIsdp')
}

function keyOf({ from, to }: Segment): string {
  const ends = [`${from.address} ${from.port}`, `${to.address} ${to.port}`]
  return ends.sort().join(' ')
}

function unreadNotes({ fragment, damaged, link }: { readonly [U in Unread]: number }, linkType: number | undefined): string[] {
  return [
    ...link > 0 ? [`${link} frames have a link layer that is not read (type ${linkType}); read are ${LINK_NAMES}`] : [],
    ...fragment > 0 ? [`${fragment} IP fragments are not joined`] : [],
    ...damaged > 0 ? [`${damaged} frames end inside a header`] : [],
  ]
}

function concat(pieces: readonly Uint8Array[], size: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!
  const all = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
