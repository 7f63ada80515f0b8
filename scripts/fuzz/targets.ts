// The three targets: bytes as one packet, bytes as a stream, bytes as a program for the connection machine.
import * as codecModule from '../../src/codec/index.ts'
import * as fsmModule from '../../src/fsm/index.ts'
import { checkCodec } from './check-codec.ts'
import type { Codec } from './check-codec.ts'
import { checkState, logOf } from './check-state.ts'
import type { Machine } from './check-state.ts'
import { checkStream, STREAM_CHOICES } from './check-stream.ts'
import type { Case } from './fixtures.ts'
import { stockOf, STATE_CHOICES } from './machine.ts'
import { codecCase, streamCase } from './report.ts'
import type { Target } from './target.ts'

export function codecTarget(cases: readonly Case[], codec: Codec = codecModule): Target {
  return {
    name: 'codec', choices: 0, piece: 1, seeds: cases.map(({ bytes }) => bytes),
    check: (input) => checkCodec(codec, input),
    describe: codecCase,
  }
}

export function streamTarget(cases: readonly Case[], codec: Codec = codecModule): Target {
  return {
    name: 'stream', choices: STREAM_CHOICES, piece: 1, seeds: cases.map(({ bytes }, i) => Uint8Array.of(i, 0, ...bytes)),
    check: (input) => checkStream(codec, input),
    describe: streamCase,
  }
}

export function stateTarget(cases: readonly Case[], machine: Machine = fsmModule): Target {
  const stock = stockOf(cases)
  return {
    name: 'state', choices: STATE_CHOICES, piece: 3, seeds: PROGRAMS,
    check: (input) => checkState(machine, codecModule, stock, input),
    describe: (input, broken) => ({ story: broken.message, log: logOf(machine, codecModule, stock, input) }),
  }
}

/** For both roles and each version: connected; connected and then one thing of each kind; refused; interrupted; a session that goes on, twice. */
const PROGRAMS: readonly Uint8Array[] = [0, 1, 2, 3, 26, 27].flatMap((role) => [0, 1, 2].flatMap((version) => [
  [], [[15, 0, 1], [15, 0, 1]], [[15, 0, 1], [15, 0, 1], ...Array.from({ length: 12 }, (_, act) => [act, act, 1])], [[15, 0, 1], [10, 0, 0], [15, 0, 1], [10, 0, 0], [3, 8, 1]],
  [[15, 0, 1], [9, 0, 0]], [[15, 0, 1], [11, 0, 1]], [[15, 0, 1], [10, 200, 0]],
  [[15, 0, 1], [15, 0, 4], [0x83, 1, 1], [0, 1, 1], [10, 200, 0], [15, 0, 0], [15, 0, 9], [15, 0, 12], [0x83, 1, 1], [1, 2, 1]],
].map((acts) => Uint8Array.of(role, version | 16, ...acts.flat()))))
