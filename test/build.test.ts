// What `npm run build` makes: a bundle that people can read and their compilers believe, and what it weighs.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import * as source from '../src/index.ts'

interface Figures { readonly [name: string]: { readonly min: number, readonly gzip: number } }
interface Token { readonly kind: string, readonly text: string }
type Tools = [
  { makeDist(out: string): Promise<void> }, { measure(): Promise<Figures>, held(): Figures }, { rollUp(entry: string, head: string): string }, { tokens(text: string): readonly Token[] },
]

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const dist = mkdtempSync(join(tmpdir(), 'connack-dist-'))
const read = (file: string): string => readFileSync(join(dist, file), 'utf8')
const [{ makeDist }, { measure, held }, { rollUp }, { tokens }] = await Promise.all(['build', 'sizes', 'vendor-types', 'vendor-tokens'].map((name) => import(`../scripts/${name}.js`))) as Tools

/** Lets tsc judge a program in a folder of its own; gives what it says. */
function compile(options: readonly string[], files: { readonly [name: string]: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'connack-consumer-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const { stdout, stderr } = spawnSync(process.execPath, [TSC, '--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', '', ...options, 'consumer.ts'], { cwd: folder, encoding: 'utf8' })
    return stdout + stderr
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.before(() => makeDist(dist))
test.after(() => rmSync(dist, { recursive: true }))

test('each bundle exports what src/index.ts does, and imports nothing', async () => {
  for (const file of ['connack.js', 'connack.min.js', 'connack.lean.js']) {
    const code = tokens(read(file)).filter(({ kind }) => kind === 'word').map(({ text }) => text)
    for (const word of ['import', 'require', 'process']) assert.not(code.includes(word), `${file}: ${word}`)
    assert.equal(Object.keys(await import(pathToFileURL(join(dist, file)).href) as object).sort(), Object.keys(source).sort(), file)
  }
})

test('the readable bundle has the comments of the sources, and their numbers as they were written', () => {
  const text = read('connack.js')
  const files = ['codec', 'fsm'].flatMap((folder) => readdirSync(join(ROOT, 'src', folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => join(ROOT, 'src', folder, file)))
  const comments = files.flatMap((file) => readFileSync(file, 'utf8').match(/^ *\/\/ .*$/gm) ?? []).map((line) => line.trim()).filter((line) => !line.startsWith('// SPDX'))
  const lost = comments.filter((line) => !text.includes(line))
  // Types take theirs along, and one before an `else` has no place.
  assert.ok(comments.length > 100 && lost.length <= comments.length / 20, `${lost.length} of ${comments.length} are lost:\n${lost.join('\n')}`)
  assert.ok(text.includes('/** Decodes exactly one') || text.includes('* Decodes exactly one Control Packet.'))
  assert.match(text, /\b0x81\b.*a packet ends with its last field/)
  assert.match(text, /\b268_435_455\b/)
  assert.not.match(text, /\/\/!|\/\*!|\b[QWERTYUIOP](x[\da-f]{2}|b[01]{4}|\d*_\d{3})\b/)
})

test('the lean bundle says where and which statement, and no sentence', async () => {
  const lean = await import(pathToFileURL(join(dist, 'connack.lean.js')).href) as typeof source
  for (const codec of [source, lean]) {
    try {
      codec.decode(Uint8Array.of(0x20, 3, 2, 0, 0), 5)
      assert.unreachable()
    } catch (error) {
      const { name, offset, rule, message } = error as source.MalformedPacket
      assert.equal({ name, offset, rule }, { name: 'MalformedPacket', offset: 2, rule: 'MQTT-3.2.2-1' })
      assert.is(message, `CONNACK, offset 2: flags 0b00000010${codec === lean ? '' : '; bits 7-1 of the Connect Acknowledge Flags are 0'} [MQTT-3.2.2-1]`)
    }
  }
})

test('source maps lead to the sources, line by line', () => {
  for (const file of ['connack.js', 'connack.min.js', 'connack.lean.js', 'codec/decode.js', 'transport/tcp.js']) {
    assert.match(read(file), new RegExp(`//# sourceMappingURL=${file.split('/').at(-1)}\\.map\\n$`))
    const map = JSON.parse(read(`${file}.map`)) as { readonly sources: readonly string[], readonly sourcesContent?: readonly string[], readonly mappings: string }
    map.sources.forEach((path, i) => {
      const original = join(ROOT, 'src', path.slice(path.lastIndexOf('src/') + 4))
      assert.ok(existsSync(original), path)
      if (map.sourcesContent !== undefined) assert.is(map.sourcesContent[i], readFileSync(original, 'utf8'), path)
    })
    assert.ok(map.mappings.split(';').length <= read(file).split('\n').length, file)
  }
  // Node follows the map of the readable bundle from an error to the source's own line.
  const script = `const { decode } = await import(${JSON.stringify(pathToFileURL(join(dist, 'connack.js')).href)}); try { decode(Uint8Array.of(0x20, 3, 2, 0, 0), 5) } catch ({ stack }) { console.log(stack) }`
  const { stdout } = spawnSync(process.execPath, ['--enable-source-maps', '--input-type=module', '-e', script], { encoding: 'utf8' })
  const [, line] = /connack\.ts:(\d+)/.exec(stdout) ?? assert.unreachable(stdout) as never
  assert.match(readFileSync(join(ROOT, 'src/codec/packet/connack.ts'), 'utf8').split('\n')[Number(line) - 1]!, /acknowledgeFlags/)
})

test('connack.sha256 has the sums of all that can be vendored', () => {
  const sums = read('connack.sha256').trim().split('\n').map((line) => line.split('  '))
  assert.equal(sums.map(([, file]) => file), readdirSync(dist).filter((file) => /^connack\..*(js|d\.ts)$/.test(file)).sort())
  for (const [sum, file] of sums) assert.is(createHash('sha256').update(read(file!)).digest('hex'), sum)
})

test('the rolled-up types compile in a consumer, under nodenext and bundler, with and without DOM', () => {
  const types = read('connack.d.ts')
  assert.not.match(types, /\bimport\b/)
  const consumer = `
    import { decode, encode, initial, PacketStream, transition } from './connack.js'
    import type { Packet, PacketOf, State } from './connack.js'
    const packet: Packet = decode(new Uint8Array([0xc0, 0]), 5)
    const publish = (one: PacketOf<'publish'>): Uint8Array => one.payload
    const wire: Uint8Array = encode({ type: 'connack', sessionPresent: false, reasonCode: 0, properties: { assignedClientIdentifier: 'ab' } }, 5)
    const state: State = transition(initial({ role: 'client' }), { type: 'received', packet }).state
    if (state.phase === 'connected') state.agreement.keepAlive.toFixed()
    // @ts-expect-error a property where it does not belong
    encode({ type: 'puback', packetId: 1, properties: { topicAlias: 1 } }, 5)
    // @ts-expect-error no such phase
    if (state.phase === 'open') publish
    for (let p = new PacketStream().next(); p !== undefined; p = undefined) wire satisfies Uint8Array
  `
  for (const options of [['--module', 'nodenext', '--lib', 'ES2022,DOM'], ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'ES2022']]) {
    assert.is(compile(options, { 'package.json': '{ "type": "module" }', 'connack.d.ts': types, 'consumer.ts': consumer }), '', options.join(' '))
  }
  assert.match(compile(['--module', 'nodenext', '--lib', 'ES2022'], { 'package.json': '{ "type": "module" }', 'connack.d.ts': types, 'consumer.ts': "import { nothing } from './connack.js'\nnothing()" }), /nothing/)
})

test('every rolled-up type is the type of the modules', () => {
  const names = [...read('connack.d.ts').matchAll(/^export (type )?\{ (.*) \};$/gm)].flatMap(([, type, list]) => list!.split(', ').map((name) => ({ name, type: type !== undefined })))
  assert.ok(names.length > 100)
  const generic: { readonly [name: string]: string } = { PacketOf: "<'publish'>", PacketInputOf: "<'publish'>", PropertiesOf: "<'publish'>", IdMap: '<string>' }
  const lines = names.map(({ name, type }) => {
    const of = (module: string): string => (type ? `${module}.${name}${generic[name] ?? ''}` : `typeof ${module}.${name}`)
    // A class with private members is like no other; its public side must be.
    return name === 'PacketStream' ? `check<Same<Public<one.${name}>, Public<many.${name}>>>()` : `check<Same<${of('one')}, ${of('many')}>>()`
  })
  const consumer = (more: string): string => `
    import type * as one from ${JSON.stringify(join(dist, 'connack.js'))}
    import type * as many from ${JSON.stringify(join(dist, 'index.js'))}
    type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
    type Public<T> = { [K in keyof T]: T[K] }
    declare function check<T extends true>(): T
    ${lines.join('\n    ')}\n${more}`
  const options = ['--module', 'nodenext', '--lib', 'ES2023,DOM']
  assert.is(compile(options, { 'package.json': '{ "type": "module" }', 'consumer.ts': consumer('') }), '')
  assert.match(compile(options, { 'package.json': '{ "type": "module" }', 'consumer.ts': consumer('check<Same<one.Packet, many.PacketInput>>()') }), /does not satisfy/)
})

test('the roll-up keeps apart what has the same name in two modules, and gives up where it would have to guess', () => {
  const folder = mkdtempSync(join(tmpdir(), 'connack-rollup-'))
  const roll = (files: { readonly [name: string]: string }): string => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.d.ts`), text)
    return rollUp(join(folder, 'index.d.ts'), '// head')
  }
  try {
    const text = roll({
      index: "export * from './a.js';\nexport { make as build } from './b.js';\nexport type { Kept } from './b.js';\n",
      a: "/** of a */\ninterface Row {\n    readonly Row: 1;\n}\nexport declare const a: Row;\nexport type { Kept as Other } from './b.js';\n",
      b: "import type { a as first } from './a.js';\ntype Row = `x${string}`;\ninterface Never {\n    readonly x: 1;\n}\nexport interface Kept {\n    readonly Row: Row;\n    readonly d: typeof first;\n    readonly e: Event;\n}\nexport declare function make(row: Row): Kept;\nexport declare function make(): void;\ntype Event = 2;\nexport {};\n",
    })
    assert.is(compile(['--lib', 'ES2022,DOM', '--module', 'nodenext'], {
      'package.json': '{ "type": "module" }', 'all.d.ts': text,
      'consumer.ts': "import { a, build } from './all.js'\nimport type { Kept, Other } from './all.js'\nconst one: 1 = a.Row\nconst kept: Kept | undefined = build('x1')\nconst row: `x${string}` | undefined = kept?.Row\nconst d: 1 | undefined = kept?.d.Row\nconst e: 2 | undefined = (kept as Other).e\nbuild()\nexport { d, e, one, row }\n",
    }), '', text)
    assert.not.match(text, /Never/)
    assert.throws(() => roll({ index: "import x from './a.js';\nexport { x };\n", a: '' }), /cannot roll up/)
    assert.throws(() => roll({ index: "export { gone } from './a.js';\n", a: 'export {};\n' }), /has no gone/)
    assert.throws(() => roll({ index: "export type { Event } from './a.js';\nexport type { Late } from './b.js';\n", a: 'export type Event = 1;\n', b: 'export type Late = Event;\n' }), /global elsewhere/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('tokens are the text again, and know a comment from a string, a template and a regular expression', () => {
  for (const file of ['codec/reader.ts', 'codec/json.ts', 'fsm/connection.ts', 'cli/render.ts']) {
    const text = readFileSync(resolve(ROOT, 'src', file), 'utf8')
    assert.is(tokens(text).map((token) => token.text).join(''), text)
  }
  const kinds = (text: string): string => tokens(text).filter(({ kind }) => kind !== 'space').map(({ kind, text: piece }) => `${kind} ${piece}`).join(' | ')
  assert.is(kinds("'//' // a"), "string '//' | comment // a")
  assert.is(kinds('a / b / c'), 'word a | punct / | word b | punct / | word c')
  assert.is(kinds('return /[/"]*/g'), 'word return | regex /[/"]*/g')
  assert.is(kinds('`a${{ b: `//` }}c` /* d */'), 'template `a${ | punct { | word b | punct : | template `//` | punct } | template }c` | comment /* d */')
  assert.throws(() => tokens('`a'), /template without end/)
})

test('of the one file only what is imported stays: no table is kept because a bundler cannot tell that making it has no effect', async () => {
  const weigh = async (name: string): Promise<number> => {
    const { outputFiles } = await build({ stdin: { contents: `export { ${name} } from './connack.js'`, resolveDir: dist }, bundle: true, format: 'esm', minify: true, write: false, logLevel: 'warning' })
    return outputFiles[0]!.contents.length
  }
  // 2,899 bytes today: six small tables stay whatever is imported.
  for (const name of ['topicMatches', 'newSession']) assert.ok(await weigh(name) < 3_500, `${name}: ${await weigh(name)} bytes`)
})

test('nothing weighs more than scripts/sizes.json says, but for 2 %', async () => {
  const figures = await measure()
  const limits = held()
  assert.equal(Object.keys(figures).sort(), Object.keys(limits).sort())
  for (const [name, { min, gzip }] of Object.entries(figures)) {
    const limit = limits[name]!
    assert.ok(min <= limit.min * 1.02 && gzip <= limit.gzip * 1.02, `${name}: ${min} and ${gzip} bytes, held to ${limit.min} and ${limit.gzip}; scripts/sizes.js says how to raise that`)
  }
  assert.ok(figures['decode']!.min < figures['codec']!.min * 0.7, 'an import of decode alone is shaken out of the codec')
})

test.run()
