// Every name that can be imported says, at its declaration, what it is. TypeScript 7 has no stable interface to parse with, so two patterns read the
// sources: an export is declared at the beginning of a line, and its docstring ends on the line above.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as codec from '../src/codec/index.ts'

const DECLARED = /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type|enum) (\w+)/
const PASSED_ON = /^export (?:type )?\{([^}]*)\}(?: from '([^']+)')?/gm

interface Exported {
  readonly name: string
  /** the module that declares it or passes it on, and its name there */
  readonly from: URL
  readonly as: string
}

const root = new URL('../', import.meta.url)
const sources = new Map<string, string>()

function read(module: URL): string {
  const text = sources.get(module.href) ?? readFileSync(module, 'utf8')
  sources.set(module.href, text)
  return text
}

/** The entry points of the package but the first, which is the codec's and the machine's together. */
function entries(): readonly string[] {
  const { exports } = JSON.parse(read(new URL('package.json', root))) as { readonly exports: { readonly [entry: string]: string | { readonly types: string } } }
  const typed = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.types.replace('./dist/', 'src/').replace('.d.ts', '.ts')]))
  return typed.filter((path) => path !== 'src/index.ts')
}

function exportsOf(module: URL): readonly Exported[] {
  const text = read(module)
  assert.not.match(text, /^export (?:type )?\*|^export default/m)
  const declared = text.split('\n').flatMap((line) => DECLARED.exec(line)?.[1] ?? []).map((name) => ({ name, from: module, as: name }))
  const passedOn = [...text.matchAll(PASSED_ON)].flatMap(([, list, from]) => list!.split(',').flatMap((item) => {
    const [, as, name = as] = /^\s*(?:type )?(\w+)(?: as (\w+))?\s*$/.exec(item) ?? []
    return as === undefined ? [] : [{ name: name!, from: from === undefined ? module : new URL(from, module), as }]
  }))
  return [...declared, ...passedOn]
}

/** Does a docstring with a word in it end right above a declaration of `name`? Undefined where there is no declaration. */
function documented(text: string, name: string): boolean | undefined {
  const lines = text.split('\n')
  const at = lines.flatMap((line, i) => (DECLARED.exec(line)?.[1] === name ? [i] : []))
  return at.length === 0 ? undefined : at.some((i) => /(?:^|\n)\/\*\*(?=(?:[^*]|\*(?!\/))*\w)(?:[^*]|\*(?!\/))*\*\/$/.test(lines.slice(Math.max(0, i - 20), i).join('\n')))
}

/** What is wrong with an export, followed to where it is declared; undefined where nothing is. */
function fault({ from, as }: Exported): string | undefined {
  const said = documented(read(from), as)
  if (said === true) return undefined
  const further = said === undefined ? exportsOf(from).find(({ name, from: next }) => name === as && next.href !== from.href) : undefined
  if (further !== undefined) return fault(further)
  return `${from.href.slice(root.href.length)}: ${as} has no ${said === undefined ? 'declaration' : 'docstring'}`
}

for (const entry of entries()) {
  test(`every export of ${entry} has a docstring`, () => {
    const exported = exportsOf(new URL(entry, root))
    assert.ok(exported.length > 0)
    assert.equal(exported.flatMap((one) => fault(one) ?? []), [])
  })
}

test('all ten entries are read, with as many names as there are', () => {
  assert.is(entries().length, 10)
  // Twin: what a running program sees of the codec is found here too.
  const found = new Set(exportsOf(new URL('src/codec/index.ts', root)).map(({ name }) => name))
  assert.equal(Object.keys(codec).filter((name) => !found.has(name)), [])
})

test('a docstring is told from what is none', () => {
  assert.is(documented('/** A. */\nexport type A = 1', 'A'), true)
  assert.is(documented('/**\n * A.\n */\nexport async function A() {}', 'A'), true)
  assert.is(documented('/** B. */\nexport type B = 1\nexport type A = 1', 'A'), false)
  assert.is(documented('/** A. */\n\nexport type A = 1', 'A'), false)
  assert.is(documented('/* A. */\nexport type A = 1', 'A'), false)
  assert.is(documented('// A.\nexport type A = 1', 'A'), false)
  assert.is(documented('/** */\nexport type A = 1', 'A'), false)
  assert.is(documented('/** A. */\n/* B. */\nexport type A = 1', 'A'), false)
  assert.is(documented('/** AB. */\nexport type AB = 1', 'A'), undefined)
})

test.run()
