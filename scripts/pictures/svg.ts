// What the pictures share: the ground and the colours of `connack decode --svg`, light or dark as the reader's system is; no script, no font from elsewhere.
import { DARK, LIGHT } from '../../src/cli/colours.ts'
import type { Theme } from '../../src/cli/colours.ts'
import { escaped } from '../../src/cli/svg.ts'

/** What is sent, received, timed, ended: each a colour for lines and text, light and dark, and a dash or a mark of its own for those who see no colour. */
const INKS: { readonly [name: string]: readonly [light: string, dark: string] } = {
  sends: ['#0550ae', '#79c0ff'], takes: ['#116329', '#6fdd8b'], timer: ['#8a4600', '#ffb757'], ends: ['#a40e26', '#ff9a94'],
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly kind?: string
  /** degrees, about the point */
  readonly turn?: number
}

export function text(x: number, y: number, content: string, { anchor = 'start', kind = '', turn = 0 }: TextOptions = {}): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}"${turn === 0 ? '' : ` transform="rotate(${fixed(turn)} ${fixed(x)} ${fixed(y)})"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}${kind === '' ? '' : ` class="${kind}"`}>${escaped(content)}</text>`
}

export function box(x: number, y: number, width: number, height: number, kind: string, radius = 8): string {
  return `<rect class="${kind}" x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" rx="${radius}"/>`
}

/** A line through points, with an arrow head of its own kind at its end unless told otherwise. */
export function path(points: readonly (readonly [x: number, y: number])[], kind: string, head = true): string {
  const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${fixed(x)} ${fixed(y)}`).join('')
  return `<path class="line ${kind}" d="${d}"/>${head ? arrowHead(points.at(-2)!, points.at(-1)!, kind) : ''}`
}

/** Drawn, not a marker: markers take no colour of their line in every viewer. */
function arrowHead([x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number], kind: string): string {
  const length = Math.hypot(x1 - x0, y1 - y0)
  const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length]
  const corner = (side: number): string => `${fixed(x1 - 9 * dx - 4.5 * side * dy)} ${fixed(y1 - 9 * dy + 4.5 * side * dx)}`
  return `<path class="head ${kind}" d="M${fixed(x1)} ${fixed(y1)}L${corner(1)}L${corner(-1)}Z"/>`
}

export function picture(width: number, height: number, title: string, body: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}</style>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${body.join('\n')}
</svg>
`
}

/** Lines of at most so many characters. */
export function wrap(words: string, characters: number): string[] {
  const lines = ['']
  for (const word of words.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + 1 + word.length > characters) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function theme({ card, line, text: ink, faint, kinds }: Theme, index: 0 | 1): string {
  return [
    `.card{fill:${card};stroke:${line}}text{fill:${ink}}.faint{fill:${faint}}.axis{stroke:${faint}}.grid{stroke:${line}}.group{stroke:${faint}}`,
    `.phase{fill:${kinds.header}}.live{fill:${kinds.number}}.again{fill:${kinds.text}}.over{fill:${kinds.data}}.gone{fill:${kinds.unread};stroke:${line}}.dead{fill:${kinds.secret}}`,
    ...Object.entries(INKS).map(([name, inks]) => `text.${name},.head.${name},.dot.${name}{fill:${inks[index]}}.line.${name}{stroke:${inks[index]}}`),
    `.head.plain,.dot.plain{fill:${ink}}.line.plain{stroke:${ink}}`,
  ].join('')
}

const STYLE = [
  'text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}.title{font-size:16px;font-weight:600}.name{font-size:14px;font-weight:600}.small{font-size:12px}.strong{font-weight:600}',
  '.line{fill:none;stroke-width:1.6}.line.timer{stroke-dasharray:5 3}.line.dotted{stroke-dasharray:1.5 4;stroke-linecap:round}.axis,.grid{stroke-width:1}.group{fill:none;stroke-dasharray:2 4;stroke-linecap:round}',
  theme(LIGHT, 0),
  `@media(prefers-color-scheme:dark){${theme(DARK, 1)}}`,
].join('')
