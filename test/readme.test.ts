// Every block of the README, run as somebody runs it who has copied it: in a project of its own with connack installed, each a program.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { join } from 'node:path'
import { createBroker } from '../src/broker/index.ts'
import { connectTcp, listenTcp } from '../src/transport/tcp.ts'
import type { Client, Peer } from '../src/transport/index.ts'
import { blocksOf, Project, read, ROOT } from './helpers/project.ts'
import type { Running } from './helpers/project.ts'

const project = new Project()
const [client, server, codec, machine, connection, sessions, broker, ...rest] = blocksOf('README.md', 'js') as [string, string, string, string, string, string, string]

test.before(() => project.install())
test.after(() => { project.remove() })

/** A block as a program; servers say which port they have taken. */
function begin(block: string, port = 0): Running {
  project.write('block.js', `${block.replace(/\b1883\b/g, String(port))}${/listenTcp/.test(block) ? "\nconsole.log('port', server.port)\n" : ''}`)
  return project.begin(process.execPath, 'block.js')
}

async function portOf(program: Running): Promise<number> {
  return Number((await program.says(/^port (\d+)$/m))[1])
}

function failure(promise: Promise<unknown>): Promise<{ readonly cause?: { readonly reasonCode?: number } }> {
  return promise.then(() => { throw new Error('it did not fail') }, (error: object) => error)
}

/** Our broker, and the peers it has been given. */
async function ours(): Promise<{ readonly port: number, readonly peers: Peer[], readonly close: () => Promise<void>, readonly publish: (topic: string, payload: string) => Promise<number> }> {
  const peers: Peer[] = []
  const inside = createBroker({ authenticate: ({ username }) => (username === 'stranger' ? 0x87 : true) })
  const listener = await listenTcp({ port: 0 }, (peer) => {
    peers.push(peer)
    inside.handle(peer)
  })
  const close = async (): Promise<void> => {
    await listener.close()
    await inside.close()
  }
  return { port: listener.port, peers, close, publish: (topic, payload) => inside.publish({ topic, payload, qos: 1 }) }
}

