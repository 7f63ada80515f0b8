// A thread that watches the fuzzer's: an input that takes too long is a hang, and one that hangs cannot say so itself.
import { parentPort, workerData } from 'node:worker_threads'

const { shared, seconds } = workerData
const counter = new Int32Array(shared, 0, 2)
const bytes = new Uint8Array(shared, 8)
let seen = -1

setInterval(() => {
  if (counter[0] === seen && counter[1] >= 0) {
    const hex = Buffer.from(bytes.subarray(0, counter[1])).toString('hex')
    process.stderr.write(`hang: one input has taken more than ${seconds} s. Its bytes, with the choices in front:\n${hex}\n`)
    process.exit(3)
    parentPort?.close()
  }
  seen = counter[0]
}, seconds * 1000)
