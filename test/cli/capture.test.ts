import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { addressBytes, addressText } from '../../src/cli/capture/address.ts'
import { pcapngHeader, SEGMENT, TcpFlow, writePcapng } from '../../src/cli/capture/pcapng-write.ts'
import type { Logged } from '../../src/cli/capture/pcapng-write.ts'
import { isCapture, readFrames } from '../../src/cli/capture/read.ts'
import { readCapture } from '../../src/cli/capture/reassemble.ts'
import { encode, fromHex, toHex } from '../../src/codec/index.ts'
import { randomFrom } from '../helpers/random.ts'
import { changed, CLIENT, CLIENT6, framesOf, join, LINKS, NEW_YEAR, pcap, pcapng, SERVER, SERVER6 } from './captures.ts'
import type { Timed } from './captures.ts'

const CONNECT = encode({ type: 'connect', version: 4, clientId: 'a', cleanStart: true, keepAlive: 60 }, 4)
const CONNACK = fromHex('20 02 00 00')
const PING = fromHex('c0 00')
const BIG = encode({ type: 'publish', topic: 'big', payload: Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff) }, 4)
const LOG: readonly Logged[] = [
  { from: 'client', time: NEW_YEAR, bytes: CONNECT }, { from: 'server', time: NEW_YEAR + 1.5, bytes: CONNACK },
  { from: 'client', time: NEW_YEAR + 2.25, bytes: BIG }, { from: 'client', time: NEW_YEAR + 3, bytes: PING },
  { from: 'client', time: NEW_YEAR + 4 }, { from: 'server', time: NEW_YEAR + 4 },
]
const SENT = toHex(join(CONNECT, BIG, PING))

function check(file: Uint8Array, name: string): void {
  const { connections, notes } = readCapture(file)
  assert.is(connections.length, 1, name)
  const { fromClient, fromServer, client, server } = connections[0]!
  assert.is(toHex(fromClient.bytes), SENT, name)
  assert.is(toHex(fromServer.bytes), toHex(CONNACK), name)
  assert.equal([client.port, server.port], [40_000, 1883], name)
  assert.equal([fromClient.missing, fromServer.missing, fromClient.late, notes.length], [0, 0, false, 0], name)
}

test('addresses between text and bytes, IPv6 as RFC 5952 writes it', () => {
  for (const [text, hex] of [
    ['10.0.0.1', '0a 00 00 01'], ['::', '00 '.repeat(16).trim()], ['::1', `${'00 '.repeat(15)}01`], ['2001:db8::1:0:0:1', '20 01 0d b8 00 00 00 00 00 01 00 00 00 00 00 01'],
    ['fe80::1', `fe 80 ${'00 '.repeat(13)}01`], ['1:2:3:4:5:6:7:8', '00 01 00 02 00 03 00 04 00 05 00 06 00 07 00 08'], ['1::', `00 01 ${'00 '.repeat(14)}`.trim()], ['1:0:2:3:4:5:6:7', '00 01 00 00 00 02 00 03 00 04 00 05 00 06 00 07'],
  ] as const) {
    assert.is(toHex(addressBytes(text)), hex, text)
    assert.is(addressText(addressBytes(text)), text)
  }
  assert.is(addressText(addressBytes('::ffff:1.2.3.4')), '::ffff:102:304')
  assert.is(addressText(addressBytes('fe80::1%eth0')), 'fe80::1')
  assert.throws(() => addressBytes('localhost'), /no IP address/)
})

for (const [name, { type, wrap }] of Object.entries(LINKS)) {
  test(`captures: ${name}, IPv4 and IPv6, pcap of each byte order in µs and ns, pcapng of each byte order`, () => {
    for (const [client, server] of [[CLIENT, SERVER], [CLIENT6, SERVER6]] as const) {
      const frames = framesOf(client, server, LOG).map(({ time, bytes }) => ({ time, bytes: wrap(bytes) }))
      for (const littleEndian of [true, false]) {
        for (const nano of [true, false]) check(pcap(frames, type, { littleEndian, nano }), `pcap ${littleEndian} ${nano}`)
        for (const kind of ['enhanced', 'simple', 'old'] as const) check(pcapng(frames, type, littleEndian, kind), `pcapng ${littleEndian} ${kind}`)
      }
    }
  })
}

