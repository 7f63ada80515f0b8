// The programs in examples/ and the code in the papers, run as their readers run them: in a project of its own with connack installed.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode, fromHex, toJson } from '../src/index.ts'
import type { CloseCause, Input, Packet, PacketInput, ProtocolVersion, Role, Session, State } from '../src/index.ts'
import { listenTcp } from '../src/transport/tcp.ts'
import type { Peer } from '../src/transport/index.ts'
import { loadFixtures } from './helpers/fixtures.ts'
import { Project, ROOT } from './helpers/project.ts'

const project = new Project()
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
/** The code of one language on a page, all of it. */
const codeOf = (file: string, language: string): string => [...read(file).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code).join('\n')

test.before(async () => {
  await project.install()
  cpSync(join(ROOT, 'examples'), join(project.folder, 'examples'), { recursive: true })
})
test.after(() => { project.remove() })

/** A server on loopback that accepts everybody, and what it is sent. */
async function accepting(): Promise<{ readonly port: number, readonly packets: Packet[], readonly causes: CloseCause[], readonly over: Promise<void>, close(): Promise<void> }> {
  const packets: Packet[] = []
  const causes: CloseCause[] = []
  let ended: () => void
  const over = new Promise<void>((resolve) => { ended = resolve })
  const server = await listenTcp({ port: 0 }, (peer: Peer) => {
    peer.onConnect = () => { void peer.accept() }
    peer.onPacket = (packet) => { packets.push(packet) }
    peer.onClose = (cause) => { causes.push(cause); ended() }
  })
  return { port: server.port, packets, causes, over, close: () => server.close() }
}

test('examples: each is under 60 lines and is run below', () => {
  const programs = readdirSync(join(ROOT, 'examples')).filter((file) => file.endsWith('.js'))
  for (const file of programs) {
    assert.ok(read(`examples/${file}`).split('\n').length <= 60, file)
    assert.ok(read('test/examples.test.ts').includes(`'examples/${file}'`), file)
  }
})

test('examples/client-by-hand.js connects, publishes, pings and disconnects', async () => {
  const server = await accepting()
  const { status, output } = await project.start(process.execPath, 'examples/client-by-hand.js', String(server.port))
  await server.over
  await server.close()
  assert.is(status, 0, output)
  assert.is(output, 'received connack\nThe Client disconnected: Normal disconnection.\n')
  assert.equal(server.packets.map(toJson), [{ type: 'publish', topic: 'temperature', payload: { hex: '32 31 2e 35' }, qos: 0, retain: false, dup: false }])
  assert.equal(server.causes.map(({ by, why }) => [by, why]), [['client', 'disconnect']])
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
  assert.match(output, /^02:15:19\.402 malformed +→ closing\n[^]*^ {4}close .*offset 2.*MQTT-3\.3\.2-2/m)
  assert.match(output, /^02:15:19\.420 closed +→ closed$/m)
})

interface Connection { readonly state: State }
interface Io {
  readonly write?: (bytes: Uint8Array) => void
  readonly close?: () => void
  readonly deliver: (packet: Packet) => void
  readonly settle: (token: unknown, packet?: Packet) => void
  readonly refuse: (token: unknown, error: Error) => void
  readonly closed: (cause: CloseCause) => void
}
interface Clock { now: number, turn(now: number): number }
interface Guide {
  open(options: { role: Role, version?: ProtocolVersion, session?: Session | undefined, io: Io, clock?: Clock }): Connection
  act(c: Connection, input: Input): void
  received(c: Connection, bytes: Uint8Array): void
  ended(c: Connection, error?: Error): void
  overTcp(port: number, options: Io & { readonly version: ProtocolVersion }): Connection
  overWebSocket(socket: object, options: Io & { readonly version: ProtocolVersion }): Connection
  serveOver(port: MessagePort, connect: (io: Io) => Connection): Connection
  loopClock(): Clock
}

let guide: Guide
const connect = (version: ProtocolVersion, more = {}): PacketInput => ({ type: 'connect', version, clientId: 'kitchen', cleanStart: true, keepAlive: 60, ...more })

