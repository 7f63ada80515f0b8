// SPDX-License-Identifier: MIT
// Why a connection ended, all of it, in one sentence for a person.
import { reasonName, toHex } from '../codec/index.ts'
import type { CloseCause } from './types.ts'

/** So many of the last bytes are shown. */
const SHOWN = 16

/**
 * One English sentence from any cause: what happened, who ended it and in which phase, and as far as there are any the code with its name, the Reason
 * String, the Server Reference, the statement of the standard, the offset, the Will that is due and the last bytes.
 */
export function explain(cause: CloseCause): string {
  const { by, phase, sentence, reasonString, serverReference, rule, offset, will, willDelay, bytes } = cause
  const who = by === 'network' ? 'nobody ended it, the network broke' : `ended by the ${by === 'client' ? 'Client' : 'Server'}`
  const facts = [
    `${who} while ${phase}`,
    codeOf(cause),
    reasonString === undefined ? undefined : `Reason String ${JSON.stringify(reasonString)}`,
    serverReference === undefined ? undefined : `Server Reference ${JSON.stringify(serverReference)}`,
    rule === undefined ? undefined : `rule ${rule}`,
    offset === undefined ? undefined : `offset ${offset}`,
    will === undefined ? undefined : `Will on ${JSON.stringify(will.topic)} due ${willDelay === 0 ? 'now' : `in ${willDelay} s`}`,
    bytes === undefined || bytes.length === 0 ? undefined : `last bytes ${bytes.length > SHOWN ? '… ' : ''}${toHex(bytes.subarray(-SHOWN))}`,
  ]
  return `${sentence.replace(/\.$/, '')} (${facts.filter((fact) => fact !== undefined).join('; ')}).`
}

/** A refusal of 3.x has a return code, everything else the Reason Code of 5.0 or the one that says the same. */
function codeOf({ why, version, reasonCode }: CloseCause): string | undefined {
  if (reasonCode === undefined) return undefined
  const type = why === 'refused' ? 'connack' : 'disconnect'
  const returned = why === 'refused' && version !== 5 && reasonCode < 0x80
  const name = reasonName(type, reasonCode, returned ? 4 : 5) ?? reasonName('connack', reasonCode)
  const code = returned ? `return code ${reasonCode}` : `code 0x${reasonCode.toString(16).padStart(2, '0')}`
  return name === undefined ? code : `${code}, ${name}`
}
