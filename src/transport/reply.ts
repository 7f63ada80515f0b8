// SPDX-License-Identifier: MIT
// The packet that answers a packet, from what a handler has given (see Reply).
import type { Packet, PacketInput, ProtocolVersion } from '../codec/index.ts'
import type { Reply } from './driver-options.ts'

/** Undefined where nothing is to be answered, or the handler does it by itself. Throws where 3.1 has no word for a failure. */
export function answerTo(packet: Packet, reply: Reply, version: ProtocolVersion): PacketInput | undefined {
  if (reply === 'later') return undefined
  switch (packet.type) {
    case 'publish':
      if (packet.qos === 0) return undefined
      // 3.x acknowledges or closes; it cannot refuse (3.1.1 §3.3.5).
      return { type: packet.qos === 1 ? 'puback' : 'pubrec', packetId: packet.packetId!, reasonCode: version === 5 && typeof reply === 'number' ? reply : 0 }
    case 'subscribe':
      return reply === undefined ? undefined : { type: 'suback', packetId: packet.packetId, reasonCodes: codes(reply, packet.subscriptions.length).map((code) => granted(code, version)) }
    case 'unsubscribe':
      return reply === undefined ? undefined : { type: 'unsuback', packetId: packet.packetId, reasonCodes: version === 5 ? codes(reply, packet.filters.length) : [] }
    default: return undefined
  }
}

/** One code for all, or a code for each. */
function codes(reply: number | readonly number[], count: number): readonly number[] {
  return typeof reply === 'number' ? Array<number>(count).fill(reply) : reply
}

function granted(code: number, version: ProtocolVersion): number {
  if (code < 0x80 || version === 5) return code
  if (version === 4) return 0x80
  throw new Error(`SUBACK of MQTT 3.1 cannot say that a subscription failed (code 0x${code.toString(16)}): grant it or disconnect`)
}
