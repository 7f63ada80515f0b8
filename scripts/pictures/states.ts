// The life of a connection as one side sees it, drawn from the tables of src/fsm/lifecycle.ts: every phase, every event, every timer that can be running.
// The layout is a column of phases, and beside it what they all end in; what stays in a phase is a list inside its box, what leaves it is an arrow.
import type { Role } from '../../src/fsm/index.ts'
import { ENDINGS, LIFECYCLE, TIMERS } from '../../src/fsm/lifecycle.ts'
import type { Phase, TimerName } from '../../src/fsm/lifecycle.ts'
import { box, path, picture, text, wrap } from './svg.ts'

interface Edge {
  readonly kind: 'sends' | 'takes' | 'timer'
  readonly to: Phase
  readonly labels: readonly string[]
}

/** What each phase waits for, as docs/architecture.md says it. */
const WAITS: { readonly [P in Phase]: string } = {
  opening: 'waits for our CONNECT', 'awaiting-connect': 'waits for CONNECT', authenticating: 'waits for CONNACK', connected: 'waits for packets',
  reauthenticating: 'waits for AUTH 0x00', closing: 'waits for the end', closed: '',
}
const COLUMN: { readonly [R in Role]: readonly Phase[] } = {
  client: ['opening', 'authenticating', 'connected', 'reauthenticating'],
  server: ['awaiting-connect', 'authenticating', 'connected', 'reauthenticating'],
}
const KINDS: { readonly [P in Phase]: string } = { opening: 'phase', 'awaiting-connect': 'phase', authenticating: 'phase', connected: 'live', reauthenticating: 'again', closing: 'over', closed: 'gone' }

const WIDTH = 900
const LEFT = 40
const BOX = 390
const RIGHT = LEFT + BOX
/** Of the frame around all phases that are not over. */
const BORDER = RIGHT + 20
const CLOSING = 660
const CLOSING_WIDTH = 200
const TOP = 104
const LINE = 18
const ARROW = 34
const GAP = 52
const CHARACTERS = 50

/** The SVG of a role. Throws where the tables hold an edge that this layout has no place for. */
export function statePicture(role: Role): string {
  const parts: string[] = []
  const column = COLUMN[role]
  let y = TOP
  const places = new Map<Phase, { readonly top: number, readonly bottom: number }>()
  for (const phase of column) {
    const { body, height } = phaseBox(role, phase, y)
    parts.push(...body)
    places.set(phase, { top: y, bottom: y + height })
    y += height + GAP
  }
  const end = y - GAP
  parts.push(...between(role, places))
  parts.push(...theEnd(end))
  const name = role === 'client' ? 'Client' : 'Server'
  return picture(WIDTH, end + 118, `The phases of a ${name}'s connection`, [
    text(20, 32, `The connection of a ${name}`, { kind: 'title' }),
    text(WIDTH - 260, 32, '▸ sends', { kind: 'sends strong' }), text(WIDTH - 180, 32, '◂ receives', { kind: 'takes strong' }), text(WIDTH - 80, 32, '◷ timer', { kind: 'timer strong' }),
    `<rect class="group" x="20" y="56" width="${BORDER - 20}" height="${end - 56 + 16}" rx="10"/>`,
    ...parts,
  ])
}

function phaseBox(role: Role, phase: Phase, top: number): { readonly body: string[], readonly height: number } {
  const edges = edgesOf(role, phase)
  const staying = edges.filter(({ to }) => to === phase)
  // Each timer has an arrow of its own: it says what was due.
  const leaving = edges.filter(({ to }) => to === 'closing').flatMap((edge) => (edge.kind === 'timer' ? edge.labels.map((label) => ({ ...edge, labels: [label] })) : [edge]))
  const lines = staying.flatMap(({ kind, labels }) => wrap(labels.join(', '), CHARACTERS).map((line, i) => ({ kind, line: `${i === 0 ? MARKS[kind] : '  '} ${line}`, first: i === 0 })))
  const height = Math.max(38 + lines.length * LINE + (lines.length > 0 ? 6 : 0), leaving.length * ARROW + 10)
  const body = [
    box(LEFT, top, BOX, height, KINDS[phase]),
    text(LEFT + 14, top + 24, phase, { kind: 'name' }), text(RIGHT - 14, top + 24, WAITS[phase], { anchor: 'end', kind: 'small' }),
    ...lines.map(({ kind, line, first }, i) => text(LEFT + (first ? 14 : 30), top + 46 + i * LINE, line.trimStart(), { kind: `small ${kind}` })),
    ...leaving.flatMap(({ kind, labels }, i) => arrowToClosing(top + height / 2 + (i - (leaving.length - 1) / 2) * ARROW + 8, kind, labels.join(', '))),
  ]
  return { body, height }
}

function arrowToClosing(y: number, kind: Edge['kind'], label: string): string[] {
  return [path([[RIGHT, y], [CLOSING, y]], kind), text(BORDER + 10, y - 6, `${MARKS[kind]} ${label}`, { kind: `small ${kind}` })]
}

