// One URL for every way.
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { connect, credentialsOf, openUrl, reconnecting } from '../../src/transport/connect.ts'
import type { ConnectUrlOptions } from '../../src/transport/connect.ts'
import { listenTcp } from '../../src/transport/tcp.ts'
import { listenTls } from '../../src/transport/tls.ts'
import type { WebSocketConstructor } from '../../src/transport/websocket.ts'
import { listenWebSocket } from '../../src/transport/websocket-server.ts'
import { pem, socketPath, ws } from '../helpers/adapters.ts'
import { failure, newRecord, recording } from '../helpers/network.ts'

const tls = { cert: pem('server'), key: pem('server.key') }
const provenWithWs = ws === undefined ? test.skip : test
const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))
if (!hasIPv6) console.log('there is no ::1 here: IPv6 is skipped')

/** Connects, and tells the User Name and Password that the server has seen. */
async function seenBy(listen: (onPeer: (peer: Parameters<ReturnType<typeof recording>>[0]) => void) => Promise<{ readonly port: number, close(): Promise<void> }>, url: (port: number) => string, options?: ConnectUrlOptions): Promise<unknown> {
  const record = newRecord()
  const server = await listen(recording(record))
  const client = await connect(url(server.port), options)
  const { username, password } = record.peers[0]!.connect!
  await client.disconnect()
  await server.close()
  return [username, password === undefined ? undefined : Buffer.from(password).toString()]
}

test('mqtt: with user and password, percent-encoded, which options override', async () => {
  const url = (port: number): string => `mqtt://hans%40home:p%3Ass%2Fw%C3%B6rd@127.0.0.1:${port}`
  assert.equal(await seenBy((onPeer) => listenTcp({ port: 0 }, onPeer), url), ['hans@home', 'p:ss/wörd'])
  assert.equal(await seenBy((onPeer) => listenTcp({ port: 0 }, onPeer), url, { connect: { username: 'maria' } }), ['maria', 'p:ss/wörd'])
  assert.equal(await seenBy((onPeer) => listenTcp({ port: 0 }, onPeer), (port) => `mqtt://127.0.0.1:${port}/`), [undefined, undefined])
})

test('mqtts:', async () => {
  assert.equal(await seenBy((onPeer) => listenTls({ port: 0, tls }, onPeer), (port) => `mqtts://hans@localhost:${port}`, { tls: { ca: pem('ca') } }), ['hans', undefined])
})

provenWithWs('ws: and wss:, whose path and query go through, and user and password into CONNECT', async () => {
  const paths: (string | undefined)[] = []
  for (const scheme of ['ws', 'wss']) {
    const listen = (onPeer: Parameters<typeof listenTcp>[1]): ReturnType<typeof listenWebSocket> => listenWebSocket({ port: 0, webSocketServer: new ws!.WebSocketServer({ noServer: true }), ...(scheme === 'wss' ? { tls } : {}) }, (peer, { request }) => {
      paths.push(request.url, request.headers.authorization)
      onPeer(peer, request.socket)
    })
    const options = { WebSocket: ws!.WebSocket, socketOptions: { ca: pem('ca') } }
    assert.equal(await seenBy(listen as never, (port) => `${scheme}://hans:secret@127.0.0.1:${port}/mqtt?a=b`, options), ['hans', 'secret'])
  }
  assert.equal(paths, ['/mqtt?a=b', undefined, '/mqtt?a=b', undefined])
})

provenWithWs('ws: version 3 offers its own subprotocol', async () => {
  const offers: unknown[] = []
  const server = await listenWebSocket({ port: 0, webSocketServer: new ws!.WebSocketServer({ noServer: true }) }, (peer, { webSocket }) => {
    offers.push(webSocket.protocol)
    recording(newRecord())(peer)
  })
  for (const version of [3, 5] as const) await (await connect(`ws://127.0.0.1:${server.port}`, { WebSocket: ws!.WebSocket, connect: { version, clientId: 'a' } })).disconnect()
  await server.close()
  assert.equal(offers, ['mqttv3.1', 'mqtt'])
})

test('unix:, with one slash or three', async () => {
  const { path, remove } = socketPath()
  for (const prefix of ['unix:', 'unix://']) assert.equal(await seenBy((onPeer) => listenTcp({ path }, onPeer), () => prefix + path, { connect: { username: 'hans' } }), ['hans', undefined])
  remove()
})

if (hasIPv6) {
  test('an IPv6 address in brackets', async () => {
    assert.equal(await seenBy((onPeer) => listenTcp({ host: '::1', port: 0 }, onPeer), (port) => `mqtt://hans@[::1]:${port}`), ['hans', undefined])
  })
}

