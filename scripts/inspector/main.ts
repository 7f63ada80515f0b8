// The page: text in, packets out, the address bar kept in step.
import { encode, fromJson, toHex } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import { EXAMPLES } from './examples.ts'
import { inspect, VERSION_NAMES } from './packets.ts'
import type { Inspected } from './packets.ts'
import { parseBytes } from './spelling.ts'
import { count, el, packetCard } from './view.ts'

/** Longer input is not put into the address bar. */
const MAXIMUM_LINK = 8_000

const byId = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E
const hex = byId<HTMLTextAreaElement>('hex')
const status = byId('status')
const list = byId('packets')
const versions = [...document.querySelectorAll<HTMLInputElement>('input[name=version]')]

let bytes: Uint8Array = new Uint8Array(0)

function wanted(): ProtocolVersion | undefined {
  const value = versions.find((input) => input.checked)!.value
  return value === 'auto' ? undefined : Number(value) as ProtocolVersion
}

/** Reads the text and draws. */
function update(): void {
  const parsed = parseBytes(hex.value)
  const problem = 'problem' in parsed ? parsed.problem : undefined
  hex.setAttribute('aria-invalid', String(problem !== undefined))
  status.classList.toggle('bad', problem !== undefined)
  hex.rows = Math.min(10, Math.max(2, hex.value.split('\n').length))
  if ('problem' in parsed) {
    status.textContent = parsed.problem
    return
  }
  bytes = parsed.bytes
  draw(parsed.as)
  remember()
}

/** `as`: the spelling the bytes were found in. */
function draw(as: string | undefined): void {
  if (bytes.length === 0) {
    status.textContent = ''
    list.replaceChildren(el('p', { class: 'empty' }, 'Nothing to see yet: paste some bytes, or take one of the examples.'))
    return
  }
  const { packets, version, why, more } = inspect(bytes, wanted())
  const broken = packets.filter(({ error }) => error !== undefined).length
  status.textContent = `${count(bytes.length, 'byte')}${as === undefined || as === 'hexadecimal' ? '' : ` from ${as}`}, ${count(packets.length, 'packet')}${broken === 0 ? '' : `, ${broken} wrong`}; read as MQTT ${VERSION_NAMES[version]} (${why})`
  list.replaceChildren(
    ...packets.map((one, i) => packetCard(one, i + 1, packets.length, (json) => edited(one, json))),
    ...more > 0 ? [el('p', { class: 'empty' }, `${count(more, 'byte')} behind these packets are not shown.`)] : [])
}

/** Somebody has changed the JSON of a packet: its bytes follow. Gives what is wrong instead, in a sentence. */
function edited(one: Inspected, json: string): string | undefined {
  let packet: PacketInput
  let piece: Uint8Array
  try {
    packet = fromJson(JSON.parse(json)) as PacketInput
    piece = encode(packet, packet.type === 'connect' ? packet.version : one.version)
  } catch (error) {
    const { name, message } = error as Error
    return name === 'SyntaxError' ? `Not JSON yet: ${message}` : message
  }
  const next = new Uint8Array(bytes.length - one.bytes.length + piece.length)
  next.set(bytes.subarray(0, one.start))
  next.set(piece, one.start)
  next.set(bytes.subarray(one.start + one.bytes.length), one.start + piece.length)
  bytes = next
  hex.value = toHex(bytes)
  redrawAround(one.start)
  remember()
  return undefined
}

/** Draws everything anew but leaves the text that is being typed, its cursor and its focus. */
function redrawAround(start: number): void {
  const { value, selectionStart, selectionEnd } = document.activeElement as HTMLTextAreaElement
  draw(undefined)
  const fresh = list.querySelector<HTMLTextAreaElement>(`[data-start="${start}"] .json textarea`)
  if (fresh === null) return
  fresh.closest('details')!.open = true
  fresh.value = value
  fresh.focus({ preventScroll: true })
  fresh.setSelectionRange(selectionStart, selectionEnd)
}

/** The address says what is seen: a link to it is a link to this. */
function remember(): void {
  const version = wanted()
  const text = toHex(bytes).replaceAll(' ', '')
  const fragment = bytes.length === 0 || text.length > MAXIMUM_LINK ? '' : `#${version === undefined ? '' : `v=${version}&`}hex=${text}`
  if (location.hash !== fragment) history.replaceState(null, '', fragment === '' ? location.pathname + location.search : fragment)
}

/** Takes what the address says; false where it says nothing. */
function recall(): boolean {
  const said = new URLSearchParams(location.hash.slice(1))
  const text = said.get('hex')
  if (text === null) return false
  const version = said.get('v') ?? 'auto'
  for (const input of versions) input.checked = input.value === version
  if (!versions.some((input) => input.checked)) versions[0]!.checked = true
  hex.value = text.replace(/[^\da-f]/gi, '').replace(/..(?=.)/g, '$& ')
  update()
  return true
}

const [plain, broken] = [EXAMPLES.filter(({ wrong }) => wrong !== true), EXAMPLES.filter(({ wrong }) => wrong === true)]
for (const [label, some] of [['Well formed', plain], ['Wrong', broken]] as const) {
  byId('examples').append(el('div', { role: 'group', 'aria-label': `${label} examples` }, el('span', { class: 'group' }, label), el('div', {}, ...some.map(({ title, hex: text }) => {
    const button = el('button', { type: 'button' }, title)
    button.addEventListener('click', () => {
      versions[0]!.checked = true
      hex.value = text
      update()
    })
    return button
  }))))
}
hex.addEventListener('input', update)
for (const input of versions) input.addEventListener('change', update)
byId('clear').addEventListener('click', () => {
  hex.value = ''
  update()
  hex.focus()
})
const copy = byId('copy')
copy.addEventListener('click', () => {
  const say = (text: string): void => {
    copy.textContent = text
    setTimeout(() => { copy.textContent = 'Copy link' }, 1500)
  }
  // Without a clipboard (some browsers, from a file) the address bar has it.
  if (navigator.clipboard === undefined) say('It is in the address bar')
  else navigator.clipboard.writeText(location.href).then(() => { say('Copied') }, () => { say('It is in the address bar') })
})
addEventListener('hashchange', () => { recall() })
if (!recall()) {
  hex.value = EXAMPLES[0]!.hex
  update()
}
