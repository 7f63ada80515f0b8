// A fake of the browser's WebSocket, which can neither pause nor end at once. The real ones are in websocket-server.test.ts.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { toHex } from '../../src/codec/index.ts'
import { acceptWebSocket, chooseSubprotocol, connectWebSocket, openWebSocket } from '../../src/transport/websocket.ts'
import type { WebSocketConstructor, WebSocketEvent, WebSocketLike } from '../../src/transport/websocket.ts'
import { settle } from '../helpers/duplex.ts'
import { failure } from '../helpers/network.ts'

test('chooseSubprotocol', () => {
  assert.equal([['a', 'mqttv3.1', 'mqtt'], ['mqttv3.1'], ['MQTT'], []].map(chooseSubprotocol), ['mqtt', 'mqttv3.1', undefined, undefined])
})

/** As in a browser: no terminate, no pause, no word about failures, and no close code of one's own below 3000. */
class FakeWebSocket implements WebSocketLike {
  static made: FakeWebSocket[] = []
  binaryType = 'blob'
  readyState = 0
  protocol = ''
  bufferedAmount: number | undefined = 0
  readonly sent: string[] = []
  closes = 0
  readonly url: string
  readonly offers: string[]
  private readonly listeners: [string, (event: WebSocketEvent) => void][] = []
  constructor(url = '', offers: string[] = []) {
    this.url = url
    this.offers = offers
    FakeWebSocket.made.push(this)
  }

  addEventListener(type: string, listener: (event: WebSocketEvent) => void): void {
    this.listeners.push([type, listener])
  }

  send(bytes: Uint8Array): void {
    this.sent.push(toHex(bytes))
  }

  close(code?: number): void {
    if (code !== undefined && code !== 1000 && code < 3000) throw new Error('InvalidAccessError')
    this.closes++
    this.readyState = 2
  }

  emit(type: string, event: WebSocketEvent = {}): void {
    if (type === 'open') this.readyState = 1
    if (type === 'close') this.readyState = 3
    for (const [name, listener] of this.listeners) if (name === type) listener(event)
  }

  /** A message of these bytes. */
  say(...bytes: number[]): void {
    this.emit('message', { data: Uint8Array.from(bytes).buffer })
  }
}

const Fake = FakeWebSocket as unknown as WebSocketConstructor

function accepted(options = {}): { socket: FakeWebSocket, log: string[], duplex: ReturnType<typeof acceptWebSocket> } {
  const socket = new FakeWebSocket()
  socket.readyState = 1
  socket.protocol = 'mqtt'
  const log: string[] = []
  const duplex = acceptWebSocket(socket, options)
  duplex.onData = (chunk) => { log.push(toHex(chunk)) }
  duplex.onDrain = () => { log.push('drain') }
  duplex.onEnd = (error) => { log.push(`end ${(error as { code?: string } | undefined)?.code ?? ''}`.trim()) }
  return { socket, log, duplex }
}

async function opened(protocol: string): Promise<Promise<unknown>> {
  const opening = openWebSocket({ url: 'ws://h/', WebSocket: Fake })
  await settle()
  FakeWebSocket.made.at(-1)!.protocol = protocol
  FakeWebSocket.made.at(-1)!.emit('open')
  return opening
}

test('MQTT-6.0.0-4: a browser opens a WebSocket without subprotocol; it is refused all the same', async () => {
  const error = await failure(opened(''))
  assert.is(error.code, 'ERR_SUBPROTOCOL')
  assert.match(error.message, 'answered none')
  assert.is(FakeWebSocket.made.at(-1)!.closes, 1)
})

test('a browser says nothing of why it failed: neither is more claimed', async () => {
  const opening = openWebSocket({ url: 'ws://h/mqtt', WebSocket: Fake })
  await settle()
  FakeWebSocket.made.at(-1)!.emit('error')
  FakeWebSocket.made.at(-1)!.emit('close', { code: 1006 })
  const error = await failure(opening)
  assert.equal([error.code, error.message], ['ERR_WEBSOCKET_HANDSHAKE', 'no WebSocket to ws://h/mqtt: nothing more is known'])
})

test('what comes while nobody reads is held, in order, and the end behind it', async () => {
  const { socket, log, duplex } = accepted()
  assert.is(socket.binaryType, 'arraybuffer')
  socket.say(1)
  duplex.pause()
  socket.say(2)
  socket.emit('message', { data: Buffer.from([9, 3, 4, 9]).subarray(1, 3) })
  socket.emit('close', { code: 1000 })
  assert.equal(log, ['01'])
  duplex.onData = (chunk) => { log.push(toHex(chunk)); duplex.pause() }
  duplex.resume()
  await settle()
  assert.equal(log, ['01', '02'])
  duplex.resume()
  await settle()
  assert.equal(log, ['01', '02', '03 04', 'end'])
})

test('what comes while something is held waits behind it', async () => {
  const { socket, log, duplex } = accepted()
  duplex.pause()
  socket.say(1)
  duplex.resume()
  socket.say(2)
  assert.equal(log, [])
  await settle()
  socket.say(3)
  assert.equal(log, ['01', '02', '03'])
})