test('captures: times survive to the fraction of a ms, in each format', () => {
  const frames = framesOf(CLIENT, SERVER, LOG)
  const times = (file: Uint8Array): number[] => readFrames(file).frames.map(({ time }) => time - NEW_YEAR)
  assert.ok(times(writePcapng(CLIENT, SERVER, LOG)).includes(2.25))
  for (const form of [{ littleEndian: true, nano: true }, { littleEndian: false, nano: false }]) assert.ok(times(pcap(frames, 1, form)).includes(2.25))
  assert.ok(times(pcapng(frames, 1, false)).includes(2.25))
  const sections = join(pcapng(frames.slice(0, 3), 1, true), pcapng(frames.slice(3), 1, false))
  check(sections, 'two sections of different byte order')
})

test('captures: segments out of order, sent again, overlapping, and keep-alive probes: every byte once', () => {
  const frames = framesOf(CLIENT, SERVER, LOG)
  const random = randomFrom(1)
  for (let round = 0; round < 200; round++) {
    const mixed: Timed[] = [...frames.slice(3), ...frames.slice(3).filter(() => random(2) === 0)]
    for (let i = mixed.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!]
    }
    check(pcap([...frames.slice(0, 3), ...mixed], 1, { littleEndian: true, nano: false }), `round ${round}`)
  }
})

test('captures: a retransmission with other borders, a probe of one byte already sent', () => {
  const bytes = join(CONNECT, PING)
  const flow = new TcpFlow(CLIENT, SERVER)
  const cut = (piece: Uint8Array): Timed => ({ time: NEW_YEAR, bytes: readFrames(join(pcapngHeader(), piece)).frames[0]!.bytes })
  const syn = flow.open(NEW_YEAR)
  const whole = cut(flow.data('client', NEW_YEAR, bytes))
  // The same sequence number, less data: the frame and its IP length cut.
  const shorter = (frame: Uint8Array, by: number): Uint8Array => changed(frame.subarray(0, frame.length - by), 16, 0, frame.length - by - 14)
  const probe = changed(shorter(whole.bytes, bytes.length - 1), 14 + 20 + 7, whole.bytes[14 + 20 + 7]! - 1)
  const frames = [...readFrames(join(pcapngHeader(), syn)).frames, { time: NEW_YEAR, bytes: probe }, { time: NEW_YEAR, bytes: shorter(whole.bytes, 3) }, whole]
  assert.is(toHex(readCapture(pcap(frames, 1, { littleEndian: true, nano: false })).connections[0]!.fromClient.bytes), toHex(bytes))
})

test('captures: what is missing ends the stream there and is counted; a short snap length too', () => {
  const frames = framesOf(CLIENT, SERVER, LOG)
  const without = frames.filter(({ bytes }) => bytes.length !== 14 + 40 + SEGMENT || bytes[14 + 40] !== 0x30)
  const gap = readCapture(pcap(without, 1, { littleEndian: true, nano: false })).connections[0]!
  assert.is(toHex(gap.fromClient.bytes), toHex(CONNECT))
  assert.is(gap.fromClient.missing, SEGMENT)
  const snapped = readCapture(pcap(frames.map(({ time, bytes }) => ({ time, bytes: bytes.subarray(0, 100) })), 1, { littleEndian: true, nano: false })).connections[0]!
  assert.is(snapped.fromClient.bytes.length, CONNECT.length + 46)
  assert.is(snapped.fromClient.missing, SEGMENT - 46)
})

