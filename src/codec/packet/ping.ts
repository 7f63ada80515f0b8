// SPDX-License-Identifier: MIT
// PINGREQ and PINGRESP (5.0 §3.12, §3.13): a fixed header and nothing else, so each is one shared frozen object.
import type { Reader } from '../reader.ts'

/** A Client is alive, and asks whether the Server is (5.0 §3.12; 3.1.1 §3.12). To encode, too. */
export interface Pingreq { readonly type: 'pingreq' }
/** The Server's answer to PINGREQ (5.0 §3.13; 3.1.1 §3.13). To encode, too. */
export interface Pingresp { readonly type: 'pingresp' }

export const PINGREQ: Pingreq = /* @__PURE__ */ Object.freeze({ type: 'pingreq' })
export const PINGRESP: Pingresp = /* @__PURE__ */ Object.freeze({ type: 'pingresp' })

export function readPingreq(r: Reader): Pingreq {
  r.finish('noBody')
  return PINGREQ
}

export function readPingresp(r: Reader): Pingresp {
  r.finish('noBody')
  return PINGRESP
}

/** Writes nothing: there is no body. */
export function writePing(): number {
  return 0
}
