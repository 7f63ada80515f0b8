import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode } from '../../src/codec/encode.ts'
import { fromHex, toHex, toJson } from '../../src/codec/json.ts'
import { PacketStream } from '../../src/codec/stream.ts'
import type { PacketStreamOptions } from '../../src/codec/stream.ts'
import { expected, facts, thrownBy } from '../helpers/codec.ts'

const CONNECT = '10 0d 00 04 4d 51 54 54 05 02 00 00 00 00 00'
const PING = 'c0 00'
const PUBLISH = '30 06 00 01 61 00 62 63'
/** A PUBLISH of 5.0 with 300 bytes of payload: a Remaining Length of two bytes. */
const LONGER = `30 b0 02 00 01 61 00 ${'78 '.repeat(300)}`.trim()
/** CONNECT's first bytes, announcing as much as can be announced. */
const HUGE = '10 ff ff ff 7f'

/** Gives a stream these chunks, one at a time, and collects what comes out. */
function collect(options: PacketStreamOptions, chunks: readonly Uint8Array[]): unknown[] {
  const stream = new PacketStream(options)
  const out: unknown[] = []
  for (const chunk of chunks) {
    stream.push(chunk)
    for (let packet = stream.next(); packet !== undefined; packet = stream.next()) out.push(toJson(packet))
  }
  assert.is(stream.pending, 0)
  return out
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))
}

function streamOf(hex: string, options: PacketStreamOptions = { version: 5 }): PacketStream {
  const stream = new PacketStream(options)
  stream.push(fromHex(hex))
  return stream
}

test('packets come out alike, however the bytes are cut', () => {
  const bytes = fromHex([CONNECT, PING, LONGER, PUBLISH, PING, LONGER].join(' '))
  const whole = collect({}, [bytes])
  assert.equal(whole.map((packet) => (packet as { type: string }).type), ['connect', 'pingreq', 'publish', 'publish', 'pingreq', 'publish'])
  for (const size of [1, 2, 3, 5, 7, 64, 300, 310]) assert.equal(collect({}, pieces(bytes, size)), whole, `pieces of ${size}`)
  for (let cut = 0; cut <= bytes.length; cut++) assert.equal(collect({}, [bytes.slice(0, cut), bytes.slice(cut)]), whole, `cut at ${cut}`)
})

test('the packets on both sides of the lengths 127 and 128 come out of whole chunks and cut ones', () => {
  for (const payload of [122, 123, 124, 125, 16_378, 16_379, 16_380, 16_381]) {
    const bytes = encode({ type: 'publish', topic: 'a', payload: new Uint8Array(payload).fill(0x78) }, 5)
    const twice = Uint8Array.of(...bytes, ...bytes)
    for (const size of [1, 2, 3, bytes.length, twice.length]) {
      const packets = collect({ version: 5, copy: true }, pieces(twice, size)) as { readonly payload: { readonly hex: string } }[]
      assert.equal(packets.map(({ payload: { hex } }) => (hex.length + 1) / 3), [payload, payload])
    }
  }
})

test('SPEC-3.12-1: a body is refused also where it comes after its header', () => {
  for (const hex of ['c0 01 00', 'd0 01 00']) {
    const stream = new PacketStream({ version: 5 })
    const error = thrownBy(() => {
      for (const byte of fromHex(hex)) {
        stream.push(Uint8Array.of(byte))
        assert.is(stream.next(), undefined)
      }
    })
    assert.equal(facts(error), expected('noBody', 5, 2))
  }
})

test('chunks may be pushed ahead, empty ones too', () => {
  const stream = new PacketStream()
  for (const chunk of [fromHex(CONNECT), new Uint8Array(0), ...pieces(fromHex(PUBLISH), 3), fromHex(PING)]) stream.push(chunk)
  assert.equal([stream.next(), stream.next(), stream.next(), stream.next()].map((packet) => packet?.type), ['connect', 'publish', 'pingreq', undefined])
})

test('what is pushed between two packets of a chunk comes after it', () => {
  const stream = streamOf(`${PING} ${PUBLISH} 30`)
  assert.is(stream.next()?.type, 'pingreq')
  stream.push(fromHex(PUBLISH.slice(3)))
  stream.push(fromHex(PING))
  assert.equal([stream.next(), stream.next(), stream.next(), stream.next()].map((packet) => packet?.type), ['publish', 'publish', 'pingreq', undefined])
})

