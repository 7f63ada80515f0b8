// WebSockets of the ws package, on real sockets, at both ends.
import { createServer, request as httpRequest } from 'node:http'
import { connect as openSocket } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { test as always } from 'uvu'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, toHex } from '../../src/codec/index.ts'
import type { PacketInput } from '../../src/codec/index.ts'
import { Peer } from '../../src/transport/index.ts'
import type { ConnectionClosed } from '../../src/transport/index.ts'
import { acceptWebSocket, connectWebSocket } from '../../src/transport/websocket.ts'
import type { WebSocketEvent, WebSocketLike } from '../../src/transport/websocket.ts'
import { handleUpgrade, listenWebSocket } from '../../src/transport/websocket-server.ts'
import type { Listener } from '../../src/transport/sockets.ts'
import { adapterTests, MEGABYTE } from '../helpers/adapter.ts'
import { ADAPTERS, ws } from '../helpers/adapters.ts'
import { failure, newRecord, rawServer, recording, until } from '../helpers/network.ts'
import type { Record } from '../helpers/network.ts'

const test = (ws === undefined ? always.skip : always) as Test
if (ws === undefined) console.log('ws is not installed: what needs a real WebSocket is skipped (npm run test:peers)')

adapterTests(test, ADAPTERS.webSocket)
adapterTests(test, ADAPTERS.secureWebSocket)

interface Lab extends Record { readonly server: Listener, readonly url: string, readonly refused: Error[], readonly subprotocols: string[] }

async function lab(): Promise<Lab> {
  const record = newRecord()
  const refused: Error[] = []
  const subprotocols: string[] = []
  const server = await listenWebSocket({ port: 0, webSocketServer: new ws!.WebSocketServer({ noServer: true }), onRefused: (error) => { refused.push(error) } }, (peer, { webSocket }) => {
    subprotocols.push(webSocket.protocol)
    recording(record)(peer)
  })
  return { ...record, server, url: `ws://127.0.0.1:${server.port}/`, refused, subprotocols }
}

/** A client of ws without connack: what it hears, and how it ends. */
async function rawClient(url: string, subprotocols: string[]): Promise<{ readonly socket: WebSocketLike & { send(data: unknown): void }, readonly heard: () => string, readonly closed: Promise<WebSocketEvent> }> {
  const socket = new ws!.WebSocket(url, subprotocols)
  const chunks: Uint8Array[] = []
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('message', ({ data }) => { chunks.push(new Uint8Array(data as ArrayBuffer)) })
  const closed = new Promise<WebSocketEvent>((resolve) => { socket.addEventListener('close', resolve) })
  await new Promise((resolve, reject) => { socket.addEventListener('open', resolve); socket.addEventListener('error', reject) })
  return { socket, heard: () => chunks.map(toHex).join(' '), closed }
}

/** A server of ws without connack, for one client. */
async function rawWebSocketServer(options: object, onSocket: (socket: WebSocketLike & { send(data: unknown): void }) => void): Promise<{ readonly url: string, close(): void }> {
  const server = new ws!.WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  server.on('connection', onSocket)
  await new Promise((resolve) => { (server as unknown as { on(event: string, listener: (value: unknown) => void): void }).on('listening', resolve) })
  return { url: `ws://127.0.0.1:${server.address().port}`, close: () => { for (const socket of server.clients) socket.terminate!(); server.close() } }
}

const CONNECT: PacketInput = { type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 0 }

test('MQTT-6.0.0-2: packets and frames need not be aligned', async () => {
  const { server, url, packets } = await lab()
  const { socket, heard, closed } = await rawClient(url, ['mqtt'])
  for (const byte of encode(CONNECT, 4)) socket.send(Uint8Array.of(byte))
  await until(() => heard() === '20 02 00 00')
  const publish = encode({ type: 'publish', topic: 't', payload: 'hello' }, 4)
  socket.send(Uint8Array.from([0xc0, 0, 0xc0, 0, ...publish.subarray(0, 5)]))
  socket.send(new Uint8Array(0))
  socket.send(Uint8Array.from([...publish.subarray(5), ...publish, 0xc0, 0, 0xe0]))
  socket.send(Uint8Array.of(0))
  await closed
  await server.close()
  assert.is(heard(), '20 02 00 00 d0 00 d0 00 d0 00')
  assert.equal(packets.map((packet) => packet.type), ['publish', 'publish'])
})

