// SPDX-License-Identifier: MIT
// The Control Packets as data.
//  1. A packet's number, its fixed header flags and who may send it are decided here and nowhere else.
//  2. This file knows neither bytes nor phases: when a packet may be sent is for fsm/lifecycle.ts.

/** The Protocol Version byte of CONNECT: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type ProtocolVersion = 3 | 4 | 5

/** A side of the connection: the one that sent CONNECT, or the one that got it. */
export type Sender = 'client' | 'server'

/**
 * `number`: bits 7-4 of byte 1 (5.0 §2.1.2) · `flags`: bits 3-0, where PUBLISH has a meaning for each instead (5.0 §2.1.3) ·
 * `senders`: who may send it at all · `since`: the first version that has it.
 */
export const PACKETS = {
  connect: { number: 1, flags: 0b0000, senders: 'client', since: 3 },
  connack: { number: 2, flags: 0b0000, senders: 'server', since: 3 },
  publish: { number: 3, flags: 'publish', senders: 'both', since: 3 },
  puback: { number: 4, flags: 0b0000, senders: 'both', since: 3 },
  pubrec: { number: 5, flags: 0b0000, senders: 'both', since: 3 },
  pubrel: { number: 6, flags: 0b0010, senders: 'both', since: 3 },
  pubcomp: { number: 7, flags: 0b0000, senders: 'both', since: 3 },
  subscribe: { number: 8, flags: 0b0010, senders: 'client', since: 3 },
  suback: { number: 9, flags: 0b0000, senders: 'server', since: 3 },
  unsubscribe: { number: 10, flags: 0b0010, senders: 'client', since: 3 },
  unsuback: { number: 11, flags: 0b0000, senders: 'server', since: 3 },
  pingreq: { number: 12, flags: 0b0000, senders: 'client', since: 3 },
  pingresp: { number: 13, flags: 0b0000, senders: 'server', since: 3 },
  // Before 5.0 only a Client sends DISCONNECT; lifecycle.ts has the column.
  disconnect: { number: 14, flags: 0b0000, senders: 'both', since: 3 },
  auth: { number: 15, flags: 0b0000, senders: 'both', since: 5 },
} as const

/** The name of a Control Packet (5.0 §2.1.2), a key of PACKETS and the `type` of a Packet. */
export type PacketType = keyof typeof PACKETS

/** Packet types by number; 0 is forbidden (5.0 §2.1.2). */
export const PACKET_TYPES: readonly (PacketType | undefined)[] = [
  undefined,
  ...(Object.keys(PACKETS) as PacketType[]),
]

/** The Protocol Name of each version, as CONNECT spells it. */
export const PROTOCOL_NAMES: { readonly [V in ProtocolVersion]: string } = { 3: 'MQIsdp', 4: 'MQTT', 5: 'MQTT' }

/** The largest Remaining Length: four bytes of seven bits (5.0 §1.5.5). */
export const MAXIMUM_REMAINING_LENGTH = 268_435_455
