// What this repository promises about itself.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const PACKAGE = JSON.parse(read('package.json')) as {
  readonly dependencies?: unknown
  readonly devDependencies: object
  readonly bin: { readonly [name: string]: string }
  readonly exports: { readonly [name: string]: string | { readonly [condition: string]: string } }
}

/** From the bottom up: each may import itself and what stands before it. */
const LAYERS = ['codec', 'fsm', 'transport', 'broker', 'cli']
/** These know no runtime: no clock, no I/O, no randomness, nothing of Node. */
const PURE = ['codec', 'fsm']
const RUNTIME = /\b(Buffer|process|require|console|fetch|crypto|performance|Date|Math\.random|set(Timeout|Interval|Immediate)|queueMicrotask|(await )?import\()/g

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The files below a folder, with / between their parts; what .gitignore names is left out. */
function filesOf(folder: string): string[] {
  const ignored = read('.gitignore').split('\n').filter(Boolean)
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    if (entry.name === '.git' || ignored.some((rule) => (rule.startsWith('*') ? entry.name.endsWith(rule.slice(1)) : rule === `${entry.name}/`))) return []
    return entry.isDirectory() ? filesOf(path) : [path]
  })
}

const SOURCES = filesOf('src').filter((path) => path.endsWith('.ts'))
const TESTS = filesOf('test').filter((path) => path.endsWith('.test.ts'))

/** What a module imports, for types or for values, as it is written. */
function importsOf(path: string): string[] {
  const text = read(path)
  return [
    ...text.matchAll(/^import '([^']+)'/gm),
    ...text.matchAll(/^(?:import|export)(?: type)? (?:[\w*, ]*\{[^}]*\}|\*|\* as \w+|\w+) from '([^']+)'/gm),
    ...text.matchAll(/\bimport\('([^']+)'\)/g),
  ].map((match) => match[1]!)
}

/** A module without its comments and texts. */
function codeOf(path: string): string {
  return read(path).replace(/\/\*[^]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g, '')
}

test('every test file ends with .run(), runs each of its suites, and leaves nothing out', () => {
  assert.ok(TESTS.length > 30)
  for (const path of TESTS) {
    const text = read(path)
    assert.match(text, /\n\w+\.run\(\)\n$/, path)
    for (const [, suite] of text.matchAll(/^const (\w+) = suite\b/gm)) assert.match(text, new RegExp(`^${suite}\\.run\\(\\)$`, 'm'), path)
    assert.not.match(text, /\b(test|suite)\.only\(/, path)
  }
})

test('imports point one way: cli, broker, transport, fsm, codec, nothing', () => {
  for (const path of SOURCES) {
    const layer = path.split('/')[1]!
    for (const target of importsOf(path)) {
      const where = `${path} imports ${target}`
      if (!target.startsWith('.')) {
        assert.ok(target.startsWith('node:') && !PURE.includes(layer) && LAYERS.includes(layer), where)
        continue
      }
      const resolved = posix.join(posix.dirname(path), target)
      assert.ok(SOURCES.includes(resolved), `${where}, which is no file`)
      const below = resolved.split('/')[1]!
      if (layer === 'index.ts') assert.ok(PURE.includes(below), where)
      else assert.ok(LAYERS.includes(layer) && LAYERS.indexOf(below) >= 0 && LAYERS.indexOf(below) <= LAYERS.indexOf(layer), where)
    }
  }
})

test('the broker is made of what everybody can import: the public names of the layers below it, and nothing of Node', () => {
  const broker = SOURCES.filter((path) => path.startsWith('src/broker/'))
  assert.ok(broker.length > 5)
  for (const path of broker) {
    for (const target of importsOf(path)) assert.match(target, /^(\.\/[\w-]+\.ts|\.\.\/(codec|fsm|transport)\/index\.ts)$/, `${path} imports ${target}`)
    assert.equal(codeOf(path).match(/\b(Buffer|process|require|set(Timeout|Interval|Immediate)|queueMicrotask)\b/g), null, path)
  }
})

test('codec and fsm use nothing of a runtime, but utf8.ts looks whether there is a Buffer', () => {
  for (const path of SOURCES) {
    if (!PURE.includes(path.split('/')[1]!)) continue
    const found = (codeOf(path).match(RUNTIME) ?? []).filter((word) => !(path === 'src/codec/utf8.ts' && word === 'Buffer'))
    assert.equal(found, [], path)
  }
})

test('every source file says its licence', () => {
  for (const path of SOURCES) assert.ok(read(path).split('\n').slice(0, 2).includes('// SPDX-License-Identifier: MIT'), path)
})

test('five development packages, and nothing at run time', () => {
  assert.equal(Object.keys(PACKAGE.devDependencies).sort(), ['@types/node', 'c8', 'esbuild', 'typescript', 'uvu'])
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies', 'bundleDependencies']) assert.not(kind in PACKAGE, kind)
})

test('everything that package.json exports has a source', () => {
  const targets = [...Object.values(PACKAGE.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target))), ...Object.values(PACKAGE.bin)]
  for (const target of targets) {
    const source = target.replace(/^\.\/dist\/(.+?)(\.d\.ts|\.js)$/, './src/$1.ts').replace(/\/\*$/, '')
    assert.ok(existsSync(join(ROOT, source)), `${target} wants ${source}`)
  }
})

test('no file holds a path of somebody\'s machine', () => {
  const paths = /(?<![\w.*-])\/(home|Users|work|root)\/[\w.-]/
  for (const path of filesOf('.')) {
    const text = read(path)
    if (text.includes('\0')) continue
    const line = text.split('\n').findIndex((content) => content.includes(ROOT) || paths.test(content))
    assert.is(line, -1, `${path}, line ${line + 1}`)
  }
})

test.run()