test('MQTT-6.0.0-1: a text frame from the client closes the connection, with its cause', async () => {
  const { server, url, causes } = await lab()
  const { socket, closed } = await rawClient(url, ['mqtt'])
  socket.send(encode(CONNECT, 4))
  socket.send('hello')
  const { code, reason } = await closed
  assert.is(code, 1003)
  assert.match(reason!, 'MQTT-6.0.0-1')
  await server.close()
  assert.is(causes.length, 1)
  assert.match(causes[0]!.sentence, 'the peer sent a text frame')
})

test('MQTT-6.0.0-1: a text frame from the server too', async () => {
  let seen: WebSocketEvent = {}
  const server = await rawWebSocketServer({}, (socket) => {
    socket.addEventListener('close', (event) => { seen = event })
    socket.addEventListener('message', () => { socket.send('{"connack":true}') })
  })
  const error = await failure(connectWebSocket({ url: server.url, WebSocket: ws!.WebSocket })) as ConnectionClosed
  assert.is(error.cause.why, 'broken')
  assert.match(error.message, 'MQTT-6.0.0-1')
  await until(() => seen.code !== undefined)
  assert.is(seen.code, 1003)
  server.close()
})

test('MQTT-6.0.0-4: a server that answers with no subprotocol, or another, is refused by name', async () => {
  for (const answer of [false, 'mqttv3.1', 'chat']) {
    const server = await rawWebSocketServer({ handleProtocols: () => answer }, () => {})
    const error = await failure(connectWebSocket({ url: server.url, WebSocket: ws!.WebSocket }))
    assert.equal([error.name, error.code], ['TransportError', 'ERR_SUBPROTOCOL'], String(answer))
    assert.match(error.message, /offered the subprotocol mqtt.*MQTT-6\.0\.0-4/)
    server.close()
  }
})

test('MQTT-6.0.0-3, MQTT-6.0.0-4: mqtt is offered and answered, mqttv3.1 by version 3, and mqtt is taken first', async () => {
  const { server, url, subprotocols } = await lab()
  for (const version of [5, 4, 3] as const) await (await connectWebSocket({ url, WebSocket: ws!.WebSocket, connect: { version, clientId: 'a' } })).disconnect()
  for (const offers of [['chat', 'mqttv3.1', 'mqtt'], ['chat', 'mqttv3.1']]) {
    const { socket, closed } = await rawClient(url, offers)
    assert.is(socket.protocol, offers.includes('mqtt') ? 'mqtt' : 'mqttv3.1')
    socket.terminate!()
    await closed
  }
  await server.close()
  assert.equal(subprotocols, ['mqtt', 'mqtt', 'mqttv3.1', 'mqtt', 'mqttv3.1'])
})

test('MQTT-6.0.0-3: a client that does not offer mqtt gets a 400, and the server is told', async () => {
  const { server, url, refused, peers } = await lab()
  for (const offers of [[], ['chat']]) {
    const error = await failure(rawClient(url, offers).catch((event: { message: string }) => { throw new Error(event.message) }))
    assert.match(error.message, '400')
  }
  assert.equal(refused.map(({ message }) => /\[MQTT-6\.0\.0-3\]$/.test(message)), [true, true])
  await server.close()
  assert.is(peers.length, 0)
})

test('acceptWebSocket: one that was accepted without an MQTT subprotocol ends, with its cause', async () => {
  const record = newRecord()
  const server = await rawWebSocketServer({}, (socket) => { recording(record)(new Peer(acceptWebSocket(socket))) })
  const { closed } = await rawClient(server.url, ['chat'])
  assert.is((await closed).code, 1002)
  server.close()
  assert.match(record.causes[0]!.sentence, 'MQTT-6.0.0-3')
})

