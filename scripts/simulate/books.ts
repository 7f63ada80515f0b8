// What has been promised and how often it was seen to be kept. The first promise that is broken ends the simulation.

export class Books {
  readonly kept: Map<string, number> = new Map()

  hold(truth: boolean, promise: string, detail: () => string): void {
    if (!truth) throw new Error(`${promise}: ${detail()}`)
    this.kept.set(promise, (this.kept.get(promise) ?? 0) + 1)
  }
}
