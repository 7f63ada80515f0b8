// The programs in examples/ and the code of docs/fixtures.md, run as their readers run them: in a project of its own with connack installed.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createBroker } from '../src/broker/index.ts'
import { decode, fromHex, toJson } from '../src/index.ts'
import type { CloseCause } from '../src/index.ts'
import type { Client, Peer } from '../src/transport/index.ts'
import { connectTcp } from '../src/transport/tcp.ts'
import { listenTls } from '../src/transport/tls.ts'
import { accepting } from './helpers/accepting.ts'
import { pem } from './helpers/adapters.ts'
import { loadFixtures } from './helpers/fixtures.ts'
import { blocksOf, Project, read, ROOT } from './helpers/project.ts'

const project = new Project()

test.before(async () => {
  await project.install()
  cpSync(join(ROOT, 'examples'), join(project.folder, 'examples'), { recursive: true })
})
test.after(() => { project.remove() })

test('examples: each is under 60 lines and is run below', () => {
  const programs = readdirSync(join(ROOT, 'examples')).filter((file) => file.endsWith('.js'))
  for (const file of programs) {
    assert.ok(read(`examples/${file}`).split('\n').length <= 60, file)
    assert.ok(read('test/examples.test.ts').includes(`'examples/${file}'`), file)
  }
})

test('examples/client-by-hand.js connects, publishes, waits for PUBACK and disconnects', async () => {
  const server = await accepting()
  const { status, output } = await project.start(process.execPath, 'examples/client-by-hand.js', String(server.port))
  await server.over
  await server.close()
  assert.is(status, 0, output)
  assert.is(output, 'received connack\nreceived puback\nThe Client disconnected: Normal disconnection.\n')
  assert.equal(server.packets.map(toJson), [{ type: 'publish', topic: 'temperature', payload: { hex: '32 31 2e 35' }, qos: 1, retain: false, dup: false, packetId: 1 }])
  assert.equal(server.causes.map(({ by, why }) => [by, why]), [['client', 'disconnect']])
})

test('examples/client-tls.js tells that it is there, comes back with its session, and ends at Ctrl-C', async () => {
  const broker = createBroker({ authenticate: ({ username, password }) => (username === 'hans' && new TextDecoder().decode(password) === 'geheim' ? true : 0x87) })
  const peers: Peer[] = []
  const identity = { cert: pem('server'), key: pem('server.key') }
  const server = await listenTls({ port: 0, tls: identity }, (peer) => {
    peers.push(peer)
    broker.handle(peer)
  })
  project.write('ca.pem', pem('ca').toString())
  const program = ['examples/client-tls.js', `mqtts://hans:geheim@localhost:${server.port}`, 'kitchen', 'ca.pem'] as const
  const client = project.begin(process.execPath, ...program)
  await client.says(/^connected\nsubscribed, QoS 1\n[^]*^devices\/kitchen\/status: here$/m)
  peers[0]!.abort()
  await client.says(/next attempt is in \d+ ms/)
  await broker.publish({ topic: 'devices/kitchen/set', payload: '21', qos: 1 })
  await client.says(/^connected again, the session goes on\n[^]*^devices\/kitchen\/set: 21$/m)
  client.interrupt()
  const { status, output } = await client.over
  assert.is(status, 0, output)
  const refused = await project.start(process.execPath, program[0], program[1].replace('geheim', 'falsch'), ...program.slice(2))
  assert.is(refused.status, 1)
  assert.match(refused.output, /0x87, Not authorized/)
  assert.not.match(refused.output, /falsch/)
  await server.close()
  await broker.close()
})

test('examples/server-tokens.js lets in who has a token, by Password or AUTH, takes a new one, and ends who has none any more', async () => {
  const program = project.begin(process.execPath, 'examples/server-tokens.js', 'a secret', '0', 'kitchen')
  const port = Number((await program.says(/^listening on port (\d+)$/m))[1])
  const token = (await program.says(/^kitchen: (\S+)$/m))[1]!
  const sign = (text: string): string => createHmac('sha256', 'a secret').update(text).digest('base64url')
  const tokenFor = (name: string, seconds: number): string => {
    const text = `${name}.${Math.floor(Date.now() / 1000) + seconds}`
    return `${text}.${sign(text)}`
  }
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  for (const version of [3, 4, 5] as const) {
    const client = await connectTcp({ port, connect: { version, clientId: 'one', username: 'kitchen', password: bytes(token) } })
    await client.publish({ topic: 'devices/kitchen/temperature', payload: `version ${version}`, qos: 1 })
    const other = await client.publish({ topic: 'devices/boiler/temperature', payload: '', qos: 1 }).then(() => 'taken', ({ reasonCode }: { readonly reasonCode: number }) => reasonCode)
    assert.is(other, version === 5 ? 0x87 : 'taken', 'before 5.0 a message cannot be refused')
    await client.disconnect()
    await program.says(new RegExp(`^devices/kitchen/temperature: version ${version}$`, 'm'))
  }
  const attempt = (username: string, password: string): Promise<unknown> => connectTcp({ port, connect: { version: 5, clientId: 'one', username, password: bytes(password) } }).then(() => 'in', ({ cause }: { readonly cause: CloseCause }) => cause.reasonCode)
  for (const [name, password] of [['boiler', token], ['kitchen', 'no token'], ['kitchen', tokenFor('kitchen', -1)], ['kitchen', token.slice(0, -1)], ['kitchen', `${token.slice(0, -5)}AAAA${token.slice(-1)}`]] as const) assert.is(await attempt(name, password), 0x86, password)

  const enhanced = (authenticationData: Uint8Array, authenticationMethod = 'token'): Promise<Client> => connectTcp({ port, connect: { version: 5, clientId: 'kitchen', properties: { authenticationMethod, authenticationData } } })
  const code = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'in', ({ cause }: { readonly cause: CloseCause }) => cause.reasonCode)
  assert.equal([await code(enhanced(bytes('no token'))), await code(enhanced(bytes(token), 'magic'))], [0x87, 0x8c])
  const client = await enhanced(bytes(tokenFor('kitchen', 2)))
  assert.is((await client.reauthenticate(bytes(tokenFor('kitchen', 3)))).reasonCode, 0)
  assert.is(await code(client.reauthenticate(bytes(tokenFor('boiler', 60)))), 0x87)
  const short = await enhanced(bytes(tokenFor('kitchen', 2)))
  const cause = await short.closed
  assert.equal([cause.by, cause.reasonCode, cause.reasonString], ['server', 0x87, 'the token has ended'])
  program.interrupt()
  const { status, output } = await program.over
  assert.is(status, 0, output)
})

