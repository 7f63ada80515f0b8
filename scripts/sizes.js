// What an import weighs, minified, and minified and compressed. scripts/sizes.json holds the figures that a test lets fall and not rise (by more than
// 2 %). `npm run sizes` measures, `npm run sizes -- --write` puts lower figures into the file and into README.md and docs/integrate.md, `--write --raise` any: say in
// the commit what the bytes bought.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { COMMON, sources } from './vendor-bundle.js'

const FILE = fileURLToPath(new URL('sizes.json', import.meta.url))
const PAPERS = ['README.md', 'docs/integrate.md'].map((paper) => fileURLToPath(new URL(`../${paper}`, import.meta.url)))

/** name → what a program imports, and from where */
const IMPORTS = {
  'codec': "export * from './src/codec/index.ts'",
  'codec, lean': "export * from './src/codec/index.ts'",
  'codec + fsm': "export * from './src/index.ts'",
  'codec + fsm, lean': "export * from './src/index.ts'",
  'a client that drives the machine': "export { encode, initial, opened, PacketStream, transition } from './src/index.ts'",
  'encode, PacketStream': "export { encode, PacketStream } from './src/codec/index.ts'",
  'decode': "export { decode } from './src/codec/index.ts'",
  'encode': "export { encode } from './src/codec/index.ts'",
  'topicMatches': "export { topicMatches } from './src/codec/index.ts'",
}

/** name → { min, gzip } in bytes */
export async function measure() {
  const out = {}
  for (const [name, contents] of Object.entries(IMPORTS)) {
    const { outputFiles } = await build({
      ...COMMON, stdin: { contents, resolveDir: COMMON.absWorkingDir }, bundle: true, minify: true, write: false, legalComments: 'none',
      plugins: [sources({ comments: false, lean: name.endsWith(', lean') })],
    })
    out[name] = { min: outputFiles[0].contents.length, gzip: gzipSync(outputFiles[0].contents, { level: 9 }).length }
  }
  return out
}

/** The figures that are held. */
export function held() {
  return JSON.parse(readFileSync(FILE, 'utf8'))
}

export function lines(figures) {
  return Object.entries(figures).map(([name, { min, gzip }]) => `${name.padEnd(34)}${kib(min)} min ${kib(gzip)} gzip`)
}

/** The table of the papers. */
export function table(figures) {
  return Object.entries(figures).map(([name, { min, gzip }]) => `| ${name} | ${(min / 1024).toFixed(1)} | ${(gzip / 1024).toFixed(1)} |\n`).join('')
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`.padStart(9)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const figures = await measure()
  console.log(lines(figures).join('\n'))
  if (process.argv.includes('--write')) {
    const before = process.argv.includes('--raise') ? {} : held()
    const lower = (name, kind) => Math.min(figures[name][kind], before[name]?.[kind] ?? Infinity)
    const after = Object.fromEntries(Object.keys(figures).map((name) => [name, { min: lower(name, 'min'), gzip: lower(name, 'gzip') }]))
    writeFileSync(FILE, `{\n${Object.entries(after).map(([name, { min, gzip }]) => `  ${JSON.stringify(name)}: { "min": ${min}, "gzip": ${gzip} }`).join(',\n')}\n}\n`)
    for (const paper of PAPERS) writeFileSync(paper, readFileSync(paper, 'utf8').replace(/(\| import \| min \| gzip \|\n\|---\|---\|---\|\n)(?:\|.*\n)*/, (_, head) => head + table(after)))
  }
}
