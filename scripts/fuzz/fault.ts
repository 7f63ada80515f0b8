// The two errors that bytes can end with: how to know one, and what each must say.
import { MalformedPacket, PACKETS, ProtocolError, REASONS } from '../../src/codec/index.ts'
import type { Packet } from '../../src/codec/index.ts'
import { hold } from './target.ts'

export function isFault(error: unknown): error is MalformedPacket | ProtocolError {
  return error instanceof MalformedPacket || error instanceof ProtocolError
}

/** Whether an error's fields are complete and can be true of `length` bytes. */
export function checkFault(error: MalformedPacket | ProtocolError, length: number): void {
  const { name, reasonCode, offset, packet, rule, version, message } = error
  const complete = (condition: boolean, what: string): void => hold(condition, 'an error is complete', () => `${what} in ${String(error)}`)
  hold(Number.isInteger(offset) && offset >= 0 && offset <= length, 'an offset lies in the packet', () => `${offset} of ${length}`)
  complete(Object.hasOwn(REASONS, reasonCode) && reasonCode >= 0x80, `Reason Code ${reasonCode}`)
  complete((name === 'MalformedPacket') === (reasonCode === 0x81 || reasonCode === 0x95), `${name} with Reason Code ${reasonCode}`)
  complete(RULE.test(rule), `rule ${JSON.stringify(rule)}`)
  complete(packet === undefined || Object.hasOwn(PACKETS, packet), `packet ${String(packet)}`)
  complete(version === undefined || version === 3 || version === 4 || version === 5, `version ${String(version)}`)
  complete(message.length > 20 && !message.includes('undefined'), `message ${JSON.stringify(message)}`)
}

/** What has happened, in a few words: the packet and how much is in it, or the rule broken and about where. */
export function outcomeOf(result: { readonly packet: Packet } | { readonly error: MalformedPacket | ProtocolError }): string {
  if ('error' in result) return `${result.error.packet} ${result.error.rule} at ${magnitude(result.error.offset)}`
  const { packet } = result
  const properties = 'properties' in packet && packet.properties !== undefined ? Object.keys(packet.properties) : []
  const fields = Object.entries(packet).filter(([, value]) => value !== undefined).length
  return `${packet.type} ${fields} ${properties.length} ${properties.at(-1) ?? ''}`
}

function magnitude(offset: number): number {
  return offset < 4 ? offset : 32 - Math.clz32(offset) + 2
}

const RULE = /^(MQTT-\d|SPEC-\d|(3\.1|3\.1\.1|5\.0) (§|Appendix ).)/