test('a cut packet takes chunks of any size, growing ones too', () => {
  const bytes = encode({ type: 'publish', topic: 'a', payload: new Uint8Array(20_000) }, 5)
  for (const first of [1, 2, 3, 4, 5, 10, 511, 512, 513, 10_000]) {
    for (const second of [1, 600, 5_000, 9_000]) {
      const chunks = [bytes.slice(0, first), bytes.slice(first, first + second), bytes.slice(first + second)]
      assert.is(collect({ version: 5 }, chunks).length, 1, `${first}, then ${second}`)
    }
  }
})

test('MQTT-3.1.0-1: without a version the first packet is a CONNECT, and its version counts from then on', () => {
  const stream = streamOf(`${CONNECT} e0 01 04`, {})
  assert.is(stream.version, undefined)
  stream.next()
  assert.is(stream.version, 5)
  assert.equal(toJson(stream.next()), { type: 'disconnect', reasonCode: 4 })
  for (const hex of [PING, 'c0', '30 ff', '20 02 00 00']) {
    const error = thrownBy(() => streamOf(hex, {}).next())
    assert.equal(facts(error), expected('firstPacket', 5, 0), hex)
  }
})

test('a version that was given stays, also when a CONNECT of another comes', () => {
  const stream = streamOf(`${CONNECT} e0 01 04`, { version: 4 })
  stream.next()
  assert.is(stream.version, 4)
  assert.equal(facts(thrownBy(() => stream.next())), expected('noBody', 4, 2))
})

test('a first byte that begins no packet is refused at once, before its length is there', () => {
  for (const hex of ['00', '00 01', 'e1', 'e1 02', '61', '61 02 00']) assert.equal(facts(thrownBy(() => streamOf(hex).next())), expected(hex.startsWith('00') ? 'packetType' : 'headerFlags', 5, 0), hex)
})

test('SPEC-1.5.5-1: a Remaining Length whose fourth byte asks for a fifth is refused without waiting for it', () => {
  const stream = streamOf('c0 ff ff ff')
  assert.is(stream.next(), undefined)
  stream.push(fromHex('ff'))
  assert.equal(facts(thrownBy(() => stream.next())), expected('remainingLength', 5, 4))
})

test('SPEC-3.1.2.11.4-2: a packet beyond the limit is refused at its header; one at the limit is taken', () => {
  const tooLarge = expected('packetTooLarge', 5, 1)
  for (const header of ['30 b0 02', '30 b0 02 00']) assert.equal(facts(thrownBy(() => streamOf(header, { version: 5, maximumPacketSize: 306 }).next())), tooLarge)
  assert.equal(facts(thrownBy(() => streamOf('30 06', { version: 5, maximumPacketSize: 7 }).next())), tooLarge)
  assert.equal(facts(thrownBy(() => streamOf(PUBLISH, { version: 5, maximumPacketSize: 7 }).next())), tooLarge)
  assert.is(streamOf(PUBLISH, { version: 5, maximumPacketSize: 8 }).next()?.type, 'publish')
  assert.is(streamOf(LONGER, { version: 5, maximumPacketSize: 307 }).next()?.type, 'publish')
  assert.is(streamOf(PING, { version: 5, maximumPacketSize: 2 }).next()?.type, 'pingreq')
})

test('the refusal names the size, the limit and the option', () => {
  assert.throws(() => streamOf(HUGE, {}).next(), /^CONNECT, offset 1: a packet of 268435460 bytes, and maximumPacketSize is 1048576; /)
})

test('the limit may be raised or lowered between packets', () => {
  const stream = streamOf(CONNECT, { maximumPacketSize: 15 })
  assert.is(stream.next()?.type, 'connect')
  stream.maximumPacketSize = 1_000
  stream.push(fromHex(LONGER))
  assert.is(stream.next()?.type, 'publish')
  stream.push(fromHex(LONGER.slice(0, 30)))
  assert.is(stream.next(), undefined)
  stream.maximumPacketSize = 15
  stream.push(fromHex(LONGER.slice(30)))
  assert.is(stream.next()?.type, 'publish', 'a packet in hand was judged at its header')
  stream.push(fromHex(LONGER.slice(0, 30)))
  assert.equal(facts(thrownBy(() => stream.next())), expected('packetTooLarge', 5, 1))
})

