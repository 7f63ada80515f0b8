// SPDX-License-Identifier: MIT
// PINGREQ and PINGRESP (5.0 §3.12, §3.13): a fixed header and nothing else, so each is one shared frozen object.
import type { Reader } from '../reader.ts'

export interface Pingreq { readonly type: 'pingreq' }
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
