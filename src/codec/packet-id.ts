// SPDX-License-Identifier: MIT
// Packet Identifier (5.0 §2.2.1): two bytes, never 0.
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export function readPacketId(r: Reader): number {
  const at = r.position
  const packetId = r.u16('Packet Identifier')
  if (packetId === 0) throw r.fault('packetId', at, 'Packet Identifier 0')
  return packetId
}

export function writePacketId(w: Writer, packetId: number): void {
  if (packetId === 0) throw w.misuse('packetId', 'packetId', '0')
  w.u16(packetId, 'packetId')
}
