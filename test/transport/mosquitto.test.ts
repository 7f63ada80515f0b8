// Against Debian's mosquitto, where it is installed: what `connack connect` met there. Skipped, and saying so, elsewhere.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { toHex } from '../../src/codec/index.ts'
import { newSession } from '../../src/fsm/index.ts'
import { connect as connectUrl } from '../../src/transport/connect.ts'
import { connectTcp } from '../../src/transport/tcp.ts'
import type { Client, ConnectionClosed } from '../../src/transport/tcp.ts'
import { connectTls } from '../../src/transport/tls.ts'
import { connectWebSocket } from '../../src/transport/websocket.ts'
import { pem, ws } from '../helpers/adapters.ts'
import { failure } from '../helpers/network.ts'

const PATH = `${process.env['PATH']}:/usr/sbin:/usr/local/sbin`
const installed = spawnSync('mosquitto', ['-h'], { env: { ...process.env, PATH } }).error === undefined
const proven = installed ? test : Object.assign(test.skip)
if (!installed) console.log('mosquitto is not installed: its tests are skipped (apt-get install mosquitto)')

const provenWithWs = ws === undefined ? test.skip : proven
if (ws === undefined) console.log('ws is not installed: mosquitto over WebSocket is skipped (npm run test:peers)')

async function pinged(opening: Promise<Client>): Promise<void> {
  const client = await opening
  await client.ping()
  assert.is((await client.disconnect()).why, 'disconnect')
}

let broker: ChildProcess | undefined
let folder = ''
let open = 0
let guarded = 0
let web = 0
let secure = 0
let mutual = 0

