// SPDX-License-Identifier: MIT
// Reason Codes as data (5.0 §2.4), with the 3.x return code that says the same in CONNACK.
//  1. Which packet may carry which code, and who may send it, is decided here and nowhere else.
//  2. This file does not know what anybody does about a code.
import { PACKETS } from './protocol.ts'
import type { PacketType, ProtocolVersion, Sender } from './protocol.ts'

/** Packets with a Reason Code; for DISCONNECT and AUTH the sender matters too. */
type ReasonCarrier = Extract<
  PacketType,
  'connack' | 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'suback' | 'unsuback' | 'disconnect' | 'auth'
>

interface ReasonRow {
  readonly name: string
  readonly carriers: readonly (ReasonCarrier | 'disconnect by client' | 'disconnect by server' | 'auth by client' | 'auth by server')[]
  /** the CONNACK return code of 3.1 and 3.1.1 that means this; none: those versions close without a word (MQTT-3.2.2-6) */
  readonly v3?: number
}

/** Table 2-6. 0x00 has three names there; `reasonName` picks by packet. */
export const REASONS: { readonly [code: number]: ReasonRow } = {
  0x00: {
    name: 'Success', v3: 0,
    carriers: ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'disconnect', 'auth by server'],
  },
  0x01: { name: 'Granted QoS 1', carriers: ['suback'] },
  0x02: { name: 'Granted QoS 2', carriers: ['suback'] },
  0x04: { name: 'Disconnect with Will Message', carriers: ['disconnect by client'] },
  0x10: { name: 'No matching subscribers', carriers: ['puback', 'pubrec'] },
  0x11: { name: 'No subscription existed', carriers: ['unsuback'] },
  0x18: { name: 'Continue authentication', carriers: ['auth'] },
  0x19: { name: 'Re-authenticate', carriers: ['auth by client'] },
  0x80: { name: 'Unspecified error', carriers: ['connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect'] },
  0x81: { name: 'Malformed Packet', carriers: ['connack', 'disconnect'] },
  0x82: { name: 'Protocol Error', carriers: ['connack', 'disconnect'] },
  0x83: { name: 'Implementation specific error', carriers: ['connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect'] },
  0x84: { name: 'Unsupported Protocol Version', v3: 1, carriers: ['connack'] },
  0x85: { name: 'Client Identifier not valid', v3: 2, carriers: ['connack'] },
  0x86: { name: 'Bad User Name or Password', v3: 4, carriers: ['connack'] },
  0x87: { name: 'Not authorized', v3: 5, carriers: ['connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect by server'] },
  0x88: { name: 'Server unavailable', v3: 3, carriers: ['connack'] },
  0x89: { name: 'Server busy', v3: 3, carriers: ['connack', 'disconnect by server'] },
  0x8a: { name: 'Banned', v3: 5, carriers: ['connack'] },
  0x8b: { name: 'Server shutting down', carriers: ['disconnect by server'] },
  0x8c: { name: 'Bad authentication method', carriers: ['connack', 'disconnect'] },
  0x8d: { name: 'Keep Alive timeout', carriers: ['disconnect by server'] },
  0x8e: { name: 'Session taken over', carriers: ['disconnect by server'] },
  0x8f: { name: 'Topic Filter invalid', carriers: ['suback', 'unsuback', 'disconnect by server'] },
  0x90: { name: 'Topic Name invalid', carriers: ['connack', 'puback', 'pubrec', 'disconnect'] },
  0x91: { name: 'Packet Identifier in use', carriers: ['puback', 'pubrec', 'suback', 'unsuback'] },
  0x92: { name: 'Packet Identifier not found', carriers: ['pubrel', 'pubcomp'] },
  0x93: { name: 'Receive Maximum exceeded', carriers: ['disconnect'] },
  0x94: { name: 'Topic Alias invalid', carriers: ['disconnect'] },
  0x95: { name: 'Packet too large', carriers: ['connack', 'disconnect'] },
  0x96: { name: 'Message rate too high', carriers: ['disconnect'] },
  0x97: { name: 'Quota exceeded', v3: 3, carriers: ['connack', 'puback', 'pubrec', 'suback', 'disconnect'] },
  0x98: { name: 'Administrative action', carriers: ['disconnect'] },
  0x99: { name: 'Payload format invalid', carriers: ['connack', 'puback', 'pubrec', 'disconnect'] },
  0x9a: { name: 'Retain not supported', carriers: ['connack', 'disconnect by server'] },
  0x9b: { name: 'QoS not supported', carriers: ['connack', 'disconnect by server'] },
  0x9c: { name: 'Use another server', carriers: ['connack', 'disconnect by server'] },
  0x9d: { name: 'Server moved', carriers: ['connack', 'disconnect by server'] },
  0x9e: { name: 'Shared Subscriptions not supported', carriers: ['suback', 'disconnect by server'] },
  0x9f: { name: 'Connection rate exceeded', v3: 3, carriers: ['connack', 'disconnect by server'] },
  0xa0: { name: 'Maximum connect time', carriers: ['disconnect by server'] },
  0xa1: { name: 'Subscription Identifiers not supported', carriers: ['suback', 'disconnect by server'] },
  0xa2: { name: 'Wildcard Subscriptions not supported', carriers: ['suback', 'disconnect by server'] },
}

