// A session as a ladder: time down the side, the Client left, the Server right, every packet at the moment it was sent and the moment it came.
import type { PacketInput } from '../../src/codec/index.ts'
import type { Role } from '../../src/fsm/index.ts'
import { KEEP_ALIVE, LATENCY, record } from './session.ts'
import type { Happening, Passage, Recording } from './session.ts'
import { box, path, picture, text, wrap } from './svg.ts'

const WIDTH = 920
const LANE: { readonly [R in Role]: number } = { client: 285, server: 635 }
const BAR = 10
const TOP = 128
const SECOND = 60
/** Where along its line a packet is named: nearer to its receiver, where the line before it is further away. */
const ALONG = 0.6
/** Characters of a note beside a lane: left of it is the axis. */
const NOTE: { readonly [R in Role]: number } = { client: 27, server: 31 }
const PHASES = ['authenticating', 'connected', 'closing'] as const
const KINDS: { readonly [phase: string]: string | undefined } = { authenticating: 'phase', connected: 'live', closing: 'over' }

export function ladderPicture(): string {
  const recording = record()
  const height = y(recording.end) + 24
  return picture(WIDTH, height, 'QoS 2 across a cut connection, as two machines did it', [
    text(20, 32, 'QoS 2 across a cut connection: sent twice, delivered once', { kind: 'title' }),
    text(20, 54, `Recorded from two machines of src/fsm on a wire of ${LATENCY} ms; MQTT 5.0, Keep Alive ${KEEP_ALIVE} s.`, { kind: 'small faint' }),
    ...legend(), ...axis(recording.end), ...cut(recording), ...lanes(recording), ...recording.happenings.flatMap(deadline), ...recording.passages.flatMap((passage) => arrow(passage, recording.cut)), ...notes(recording),
  ])
}

function y(ms: number): number {
  return TOP + (ms / 1000) * SECOND
}

function legend(): string[] {
  const parts = PHASES.map((phase, i) => box(WIDTH - 336 + i * 118, 72, 12, 12, KINDS[phase]!, 2) + text(WIDTH - 318 + i * 118, 83, phase, { kind: 'small' }))
  return [
    ...parts, text(LANE.client, 104, 'Client', { anchor: 'middle', kind: 'name' }), text(LANE.server, 104, 'Server', { anchor: 'middle', kind: 'name' }),
  ]
}

function axis(end: number): string[] {
  return Array.from({ length: Math.floor(end / 1000) + 1 }, (_, second) => [
    `<path class="grid" d="M52 ${y(second * 1000)}h10M${LANE.client} ${y(second * 1000)}H${LANE.server}"/>`, text(44, y(second * 1000) + 4, `${second} s`, { anchor: 'end', kind: 'small faint' }),
  ]).flat()
}

/** The wire is dead until a new connection opens. */
function cut({ cut: at, happenings }: Recording): string[] {
  const again = happenings.find((one) => one.kind === 'phase' && one.phase === 'opening' && one.at > at)!
  const reopened = 'at' in again ? again.at : 0
  const [left, right] = [LANE.client + BAR / 2, LANE.server - BAR / 2]
  const teeth = 25
  const points = Array.from({ length: teeth + 1 }, (_, i) => [left + ((right - left) * i) / teeth, y(at) + (i === 0 || i === teeth ? 0 : i % 2 === 0 ? 5 : -5)] as const)
  return [
    `<rect class="dead" fill-opacity="0.45" x="${left}" y="${y(at)}" width="${right - left}" height="${y(reopened) - y(at)}"/>`,
    path(points, 'ends', false), text((left + right) / 2, y(at) + 30, 'the connection is cut here, and nobody is told', { anchor: 'middle', kind: 'small ends strong' }),
    text((left + right) / 2, y(reopened) - 14, 'a new connection', { anchor: 'middle', kind: 'small faint' }),
  ]
}

/** What each side waits for, as the colour of its lane. */
function lanes({ happenings, end }: Recording): string[] {
  return (['client', 'server'] as const).flatMap((side) => {
    const phases = happenings.filter((one): one is Extract<Happening, { readonly kind: 'phase' }> => one.kind === 'phase' && one.side === side)
    const line = `<path class="axis" d="M${LANE[side]} ${y(0)}V${y(end)}"/>`
    return [line, ...phases.map(({ phase, at }, i) => {
      const until = phases[i + 1]?.at ?? end
      return KINDS[phase] === undefined || until === at ? '' : box(LANE[side] - BAR / 2, y(at), BAR, y(until) - y(at), KINDS[phase], 2)
    }).filter(Boolean)]
  })
}