/** What an application hears. */
function recorder(): Io & { readonly log: string[], readonly packets: Packet[] } {
  const log: string[] = []
  const packets: Packet[] = []
  return {
    log, packets, deliver: (packet) => { log.push(`deliver ${packet.type}`); packets.push(packet) }, settle: (token, packet) => { log.push(`settle ${String(token)} ${packet?.type}`) },
    refuse: (token, { name, message }) => { log.push(`refuse ${String(token)} ${name} ${message}`) }, closed: ({ by, why }) => { log.push(`closed ${by} ${why}`) },
  }
}

/** A client and a server of the guide, joined without a wire, on clocks that stand still. */
function pair(version: ProtocolVersion, answer = true): { readonly client: Connection, readonly server: Connection, readonly heard: ReturnType<typeof recorder>, readonly clock: Clock, readonly sent: number[] } {
  const heard = recorder()
  const sent: number[] = []
  const clock = guide.loopClock()
  const client: Connection = guide.open({ role: 'client', version, clock, io: { ...heard, write: (bytes) => { sent.push(bytes[0]! >> 4); guide.received(server, bytes) }, close: () => { guide.ended(server) } } })
  const server: Connection = guide.open({
    role: 'server', clock, io: {
      ...recorder(), write: (bytes) => { if (answer || bytes[0] !== 0xd0) guide.received(client, bytes) }, close: () => { guide.ended(client) },
      deliver: (packet) => { if (packet.type === 'connect') guide.act(server, { type: 'send', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } }) },
    },
  })
  guide.act(client, { type: 'send', packet: connect(version), token: 'hello' })
  return { client, server, heard, clock, sent }
}

test('docs/integrate.md: its code is one program', async () => {
  project.write('guide.js', codeOf('docs/integrate.md', 'js'))
  guide = await project.load('guide.js') as Guide
  assert.equal(Object.keys(guide).sort(), ['act', 'ended', 'loopClock', 'open', 'overTcp', 'overWebSocket', 'realClock', 'received', 'serveOver'])
})

test('docs/integrate.md: in Node, against a real server, in every version', async () => {
  for (const version of [3, 4, 5] as const) {
    const server = await accepting()
    const heard = recorder()
    await new Promise<void>((resolve) => {
      const c: Connection = guide.overTcp(server.port, {
        ...heard, version, closed: (cause) => { heard.closed(cause); resolve() },
        settle: (token, packet) => {
          heard.settle(token, packet)
          if (token === 'hello') guide.act(c, { type: 'send', packet: { type: 'pingreq' }, token: 'ping' })
          else guide.act(c, { type: 'send', packet: { type: 'disconnect' } })
        },
      })
      guide.act(c, { type: 'send', packet: connect(version), token: 'hello' })
    })
    await server.over
    await server.close()
    assert.equal(heard.log, ['deliver connack', 'settle hello connack', 'settle ping pingresp', 'closed client disconnect'])
    assert.equal(server.causes.map(({ by, why }) => [by, why]), [['client', 'disconnect']])
  }
})

test('docs/integrate.md: in a browser, over a WebSocket whose messages cut packets anywhere', () => {
  const heard = recorder()
  const socket = {
    binaryType: '', onmessage: (_: { data: ArrayBuffer }): void => {}, onclose: (): void => {}, closed: false,
    send: (bytes: Uint8Array): void => { guide.received(server, bytes.slice()) }, close: (): void => { socket.closed = true; socket.onclose() },
  }
  const server: Connection = guide.open({
    role: 'server', io: {
      ...recorder(), close: () => { socket.close() }, write: (bytes) => { for (const byte of bytes) socket.onmessage({ data: Uint8Array.of(byte).buffer }) },
      deliver: (packet) => { if (packet.type === 'connect') guide.act(server, { type: 'send', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } }) },
    },
  })
  const c = guide.overWebSocket(socket, { ...heard, version: 5 })
  assert.is(socket.binaryType, 'arraybuffer')
  guide.act(c, { type: 'send', packet: connect(5), token: 'hello' })
  guide.act(server, { type: 'send', packet: { type: 'publish', topic: 'a', payload: 'b' } })
  guide.act(server, { type: 'send', packet: { type: 'disconnect', reasonCode: 0x8e } })
  assert.equal(heard.log, ['deliver connack', 'settle hello connack', 'deliver publish', 'closed server taken-over'])
  assert.ok(socket.closed)
  assert.is(c.state.phase, 'closed')
})