test('maximumUnread bounds what is held, empty frames too; the option is named', async () => {
  for (const data of [new ArrayBuffer(400), new ArrayBuffer(0)]) {
    const { socket, log, duplex } = accepted({ maximumUnread: 10_000 })
    let message = ''
    duplex.onEnd = (error) => { log.push('end'); message = error!.message }
    duplex.pause()
    let taken = 0
    while (log.length === 0 && taken < 1_000) {
      socket.emit('message', { data })
      taken++
    }
    assert.ok(taken < 50, `${taken} frames`)
    assert.match(message, /10000 bytes.*\(maximumUnread\)/)
    assert.is(socket.closes, 1)
    socket.say(1)
    duplex.resume()
    await settle()
    assert.equal(log, ['end'])
  }
})

test('held bytes that have been given count no more', async () => {
  const { socket, log, duplex } = accepted({ maximumUnread: 10_000 })
  for (let i = 0; i < 100; i++) {
    duplex.pause()
    socket.emit('message', { data: new ArrayBuffer(5_000) })
    duplex.resume()
    await settle()
  }
  assert.is(log.length, 100)
})

test('write: enough for now once 256 KiB are unsent, room again at 64 KiB, asked for again and again', async () => {
  const { socket, log, duplex } = accepted()
  assert.is(duplex.write(Uint8Array.of(1)), true)
  socket.bufferedAmount = 300_000
  assert.is(duplex.write(Uint8Array.of(2)), false)
  assert.is(duplex.write(Uint8Array.of(3)), false)
  await sleep(30)
  socket.bufferedAmount = 65_537
  await sleep(100)
  assert.equal(log, [])
  socket.bufferedAmount = 65_536
  await sleep(100)
  assert.equal(log, ['drain'])
  await sleep(100)
  assert.equal([log, socket.sent], [['drain'], ['01', '02', '03']])
})

test('a platform without bufferedAmount always has room; a closed WebSocket is not written to, nor asked', async () => {
  const { socket, log, duplex } = accepted()
  socket.bufferedAmount = undefined
  assert.is(duplex.write(Uint8Array.of(1)), true)
  socket.bufferedAmount = 300_000
  assert.is(duplex.write(Uint8Array.of(2)), false)
  socket.emit('close', { code: 1006 })
  assert.is(duplex.write(Uint8Array.of(3)), true)
  await sleep(30)
  assert.equal([log, socket.sent], [['end ERR_WEBSOCKET_CLOSED'], ['01', '02']])
})

test('closing, at once where there is no way to: the end is told once, from no call of ours', async () => {
  const { socket, log, duplex } = accepted()
  duplex.pause()
  socket.say(1)
  duplex.close(true)
  assert.equal(log, [])
  await settle()
  socket.emit('close', { code: 1006 })
  socket.say(2)
  duplex.close(true)
  duplex.resume()
  await settle()
  assert.equal(log, ['end'])
})

test('MQTT-6.0.0-1: a text frame where no close code may be given closes without one', () => {
  const { socket, log } = accepted()
  socket.emit('message', { data: 'hello' })
  socket.say(1)
  assert.equal([log, socket.closes], [['end ERR_NOT_BYTES'], 1])
})

test('without a WebSocket, or a URL, the caller is told what to give', async () => {
  const scope = globalThis as { WebSocket?: unknown }
  const { WebSocket: own } = scope
  delete scope.WebSocket
  const error = await failure(connectWebSocket({ url: 'ws://127.0.0.1:1' }))
  if (own !== undefined) scope.WebSocket = own
  assert.is(error.name, 'UsageError')
  assert.match(error.message, /ws package.*option WebSocket/)
  for (const url of ['hans:secret@here', 'mqtt://hans:secret@here', 'ws://hans:secret@:1']) {
    const none = await failure(connectWebSocket({ url, WebSocket: Fake }))
    assert.equal([none.name, none.message], ['UsageError', 'the url of a WebSocket begins with ws:// or wss://'])
  }
})

test('bundled for a browser: nothing of Node', async () => {
  const { outputFiles } = await build({ entryPoints: ['websocket', 'streams', 'index'].map((name) => `src/transport/${name}.ts`), bundle: true, write: false, format: 'esm', platform: 'browser', outdir: 'none', logLevel: 'silent' })
  for (const { text } of outputFiles) assert.not.match(text, /node:|\bBuffer\.|\bprocess\./)
})

test('the types of a browser fit: its WebSocket, and its streams', () => {
  const folder = mkdtempSync(join(tmpdir(), 'connack-types-'))
  const source = fileURLToPath(new URL('../../src/transport/', import.meta.url))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(source, '../../tsconfig.json'),
    compilerOptions: { lib: ['ES2023', 'ES2024.String', 'ESNext.Disposable', 'DOM'], types: [] },
    files: ['use.ts'], include: [],
  }))
  writeFileSync(join(folder, 'use.ts'), `import { acceptWebSocket, connectWebSocket } from '${source}websocket.ts'
import { streamsDuplex } from '${source}streams.ts'
export const client: unknown = connectWebSocket({ url: 'ws://h', WebSocket })
export const server: unknown = acceptWebSocket(new WebSocket('ws://h'))
export const streams: unknown = streamsDuplex(new TransformStream<Uint8Array, Uint8Array>())
`)
  const { status, stdout } = spawnSync(process.execPath, [join(source, '../../node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  assert.is(status, 0, stdout)
})

test.run()