test('a limit below the smallest packet is refused', () => {
  for (const maximumPacketSize of [1, 0, -1, NaN]) {
    assert.throws(() => new PacketStream({ maximumPacketSize }), (error: { name: string, path: string }) => error.name === 'UsageError' && error.path === 'maximumPacketSize')
  }
  assert.is(new PacketStream().maximumPacketSize, 1_048_576)
})

test('dead means dead: the same error for ever, and no packet of what comes after', () => {
  const bad = '20 03 02 00 00'
  for (const chunks of [[`${PING} ${bad} ${PING}`], [PING, bad, PING], [PING, '20 03 02', '00 00 c0 00']]) {
    const stream = new PacketStream({ version: 5 })
    stream.push(fromHex(chunks[0]!))
    assert.is(stream.next()?.type, 'pingreq')
    for (const chunk of chunks.slice(1)) stream.push(fromHex(chunk))
    const error = thrownBy(() => stream.next())
    assert.equal(facts(error), expected('acknowledgeFlags', 5, 2))
    stream.push(fromHex(PING))
    assert.is(thrownBy(() => stream.next()), error)
    assert.is(thrownBy(() => stream.next()), error)
    assert.is(stream.pending, 0)
  }
})

test('`lastBytes` are those of the packet given last, cut or not', () => {
  for (const size of [1, 3, 400]) {
    const stream = new PacketStream({ version: 5 })
    const seen: string[] = []
    for (const chunk of pieces(fromHex(`${PING} ${PUBLISH} ${LONGER}`), size)) {
      stream.push(chunk)
      while (stream.next() !== undefined) seen.push(toHex(stream.lastBytes()))
    }
    assert.equal(seen, [PING, PUBLISH, LONGER])
    assert.is(stream.lastBytes().length, 0)
  }
})

test('`lastBytes` are those of the packet a quirk is told of, cut or not', () => {
  const lax = '20 04 00 00 00 ff'
  for (const cut of [2, 5, 7]) {
    const seen: string[] = []
    const stream: PacketStream = new PacketStream({ version: 5, lenient: ['trailing-bytes'], onQuirk: () => { seen.push(toHex(stream.lastBytes())) } })
    const bytes = fromHex(`${PING} ${lax} ${PING}`)
    for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      stream.push(chunk)
      while (stream.next() !== undefined);
    }
    assert.equal(seen, [lax], `cut at ${cut}`)
  }
})

test('`lastBytes` of a packet are not to be had when the next chunk has come', () => {
  const stream = new PacketStream({ version: 5 })
  stream.push(fromHex(PING))
  stream.next()
  stream.push(fromHex(PUBLISH))
  assert.is(stream.lastBytes().length, 0)
  assert.is(stream.next()?.type, 'publish')
  assert.is(toHex(stream.lastBytes()), PUBLISH)
})

test('`lastBytes` are those of the packet refused, as far as they have come', () => {
  const cases = [
    [[`${PING} 20 03 02 00 00 ${PING}`], '20 03 02 00 00'],
    [[`${PING} 20`, '03 02 00 00'], '20 03 02 00 00'],
    [[`${PING} e1 00`], 'e1 00'],
    [[`${PING} c0 80 00 ${PING}`], 'c0 80 00'],
    [[`${PING} ${HUGE}`], HUGE],
    [[`${PING} 10 ff ff`, 'ff 7f 00'], HUGE],
    [['e1'], 'e1'],
  ] as const
  for (const [chunks, hex] of cases) {
    const stream = new PacketStream({ version: 5, maximumPacketSize: 1_000 })
    const error = thrownBy(() => {
      for (const chunk of chunks) {
        stream.push(fromHex(chunk))
        while (stream.next() !== undefined);
      }
    })
    assert.ok(error instanceof Error)
    assert.is(toHex(stream.lastBytes()), hex, chunks.join(' | '))
  }
})

test('another protocol is recognised in the first packet only', () => {
  const text = toHex(new TextEncoder().encode('HTTP/1.1 400 Bad Request'))
  const foreign = (hex: string) => (thrownBy(() => { const stream = streamOf(hex, {}); for (;;) stream.next() }) as { foreign: unknown }).foreign
  assert.is(foreign(text), 'HTTP')
  assert.is(foreign(`${CONNECT} ${text}`), undefined)
})

test('binary fields are views of the chunk where the packet lay whole, and copies if so asked', () => {
  for (const copy of [undefined, false, true]) {
    const chunk = fromHex(PUBLISH)
    const stream = new PacketStream({ version: 5, copy })
    stream.push(chunk)
    const packet = stream.next()
    assert.ok(packet?.type === 'publish')
    assert.is(packet.payload.buffer === chunk.buffer, copy !== true)
  }
})

