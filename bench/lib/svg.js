// Just enough SVG for bars and lines. Colours follow the reader's light or dark theme, so a plot can stand in a README.

export const escape = (text) => String(text).replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char])

/** class → [light, dark]; plain rules, since not every renderer knows CSS variables. Distinguishable without colour vision too: lines also differ in dash, bars in order and label. */
const COLOURS = {
  ours: ['#0b62c4', '#58a6ff'], floor: ['#8a8f98', '#8b949e'], peer0: ['#c2410c', '#ff9e64'], peer1: ['#15803d', '#5fd38d'], peer2: ['#7e22ce', '#c99bff'],
}

const theme = (index) => [
  `text{fill:${['#1f2328', '#e6edf3'][index]}}.soft{fill:${['#59636e', '#9198a1'][index]}}`,
  `.grid{stroke:${['#d1d9e0', '#3d444d'][index]}}.axis{stroke:${['#59636e', '#9198a1'][index]}}`,
  ...Object.entries(COLOURS).map(([name, pair]) => `.bar.${name},.dot.${name}{fill:${pair[index]}}.line.${name}{stroke:${pair[index]}}`),
].join('')

const STYLE = `<style>text{font:12px system-ui,sans-serif}.title{font-weight:600;font-size:15px}.head{font-weight:600}.small{font-size:11px}` +
  `.line{fill:none;stroke-width:2}.grid,.axis{stroke-width:1}` +
  `${theme(0)}@media(prefers-color-scheme:dark){${theme(1)}}</style>`

export function document(width, height, title, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">\n` +
    `${STYLE}\n<text class="title" x="16" y="26">${escape(title)}</text>\n${body.join('\n')}\n</svg>\n`
}

export const text = (x, y, content, { anchor = 'start', kind = '' } = {}) =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${kind ? ` class="${kind}"` : ''}>${escape(content)}</text>`
export const bar = (x, y, width, height, kind) =>
  `<rect class="bar ${kind}" x="${round(x)}" y="${round(y)}" width="${round(Math.max(1, width))}" height="${height}" rx="1.5"/>`
export const rule = (x1, y1, x2, y2, kind) => `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`

const DASHES = { ours: '', floor: '2 4', peer0: '', peer1: '8 4', peer2: '4 3' }

export function line(points, kind) {
  const path = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('')
  const dots = points.map(([x, y]) => `<circle class="dot ${kind}" cx="${round(x)}" cy="${round(y)}" r="3"/>`).join('')
  return `<path class="line ${kind}" d="${path}"${DASHES[kind] ? ` stroke-dasharray="${DASHES[kind]}"` : ''}/>${dots}`
}

/** A logarithmic scale and its decades. */
export function log(min, max, from, to) {
  const low = Math.log10(min)
  const span = Math.log10(max) - low
  const scale = (value) => from + ((Math.log10(value) - low) / span) * (to - from)
  const ticks = []
  for (let exponent = Math.ceil(low - 1e-9); exponent <= Math.floor(low + span + 1e-9); exponent++) ticks.push(10 ** exponent)
  return { scale, ticks, min, max }
}

/** Decades that hold all values, with a little room. */
export const decades = (values) => [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)))]

export function legend(entries, x, y) {
  let at = x
  return entries.map(({ label, kind }) => {
    const out = bar(at, y - 9, 12, 10, kind) + text(at + 17, y, label)
    at += 34 + label.length * 7
    return out
  }).join('\n')
}

const round = (value) => Number(value.toFixed(1))
