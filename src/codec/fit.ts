// SPDX-License-Identifier: MIT
// What may be left out of a packet that the receiver would find too large: Reason String and User Properties of everything but CONNECT and
// PUBLISH (5.0 §3.4.2.2.2 and its likes). Both are for people; the code that matters stays.
import { encodedSize } from './encode.ts'
import type { PacketInput } from './packet.ts'
import type { ProtocolVersion } from './protocol.ts'

/** Tried in this order: whole, without the one, without the other, without both. */
const LEFT_OUT: readonly (readonly string[])[] = [[], ['reasonString'], ['userProperties'], ['reasonString', 'userProperties']]

/**
 * The packet, or what is left of it, in at most `maximumPacketSize` bytes; undefined when it cannot be made that small. Returns the very packet when it
 * fits. CONNECT and PUBLISH are never changed: their User Properties belong to somebody. Throws UsageError as `encode` does.
 */
export function fit<P extends PacketInput>(packet: P, version: ProtocolVersion, maximumPacketSize: number): P | undefined {
  const properties = 'properties' in packet ? packet.properties : undefined
  const fixed = properties === undefined || packet.type === 'publish' || packet.type === 'connect'
  for (const names of fixed ? [[]] : LEFT_OUT) {
    const candidate = names.length === 0 ? packet : { ...packet, properties: without(properties!, names) }
    if (encodedSize(candidate, version) <= maximumPacketSize) return candidate
  }
  return undefined
}

function without(properties: object, names: readonly string[]): object | undefined {
  const kept = Object.entries(properties).filter(([name, value]) => value !== undefined && !names.includes(name))
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}
