// Random numbers that are the same on every run: whatever the fuzzer decides, it decides by these, so a seed replays it exactly.

/** mulberry32: small, fast, and good enough to break things with. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed | 0
  }

  /** An integer from 0 to below `bound`. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * bound)
  }

  byte(): number {
    return this.below(256)
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** Small numbers often, large ones rarely: 1 to `most`. */
  few(most: number): number {
    let n = 1
    while (n < most && this.below(2) === 0) n++
    return n
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.byte())
  }
}

/** A number that stands for these bytes (FNV-1a): what a check has to choose, it chooses by its input and nothing else. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash >>> 0
}
