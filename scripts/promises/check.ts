// How a promise of the machine is put to a state or a step. The totality walk, the fuzzer and the simulation put the same ones.

/** Says that `promise` is broken unless `truth`; `promise` is the same text every time, `detail` says what was found. */
export type Check = (truth: boolean, promise: string, detail?: () => string) => void

/** A check that throws. */
export const insist: Check = (truth, promise, detail) => {
  if (!truth) throw new Error(detail === undefined ? promise : `${promise}: ${detail()}`)
}
