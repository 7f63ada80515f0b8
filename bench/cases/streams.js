// Many packets through one decoder, in reads of four sizes; a new decoder per connection; what an idle one keeps.

import { check, Unable, Wrong } from '../lib/facts.js'
import { keep } from '../lib/sink.js'
import { bytesOf, streamOf } from './bytes.js'
import { MIXED, MIXED5, packets, STORM } from './packets.js'

const READS = [65_536, 1460, 7, 1]
const STREAMS = [['storm', STORM, 4], ['mixed', MIXED, 4], ['mixed5', MIXED5, 5]]
const QUICK = new Set(['stream:storm:1460', 'stream:storm:1', 'fresh:storm'])

export const cases = [
  ...STREAMS.flatMap(([name, names, version]) => READS.map((size) => ({
    id: `stream:${name}:${size}`, group: 'stream', measure: 'time', unit: 'ns',
    bytes: names.reduce((sum, each) => sum + packets[each].size, 0) / names.length,
    quick: QUICK.has(`stream:${name}:${size}`), prepare: (contender) => prepareStream(contender, names, version, size),
  }))),
  { id: 'fresh:storm', group: 'stream', measure: 'time', unit: 'ns', quick: true, prepare: prepareFresh },
  { id: 'heap:fresh:storm', group: 'heap', measure: 'heap', unit: 'B', quick: false, prepare: prepareFresh },
  { id: 'retained:decoder', group: 'heap', measure: 'retained', unit: 'B', quick: true, timeout: 10_000, prepare: prepareRetained },
]

function readable(codec, names) {
  const blind = codec.reads && names.find((name) => !codec.reads.has(packets[name].packet.type))
  if (blind) throw new Unable(`does not read ${packets[blind].packet.type.toUpperCase()}`)
}

function checkAll(seen, names, codec) {
  for (const [i, native] of seen.entries()) check(packets[names[i % names.length]].packet, codec.toPacket(native))
}

function prepareStream(contender, names, version, size) {
  const codec = contender.codec(version)
  readable(codec, names)
  const { reads, count } = streamOf(names, size)
  const { newDecoder, feed } = codec

  // Facts are taken when a packet comes out: a contender may reuse an object, as long as it is right at that moment.
  let seen = 0
  const judge = (native) => check(packets[names[seen++ % names.length]].packet, codec.toPacket(native))
  const judged = newDecoder(judge)
  for (const read of reads) feed(judged, read, judge)
  if (seen !== count) throw new Wrong(`${seen} packets came out, not ${count}`)

  const decoder = newDecoder(keep)
  return {
    per: count,
    loop(n) {
      for (let i = 0; i < n; i++) for (let k = 0; k < reads.length; k++) feed(decoder, reads[k], keep)
    },
  }
}

function prepareFresh(contender) {
  const codec = contender.codec(4)
  readable(codec, STORM)
  const [connect, pingreq, disconnect] = STORM.map(bytesOf)
  const { newDecoder, feed } = codec
  const seen = []
  const collect = (native) => seen.push(native)
  const judged = newDecoder(collect)
  for (const read of [connect, pingreq, disconnect]) feed(judged, read, collect)
  checkAll(seen, STORM, codec)
  if (seen.length !== STORM.length) throw new Wrong(`${seen.length} packets came out, not ${STORM.length}`)
  return {
    loop(n) {
      for (let i = 0; i < n; i++) {
        const decoder = newDecoder(keep)
        feed(decoder, connect, keep)
        feed(decoder, pingreq, keep)
        feed(decoder, disconnect, keep)
      }
    },
  }
}

/** An idle decoder that has seen one CONNECT in a read of its own, as it would from a socket. */
function prepareRetained(contender) {
  const codec = contender.codec(4)
  readable(codec, ['connect311min'])
  const bytes = bytesOf('connect311min')
  const { newDecoder, feed } = codec
  let seen = 0
  const count = () => { seen++ }
  feed(newDecoder(count), bytes, count)
  if (seen !== 1) throw new Wrong('the CONNECT did not come out')
  return {
    make() {
      const decoder = newDecoder(count)
      const read = Buffer.from(new Uint8Array(bytes).buffer)
      feed(decoder, read, count)
      return decoder
    },
  }
}
