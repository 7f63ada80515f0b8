// What the papers say of the code, held against the code.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { QUIRKS } from '../src/codec/lenient.ts'
import { DEFAULT_MAXIMUM_PACKET_SIZE } from '../src/codec/stream.ts'
import { DEFAULT_LIMITS } from '../src/fsm/index.ts'
import { DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAXIMUM_CONNECT_SIZE, DEFAULT_MAXIMUM_UNSENT, DEFAULT_MAXIMUM_WAITING } from '../src/transport/driver-options.ts'
import { DEFAULT_OPEN_TIMEOUT } from '../src/transport/open.ts'
import { DEFAULT_MAXIMUM_CONNECTIONS } from '../src/transport/sockets.ts'
import { HANDSHAKE_TIMEOUT } from '../src/transport/tls.ts'
import { DEFAULT_MAXIMUM_UNREAD } from '../src/transport/websocket.ts'

const root = new URL('../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readme = read('README.md')

/** "1 MiB" as a number; seconds of days. */
function amount(text: string): number {
  const [, digits, unit = ''] = /^([\d,]+)(?: (KiB|MiB|days))?/.exec(text) ?? []
  return Number(digits!.replaceAll(',', '')) * ({ KiB: 1024, MiB: 1_048_576, days: 86_400 }[unit] ?? 1)
}

/** Every option of a number that bounds something, with the default its docstring states. */
function statedBounds(): { readonly [option: string]: number } {
  const files = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' }).filter((file) => /^(transport|broker)[\\/].*\.ts$/.test(file))
  const rows = files.flatMap((file) => [...read(`src/${file}`).matchAll(/\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*readonly ((?:maximum|receive|topicAlias)\w*|\w+Timeout)\?: number/g)].map(([, said, option]) => {
    const stated = /default ([\d,]+(?: (?:KiB|MiB|days))?)/.exec(said!)
    assert.ok(stated !== null, `${file}: ${option} does not state its default`)
    return [option!, amount(stated[1]!)] as const
  }))
  return Object.fromEntries(rows)
}

test('the table of bounds is complete, and has the defaults that hold', () => {
  const { versions: _, ...limits } = DEFAULT_LIMITS
  const held: { readonly [option: string]: number } = {
    ...statedBounds(), 'tls.handshakeTimeout': HANDSHAKE_TIMEOUT, ...Object.fromEntries(Object.entries(limits).map(([name, value]) => [`limits.${name}`, value])),
  }
  // What is exported is what is stated.
  assert.equal(
    [DEFAULT_MAXIMUM_CONNECT_SIZE, DEFAULT_MAXIMUM_PACKET_SIZE, DEFAULT_MAXIMUM_UNSENT, DEFAULT_DRAIN_TIMEOUT, DEFAULT_MAXIMUM_WAITING, DEFAULT_OPEN_TIMEOUT, DEFAULT_MAXIMUM_CONNECTIONS, DEFAULT_MAXIMUM_UNREAD],
    ['maximumConnectSize', 'maximumPacketSize', 'maximumUnsent', 'drainTimeout', 'maximumWaiting', 'openTimeout', 'maximumConnections', 'maximumUnread'].map((option) => held[option]),
  )
  const table = [...readme.matchAll(/^\| [^|]+ \| ([\d,]+)[^|]* \| `([\w.]+)` \|/gm)].map(([, value, option]) => [option!, amount(value!)] as const)
  assert.equal(Object.fromEntries([...table].sort()), Object.fromEntries(Object.entries(held).sort()))
})

test('so are the bounds that no option changes', () => {
  const [deliveries, session, server] = ['src/transport/deliveries.ts', 'src/broker/session.ts', 'src/transport/websocket-server.ts'].map(read) as [string, string, string]
  const constant = (text: string, name: string): number => Number(new RegExp(`\\b${name}(?: =|:) ([\\d_]+)`).exec(text)![1]!.replaceAll('_', ''))
  const table = new Map([...readme.matchAll(/^\| ([^|]+) \| ([\d,]+)[^|]* \| – \| ([^|]+) \|$/gm)].map(([, what, value, where]) => [what!, { value: amount(value!), where: where! }]))
  assert.equal([...table.keys()], ['packets that wait behind a handler that itself waits for an answer', 'HTTP request for a WebSocket', 'messages under way to a client'])
  const [waiting, request, window] = [...table.values()] as [{ value: number, where: string }, { value: number }, { value: number }]
  assert.equal([waiting.value, amount(/and ([\d,]+) bytes/.exec(waiting.where)![1]!)], [constant(deliveries, 'MAXIMUM_PACKETS'), constant(deliveries, 'MAXIMUM_BYTES')])
  assert.equal([request.value, request.value], [constant(server, 'headersTimeout'), constant(server, 'requestTimeout')])
  assert.is(window.value, constant(session, 'WINDOW'))
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
  for (const paper of ['README.md', 'fixtures/README.md', 'fixtures/flows/README.md', 'bench/README.md', 'docs/architecture.md', 'docs/decisions.md', 'docs/integrate.md', 'docs/fixtures.md', 'docs/package-check.md', 'docs/browser.md', 'SECURITY.md', 'CONTRIBUTING.md']) {
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
  const rows = (text: string): readonly string[] => text.match(/^\| .* \| (?:`[\w.]+`|–) \| .* \|$/gm) ?? []
  const bounds = rows(readme).filter((row) => /^\| [^|]+ \| [\d,]+/.test(row))
  assert.ok(bounds.length > 10)
  assert.equal(rows(read('SECURITY.md')), bounds)
})

test('what an import weighs is what scripts/sizes.json holds', async () => {
  const { held, table } = await import(new URL('scripts/sizes.js', root).href) as { held(): object, table(figures: object): string }
  for (const paper of ['README.md', 'docs/integrate.md']) assert.ok(read(paper).includes(`| import | min | gzip |\n|---|---|---|\n${table(held())}\n`), 'npm run sizes -- --write')
})

test('docs/fixtures.md shows a case that there is', () => {
  const [, id, title, offset] = /^ {2}(v\d-\w+-\d{3}) \((.*)\): decoding: offset should be (\d+), is \d+$/m.exec(read('docs/fixtures.md')) ?? []
  const cases = JSON.parse(read(`fixtures/${id!.replace(/-\d+$/, '')}.json`)) as readonly { readonly id: string, readonly title: string, readonly error?: { readonly offset: number } }[]
  const one = cases.find((other) => other.id === id)
  assert.equal([one?.title, one?.error?.offset], [title, Number(offset)])
})

test.run()