/** The name of a Reason Code as Table 2-6 spells it for that packet; undefined for a code the standard does not know. */
export function reasonName(type: PacketType, code: number, version: ProtocolVersion = 5): string | undefined {
  if (version !== 5 && type === 'connack') return RETURN_CODES[code]
  if (code === 0 && type === 'disconnect') return 'Normal disconnection'
  if (code === 0 && type === 'suback') return 'Granted QoS 0'
  return REASONS[code]?.name
}

/** The 3.x CONNACK return code that says what a 5.0 Reason Code says; 0 to 5 stay what they are. Undefined: 3.x has no word for it. */
export function returnCode(reasonCode: number): number | undefined {
  return reasonCode >= 0 && reasonCode < RETURN_CODES.length ? reasonCode : REASONS[reasonCode]?.v3
}

/** 3.1.1 Table 3.1: what a CONNACK of 3.1 or 3.1.1 can say. */
export const RETURN_CODES: readonly string[] = [
  'Connection accepted',
  'Connection refused, unacceptable protocol version',
  'Connection refused, identifier rejected',
  'Connection refused, server unavailable',
  'Connection refused, bad user name or password',
  'Connection refused, not authorized',
]

/**
 * May this packet carry this code in this version, whoever sends it? 3.x knows codes in CONNACK (0 to 5) and SUBACK (granted QoS;
 * 0x80 since 3.1.1) only.
 */
export function mayCarry(type: PacketType, code: number, version: ProtocolVersion): boolean {
  if (version === 5) return ((CARRIERS.client[code]! | CARRIERS.server[code]!) & (1 << PACKETS[type].number)) !== 0
  if (type === 'connack') return RETURN_CODES[code] !== undefined
  return type === 'suback' && (code === 0 || code === 1 || code === 2 || (code === 0x80 && version === 4))
}

/** `mayCarry` of one packet as a table: 1 at `version << 8 | code` for each code it may carry. */
export function codesOf(type: PacketType): Uint8Array {
  return Uint8Array.from({ length: 6 << 8 }, (_, i) => (i >> 8 >= 3 && mayCarry(type, i & 0xff, (i >> 8) as ProtocolVersion) ? 1 : 0))
}

/** May this sender say it? Narrows `mayCarry` where Table 2-6 tells client and server apart (DISCONNECT, AUTH). */
export function maySend(sender: Sender, type: PacketType, code: number): boolean {
  return (CARRIERS[sender][code]! & (1 << PACKETS[type].number)) !== 0
}

/** Table 2-6 turned around: for each code a bit per packet number, by sender. */
const CARRIERS: { readonly [S in Sender]: Uint16Array } = /* @__PURE__ */ carriersBySender()

function carriersBySender(): { [S in Sender]: Uint16Array } {
  const bits = { client: new Uint16Array(256), server: new Uint16Array(256) }
  for (const [code, { carriers }] of Object.entries(REASONS)) {
    for (const carrier of carriers) {
      const [type, sender] = carrier.split(' by ') as [PacketType, Sender | undefined]
      if (sender !== 'server') bits.client[Number(code)]! |= 1 << PACKETS[type].number
      if (sender !== 'client') bits.server[Number(code)]! |= 1 << PACKETS[type].number
    }
  }
  return bits
}
