import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readFileSync } from 'node:fs'
import { lifecycleDiagram } from '../../src/fsm/diagram.ts'
import { LIFECYCLE, TIMERS } from '../../src/fsm/lifecycle.ts'
import type { Phase } from '../../src/fsm/lifecycle.ts'

const text = lifecycleDiagram()
const lines = text.trimEnd().split('\n')

const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8')

test('docs/architecture.md holds the diagram as the tables print it', () => {
  const block = /<!-- lifecycle -->\n```mermaid\n(.*?)```\n<!-- \/lifecycle -->/s.exec(page)
  assert.ok(block !== null, 'the markers <!-- lifecycle --> and <!-- /lifecycle --> are there')
  assert.is(block[1], text)
})

test('docs/architecture.md lists the timers as TIMERS has them: what for, and in which phases of a Client and of a Server', () => {
  const phases = (row: object): string => Object.keys(row).map((phase) => `\`${phase}\``).join(', ') || '–'
  const wanted = Object.entries(TIMERS).map(([name, { text: what, client, server }]) => `| \`${name}\` | ${what} | ${phases(client)} | ${phases(server)} |`)
  assert.equal(table('timer'), wanted)
})

test('docs/architecture.md says who may send what when, as LIFECYCLE has it', () => {
  const packets = (row: object, sender: string): string => Object.keys(row).filter((event) => event.startsWith(sender)).map((event) => event.split(' ')[1]).join(', ') || '–'
  const wanted = Object.entries(LIFECYCLE).map(([phase, row]) => `| \`${phase}\` | ${packets(row, 'client')} | ${packets(row, 'server')} |`)
  assert.equal(table('while'), wanted)
})

test('both roles have their beginning, and both end in closed', () => {
  assert.is(lines[0], 'stateDiagram-v2')
  assert.ok(lines.includes('  [*] --> opening: client'))
  assert.ok(lines.includes('  [*] --> awaiting_connect: server'))
  assert.is(lines.at(-1), '  closed --> [*]')
  assert.is(text.at(-1), '\n')
})

test('one edge for all that leads the same way, and on it every event, timer and ending of the tables', () => {
  const edges = new Map<string, Set<string>>()
  for (const line of lines.slice(3, -1)) {
    const [, from, to, label] = /^ {2}(\w+) --> (\w+): (.+)$/.exec(line)!
    assert.not.ok(edges.has(`${from} ${to}`), line)
    edges.set(`${from} ${to}`, new Set(label!.split(', ').flatMap(spread)))
  }
  const wanted = new Map<string, Set<string>>()
  const want = (from: Phase, to: Phase, label: string): void => {
    const edge = `${from.replace('-', '_')} ${to.replace('-', '_')}`
    wanted.set(edge, (wanted.get(edge) ?? new Set()).add(label))
  }
  for (const [phase, row] of Object.entries(LIFECYCLE) as [Phase, { readonly [event: string]: Phase }][]) {
    for (const [event, to] of Object.entries(row)) want(phase, to, event)
    for (const [timer, { client, server }] of Object.entries(TIMERS)) {
      for (const to of [client[phase], server[phase]]) if (to !== undefined) want(phase, to, `timer ${timer}`)
    }
    if (phase !== 'closed' && phase !== 'closing') want(phase, 'closing', 'malformed')
    if (phase !== 'closed') want(phase, 'closed', 'closed')
  }
  assert.equal(edges, wanted)
})

/** The rows of the table whose first column is called this. */
function table(first: string): readonly string[] {
  const body = page.slice(page.indexOf(`\n| ${first} |`)).trimStart().split('\n\n')[0]!
  return body.trimEnd().split('\n').slice(2)
}

/** `client publish/puback` as both. */
function spread(label: string): readonly string[] {
  const [subject, what] = label.split(' ')
  return what === undefined ? [label] : what.split('/').map((one) => `${subject} ${one}`)
}

test.run()
