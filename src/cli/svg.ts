// SPDX-License-Identifier: MIT
// Packets as one SVG: a row for each field, a cell for each byte, flag bytes taken apart into their bits, the first wrong byte red. It has its own
// ground, light or dark as the reader's system is, so that it reads on any page; no script, no font from elsewhere, no markup out of the packet.
import { mapPacket, nameOf, sentence } from './bytemap.ts'
import type { Cell, Field } from './bytemap.ts'
import { DARK, LIGHT } from './colours.ts'
import type { Theme } from './colours.ts'
import { safe } from './io.ts'
import type { Piece } from './split.ts'
import { VERSIONS } from './versions.ts'

/** Packets drawn at most; the rest is counted. */
export const MOST_PACKETS = 100

const PER_LINE = 12
const CELL = 28
const ROW = 36
const LEFT = 58
const LABEL = LEFT + PER_LINE * CELL + 18
const WIDTH = 800
const BIT = 18
const BIT_ROW = 17
/** Characters that fit behind LABEL, and across the card, in the widest of the usual fonts. */
const LABEL_CHARACTERS = 50
const CARD_CHARACTERS = 100

/** The SVG of packets, one below the other. */
export function svgOf(pieces: readonly Piece[], { secrets = false }: { readonly secrets?: boolean } = {}): string {
  const cards: string[] = []
  let y = 0
  for (const piece of pieces.slice(0, MOST_PACKETS)) {
    const { body, height } = card(piece, secrets)
    cards.push(`<g transform="translate(0 ${y})">${body}</g>`)
    y += height + 12
  }
  if (pieces.length > MOST_PACKETS) {
    cards.push(`<rect class="card" x="0.5" y="${y + 0.5}" width="${WIDTH - 1}" height="39" rx="8"/><text class="faint" x="20" y="${y + 25}">${pieces.length - MOST_PACKETS} more packets are not drawn</text>`)
    y += 52
  }
  const height = Math.max(y - 12, 1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(`MQTT packets: ${pieces.slice(0, 8).map(nameOf).join(', ')}`)}">
<style>${STYLE}</style>
${cards.join('\n')}
</svg>
`
}

function card(piece: Piece, secrets: boolean): { readonly body: string, readonly height: number } {
  const { bytes, version, offset, error } = piece
  const parts = [`<text class="title" x="20" y="30">${escaped(nameOf(piece))}</text>`]
  const facts = `${bytes.length.toLocaleString('en-US')} bytes${version === undefined ? '' : ` · MQTT ${VERSIONS[version]}`}${offset === 0 ? '' : ` · at offset ${offset.toLocaleString('en-US')}`}`
  parts.push(`<text class="faint end" x="${WIDTH - 20}" y="30">${facts}</text>`)
  let y = 46
  for (const field of mapPacket(bytes, version, { perLine: PER_LINE, secrets })) {
    const drawn = row(field, y)
    parts.push(drawn.body)
    y = drawn.below
  }
  if (error !== undefined) {
    for (const line of wrap(sentence(piece), CARD_CHARACTERS)) {
      parts.push(`<text class="alarm" x="20" y="${y + 18}">${escaped(line)}</text>`)
      y += 18
    }
    y += 6
  }
  const height = y + 10
  return { body: `<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>${parts.join('')}`, height }
}

function row(field: Field, top: number): { readonly body: string, readonly below: number } {
  const { start, name, text, error, lines, bits } = field
  const parts = [`<text class="faint end" x="${LEFT - 12}" y="${top + 19}">${start}</text>`]
  const said = error === undefined ? text : `breaks ${error.rule}`
  parts.push(`<text class="name" x="${LABEL}" y="${top + 12}">${escaped(shorten(name, LABEL_CHARACTERS))}</text>`)
  parts.push(`<text class="${error === undefined ? 'says' : 'alarm'}" x="${LABEL}" y="${top + 26}">${escaped(shorten(safe(said), LABEL_CHARACTERS))}</text>`)
  let y = top
  for (const line of lines) {
    if (typeof line === 'number') {
      parts.push(`<text class="faint" x="${LEFT + 4}" y="${y + 14}">… ${line.toLocaleString('en-US')} bytes …</text>`)
      y += 20
      continue
    }
    parts.push(...line.map((one, i) => cell(one, field, LEFT + i * CELL, y)))
    y += ROW
  }
  if (lines.length === 0) {
    parts.push(`<rect class="gap" x="${LEFT + 1}" y="${y + 1}" width="${CELL - 3}" height="${ROW - 9}" rx="3"/>`)
    y += ROW
  }
  if (bits !== undefined) {
    const drawn = exploded(bits, y - 3)
    parts.push(drawn.body)
    y = drawn.below
  }
  return { body: parts.join(''), below: y }
}

function cell({ hex, character, wrong, prefix }: Cell, { kind }: Field, x: number, y: number): string {
  const style = wrong ? 'wrong' : kind
  const middle = x + (CELL - 1) / 2
  const shape = `<rect class="${style}${prefix && !wrong ? ' prefix' : ''}" x="${x}" y="${y}" width="${CELL - 2}" height="${ROW - 7}" rx="3"/>`
  const below = character === '' ? '' : `<text class="mono small${wrong ? ' white' : ''}" x="${middle}" y="${y + 25}">${escaped(character)}</text>`
  return `${shape}<text class="mono${wrong ? ' white' : ''}" x="${middle}" y="${y + (character === '' ? 19 : 15)}">${hex}</text>${below}`
}

/** A byte's bits below it, each group led to its name; the last group first, so that no line crosses another. */
function exploded(bits: NonNullable<Field['bits']>, top: number): { readonly body: string, readonly below: number } {
  const parts: string[] = []
  let first = 0
  const groups = bits.map((bit) => {
    const group = { ...bit, first }
    first += bit.width
    return group
  })
  const nameX = LEFT + 8 * BIT + 14
  let y = top + BIT + 4
  for (const { name, width, value, first: from } of [...groups].reverse()) {
    const x = LEFT + from * BIT
    const middle = x + (width * BIT - 2) / 2
    parts.push(`<rect class="${value === 0 ? 'bit' : 'bit set'}" x="${x}" y="${top}" width="${width * BIT - 2}" height="${BIT}" rx="2"/>`)
    for (let i = 0; i < width; i++) parts.push(`<text class="mono small" x="${x + i * BIT + (BIT - 2) / 2}" y="${top + 13}">${(value >> (width - 1 - i)) & 1}</text>`)
    parts.push(`<path class="lead" d="M${middle} ${top + BIT}V${y + 6}H${nameX - 4}"/>`)
    parts.push(`<text class="${value === 0 ? 'faint' : 'says'}" x="${nameX}" y="${y + 10}">${escaped(name)}${width > 1 ? ` ${value}` : ''}</text>`)
    y += BIT_ROW
  }
  return { body: parts.join(''), below: y + 6 }
}

function theme({ card: ground, line, text, faint, wrong, onWrong, alarm, kinds }: Theme): string {
  return [
    `.card{fill:${ground};stroke:${line}}text{fill:${text}}.faint{fill:${faint}}.alarm{fill:${alarm}}`,
    `.wrong{fill:${wrong}}.white{fill:${onWrong}}.gap{fill:none;stroke:${wrong}}.bit{fill:none;stroke:${line}}.set{fill:${kinds.flags}}.lead{stroke:${faint}}`,
    ...Object.entries(kinds).map(([kind, colour]) => `.${kind}{fill:${colour}}`),
    `.unread{stroke:${line}}`,
  ].join('')
}

const STYLE = [
  'text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}',
  '.title{font-size:16px;font-weight:600}.name{font-weight:600}.alarm{font-weight:600}.end{text-anchor:end}',
  '.mono{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;text-anchor:middle}.small{font-size:10.5px}',
  '.prefix{fill-opacity:.55}.gap{stroke-width:2;stroke-dasharray:4 3}.unread{stroke-dasharray:3 2}.lead{fill:none}',
  theme(LIGHT),
  `@media(prefers-color-scheme:dark){${theme(DARK)}}`,
].join('')

function shorten(text: string, characters: number): string {
  const all = [...text]
  return all.length <= characters ? text : `${all.slice(0, characters - 1).join('')}…`
}

function wrap(text: string, characters: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.length - 1
    if (lines[last] !== '' && lines[last]!.length + word.length >= characters) lines.push('')
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${shorten(word, characters)}`
  }
  return lines
}

/** Text as XML has it; U+FFFE, U+FFFF and lone surrogates, which no XML may hold, become U+FFFD. */
export function escaped(text: string): string {
  return text.toWellFormed().replace(/[\ufffe\uffff]/g, '\ufffd').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
