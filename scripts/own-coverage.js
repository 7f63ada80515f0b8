// Does each module's own test file cover it to 100 %, lines and branches, all by itself? Part of `npm test`.
// A module is a .ts file of src/codec or src/fsm with code of its own: not those of types only, and not those that only pass names on.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Report } from 'c8'
import { transform } from 'esbuild'

const AT_ONCE = 2
const root = fileURLToPath(new URL('..', import.meta.url))
const only = process.argv.slice(2)
process.chdir(root)

const modules = []
for (const folder of ['src/codec', 'src/fsm']) {
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    const path = `${folder}/${name.replaceAll('\\', '/')}`
    if (path.endsWith('.ts') && await hasCode(path) && (only.length === 0 || only.includes(path))) modules.push(path)
  }
}

const complaints = []
const queue = [...modules]
const scratch = await mkdtemp(join(tmpdir(), 'own-coverage-'))
try {
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) complaints.push(...await judge(path))
  }))
} finally {
  await rm(scratch, { recursive: true, force: true })
}
for (const complaint of complaints.sort()) console.error(complaint)
console.log(`own coverage: ${modules.length} modules, ${complaints.length === 0 ? 'each covered by its own test file' : `${complaints.length} complaints`}`)
if (complaints.length > 0 || modules.length === 0) process.exitCode = 1

/** What is wrong with the coverage of one module; nothing, one hopes. */
async function judge(path) {
  const test = path.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts')
  if (!existsSync(test)) return [`${path}: there is no ${test}`]
  const tempDirectory = join(scratch, path.replaceAll('/', '-'))
  const { status, output } = await run(test, tempDirectory)
  if (status !== 0 || !allPassed(output)) return [`${path}: ${test} fails\n${output.trim()}\n`]
  const report = new Report({ include: [path], exclude: [], extension: ['.ts'], excludeNodeModules: true, omitRelative: true, resolve: '', src: [], tempDirectory })
  const map = await report.getCoverageMapFromAllCoverageFiles()
  await rm(tempDirectory, { recursive: true })
  const [file] = map.files()
  if (file === undefined) return [`${path}: ${test} does not load it`]
  const coverage = map.fileCoverageFor(file)
  const lines = coverage.getUncoveredLines()
  const branches = Object.entries(coverage.b).flatMap(([id, counts]) => (counts.includes(0) ? [coverage.branchMap[id].loc.start.line] : []))
  return [
    ...lines.length > 0 ? [`${path}: ${test} does not reach line ${lines.join(', ')}`] : [],
    ...branches.length > 0 ? [`${path}: ${test} does not take the branch at line ${branches.join(', ')}`] : [],
  ]
}

/** Runs one test file, with V8's coverage written to a directory. */
function run(test, directory) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', './scripts/load.js', test], { env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', NODE_V8_COVERAGE: directory } })
    let output = ''
    for (const pipe of [child.stdout, child.stderr]) pipe.setEncoding('utf8').on('data', (chunk) => { output += chunk })
    child.on('error', reject)
    child.on('close', (status) => { resolve({ status, output }) })
  })
}

/** uvu ends with 0 also where a hook throws, or a test throws what is no Error: the rest of the suite is then left out in silence. */
function allPassed(output) {
  const [total, passed, skipped] = ['Total', 'Passed', 'Skipped'].map((word) => Number(new RegExp(`${word}: +(\\d+)`).exec(output)?.[1] ?? -1))
  return total > 0 && total === passed + skipped
}

/** Is anything left once types and names passed on are taken away? */
async function hasCode(path) {
  const { code } = await transform(readFileSync(path, 'utf8'), { loader: 'ts', format: 'esm' })
  return code.replace(/^((import|export) (\{[^}]*\}|\*) from "[^"]+"|export \{[^}]*\});$/gm, '').trim() !== ''
}