test('handleUpgrade: beside other uses of one HTTP server', async () => {
  const record = newRecord()
  const webSocketServer = new ws!.WebSocketServer({ noServer: true })
  const server = createServer((_request, response) => { response.end('a page') })
  server.on('upgrade', (request, socket, head) => { handleUpgrade(webSocketServer, request, socket, head, (duplex) => { recording(record)(new Peer(duplex)) }) })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  const client = await connectWebSocket({ url: `ws://127.0.0.1:${port}/any/path`, WebSocket: ws!.WebSocket })
  await client.disconnect()
  await until(() => record.causes.length === 1)
  assert.is(record.causes[0]!.why, 'disconnect')

  // One that is refused and keeps its side open is not waited for.
  const stubborn = openSocket({ port, host: '127.0.0.1', allowHalfOpen: true })
  stubborn.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  let answer = ''
  stubborn.on('data', (chunk) => { answer += String(chunk) })
  await new Promise((resolve) => { stubborn.once('end', resolve) })
  assert.match(answer, /^HTTP\/1\.1 400 [^]*offer the WebSocket subprotocol mqtt/)
  await new Promise((resolve) => { server.close(resolve) })
  assert.is(stubborn.writable, true)
  stubborn.destroy()
})

test('a request that is no upgrade is told what this is, and does not hold up closing', async () => {
  const { server } = await lab()
  const status = await new Promise((resolve) => { httpRequest({ port: server.port, host: '127.0.0.1' }, (response) => { resolve(response.statusCode); response.resume() }).end() })
  assert.is(status, 426)
  const idle = httpRequest({ port: server.port, host: '127.0.0.1', headers: { expect: 'nothing' } })
  idle.on('error', () => {})
  idle.flushHeaders()
  await sleep(20)
  const begun = performance.now()
  await server.close()
  assert.ok(performance.now() - begun < 1_000)
})

test('what is no WebSocket server: the status is told, with a hint; a query and a password are not', async () => {
  const server = createServer((_request, response) => { response.end('a page') })
  server.on('upgrade', (_request, socket) => { socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n') })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const error = await failure(connectWebSocket({ url: `ws://hans:secret@127.0.0.1:${(server.address() as AddressInfo).port}/x?signature=secret`, WebSocket: ws!.WebSocket }))
  assert.is(error.code, 'ERR_WEBSOCKET_HANDSHAKE')
  assert.match(error.message, /\/x: .*200.*\/mqtt or \/ws/)
  assert.not.match(error.message, 'secret')
  server.closeAllConnections()
  server.close()

  const mqtt = await rawServer((socket) => { socket.end(Uint8Array.of(0x20, 2, 0, 1)) })
  assert.match((await failure(connectWebSocket({ url: `ws://127.0.0.1:${mqtt.port}`, WebSocket: ws!.WebSocket }))).message, 'no WebSocket to ws://127.0.0.1')
  mqtt.close()
})

test('a connection that breaks, and one that is closed with a code, say so', async () => {
  for (const [end, says] of [[(socket: WebSocketLike) => { socket.terminate!() }, /without a closing handshake/], [(socket: WebSocketLike) => { socket.close(1011, 'no memory') }, /closed with 1011: no memory/]] as const) {
    const server = await rawWebSocketServer({}, (socket) => { socket.addEventListener('message', () => { end(socket) }) })
    assert.match((await failure(connectWebSocket({ url: server.url, WebSocket: ws!.WebSocket }))).message, says)
    server.close()
  }
})

test('a server that does not read its ws really stops the socket', async () => {
  let raw: Socket | undefined
  let duplexes = 0
  const server = await rawWebSocketServer({}, (socket) => {
    raw = (socket as unknown as { readonly _socket: Socket })._socket
    const duplex = acceptWebSocket(socket)
    duplex.onData = () => { duplexes++; duplex.pause() }
  })
  const { socket } = await rawClient(server.url, ['mqtt'])
  for (let i = 0; i < 200; i++) socket.send(new Uint8Array(200_000))
  await sleep(200)
  const read = raw!.bytesRead
  assert.ok(read < 2 * MEGABYTE, `${read} of 40 MB`)
  await sleep(100)
  assert.is(raw!.bytesRead, read)
  assert.is(duplexes, 1)
  socket.terminate!()
  server.close()
})

always.run()
