// `npm run vendor` and the verify.js it leaves beside the copy: whole, tampered with, and two copies in one program.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type * as Connack from '../src/index.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'connack-vendor-test-'))
const one = join(scratch, 'one')
const few = join(scratch, 'few')
const CASES = (JSON.parse(readFileSync(join(ROOT, 'fixtures/index.json'), 'utf8')) as readonly { readonly cases: number }[]).reduce((sum, { cases }) => sum + cases, 0).toLocaleString('en-US')
const ALL = new RegExp(`^packets +${CASES} of ${CASES}$`, 'm')
const FLOWS = /^flows +(\d+) of \1$/m

interface Result { readonly passed: number, readonly total: number, readonly complaints: readonly string[] }
interface Verify {
  checkPackets(connack: typeof Connack, files: unknown): Result
  checkFlows(connack: typeof Connack, flows: unknown): Result
  corpusOf(read: (file: string) => string): { readonly packets: readonly { readonly packet: string }[], readonly flows: unknown }
}

interface Ran { readonly status: number | null, readonly output: string }

function run(script: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: scratch, encoding: 'utf8', env: { ...process.env, INIT_CWD: scratch, NODE_V8_COVERAGE: '' } })
  return { status, output: stdout + stderr }
}

const vendor = (...args: readonly string[]): Ran => run(join(ROOT, 'scripts/vendor.js'), ...args)
/** The same without a process of its own. */
const { vendor: copy } = await import(join(ROOT, 'scripts/vendor.js')) as { vendor(folder: string, options?: { only?: 'codec', form?: 'readable' | 'min' | 'lean' | 'source', force?: boolean }): Promise<object> }
const verify = (folder: string, ...args: readonly string[]): Ran => run(join(folder, 'verify.js'), ...args)
const load = (folder: string): Promise<typeof Connack> => import(pathToFileURL(join(folder, 'connack.js')).href) as Promise<typeof Connack>

/** A copy whose code has been changed by hand. */
function tampered(name: string, from: string, to: string): string {
  const folder = join(scratch, name)
  mkdirSync(folder)
  for (const file of readdirSync(one)) writeFileSync(join(folder, file), readFileSync(join(one, file)))
  const text = readFileSync(join(folder, 'connack.js'), 'utf8')
  assert.ok(text.includes(from), `there is no ${from}`)
  writeFileSync(join(folder, 'connack.js'), text.replace(from, to))
  return folder
}

test.before(() => {
  // A folder whose own package is CommonJS: the copy must not mind.
  writeFileSync(join(scratch, 'package.json'), '{ "type": "commonjs" }')
  // Where the whole corpus would be no more than slow.
  mkdirSync(join(few, 'flows'), { recursive: true })
  const copyJson = (name: string, index: (row: { readonly file: string }) => boolean): void => {
    const rows = (JSON.parse(readFileSync(join(ROOT, 'fixtures', name, 'index.json'), 'utf8')) as readonly { readonly file: string }[]).filter(index)
    writeFileSync(join(few, name, 'index.json'), JSON.stringify(rows))
    for (const { file } of rows) writeFileSync(join(few, name, file), readFileSync(join(ROOT, 'fixtures', name, file)))
  }
  copyJson('', ({ file }) => file === 'v5-publish.json')
  copyJson('flows', ({ file }) => file === 'keep-alive.json')
  const { status, output } = vendor('one')
  assert.is(status, 0, output)
})
test.after(() => rmSync(scratch, { recursive: true }))

test('one file, with licence and stamp, and the corpus passes', () => {
  assert.equal(readdirSync(one).sort(), ['LICENSE', 'connack.d.ts', 'connack.js', 'connack.json', 'corpus.json.gz', 'package.json', 'verify.js'])
  assert.is(readFileSync(join(one, 'LICENSE'), 'utf8'), readFileSync(join(ROOT, 'LICENSE'), 'utf8'))
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
  const stamp = JSON.parse(readFileSync(join(one, 'connack.json'), 'utf8')) as { readonly [field: string]: unknown }
  assert.equal([stamp['version'], stamp['what'], stamp['entry']], [version, 'codec + fsm', 'connack.js'])
  assert.ok(readFileSync(join(one, 'connack.js'), 'utf8').startsWith(`// connack ${version}: `))
  const { status, output } = verify(one)
  assert.is(status, 0, output)
  assert.match(output, ALL)
  assert.match(output, FLOWS)
  assert.match(output, /^files +6 as they were copied$/m)
})

