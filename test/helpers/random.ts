// Random numbers that are the same on every run: a test that fails once fails again.

/** A generator of integers from 0 to below `bound` (mulberry32). */
export function randomFrom(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * bound)
  }
}
