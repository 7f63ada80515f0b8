// Tells the watchdog which input is being checked.
import { Worker } from 'node:worker_threads'
import { MOST_BYTES } from './mutate-bytes.ts'

const SECONDS = 20

export class Watch {
  private readonly counter: Int32Array
  private readonly bytes: Uint8Array
  private readonly worker: Worker

  constructor() {
    const shared = new SharedArrayBuffer(8 + MOST_BYTES + 16)
    this.counter = new Int32Array(shared, 0, 2)
    this.bytes = new Uint8Array(shared, 8)
    // Not the parent's `--import`: the watchdog is plain JavaScript.
    this.worker = new Worker(new URL('./watchdog.js', import.meta.url), { workerData: { shared, seconds: SECONDS }, execArgv: [] })
    this.worker.unref()
  }

  begin(input: Uint8Array): void {
    const length = Math.min(input.length, this.bytes.length)
    this.bytes.set(length === input.length ? input : input.subarray(0, length))
    this.counter[1] = length
    Atomics.add(this.counter, 0, 1)
  }

  stop(): Promise<number> {
    return this.worker.terminate()
  }
}
