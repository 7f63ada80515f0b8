// The pictures of the documentation are what the code draws, today.
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PICTURES } from '../scripts/pictures.ts'
import { record } from '../scripts/pictures/session.ts'
import { LIFECYCLE, TIMERS } from '../src/fsm/index.ts'
import type { Role } from '../src/fsm/index.ts'

const folder = new URL('../docs/pictures/', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8')

for (const [file, draw] of Object.entries(PICTURES)) {
  test(`docs/pictures/${file} is as it is drawn: npm run pictures`, async () => { assert.is(read(file), await draw()) })
}

test('there is no other picture, and none that takes anything from elsewhere', () => {
  assert.equal(readdirSync(folder).sort(), Object.keys(PICTURES).sort())
  for (const file of Object.keys(PICTURES)) {
    const text = read(file)
    assert.not.match(text.replace('xmlns="http://www.w3.org/2000/svg"', ''), /https?:|<script|@import|@font-face|href|url\(/)
    assert.match(text, /@media\(prefers-color-scheme:dark\)/)
    assert.match(text, /role="img" aria-label="[^"]+"/)
    // Every element that is opened is closed, in order.
    const open: string[] = []
    for (const [, closes, name, empty] of text.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
      if (closes === '/') assert.is(open.pop(), name, file)
      else if (empty !== '/') open.push(name!)
    }
    assert.equal(open, [])
  }
})

test('the pictures of phases show every packet and every timer of the tables', () => {
  for (const role of ['client', 'server'] as const) {
    const words = [...read(`${role}.svg`).matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, word]) => word!)
    const all = words.join(' ')
    const phases = role === 'client' ? ['opening', 'authenticating', 'connected', 'reauthenticating'] : ['awaiting-connect', 'authenticating', 'connected', 'reauthenticating']
    for (const phase of [...phases, 'closing', 'closed']) assert.ok(words.includes(phase), `${role} ${phase}`)
    const count = (pattern: RegExp): number => (all.match(pattern) ?? []).length
    const events = phases.flatMap((phase) => Object.keys(LIFECYCLE[phase as keyof typeof LIFECYCLE]))
    for (const type of ['PUBLISH', 'SUBACK', 'PINGREQ', 'DISCONNECT']) {
      // `PINGREQ is due` is a timer's.
      const drawn = count(new RegExp(`\\b${type}\\b(?! is due)`, 'g'))
      assert.is(drawn, events.filter((event) => event.endsWith(` ${type.toLowerCase()}`)).length, `${role} ${type}`)
    }
    for (const [name, row] of Object.entries(TIMERS)) {
      const running = Object.keys(row[role as Role]).filter((phase) => phases.includes(phase) || phase === 'closing')
      assert.is(count(new RegExp(`◷ ${name}\\b`, 'g')), running.length, `${role} ${name}`)
    }
  }
})

test('the session of the ladder: one message, sent twice, delivered once, settled once; both sides found out by keep alive', () => {
  const { passages, happenings } = record()
  const count = (kind: string): number => happenings.filter((one) => one.kind === kind).length
  assert.equal(passages.filter(({ packet }) => packet.type === 'publish').map(({ packet }) => 'dup' in packet && packet.dup === true), [false, true])
  assert.equal([count('delivered'), count('settled'), count('resumed')], [1, 1, 1])
  assert.equal(happenings.flatMap((one) => (one.kind === 'closed' ? [`${one.side} ${one.cause.why}`] : [])), ['client pingresp-timeout', 'server keep-alive-timeout', 'client disconnect', 'server disconnect'])
  assert.equal(passages.filter(({ arrived }) => arrived === undefined).map(({ packet }) => packet.type), ['pubrec', 'pingreq', 'disconnect'])
})

test.run()
