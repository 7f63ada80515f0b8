// SPDX-License-Identifier: MIT
// What an acknowledgement says, as a value or an error.
import { reasonName } from '../codec/index.ts'
import type { Packet, PacketOf, PacketType, PublishInput } from '../codec/index.ts'

/** A message as an application gives it: no Packet Identifier, no DUP. `qos` and `retain` left out: 0 and false. Its payload is not copied: leave it alone until it is settled. */
export type Message = Omit<PublishInput, 'type' | 'packetId' | 'dup'>

/** The peer has answered, and the answer is no. `packet` is what it said; `reasonCode` (of the first refusal, where there are several) is 0x80 or above. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly reasonCode: number
  readonly packet: Packet
  constructor(packet: Packet, reasonCode: number, what: string) {
    const { reasonString } = ('properties' in packet ? packet.properties ?? {} : {}) as { readonly reasonString?: string }
    super(`${what}: 0x${reasonCode.toString(16)} ${reasonName(packet.type as PacketType, reasonCode) ?? ''}${reasonString === undefined ? '' : ` (${reasonString})`}`)
    this.packet = packet
    this.reasonCode = reasonCode
  }
}

/** PUBACK, PUBREC or PUBCOMP of a message, nothing for QoS 0; throws Refused where it refuses. */
export function published(packet: Packet | undefined, topic: string): PacketOf<'puback' | 'pubrec' | 'pubcomp'> | undefined {
  const ack = packet as PacketOf<'puback' | 'pubrec' | 'pubcomp'> | undefined
  // A PUBCOMP that knows the identifier no more (0x92) comes after the message was taken.
  if (ack !== undefined && ack.type !== 'pubcomp' && ack.reasonCode >= 0x80) throw new Refused(ack, ack.reasonCode, `the message to ${JSON.stringify(topic)} was refused`)
  return ack
}

/** The codes of SUBACK or UNSUBACK, one for each Topic Filter; throws Refused where one of them is a refusal. */
export function answered(packet: PacketOf<'suback' | 'unsuback'>, filters: readonly string[]): readonly number[] {
  const codes = packet.reasonCodes ?? []
  const at = codes.findIndex((code) => code >= 0x80)
  if (at >= 0) throw new Refused(packet, codes[at]!, `${packet.type === 'suback' ? 'SUBSCRIBE' : 'UNSUBSCRIBE'} ${JSON.stringify(filters[at])} was refused`)
  return codes
}
