// dist/: one .js and one .d.ts for each source file, and the single-file vendor bundle of codec + machine: connack.js (readable, comments kept),
// connack.min.js, connack.lean.js (minified, without the sentences of the rules), one .d.ts for all three, source maps, SHA-256.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { lines, measure } from './sizes.js'
import { banner, bundle, COMMON, ROOT } from './vendor-bundle.js'
import { rollUp } from './vendor-types.js'

const WHAT = 'codec and connection machine'
const BUNDLES = { 'connack.js': {}, 'connack.min.js': { minify: true }, 'connack.lean.js': { minify: true, lean: true } }

process.chdir(ROOT)
rmSync('dist', { recursive: true, force: true })
await buildModules('dist')

const types = rollUp('dist/index.d.ts', banner(WHAT))
for (const [file, options] of Object.entries(BUNDLES)) {
  const { code, map } = await bundle({ entry: 'src/index.ts', what: WHAT, file, ...options })
  writeFileSync(`dist/${file}`, code)
  writeFileSync(`dist/${file}.map`, map)
  writeFileSync(`dist/${file.replace(/js$/, 'd.ts')}`, types)
}
tsc('--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--lib', 'ES2023,DOM', '--types', '', 'dist/connack.d.ts')
const sums = readdirSync('dist').filter((file) => /^connack\.(min\.|lean\.)?(js|d\.ts)$/.test(file)).sort()
writeFileSync('dist/connack.sha256', sums.map((file) => `${createHash('sha256').update(readFileSync(`dist/${file}`)).digest('hex')}  ${file}\n`).join(''))
console.log(lines(await measure()).join('\n'))

/** A published file for each source file. */
async function buildModules(out) {
  await build({ ...COMMON, entryPoints: files('src', '.ts'), outdir: out, sourcemap: 'linked', sourcesContent: false })
  tsc('-p', 'tsconfig.build.json', '--outDir', out)
  // The sources name each other by their own ending; what is published, by that of the published files.
  for (const file of [...files(out, '.js'), ...files(out, '.d.ts')]) {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/((?:from|import\()\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g, '$1.js$2'))
  }
}

function files(folder, ending) {
  return readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(ending)).map((file) => `${folder}/${file}`).sort()
}

function tsc(...args) {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', ...args], { stdio: 'inherit' })
}