test('the codec alone, and lean', async () => {
  await copy(join(scratch, 'codec'), { only: 'codec', form: 'min' })
  await copy(join(scratch, 'lean'), { form: 'lean' })
  for (const name of ['codec', 'lean']) {
    const { status, output } = verify(join(scratch, name))
    assert.is(status, 0, output)
    assert.match(output, ALL)
    assert.is(FLOWS.test(output), name === 'lean')
  }
  const sizes = ['one', 'lean', 'codec'].map((name) => readFileSync(join(scratch, name, 'connack.js')).length)
  assert.equal([...sizes].sort((a, b) => b - a), sizes)
})

test('the sources as they are compile alone, and a build of them passes', async () => {
  for (const name of ['sources', 'codec-sources']) {
    const folder = join(scratch, name)
    await copy(folder, { form: 'source', ...name === 'sources' ? {} : { only: 'codec' } })
    assert.is(existsSync(join(folder, 'fsm')), name === 'sources')
    const entry = name === 'sources' ? 'index.ts' : 'codec/index.ts'
    const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--lib', 'ES2023,ES2024.String,DOM', '--module', 'nodenext', '--allowImportingTsExtensions', '--types', '', entry], { cwd: folder, encoding: 'utf8' })
    assert.is(tsc.stdout + tsc.stderr, '')
    if (name === 'codec-sources') continue
    const built = join(scratch, `${name}.mjs`)
    await build({ entryPoints: [join(folder, entry)], bundle: true, format: 'esm', outfile: built, logLevel: 'warning' })
    const { status, output } = verify(folder, built)
    assert.is(status, 0, output)
    assert.match(output, ALL)
    const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
    const direct = verify(folder)
    if (major > 22 || (major === 22 && minor >= 18)) assert.match(direct.output, ALL)
    else assert.equal([direct.status, /does not run TypeScript: use 22\.18/.test(direct.output)], [2, true], direct.output)
  }
})

test('one byte of the behaviour changed is noticed by the corpus', async () => {
  const changes = [
    // what is accepted
    ['connect', 'name !== "MQTT"', 'name !== "MQTt"'], ['connect', '(flags & 0x01) !== 0 && version > 3', '(flags & 0x01) !== 0 && version > 4'], ['publish', 'second < low', 'second < 0x0'],
    // which error, and where
    ['subscribe', 'subscriptionReserved: { code: 0x81', 'subscriptionReserved: { code: 0x82'], ['connect', '"clientIdMissing", r.end', '"clientIdMissing", 1+0  '], ['pingreq', 'noBody: { code: 0x81', 'noBody: { code: 0x80'],
    // what is written
    ['connect', '? 0 : 0x40)', '? 0 : 0x41)'], ['publish', 'correlationData: { id: 0x09', 'correlationData: { id: 0x0a'], ['disconnect', '0x8d: { name', '0x8c: { name'],
    // the machine
    ['flows', 'keepAlive * 1500', 'keepAlive * 1501'], ['flows', 'var TAKEN_OVER = 0x8e', 'var TAKEN_OVER = 0x8d'], ['flows', 'RE_AUTHENTICATE = 0x19', 'RE_AUTHENTICATE = 0x18'],
    // sessions: what is sent again, in which order, with which flag; what the peer may have unanswered; what is left to store
    ['flows', 'a.turn - b.turn', 'b.turn - a.turn'], ['flows', ', packetId, true);', ', packetId, 1>2 );'], ['flows', 'flow.receiving >= Math.min', 'flow.receiving >  Math.min'],
    ['flows', '{ owes: "pubrel", turn: 0, here: false }', '{ owes: "pubrec", turn: 0, here: false }'], ['flows', 'sessionExpiryInterval ?? agreement.sessionExpiryInterval', 'sessionExpiryInterval || agreement.sessionExpiryInterval'],
  ] as const
  const { checkPackets, checkFlows, corpusOf } = await import(pathToFileURL(join(one, 'verify.js')).href) as Verify
  const { packets, flows } = corpusOf((file) => readFileSync(join(ROOT, 'fixtures', file), 'utf8'))
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  for (const [i, [where, from, to]] of changes.entries()) {
    assert.is(from.length, to.length)
    const copy = await load(tampered(`tampered-${i}`, from, to))
    const { complaints } = where === 'flows' ? checkFlows(copy, flows) : checkPackets(copy, packets.filter(({ packet }) => packet === where))
    assert.ok(complaints.length > 0, `${from} → ${to} was not noticed`)
  }
  Error.stackTraceLimit = limit
})

