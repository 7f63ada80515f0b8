import { spawnSync } from 'node:child_process'
import dns from 'node:dns'
import { existsSync } from 'node:fs'
import { connect as openSocket, Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, fromHex } from '../../src/codec/index.ts'
import type { UsageError } from '../../src/codec/index.ts'
import { connectTcp, ConnectionClosed, listenTcp } from '../../src/transport/tcp.ts'
import type { ListenTcpOptions, Peer, TcpServer } from '../../src/transport/tcp.ts'
import { adapterTests } from '../helpers/adapter.ts'
import { ADAPTERS, socketPath } from '../helpers/adapters.ts'
import { failure, newRecord, rawServer, recording, until } from '../helpers/network.ts'
import type { Record } from '../helpers/network.ts'

async function lab(options: ListenTcpOptions = {}, onConnect?: (peer: Peer) => void | Promise<void>): Promise<Record & { readonly server: TcpServer }> {
  const record = newRecord()
  return { ...record, server: await listenTcp({ ...('path' in options ? {} : { port: 0 }), ...options }, recording(record, onConnect)) }
}

for (const version of [3, 4, 5] as const) {
  test(`version ${version}: connect, ping, publish, disconnect`, async () => {
    const { server, causes, packets } = await lab()
    const client = await connectTcp({ port: server.port, connect: { version, clientId: 'kitchen', will: { topic: 'gone', payload: 'x' } } })
    assert.is(client.clientId, 'kitchen')
    await client.ping()
    await client.send({ type: 'publish', topic: 't', payload: 'hello' })
    const cause = await client.disconnect()
    assert.equal([cause.by, cause.why], ['client', 'disconnect'])
    await server.close()
    assert.is(packets.length, 1)
    assert.equal([causes.length, causes[0]!.by, causes[0]!.will], [1, 'client', undefined])
  })
}

test('listens on loopback unless told otherwise', async () => {
  const { server } = await lab()
  assert.is(server.host, '127.0.0.1')
  await server.close()
})

test('MQTT-3.1.3-7: an empty Client Identifier of 5.0 is assigned one, and both ends use it', async () => {
  const { server, peers } = await lab()
  const client = await connectTcp({ port: server.port })
  assert.match(client.clientId, /^auto-/)
  assert.is(peers[0]!.clientId, client.clientId)
  assert.is(client.connack.properties?.maximumPacketSize, 1_048_576)
  await client.disconnect()
  await server.close()
})

test('a refusal rejects with its cause, in the words of each version', async () => {
  const { server } = await lab({}, (peer) => peer.refuse(0x87, { reasonString: 'not on Mondays' }))
  const five = await failure(connectTcp({ port: server.port })) as ConnectionClosed
  assert.equal([five.name, five.cause.why, five.cause.reasonCode, five.cause.reasonString], ['ConnectionClosed', 'refused', 0x87, 'not on Mondays'])
  const four = await failure(connectTcp({ port: server.port, connect: { version: 4, clientId: 'a' } })) as ConnectionClosed
  assert.equal([four.cause.reasonCode, four.cause.by], [5, 'server'])
  assert.match(four.message, /not authorized/)
  await server.close()
})

test('a server application without onConnect refuses', async () => {
  const server = await listenTcp({ port: 0 }, () => {})
  const error = await failure(connectTcp({ port: server.port })) as ConnectionClosed
  assert.is(error.cause.reasonCode, 0x88)
  await server.close()
})

test('an answer that the standard forbids drops the connection, and says so', async () => {
  const errors: (Error | undefined)[] = []
  const server = await listenTcp({ port: 0 }, (peer) => {
    peer.onConnect = () => { void peer.accept({ sessionPresent: true }) }
    peer.onClose = (_cause, error) => { errors.push(error) }
  })
  const error = await failure(connectTcp({ port: server.port })) as ConnectionClosed
  assert.is(error.cause.why, 'ended')
  assert.is(errors[0]?.name, 'UsageError')
  await server.close()
})

test('a CONNECT that the standard forbids is refused before anything is sent', async () => {
  const { server, peers } = await lab()
  const error = await failure(connectTcp({ port: server.port, connect: { version: 4, clientId: '', cleanStart: false } }))
  assert.is(error.name, 'UsageError')
  await server.close()
  assert.is(peers.every(({ connect }) => connect === undefined), true)
})

test('takeover: the older connection is told in 5.0, its Will is due', async () => {
  const sessions = new Map<string, Peer>()
  const { server, causes } = await lab({}, async (peer) => {
    const older = sessions.get(peer.clientId)
    sessions.set(peer.clientId, peer)
    await older?.disconnect(0x8e)
    await peer.accept()
  })
  const options = { port: server.port, connect: { clientId: 'twin', will: { topic: 'gone', payload: 'x' } } } as const
  const first = await connectTcp(options)
  const second = await connectTcp(options)
  assert.equal([(await first.closed).why, (await first.closed).reasonCode], ['taken-over', 0x8e])
  assert.equal([causes[0]!.why, causes[0]!.will?.topic], ['taken-over', 'gone'])
  await second.ping()
  await second.disconnect()
  await server.close()
})

