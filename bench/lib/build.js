// What is measured is what people vendor: bundles of the sources, made once per run by the project's own esbuild.

import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const OUT = '../.build/'

/** Each is optional: a case whose bundle is missing reports itself as not available. */
const BUNDLES = [
  { name: 'codec', entry: '../../src/codec/index.ts', platform: 'neutral' },
  { name: 'core', entry: '../../src/index.ts', platform: 'neutral' },
  { name: 'timers', entry: '../../src/transport/timers.ts', platform: 'node' },
  { name: 'tcp', entry: '../../src/transport/tcp.ts', platform: 'node' },
]

/** Builds what is there; returns one sentence per bundle that could not be built. */
export async function build() {
  rmSync(here(OUT), { recursive: true, force: true })
  mkdirSync(here(OUT), { recursive: true })
  let esbuild
  try {
    esbuild = await import('esbuild')
  } catch {
    return ['esbuild is not installed (npm ci in the project): ours cannot be measured']
  }
  const problems = []
  for (const { name, entry, platform } of BUNDLES) {
    if (!existsSync(here(entry))) {
      problems.push(`${name}: ${entry.replace('../../', '')} is not there yet`)
      continue
    }
    try {
      await esbuild.build({
        entryPoints: [here(entry)], outfile: here(`${OUT}${name}.js`), bundle: true, format: 'esm', platform, target: 'es2022',
        sourcemap: 'inline', logLevel: 'silent',
      })
    } catch (error) {
      problems.push(`${name}: ${error.errors?.[0]?.text ?? error.message}`)
    }
  }
  return problems
}
