import { ReadableStream, TransformStream, WritableStream } from 'node:stream/web'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, toHex } from '../../src/codec/index.ts'
import { Peer } from '../../src/transport/index.ts'
import { connectStreams, streamsDuplex } from '../../src/transport/streams.ts'
import { adapterTests } from '../helpers/adapter.ts'
import { ADAPTERS } from '../helpers/adapters.ts'
import { settle } from '../helpers/duplex.ts'
import { failure, newRecord, recording, until } from '../helpers/network.ts'

adapterTests(test, ADAPTERS.streams)

/** A readable and a writable in the test's hands, and what became of them. */
function pair(strategy?: { highWaterMark: number, size?: (chunk: Uint8Array) => number }): { readable: ReadableStream, writable: WritableStream, say(chunk: unknown): void, finish(): void, breakReadable(error: unknown): void, breakWritable(error: unknown): void, taken: string[], pulls: () => number, log: string[], takeOne(): void } {
  let source!: ReadableStreamDefaultController
  let sink!: WritableStreamDefaultController
  const taken: string[] = []
  const log: string[] = []
  const waiting: (() => void)[] = []
  let pulls = 0
  const readable = new ReadableStream({
    start(controller) { source = controller },
    pull() { pulls++ },
    cancel() { log.push('cancelled') },
  }, { highWaterMark: 0 })
  const writable = new WritableStream<Uint8Array>({
    start(controller) { sink = controller },
    write(chunk) {
      taken.push(toHex(chunk))
      return new Promise<void>((resolve) => { waiting.push(resolve) })
    },
    close() { log.push('closed') },
    abort() { log.push('aborted') },
  }, strategy)
  return {
    readable, writable, taken, log,
    pulls: () => pulls,
    say: (chunk) => { source.enqueue(chunk) },
    finish: () => { source.close() },
    breakReadable: (error) => { source.error(error) },
    breakWritable: (error) => { sink.error(error) },
    takeOne: () => { waiting.shift()!() },
  }
}

function watched(of: ReturnType<typeof pair>): { duplex: ReturnType<typeof streamsDuplex>, log: string[] } {
  const log: string[] = []
  const duplex = streamsDuplex(of)
  duplex.onData = (chunk) => { log.push(toHex(chunk)) }
  duplex.onDrain = () => { log.push('drain') }
  duplex.onEnd = (error) => { log.push(error === undefined ? 'end' : `end: ${error.message}`) }
  return { duplex, log }
}

test('reads no further while paused; a chunk may be Uint8Array or ArrayBuffer', async () => {
  const streams = pair()
  const { duplex, log } = watched(streams)
  await settle()
  streams.say(Uint8Array.of(1))
  await settle()
  duplex.pause()
  // One read is under way.
  streams.say(Uint8Array.of(2).buffer)
  streams.say(Uint8Array.of(3))
  await settle()
  assert.equal(log, ['01', '02'])
  const pulls = streams.pulls()
  await settle()
  assert.is(streams.pulls(), pulls)
  duplex.resume()
  duplex.resume()
  await settle()
  assert.equal(log, ['01', '02', '03'])
})

test('paused and resumed before the read under way has ended: read on once, not twice', async () => {
  const streams = pair()
  const { duplex, log } = watched(streams)
  await settle()
  duplex.pause()
  duplex.resume()
  for (let i = 1; i <= 3; i++) {
    streams.say(Uint8Array.of(i))
    await settle()
  }
  assert.equal(log, ['01', '02', '03'])
  duplex.pause()
  for (let i = 4; i <= 6; i++) streams.say(Uint8Array.of(i))
  await settle()
  assert.equal(log, ['01', '02', '03', '04'])
})

test('half-close: the readable has ended, the writable goes on until closed', async () => {
  const streams = pair()
  const { duplex, log } = watched(streams)
  streams.finish()
  await settle()
  assert.equal(log, ['end'])
  duplex.write(Uint8Array.of(1))
  duplex.close()
  duplex.close()
  await settle()
  assert.equal([streams.taken, streams.log], [['01'], []])
  streams.takeOne()
  await settle()
  assert.equal(streams.log, ['closed'])
  assert.is(duplex.write(Uint8Array.of(2)), true)
  assert.equal([streams.taken, log], [['01'], ['end', 'drain']])
})