test('examples/fuzz-your-decoder.js agrees with ours, and finds what a decoder without checks lets through', () => {
  project.write('right.js', "export { decode } from 'connack'\n")
  project.write('trusting.js', 'export function decode(bytes) { if (bytes.length < 2) throw new Error("too short") }\n')
  const right = project.run(process.execPath, 'examples/fuzz-your-decoder.js', 'right.js', '3000')
  assert.equal(right, { status: 0, output: '3000 inputs, 0 kinds of disagreement\n' })
  const wrong = project.run(process.execPath, 'examples/fuzz-your-decoder.js', 'trusting.js', '3000', '2')
  assert.is(wrong.status, 1)
  assert.match(wrong.output, /^ +\d+ accepts what breaks MQTT-2\.1\.3-1\n +e\.g\. version 5: [\da-f ]+$/m)
  assert.match(wrong.output, /^3000 inputs, \d\d+ kinds of disagreement$/m)
  assert.is(project.run(process.execPath, 'examples/fuzz-your-decoder.js', 'trusting.js', '3000', '2').output, wrong.output)
})

test('examples/replay-log.js shows how a connection ended, again', () => {
  const { status, output } = project.run(process.execPath, 'examples/replay-log.js', 'examples/connection.jsonl')
  assert.is(status, 0, output)
  assert.match(output, /^02:14:07\.120 received connect +→ authenticating$/m)
  assert.match(output, /^ {4}write pingresp$/m)
  assert.match(output, /^02:15:12\.355 send puback +→ connected\n {4}write puback$/m)
  assert.match(output, /^02:15:19\.402 malformed +→ closing\n[^]*^ {4}close .*offset 2.*MQTT-3\.3\.2-2/m)
  assert.match(output, /^02:15:19\.420 closed +→ closed$/m)
})

const python = spawnSync('python3', ['--version']).status === 0
const withPython = python ? test : test.skip

withPython('docs/fixtures.md: the runner passes a decoder that is right and names each lie of one that is not (needs python3)', () => {
  const answers: { [key: string]: unknown } = {}
  for (const { row: { version }, cases } of loadFixtures()) {
    for (const { hex } of cases) {
      try {
        answers[`${version} ${hex}`] = { packet: toJson(decode(fromHex(hex), version)) }
      } catch (error) {
        const { name, reasonCode, offset } = error as { [fact: string]: unknown }
        answers[`${version} ${hex}`] = { error: [name, reasonCode, offset] }
      }
    }
  }
  const lies = { '5 20 03 02 00 00': { packet: { type: 'connack' } }, '4 c0 00': { error: ['MalformedPacket', 129, 0] }, '5 20 03 00 03 00': { error: ['ProtocolError', 130, 2] }, '4 d0 00': { packet: { type: 'pingreq' } } }
  project.write('right.json', JSON.stringify(answers))
  project.write('wrong.json', JSON.stringify({ ...answers, ...lies }))
  project.write('runner.py', blocksOf('docs/fixtures.md', 'python').join('\n'))
  project.write('use.py', `
import json, sys
from runner import run, Refused
answers = json.load(open(sys.argv[2], encoding='utf-8'))
def decode(data, version):
    answer = answers[f'{version} {data.hex(" ")}']
    if 'error' in answer:
        raise Refused(*answer['error'])
    return answer['packet']
failures, total = run(sys.argv[1], decode)
print(json.dumps([total, failures]))
`)
  const result = (file: string): unknown => JSON.parse(project.run('python3', 'use.py', join(ROOT, 'fixtures'), file).output)
  assert.equal(result('right.json'), [loadFixtures().reduce((sum, { row }) => sum + row.cases, 0), []])
  const [, failures] = result('wrong.json') as [number, [string, string, string][]]
  assert.equal(failures.map(([id, , said]) => `${id.replace(/\d+$/, '')} ${said}`), ['v4-pingreq- refused: {\'name\': \'MalformedPacket\', \'reasonCode\': 129, \'offset\': 0}', 'v4-pingresp- decoded as {"type": "pingreq"}', 'v5-connack- offset 2, not 3', 'v5-connack- accepted, as {"type": "connack"}'])
})

test.run()
