// The fixtures, as the fuzzer uses them: seeds for all targets, packets and errors for the machine.
import { existsSync, readFileSync } from 'node:fs'
import { fromHex } from '../../src/codec/index.ts'
import type { ProtocolVersion } from '../../src/codec/index.ts'

export interface Case {
  readonly id: string
  readonly version: ProtocolVersion
  readonly bytes: Uint8Array
  /** valid cases: the packet as JSON */
  readonly packet?: { readonly type: string }
  readonly error?: { readonly name: string, readonly reasonCode: number, readonly offset: number }
}

const FOLDER = new URL('../../fixtures/', import.meta.url)

/** All fixtures, and the regressions behind them: what has broken once is a good place to begin. */
export function loadFixtures(): readonly Case[] {
  const files = (read('index.json') as { readonly file: string }[]).map(({ file }) => file)
  return [...files, ...existsSync(new URL('regressions.json', FOLDER)) ? ['regressions.json'] : []].flatMap((file) =>
    (read(file) as (Omit<Case, 'version' | 'bytes'> & { readonly hex?: string })[]).flatMap(({ id, hex, packet, error }) =>
      (hex === undefined ? [] : [{ id, version: Number(id[1]) as ProtocolVersion, bytes: fromHex(hex), ...packet && { packet }, ...error && { error } }])))
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
}
