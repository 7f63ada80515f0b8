import { connect as openSocket } from 'node:net'
import { connect as openTlsSocket } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, toHex } from '../../src/codec/index.ts'
import type { ConnectionClosed, Peer } from '../../src/transport/index.ts'
import { connectTcp, listenTcp } from '../../src/transport/tcp.ts'
import { connectTls, listenTls } from '../../src/transport/tls.ts'
import type { ListenTlsOptions } from '../../src/transport/tls.ts'
import type { Listener } from '../../src/transport/sockets.ts'
import { adapterTests } from '../helpers/adapter.ts'
import { ADAPTERS, pem, socketPath } from '../helpers/adapters.ts'
import { failure, newRecord, rawServer, recording, until } from '../helpers/network.ts'

const ca = pem('ca')
const identity = { cert: pem('server'), key: pem('server.key') }

async function lab(tls: ListenTlsOptions['tls'] = identity, onPeer: (peer: Peer, socket: TLSSocket) => void = recording(newRecord())): Promise<{ readonly server: Listener, readonly refused: Error[] }> {
  const refused: Error[] = []
  return { refused, server: await listenTls({ port: 0, tls, onRefused: (error) => { refused.push(error) } }, onPeer) }
}

adapterTests(test, ADAPTERS.tls)

const REFUSALS: readonly { readonly what: string, readonly code: string, readonly says: RegExp, readonly client?: object, readonly server?: object }[] = [
  { what: 'a CA that nobody has heard of', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', says: /tls\.ca/, client: { ca: undefined } },
  { what: 'the wrong CA', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', says: /tls\.ca/, client: { ca: pem('other-ca') } },
  { what: 'an expired certificate', code: 'CERT_HAS_EXPIRED', says: /has expired/, server: { cert: pem('expired'), key: pem('expired.key') } },
  { what: 'a certificate for other names', code: 'ERR_TLS_CERT_ALTNAME_INVALID', says: /tls\.servername/, client: { servername: 'example.org' } },
  { what: 'an ALPN protocol that the server does not know', code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', says: /tls\.ALPNProtocols/, client: { ALPNProtocols: ['x-amzn-mqtt-ca'] } },
  { what: 'no client certificate where one is wanted, TLS 1.2', code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', says: /tls\.cert and tls\.key/, server: { ca, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' } },
]

for (const { what, code, says, client, server: settings } of REFUSALS) {
  test(`${what}: its own code, and what to do`, async () => {
    const { server, refused } = await lab({ ...identity, ...settings })
    const error = await failure(connectTls({ port: server.port, tls: { ca, ...client } }))
    assert.equal([error.name, error.code], ['TransportError', code], error.message)
    assert.match(error.message, says)
    assert.match(error.message, `127.0.0.1:${server.port}`)
    assert.is((error.cause as { code?: string }).code, code)
    // The server hears of it at once, not when its handshake timeout is over.
    await until(() => refused.length === 1)
    await server.close()
  })
}

test('no client certificate where one is wanted, TLS 1.3: told after the handshake, and still named', async () => {
  const { server, refused } = await lab({ ...identity, ca, requestCert: true, rejectUnauthorized: true })
  for (let i = 0; i < 5; i++) {
    const error = await failure(connectTls({ port: server.port, tls: { ca } })) as ConnectionClosed
    assert.is(error.cause.why, 'broken')
    assert.match(error.message, /wants a certificate from its clients.*ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED/)
  }
  await until(() => refused.length === 5)
  await server.close()
})

test('a client certificate is there for the application to see; one of a stranger gets nowhere', async () => {
  const record = newRecord()
  const names: string[] = []
  const { server } = await lab({ ...identity, ca, requestCert: true, rejectUnauthorized: true }, (peer, socket) => {
    names.push(String(socket.getPeerCertificate().subject.CN))
    recording(record)(peer)
  })
  const client = await connectTls({ port: server.port, tls: { ca, cert: pem('client'), key: pem('client.key') } })
  await client.disconnect()
  await failure(connectTls({ port: server.port, tls: { ca, cert: pem('stranger'), key: pem('stranger.key') } }))
  await server.close()
  assert.equal([names, record.peers.length], [['kitchen'], 1])
})

test('ALPN is mqtt unless given; servername goes through untouched', async () => {
  const seen: unknown[] = []
  const note = (peer: Peer, socket: TLSSocket): void => {
    seen.push([socket.alpnProtocol, (socket as TLSSocket & { servername?: unknown }).servername])
    recording(newRecord())(peer)
  }
  const { server } = await lab({ ...identity, ALPNProtocols: ['x-amzn-mqtt-ca', 'mqtt'] }, note)
  for (const tls of [{ ca, servername: 'localhost' }, { ca, ALPNProtocols: ['x-amzn-mqtt-ca'] }, { ca, ALPNProtocols: [] }]) await (await connectTls({ port: server.port, tls })).disconnect()
  await server.close()
  assert.equal(seen, [['mqtt', 'localhost'], ['x-amzn-mqtt-ca', false], [false, false]])
})

test('a plain client on a TLS port gets no CONNACK, and the server is told why', async () => {
  const { server, refused } = await lab()
  const error = await failure(connectTcp({ port: server.port })) as ConnectionClosed
  assert.match(error.message, /without a CONNACK|TLS/)
  await until(() => refused.length === 1)
  assert.is((refused[0] as { code?: string }).code, 'ERR_SSL_WRONG_VERSION_NUMBER')
  await server.close()
})

test('a port that answers a plain CONNECT with a TLS alert is named', async () => {
  const server = await rawServer((socket) => { socket.end(Uint8Array.of(0x15, 3, 1, 0, 2, 2, 0x46)) })
  assert.match((await failure(connectTcp({ port: server.port }))).message, /TLS/)
  server.close()
})

test('a TLS client on a plain port: what answers there does not speak TLS', async () => {
  const record = newRecord()
  const server = await listenTcp({ port: 0 }, recording(record))
  const error = await failure(connectTls({ port: server.port, tls: { ca } }))
  assert.equal([error.name, error.code], ['TransportError', 'ECONNRESET'])
  assert.match(error.message, /may not speak TLS/)
  await until(() => record.causes.length === 1)
  assert.match(record.causes[0]!.sentence, /TLS/)
  await server.close()
  const web = await rawServer((socket) => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') })
  const other = await failure(connectTls({ port: web.port, tls: { ca } }))
  assert.match(other.code!, /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/)
  assert.match(other.message, /does not speak TLS/)
  web.close()
})

test('a bad PEM rejects and leaves no timer behind', async () => {
  const before = process.getActiveResourcesInfo()
  const error = await failure(connectTls({ port: 1, tls: { ca, cert: 'this is no PEM', key: 'nor this' } }))
  assert.match(error.message, /PEM|no start line/i)
  assert.equal(process.getActiveResourcesInfo(), before)
})

test('half-closed over TLS: answered all the same, then closed', async () => {
  const record = newRecord()
  const { server } = await lab(identity, recording(record, async (peer) => {
    await sleep(20)
    await peer.accept()
  }))
  const socket = openTlsSocket({ port: server.port, host: '127.0.0.1', ca, allowHalfOpen: true } as object)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => { chunks.push(chunk) })
  socket.end(Uint8Array.from([...encode({ type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 0 }, 4), 0xc0, 0]))
  await new Promise((resolve) => { socket.once('close', resolve) })
  assert.is(toHex(Buffer.concat(chunks)), '20 02 00 00 d0 00')
  await server.close()
})

test('a socket that never begins its handshake: bounded by handshakeTimeout, and no obstacle to closing the server', async () => {
  const { server, refused } = await lab({ ...identity, handshakeTimeout: 100 })
  const idle = openSocket(server.port, '127.0.0.1')
  await new Promise((resolve) => { idle.once('close', resolve) })
  assert.is((refused[0] as { code?: string }).code, 'ERR_TLS_HANDSHAKE_TIMEOUT')
  await server.close()

  const patient = await lab()
  const late = openSocket(patient.server.port, '127.0.0.1')
  late.on('error', () => {})
  await new Promise((resolve) => { late.once('connect', resolve) })
  await sleep(20)
  const begun = performance.now()
  await patient.server.close()
  assert.ok(performance.now() - begun < 1_000)
})

test('TLS over a Unix socket; a handshake that ends when the server is closing comes too late', async () => {
  const { path, remove } = socketPath()
  const record = newRecord()
  const server = await listenTls({ path, tls: identity }, recording(record))
  const late = openSocket(path)
  await new Promise((resolve) => { late.once('connect', resolve) })
  const client = await connectTls({ path, tls: { ca, servername: 'localhost' } })
  const closing = server.close()
  const socket = openTlsSocket({ socket: late, ca, servername: 'localhost' })
  socket.on('error', () => {})
  await new Promise((resolve) => { socket.once('close', resolve) })
  await closing
  assert.is((await client.closed).reasonCode, 0x8b)
  assert.is(record.peers.length, 1)
  remove()
})

test.run()
