// SPDX-License-Identifier: MIT
// What a server did, in words.
import { PROPERTIES, reasonName } from '../codec/index.ts'
import type { Connack, ProtocolVersion } from '../codec/index.ts'
import { safe } from './io.ts'
import type { Answer } from './probe/open.ts'
import { VERSIONS } from './versions.ts'

/** What came of a CONNECT. */
export function answerText(answer: Answer): string {
  switch (answer.kind) {
    case 'accepted': return `accepted${answer.connack.properties?.assignedClientIdentifier === undefined ? '' : `, Client Identifier ${safe(JSON.stringify(answer.connack.properties.assignedClientIdentifier))} assigned`}`
    case 'refused': return `refused, ${codeText(answer)}${saidText(answer.connack)}`
    case 'closed': return answer.reset ? 'the connection is reset without a word' : 'the connection is closed without a word'
    case 'silent': return 'no answer'
    case 'foreign': return `the answer is ${answer.protocol}`
    case 'wrong': return `the answer is no CONNACK: ${safe(answer.sentence)}`
  }
}

/** The code of a refusal, in its own form. */
export function codeText({ code, form }: Extract<Answer, { readonly kind: 'refused' }>): string {
  const hex = `0x${code.toString(16).padStart(2, '0')}`
  return `${hex} ${reasonName('connack', code, form) ?? 'unknown'}`
}

/** What the server would have its users know. */
export function saidText(connack: Connack | undefined): string {
  const { reasonString, serverReference } = connack?.properties ?? {}
  return [reasonString === undefined ? '' : `; it says ${safe(JSON.stringify(reasonString))}`, serverReference === undefined ? '' : `; use ${safe(serverReference)}`].join('')
}

/** What a CONNACK of 5.0 announces; what it leaves out has the standard's default. */
export function announced({ sessionPresent, properties }: Connack, version: ProtocolVersion): string {
  if (version < 5) return `MQTT ${VERSIONS[version]} announces none`
  const told = Object.entries(properties ?? {}).filter(([name, value]) => value !== undefined && name !== 'authenticationData' && name !== 'userProperties')
    .map(([name, value]) => `${PROPERTIES[name as keyof typeof PROPERTIES].title} ${typeof value === 'string' ? safe(JSON.stringify(value)) : value === true ? 'yes' : value === false ? 'no' : String(value)}`)
  const session = sessionPresent ? ['a session was present'] : []
  return [...told, ...session].join(', ') || 'none announced: Receive Maximum 65535, QoS 2, no Topic Alias, retained messages, wildcards and shared subscriptions'
}
