// `connack connect` over every scheme there is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NodeWebSocket } from '../../src/cli/websocket.ts'
import { connectWebSocket } from '../../src/transport/websocket.ts'
import { listenTcp } from '../../src/transport/tcp.ts'
import type { Peer } from '../../src/transport/tcp.ts'
import { listenTls } from '../../src/transport/tls.ts'
import { listenWebSocket } from '../../src/transport/websocket-server.ts'
import { ws } from '../helpers/adapters.ts'
import { failure, until } from '../helpers/network.ts'
import { identity } from './certificate.ts'
import { run, serve } from './helpers.ts'

const folder = mkdtempSync(join(tmpdir(), 'connack-'))
test.after(() => { rmSync(folder, { recursive: true }) })
const own = identity()
const cafile = join(folder, 'ca.pem')
writeFileSync(cafile, own.cert)

const names: (string | undefined)[] = []
const accepting = (peer: Peer): void => {
  peer.onConnect = ({ username, password }) => {
    names.push(`${username} ${new TextDecoder().decode(password)}`)
    return peer.accept()
  }
}

async function connects(url: string, ...args: string[]): Promise<void> {
  names.length = 0
  for (const version of ['3', '4', '5']) {
    const { status, out } = await run(['connect', url, '-i', 'me', '-V', version, ...args])
    assert.is(status, 0, out)
    assert.match(out, /Connected with MQTT .* as "me", pinged and disconnected\. The Client disconnected/)
    assert.match(out, /PINGRESP/)
    assert.not.match(out, /geheim/)
  }
}

test('mqtts: with the certificate of an authority, insecure, and neither', async () => {
  const server = await listenTls({ port: 0, tls: { cert: own.cert, key: own.key } }, accepting)
  await connects(`mqtts://hans:ge%68eim@localhost:${server.port}`, '--cafile', cafile)
  assert.equal(names, Array.from({ length: 3 }, () => 'hans geheim'))
  await connects(`mqtts://localhost:${server.port}`, '--insecure', '-u', 'eva', '-P', 'geheim')
  assert.is(names[0], 'eva geheim')
  const { status, out } = await run(['connect', `mqtts://localhost:${server.port}`])
  assert.is(status, 7)
  assert.match(out, /No connection to mqtts:\/\/localhost:\d+: .*nobody whom this machine trusts/)
  await server.close()
})

test('mqtts: a client certificate, and a protocol by ALPN', async () => {
  const mine = identity({ name: 'client' })
  const [cert, key] = [join(folder, 'client.pem'), join(folder, 'client.key')]
  writeFileSync(cert, mine.cert)
  writeFileSync(key, mine.key)
  const protocols: unknown[] = []
  const server = await listenTls({ port: 0, tls: { cert: own.cert, key: own.key, ca: mine.cert, requestCert: true, ALPNCallback: ({ protocols: [first] }) => (protocols.push(first), first) } }, accepting)
  await connects(`mqtts://localhost:${server.port}`, '--cafile', cafile, '--cert', cert, '--key', key, '--tls-alpn', 'x-amzn-mqtt-ca')
  assert.is(protocols[0], 'x-amzn-mqtt-ca')
  assert.is((await run(['connect', `mqtts://localhost:${server.port}`, '--cafile', cafile])).status, 7)
  await server.close()
})

test('a Unix socket', async () => {
  const path = join(folder, 'mqtt.sock')
  const server = await listenTcp({ path }, accepting)
  await connects(`unix:${path}`, '-u', 'hans', '-P', 'geheim')
  assert.is(names[0], 'hans geheim')
  await server.close()
  assert.is((await run(['connect', `unix:${path}`])).status, 7)
  const nowhere = await run(['connect', 'unix:'])
  assert.is(nowhere.status, 2)
  assert.match(nowhere.err, /path of a socket/)
})

const overWebSocket = ws === undefined ? test.skip : test
if (ws === undefined) console.log('ws is not installed: connect over WebSocket is skipped (npm run test:peers)')

overWebSocket('ws and wss', async () => {
  const webSocketServer = (): never => new ws!.WebSocketServer({ noServer: true }) as never
  const plain = await listenWebSocket({ port: 0, webSocketServer: webSocketServer() }, accepting)
  await connects(`ws://hans:geheim@127.0.0.1:${plain.port}/mqtt?x=1`)
  assert.is(names[0], 'hans geheim')
  await plain.close()
  const secure = await listenWebSocket({ port: 0, webSocketServer: webSocketServer(), tls: { cert: own.cert, key: own.key } }, accepting)
  await connects(`wss://localhost:${secure.port}/mqtt`, '--cafile', cafile)
  assert.is((await run(['connect', `wss://localhost:${secure.port}/mqtt`])).status, 7)
  await secure.close()
})

overWebSocket('our WebSocket client: large messages, and an end from either side', async () => {
  const peers: Peer[] = []
  let pongs = 0
  const server = await listenWebSocket({ port: 0, webSocketServer: new ws!.WebSocketServer({ noServer: true }) }, (peer, { webSocket }) => {
    const socket = webSocket as unknown as { ping(): void, once(event: 'pong', listener: () => void): void }
    socket.once('pong', () => { pongs++ })
    socket.ping()
    peers.push(peer)
    accepting(peer)
  })
  const open = () => connectWebSocket({ url: `ws://127.0.0.1:${server.port}/`, WebSocket: NodeWebSocket, connect: { version: 5 } })
  const client = await open()
  let size = 0
  peers[0]!.onPublish = ({ payload }) => { size = payload.length }
  await client.publish({ topic: 'a', payload: new Uint8Array(900_000), qos: 1 })
  assert.is(size, 900_000)
  await until(() => pongs === 1)
  await client.disconnect()
  const other = await open()
  await peers[1]!.disconnect()
  assert.equal((await other.closed).by, 'server')
  const third = await open()
  third.abort()
  await third.closed
  await server.close()
})

test('our WebSocket client: what is no upgrade is an error with a hint', async () => {
  for (const [answer, pattern] of [['HTTP/1.1 404 Not Found\r\n\r\n', /404; is it the path of MQTT/], ['HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n', /Sec-WebSocket-Accept/], ['no', /Parse Error/]] as const) {
    const server = await serve((socket) => { socket.once('data', () => { socket.end(answer) }) })
    assert.match((await failure(connectWebSocket({ url: `ws://127.0.0.1:${server.port}/`, WebSocket: NodeWebSocket }))).message, pattern)
    await server.close()
  }
})

test.run()
