// SPDX-License-Identifier: MIT
// The last thing that happens to a packet before it is written: what the peer has asked to be spared is left out (5.0 §3.1.2.11.4 to .7), and what
// it would find too large is not sent at all.
import { fit } from '../codec/index.ts'
import type { PacketInput, UsageError } from '../codec/index.ts'
import { peerTerms } from './flow.ts'
import { usageError } from './refuse.ts'
import type { Agreement, Role, Send } from './types.ts'

/** The packet as it may be written; undefined: not even without Reason String and User Properties would the peer take it. */
export function outgoing<P extends PacketInput>(packet: P, role: Role, agreement: Agreement): P | undefined {
  const { version } = agreement
  const { maximumPacketSize, problemInformation, responseInformation } = peerTerms(role, agreement)
  let out = packet
  if (role === 'server' && version === 5) {
    if (!problemInformation && !MAY_EXPLAIN.has(packet.type)) out = spared(out, ['reasonString', 'userProperties'])
    if (!responseInformation && packet.type === 'connack') out = spared(out, ['responseInformation'])
  }
  return maximumPacketSize === undefined ? out : fit(out, version, maximumPacketSize)
}

/** The same for what our application asked for: the error, where there is no way to send it. */
export function outgoingFor<P extends PacketInput>(input: Send, packet: P, role: Role, agreement: Agreement): P | UsageError {
  try {
    return outgoing(packet, role, agreement) ?? usageError(input, role === 'client' ? 'maximumPacketSizeOfServer' : 'maximumPacketSizeOfClient', agreement.version, `it would be larger than the ${peerTerms(role, agreement).maximumPacketSize} bytes the peer takes`)
  } catch (error) {
    // What cannot be encoded has no size.
    return error as UsageError
  }
}

/** Has the Server told what the Client asked it not to (5.0 §3.1.2.11.6, .7)? */
export function unaskedInformation(packet: PacketInput, { terms: { client } }: Agreement): 'problemInformation' | 'responseInformation' | undefined {
  if (!('properties' in packet) || packet.properties === undefined) return undefined
  const { reasonString, userProperties, responseInformation } = packet.properties as Explaining
  if (!client.problemInformation && !MAY_EXPLAIN.has(packet.type) && (reasonString !== undefined || userProperties !== undefined)) return 'problemInformation'
  return !client.responseInformation && responseInformation !== undefined ? 'responseInformation' : undefined
}

interface Explaining {
  readonly reasonString?: string | undefined
  readonly userProperties?: readonly unknown[] | undefined
  readonly responseInformation?: string | undefined
}

/** Reason String and User Property stay in these whatever Request Problem Information says. */
const MAY_EXPLAIN: ReadonlySet<string> = /* @__PURE__ */ new Set(['publish', 'connack', 'disconnect'])

function spared<P extends PacketInput>(packet: P, names: readonly string[]): P {
  const properties = (packet as { readonly properties?: object | undefined }).properties
  if (properties === undefined || !names.some((name) => (properties as { readonly [name: string]: unknown })[name] !== undefined)) return packet
  return { ...packet, properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))) }
}
