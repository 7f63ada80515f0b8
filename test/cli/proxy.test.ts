// The proxy between real sockets: what goes in comes out, at once and bounded, and everything is named.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect as openSocket, Server } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as openTlsSocket, createServer as createTlsServer } from 'node:tls'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createBroker } from '../../src/broker/index.ts'
import { paintFor } from '../../src/cli/render.ts'
import { startProxy } from '../../src/cli/proxy.ts'
import type { Proxy, ProxyOptions } from '../../src/cli/proxy.ts'
import { targetOf } from '../../src/cli/target.ts'
import { encode, fromHex } from '../../src/codec/index.ts'
import type { ProtocolVersion } from '../../src/codec/index.ts'
import { connectTcp, listenTcp } from '../../src/transport/tcp.ts'
import { connectWebSocket } from '../../src/transport/websocket.ts'
import { listenWebSocket } from '../../src/transport/websocket-server.ts'
import { ws } from '../helpers/adapters.ts'
import { until } from '../helpers/network.ts'
import { identity } from './certificate.ts'
import { run, serve, spawned } from './helpers.ts'
import type { Scripted } from './helpers.ts'

const folder = mkdtempSync(join(tmpdir(), 'connack-'))
test.after(() => { rmSync(folder, { recursive: true }) })

interface Watched {
  readonly proxy: Proxy
  readonly port: number
  /** standard output */
  readonly out: () => string
  readonly err: () => string
  /** the lines of --json */
  readonly events: () => readonly Event[]
  /** the sentences at the ends of connections */
  readonly ends: () => readonly string[]
}

interface Event {
  readonly event: string
  readonly connection: number
  readonly after: number
  readonly from?: string
  readonly type?: string | null
  readonly hex?: string
  readonly version?: number
  readonly text?: string
  readonly why?: string
  readonly by?: string
  readonly sentence?: string
  readonly answers?: { readonly type: string, readonly ms: number }
  readonly broken?: readonly { readonly by: string, readonly rule: string }[]
  readonly phases?: { readonly client: string, readonly server: string }
}

async function watched(url: string, options: Partial<ProxyOptions> = {}, words: { readonly [name: string]: string | true } = {}): Promise<Watched> {
  const out: string[] = []
  const err: string[] = []
  const target = targetOf({ values: words, given: [], positionals: [url] })
  const proxy = await startProxy({ listen: { host: '127.0.0.1', port: 0 }, target, json: false, quiet: false, secrets: false, ...options }, {
    print: (line) => { out.push(line) }, complain: (line) => { err.push(line) }, write: () => {}, input: async () => new Uint8Array(0), paint: paintFor({}, {}),
  })
  const events = (): readonly Event[] => out.map((line) => JSON.parse(line) as Event)
  return { proxy, port: proxy.port, out: () => out.join('\n'), err: () => err.join('\n'), events, ends: () => events().filter(({ event }) => event === 'close').map(({ sentence }) => sentence!) }
}

/** A socket to a port, and all that comes back. */
async function raw(port: number): Promise<{ readonly socket: Socket, readonly received: () => Uint8Array, readonly ended: () => boolean }> {
  const socket = openSocket({ host: '127.0.0.1', port, allowHalfOpen: true })
  const chunks: Uint8Array[] = []
  let over = false
  socket.on('data', (chunk: Uint8Array) => { chunks.push(chunk) }).on('error', () => {}).on('end', () => { over = true }).on('close', () => { over = true })
  await new Promise((resolve) => { socket.once('connect', resolve) })
  return { socket, received: () => new Uint8Array(Buffer.concat(chunks)), ended: () => over }
}

const mqtt = (port: number): string => `mqtt://127.0.0.1:${port}`
const CONNECT_ID = (clientId: string): Uint8Array => encode({ type: 'connect', version: 4, clientId, cleanStart: true, keepAlive: 60 }, 4)

