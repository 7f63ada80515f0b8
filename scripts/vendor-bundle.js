// One readable file out of many: esbuild joins the modules and settles their names; comments stay, and so do numbers as they were written. esbuild keeps
// "legal" comments only and writes every number in decimal, so while it works each comment is `//!` or `/*!` and each 0x1f is a name of the same
// length, and afterwards none is.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { tokens } from './vendor-tokens.js'

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')
export const VERSION = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')).version
export const COMMON = { format: 'esm', target: 'es2022', platform: 'neutral', logLevel: 'warning', absWorkingDir: ROOT }

const TYPE_ONLY = /^\s*(?:export\s+)?(?:interface|type)\b/
/** 0x1f, 0b0110, 65_535; as a name Qx1f, Qb0110, Y5_535 */
const NUMBER = /^(?:0[xb]\w+|\d+_[\d_]+)$/
const NUMBER_AS_NAME = /^(?:Q[xb][\da-f_]+|[QWERTYUIOP]\d*(?:_\d{3})+)$/
const LETTERS = 'QWERTYUIOP'
const DROPPED = /^\/\/ SPDX-License-Identifier/

/** `what`: 'codec' or 'codec + fsm', for the first line. */
export const banner = (what, note = '') => `// connack ${VERSION}: MQTT ${what} in one file${note}. SPDX-License-Identifier: MIT`

/** Bundles an entry file: `minify`; or readable, with its comments. Gives code and source map as text. `file` is the name the map will be found by. */
export async function bundle({ entry, minify = false, lean = false, what = 'codec and connection machine', file = 'connack.js' }) {
  const { outputFiles } = await build({
    ...COMMON, entryPoints: [entry], bundle: true, write: false, outfile: `dist/${file}`, minify, sourcemap: 'linked', legalComments: minify ? 'none' : 'inline',
    banner: { js: banner(what, lean ? ', without the sentences of its rules' : '') }, plugins: [sources({ comments: !minify, lean })],
  })
  const code = textOf(outputFiles, '.js')
  const map = JSON.parse(textOf(outputFiles, '.js.map'))
  // A map of what people can read: the sources as they are.
  map.sourcesContent = map.sources.map((source) => readFileSync(new URL(source, new URL('../dist/', import.meta.url)), 'utf8'))
  return { code: minify ? code : restored(code), map: `${JSON.stringify(map)}\n` }
}

function textOf(files, ending) {
  return files.find(({ path }) => path.endsWith(ending)).text
}

/** How esbuild gets to see the sources. */
export function sources({ comments, lean }) {
  return {
    name: 'sources',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        let contents = readFileSync(path, 'utf8')
        if (lean) contents = withoutSentences(contents, path)
        if (comments) contents = kept(contents)
        return { contents, loader: 'ts' }
      })
    },
  }
}

/** What rules say in words, and what quirks are: errors keep what was found, where, and the number of the statement. */
function withoutSentences(text, path) {
  if (/[\\/]lenient\.ts$/.test(path)) return text.replace(/\b(reads|seen): '(?:[^'\\]|\\.)*'/g, "$1: ''")
  if (!/[\\/]rules\.ts$/.test(path)) return text
  return text.replace(/\btext: '(?:[^'\\]|\\.)*'/g, "text: ''").replaceAll('; ${rule.text} [', ' [')
}

/** Comments and numbers made what esbuild keeps; the docstrings of types go with their types. */
function kept(text) {
  let at = 0
  return tokens(text).map(({ kind, text: piece }) => {
    at += piece.length
    if (kind === 'word' && NUMBER.test(piece)) return LETTERS[piece[0]] + piece.slice(1)
    if (kind !== 'comment' || piece.includes('@__PURE__')) return piece
    if (DROPPED.test(piece) || (piece.startsWith('/**') && TYPE_ONLY.test(text.slice(at, at + 60)))) return ' '
    return `${piece.slice(0, 2)}!${piece.slice(2)}`
  }).join('')
}

/** Comments and numbers as they were. */
function restored(code) {
  return tokens(code).map(({ kind, text }) => {
    if (kind === 'word' && NUMBER_AS_NAME.test(text)) return LETTERS.indexOf(text[0]) + text.slice(1)
    return kind === 'comment' && text[2] === '!' ? text.slice(0, 2) + text.slice(3) : text
  }).join('')
}