test('captures: without the SYN, in the middle of a connection; sequence numbers that go round', () => {
  const frames = framesOf(CLIENT, SERVER, LOG).slice(3)
  const { fromClient, client } = readCapture(pcap(frames, 1, { littleEndian: true, nano: false })).connections[0]!
  assert.equal([toHex(fromClient.bytes), fromClient.late, client.port], [SENT, true, 40_000])
  // From the server's side first, on another port: who sends CONNECT is the client.
  const turned = framesOf({ ...CLIENT, port: 1000 }, { ...SERVER, port: 2000 }, LOG).slice(5)
  assert.is(readCapture(pcap([turned[0]!, ...framesOf({ ...CLIENT, port: 1000 }, { ...SERVER, port: 2000 }, LOG).slice(3, 5), ...turned.slice(1)], 1, { littleEndian: true, nano: false })).connections[0]!.client.port, 1000)
  const around = framesOf(CLIENT, SERVER, LOG).map(({ time, bytes }) => {
    const fromClient4 = bytes[14 + 15] === 1
    const view = new DataView(Uint8Array.from(bytes).buffer)
    const at = 14 + 20 + (fromClient4 ? 4 : 8)
    view.setUint32(at, (view.getUint32(at) + 0xfffff800) >>> 0)
    return { time, bytes: new Uint8Array(view.buffer) }
  })
  check(pcap(around, 1, { littleEndian: true, nano: false }), 'sequence numbers beyond 2^32')
})

test('captures: the same ports again are another connection; other protocols and fragments are counted', () => {
  const first = framesOf(CLIENT, SERVER, LOG)
  const again = framesOf(CLIENT, SERVER, [{ from: 'client', time: NEW_YEAR, bytes: PING }]).map(({ time, bytes }) => ({ time, bytes: bytes[29] === 1 ? changed(bytes, 14 + 20 + 4, 9) : changed(bytes, 14 + 20 + 8, 9) }))
  const { connections } = readCapture(pcap([...first, ...again], 1, { littleEndian: true, nano: false }))
  assert.equal(connections.map(({ fromClient }) => fromClient.bytes.length), [SENT.split(' ').length, 2])
  const frame = first[0]!.bytes
  const odd = [changed(frame, 14 + 9, 17), changed(frame, 14 + 6, 0x20, 0), changed(frame, 12, 0x08, 0x06), frame.subarray(0, 30), changed(frame, 14, 0x35), changed(frame, 14 + 32, 0x10), new Uint8Array(3)]
  const { notes } = readCapture(pcap(odd.map((bytes) => ({ time: 0, bytes })), 1, { littleEndian: true, nano: false }))
  assert.equal(notes, ['1 IP fragments are not joined', '3 frames end inside a header'])
  assert.match(readCapture(pcap(first, 195, { littleEndian: true, nano: false })).notes[0]!, /link layer that is not read \(type 195\)/)
})

test('captures: IPv6 extension headers are passed over, a fragment is not', () => {
  const frames = framesOf(CLIENT6, SERVER6, LOG)
  const extended = (kind: number, header: readonly number[]) => frames.map(({ time, bytes }) => {
    const length = bytes.length - 54 + header.length
    return { time, bytes: join(changed(bytes.subarray(0, 54), 18, length >> 8, length & 0xff, kind), header, bytes.subarray(54)) }
  })
  check(pcap(extended(60, [6, 0, 1, 4, 0, 0, 0, 0]), 1, { littleEndian: true, nano: false }), 'destination options')
  check(pcap(extended(44, [6, 0, 0, 0, 0, 0, 0, 1]), 1, { littleEndian: true, nano: false }), 'a fragment that is all of it')
  check(pcap(extended(51, [6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]), 1, { littleEndian: true, nano: false }), 'authentication')
  assert.match(readCapture(pcap(extended(44, [6, 0, 0, 1, 0, 0, 0, 1]), 1, { littleEndian: true, nano: false })).notes.join(), /IP fragments/)
})

