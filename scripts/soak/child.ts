// Processes of a soak: started with as many open files as this machine allows, spoken to in messages, ended by whoever has started them.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const LOAD = fileURLToPath(new URL('../load.js', import.meta.url))

export class Child {
  private readonly process: ChildProcess
  private readonly waiting: { resolve: (value: unknown) => void, reject: (error: Error) => void }[] = []

  /** `file`, next to this one, answers each message with one of its own, in order. */
  constructor(file: string, ...args: readonly string[]) {
    const path = fileURLToPath(new URL(file, import.meta.url))
    // Node cannot raise its own limit, a shell can.
    const command = ['-c', 'ulimit -n "$(ulimit -Hn)" 2>/dev/null; exec "$0" "$@"', process.execPath, '--expose-gc', '--import', LOAD, path, ...args]
    this.process = spawn('sh', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, NODE_V8_COVERAGE: '' } })
    this.process.on('message', (value) => { this.waiting.shift()?.resolve(value) })
    this.process.on('exit', (code, signal) => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error(`${file} ended (${signal ?? code}) before it had answered`))
    })
  }

  ask<T>(question: object): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve: resolve as (value: unknown) => void, reject })
      this.process.send(question)
    })
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.process.exitCode !== null || this.process.signalCode !== null) return resolve()
      this.process.once('exit', () => { resolve() })
      this.process.kill('SIGKILL')
    })
  }
}

/** Answers every message of the process that has started this one. */
export function serve(answer: (question: never) => unknown): void {
  process.on('message', (question) => {
    void (async () => { process.send!(await answer(question as never)) })()
  })
  process.on('disconnect', () => { process.exit() })
}

/** So many files may be open at a time. */
export function openFiles(): number {
  const text = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim()
  return text === 'unlimited' ? Infinity : Number(text)
}

/** The value that `part` (0 to 1) of the numbers do not exceed. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN
}

/** A target, said and judged. */
export function target(what: string, measured: number, most: number, unit: string): boolean {
  const met = measured <= most
  console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${Number(measured.toFixed(2))} ${unit}, at most ${most} ${unit}`)
  return met
}
