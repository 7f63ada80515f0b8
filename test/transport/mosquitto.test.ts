// Against Debian's mosquitto, where it is installed: what `connack connect` met there. Skipped, and saying so, elsewhere.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { toHex } from '../../src/codec/index.ts'
import { newSession } from '../../src/fsm/index.ts'
import { connectTcp } from '../../src/transport/tcp.ts'
import type { ConnectionClosed } from '../../src/transport/tcp.ts'

const PATH = `${process.env['PATH']}:/usr/sbin:/usr/local/sbin`
const installed = spawnSync('mosquitto', ['-h'], { env: { ...process.env, PATH } }).error === undefined
const proven = installed ? test : Object.assign(test.skip)
if (!installed) console.log('mosquitto is not installed: its tests are skipped (apt-get install mosquitto)')

let broker: ChildProcess | undefined
let folder = ''
let open = 0
let guarded = 0

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

test.run()
