// One big PUBLISH in small reads: 16 MiB, and time against size at one byte a read. Anything that is not linear shows
// here as a peer can provoke it: by sending slowly.

import { Wrong } from '../lib/facts.js'
import { sink } from '../lib/sink.js'
import { bigPublish } from './bytes.js'

const KIB = 1024
const MIB = 1024 * KIB

export const cases = [
  ...[1460, 16].map((read) => entry(`big:16MiB:${read}`, 'big', 16 * MIB, read, read === 1460)),
  ...[16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB].map((size) => entry(`grow:1:${size}`, 'grow', size, 1, false)),
]

function entry(id, group, size, read, quick) {
  return { id, group, series: `${group}:${read}`, measure: 'once', unit: 'ns', bytes: size, quick, prepare: (contender) => prepare(contender, size, read) }
}

function prepare(contender, size, readSize) {
  const { newDecoder, feed, toPacket } = contender.codec(4)
  let last
  const take = (native) => { last = native }

  const deliver = (big) => {
    last = undefined
    const decoder = newDecoder(take)
    big.feed((read) => feed(decoder, read, take))
    sink.packet = last
  }
  const judge = (big) => {
    if (last === undefined) throw new Wrong('no packet came out')
    const { topic, payload } = toPacket(last)
    if (topic !== 'big' || !big.isPayload(payload)) throw new Wrong('topic or payload is not what was sent')
  }

  const small = bigPublish(16 * KIB, readSize)
  deliver(small)
  judge(small)
  const big = bigPublish(size, readSize)
  let judged = false
  return {
    rehearse: () => deliver(small),
    run: () => deliver(big),
    /** Called after the clock has stopped, since the one packet there is takes this long to make. */
    after() {
      if (!judged) judge(big)
      judged = true
    },
  }
}
