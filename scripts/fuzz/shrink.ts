// Delta debugging: the shortest and plainest input on which the same property still breaks.
import { assemble, contentOf, unitsOf, withContent } from './structure.ts'
import { Broken, judge } from './target.ts'
import type { Target } from './target.ts'

/** Checks spent on one find. */
const MOST_TRIES = 20_000

export function shrink(target: Target, input: Uint8Array, property: string): { readonly input: Uint8Array, readonly broken: Broken } {
  let best = input
  let broken = judge(target, input) as Broken
  let tries = 0
  /** Takes a candidate if the same property breaks on it. */
  const take = (candidate: Uint8Array): boolean => {
    if (tries >= MOST_TRIES || candidate.length > best.length || (candidate.length === best.length && !plainer(candidate, best))) return false
    tries++
    const result = judge(target, candidate)
    if (!(result instanceof Broken) || result.property !== property) return false
    best = candidate
    broken = result
    return true
  }
  for (let before: Uint8Array | undefined; before !== best;) {
    before = best
    cutOut(target, () => best, take)
    if (target.name !== 'state') leaveOutUnits(target.choices, () => best, take)
    flatten(() => best, take)
  }
  return { input: best, broken }
}

type Best = () => Uint8Array
type Take = (candidate: Uint8Array) => boolean

/** Leaves out runs of pieces, long ones first. */
function cutOut({ choices, piece }: Target, best: Best, take: Take): void {
  for (let span = piece << Math.floor(Math.log2(Math.max(1, best().length / piece))); span >= piece; span /= 2) {
    for (let at = choices; at + span <= best().length;) {
      const input = best()
      if (!take(join(input.subarray(0, at), input.subarray(at + span)))) at += span
    }
  }
  // What is left of a piece at the end.
  take(best().slice(0, -1))
}

/** Leaves out fields and shortens what they hold, with the lengths around them put right. */
function leaveOutUnits(choices: number, best: Best, take: Take): void {
  const rebuilt = (units: ReturnType<typeof unitsOf>): Uint8Array => join(best().subarray(0, choices), assemble(units))
  for (let i = 1; i < unitsOf(packetOf(best(), choices)).length;) {
    const units = unitsOf(packetOf(best(), choices))
    const content = contentOf(units[i]!)
    const candidates = [units.toSpliced(i, 1)]
    if (content !== undefined) {
      const held = units[i]!.bytes.subarray(content.at + 2, content.at + 2 + content.length)
      for (let span = held.length; span >= 1; span >>= 1) {
        candidates.push(units.with(i, withContent(units[i]!, held.subarray(span))), units.with(i, withContent(units[i]!, held.subarray(0, held.length - span))))
      }
    }
    if (!candidates.some((candidate) => take(rebuilt(candidate)))) i++
  }
}

/** Makes bytes plain: 0, or `a` in text. */
function flatten(best: Best, take: Take): void {
  for (let at = 0; at < best().length; at++) {
    for (const value of [0x00, 0x01, 0x61]) {
      const candidate = best().slice()
      candidate[at] = value
      if (take(candidate)) break
    }
  }
}

/** 0 is plainer than 1, 1 than `a`, and `a` than anything else; the first difference decides. */
function plainer(a: Uint8Array, b: Uint8Array): boolean {
  const rank = (byte: number): number => (byte === 0 ? 0 : byte === 1 ? 1 : byte === 0x61 ? 2 : 3)
  for (let i = 0; i < a.length; i++) {
    const difference = rank(a[i]!) - rank(b[i]!)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** Units are remembered by the array they came from, so the same array must come back. */
const packets = new WeakMap<Uint8Array, Uint8Array>()

function packetOf(input: Uint8Array, choices: number): Uint8Array {
  if (choices === 0) return input
  const known = packets.get(input) ?? input.subarray(choices)
  packets.set(input, known)
  return known
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