test('back-pressure by desiredSize: with room for one chunk, write says enough and drains when it is taken', async () => {
  const streams = pair()
  const { duplex, log } = watched(streams)
  assert.is(duplex.write(Uint8Array.of(1)), false)
  assert.is(duplex.write(Uint8Array.of(2)), false)
  await settle()
  streams.takeOne()
  await settle()
  assert.equal(log, [])
  streams.takeOne()
  await settle()
  assert.equal([log, streams.taken], [['drain'], ['01', '02']])
})

test('back-pressure by bytes, for a stream that counts chunks and takes thousands', async () => {
  const streams = pair({ highWaterMark: 16_384 })
  const { duplex, log } = watched(streams)
  assert.is(duplex.write(new Uint8Array(200_000)), true)
  assert.is(duplex.write(new Uint8Array(62_145)), false)
  assert.is(duplex.write(new Uint8Array(10)), false)
  await settle()
  streams.takeOne()
  await settle()
  assert.equal(log, ['drain'])
  assert.is(duplex.write(new Uint8Array(10)), true)
})

test('a stream that never wants anything gets it all the same, one write at a time', async () => {
  const streams = pair({ highWaterMark: 0 })
  const { duplex, log } = watched(streams)
  assert.is(duplex.write(Uint8Array.of(1)), false)
  await settle()
  streams.takeOne()
  await settle()
  assert.equal(log, ['drain'])
})

test('abort drops both streams, and the end is told, from no call of ours', async () => {
  const streams = pair()
  const { duplex, log } = watched(streams)
  await settle()
  duplex.pause()
  // With this the read under way is over, and nobody waits for the end.
  streams.say(Uint8Array.of(1))
  await settle()
  duplex.close(true)
  assert.equal(log, ['01'])
  await settle()
  duplex.close(true)
  await settle()
  assert.equal([log, streams.log.sort()], [['01', 'end'], ['aborted', 'cancelled']])
})

test('either stream breaks: the end is told with its error, once, and the other is dropped', async () => {
  const reading = pair()
  const first = watched(reading)
  await settle()
  reading.breakReadable(new Error('no more'))
  await settle()
  assert.equal([first.log, reading.log], [['end: no more'], ['aborted']])

  const writing = pair()
  const second = watched(writing)
  await settle()
  writing.breakWritable('full')
  await settle()
  assert.equal([second.log, writing.log], [['end: full'], ['cancelled']])
  assert.is(second.duplex.write(Uint8Array.of(1)), true)
})

test('MQTT-6.0.0-1: a chunk of text ends the connection, as of a WebSocketStream', async () => {
  const streams = pair()
  const { log } = watched(streams)
  streams.say('hello')
  await settle()
  assert.equal(log, ['end: a chunk of the stream is of type string, and MQTT is made of bytes: Uint8Array or ArrayBuffer'])
  assert.equal(streams.log.sort(), ['aborted', 'cancelled'])
})

test('both ends over identity streams, with all there is in the streams before anybody looks', async () => {
  const up = new TransformStream<Uint8Array, Uint8Array>()
  const down = new TransformStream<Uint8Array, Uint8Array>()
  const record = newRecord()
  recording(record)(new Peer(streamsDuplex({ readable: up.readable, writable: down.writable })))
  const client = await connectStreams({ readable: down.readable, writable: up.writable })
  await client.send({ type: 'publish', topic: 't', payload: 'hello' })
  await client.disconnect()
  await until(() => record.causes.length === 1)
  assert.equal([record.packets.length, record.causes[0]!.why], [1, 'disconnect'])

  const early = pair({ highWaterMark: 16 })
  early.say(encode({ type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 0 }, 4))
  recording(newRecord())(new Peer(streamsDuplex(early)))
  await until(() => early.taken.length === 1)
  assert.is(early.taken[0], '20 02 00 00')
})

test('a pair that has ended already: told at once, not after the CONNACK timeout', async () => {
  const streams = pair({ highWaterMark: 16 })
  streams.finish()
  await settle()
  assert.match((await failure(connectStreams(streams))).message, 'without a CONNACK')
  const aborted = pair()
  assert.is((await failure(connectStreams(aborted, { signal: AbortSignal.abort(new Error('changed my mind')) }))).message, 'changed my mind')
  await sleep(0)
  assert.equal(aborted.log.sort(), ['aborted', 'cancelled'])
})

test.run()
