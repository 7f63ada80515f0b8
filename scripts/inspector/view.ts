// A packet as elements of the page: byte map, fields, what is wrong, JSON.
import type { Annotation } from '../../src/codec/index.ts'
import { fieldsOf, titleOf, VERSION_NAMES } from './packets.ts'
import type { Field, Inspected, Section } from './packets.ts'

/** Longer packets have the rest of their bytes counted. */
const MAXIMUM_BYTES = 2048
const SECTION_CLASS: { readonly [S in Section]: string } = {
  'Fixed header': 's-fixed', 'Variable header': 's-variable', Properties: 's-properties', 'Will Properties': 's-properties', Payload: 's-payload', 'Behind the fault': 's-behind',
}

type Child = Node | string | undefined
export function el(tag: string, attributes: { readonly [name: string]: string | number | undefined } = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, String(value))
  element.append(...children.filter((child) => child !== undefined))
  return element
}

/** The whole card of a packet. `edit` is called with JSON that somebody has typed and gives what is wrong with it. */
export function packetCard(one: Inspected, number: number, of: number, edit: (json: string) => string | undefined): HTMLElement {
  const fields = fieldsOf(one)
  const id = `packet-${number}`
  const detail = el('div', { class: 'detail', 'aria-live': 'polite' })
  const card = el('section', { class: `packet${one.error === undefined ? '' : ' bad'}`, 'aria-labelledby': id, 'data-start': one.start },
    el('header', {},
      el('h2', { id }, of > 1 ? el('span', { class: 'number' }, `${number} `) : undefined, titleOf(one)),
      el('span', { class: one.error === undefined ? 'badge ok' : 'badge bad' }, one.error === undefined ? '✓ well formed' : '✕ ' + (one.error.name === 'MalformedPacket' ? 'Malformed Packet' : 'Protocol Error')),
      el('span', { class: 'facts' }, `MQTT ${VERSION_NAMES[one.version]} · ${count(one.bytes.length, 'byte')}${of > 1 ? ` · from byte ${one.start}` : ''}`)),
    one.error === undefined ? undefined : fault(one, number),
    el('div', { class: 'columns' },
      el('div', { class: 'left' },
        byteMap(one, fields),
        detail,
        one.packet === undefined ? undefined : jsonPanel(one, edit, of === 1)),
      fieldList(one, fields)))
  connect(card, detail, one, fields)
  return card
}

function fault({ error }: Inspected, number: number): HTMLElement {
  const { message, offset, reasonCode, rule } = error!
  // The message says packet, offset and statement as well; those have places of their own here.
  const sentence = message.replace(/^[^:]*: /, '').replace(/ \[[^\]]*\]$/, '')
  return el('div', { class: 'fault', role: number === 1 ? 'alert' : undefined },
    el('p', { class: 'sentence' }, el('strong', {}, `Wrong at offset ${offset}: `), sentence, '.'),
    el('p', { class: 'tags' }, el('span', {}, 'breaks ', el('b', {}, rule)), el('span', {}, 'Reason Code ', el('b', {}, `0x${hexOf(reasonCode)}`))))
}

