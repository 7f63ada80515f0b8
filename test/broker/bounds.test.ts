// The table of bounds in docs/broker.md, held against the code; what is refused beyond them is tried in hostile.test.ts.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const number = (text: string | undefined): number => Number(text?.replaceAll(/[_,]/g, ''))

/** Where each default stands. */
const DEFAULTS: { readonly [bound: string]: readonly [file: string, pattern: RegExp, unit?: number] } = {
  'connections': ['src/transport/sockets.ts', /DEFAULT_MAXIMUM_CONNECTIONS = ([\d_]+)/],
  'sessions, of Clients that are there or away': ['src/broker/broker.ts', /maximumSessions \?\? ([\d_]+)/],
  'how long a session outlives its connection': ['src/broker/broker.ts', /SEVEN_DAYS = ([\d_]+)/],
  'subscriptions of a session': ['src/broker/requests.ts', /maximumSubscriptions \?\? ([\d_]+)/],
  'levels of a Topic Name or Filter': ['src/broker/requests.ts', /maximumLevels \?\? ([\d_]+)/],
  'unanswered messages from a Client, QoS 2 until PUBREL': ['src/broker/broker.ts', /receiveMaximum = ([\d_]+)/],
  'Topic Aliases of a Client': ['src/broker/broker.ts', /topicAliasMaximum = ([\d_]+)/],
  'messages in flight to a Client': ['src/broker/session.ts', /WINDOW = ([\d_]+)/],
  'bytes of them, and one message more': ['src/broker/session.ts', /WINDOW_BYTES = ([\d_]+)/],
  'retained messages that wait for a Client after SUBSCRIBE': ['src/broker/session.ts', /MAXIMUM_FRESH = ([\d_]+)/],
  'messages in a mailbox': ['src/broker/memory-store.ts', /maximumMailbox = ([\d_]+)/],
  'bytes of them `maximumMailboxBytes`': ['src/broker/memory-store.ts', /const MIB = ([\d_]+)/],
  'bytes in all mailboxes, a message counted in each': ['src/broker/memory-store.ts', /maximumMailboxesBytes = ([\d_]+) \* MIB/, 1_048_576],
  'retained messages': ['src/broker/memory-store.ts', /maximumRetained = ([\d_]+)/],
  'bytes of them `maximumRetainedBytes`': ['src/broker/memory-store.ts', /maximumRetainedBytes = ([\d_]+) \* MIB/, 1_048_576],
}

test('docs/broker.md says the bounds that hold, and names the options that there are', () => {
  const rows = [...read('docs/broker.md').split('## Bounds')[1]!.matchAll(/^\| ([^|]+) \| ([\d,]+)(?: s)? \| ([^|]+) \| [^|]+ \|$/gm)]
  const said = Object.fromEntries(rows.map(([, bound, value, by]) => [bound === 'bytes of them' ? `${bound} ${/`\w+`/.exec(by!)![0]}` : bound!, number(value)]))
  const held = Object.fromEntries(Object.entries(DEFAULTS).map(([bound, [file, pattern, unit = 1]]) => [bound, number(pattern.exec(read(file))?.[1]) * unit]))
  assert.equal(said, held)
  const options = read('src/broker/options.ts') + read('src/broker/memory-store.ts') + read('src/transport/sockets.ts')
  for (const [, , , by] of rows) for (const [, option] of by!.matchAll(/`(maximum\w+|receiveMaximum|topicAliasMaximum)`/g)) assert.match(options, new RegExp(`readonly ${option}\\?`))
})

test('what the options say of their defaults is what holds', () => {
  const options = read('src/broker/options.ts')
  for (const [option, value] of [['maximumSessions', '10,000'], ['maximumSubscriptions', '1,000'], ['maximumLevels', '128'], ['receiveMaximum', '100'], ['topicAliasMaximum', '32'], ['maximumSessionExpiry', '7 days']] as const) {
    assert.match(options, new RegExp(`default ${value}[^\\n]*\\n  readonly ${option}\\?`), option)
  }
})

test.run()
