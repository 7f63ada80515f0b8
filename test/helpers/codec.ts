// What the tests of the codec share. Packets are compared as JSON, bytes as hex, errors as data.
import * as assert from 'uvu/assert'
import { decode, encode, encodeInto, fromHex, fromJson, RULES, toHex, toJson } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion, RuleName } from '../../src/codec/index.ts'

export const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5]

/** What decoding these bytes gives, as JSON. */
export function decoded(hex: string, version: ProtocolVersion): unknown {
  return toJson(decode(fromHex(hex), version))
}

/** What encoding this packet (of whatever type, it may be wrong) gives, as hex. */
export function encoded(packet: unknown, version: ProtocolVersion): string {
  return toHex(encode(packet as PacketInput, version))
}

/** These bytes are this packet, both ways. */
export function same(hex: string, packet: unknown, version: ProtocolVersion): void {
  assert.equal(decoded(hex, version), packet, `decode ${hex}`)
  assert.is(encoded(fromJson(packet), version), hex)
}

/** Decoding these bytes breaks `rule` at `offset`; the rule's row says with which error, the version with which statement. */
export function faulty(hex: string, version: ProtocolVersion, rule: RuleName, offset: number, statement?: string): void {
  assert.equal(facts(thrownBy(() => decode(fromHex(hex), version))), expected(rule, version, offset, statement), `decode ${hex}`)
}

/** The facts of the error for a broken rule, from its row. */
export function expected(rule: RuleName, version: ProtocolVersion, offset: number, statement?: string): object {
  const row: { readonly code: number, readonly [version: number]: string } = RULES[rule]
  const name = row.code === 0x81 || row.code === 0x95 ? 'MalformedPacket' : 'ProtocolError'
  return { name, reasonCode: row.code, offset, rule: statement ?? row[version] }
}

/** The four facts of a decode error. */
export function facts(error: unknown): object {
  const { name, reasonCode, offset, rule } = error as { [fact: string]: unknown }
  return { name, reasonCode, offset, rule }
}

/** Encoding this packet breaks `rule` at `path`; `encodeInto` refuses it as well and leaves its target alone. */
export function misused(packet: unknown, version: ProtocolVersion, rule: RuleName, path: string, statement?: string): void {
  const row: { readonly [version: number]: string } = RULES[rule]
  const wanted = { name: 'UsageError', rule: statement ?? row[version] ?? row[5], path }
  const target = new Uint8Array(512).fill(0xa5)
  for (const act of [() => encode(packet as PacketInput, version), () => encodeInto(packet as PacketInput, version, target, 7)]) {
    const { name, rule: broken, path: where } = thrownBy(act) as { [fact: string]: unknown }
    assert.equal({ name, rule: broken, path: where }, wanted)
  }
  assert.ok(target.every((byte) => byte === 0xa5), 'a refused packet has changed the target of encodeInto')
}

/** The error an act ends with; it must. */
export function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return assert.unreachable('nothing was thrown')
}

/** The hex of a frame: its first byte, the Remaining Length counted (below 128), the body. */
export function frame(first: string, ...body: string[]): string {
  const bytes = fromHex(body.join(''))
  assert.ok(bytes.length < 128)
  return toHex(Uint8Array.of(parseInt(first, 16), bytes.length, ...bytes))
}

/** The hex of properties behind their Property Length, counted (below 128). */
export function props(...list: string[]): string {
  const bytes = fromHex(list.join(''))
  assert.ok(bytes.length < 128)
  return toHex(Uint8Array.of(bytes.length, ...bytes))
}

/** The hex of a text behind its two-byte length. */
export function text(value: string): string {
  const bytes = new TextEncoder().encode(value)
  return toHex(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff, ...bytes))
}
