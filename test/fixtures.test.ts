// Every case of fixtures/, forwards, backwards, cut, in pieces and annotated. One test per file and walk; what it says names the cases.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { annotate, decode, encode, encodedSize, encodeInto, fromJson, PacketStream, toHex, toJson } from '../src/codec/index.ts'
import type { PacketInput, ProtocolVersion } from '../src/codec/index.ts'
import { everyCase, FIXTURES, frameSize, loadFixtures, readJson } from './helpers/fixtures.ts'
import { validate } from './helpers/json-schema.ts'
import type { Schema } from './helpers/json-schema.ts'

const files = loadFixtures()
/** Up to this size a packet is cut at each byte; larger ones at this many places, those near both ends among them. */
const CUTS = 300

/** What came of an act: a packet as JSON, or the facts of one of the two named errors; any other error is thrown on. */
function outcome(act: () => unknown): unknown {
  try {
    return toJson(act())
  } catch (error) {
    const { name, reasonCode, offset } = error as { [fact: string]: unknown }
    if (name !== 'MalformedPacket' && name !== 'ProtocolError') throw error
    return { name, reasonCode, offset }
  }
}

/** All that a stream gives for these bytes in pieces of `size`: packets, at last perhaps an error, and how much is left pending. */
function delivered(bytes: Uint8Array, version: ProtocolVersion, size: number): unknown {
  const stream = new PacketStream({ version, maximumPacketSize: 268_435_460 })
  const out: unknown[] = []
  let failed = false
  for (let i = 0; i < bytes.length && !failed; i += size) {
    stream.push(bytes.subarray(i, i + size))
    let packet: unknown
    do {
      packet = outcome(() => stream.next())
      if (packet !== undefined) out.push(packet)
      failed = packet !== undefined && (packet as { offset?: number }).offset !== undefined
    } while (packet !== undefined && !failed)
  }
  return { out, pending: stream.pending }
}

function cutsOf(size: number): number[] {
  if (size <= CUTS) return Array.from({ length: size }, (_, i) => i)
  const spread = Array.from({ length: 180 }, (_, i) => 10 + Math.floor((i * (size - 20)) / 180))
  return [...new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...spread, ...Array.from({ length: 10 }, (_, i) => size - 10 + i)])]
}

test.before(() => {
  // Hundreds of thousands of errors are made here; nobody reads their stacks.
  Error.stackTraceLimit = 0
})
test.after(() => {
  Error.stackTraceLimit = 10
})

for (const { row: { file, version }, cases } of files) {
  const valid = cases.filter(({ packet }) => packet !== undefined)

  test(`${file}: decoding gives the packet, or the error at its offset`, () => {
    everyCase(cases, ({ packet, error }, bytes) => assert.equal(outcome(() => decode(bytes, version)), packet ?? error))
  })

  test(`${file}: encoding the packet gives its bytes, or is refused where it must be`, () => {
    everyCase(valid, ({ hex, canonical, packet, reencoded, encodes }) => {
      const input = fromJson(packet) as PacketInput
      if (encodes === false) {
        const target = new Uint8Array(1_000)
        for (const act of [() => encode(input, version), () => encodeInto(input, version, target, 0)]) assert.throws(act, (error: Error) => error.name === 'UsageError')
        return assert.ok(target.every((byte) => byte === 0), 'the target of encodeInto has changed')
      }
      const bytes = encode(input, version)
      assert.is(toHex(bytes), canonical === true ? hex : reencoded)
      assert.is(encodedSize(input, version), bytes.length)
      assert.equal(toJson(decode(bytes, version)), packet)
    })
  })

  test(`${file}: cut anywhere, a stream wants more and decoding refuses it, or both find what is wrong`, () => {
    everyCase(cases, ({ packet }, bytes) => {
      for (const cut of cutsOf(Math.min(bytes.length, frameSize(bytes) ?? bytes.length))) {
        const prefix = bytes.subarray(0, cut)
        const stream = new PacketStream({ version, maximumPacketSize: 268_435_460 })
        stream.push(prefix)
        const got = outcome(() => stream.next())
        if (got === undefined) assert.is(stream.pending, cut, `cut at ${cut}`)
        else assert.ok(packet === undefined && 'offset' in (got as object), `cut at ${cut}: ${JSON.stringify(got)}`)
        const { offset } = outcome(() => decode(prefix, version)) as { offset: number }
        assert.ok(offset <= cut, `cut at ${cut}: offset ${offset}`)
      }
    })
  })

  test(`${file}: whole, byte by byte and by seven the same comes out`, () => {
    everyCase(cases, ({ packet, error }, bytes) => {
      const whole = delivered(bytes, version, bytes.length)
      for (const size of [1, 7]) assert.equal(delivered(bytes, version, size), whole, `pieces of ${size}`)
      if (frameSize(bytes) === bytes.length) assert.equal(whole, { out: [packet ?? error], pending: 0 })
    })
  })

  test(`${file}: annotations cover each byte once, in order, and mark what is wrong`, () => {
    everyCase(cases, ({ error }, bytes) => {
      const annotations = annotate(bytes, version)
      let at = 0
      for (const { start, end } of annotations) {
        assert.is(start, at)
        at = end
      }
      assert.is(at, bytes.length)
      const marked = annotations.filter((annotation) => annotation.error !== undefined)
      if (error === undefined) return assert.is(marked.length, 0)
      assert.is(marked.length, 1)
      const { start, end, error: { name, reasonCode, offset } = {} } = marked[0]!
      assert.equal({ name, reasonCode, offset }, error)
      assert.ok((error.offset >= start && error.offset < end) || (start === end && end === error.offset), `marked from ${start} to ${end}`)
    })
  })
}

