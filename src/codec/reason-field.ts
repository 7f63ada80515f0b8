// SPDX-License-Identifier: MIT
// The Reason Code field, alike in all packets that have one, and the packets that end in "Reason Code, Property Length, properties" with
// both left out when they say nothing: PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT and AUTH (5.0 §3.4.2.1, §3.14.2.1, §3.15.2.1).
import type { PropertiesOf } from './property.ts'
import { readProperties, writeProperties } from './property.ts'
import type { ProtocolVersion } from './protocol.ts'
import type { Reader } from './reader.ts'
import { codesOf } from './reason.ts'
import type { RuleName } from './rules.ts'
import type { Writer } from './writer.ts'

type Coded = 'connack' | 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'suback' | 'unsuback' | 'disconnect' | 'auth'
type WithEnding = Exclude<Coded, 'connack' | 'suback' | 'unsuback'>

export function readReason(r: Reader, type: Coded, version: ProtocolVersion): number {
  const at = r.position
  const code = r.u8(version === 5 ? 'Reason Code' : 'Return code')
  if (CODES[type][(version << 8) | code] === 1) return code
  if (type === 'suback' && code === 0x80) r.object('subackFailure', at, 'code 0x80')
  else throw r.fault(`${type}Code` satisfies RuleName, at, `code 0x${code.toString(16).padStart(2, '0')}`)
  return code
}

export function writeReason(w: Writer, type: Coded, code: number, version: ProtocolVersion, path = 'reasonCode'): void {
  if (!isReason(type, code, version)) throw w.misuse(`${type}Code` satisfies RuleName, path, `code ${String(code)}`)
  w.u8(code)
}

/** Is it a byte at all, and a code this packet may carry? */
export function isReason(type: Coded, code: unknown, version: ProtocolVersion): code is number {
  return typeof code === 'number' && (code & 0xff) === code && CODES[type][(version << 8) | code] === 1
}

/** The 5.0 ending of a packet: nothing (Success), a Reason Code, or a Reason Code and properties. */
export function readEnding<T extends WithEnding>(r: Reader, type: T): { readonly reasonCode: number, readonly properties: PropertiesOf<T> | undefined } {
  if (r.position === r.end) return { reasonCode: 0, properties: undefined }
  const reasonCode = readReason(r, type, 5)
  if (r.position === r.end) return { reasonCode, properties: undefined }
  const properties = readProperties(r, type)
  r.finish('nothingLeft')
  return { reasonCode, properties }
}

/** The shortest form that says the same. */
export function writeEnding<T extends WithEnding>(w: Writer, type: T, code: number, properties: PropertiesOf<T> | undefined): void {
  const any = hasAny(properties)
  if (code === 0 && !any) return
  writeReason(w, type, code, 5)
  if (any) writeProperties(w, type, properties)
}

function hasAny(properties: object | undefined): boolean {
  if (properties === undefined) return false
  // What is no object is for `writeProperties` to refuse.
  if (properties === null || typeof properties !== 'object') return true
  for (const name in properties) {
    const value = (properties as { readonly [name: string]: unknown })[name]
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return true
  }
  return false
}

const CODES: { readonly [T in Coded]: Uint8Array } = /* @__PURE__ */ codesByPacket()

function codesByPacket(): typeof CODES {
  return {
    connack: codesOf('connack'), puback: codesOf('puback'), pubrec: codesOf('pubrec'), pubrel: codesOf('pubrel'), pubcomp: codesOf('pubcomp'),
    suback: codesOf('suback'), unsuback: codesOf('unsuback'), disconnect: codesOf('disconnect'), auth: codesOf('auth'),
  }
}