test('an aborted signal ends the attempt at any point, with its reason', async () => {
  const silent = await rawServer(() => {})
  for (const ms of [0, 50]) {
    const error = await failure(connectTcp({ port: silent.port, signal: ms === 0 ? AbortSignal.abort(new Error('changed my mind')) : AbortSignal.timeout(ms) }))
    assert.ok(error.message === 'changed my mind' || error.name === 'TimeoutError', String(error))
  }
  silent.close()
})

test('nothing listens: the socket error comes through', async () => {
  const { server } = await lab()
  await server.close()
  const error = await failure(connectTcp({ port: server.port })) as NodeJS.ErrnoException
  assert.is(error.code, 'ECONNREFUSED')
})

test('3.2.2-1: a server that never answers is given up after the CONNACK timeout', async () => {
  const silent = await rawServer(() => {})
  const error = await failure(connectTcp({ port: silent.port, limits: { connackTimeout: 100 } })) as ConnectionClosed
  assert.is(error.cause.why, 'connack-timeout')
  silent.close()
})

test('a bare end, as brokers refuse, is told as one', async () => {
  const server = await rawServer((socket) => { socket.end() })
  const error = await failure(connectTcp({ port: server.port })) as ConnectionClosed
  assert.equal([error.cause.why, error.cause.by], ['ended', 'server'])
  assert.match(error.message, /without a CONNACK/)
  server.close()
})

test('a 3.1.1 CONNACK in answer to a 5.0 CONNECT: this server does not speak 5.0', async () => {
  const server = await rawServer((socket) => { socket.end(fromHex('20 02 00 01')) })
  const error = await failure(connectTcp({ port: server.port }))
  assert.match(error.message, /3\.1\.1/)
  server.close()
})

test('a port that speaks HTTP is named', async () => {
  const server = createHttpServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const error = await failure(connectTcp({ port: (server.address() as AddressInfo).port, limits: { connackTimeout: 3000 } }))
  assert.match(error.message, /HTTP/)
  server.closeAllConnections()
  server.close()
})