test('the index lists every file, with true counts', () => {
  const listed = files.map(({ row }) => row.file)
  assert.equal(readdirSync(FIXTURES).filter((name) => /^v\d-/.test(name)).sort(), [...listed].sort())
  for (const { row: { file, version, packet, ...counts }, cases } of files) {
    assert.is(file, `v${version}-${packet}.json`)
    const malformed = cases.filter(({ error }) => error !== undefined).length
    assert.equal(counts, { cases: cases.length, valid: cases.length - malformed, malformed }, file)
  }
})

test('no id and no bytes are there twice', () => {
  for (const { row: { file, version, packet }, cases } of files) {
    everyCase(cases, ({ id }) => assert.match(id, new RegExp(`^v${version}-${packet}-\\d{3}$`)))
    assert.is(new Set(cases.map(({ id }) => id)).size, cases.length, file)
    const seen = new Map<string, string>()
    everyCase(cases, ({ id, hex }) => {
      assert.ok(!seen.has(hex), `the bytes of ${seen.get(hex)}`)
      seen.set(hex, id)
    })
  }
})

test('every file is valid by the schema', () => {
  const schema = readJson('schema.json') as Schema
  for (const { row: { file } } of files) assert.equal(validate(schema, readJson(file)).slice(0, 10), [], file)
})

test('the schema refuses what is no case', () => {
  const schema = readJson('schema.json') as Schema
  const good = { id: 'v5-pingreq-001', title: 't', spec: ['SPEC-3.12-1'], hex: 'c0 00', canonical: true, packet: { type: 'pingreq' } }
  assert.equal(validate(schema, [good]), [])
  const wrong = [
    {}, { ...good, id: 'v6-pingreq-001' }, { ...good, hex: 'C0 00' }, { ...good, hex: 'c000' }, { ...good, more: 1 }, { ...good, packet: { type: 'ping' } }, { ...good, packet: undefined },
    { ...good, canonical: false }, { ...good, spec: [] }, { ...good, error: { name: 'MalformedPacket', reasonCode: 129, offset: 0 } }, { ...good, packet: { type: 'puback', packetId: 0, reasonCode: 0 } },
    { ...good, packet: { type: 'connack', sessionPresent: false, reasonCode: 0, properties: { userProperties: [['a', 'b', 'c']] } } },
  ]
  for (const one of wrong) assert.ok(validate(schema, [one]).length > 0, JSON.stringify(one))
  assert.ok(validate(schema, []).length > 0)
})

test('the files are what fixtures/make makes', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('make/make.js', FIXTURES)), '--check'], { encoding: 'utf8' })
  assert.is(status, 0, stdout + stderr)
})

test.run()
