// dist/: one .js and one .d.ts for each source file, and the single-file vendor bundle of codec + machine: connack.js (readable, comments kept),
// connack.min.js, connack.lean.js (minified, without the sentences of the rules), one roll-up of their types, source maps, SHA-256.
// `--out folder` builds elsewhere.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { lines, measure } from './sizes.js'
import { banner, bundle, COMMON, ROOT } from './vendor-bundle.js'
import { rollUp } from './vendor-types.js'

const WHAT = 'codec and connection machine'
const BUNDLES = { 'connack.js': {}, 'connack.min.js': { minify: true }, 'connack.lean.js': { minify: true, lean: true } }

/** Builds everything anew in `out`, an absolute path. */
export async function makeDist(out) {
  rmSync(out, { recursive: true, force: true })
  await makeModules(out)
  const types = rollUp(`${out}/index.d.ts`, banner(WHAT))
  for (const [file, options] of Object.entries(BUNDLES)) {
    const { code, map } = await bundle({ entry: 'src/index.ts', what: WHAT, file, ...options })
    writeFileSync(`${out}/${file}`, code)
    writeFileSync(`${out}/${file}.map`, map)
    writeFileSync(`${out}/${file.replace(/js$/, 'd.ts')}`, file === 'connack.js' ? types : "export * from './connack.js';\n")
  }
  tsc('--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--lib', 'ES2023,DOM', '--types', '', `${out}/connack.d.ts`)
  const shipped = readdirSync(out).filter((file) => /^connack\.(min\.|lean\.)?(js|d\.ts)$/.test(file)).sort()
  writeFileSync(`${out}/connack.sha256`, shipped.map((file) => `${sha256(readFileSync(`${out}/${file}`))}  ${file}\n`).join(''))
}

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A published file for each source file. */
async function makeModules(out) {
  await build({ ...COMMON, entryPoints: files(`${ROOT}/src`, '.ts'), outbase: 'src', outdir: out, sourcemap: 'linked', sourcesContent: false })
  makeTypes(out)
  renameImports(files(out, '.js'))
}

/** The declarations of every source file. */
export function makeTypes(out) {
  tsc('-p', 'tsconfig.build.json', '--outDir', out)
  const declarations = files(out, '.d.ts')
  renameImports(declarations)
  // Else `Symbol.asyncDispose` is an error in every program that has not chosen this library for itself.
  for (const path of declarations) {
    const text = readFileSync(path, 'utf8')
    if (text.includes('Symbol.asyncDispose')) writeFileSync(path, `/// <reference lib="esnext.disposable" />\n${text}`)
  }
}

/** The sources name each other by their own ending; what is published, by that of the published files. */
function renameImports(paths) {
  for (const path of paths) writeFileSync(path, readFileSync(path, 'utf8').replace(/((?:from|import\()\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g, '$1.js$2'))
}

function files(folder, ending) {
  return readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(ending)).map((file) => `${folder}/${file}`).sort()
}

function tsc(...args) {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', ...args], { cwd: ROOT, stdio: 'inherit', env: { ...process.env, NODE_V8_COVERAGE: '' } })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--out')
  await makeDist(at < 0 ? `${ROOT}/dist` : resolve(process.argv[at + 1]))
  console.log(lines(await measure()).join('\n'))
}