test('a client that half-closes at once gets its answers all the same', async () => {
  const { server, packets } = await lab({}, async (peer) => {
    await sleep(20)
    await peer.accept()
  })
  const socket = openSocket({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => { chunks.push(chunk) })
  socket.end(Uint8Array.from([...encode({ type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 0 }, 4), 0xc0, 0, ...encode({ type: 'publish', topic: 't', payload: '1' }, 4)]))
  await new Promise((resolve) => { socket.once('close', resolve) })
  assert.is(Buffer.concat(chunks).toString('hex'), '20020000d000')
  assert.is(packets.length, 1)
  await server.close()
})

test('a reset socket ends its connection and nothing else', async () => {
  const { server, causes } = await lab()
  const bad = openSocket({ port: server.port, host: '127.0.0.1' })
  await new Promise((resolve) => { bad.once('connect', resolve) })
  const good = await connectTcp({ port: server.port })
  bad.resetAndDestroy()
  await sleep(50)
  assert.is(causes.length, 1)
  await good.ping()
  await good.disconnect()
  await server.close()
})

test('closing the server disconnects everybody with 0x8b', async () => {
  const { server } = await lab()
  const client = await connectTcp({ port: server.port })
  const old = await connectTcp({ port: server.port, connect: { version: 4, clientId: 'old' } })
  const nobody = openSocket({ port: server.port, host: '127.0.0.1' })
  await new Promise((resolve) => { nobody.once('connect', resolve) })
  nobody.on('error', () => {})
  await server.close()
  assert.is((await client.closed).reasonCode, 0x8b)
  assert.is((await old.closed).why, 'ended')
  assert.is(server.peers.size, 0)
})

test('`await using` disconnects', async () => {
  const { server, causes } = await lab()
  const client = await connectTcp({ port: server.port })
  await client[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  assert.is(causes[0]!.why, 'disconnect')
})

test('back-pressure over real sockets: a slow handler lets no more than a few buffers in', async () => {
  let release = (): void => {}
  const { server, peers } = await lab()
  const client = await connectTcp({ port: server.port })
  let seen = 0
  peers[0]!.onPacket = () => {
    seen++
    return new Promise<void>((resolve) => { release = resolve })
  }
  const payload = new Uint8Array(500_000)
  let sent = 0
  const sending = (async () => {
    for (let i = 0; i < 60; i++) {
      await client.send({ type: 'publish', topic: 't', payload })
      sent++
    }
  })()
  await sleep(300)
  assert.is(seen, 1)
  assert.ok(sent < 60, `30 MB must not all be taken: ${sent}`)
  peers[0]!.onPacket = () => { seen++ }
  release()
  await sending
  await client.disconnect()
  await server.close()
  assert.is(seen, 60)
})

adapterTests(test, ADAPTERS.tcp)
adapterTests(test, ADAPTERS.unix)

test('a Unix socket has a path and nothing else; the server tells it, and removes it', async () => {
  const { path, remove } = socketPath()
  const { server } = await lab({ path })
  assert.equal([server.host, server.port, server.path, existsSync(path)], ['', 0, path, true])
  for (const wrong of [{ path, port: 1883 }, { path, host: 'localhost' }]) {
    for (const error of [await failure(connectTcp(wrong)), await failure(listenTcp(wrong, () => {}))]) {
      assert.equal([error.name, (error as UsageError).path], ['UsageError', 'path'])
    }
  }
  await server.close()
  assert.is(existsSync(path), false)
  remove()
})

test('a Unix socket that nobody listens on, one that somebody else listens on, and no file at all: each says what it is', async () => {
  const { path, remove } = socketPath()
  const missing = await failure(connectTcp({ path }))
  assert.equal([missing.name, missing.code], ['TransportError', 'ENOENT'])
  assert.match(missing.message, `${path}: there is no such socket file`)

  // A process that is killed leaves its file behind.
  const child = spawnSync(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => { process.kill(process.pid, 'SIGKILL') })`])
  assert.equal([child.signal, existsSync(path)], ['SIGKILL', true])
  const stale = await failure(connectTcp({ path }))
  assert.is(stale.code, 'ECONNREFUSED')
  assert.match(stale.message, 'nobody listens on it any more')
  const taken = await failure(lab({ path }))
  assert.is(taken.code, 'EADDRINUSE')
  assert.match(taken.message, 'one has ended without removing it: remove it and try again')
  assert.is(existsSync(path), true)

  const long = await failure(connectTcp({ path: path.padEnd(108, 'x') }))
  assert.is(long.name, 'UsageError')
  assert.match(long.message, /may have \d+ bytes here, and this one has 108/)
  remove()
})

test('a port that is taken: the error of listen comes through', async () => {
  const { server } = await lab()
  assert.is((await failure(listenTcp({ port: server.port }, () => {}))).code, 'EADDRINUSE')
  await server.close()
})

test('an error of a server that listens is that of one connection: the process lives, and is told', async () => {
  const { listen } = Server.prototype
  let inner: Server | undefined
  Server.prototype.listen = function listenAndNote(this: Server, ...args: unknown[]): Server {
    inner = this
    return listen.apply(this, args as never)
  } as never
  const refused: Error[] = []
  const { server } = await lab({ onRefused: (error) => { refused.push(error) } }).finally(() => { Server.prototype.listen = listen })
  inner!.emit('error', new Error('accept EMFILE'))
  assert.is(refused[0]?.message, 'accept EMFILE')
  await (await connectTcp({ port: server.port })).disconnect()
  await server.close()
})

/** Makes `localhost` mean these addresses, in this order, as it does on one machine or another. */
async function withLocalhost<Result>(addresses: readonly string[], what: () => Promise<Result>): Promise<Result> {
  const { lookup } = dns
  dns.lookup = ((_name: string, options: { readonly all?: boolean }, callback: (error: null, ...found: unknown[]) => void) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all === true) callback(null, found)
    else callback(null, found[0]!.address, found[0]!.family)
  }) as never
  try {
    return await what()
  } finally {
    dns.lookup = lookup
  }
}

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))
if (!hasIPv6) console.log('there is no ::1 here: brokers on it are skipped')

for (const addresses of [['::1', '127.0.0.1'], ['127.0.0.1', '::1']]) {
  for (const host of hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
    test(`localhost, which is ${addresses.join(' and ')}, reaches a broker that is on ${host} only`, async () => {
      const { server } = await lab({ host })
      await withLocalhost(addresses, async () => (await connectTcp({ host: 'localhost', port: server.port })).disconnect())
      await server.close()
    })
  }

  test(`localhost, which is ${addresses.join(' and ')}, and nobody on either: each address is told`, async () => {
    const { server } = await lab()
    await server.close()
    const error = await withLocalhost(addresses, () => failure(connectTcp({ host: 'localhost', port: server.port })))
    assert.equal([error.name, error.code], ['TransportError', 'ECONNREFUSED'])
    for (const address of addresses) assert.match(error.message, `${address}:${server.port}`)
  })
}

test('connections beyond maximumConnections are closed at once', async () => {
  const { server, peers } = await lab({ maximumConnections: 1 })
  const client = await connectTcp({ port: server.port })
  assert.ok((await failure(connectTcp({ port: server.port }))) instanceof Error)
  assert.is(peers.length, 1)
  await client.ping()
  await client.disconnect()
  await server.close()
})

test('a server that closes while a Client waits for its CONNACK tells it', async () => {
  const { server, peers } = await lab({}, () => {})
  const attempt = failure(connectTcp({ port: server.port }))
  await until(() => peers[0]?.connect !== undefined)
  await server.close()
  assert.is((await attempt as ConnectionClosed).cause.reasonCode, 0x88)
})

test.run()
