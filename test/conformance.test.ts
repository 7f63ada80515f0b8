// docs/conformance.md is what scripts/conformance.js makes, and says of each statement about bytes where it is proven, or why not.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { RULES } from '../src/codec/rules.ts'
import type { RuleRow } from '../src/codec/rules.ts'
import { CONNECTION_RULES } from '../src/fsm/rules.ts'
import { loadFixtures, readJson } from './helpers/fixtures.ts'

const ROOT = new URL('../', import.meta.url)
const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const
const OF_BYTES = ['codec', 'topic']

interface Notes {
  readonly proven: { [version: string]: string[] }
  reasons: { why: string, [version: string]: string | string[] }[]
  readonly tests: { [file: string]: { [title: string]: { [id: string]: string } } }
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** version, id and area of every statement. */
const STATEMENTS = read('docs/conformance-statements.tsv').trimEnd().split('\n').slice(1).map((line) => line.split('\t') as [version: string, id: string, area: string])
const LISTED = new Set(STATEMENTS.map(([version, id]) => `${version} ${id}`))

function isCitation(name: string, version: string): boolean {
  return LISTED.has(`${version} ${name}`) || new RegExp(`^${version.replaceAll('.', '\\.')} (§[\\dA-Z.]+|Appendix A)$`).test(name)
}

function conformance(...words: string[]): { readonly status: number | null, readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('scripts/conformance.js', ROOT)), '--check', ...words], { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

/** What the script says to notes that have been tampered with. */
function withNotes(change: (notes: Notes) => void): { readonly status: number | null, readonly said: string } {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'))
  try {
    const notes = JSON.parse(read('docs/conformance-notes.json')) as Notes
    change(notes)
    writeFileSync(join(directory, 'notes.json'), JSON.stringify(notes))
    return conformance(`--notes=${pathToFileURL(join(directory, 'notes.json')).href}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('docs/conformance.md is what the script makes of fixtures, flows, tests and notes', () => {
  const { status, said } = conformance()
  assert.is(status, 0, said)
})

test('it has one row for each statement, and a proof or a written reason for each one about bytes', () => {
  const rows = read('docs/conformance.md').split('\n## MQTT ').slice(1).flatMap((section) => {
    const [version, ...lines] = section.split('\n')
    return lines.filter((line) => /^\| (MQTT|SPEC)-/.test(line)).map((line) => [version!, ...line.slice(2, -2).split(/ (?<!\\)\| /)] as const)
  })
  assert.equal(rows.map(([version, id, area]) => [version, id, area]), STATEMENTS.map(([version, id, area]) => [version, id, area]))
  for (const [version, id, area, , proof] of rows) {
    assert.ok(proof !== undefined && proof.length > 20, `${version} ${id}`)
    if (OF_BYTES.includes(area!)) assert.match(proof, /^(\*\*Reason\*\*: |\d+ (valid|malformed): v\d-|(\d+ )?flows?:? v\d-|`test\/)/, `${version} ${id}`)
  }
})

test('what fixtures, flows and rules cite is a statement of their version, or a section', () => {
  const wrong: string[] = []
  for (const { row, cases } of loadFixtures()) {
    for (const { id, spec } of cases) for (const name of spec) if (!isCitation(name, VERSIONS[row.version])) wrong.push(`${id}: ${name}`)
  }
  for (const { file } of readJson('flows/index.json') as readonly { readonly file: string }[]) {
    for (const { id, version, spec } of readJson(`flows/${file}`) as readonly { readonly id: string, readonly version: 3 | 4 | 5, readonly spec: readonly string[] }[]) {
      for (const name of spec) if (!isCitation(name, VERSIONS[version])) wrong.push(`${id}: ${name}`)
    }
  }
  for (const [name, row] of Object.entries({ ...RULES, ...CONNECTION_RULES }) as [string, RuleRow][]) {
    for (const version of [3, 4, 5] as const) {
      const cited = row[version]
      if (cited !== undefined && !isCitation(cited, VERSIONS[version])) wrong.push(`rule ${name}: ${cited} of ${VERSIONS[version]}`)
    }
  }
  assert.equal(wrong, [])
})

test('the script fails for a statement without proof or reason, for a title nobody has judged, and for notes about what is not there', () => {
  const lost = withNotes((notes) => { notes.reasons = [] })
  assert.is(lost.status, 1)
  assert.match(lost.said, '3.1.1 MQTT-7.0.0-2 (transport): neither a proof nor a reason')

  const unread = withNotes(({ tests }) => { delete tests['test/codec/packet/ping.test.ts'] })
  assert.is(unread.status, 1)
  assert.match(unread.said, 'test/codec/packet/ping.test.ts: "SPEC-3.12-1: a body is refused": SPEC-3.12-1 is a statement of 3.1.1 and of 5.0; put (3.1.1) or (5.0) right behind it')

  const stale = withNotes((notes) => {
    notes.tests['test/codec/packet/ping.test.ts']!['a test that is not there'] = {}
    notes.proven['5.0']!.push('MQTT-9.9.9-9')
  })
  assert.is(stale.status, 1)
  assert.match(stale.said, 'there is no test "a test that is not there" in test/codec/packet/ping.test.ts')
  assert.match(stale.said, '5.0 MQTT-9.9.9-9 is no statement')
})

test.run()