test('a change that no case sees is still one: only --changed lets it pass', () => {
  const folder = tampered('comment', '// connack ', '// Connack ')
  const { status, output } = verify(folder, '--corpus', few)
  assert.is(status, 1, output)
  assert.match(output, FLOWS)
  assert.is(verify(folder, '--corpus', few, '--changed').status, 0)
})

test('verify says what differs, by case and field, and what it cannot run', () => {
  const { status, output } = verify(tampered('said', 'fieldFits: { code: 0x81', 'fieldFits: { code: 0x82'), '--changed', '--corpus', few)
  assert.is(status, 1, output)
  assert.match(output, /^files +not as they were copied: connack\.js$/m)
  assert.match(output, /^packets +\d+ of \d+; \d+ differ:$/m)
  assert.match(output, /^ {2}v5-\w+-\d{3} \(.+\): decoding: .*should be .+, is .+$/m)
  assert.match(output, /^ {2}and [\d,]+ more$/m)
  assert.equal([verify(one, 'nowhere.js').status, verify(one, '--corpus', 'nowhere').status, run(join(ROOT, 'scripts/verify.js')).status], [2, 2, 2])
  assert.match(verify(one, '--corpus', join(ROOT, 'fixtures')).output, ALL)
})

test('an earlier copy is replaced, but not what somebody has changed; and nobody\'s folder is filled', async () => {
  const folder = join(scratch, 'again')
  await copy(folder)
  await copy(folder, { form: 'source' })
  await copy(folder)
  assert.equal(readdirSync(folder).filter((name) => name.endsWith('.ts')), ['connack.d.ts'])
  assert.not(existsSync(join(folder, 'codec', 'decode.ts')))
  writeFileSync(join(folder, 'connack.js'), '// mine')
  const refused = vendor('again')
  assert.is(refused.status, 1)
  assert.match(refused.output, /changes of yours: connack\.js\. --force/)
  assert.is(readFileSync(join(folder, 'connack.js'), 'utf8'), '// mine')
  await copy(folder, { force: true })
  mkdirSync(join(scratch, 'full'))
  writeFileSync(join(scratch, 'full', 'x'), '')
  assert.match(vendor('full').output, /not empty/)
  assert.equal([vendor().status, vendor('a', 'b').status, vendor('a', '--only', 'fsm').status, vendor('a', '--lighter').status], [1, 1, 1, 1])
})

