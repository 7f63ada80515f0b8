// Somebody else's project with connack installed: a temporary folder whose node_modules holds what is published, freshly built.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** A file of this repository. */
export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** The code blocks of one language on a page, in order. */
export function blocksOf(file: string, language: string): readonly string[] {
  return [...read(file).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code!)
}

/** What a project runs is not ours to cover. */
// uvu asks for colours by FORCE_COLOR, and its children would print theirs.
const ENV = { ...process.env, NODE_V8_COVERAGE: '', FORCE_COLOR: '0' }

export interface Ran { readonly status: number | null, readonly output: string }

export interface Running {
  readonly over: Promise<Ran>
  interrupt(): void
  /** resolves once its output has this; rejects if it ends without */
  says(what: RegExp): Promise<RegExpExecArray>
}

export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'connack-project-'))

  async install(): Promise<void> {
    const installed = join(this.folder, 'node_modules', 'connack')
    mkdirSync(installed, { recursive: true })
    this.write('package.json', '{ "private": true, "type": "module" }')
    cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'))
    symlinkSync(join(ROOT, 'fixtures'), join(installed, 'fixtures'))
    const { makeDist } = await import(join(ROOT, 'scripts/build.js')) as { makeDist(out: string): Promise<void> }
    await makeDist(join(installed, 'dist'))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }

  /** Gives the path. */
  write(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text)
    return join(this.folder, name)
  }

  /** A module of this project, loaded here. */
  load(name: string): Promise<unknown> {
    return import(pathToFileURL(join(this.folder, name)).href)
  }

  /** Runs a program to its end, with nothing else going on. */
  run(command: string, ...args: readonly string[]): Ran {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: this.folder, encoding: 'utf8', env: ENV })
    return { status, output: stdout + stderr }
  }

  /** The same while this process goes on, so that it can be talked to. */
  start(command: string, ...args: readonly string[]): Promise<Ran> {
    return this.begin(command, ...args).over
  }

  /** The same for a program that does not end by itself. */
  begin(command: string, ...args: readonly string[]): Running {
    const child = spawn(command, args, { cwd: this.folder, timeout: 20_000, env: ENV })
    let output = ''
    let ended = false
    const waiting = new Set<() => void>()
    const over = new Promise<Ran>((resolve, reject) => {
      for (const pipe of [child.stdout, child.stderr]) {
        pipe.setEncoding('utf8').on('data', (chunk: string) => {
          output += chunk
          for (const look of waiting) look()
        })
      }
      child.on('error', reject)
      child.on('close', (status) => {
        ended = true
        resolve({ status, output })
        for (const look of waiting) look()
      })
    })
    return {
      over, interrupt: () => { child.kill('SIGINT') },
      says: (what) => new Promise((resolve, reject) => {
        const look = (): void => {
          const found = what.exec(output)
          if (found === null && !ended) return
          waiting.delete(look)
          if (found === null) reject(new Error(`it ended without ${what}: ${output}`))
          else resolve(found)
        }
        waiting.add(look)
        look()
      }),
    }
  }
}
