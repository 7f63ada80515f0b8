// SPDX-License-Identifier: MIT
// AUTH (5.0 §3.15): one step of an enhanced authentication. There is none before 5.0.
import type { PropertiesOf } from '../property.ts'
import type { Reader } from '../reader.ts'
import { readEnding, writeEnding } from '../reason-field.ts'
import type { Writer } from '../writer.ts'

/** One step of an enhanced authentication, by either side (5.0 §3.15, §4.12). There is none before 5.0. */
export interface Auth {
  readonly type: 'auth'
  /** 0x00 Success (Server), 0x18 Continue authentication, 0x19 Re-authenticate (Client) */
  readonly reasonCode: number
  readonly properties?: PropertiesOf<'auth'> | undefined
}

/** AUTH to encode: `reasonCode` left out is 0x00. An Authentication Method may be missing only where there is nothing else (5.0 §3.15.2.2.2). */
export interface AuthInput extends Omit<Auth, 'reasonCode'> {
  readonly reasonCode?: number | undefined
}

export function readAuth(r: Reader): Auth {
  const at = r.position
  const short = at === r.end
  const { reasonCode, properties } = readEnding(r, 'auth')
  // Only the form without a body may go without the method (§3.15.2.2.2).
  if (!short && properties?.authenticationMethod === undefined) throw r.fault('authMethod', Math.min(at + 1, r.end), 'no Authentication Method')
  return { type: 'auth', reasonCode, properties }
}

export function writeAuth(w: Writer, packet: AuthInput): number {
  const { reasonCode = 0, properties } = packet
  const at = w.position
  writeEnding(w, 'auth', reasonCode, properties)
  if (w.position > at && properties?.authenticationMethod === undefined) throw w.misuse('authMethod', 'properties.authenticationMethod', 'no Authentication Method')
  return 0
}