test('captures: cut anywhere or with any byte changed, reading ends without an error', () => {
  const frames = framesOf(CLIENT, SERVER, LOG.slice(0, 2))
  for (const file of [pcap(frames, 1, { littleEndian: false, nano: true }), pcapng(frames, 1, false), writePcapng(CLIENT6, SERVER6, LOG.slice(0, 2))]) {
    for (let size = 28; size < file.length; size++) {
      const cut = file.subarray(0, size)
      assert.ok(isCapture(cut))
      readCapture(cut)
    }
    const random = randomFrom(2)
    for (let round = 0; round < 3000; round++) {
      const broken = changed(file, random(file.length), random(256))
      if (isCapture(broken)) readCapture(broken)
    }
  }
  assert.not.ok(isCapture(CONNECT))
  assert.match(readFrames(pcap(frames, 1, { littleEndian: true, nano: false }).subarray(0, 60)).notes.join(), /ends inside a record: its last 36 bytes/)
})

test('the writer: a connection that breaks, and two connections in one file', () => {
  const [one, two] = [new TcpFlow(CLIENT, SERVER), new TcpFlow({ ...CLIENT, port: 40_001 }, SERVER)]
  const file = join(pcapngHeader(), one.open(NEW_YEAR), two.open(NEW_YEAR), one.data('client', NEW_YEAR, CONNECT), two.data('client', NEW_YEAR, PING), one.reset('server', NEW_YEAR + 1), two.end('client', NEW_YEAR + 1))
  assert.equal(readCapture(file).connections.map(({ client, fromClient }) => [client.port, toHex(fromClient.bytes)]), [[40_000, toHex(CONNECT)], [40_001, toHex(PING)]])
  const last = readFrames(file).frames.map(({ bytes }) => bytes[14 + 20 + 13]! & 0x04)
  assert.is(last.filter(Boolean).length, 1)
})

test('the writer: an IPv4 and an IPv6 end have no connection', () => {
  assert.throws(() => new TcpFlow(CLIENT, SERVER6), /no connection/)
})

const tshark = spawnSync('tshark', ['--version'], { encoding: 'utf8' }).status === 0
const judged = tshark ? test : test.skip

judged(`the writer's files in tshark${tshark ? '' : ' (skipped: tshark is not installed)'}: handshake, sequence numbers, checksums, reassembly, both families`, () => {
  const folder = mkdtempSync(path(tmpdir(), 'connack-'))
  try {
    for (const [client, server] of [[CLIENT, SERVER], [CLIENT6, SERVER6]] as const) {
      const file = path(folder, 'a.pcapng')
      writeFileSync(file, writePcapng(client, server, LOG))
      const fields = (...args: string[]): string => {
        const { status, stdout, stderr } = spawnSync('tshark', ['-r', file, '-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', ...args], { encoding: 'utf8' })
        assert.is(status, 0, stderr)
        return stdout
      }
      assert.is(fields('-Y', 'tcp.analysis.flags || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad" || _ws.malformed'), '')
      assert.equal(fields('-T', 'fields', '-e', 'mqtt.msgtype', '-Y', 'mqtt').trim().split(/\s+/), ['1', '2', '3', '12'])
      assert.equal(fields('-T', 'fields', '-e', 'mqtt.clientid', '-Y', 'mqtt.msgtype == 1').trim(), 'a')
      assert.is(fields('-T', 'fields', '-e', 'mqtt.msg', '-Y', 'mqtt.msgtype == 3').trim().length, 10_000)
      assert.is(fields('-Y', 'tcp.flags.syn == 1').trim().split('\n').length, 2)
      assert.is(fields('-Y', 'tcp.flags.fin == 1').trim().split('\n').length, 2)
      assert.match(fields('-T', 'fields', '-e', 'frame.time_epoch', '-Y', 'mqtt.msgtype == 3'), /^1767225600\.002250000/)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
