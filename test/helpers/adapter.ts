// What every adapter owes, on real sockets: the same tests for all of them.
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Test } from 'uvu'
import type { Client, ClientOptions, ConnectionClosed, Peer } from '../../src/transport/index.ts'
import { failure, newRecord, recording, until } from './network.ts'

export interface Adapter {
  readonly name: string
  /** there is a handshake below MQTT, which a silent server leaves unfinished */
  readonly opens: boolean
  listen(onPeer: (peer: Peer) => void): Promise<Listening>
  /** accepts sockets and never says a byte; `open` counts those that the client has not dropped */
  listenSilently(): Promise<Listening & { open(): number }>
}

export interface Listening {
  connect(options?: ClientOptions & { readonly signal?: AbortSignal, readonly openTimeout?: number }): Promise<Client>
  close(): Promise<void>
}

export const MEGABYTE = 1_048_576

export function adapterTests(test: Test, adapter: Adapter): void {
  const { name, opens } = adapter

  for (const version of [3, 4, 5] as const) {
    test(`${name}, version ${version}: connect, ping, publish both ways, disconnect`, async () => {
      const record = newRecord()
      const server = await adapter.listen(recording(record))
      const client = await server.connect({ connect: { version, clientId: 'kitchen' } })
      const heard: string[] = []
      client.onPacket = (packet) => { heard.push(packet.type) }
      await client.ping()
      await client.send({ type: 'publish', topic: 't', payload: 'hello' })
      await record.peers[0]!.send({ type: 'publish', topic: 't', payload: 'hello' })
      await until(() => heard.length === 1)
      assert.equal([(await client.disconnect()).why, heard[0]], ['disconnect', 'publish'])
      await until(() => record.causes.length === 1)
      await server.close()
      assert.equal([record.causes[0]!.by, record.causes[0]!.why, record.packets.map(({ type }) => type)], ['client', 'disconnect', ['publish']])
    })
  }

  test(`${name}: a slow reader of 1 MiB packets: few are taken from the sender, memory stays within bounds, and all arrive whole`, async () => {
    const record = newRecord()
    const server = await adapter.listen(recording(record))
    const client = await server.connect({ maximumUnsent: 4 * MEGABYTE })
    const peer = record.peers[0]!
    let release = (): void => {}
    const seen: number[] = []
    peer.onPacket = (packet) => {
      if (packet.type === 'publish') seen.push(packet.payload.length === MEGABYTE - 100 && packet.payload.every((byte) => byte === packet.payload[0]) ? packet.payload[0]! : -1)
      return new Promise<void>((resolve) => { release = resolve })
    }
    const before = process.memoryUsage().arrayBuffers
    let sent = 0
    const sending = (async () => {
      for (let i = 0; i < 40; i++) {
        await client.send({ type: 'publish', topic: 't', payload: new Uint8Array(MEGABYTE - 100).fill(i) })
        sent++
      }
    })()
    await sleep(400)
    assert.equal(seen, [0])
    assert.ok(sent < 40, `40 MB must not all be taken: ${sent}`)
    // All of them, in our own three copies (payload, encoded, received), would be 120 MiB; garbage is in the number too.
    const taken = process.memoryUsage().arrayBuffers - before
    assert.ok(taken < 40 * MEGABYTE, `${taken} bytes for ${sent} packets`)
    peer.onPacket = (packet) => { if (packet.type === 'publish') seen.push(packet.payload[0]!) }
    release()
    await sending
    await client.disconnect()
    await server.close()
    assert.equal(seen, Array.from({ length: 40 }, (_, i) => i))
  })

  test(`${name}: closing the server disconnects everybody with 0x8b`, async () => {
    const server = await adapter.listen(recording(newRecord()))
    const clients = await Promise.all([server.connect(), server.connect()])
    await server.close()
    for (const client of clients) assert.is((await client.closed).reasonCode, 0x8b)
  })

  test(`${name}: a client that aborts ends its connection at the server too, without DISCONNECT`, async () => {
    const record = newRecord()
    const server = await adapter.listen(recording(record))
    const client = await server.connect({ connect: { will: { topic: 'gone', payload: 'x' } } })
    client.abort(new Error('enough'))
    assert.is((await client.closed).why, 'broken')
    await until(() => record.causes.length === 1)
    assert.is(record.causes[0]!.will?.topic, 'gone')
    assert.not.equal(record.causes[0]!.why, 'disconnect')
    await server.close()
  })

  test(`${name}: a server that aborts ends its connection at the client too`, async () => {
    const record = newRecord()
    const server = await adapter.listen(recording(record))
    const client = await server.connect()
    record.peers[0]!.abort()
    assert.ok(['ended', 'broken'].includes((await client.closed).why))
    await server.close()
  })

  test(`${name}: a signal aborts before anything is opened, while CONNACK is awaited, and no more once connected`, async () => {
    const record = newRecord()
    const patient = await adapter.listen(recording(record, () => {}))
    assert.is((await failure(patient.connect({ signal: AbortSignal.abort(new Error('changed my mind')) }))).message, 'changed my mind')
    assert.is(record.peers.length, 0)
    assert.is((await failure(patient.connect({ signal: AbortSignal.timeout(100) }))).name, 'TimeoutError')
    await patient.close()
    assert.is(record.causes.length, 1)

    const server = await adapter.listen(recording(newRecord()))
    const control = new AbortController()
    const client = await server.connect({ signal: control.signal })
    control.abort()
    await client.ping()
    await client.disconnect()
    await server.close()
  })

  if (opens) {
    test(`${name}: a handshake that hangs is given up after openTimeout, or when the signal says so`, async () => {
      const silent = await adapter.listenSilently()
      const late = await failure(silent.connect({ openTimeout: 100 }))
      assert.equal([late.name, late.code], ['TransportError', 'ERR_OPEN_TIMEOUT'])
      assert.match(late.message, /within 100 ms \(openTimeout\)/)
      assert.is((await failure(silent.connect({ signal: AbortSignal.timeout(50) }))).name, 'TimeoutError')
      await until(() => silent.open() === 0)
      await silent.close()
    })
  }

  test(`${name}: nobody listens`, async () => {
    const server = await adapter.listen(recording(newRecord()))
    await server.close()
    const error = await failure(server.connect())
    assert.ok(['ECONNREFUSED', 'ENOENT'].includes(error.code!), String(error))
  })

  test(`${name}: a server that says nothing is given up after the CONNACK timeout`, async () => {
    const patient = await adapter.listen(recording(newRecord(), () => {}))
    const error = await failure(patient.connect({ limits: { connackTimeout: 100 } })) as ConnectionClosed
    assert.is(error.cause.why, 'connack-timeout')
    await patient.close()
  })

  test(`${name}: the process ends by itself after end, abort and failed connect`, async () => {
    const child = spawn(process.execPath, ['--import', './scripts/load.js', './test/helpers/exit-child.ts', name], { cwd: fileURLToPath(new URL('../../', import.meta.url)), stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    let done = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text; if (said.includes('done')) done = performance.now() })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
    const guard = setTimeout(() => { child.kill('SIGKILL') }, 15_000)
    const status = await new Promise((resolve) => { child.once('close', resolve) })
    clearTimeout(guard)
    assert.equal([status, said.trim().split('\n')], [0, ['end', 'abort', 'failed connect', 'done']], said)
    assert.ok(performance.now() - done < 1_000, 'it took more than a second to end')
  })
}