test('a chunk of a cut packet may be reused as soon as `next` has returned undefined', () => {
  const bytes = fromHex(LONGER)
  const chunk = new Uint8Array(10)
  const stream = new PacketStream({ version: 5 })
  let packet
  for (let i = 0; i < bytes.length; i += 10) {
    const piece = bytes.subarray(i, i + 10)
    chunk.set(piece)
    stream.push(chunk.subarray(0, piece.length))
    packet = stream.next()
    chunk.fill(0)
  }
  assert.ok(packet?.type === 'publish')
  assert.ok(packet.payload.every((byte) => byte === 0x78))
})

test('`pending` counts the bytes of a packet that is not complete', () => {
  const stream = new PacketStream({ version: 5 })
  const bytes = fromHex(LONGER)
  for (let have = 1; have < bytes.length; have++) {
    stream.push(bytes.subarray(have - 1, have))
    assert.is(stream.next(), undefined)
    assert.is(stream.pending, have)
  }
  stream.push(bytes.subarray(-1))
  assert.is(stream.next()?.type, 'publish')
  assert.is(stream.pending, 0)
})

test('a CONNECT that announces 256 MiB is refused at its header, and nothing is allocated for it', () => {
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 100; i++) {
    const stream = streamOf(HUGE, {})
    assert.equal(facts(thrownBy(() => stream.next())), { ...expected('packetTooLarge', 5, 1) })
    assert.is(stream.pending, 0)
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
})

test('bytes trickling towards a large packet take memory as they come, never as they were announced', () => {
  const stream = new PacketStream({ maximumPacketSize: 268_435_460 })
  const before = process.memoryUsage().arrayBuffers
  stream.push(fromHex(HUGE))
  assert.is(stream.next(), undefined)
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000)
  const chunk = new Uint8Array(100)
  for (let received = 5; received < 1_000_000;) {
    stream.push(chunk)
    assert.is(stream.next(), undefined)
    received += chunk.length
    assert.is(stream.pending, received)
    // Twice the bytes received, and what it outgrew until that is collected.
    const taken = process.memoryUsage().arrayBuffers - before
    if (taken > 4 * received + 10_000) assert.unreachable(`${taken} bytes taken for ${received} received`)
  }
})

test('a large packet byte by byte takes time linear in its size', () => {
  const time = (size: number) => {
    const bytes = encode({ type: 'publish', topic: 'a', payload: new Uint8Array(size) }, 5)
    const stream = new PacketStream({ version: 5 })
    const start = performance.now()
    for (let i = 0; i < bytes.length; i++) {
      stream.push(bytes.subarray(i, i + 1))
      if (stream.next() !== undefined) break
    }
    assert.is(stream.lastBytes().length, bytes.length)
    return performance.now() - start
  }
  time(20_000)
  const [small, large] = [time(50_000), time(800_000)]
  // Sixteen times the bytes; joining anew with every piece would make it 256 times the work.
  assert.ok(large < 100 * small + 50, `${small} ms, then ${large} ms`)
})

test('thousands of packets in one chunk, or pushed ahead as thousands of chunks, come out', () => {
  const many = new Uint8Array(2 * 20_000)
  for (let i = 0; i < many.length; i += 2) many[i] = 0xc0
  assert.is(collect({ version: 5 }, [many]).length, 20_000)
  const stream = new PacketStream({ version: 5 })
  for (let i = 0; i < 20_000; i++) stream.push(Uint8Array.of(0xc0, 0))
  let count = 0
  while (stream.next() !== undefined) count++
  assert.is(count, 20_000)
})

test('many chunks pushed before the first `next` are read in linear time', () => {
  const stream = new PacketStream({ version: 4 })
  for (let i = 0; i < 100_000; i++) stream.push(Uint8Array.of(i % 2 === 0 ? 0xc0 : 0))
  let packets = 0
  while (stream.next() !== undefined) packets++
  assert.is(packets, 50_000)
  stream.push(fromHex('c0'))
  stream.push(fromHex('00'))
  assert.is(stream.next()?.type, 'pingreq')
  assert.throws(() => new PacketStream({ version: 6 as 5 }), (error: Error) => error.name === 'UsageError')
})

test.run()
