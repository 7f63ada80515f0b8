// Inputs of the stream target: packets behind each other, some of them damaged, the last one perhaps cut.
import { varint } from './structure.ts'
import type { Random } from './random.ts'

/** Several packets as one stream, with the choices in front. `damage` changes a packet. */
export function joinPackets(packets: readonly Uint8Array[], connects: readonly Uint8Array[], damage: (packet: Uint8Array) => Uint8Array, random: Random): Uint8Array {
  const parts = [random.bytes(2)]
  // A server's stream begins with CONNECT or says no more.
  if (!random.oneIn(4)) parts.push(random.pick(connects))
  for (let n = random.few(8); n > 0; n--) {
    const packet = random.pick(packets)
    parts.push(packet.length > 2000 && !random.oneIn(16) ? PING : random.oneIn(6) ? damage(packet) : packet)
  }
  // An announcement that nothing follows: up to 268,435,455 bytes.
  if (random.oneIn(12)) parts.push(Uint8Array.of(0x30, ...varint(random.below(2 ** random.below(29)))))
  const whole = Buffer.concat(parts)
  return new Uint8Array(random.oneIn(6) ? whole.subarray(0, 2 + random.below(whole.length - 1)) : whole)
}

const PING = Uint8Array.of(0xc0, 0x00)
