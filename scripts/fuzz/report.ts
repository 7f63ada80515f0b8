// A find in the form of fixtures/regressions.json. What should have happened is not in it: that is taken from the standard, never from what
// a decoder answered.
import { annotate, PACKETS, toHex } from '../../src/codec/index.ts'
import { chunksOf, cutsOf, limitOf, STREAM_CHOICES } from './check-stream.ts'
import type { Broken } from './target.ts'

export function codecCase(input: Uint8Array, broken: Broken): object {
  return { ...headOf(input, broken), hex: toHex(input) }
}

/** A stream is a case of the bytes of all chunks; `chunks` says how they came. */
export function streamCase(input: Uint8Array, broken: Broken): object {
  const bytes = input.subarray(STREAM_CHOICES)
  return { ...headOf(bytes, broken), hex: toHex(bytes), chunks: chunksOf(bytes, cutsOf(input)).map(toHex), maximumPacketSize: limitOf(input) }
}

function headOf(bytes: Uint8Array, { property, message, version = 5 }: Broken): object {
  const type = Object.keys(PACKETS)[((bytes[0] ?? 0) >> 4) - 1] ?? 'connect'
  // 9001 and up: regressions, however many fixtures there are.
  return { id: `v${type === 'connect' ? levelOf(bytes) ?? version : version}-${type}-9001`, title: property, story: `${message}. Found by npm run fuzz.`, spec: [] }
}

/** The Protocol Version that a CONNECT announces, if it is one there is. */
function levelOf(bytes: Uint8Array): number | undefined {
  return [5, 4, 3].find((candidate) => annotate(bytes).some(({ name, value }) => name === 'Protocol Version' && value === candidate))
}
