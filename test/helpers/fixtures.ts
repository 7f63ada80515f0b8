// The golden cases of fixtures/, as the tests walk them.
import * as assert from 'uvu/assert'
import { readFileSync } from 'node:fs'
import { fromHex } from '../../src/codec/index.ts'
import type { PacketType, ProtocolVersion } from '../../src/codec/index.ts'

export const FIXTURES: URL = new URL('../../fixtures/', import.meta.url)

export interface IndexRow {
  readonly file: string
  readonly version: ProtocolVersion
  readonly packet: PacketType
  readonly cases: number
  readonly valid: number
  readonly malformed: number
}

export interface FixtureCase {
  readonly id: string
  readonly title: string
  readonly spec: readonly string[]
  readonly hex: string
  readonly canonical?: boolean
  readonly packet?: object
  readonly reencoded?: string
  readonly encodes?: boolean
  readonly error?: { readonly name: string, readonly reasonCode: number, readonly offset: number }
}

export function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8'))
}

/** The index's rows for packets, each with its cases. */
export function loadFixtures(): readonly { readonly row: IndexRow, readonly cases: readonly FixtureCase[] }[] {
  const index = readJson('index.json') as readonly IndexRow[]
  return index.filter(({ packet }) => packet !== undefined).map((row) => ({ row, cases: readJson(row.file) as readonly FixtureCase[] }))
}

/** The bytes of a case's frame as its header announces it, were they all there; undefined where the header announces nothing. */
export function frameSize(bytes: Uint8Array): number | undefined {
  let length = 0
  for (let i = 1; i <= 4 && i < bytes.length; i++) {
    length += (bytes[i]! & 0x7f) * 128 ** (i - 1)
    if (bytes[i]! < 0x80) return 1 + i + length
  }
  return undefined
}

/** Tries every case, and fails once, naming those that a try throws for. */
export function everyCase(cases: readonly FixtureCase[], attempt: (one: FixtureCase, bytes: Uint8Array) => void): void {
  const complaints: string[] = []
  for (const one of cases) {
    try {
      attempt(one, fromHex(one.hex))
    } catch (error) {
      const { message, details } = error as { message: string, details?: unknown }
      complaints.push(`${one.id} (${one.title}): ${message}${typeof details === 'string' ? details.replace(/\x1b\[\d+m/g, '') : ''}`)
    }
  }
  if (complaints.length > 0) assert.unreachable(`${complaints.length} of ${cases.length} cases\n${complaints.slice(0, 20).join('\n')}`)
}
