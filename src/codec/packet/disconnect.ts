// SPDX-License-Identifier: MIT
// DISCONNECT (5.0 §3.14; 3.1.1 §3.14): the last packet. Before 5.0 only a Client sends it, and it is two bytes.
import type { PropertiesOf } from '../property.ts'
import { refuseProperties } from '../property.ts'
import type { ProtocolVersion } from '../protocol.ts'
import type { Reader } from '../reader.ts'
import { readEnding, writeEnding } from '../reason-field.ts'
import type { Writer } from '../writer.ts'

/** The last packet of a connection (5.0 §3.14; 3.1.1 §3.14). Before 5.0 only a Client sends it, and it says no more than that. */
export interface Disconnect {
  readonly type: 'disconnect'
  /** 0x00 Normal disconnection (also when left out on the wire), 0x04 with Will Message, 0x80 and above errors */
  readonly reasonCode: number
  readonly properties?: PropertiesOf<'disconnect'> | undefined
}

/** DISCONNECT to encode: `reasonCode` left out is 0x00; before 5.0 there is no other, and no properties. */
export interface DisconnectInput extends Omit<Disconnect, 'reasonCode'> {
  readonly reasonCode?: number | undefined
}

/** DISCONNECT without a word more, in every version: shared, like the pings. */
export const NORMAL_DISCONNECTION: Disconnect = /* @__PURE__ */ Object.freeze({ type: 'disconnect', reasonCode: 0, properties: undefined })

export function readDisconnect(r: Reader, version: ProtocolVersion): Disconnect {
  if (version < 5) r.finish('noBody')
  if (r.position === r.end) return NORMAL_DISCONNECTION
  const { reasonCode, properties } = readEnding(r, 'disconnect')
  return { type: 'disconnect', reasonCode, properties }
}

export function writeDisconnect(w: Writer, packet: DisconnectInput, version: ProtocolVersion): number {
  const { reasonCode = 0 } = packet
  if (version === 5) writeEnding(w, 'disconnect', reasonCode, packet.properties)
  else {
    if (reasonCode !== 0) throw w.misuse('versionFive', 'reasonCode', `code ${String(reasonCode)} in a DISCONNECT of MQTT 3.x`)
    refuseProperties(w, packet.properties)
  }
  return 0
}