test('two copies of two versions work in one program: packets, errors by name, and a session go from one to the other', async () => {
  const newer = tampered('newer', '// connack 0', '// connack 9')
  const ours = await load(one)
  const theirs = await load(newer)
  const lean = await load(join(scratch, 'lean'))
  assert.is.not(ours.decode, theirs.decode)
  const errors = [ours, theirs, lean].map(({ decode }) => {
    try {
      return decode(Uint8Array.of(0x20, 3, 2, 0, 0), 5)
    } catch (error) {
      return error as Connack.MalformedPacket
    }
  })
  for (const error of errors) assert.equal([(error as Error).name, (error as Connack.MalformedPacket).offset], ['MalformedPacket', 2])
  assert.not(errors[0] instanceof theirs.MalformedPacket, 'two copies have two classes')
  assert.throws(() => theirs.encode({ type: 'puback', packetId: 0 }, 5), (error: Error) => error.name === 'UsageError')

  // One copy is the client, the other the server; what one has decoded, the other encodes.
  const client = end(ours, theirs, ours.initial({ role: 'client' }))
  const server = end(theirs, ours, theirs.initial({ role: 'server' }))
  const connect = { type: 'connect', version: 5, clientId: 'kitchen', cleanStart: true, keepAlive: 60, will: { topic: 'gone', payload: 'kitchen' }, properties: { sessionExpiryInterval: 60 } } as const
  server.take(client.act({ type: 'send', packet: connect }))
  client.take(server.act({ type: 'send', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } }))
  assert.equal([client.state.phase, server.state.phase], ['connected', 'connected'])
  client.take(server.act({ type: 'send', packet: { type: 'publish', topic: 'temperature', payload: '21' } }))
  assert.equal(client.delivered.map(({ type }) => type), ['connack', 'publish'])
  // Two messages that are never answered; the second one has the identifier the machine chose.
  for (const token of ['one', 'two']) client.act({ type: 'send', packet: { type: 'publish', topic: 'temperature', payload: token, qos: 1 }, token })
  // An error of one copy is an input of the other's machine.
  const step = ours.transition(client.state, { type: 'malformed', error: errors[1] as Connack.MalformedPacket })
  assert.equal(step.effects.map(({ type }) => type).includes('close'), true)
  assert.is(step.state.phase === 'closing' ? step.state.cause.reasonCode : undefined, 0x81)
  // A session is data: a connection of the other copy goes on with it, handed over as it is or by way of a store.
  const { session } = client.state
  assert.ok(session !== undefined && session.clientId === 'kitchen')
  const stored = JSON.parse(JSON.stringify(ours.toJson(ours.saveSession(session)))) as Connack.SavedSession
  for (const handed of [structuredClone(session), theirs.restoreSession(theirs.fromJson(stored) as Connack.SavedSession)]) {
    const again = end(theirs, ours, theirs.initial({ role: 'client', session: handed }))
    again.act({ type: 'send', packet: { ...connect, cleanStart: false } })
    const pieces = again.take([theirs.encode({ type: 'connack', sessionPresent: true, reasonCode: 0 }, 5)])
    assert.is(again.state.phase, 'connected')
    const sent = pieces.map((piece) => ours.decode(piece, 5) as Connack.Publish)
    assert.equal(sent.map(({ packetId, dup, payload }) => [packetId, dup, new TextDecoder().decode(payload)]), [[1, true, 'one'], [2, true, 'two']])
  }
})

/** One end of a connection whose machine is `mine`; its bytes are read by my codec and written by the other copy's. */
function end(mine: typeof Connack, other: typeof Connack, start: Connack.State): {
  state: Connack.State
  readonly delivered: Connack.Packet[]
  act(input: Connack.Input): Uint8Array[]
  /** gives what goes out for it */
  take(pieces: readonly Uint8Array[]): Uint8Array[]
} {
  const stream = new mine.PacketStream({ version: 5 })
  const self = {
    state: start,
    delivered: [] as Connack.Packet[],
    act(input: Connack.Input): Uint8Array[] {
      const { state, effects } = mine.transition(self.state, input)
      self.state = state
      for (const effect of effects) if (effect.type === 'deliver' && input.type === 'received') self.delivered.push(effect.packet ?? input.packet)
      return effects.flatMap((effect) => (effect.type === 'write' ? [other.encode(effect.packet, 5)] : []))
    },
    take(pieces: readonly Uint8Array[]): Uint8Array[] {
      const out: Uint8Array[] = []
      for (const piece of pieces) stream.push(piece)
      for (let packet = stream.next(); packet !== undefined; packet = stream.next()) out.push(...self.act({ type: 'received', packet }))
      return out
    },
  }
  return self
}

test.run()
