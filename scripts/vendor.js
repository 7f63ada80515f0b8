// npm run vendor -- ../their/vendor/folder: a copy of connack to keep, with its licence, what it is (connack.json), and verify.js with the fixture corpus.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { makeTypes, sha256 } from './build.js'
import { banner, bundle, ROOT, VERSION } from './vendor-bundle.js'
import { rollUp } from './vendor-types.js'
import { corpusOf } from './verify.js'

const USAGE = `npm run vendor -- <folder> [--only codec] [--source | --min | --lean] [--force]

  <folder>        where the copy goes; it is made, must be empty, or hold an earlier copy, which is replaced
  --only codec    without the connection machine
  --source        the TypeScript sources as they are, not one file
  --min           the one file minified
  --lean          the same without the sentences of the rules: errors keep offset, code and statement
  --force         replace an earlier copy although its files have been changed`
const STAMP = 'connack.json'

/** Copies; gives the stamp. `form` is 'readable', 'min', 'lean' or 'source'. */
export async function vendor(folder, { only, form = 'readable', force = false } = {}) {
  const earlier = earlierCopy(folder, force)
  const what = only === 'codec' ? 'codec' : 'codec + fsm'
  const files = form === 'source' ? sourceFiles(only) : await oneFile(only, form)
  // Without it the folder's files are what the nearest package.json above says, which may be CommonJS.
  files.set('package.json', `${JSON.stringify({ type: 'module', sideEffects: false })}\n`)
  files.set('LICENSE', readFileSync(`${ROOT}/LICENSE`))
  files.set('verify.js', readFileSync(`${ROOT}/scripts/verify.js`))
  files.set('corpus.json.gz', gzipSync(JSON.stringify(corpusOf((file) => readFileSync(`${ROOT}/fixtures/${file}`, 'utf8'))), { level: 9 }))
  const entry = form === 'source' ? (only === 'codec' ? 'codec/index.ts' : 'index.ts') : 'connack.js'
  const stamp = { version: VERSION, ...commit(), what, form, entry, files: Object.fromEntries([...files].map(([file, bytes]) => [file, sha256(bytes)])) }
  for (const file of Object.keys(earlier?.files ?? {})) rmSync(join(folder, file), { force: true })
  for (const [file, bytes] of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), bytes)
  }
  writeFileSync(join(folder, STAMP), `${JSON.stringify(stamp, undefined, 2)}\n`)
  return stamp
}

/** What stands there already; throws where something would be lost. */
function earlierCopy(folder, force) {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return undefined
  if (!existsSync(join(folder, STAMP))) throw new Error(`${folder} is not empty and holds no copy of connack`)
  const stamp = JSON.parse(readFileSync(join(folder, STAMP), 'utf8'))
  const changed = Object.entries(stamp.files).filter(([file, sum]) => existsSync(join(folder, file)) && sha256(readFileSync(join(folder, file))) !== sum)
  if (changed.length > 0 && !force) throw new Error(`${folder} holds connack ${stamp.version} with changes of yours: ${changed.map(([file]) => file).join(', ')}. --force replaces them`)
  return stamp
}

function sourceFiles(only) {
  const folders = only === 'codec' ? ['codec'] : ['codec', 'fsm']
  const paths = folders.flatMap((folder) => readdirSync(`${ROOT}/src/${folder}`, { recursive: true }).filter((file) => file.endsWith('.ts')).map((file) => `${folder}/${file.replaceAll('\\', '/')}`))
  return new Map([...paths.sort(), ...only === 'codec' ? [] : ['index.ts']].map((path) => [path, readFileSync(`${ROOT}/src/${path}`)]))
}

async function oneFile(only, form) {
  const entry = only === 'codec' ? 'codec/index' : 'index'
  const what = only === 'codec' ? 'codec' : 'codec and connection machine'
  const { code } = await bundle({ entry: `src/${entry}.ts`, what, minify: form !== 'readable', lean: form === 'lean' })
  const scratch = mkdtempSync(join(tmpdir(), 'connack-vendor-'))
  try {
    makeTypes(scratch)
    // The map would not find the sources from there.
    return new Map([['connack.js', Buffer.from(code.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'))], ['connack.d.ts', Buffer.from(rollUp(`${scratch}/${entry}.d.ts`, banner(what)))]])
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The commit, where the sources are what it holds. */
function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('status', '--porcelain', 'src') === '' ? { commit: git('rev-parse', 'HEAD') } : {}
  } catch {
    return {}
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const options = { only: { type: 'string' }, source: { type: 'boolean' }, min: { type: 'boolean' }, lean: { type: 'boolean' }, force: { type: 'boolean' } }
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    if (positionals.length !== 1 || (values.only !== undefined && values.only !== 'codec')) throw new Error(USAGE)
    // npm runs this in the package's folder, whoever calls it from wherever.
    const folder = resolve(process.env.INIT_CWD ?? '.', positionals[0])
    const form = values.source ? 'source' : values.lean ? 'lean' : values.min ? 'min' : 'readable'
    const { version, what, files, entry } = await vendor(folder, { only: values.only, form, force: values.force })
    console.log(`connack ${version}, ${what}: ${Object.keys(files).length + 1} files. Import ${entry}; \`node ${relative(process.cwd(), join(folder, 'verify.js'))}\` runs the corpus on it.`)
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