/** Silence is counted from the last packet; at the end of the dotted line somebody acts. */
function deadline(happening: Happening): string[] {
  if (happening.kind !== 'timer') return []
  const { side, timer, from, at } = happening
  const out = side === 'client' ? -1 : 1
  const x = LANE[side] + out * 20
  const anchor = side === 'client' ? 'end' : 'start'
  const [first, ...more] = SILENCES[`${side} ${timer}`] ?? [timer]
  const middle = y((from + at) / 2)
  return [
    path([[LANE[side] + out * (BAR / 2 + 2), y(from)], [x, y(from)], [x, y(at)], [LANE[side] + out * (BAR / 2 + 2), y(at)]], 'timer dotted'),
    text(x + out * 10, middle - more.length * 8 + 4, first!, { anchor, kind: 'small strong timer' }),
    ...more.map((line, i) => text(x + out * 10, middle - more.length * 8 + 20 + i * 16, line, { anchor, kind: 'small timer' })),
  ]
}

/** What a timer of each side counts. */
const SILENCES: { readonly [timer: string]: readonly string[] | undefined } = {
  'client keep-alive': [`Keep Alive, ${KEEP_ALIVE} s`, 'in which it has sent nothing:', 'then PINGREQ is due'],
  'client pingresp': ['2 s for the PINGRESP'],
  'server keep-alive': [`1½ × Keep Alive, ${1.5 * KEEP_ALIVE} s`, 'in which nothing has come:', 'then the Server closes'],
}

function arrow({ from, packet, sent, arrived }: Passage, at: number): string[] {
  const to = from === 'client' ? 'server' : 'client'
  const out = from === 'client' ? 1 : -1
  const [x0, x1] = [LANE[from] + out * (BAR / 2 + 1), LANE[to] - out * (BAR / 2 + 2)]
  const label = labelOf(packet)
  if (arrived !== undefined) {
    const kind = from === 'client' ? 'sends' : 'takes'
    const turn = Math.atan2(y(arrived) - y(sent), x1 - x0) * 180 / Math.PI
    return [path([[x0, y(sent)], [x1, y(arrived)]], kind), text(x0 + (x1 - x0) * ALONG, y(sent) + (y(arrived) - y(sent)) * ALONG - 6, label, { anchor: 'middle', kind: `small strong ${kind}`, turn: from === 'client' ? turn : turn - Math.sign(turn) * 180 })]
  }
  // On its way when the wire was cut, it came as far as it was; sent into a dead wire, it came nowhere.
  const share = sent < at ? (at - sent) / LATENCY : 0.35
  const [x, end] = [x0 + (x1 - x0) * share, sent < at ? y(at) : y(sent) + share * (LATENCY / 1000) * SECOND]
  return [
    path([[x0, y(sent)], [x, end]], 'ends', false), `<path class="line ends" d="M${x - 5} ${end - 5}l10 10m0 -10l-10 10"/>`,
    text(x + out * 12, end + (sent < at ? -8 : 4), `${label}, lost`, { anchor: from === 'client' ? 'start' : 'end', kind: 'small strong ends' }),
  ]
}

function labelOf(packet: PacketInput): string {
  switch (packet.type) {
    case 'connect': return `CONNECT, Clean Start ${packet.cleanStart === true ? 1 : 0}`
    case 'connack': return `CONNACK, Session Present ${packet.sessionPresent === true ? 1 : 0}`
    case 'publish': return `PUBLISH QoS ${packet.qos}, DUP ${packet.dup === true ? 1 : 0}, identifier ${packet.packetId}`
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp': return `${packet.type.toUpperCase()} ${packet.packetId}`
    case 'disconnect': return packet.reasonCode === undefined || packet.reasonCode === 0 ? 'DISCONNECT' : `DISCONNECT 0x${packet.reasonCode.toString(16)}`
    default: return packet.type.toUpperCase()
  }
}

/** What the applications see of it. */
function notes({ passages, happenings }: Recording): string[] {
  const parts: string[] = []
  const note = (side: Role, at: number, words: string, kind: string): void => {
    const out = side === 'client' ? -1 : 1
    wrap(words, NOTE[side]).forEach((line, i) => { parts.push(text(LANE[side] + out * 30, y(at) + 4 + i * 16, line, { anchor: side === 'client' ? 'end' : 'start', kind: `small ${kind}` })) })
    // Where a dotted line ends there is an arrow already.
    if (!happenings.some((one) => one.kind === 'timer' && one.side === side && one.at === at)) parts.push(`<circle class="dot ${kind === '' ? 'plain' : kind}" cx="${LANE[side] + out * 18}" cy="${y(at)}" r="3.5"/>`)
  }
  for (const one of happenings) {
    if (one.kind === 'delivered') note(one.side, one.at, 'the application gets the message', 'takes strong')
    if (one.kind === 'resumed') note(one.side, one.at, 'the session goes on: the PUBLISH that has no PUBREC goes out again', '')
    if (one.kind === 'settled') note(one.side, one.at, 'settled: it has arrived', 'sends strong')
    if (one.kind === 'closed') note(one.side, one.at, one.cause.sentence, one.cause.why === 'disconnect' ? '' : 'ends')
  }
  for (const { packet, from, arrived } of passages) {
    const side = from === 'client' ? 'server' : 'client'
    if (packet.type === 'publish' && arrived !== undefined && !happenings.some((one) => one.kind === 'delivered' && one.at === arrived)) note(side, arrived, 'known: it is answered, and not delivered again', 'takes strong')
  }
  return parts
}