function byteMap({ bytes, error, start: from }: Inspected, fields: readonly Field[]): HTMLElement {
  const map = el('div', { class: 'map', role: 'group', 'aria-label': 'Bytes. Arrow keys go from one to the next.' })
  const shown = Math.min(bytes.length, MAXIMUM_BYTES)
  for (const { section, index, annotation } of fields) {
    for (let at = annotation.start; at < Math.min(annotation.end, shown); at++) {
      if (at % 8 === 0) map.append(el('span', { class: at % 16 === 0 ? 'row' : 'row half', 'aria-hidden': 'true' }, at.toString(16).padStart(4, '0')))
      const byte = bytes[at]!
      const wrong = at === error?.offset
      map.append(el('button', {
        type: 'button', 'data-field': index, 'data-at': at, tabindex: at === 0 ? 0 : -1,
        class: ['byte', SECTION_CLASS[section], index % 2 === 1 ? 'odd' : '', at === annotation.start ? 'first' : '', at === annotation.end - 1 ? 'last' : '', wrong ? 'wrong' : ''].filter(Boolean).join(' '),
        'aria-label': `offset ${at}, ${hexOf(byte)}, ${wrong ? 'the first wrong byte, ' : ''}${annotation.name}`,
      }, el('span', {}, hexOf(byte)), el('small', { 'aria-hidden': 'true' }, wrong ? '✕' : byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')))
    }
  }
  // What is missing has a place as well.
  if (error?.offset === bytes.length) {
    if (bytes.length % 8 === 0) map.append(el('span', { class: bytes.length % 16 === 0 ? 'row' : 'row half', 'aria-hidden': 'true' }, bytes.length.toString(16).padStart(4, '0')))
    map.append(el('button', { type: 'button', class: 'byte wrong missing first last', 'data-at': bytes.length, 'data-field': fields.findIndex(({ annotation }) => annotation.error !== undefined), tabindex: -1, 'aria-label': `offset ${bytes.length}, the first wrong byte: it is missing` }, el('span', {}, '??'), el('small', { 'aria-hidden': 'true' }, '✕')))
  }
  if (shown < bytes.length) map.append(el('p', { class: 'more' }, `and ${count(bytes.length - shown, 'more byte')}, from ${from + shown} on`))
  return map
}

function fieldList({ error }: Inspected, fields: readonly Field[]): HTMLElement {
  const sections: { readonly section: Section, readonly list: Field[] }[] = []
  for (const field of fields) {
    if (sections.at(-1)?.section !== field.section) sections.push({ section: field.section, list: [] })
    sections.at(-1)!.list.push(field)
  }
  return el('div', { class: 'fields' }, ...sections.map(({ section, list }) => el('section', { class: SECTION_CLASS[section] },
    el('h3', {}, section), el('ul', {}, ...list.map(({ index, annotation }) => fieldRow(index, annotation, error?.offset))))))
}

function fieldRow(index: number, annotation: Annotation, wrongAt: number | undefined): HTMLElement {
  const { name, start, bits, error } = annotation
  const row = el('button', { type: 'button', class: name === 'Property Identifier' || name === 'Property Length' ? 'field minor' : 'field', 'data-field': index },
    el('span', { class: 'at' }, String(start)),
    el('span', { class: 'name' }, error === undefined ? name : `✕ ${name === 'end' ? 'the end' : name}`),
    el('span', { class: 'value' }, error === undefined ? valueOf(annotation) : `wrong at offset ${wrongAt}`))
  return el('li', { class: error === undefined ? '' : 'wrong' }, row, bits === undefined || name === 'Packet type and flags' ? undefined : el('ul', { class: 'bits' }, ...bits.map((bit) => el('li', { class: bit.value === 0 ? 'zero' : '' }, el('span', {}, bit.name), ' ', el('b', {}, String(bit.value))))))
}

/** The value in words; of bytes, the beginning. */
function valueOf({ value, text, start, end, name }: Annotation): string {
  if (name === 'not read') return count(end - start, 'byte')
  if (!(value instanceof Uint8Array)) return name === 'Property Identifier' ? text : text.length > 120 ? `${text.slice(0, 117)}…` : text
  const words = /^(?:[\x20-\x7e]|[^\x00-\x7f\ufffd])+$/.test(utf8(value)) ? ` ${JSON.stringify(utf8(value.subarray(0, 60)))}` : ''
  return `${count(value.length, 'byte')}${words}`
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function jsonPanel({ json, reencoded }: Inspected, edit: (json: string) => string | undefined, open: boolean): HTMLElement {
  const area = el('textarea', { spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', 'aria-label': 'The packet as JSON; edit it and the bytes follow', rows: Math.min(24, json.split('\n').length) }) as HTMLTextAreaElement
  const problem = el('p', { class: 'problem', role: 'status' })
  area.value = json
  area.addEventListener('input', () => {
    const said = edit(area.value)
    problem.textContent = said ?? ''
    area.setAttribute('aria-invalid', String(said !== undefined))
  })
  return el('details', { class: 'json', open: open ? '' : undefined },
    el('summary', {}, el('b', {}, 'JSON'), ' edit it and the bytes follow'), area, problem,
    reencoded === undefined ? undefined : el('p', { class: 'note' }, 'An encoder writes this packet as ', el('code', {}, reencoded), '.'))
}

/** Pointing at or focusing a byte lights its field, and the other way round. */
function connect(card: HTMLElement, detail: HTMLElement, { bytes, error }: Inspected, fields: readonly Field[]): void {
  const parts = [...card.querySelectorAll<HTMLElement>('[data-field]')]
  const cells = parts.filter((part) => part.dataset['at'] !== undefined)
  let lit = -1
  const show = (part: HTMLElement): void => {
    const index = Number(part.dataset['field'])
    detail.replaceChildren(...describe(fields[index]!, bytes, error?.offset))
    if (index === lit) return
    lit = index
    for (const other of parts) other.classList.toggle('lit', other.dataset['field'] === part.dataset['field'])
  }
  const partOf = (event: Event): HTMLElement | null => (event.target as HTMLElement).closest<HTMLElement>('[data-field]')
  for (const type of ['mouseover', 'focusin', 'click']) {
    card.addEventListener(type, (event) => {
      const part = partOf(event)
      if (part !== null) show(part)
    })
  }
  card.addEventListener('keydown', (event) => {
    const here = cells.indexOf(event.target as HTMLElement)
    const width = getComputedStyle(card.querySelector('.map')!).getPropertyValue('--columns')
    const step: { readonly [key: string]: number } = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: Number(width), ArrowUp: -Number(width), Home: -here, End: cells.length - 1 - here }
    const by = step[event.key]
    const there = here < 0 || by === undefined ? undefined : cells[here + by]
    if (there === undefined) return
    event.preventDefault()
    cells[here]!.tabIndex = -1
    there.tabIndex = 0
    there.focus()
  })
  const first = fields.find(({ annotation }) => annotation.error !== undefined)
  if (first === undefined) detail.append(el('p', { class: 'quiet' }, 'Point at a byte or a field, or go through the bytes with Tab and the arrow keys.'))
  else detail.replaceChildren(...describe(first, bytes, error?.offset))
}

function describe({ annotation, section }: Field, bytes: Uint8Array, wrongAt: number | undefined): Node[] {
  const { name, start, end, bits } = annotation
  const where = end - start > 1 ? `bytes ${start} to ${end - 1}` : end === start ? `behind byte ${start - 1}` : `byte ${start}`
  const raw = Array.from(bytes.subarray(start, Math.min(end, start + 12)), hexOf).join(' ')
  return [
    el('p', {}, el('b', {}, name === 'end' ? 'The end of the bytes' : name === 'not read' ? section : name), el('span', { class: 'where' }, ` ${where}`), raw === '' ? undefined : el('code', {}, end - start > 12 ? `${raw} …` : raw)),
    annotation.error === undefined ? el('p', { class: 'value' }, annotation.text) : el('p', { class: 'value bad' }, `✕ the first wrong byte is at offset ${wrongAt}`),
    ...bits === undefined ? [] : [el('p', { class: 'bitline' }, ...bits.map((bit) => el('span', {}, el('code', {}, bit.value.toString(2).padStart(bit.width, '0')), ` ${bit.name}`)))],
  ]
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

export function count(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`
}