test('the ports that hold where the URL has none', async () => {
  const asked: unknown[] = []
  const { Socket } = await import('node:net')
  const { connect: original } = Socket.prototype
  Socket.prototype.connect = function connectTo(this: InstanceType<typeof Socket>, ...args: unknown[]): InstanceType<typeof Socket> {
    const [{ host, port }] = (Array.isArray(args[0]) ? args[0] : args) as [{ host: string, port: number | string }]
    asked.push([host, Number(port)])
    return this.destroy(new Error('seen'))
  } as never
  try {
    for (const url of ['mqtt://h.test', 'mqtts://h.test', 'mqtt://[::2]']) await failure(openUrl(url))
  } finally {
    Socket.prototype.connect = original
  }
  assert.equal(asked, [['h.test', 1883], ['h.test', 8883], ['::2', 1883]])
  // Of ws: and wss: the WebSocket knows it: 80 and 443 are what is left out of their URLs.
  const urls: string[] = []
  function Noting(url: string): never {
    urls.push(url)
    throw new Error('seen')
  }
  for (const url of ['ws://h.test:80', 'wss://hans:secret@h.test:443/mqtt', 'wss://h.test:80']) await failure(openUrl(url, { WebSocket: Noting as unknown as WebSocketConstructor }))
  assert.equal(urls, ['ws://h.test/', 'wss://h.test/mqtt', 'wss://h.test:80/'])
})

const WRONG: readonly [url: string, says: RegExp][] = [
  ['http://hans:secret@h', /the scheme http: is not known here; these are: mqtt: mqtts: ws: wss: unix:/],
  ['localhost:1883', /the scheme localhost: is not known/],
  ['mqtt://hans:secret@h:99999', /no URL/],
  ['127.0.0.1', /no URL/],
  ['mqtt:h:1883', /wants a host: mqtt:\/\/host:port/],
  ['mqtt:///tmp/secret', /wants a host/],
  ['mqtt://h/run/mqtt.sock', /\/run\/mqtt\.sock would be lost.*unix:\/path/],
  ['mqtts://h?token=secret', /neither a path nor a query/],
  ['unix://tmp/x', /path of a socket/],
  ['unix:', /path of a socket/],
  ['mqtt://h%zz', /percent-encoded/],
  ['mqtt://hans:secret%zz@h', /percent-encoded/],
]

for (const [url, says] of WRONG) {
  test(`${url} is refused, clearly and without the password`, async () => {
    const error = await failure(connect(url))
    assert.is(error.name, 'UsageError')
    assert.match(error.message, says)
    assert.not.match(`${error.stack} ${JSON.stringify(error)}`, /:secret|=secret/)
  })
}

test('openUrl and credentialsOf: the two halves of connect, for a program that connects again and again', async () => {
  const server = await listenTcp({ port: 0 }, recording(newRecord()))
  const url = new URL(`mqtt://hans:secret@127.0.0.1:${server.port}`)
  const duplex = await openUrl(url)
  duplex.close(true)
  assert.equal(credentialsOf(url), { username: 'hans', password: 'secret' })
  assert.equal(credentialsOf('mqtt://h'), {})
  await server.close()
})

test('an aborted signal: its reason, and nothing is loaded or opened', async () => {
  assert.is((await failure(connect('mqtt://127.0.0.1:1', { signal: AbortSignal.abort(new Error('changed my mind')) }))).message, 'changed my mind')
})

test('bundled, what one scheme needs is in a file of its own', async () => {
  const entry = fileURLToPath(new URL('../../src/transport/connect.ts', import.meta.url))
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, splitting: true, write: false, format: 'esm', platform: 'node', outdir: 'out', logLevel: 'silent' })
  const main = outputFiles.find(({ path }) => /connect\.js$/.test(path))!
  const loaded = [main.text, ...[...main.text.matchAll(/^} from "\.\/(.*)"|^import "\.\/(.*)"/gm)].map(([, a, b]) => outputFiles.find(({ path }) => path.endsWith((a ?? b)!))!.text)].join('\n')
  assert.match(loaded, 'import("./tls-')
  assert.not.match(loaded, /from "node:|function openTls|class WebSocketDuplex/)
})

test('a client that comes back, by URL: credentials of the URL, and a refusal of them ends it', async () => {
  const record = newRecord()
  const server = await listenTcp({ port: 0 }, recording(record))
  const client = reconnecting(`mqtt://u:p@127.0.0.1:${server.port}`, { connect: { clientId: 'kitchen' } })
  assert.is((await client.publish({ topic: 'a', payload: '1', qos: 1 }))?.type, 'puback')
  const { username, clientId } = record.peers[0]!.connect!
  assert.equal([username, clientId], ['u', 'kitchen'])
  await client.end()
  await server.close()
  const strict = await listenTcp({ port: 0 }, (peer) => { peer.onConnect = () => peer.refuse(0x86) })
  const reason = await reconnecting(`mqtt://u:p@127.0.0.1:${strict.port}`).closed
  assert.is(reason.name, 'ConnectionClosed')
  await strict.close()
  assert.match((await reconnecting('gopher://a').closed).message, /the scheme gopher: is not known here/)
  assert.throws(() => reconnecting('no url'), /this is no URL/)
})

test.run()