/** The arrows from a phase to its neighbours, down and up; and what the column begins with. */
function between(role: Role, places: ReadonlyMap<Phase, { readonly top: number, readonly bottom: number }>): string[] {
  const parts: string[] = []
  const column = COLUMN[role]
  const middle = LEFT + BOX / 2
  const first = places.get(column[0]!)!
  parts.push(`<circle class="dot plain" cx="${middle}" cy="${first.top - 30}" r="5"/>`, path([[middle, first.top - 25], [middle, first.top - 2]], 'plain'), text(middle + 14, first.top - 14, 'the Network Connection is open', { kind: 'small faint' }))
  for (const phase of column) {
    for (const { kind, to, labels } of edgesOf(role, phase)) {
      if (to === phase || to === 'closing') continue
      const step = column.indexOf(to) - column.indexOf(phase)
      if (Math.abs(step) !== 1) throw new Error(`there is no place for an arrow from ${phase} to ${to}`)
      const down = step === 1
      const pair = edgesOf(role, to).some((back) => back.to === phase)
      const x = middle + (pair ? (down ? -60 : 60) : 0)
      const [from, until] = down ? [places.get(phase)!.bottom, places.get(to)!.top - 1] : [places.get(phase)!.top, places.get(to)!.bottom + 1]
      parts.push(path([[x, from], [x, until]], kind), text(x + (pair && down ? -12 : 12), (from + until) / 2 + 4, `${MARKS[kind]} ${labels.join(', ')}`, { anchor: pair && down ? 'end' : 'start', kind: `small strong ${kind}` }))
    }
  }
  return parts
}

/** What every phase ends in. ENDINGS has no phases of its own: they lead there from all that are not over. */
function theEnd(end: number): string[] {
  if (ENDINGS['malformed'] !== 'closing' || ENDINGS['closed'] !== 'closed' || Object.keys(LIFECYCLE.closing).length > 0) throw new Error('the tables end otherwise than this picture')
  const middle = CLOSING + CLOSING_WIDTH / 2
  const closed = end + 58
  return [
    box(CLOSING, 56, CLOSING_WIDTH, end - 56 + 16, KINDS.closing), text(CLOSING + 16, 82, 'closing', { kind: 'name' }),
    ...wrap('our last packet is out: nothing more is sent, and nothing read', 26).map((line, i) => text(CLOSING + 16, 104 + i * 17, line, { kind: 'small' })),
    path([[BORDER, 76], [CLOSING, 76]], 'ends'), text(BORDER + 10, 70, '✗ malformed, or not allowed', { kind: 'small ends' }),
    box(CLOSING, closed, CLOSING_WIDTH, 40, KINDS.closed), text(CLOSING + 16, closed + 25, 'closed', { kind: 'name' }),
    path([[middle, end + 16], [middle, closed - 1]], 'timer'), text(middle - 10, closed - 15, `${MARKS.timer} ${timersTo('closing').join(', ')}`, { anchor: 'end', kind: 'small timer' }), text(middle + 10, closed - 15, 'or it ends', { kind: 'small' }),
    path([[LEFT + BOX / 2, end + 16], [LEFT + BOX / 2, closed + 20], [CLOSING, closed + 20]], 'plain'), text(LEFT + BOX / 2 + 14, closed + 13, 'the Network Connection ends, from any phase above', { kind: 'small' }),
  ]
}

function edgesOf(role: Role, phase: Phase): Edge[] {
  const edges: Edge[] = []
  const add = (kind: Edge['kind'], to: Phase, label: string): void => {
    const at = edges.findIndex((edge) => edge.kind === kind && edge.to === to)
    if (at < 0) edges.push({ kind, to, labels: [label] })
    else edges[at] = { kind, to, labels: [...edges[at]!.labels, label] }
  }
  for (const [event, to] of Object.entries(LIFECYCLE[phase]) as [string, Phase][]) {
    const [sender, what] = event.split(' ') as [Role, string]
    add(sender === role ? 'sends' : 'takes', to, NAMES[what] ?? what.toUpperCase())
  }
  for (const name of Object.keys(TIMERS) as TimerName[]) {
    const to = TIMERS[name][role][phase]
    if (to !== undefined) add('timer', to, `${name}: ${to === phase ? 'PINGREQ is due' : dueIn(phase, role, name)}`)
  }
  return edges.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
}

function timersTo(phase: Phase): string[] {
  return (Object.keys(TIMERS) as TimerName[]).filter((name) => TIMERS[name].client[phase] === 'closed')
}

/** What has not come when a timer ends a connection. */
function dueIn(phase: Phase, role: Role, timer: TimerName): string {
  switch (timer) {
    case 'connect': return role === 'client' ? 'no CONNACK' : 'no CONNECT'
    case 'auth': return phase === 'authenticating' ? 'no CONNACK' : 'no AUTH 0x00'
    case 'keep-alive': return 'no packet'
    case 'pingresp': return 'no PINGRESP'
    case 'close': return 'no end'
  }
}

const ORDER: readonly Edge['kind'][] = ['sends', 'takes', 'timer']
const MARKS = { sends: '▸', takes: '◂', timer: '◷' } as const
/** Events that are a packet with a certain code. */
const NAMES: { readonly [event: string]: string | undefined } = { refusal: 'CONNACK that refuses', auth: 'AUTH 0x18', reauthentication: 'AUTH 0x19', authentication: 'AUTH 0x00' }
