// What the papers say of the code, held against the code.
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { QUIRKS } from '../src/codec/lenient.ts'
import { DEFAULT_MAXIMUM_PACKET_SIZE } from '../src/codec/stream.ts'
import { DEFAULT_LIMITS } from '../src/fsm/index.ts'
import { DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAXIMUM_CONNECT_SIZE, DEFAULT_MAXIMUM_UNSENT } from '../src/transport/driver-options.ts'
import { DEFAULT_OPEN_TIMEOUT } from '../src/transport/open.ts'
import { DEFAULT_MAXIMUM_CONNECTIONS } from '../src/transport/sockets.ts'

const root = new URL('../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readme = read('README.md')

test('the table of bounds has the defaults that hold', () => {
  const bounds: { [option: string]: number } = {
    maximumConnectSize: DEFAULT_MAXIMUM_CONNECT_SIZE, maximumPacketSize: DEFAULT_MAXIMUM_PACKET_SIZE,
    'limits.connectTimeout': DEFAULT_LIMITS.connectTimeout, 'limits.authTimeout': DEFAULT_LIMITS.authTimeout, 'limits.heldPackets': DEFAULT_LIMITS.heldPackets,
    'limits.connackTimeout': DEFAULT_LIMITS.connackTimeout, 'limits.pingrespTimeout': DEFAULT_LIMITS.pingrespTimeout, 'limits.closeTimeout': DEFAULT_LIMITS.closeTimeout,
    maximumUnsent: DEFAULT_MAXIMUM_UNSENT, drainTimeout: DEFAULT_DRAIN_TIMEOUT,
    openTimeout: DEFAULT_OPEN_TIMEOUT, maximumConnections: DEFAULT_MAXIMUM_CONNECTIONS,
  }
  const table = new Map([...readme.matchAll(/^\| [^|]+ \| ([\d,]+)[^|]* \| `([\w.]+)` \|/gm)].map(([, value, option]) => [option!, Number(value!.replaceAll(',', ''))]))
  assert.equal(Object.fromEntries([...table].sort()), Object.fromEntries(Object.entries(bounds).sort()))
})

test('the quirks are those there are', () => {
  for (const [quirk, { reads, seen }] of Object.entries(QUIRKS)) assert.ok(readme.includes(`| \`${quirk}\` | ${reads} | ${seen} |`), quirk)
})

test('the counts of fixtures are true', () => {
  const index = JSON.parse(read('fixtures/index.json')) as readonly { readonly valid: number, readonly malformed: number }[]
  const valid = index.reduce((sum, file) => sum + file.valid, 0)
  const malformed = index.reduce((sum, file) => sum + file.malformed, 0)
  const flows = (JSON.parse(read('fixtures/flows/index.json')) as readonly { readonly flows: number }[]).reduce((sum, file) => sum + file.flows, 0)
  const say = (n: number): string => n.toLocaleString('en-US')
  assert.ok(readme.includes(`${say(valid + malformed)} golden packets (${say(valid)} valid, ${say(malformed)} malformed) and ${flows} conversations`), `${valid} ${malformed} ${flows}`)
})

test('every link of the papers leads somewhere', () => {
  for (const paper of ['README.md', 'fixtures/README.md', 'fixtures/flows/README.md', 'bench/README.md', 'docs/architecture.md', 'docs/decisions.md', 'docs/integrate.md', 'docs/fixtures.md', 'docs/package-check.md', 'SECURITY.md', 'CONTRIBUTING.md']) {
    for (const [, target] of read(paper).matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^https?:/.test(target!)) continue
      assert.ok(existsSync(new URL(target!, new URL(paper, root))), `${paper}: ${target}`)
    }
  }
})

test('every script that a paper names is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: { readonly [name: string]: string } }
  for (const paper of ['README.md', 'docs/integrate.md', 'docs/fixtures.md', 'docs/package-check.md', 'CONTRIBUTING.md']) {
    for (const [, name] of read(paper).matchAll(/npm run ([\w:]+)/g)) assert.ok(scripts[name!] !== undefined, `${paper}: ${name}`)
  }
})

test('SECURITY.md has the same bounds as the README', () => {
  const rows = (text: string): readonly string[] => text.match(/^\| .* \| `[\w.]+` \| .* \|$/gm) ?? []
  const bounds = rows(readme).filter((row) => /^\| [^|]+ \| [\d,]+/.test(row))
  assert.ok(bounds.length > 10)
  assert.equal(rows(read('SECURITY.md')), bounds)
})

test('what an import weighs is what scripts/sizes.json holds', async () => {
  const { held, table } = await import(new URL('scripts/sizes.js', root).href) as { held(): object, table(figures: object): string }
  assert.ok(read('docs/integrate.md').includes(`| import | min | gzip |\n|---|---|---|\n${table(held())}\n`), 'npm run sizes -- --write')
})

test('docs/fixtures.md shows a case that there is', () => {
  const [, id, title, offset] = /^ {2}(v\d-\w+-\d{3}) \((.*)\): decoding: offset should be (\d+), is \d+$/m.exec(read('docs/fixtures.md')) ?? []
  const cases = JSON.parse(read(`fixtures/${id!.replace(/-\d+$/, '')}.json`)) as readonly { readonly id: string, readonly title: string, readonly error?: { readonly offset: number } }[]
  const one = cases.find((other) => other.id === id)
  assert.equal([one?.title, one?.error?.offset], [title, Number(offset)])
})

test.run()