for (const version of [3, 4, 5] as const) {
  test(`MQTT ${version}: our own client and broker through it, every packet named, the password never`, async () => {
    const broker = createBroker()
    const server = await listenTcp({ port: 0 }, broker.handle)
    const text = await watched(mqtt(server.port))
    const json = await watched(mqtt(text.port), { json: true })
    const messages: string[] = []
    const client = await connectTcp({ port: json.port, connect: { version, clientId: 'kitchen', keepAlive: 30, username: 'hans', password: 'letmein', will: { topic: 'w', payload: 'x' } }, onPublish: ({ topic }) => { messages.push(topic) } })
    await client.subscribe({ filter: 'a/+', qos: 2 })
    await client.publish({ topic: 'a/b', payload: '21.5', qos: 2 })
    await client.publish({ topic: 'a/c', payload: '21.5', qos: 1 })
    await client.ping()
    await until(() => messages.length === 2)
    await client.disconnect()
    await until(() => json.ends().length === 1 && text.out().includes('from the Server.'))
    const events = json.events()
    const types = (from: string): (string | null | undefined)[] => events.filter((event) => event.event === 'packet' && event.from === from).map(({ type }) => type)
    assert.equal([types('client')[0], types('client').at(-1), types('server')[0]], ['connect', 'disconnect', 'connack'])
    for (const type of ['connack', 'suback', 'pubrec', 'pubcomp', 'puback', 'pingresp']) {
      const event = events.find((one) => one.type === type && one.from === 'server')!
      assert.ok(event.answers!.ms >= 0 && event.answers!.ms < 2000, type)
    }
    assert.equal(events.find(({ type }) => type === 'connack')!.phases, { client: 'connected', server: 'connected' })
    assert.ok(events.every(({ broken }) => broken === undefined), JSON.stringify(events.filter(({ broken }) => broken)))
    assert.match(json.ends()[0]!, /^The Client disconnected: .* \(ended by the Client while connected; /)
    assert.not.match(json.ends()[0]!, /Will/)
    for (const output of [text.out(), json.events().map((event) => JSON.stringify(event)).join('\n')]) assert.not.match(output, /letmein|6c 65 74 6d 65 69 6e/)
    assert.match(text.out(), /#1 +\d\.\d{4} s +authenticating +──── CONNECT ─+▶ +authenticating\n/)
    assert.match(text.out(), /connected +◀─── CONNACK ─+ +connected +[\d.]+ ms after CONNECT\n/)
    assert.match(text.out(), /00 1e +Keep Alive: 30 s/)
    assert.match(text.out(), /Password: ••••/)
    assert.match(text.out(), /keep alive: the Client's next packet is due by 30\.\d+ s; without one the Server closes at 45\.\d+ s/)
    await Promise.all([text.proxy.close(), json.proxy.close()])
    await server.close()
    await broker.close()
  })
}

test('bytes that are no MQTT pass as they are, both ways, and are said to be none', async () => {
  const garbage = randomBytes(100_000)
  garbage[0] = 0x00
  const echo = await serve((socket) => { socket.on('data', (chunk) => { socket.write(chunk) }).on('end', () => { socket.end() }) })
  const { proxy, port, out, events } = await watched(mqtt(echo.port), { json: true })
  const { socket, received, ended } = await raw(port)
  socket.end(garbage)
  await until(ended)
  assert.ok(Buffer.from(received()).equals(garbage))
  await until(() => out().includes('"close"'))
  const [first, ...more] = events().filter(({ event, from }) => event === 'packet' && from === 'client')
  assert.equal([more.length, first!.type, first!.broken![0]!.by, first!.hex!.split(' ').length], [0, null, 'client', 64])
  await proxy.close()
  await echo.close()
})

test('after the first malformed packet everything passes, and the next packet is read again', async () => {
  const seen: Uint8Array[] = []
  const server = await serve((socket) => { socket.on('data', (chunk: Uint8Array) => { seen.push(chunk) }) })
  const { proxy, port, events } = await watched(mqtt(server.port), { json: true })
  const { socket } = await raw(port)
  const bytes = Buffer.concat([CONNECT_ID('a'), fromHex('36 05 00 01 61 00 01'), fromHex('80 06 00 02 00 01 61 00'), fromHex('c0 00')])
  socket.write(bytes)
  await until(() => Buffer.concat(seen).equals(bytes))
  await until(() => events().some(({ type }) => type === 'pingreq'))
  const packets = events().filter(({ event }) => event === 'packet')
  assert.equal(packets.map(({ type, broken }) => [type, broken?.[0]?.rule]), [['connect', undefined], ['publish', 'MQTT-3.3.1-4'], ['subscribe', 'MQTT-2.2.2-2'], ['pingreq', undefined]])
  await proxy.close()
  assert.is(events().at(-1)!.sentence, 'The proxy was stopped.')
  await server.close()
})

test('HTTP, and TLS on a port for plain MQTT, are named at the end', async () => {
  const server = await serve((socket) => { socket.on('data', () => { socket.end() }) })
  const { proxy, port, ends } = await watched(mqtt(server.port), { json: true })
  for (const bytes of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'POST / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00']) {
    const { socket, ended } = await raw(port)
    socket.write(bytes, 'latin1')
    await until(ended)
    socket.destroy()
  }
  await until(() => ends().length === 3)
  assert.equal(ends().map((end) => /not speak MQTT here but (\w+)/.exec(end)?.[1]), ['HTTP', 'HTTP', 'TLS'])
  await proxy.close()
  await server.close()
})

test('half-close: a side that has ended still gets what the other one says', async () => {
  const server = await serve((socket) => {
    socket.on('end', () => { setTimeout(() => { socket.end('late') }, 50) }).resume()
  }, (listener) => createPlain(listener))
  const { proxy, port, events } = await watched(mqtt(server.port), { json: true })
  const { socket, received, ended } = await raw(port)
  socket.end(CONNECT_ID('a'))
  await until(ended)
  assert.is(Buffer.from(received()).toString(), 'late')
  await until(() => events().at(-1)!.event === 'close')
  assert.equal([events().at(-1)!.by, events().at(-1)!.why], ['client', 'ended'])
  await proxy.close()
  await server.close()
})

test('half-close, the other way: a Server that has said all still gets what comes', async () => {
  const seen: Uint8Array[] = []
  const server = await serve((socket) => {
    socket.on('data', (chunk: Uint8Array) => { seen.push(chunk) })
    socket.end('bye')
  }, (listener) => createPlain(listener))
  const { proxy, port, ends } = await watched(mqtt(server.port), { json: true })
  const { socket, received, ended } = await raw(port)
  await until(ended)
  assert.is(Buffer.from(received()).toString(), 'bye')
  await new Promise((resolve) => { setTimeout(resolve, 50) })
  socket.end(CONNECT_ID('a'))
  await until(() => Buffer.concat(seen).equals(CONNECT_ID('a')))
  await until(() => ends().length === 1)
  assert.match(ends()[0]!, /The Server/)
  await proxy.close()
  await server.close()
})

test('a side that does not read stops the other: bounded, and nothing is lost', async () => {
  const size = 48 * 1024 * 1024
  const whole = createHash('sha256')
  let sent = 0
  const server = await serve((socket) => {
    // PUBLISH of a MiB each, so that reading along has something to do.
    const packet = encode({ type: 'publish', topic: 'a', payload: new Uint8Array(1_048_000).fill(7) }, 4)
    const more = (): void => {
      while (sent < size) {
        whole.update(packet)
        sent += packet.length
        if (!socket.write(packet)) return void socket.once('drain', more)
      }
      socket.end()
    }
    more()
  })
  const { proxy, port, ends } = await watched(mqtt(server.port), { json: true, quiet: true })
  const { socket } = await raw(port)
  socket.removeAllListeners('data')
  socket.pause()
  socket.write(CONNECT_ID('slow'))
  await new Promise((resolve) => { setTimeout(resolve, 600) })
  const held = sent
  // What the kernel keeps of two sockets, and a few chunks of ours.
  assert.ok(held < size / 2, `${held} bytes went in while nobody read`)
  const read = createHash('sha256')
  let count = 0
  socket.on('data', (chunk: Uint8Array) => {
    read.update(chunk)
    count += chunk.length
  })
  socket.resume()
  for (let i = 0; i < 1000 && count < sent; i++) await new Promise((resolve) => { setTimeout(resolve, 10) })
  assert.equal([count, read.digest('hex')], [sent, whole.digest('hex')])
  socket.end()
  await until(() => ends().length === 1)
  await proxy.close()
  await server.close()
})

test('who breaks off is said: a reset of the client, a target that is not there', async () => {
  const server = await serve((socket) => { socket.resume() })
  const { proxy, port, ends } = await watched(mqtt(server.port), { json: true })
  const { socket } = await raw(port)
  socket.write(CONNECT_ID('a'))
  await new Promise((resolve) => { setTimeout(resolve, 50) })
  socket.resetAndDestroy()
  await until(() => ends().length === 1)
  assert.match(ends()[0]!, /The connection of the Client broke: read ECONNRESET \(ended by the Client while authenticating\)/)
  await proxy.close()
  await server.close()
  const lonely = await watched(mqtt(server.port), { json: true })
  const second = await raw(lonely.port)
  await until(second.ended)
  await until(() => lonely.ends().length === 1)
  assert.match(lonely.ends()[0]!, /^Nothing listens on 127\.0\.0\.1:\d+\.$/)
  await lonely.proxy.close()
})

test('many connections at once, numbered; the one that takes over another is named', async () => {
  const broker = createBroker()
  const server = await listenTcp({ port: 0 }, broker.handle)
  const { proxy, port, ends, events } = await watched(mqtt(server.port), { json: true })
  const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => connectTcp({ port, connect: { version: 4, clientId: `c${i}` } })))
  const again = await connectTcp({ port, connect: { version: 4, clientId: 'c7' } })
  await until(() => ends().length === 1)
  assert.match(ends()[0]!, /The Server closed when connection #21 came with the same Client Identifier/)
  await Promise.all([again, ...clients.filter((_, i) => i !== 7)].map((client) => client.disconnect()))
  await until(() => ends().length === 21)
  assert.equal(new Set(events().map(({ connection }) => connection)).size, 21)
  await proxy.close()
  await server.close()
  await broker.close()
})

test('--quiet prints broken rules, late clients and ends, and nothing else', async () => {
  const server = await serve((socket) => { socket.once('data', () => { socket.write(encode({ type: 'connack', reasonCode: 0 }, 4)) }) })
  const { proxy, port, out } = await watched(mqtt(server.port), { quiet: true })
  const { socket } = await raw(port)
  socket.write(encode({ type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 1 }, 4))
  await until(() => out().includes('one and a half times'))
  socket.write(CONNECT_ID('a'))
  await until(() => out().includes('✗'))
  socket.end()
  await until(() => out().split('\n').length === 5 || !socket.destroyed)
  await proxy.close()
  const lines = out().split('\n')
  assert.match(lines[0]!, /^#1 +1\.0\d+ s +the Client has sent nothing for its Keep Alive of 1 s: it is late \[MQTT-3\.1\.2-23\]/)
  assert.match(lines[1]!, /^#1 +1\.5\d+ s +the Client has sent nothing for one and a half times/)
  assert.match(lines[2]!, /CONNECT/)
  assert.match(lines[3]!, /✗ the Client breaks a rule: CONNECT from the Client while connected; .*MQTT-3\.1\.0-2/)
  assert.is(lines.length, 5, out())
  await server.close()
})

test('--save: a capture that decode reads back, for its owner only, complete whenever it ends', async () => {
  const broker = createBroker()
  const server = await listenTcp({ port: 0 }, broker.handle)
  const save = join(folder, 'two.pcapng')
  const { proxy, port } = await watched(mqtt(server.port), { save, quiet: true })
  const client = await connectTcp({ port, connect: { version: 5, clientId: 'a' } })
  const other = await connectTcp({ port, connect: { version: 3, clientId: 'b' } })
  await client.publish({ topic: 'big', payload: new Uint8Array(50_000).fill(65), qos: 1 })
  await other.ping()
  await client.disconnect()
  await proxy.close()
  assert.is(statSync(save).mode & 0o777, 0o600)
  const { out, status } = await run(['decode', save, '--json'])
  assert.is(status, 0, out)
  const packets = out.split('\n').map((line) => JSON.parse(line) as { readonly connection: number, readonly version: ProtocolVersion, readonly packet: { readonly type: string } })
  const of = (connection: number): string[] => packets.filter((one) => one.connection === connection).map(({ packet }) => packet.type)
  assert.equal(of(1), ['connect', 'connack', 'publish', 'puback', 'disconnect'])
  assert.equal(of(2), ['connect', 'connack', 'pingreq', 'pingresp'])
  assert.equal([packets[0]!.version, packets.find(({ connection }) => connection === 2)!.version], [5, 3])
  await server.close()
  await broker.close()
})

test('TLS on both sides', async () => {
  const inner = identity()
  const outer = identity()
  writeFileSync(join(folder, 'inner.pem'), inner.cert)
  const broker = createBroker()
  const plain = await listenTcp({ port: 0 }, broker.handle)
  // A TLS server that hands everything on to the broker.
  const server = await serve((socket) => { socket.pipe(openSocket({ host: '127.0.0.1', port: plain.port })).on('error', () => {}).pipe(socket) }, (listener) => createTlsServer({ cert: inner.cert, key: inner.key }, listener).on('tlsClientError', () => {}))
  const tls = { cert: new TextEncoder().encode(outer.cert), key: new TextEncoder().encode(outer.key) }
  const { proxy, port, ends, err } = await watched(`mqtts://localhost:${server.port}`, { json: true, tls }, { cafile: join(folder, 'inner.pem') })
  const { connectTls } = await import('../../src/transport/tls.ts')
  const client = await connectTls({ host: 'localhost', port, connect: { version: 5, clientId: 'a' }, tls: { ca: outer.cert } })
  await client.ping()
  await client.disconnect()
  await until(() => ends().length === 1)
  assert.match(ends()[0]!, /The Client disconnected/)
  const { socket, ended } = await raw(port)
  socket.write(CONNECT_ID('plain'))
  await until(ended)
  await until(() => /no TLS/.test(err()))
  await proxy.close()
  const distrusting = await watched(`mqtts://localhost:${server.port}`, { json: true })
  const second = await raw(distrusting.port)
  await until(second.ended)
  await until(() => distrusting.ends().length === 1)
  assert.match(distrusting.ends()[0]!, /signed by itself: --cafile makes it trusted\. Nothing was sent/)
  await distrusting.proxy.close()
  await server.close()
  await plain.close()
  await broker.close()
})

test('half-close over TLS', async () => {
  const { cert, key } = identity()
  const server = await serve((socket) => {
    socket.on('end', () => { setTimeout(() => { socket.end('late') }, 50) }).resume()
  }, (listener) => createTlsServer({ cert, key, allowHalfOpen: true } as object, listener))
  const { proxy, port } = await watched(`mqtts://127.0.0.1:${server.port}`, { json: true, tls: { cert: new TextEncoder().encode(cert), key: new TextEncoder().encode(key) } }, { insecure: true })
  const socket = openTlsSocket({ host: '127.0.0.1', port, rejectUnauthorized: false, allowHalfOpen: true } as object)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  await new Promise((resolve) => { socket.once('secureConnect', resolve) })
  socket.end(CONNECT_ID('a'))
  await until(() => text === 'late')
  socket.destroy()
  await proxy.close()
  await server.close()
})

const overWebSocket = ws === undefined ? test.skip : test
if (ws === undefined) console.log('ws is not installed: the proxy over WebSocket is skipped (npm run test:peers)')

overWebSocket('WebSocket: a client of plain MQTT is given one, and one of its own is read as it passes', async () => {
  const broker = createBroker()
  const closes: number[] = []
  let pongs = 0
  const server = await listenWebSocket({ port: 0, webSocketServer: new ws!.WebSocketServer({ noServer: true, perMessageDeflate: false }) }, (peer, { webSocket }) => {
    const socket = webSocket as unknown as { ping(): void, on(event: 'close', listener: (code: number) => void): void, once(event: 'pong', listener: () => void): void }
    socket.on('close', (code) => { closes.push(code) })
    socket.once('pong', () => { pongs++ })
    socket.ping()
    broker.handle(peer)
  })
  const save = join(folder, 'ws.pcapng')
  const { proxy, port, events, ends } = await watched(`ws://127.0.0.1:${server.port}/mqtt`, { json: true, save })
  const plain = await connectTcp({ port, connect: { version: 5, clientId: 'plain' } })
  await plain.publish({ topic: 'a', payload: new Uint8Array(70_000), qos: 1 })
  await until(() => pongs === 1)
  await plain.disconnect()
  await until(() => ends().length === 1 && closes.length === 1)
  assert.is(closes[0], 1000)
  const web = await connectWebSocket({ url: `ws://127.0.0.1:${port}/mqtt`, WebSocket: ws!.WebSocket, connect: { version: 5, clientId: 'web' } })
  await web.publish({ topic: 'a', payload: new Uint8Array(70_000), qos: 2 })
  await web.disconnect()
  await until(() => ends().length === 2)
  for (const end of ends()) assert.match(end, /The Client disconnected/)
  const types = (connection: number): (string | null | undefined)[] => events().filter((event) => event.event === 'packet' && event.connection === connection).map(({ type }) => type)
  assert.equal(types(1), ['connect', 'connack', 'publish', 'puback', 'disconnect'])
  assert.equal(types(2), ['connect', 'connack', 'publish', 'pubrec', 'pubrel', 'pubcomp', 'disconnect'])
  const remarks = events().filter(({ event }) => event === 'remark').map(({ text }) => text)
  assert.ok(remarks.includes('GET /mqtt HTTP/1.1, WebSocket, subprotocol mqtt'), remarks.join('\n'))
  assert.ok(remarks.includes('HTTP/1.1 101 Switching Protocols, WebSocket, subprotocol mqtt'))
  await proxy.close()
  assert.match((await run(['decode', save])).err, /connection 2: .*HTTP/)
  await server.close()
  await broker.close()
})

test('WebSocket: an upgrade that is not granted is said, and the client is let go', async () => {
  const server = await serve((socket) => { socket.once('data', () => { socket.end('HTTP/1.1 404 Not Found\r\n\r\n') }) })
  const { proxy, port, ends } = await watched(`ws://127.0.0.1:${server.port}/nowhere`, { json: true })
  const { socket, ended } = await raw(port)
  socket.write(CONNECT_ID('a'))
  await until(ended)
  await until(() => ends().length === 1)
  assert.is(ends()[0], 'The WebSocket upgrade at /nowhere is answered with 404 Not Found.')
  await proxy.close()
  await server.close()
})

test('as a process: listens where it is told, Ctrl-C ends it with status 0 and the file complete', async () => {
  const { spawn } = await import('node:child_process')
  const { ROOT } = await import('./helpers.ts')
  const broker = createBroker()
  const server = await listenTcp({ port: 0 }, broker.handle)
  const save = join(folder, 'process.pcapng')
  const child = spawn(process.execPath, ['--import', './scripts/load.js', 'src/cli/main.ts', 'proxy', '127.0.0.1:0', mqtt(server.port), '--save', save], { cwd: ROOT })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { err += chunk })
  for (let i = 0; i < 500 && !err.includes('listening'); i++) await new Promise((resolve) => { setTimeout(resolve, 10) })
  const port = Number(/listening on 127\.0\.0\.1:(\d+), passing on to mqtt:/.exec(err)![1])
  const client = await connectTcp({ port, connect: { version: 5, clientId: 'a' } })
  child.kill('SIGINT')
  const status = await new Promise((resolve) => { child.on('close', resolve) })
  await client.closed
  assert.is(status, 0, err)
  assert.match(out, /The proxy was stopped\. After 1 packet \(\d+ bytes\) from the Client, 1 packet/)
  assert.match(err, /1 connection\n$/)
  assert.match((await spawned(['decode', save])).out, /CONNECT.*\n[^]*CONNACK/)
  assert.ok(readFileSync(save).length > 500)
  await server.close()
  await broker.close()
})

test('what is not understood: status 2; a port that is taken, a file that cannot be written: status 1', async () => {
  const taken = await serve(() => {})
  for (const [args, status, pattern] of [
    [[], 2, /where to\?/], [['a', 'b', 'c'], 2, /too many/], [['x:y', 'mqtt://a'], 2, /x:y is nowhere to listen/], [['1884', 'http://a'], 2, /no URL/], [['99999', 'mqtt://a'], 2, /nowhere/],
    [['mqtt://u:geheim@a'], 2, /user name or password/], [['mqtt://a', '--listen-cert', 'package.json'], 2, /come together/], [['mqtt://a', '--cafile', '/nonexistent'], 1, /--cafile/],
    [[String(taken.port), 'mqtt://a'], 1, /is taken/], [['0', 'mqtt://a', '--save', '/nonexistent/x'], 1, /--save/],
  ] as const) {
    const result = await run(['proxy', ...args])
    assert.equal([result.status, result.out], [status, ''], args.join(' '))
    assert.match(result.err, pattern)
    assert.not.match(result.err, /geheim/)
  }
  await taken.close()
})

function createPlain(listener: (socket: Socket) => void): Scripted['server'] {
  return new Server({ allowHalfOpen: true }, listener)
}

test.run()
