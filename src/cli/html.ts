// SPDX-License-Identifier: MIT
// Packets as one page that needs nothing else: the same byte map as the SVG in HTML, so that it fits a narrow window and can be searched and copied.
import { mapPacket, nameOf, sentence } from './bytemap.ts'
import type { Cell, Field } from './bytemap.ts'
import { DARK, LIGHT } from './colours.ts'
import type { Theme } from './colours.ts'
import type { Found } from './decode.ts'
import { safe } from './io.ts'
import { escaped } from './svg.ts'
import { hostPort } from './target.ts'
import { VERSIONS } from './versions.ts'

/** Packets on a page at most; the rest is counted. */
export const MOST_PACKETS = 1000

const PER_LINE = 16

/** A whole HTML document. */
export function htmlPage(found: readonly Found[], { secrets = false }: { readonly secrets?: boolean } = {}): string {
  const wrong = found.filter(({ error }) => error !== undefined).length
  const heading = `${found.length} ${found.length === 1 ? 'packet' : 'packets'}${wrong === 0 ? '' : found.length === 1 ? ', and it is wrong' : `, ${wrong} of them wrong`}`
  const more = found.length > MOST_PACKETS ? `<p>${found.length - MOST_PACKETS} more packets are not on this page.</p>` : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>MQTT: ${escaped(found.slice(0, 4).map(nameOf).join(', '))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${heading}</h1>
${found.slice(0, MOST_PACKETS).map((one) => section(one, secrets)).join('\n')}
${more}
</body>
</html>
`
}

function section(one: Found, secrets: boolean): string {
  const { bytes, version, offset, error, after, source: { from, to } } = one
  const facts = [
    ...from === undefined ? [] : [`${hostPort(from.address, from.port)} → ${hostPort(to!.address, to!.port)}`],
    ...after === undefined ? [] : [`+${(after / 1000).toFixed(6)} s`],
    `${bytes.length.toLocaleString('en-US')} bytes`,
    ...version === undefined ? [] : [`MQTT ${VERSIONS[version]}`],
    `offset ${offset.toLocaleString('en-US')}`,
  ]
  const rows = mapPacket(bytes, version, { perLine: PER_LINE, secrets }).map(row).join('\n')
  const verdict = error === undefined ? '' : `<p class="alarm">${escaped(sentence(one))}</p>`
  return `<section><h2>${escaped(nameOf(one))}</h2><p class="facts">${facts.map(escaped).join(' · ')}</p>${verdict}\n<div class="rows">\n${rows}\n</div></section>`
}

function row(field: Field): string {
  const { start, name, text, kind, bits, error, lines } = field
  const cells = lines.length === 0 ? '<i class="gap"></i>' : lines.map((line) => (typeof line === 'number' ? `<em>… ${line.toLocaleString('en-US')} bytes …</em>` : line.map((one) => cell(one, kind)).join(''))).join('')
  const says = error === undefined ? `<span>${escaped(safe(text))}</span>` : `<span class="alarm">offset ${error.offset} breaks ${escaped(error.rule)}</span>`
  const taken = bits === undefined ? '' : `<ul>${bits.map(({ name: bit, width, value }) => `<li${value === 0 ? ' class="off"' : ''}><code>${value.toString(2).padStart(width, '0')}</code> ${escaped(bit)}${width > 1 ? ` ${value}` : ''}</li>`).join('')}</ul>`
  return `<div class="row"><small>${start}</small><div class="cells">${cells}</div><div class="label"><b>${escaped(name)}</b> ${says}${taken}</div></div>`
}

function cell({ hex, character, wrong, prefix }: Cell, kind: Field['kind']): string {
  return `<i class="${wrong ? 'wrong' : kind}${prefix && !wrong ? ' prefix' : ''}">${hex}${character === '' ? '' : `<s>${escaped(character)}</s>`}</i>`
}

function theme({ card, line, text, faint, wrong, onWrong, alarm, kinds }: Theme, ground: string): string {
  return [
    `:root{--ground:${ground};--card:${card};--line:${line};--text:${text};--faint:${faint};--wrong:${wrong};--on-wrong:${onWrong};--alarm:${alarm};`,
    ...Object.entries(kinds).map(([kind, colour]) => `--kind-${kind}:${colour};`),
    '}',
  ].join('')
}

const STYLE = [
  theme(LIGHT, '#f6f8fa'),
  `@media(prefers-color-scheme:dark){${theme(DARK, '#0d1117')}}`,
  '*{box-sizing:border-box}body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--ground);color:var(--text);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}',
  'h1{font-size:1.2rem;font-weight:600}h2{font-size:1.05rem;margin:0}section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem;margin:0 0 1rem}',
  '.facts{color:var(--faint);margin:.1rem 0 .7rem}.alarm{color:var(--alarm);font-weight:600;overflow-wrap:anywhere}',
  '.row{display:grid;grid-template-columns:3.2rem minmax(0,29.6rem) minmax(0,1fr);gap:.2rem .8rem;padding:.18rem 0}',
  'small{color:var(--faint);text-align:right;font-size:.8rem;padding-top:.25rem;font-variant-numeric:tabular-nums}',
  '.cells{display:flex;flex-wrap:wrap;align-content:flex-start;gap:2px}',
  '.cells i{font:normal 12.5px/1.1 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;width:1.72rem;min-height:1.9rem;border-radius:3px;display:flex;flex-direction:column;align-items:center;justify-content:center}',
  '.cells s{text-decoration:none;font-size:10.5px;opacity:.8}.cells em{flex-basis:100%;color:var(--faint);font-size:.85rem}',
  ...Object.keys(LIGHT.kinds).map((kind) => `.${kind}{background:var(--kind-${kind})}`),
  '.prefix{box-shadow:inset 0 0 0 20px color-mix(in srgb,var(--card) 45%,transparent)}',
  '.unread{outline:1px dashed var(--line);outline-offset:-1px}.wrong{background:var(--wrong);color:var(--on-wrong);font-weight:700!important}.gap{border:2px dashed var(--wrong)}',
  '.label{overflow-wrap:anywhere;padding-top:.2rem}ul{list-style:none;margin:.15rem 0 .3rem;padding:0;columns:2;font-size:.9rem}li{break-inside:avoid}',
  'code{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--kind-flags);border-radius:3px;padding:0 .3em}.off{color:var(--faint)}.off code{background:none;outline:1px solid var(--line)}',
  '@media(max-width:46rem){.row{grid-template-columns:2.4rem minmax(0,1fr)}.label{grid-column:2;padding-bottom:.4rem}ul{columns:1}body{padding:.6rem}section{padding:.7rem}}',
].join('\n')
