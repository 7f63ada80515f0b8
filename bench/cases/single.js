// One packet at a time: decode from a whole read, encode to fresh bytes, encode into the caller's buffer.

import { decode as floorDecode } from '../floor.js'
import { check, Unable, Wrong } from '../lib/facts.js'
import { sink } from '../lib/sink.js'
import { bytesOf, copiesOf } from './bytes.js'
import { packets } from './packets.js'

const DECODE = ['connect311', 'connect311min', 'connect5', 'connack311', 'connack5', 'pingreq', 'pingresp', 'disconnect311', 'disconnect5',
  'publish64', 'publish1k', 'publish64v5', 'publish1kv5', 'puback311', 'subscribe311']
const QUICK = new Set(['decode:connect311', 'decode:connack311', 'decode:pingreq', 'decode:publish64', 'encode:connect311', 'encode:publish64', 'into:connect311'])
const HEAP = new Set(['decode:connect311', 'decode:connect5', 'decode:connack311', 'decode:connack5', 'decode:pingreq', 'decode:disconnect5',
  'decode:publish64', 'decode:publish1k', 'decode:puback311', 'encode:connect311', 'encode:connack311', 'encode:publish64',
  'into:connect311', 'into:connack5', 'into:publish64'])
const QUICK_HEAP = new Set(['decode:connect311', 'into:connect311'])

export const cases = [['decode', prepareDecode], ['encode', prepareEncode], ['into', prepareInto]].flatMap(([group, prepare]) =>
  DECODE.flatMap((name) => {
    const id = `${group}:${name}`
    const bytes = packets[name].size
    const timed = { id, group, measure: 'time', unit: 'ns', bytes, quick: QUICK.has(id), prepare: (contender) => prepare(contender, packets[name]) }
    return HEAP.has(id) ? [timed, { ...timed, id: `heap:${id}`, group: 'heap', measure: 'heap', unit: 'B', quick: QUICK_HEAP.has(id) }] : [timed]
  }))

function prepareDecode(contender, { name, version, packet }) {
  const codec = contender.codec(version)
  if (codec.reads !== undefined && !codec.reads.has(packet.type)) throw new Unable(`does not read ${packet.type.toUpperCase()}`)
  const { decode } = codec
  const reads = copiesOf(name)
  for (const bytes of reads) check(packet, codec.toPacket(decode(bytes)))
  return {
    loop(n) {
      for (let i = 0; i < n; i++) sink.packet = decode(reads[i & 15])
    },
  }
}

/** Right are the canonical bytes, or others of the same length (property order is free) that say the same. */
function checkBytes(bytes, { name, version, packet }) {
  const expected = bytesOf(name)
  if (Buffer.compare(expected, bytes) === 0) return
  if (bytes.length !== expected.length) throw new Wrong(`wrote ${bytes.length} bytes, not ${expected.length}`)
  check(packet, floorDecode(bytes, version))
}

function prepareEncode(contender, entry) {
  const codec = contender.codec(entry.version)
  const native = codec.fromPacket(entry.packet, entry.version)
  const { encode } = codec
  for (let i = 0; i < 3; i++) checkBytes(encode(native), entry)
  return {
    loop(n) {
      for (let i = 0; i < n; i++) sink.packet = encode(native)
    },
  }
}

function prepareInto(contender, entry) {
  const codec = contender.codec(entry.version)
  const native = codec.fromPacket(entry.packet, entry.version)
  if (codec.encodeInto !== undefined) return intoBuffer(codec, native, entry)
  if (codec.writeToStream !== undefined) return intoStream(codec, native, entry)
  throw new Unable('has no way to write into a buffer or stream')
}

function intoBuffer({ encodeInto }, native, entry) {
  const slab = Buffer.alloc(65_536)
  const room = slab.length - entry.size - 16
  for (const offset of [0, 1, 77]) checkBytes(slab.subarray(offset, encodeInto(native, slab, offset)), entry)
  let at = 0
  return {
    loop(n) {
      for (let i = 0; i < n; i++) {
        at = encodeInto(native, slab, at)
        if (at > room) at = 0
      }
      sink.count += at
    },
  }
}

function intoStream({ writeToStream }, native, entry) {
  const written = []
  const refuse = (error) => { throw new Wrong(error?.message ?? 'destroyed the stream') }
  writeToStream(native, { write: (piece) => written.push(Buffer.from(piece)), destroy: refuse })
  checkBytes(Buffer.concat(written), entry)
  // No cork(): mqtt-packet would otherwise leave one scheduled tick per packet behind.
  const stream = { write(piece) { sink.packet = piece; return true }, destroy: refuse }
  return {
    loop(n) {
      for (let i = 0; i < n; i++) writeToStream(native, stream)
    },
  }
}