function certificate(name: string): string {
  return fileURLToPath(new URL(`../helpers/tls/${name}.pem`, import.meta.url))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

test.before(async () => {
  if (!installed) return
  folder = mkdtempSync(join(tmpdir(), 'connack-mosquitto-'))
  open = await freePort()
  guarded = await freePort()
  web = await freePort()
  secure = await freePort()
  mutual = await freePort()
  // Started as root it would switch user and could not read its password file.
  writeFileSync(join(folder, 'mosquitto.conf'), `per_listener_settings true
user root
persistence false
log_dest none
listener ${open} 127.0.0.1
allow_anonymous true
listener ${guarded} 127.0.0.1
allow_anonymous false
password_file ${join(folder, 'passwd')}
# Without socket_domain a websockets listener ignores its address and binds every interface.
listener ${web} 127.0.0.1
protocol websockets
socket_domain ipv4
allow_anonymous true
listener ${secure} 127.0.0.1
allow_anonymous true
certfile ${certificate('server')}
keyfile ${certificate('server.key')}
listener ${mutual} 127.0.0.1
allow_anonymous true
certfile ${certificate('server')}
keyfile ${certificate('server.key')}
cafile ${certificate('ca')}
require_certificate true
listener 0 ${join(folder, 'mosq.sock')}
allow_anonymous true
`)
  const made = spawnSync('mosquitto_passwd', ['-b', '-c', join(folder, 'passwd'), 'hans', 'letmein'], { env: { ...process.env, PATH } })
  assert.is(made.status, 0)
  broker = spawn('mosquitto', ['-c', join(folder, 'mosquitto.conf')], { env: { ...process.env, PATH }, stdio: 'ignore' })
  for (let i = 0; i < 50; i++) {
    try {
      const client = await connectTcp({ port: open })
      await client.disconnect()
      return
    } catch {
      await sleep(100)
    }
  }
  throw new Error('mosquitto did not start')
})

test.after(() => {
  broker?.kill()
  if (folder !== '') rmSync(folder, { recursive: true })
})

for (const version of [3, 4, 5] as const) {
  proven(`mosquitto, version ${version}: connect, ping, disconnect`, async () => {
    const client = await connectTcp({ port: open, connect: { version, clientId: `connack-${version}` } })
    await client.ping()
    const cause = await client.disconnect()
    assert.equal([cause.by, cause.why], ['client', 'disconnect'])
  })

  proven(`mosquitto, version ${version}: a wrong password is refused, with 5 (3.x) or 0x87 (5.0)`, async () => {
    const connect = { version, clientId: 'connack', username: 'hans', password: 'wrong' } as const
    const error = await connectTcp({ port: guarded, connect }).then(() => { throw new Error('accepted') }, (e: ConnectionClosed) => e)
    assert.equal([error.cause?.why, error.cause?.reasonCode], ['refused', version === 5 ? 0x87 : 5])
  })
}

proven('mosquitto, 5.0: its CONNACK is the one interop.md records', async () => {
  const received: string[] = []
  const client = await connectTcp({ port: open, connect: { clientId: 'connack' }, trace: (record) => { if (record.received !== undefined) received.push(toHex(record.received)) } })
  await client.disconnect()
  assert.is(received[0], '20 09 00 00 06 22 00 0a 21 00 14')
})

proven('mosquitto, 5.0: an empty Client Identifier is assigned one', async () => {
  const client = await connectTcp({ port: open })
  assert.ok(client.clientId.length > 0)
  await client.disconnect()
})

proven('mosquitto, 3.1.1: a session is kept, and Session Present says so', async () => {
  const connect = { version: 4, clientId: 'connack-session', cleanStart: false } as const
  const first = await connectTcp({ port: open, connect })
  assert.is(first.connack.sessionPresent, false)
  await first.disconnect()
  const second = await connectTcp({ port: open, connect, session: newSession('connack-session') })
  assert.is(second.connack.sessionPresent, true)
  await second.disconnect()
})

for (const version of [3, 4, 5] as const) {
  const connect = { version, clientId: `connack-${version}` } as const

  provenWithWs(`mosquitto, version ${version}, over WebSocket: connect, ping, disconnect`, async () => {
    await pinged(connectWebSocket({ url: `ws://127.0.0.1:${web}/mqtt`, WebSocket: ws!.WebSocket, connect }))
  })

  proven(`mosquitto, version ${version}, over TLS: connect, ping, disconnect`, async () => {
    await pinged(connectTls({ port: secure, tls: { ca: pem('ca') }, connect }))
  })

  proven(`mosquitto, version ${version}, over a Unix socket: connect, ping, disconnect`, async () => {
    await pinged(connectTcp({ path: join(folder, 'mosq.sock'), connect }))
  })
}

proven('mosquitto, by URL', async () => {
  await pinged(connectUrl(`mqtt://localhost:${open}`))
  await pinged(connectUrl(`mqtts://localhost:${secure}`, { tls: { ca: pem('ca') } }))
  await pinged(connectUrl(`unix:${join(folder, 'mosq.sock')}`))
})

proven('mosquitto wants a client certificate: with one, with none, and with one of a stranger', async () => {
  await pinged(connectTls({ port: mutual, tls: { ca: pem('ca'), cert: pem('client'), key: pem('client.key') } }))
  const none = await failure(connectTls({ port: mutual, tls: { ca: pem('ca') } }))
  assert.match(none.message, /the server wants a certificate from its clients/)
  const stranger = await failure(connectTls({ port: mutual, tls: { ca: pem('ca'), cert: pem('stranger'), key: pem('stranger.key') } }))
  assert.match(stranger.message, /does not trust the certificate of this client/)
})

proven('mosquitto: TLS on its plain port, and a plain CONNECT on its TLS port', async () => {
  const tls = await failure(connectTls({ port: open, tls: { ca: pem('ca') } }))
  assert.match(tls.message, /speak TLS/)
  const plain = await failure(connectTcp({ port: secure }))
  // Its alert is overtaken by a reset now and then.
  assert.match(plain.message, /TLS|without a CONNACK|ECONNRESET/)
})

provenWithWs('mosquitto: a WebSocket on its plain port, MQTT on its WebSocket port, and a subprotocol it does not know', async () => {
  const error = await failure(connectWebSocket({ url: `ws://127.0.0.1:${open}`, WebSocket: ws!.WebSocket }))
  assert.match(error.message, /no WebSocket to/)
  const plain = await failure(connectTcp({ port: web }))
  assert.match(plain.message, /HTTP|without a CONNACK/)
})

// Debian's 2.0.11 takes 4 KiB in 100 ms from a WebSocket, whoever sends them: 26 s for 1 MiB.
provenWithWs('mosquitto over WebSocket: 20,000 bytes there and back', async () => {
  const client = await connectWebSocket({ url: `ws://127.0.0.1:${web}`, WebSocket: ws!.WebSocket })
  const back = new Promise<Uint8Array>((resolve) => { client.onPacket = (packet) => { if (packet.type === 'publish') resolve(packet.payload.slice()) } })
  await client.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'big', qos: 0 }] })
  const payload = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251)
  await client.send({ type: 'publish', topic: 'big', payload })
  assert.equal(Buffer.compare(await back, payload), 0)
  await client.disconnect()
})

test.run()