test('docs/integrate.md: in a worker, packets travel by message and payloads without the buffer behind them', async () => {
  const { port1, port2 } = new MessageChannel()
  const messages: { readonly type: string, readonly packet?: { readonly payload?: Uint8Array }, readonly error?: { readonly name: string } }[] = []
  const waiting: (() => void)[] = []
  port2.on('message', (data) => { messages.push(data as typeof messages[number]); waiting.shift()?.() })
  const message = (): Promise<void> => new Promise((resolve) => { waiting.push(resolve) })
  let server: Connection
  const c = guide.serveOver(port1, (io) => {
    const client: Connection = guide.open({ role: 'client', version: 5, io: { ...io, write: (bytes) => { guide.received(server, bytes) }, close: () => {} } })
    server = guide.open({ role: 'server', io: { ...recorder(), close: () => {}, write: (bytes) => { guide.received(client, bytes) }, deliver: (packet) => { if (packet.type === 'connect') guide.act(server, { type: 'send', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } }) } } })
    return client
  })
  port2.postMessage({ packet: connect(5), token: 'hello' })
  await Promise.all([message(), message()])
  assert.is(c.state.phase, 'connected')
  guide.act(server!, { type: 'send', packet: { type: 'publish', topic: 'a', payload: 'b' } })
  port2.postMessage({ packet: connect(5), token: 'again' })
  await Promise.all([message(), message()])
  port1.close()
  assert.equal(messages.map(({ type }) => type), ['deliver', 'settle', 'deliver', 'refuse'])
  assert.is(messages[2]!.packet!.payload!.buffer.byteLength, 1)
  assert.is(messages[3]!.error!.name, 'UsageError')
  guide.ended(c)
  guide.ended(server!)
})

test('docs/integrate.md: in a loop of one\'s own, time is what the loop says', () => {
  const { heard, clock, sent, client } = pair(5)
  assert.is(client.state.phase, 'connected')
  assert.is(clock.turn(59_499), 59_500)
  clock.turn(59_500)
  assert.equal(sent, [1, 12])
  guide.act(client, { type: 'send', packet: { type: 'publish', topic: 'a', payload: 'b' } })
  clock.turn(118_999)
  assert.equal(sent, [1, 12, 3])
  clock.turn(119_000)
  assert.equal(sent, [1, 12, 3, 12])
  const silent = pair(4, false)
  silent.clock.turn(59_500 + 9_999)
  assert.is(silent.client.state.phase, 'connected')
  silent.clock.turn(59_500 + 10_000)
  assert.equal(silent.heard.log.at(-1), 'closed client pingresp-timeout')
  assert.equal(heard.log, ['deliver connack', 'settle hello connack'])
})

test('docs/integrate.md: what cannot be encoded is refused and undone, what is malformed ends the connection, a session goes on', () => {
  const { client, heard } = pair(5)
  const before = client.state
  guide.act(client, { type: 'send', packet: { type: 'publish', topic: 'a/#', payload: '' }, token: 'wild' })
  assert.match(heard.log.at(-1)!, /^refuse wild UsageError publish\.topic/)
  assert.is(client.state, before)
  guide.received(client, fromHex('20 03 02 00 00'))
  assert.is(heard.log.at(-1), 'closed client malformed')
  const { session } = client.state
  assert.is(session?.clientId, 'kitchen')
  const again = guide.open({ role: 'client', version: 5, session, clock: guide.loopClock(), io: { ...recorder(), write: () => {}, close: () => {} } })
  guide.act(again, { type: 'send', packet: connect(5, { cleanStart: false }) })
  guide.received(again, fromHex('20 03 01 00 00'))
  assert.is(again.state.phase, 'connected')
})

test('docs/integrate.md: the answer of verify.js is the one it gives', async () => {
  const { vendor } = await import(join(ROOT, 'scripts/vendor.js')) as { vendor(folder: string): Promise<object> }
  const folder = join(project.folder, 'vendor', 'connack')
  await vendor(folder)
  const { output } = project.run(process.execPath, 'vendor/connack/verify.js')
  const plain = (text: string): string => text.replace(/(, commit )?[\da-f]{12}/, '')
  assert.ok(read('docs/integrate.md').split('```\n').map(plain).includes(plain(output)), output)
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
  project.write('runner.py', codeOf('docs/fixtures.md', 'python'))
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
