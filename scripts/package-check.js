// npm run package:check: packs the package, installs it into empty projects in a temporary folder, and uses it there as other people do; then publint and
// @arethetypeswrong/cli (by npx, from the registry). Writes what it found to docs/package-check.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './vendor-bundle.js'

const PUBLINT = 'publint@0.3'
const ATTW = '@arethetypeswrong/cli@0.18'
/** The oldest compilers we claim, with what they are given: codec and machine from 4.7, `moduleResolution: bundler` (which came with it) and transports from 5.2. */
const COMPILERS = [
  ['4.7', 'nodenext', 'core'], ['5.0', 'nodenext', 'core'], ['5.0', 'bundler', 'core'], ['5.2', 'nodenext', 'transport'], ['5.2', 'bundler', 'transport'],
  ['own', 'nodenext', 'core'], ['own', 'bundler', 'core'], ['own', 'nodenext', 'transport'], ['own', 'bundler', 'transport'], ['5.2', 'nodenext', 'node'], ['own', 'nodenext', 'node'],
]
const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'))
const has = (name) => manifest.exports[name.replace(manifest.name, '.')] !== undefined
/** What a browser can have. */
const FOR_BROWSERS = ['connack', 'connack/codec', 'connack/fsm', 'connack/transport', 'connack/websocket', 'connack/streams', 'connack/broker'].filter(has)
/** Transports without a type of Node's, and those with. */
const PLAIN = ['connack/transport', 'connack/websocket', 'connack/streams', 'connack/broker'].filter(has)
const OF_NODE = ['connack/tcp', 'connack/tls', 'connack/websocket-server', 'connack/connect'].filter(has)
const rows = []
const scratch = mkdtempSync(join(tmpdir(), 'connack-package-'))

try {
  run('npm', ['run', '-s', 'build'], ROOT)
  const [{ filename, size, unpackedSize, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch], ROOT).stdout)
  row('npm pack', `${files.length} files, ${kib(size)} packed, ${kib(unpackedSize)} unpacked; ${stray(files)}`)
  const tarball = join(scratch, filename)
  await plainNode(project('node', tarball))
  await browserBundles(project('browser', tarball))
  types(project('types', tarball))
  judges(tarball)
  writeFileSync(`${ROOT}/docs/package-check.md`, page())
  console.log('docs/package-check.md written')
} finally {
  rmSync(scratch, { recursive: true })
}

/** An empty project with nothing in it but the tarball. */
function project(name, tarball) {
  const folder = join(scratch, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  run('npm', ['install', '--no-audit', '--no-fund', tarball], folder)
  return folder
}

async function plainNode(folder) {
  const code = Object.keys(manifest.exports).filter((path) => !path.includes('*') && !path.endsWith('.json')).map((path) => path.replace(/^\./, manifest.name))
  const use = "const wire = encode({ type: 'pingreq' }, 5); if (decode(wire, 5).type !== 'pingreq' || initial({ role: 'client' }).phase !== 'opening') throw new Error('wrong')"
  script(folder, 'use.js', `import { decode, encode, initial } from 'connack'\n${code.map((name) => `if (Object.keys(await import('${name}')).length === 0) throw new Error('${name} is empty')`).join('\n')}\n${use}`)
  row('Node, ESM', `imports ${code.map((name) => `\`${name}\``).join(', ')}`)
  script(folder, 'use.cjs', `const { decode, encode, initial } = require('connack')\n${code.map((name) => `require('${name}')`).join('\n')}\n${use}`)
  row('Node, CommonJS', 'the same by `require`')
  script(folder, 'json.js', "import { readFileSync } from 'node:fs'\nimport { fileURLToPath } from 'node:url'\nconst read = (name) => JSON.parse(readFileSync(fileURLToPath(import.meta.resolve(name)), 'utf8'))\nif (read('connack/fixtures/index.json').length < 40 || read('connack/fixtures/flows/index.json').length < 5 || read('connack/package.json').name !== 'connack') throw new Error('wrong')")
  row('Node, fixtures', '`connack/fixtures/index.json`, `connack/fixtures/flows/index.json` and `connack/package.json` resolve')
  const { stdout } = run(join(folder, 'node_modules/.bin/connack'), ['--help'], folder)
  if (!stdout.includes('connack')) throw new Error('connack --help says nothing')
  row('command', '`connack --help` runs')
}

/** No `node:` import, nor any other. That they run there is for scripts/browser. */
async function browserBundles(folder) {
  for (const name of FOR_BROWSERS) {
    const { outputFiles, metafile } = await build({
      stdin: { contents: `export * from '${name}'`, resolveDir: folder }, absWorkingDir: folder, bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, metafile: true, logLevel: 'error',
    })
    const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter((one) => one.external))
    if (external.length > 0) throw new Error(`${name} imports ${external.map(({ path }) => path).join(', ')}`)
    row(`esbuild, platform=browser, \`${name}\``, `no import left; ${kib(outputFiles[0].contents.length)} minified`)
  }
}