test('there are seven, and other blocks only where they are run or are commands', () => {
  assert.is(rest.length, 0)
  const fences = read('README.md').match(/^```.*$/gm)!.filter((_, i) => i % 2 === 0)
  assert.equal(fences, ['```', '```js', '```js', '```sh', '```', '```ts', '```js', '```js', '```js', '```js', '```js', '```sh'])
})

test('the ten-line client: gets its own message, comes back when its connection is lost, and is still subscribed', async () => {
  assert.ok(client.trim().split('\n').length <= 10)
  const { port, peers, close, publish } = await ours()
  const program = begin(client, port)
  await program.says(/^home\/kitchen 21\.5 °C$/m)
  peers[0]!.abort()
  await program.says(/^The Server closed the connection without DISCONNECT\.|ended/m)
  await publish('home/bath', 'warm')
  await program.says(/^home\/bath warm$/m)
  assert.is(peers.length, 2)
  program.interrupt()
  await program.over
  await close()
})

test('the ten-line server: who is hans, what he publishes and subscribes to, and how he goes', async () => {
  assert.ok(server.trim().split('\n').length <= 10)
  const program = begin(server)
  const port = await portOf(program)
  assert.is((await failure(connectTcp({ port, connect: { clientId: 'a', username: 'greta' } }))).cause!.reasonCode, 0x87)
  assert.is((await failure(connectTcp({ port, connect: { version: 4, clientId: 'a' } }))).cause!.reasonCode, 5)
  const hans = await connectTcp({ port, connect: { clientId: 'b', username: 'hans', will: { topic: 'gone', payload: '' } } })
  assert.equal(await hans.subscribe([{ filter: 'a', qos: 1 }, 'b']), [1, 0])
  await hans.publish({ topic: 'home', payload: '12345', qos: 2 })
  hans.abort()
  await program.says(/^home 5$/m)
  await program.says(/^.* Will on gone$/m)
  program.interrupt()
  await program.over
})

test('how many connections an address may open: the code is the one that test/transport/rate.test.ts runs', () => {
  const parts = [...read('test/transport/rate.test.ts').matchAll(/^( *)\/\/ begin\n([^]*?)^\1\/\/ end$/gm)].map(([, indent, code]) => code!.replaceAll(new RegExp(`^${indent!}`, 'gm'), ''))
  const imports = "import { createServer, type Socket } from 'node:net'\nimport { Peer, tcpDuplex } from 'connack/tcp'\n"
  assert.is(parts.length, 2)
  assert.equal(blocksOf('README.md', 'ts'), [[imports, ...parts].join('\n')])
})

test('what npm start prints is what it prints', () => {
  const [, printed] = /^```\n(\d+\. [^]*?)^```$/m.exec(read('README.md'))!
  const { status, output } = project.run(process.execPath, '--import', join(ROOT, 'scripts/load.js'), join(ROOT, 'src/cli/main.ts'))
  assert.is(status, 0, output)
  assert.ok(output.replace(/[ \t]+$/gm, '').includes(printed!.replace(/[ \t]+$/gm, '')), output)
})

test('the codec', async () => {
  const { status, output } = await begin(codec).over
  assert.is(status, 0, output)
  assert.match(output, /^publish home\/kitchen\n0 1 Packet type and flags PUBLISH/)
})

test('the machine: the effects are those that the comment names', async () => {
  const { status, output } = await begin(`${machine}\nconsole.log(JSON.stringify([state.phase, next.effects.map(({ type, packet, timer, ms, quiet }) => ({ type, packet: packet?.type, timer, ms, quiet }))]))`).over
  assert.is(status, 0, output)
  assert.equal(JSON.parse(output), ['authenticating', [{ type: 'write', packet: 'connect' }, { type: 'arm', timer: 'connect', ms: 30_000 }, { type: 'arm', timer: 'keep-alive', ms: 60_000, quiet: 'sent' }]])
})

test('one connection: a message of its own, and the end in a sentence', async () => {
  const { port, close } = await ours()
  const { status, output } = await begin(connection, port).over
  assert.is(status, 0, output)
  assert.match(output, /^home\/kitchen 8 2\nThe Client disconnected: Normal disconnection \(ended by the Client while connected; code 0x00, Normal disconnection.*\)\. \{/)
  assert.match(output, /clientId: 'kitchen'/)
  await close()
})

test('a server that keeps sessions', async () => {
  const program = begin(sessions)
  const port = await portOf(program)
  const connect = { version: 5, clientId: 'kitchen', cleanStart: false, properties: { sessionExpiryInterval: 60 } } as const
  const heard: string[] = []
  const come = (session?: Client['session'], fields = {}): Promise<Client> => connectTcp({ port, session, connect: { ...connect, ...fields }, onPublish: ({ topic, dup }) => { heard.push(`${topic}${dup ? ' again' : ''}`) } })
  const first = await come()
  assert.is(first.connack.sessionPresent, false)
  assert.equal(await first.subscribe('home/a'), [0])
  assert.is((await first.publish({ topic: 'home/a', payload: '1', qos: 1 }))!.reasonCode, 0)
  assert.equal((await first.publish({ topic: 'garden', payload: '1', qos: 2 }).catch((error: unknown) => error) as { readonly reasonCode: number }).reasonCode, 0x87)
  assert.equal(heard, ['home/a', 'garden'])
  await first.disconnect()
  const second = await come(first.session)
  assert.equal([second.connack.sessionPresent, second.sessionOutcome], [true, 'resumed'])
  await second.disconnect()
  const third = await come(undefined, { cleanStart: true })
  assert.is(third.connack.sessionPresent, false)
  await third.disconnect()
  program.interrupt()
  await program.over
})

test('a broker: who may come in, who may publish where, and what is retained', async () => {
  const program = begin(broker)
  const port = await portOf(program)
  await program.says(/connections: 0/)
  await failure(connectTcp({ port, connect: { clientId: 'a', username: 'greta' } }))
  const heard: string[] = []
  const hans = await connectTcp({ port, connect: { clientId: 'bath', username: 'hans' }, onPublish: ({ topic, payload, retain }) => { heard.push(`${topic} ${new TextDecoder().decode(payload)} ${retain}`) } })
  await hans.subscribe('home/#')
  await hans.publish({ topic: 'home/bath', payload: 'warm', qos: 1 })
  assert.equal((await hans.publish({ topic: 'home/kitchen', payload: 'warm', qos: 1 }).catch((error: unknown) => error) as { readonly reasonCode: number }).reasonCode, 0x87)
  assert.equal(heard, ['home/all good morning true', 'home/bath warm false'])
  await hans.disconnect()
  program.interrupt()
  await program.over
})

test.run()