function types(folder) {
  const core = `
import { decode, encode, initial, PacketStream, transition } from 'connack'
import { annotate } from 'connack/codec'
import type { State } from 'connack/fsm'
const packet = decode(new Uint8Array([0xc0, 0]), 5)
const state: State = transition(initial({ role: 'client' }), { type: 'received', packet }).state
if (packet.type === 'publish') packet.properties?.topicAlias?.toFixed()
// @ts-expect-error a property where it does not belong
encode({ type: 'puback', packetId: 1, properties: { topicAlias: 1 } }, 5)
export const use = [annotate(encode(packet, 5), 5), state, new PacketStream()]\n`
  writeFileSync(join(folder, 'core.ts'), core)
  const all = (names) => names.map((name, i) => `export * as all${i} from '${name}'\n`).join('')
  writeFileSync(join(folder, 'transport.ts'), `${core}import { connectWebSocket } from 'connack/websocket'
${all(PLAIN)}export const client = connectWebSocket({ url: 'wss://localhost/mqtt', connect: { clientId: 'kitchen' }, WebSocket })\n`)
  writeFileSync(join(folder, 'node.ts'), `import { readFileSync } from 'node:fs'
import { connect } from 'connack/connect'
import { connectTcp } from 'connack/tcp'
import { listenTls } from 'connack/tls'
${all(OF_NODE)}export const client = connectTcp({ port: 1883, connect: { version: 5, clientId: 'kitchen', cleanStart: true, keepAlive: 60 } })
export const other = connect('mqtts://localhost', { tls: { ca: readFileSync('ca.pem') } })
export const server = listenTls({ tls: { cert: '', key: '' } }, (peer, socket) => { peer.onConnect = () => (socket.authorized ? peer.accept() : peer.refuse(0x87)) })\n`)
  for (const [wanted, resolution, what] of COMPILERS) {
    const { tsc, version } = compiler(wanted)
    // Only these speak of Node's own types.
    if (what === 'node') run('npm', ['install', '--no-audit', '--no-fund', '@types/node@20'], folder)
    const ambient = what === 'node' ? ['--types', 'node'] : []
    run(process.execPath, [tsc, ...wanted === 'own' ? ['--ignoreConfig'] : [], '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2022,dom', '--module', resolution === 'nodenext' ? 'nodenext' : 'esnext', '--moduleResolution', resolution, ...ambient, `${what}.ts`], folder)
    row(`TypeScript ${version}, ${resolution}`, `${{ core: '`connack`, `connack/codec`, `connack/fsm`', transport: `the same and ${PLAIN.map((name) => `\`${name}\``).join(', ')}`, node: `${OF_NODE.map((name) => `\`${name}\``).join(', ')}, with \`@types/node\`` }[what]}: no complaint, \`skipLibCheck\` off`)
  }
}

/** The compiler of this repository, or one of the registry. */
function compiler(wanted) {
  const folder = wanted === 'own' ? ROOT : join(scratch, `typescript-${wanted}`)
  if (wanted !== 'own') {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    run('npm', ['install', '--no-audit', '--no-fund', `typescript@${wanted}`], folder)
  }
  return { tsc: join(folder, 'node_modules/typescript/bin/tsc'), version: JSON.parse(readFileSync(join(folder, 'node_modules/typescript/package.json'), 'utf8')).version }
}

function judges(tarball) {
  const publint = run('npx', ['--yes', PUBLINT, tarball, '--strict'], scratch)
  row(`${PUBLINT}, strict`, plain(publint.stdout).trim().split('\n').at(-1))
  // Its exit status is the verdict: what the profile ignores (CommonJS by `require` needs no types of its own, node10 is too old) is listed all the same.
  const attw = JSON.parse(run('npx', ['--yes', ATTW, tarball, '--profile', 'esm-only', '--format', 'json'], scratch).stdout)
  const paths = Object.keys(attw.analysis.entrypoints).filter((path) => !path.includes('*') && !path.endsWith('.json'))
  row(`${ATTW}, profile esm-only`, `nothing reported for ${paths.map((path) => `\`${path}\``).join(', ')}`)
}

function script(folder, name, text) {
  writeFileSync(join(folder, name), text)
  run(process.execPath, [name], folder)
}

/** Runs to the end, or throws with all it said. */
function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status ?? error}\n${stdout}${stderr}`)
  return { stdout, stderr }
}

function row(what, found) {
  rows.push([what, found])
  console.log(`${what}: ${found}`)
}

/** What must not be in the package. */
function stray(files) {
  const found = files.filter(({ path }) => /(^|\/)(test|bench|scripts|node_modules|coverage)\/|\.test\.|^fixtures\/(make|check|flows\/make)\//.test(path))
  if (found.length > 0) throw new Error(`packed by mistake: ${found.map(({ path }) => path).join(', ')}`)
  return 'nothing of test, bench or scripts'
}

function plain(text) {
  return text.replace(/\x1b\[[\d;]*m/g, '')
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`
}

function page() {
  return `# The package, as other people get it

Made by \`npm run package:check\`: the packed tarball of connack ${manifest.version}, installed into empty projects. Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}. A line is here
because it passed; the script stops at the first that does not.

| what | found |
|---|---|
${rows.map(([what, found]) => `| ${what} | ${found} |`).join('\n')}

The oldest compilers we claim: TypeScript 4.7 for codec and machine under \`nodenext\`, 5.0 under \`bundler\` (which is as old as it), 5.2 for the transports (they name \`Symbol.asyncDispose\`).
`
}
