// What guidance is worth: equal numbers of inputs, with and without it. `node --import ./scripts/load.js scripts/fuzz/measure.ts [inputs] [seeds]`
// prints the tables of docs/fuzzing.md. Each run has a process of its own: V8 counts less in code that it has already optimised.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Coverage } from './coverage.ts'
import { Fuzzer } from './engine.ts'
import { loadFixtures } from './fixtures.ts'
import { mazeTarget } from './maze.ts'
import type { Target } from './target.ts'
import { codecTarget, stateTarget, streamTarget } from './targets.ts'

const WAYS: { readonly [way: string]: { readonly blocks: boolean, readonly outcomes: boolean } } = {
  plain: { blocks: false, outcomes: false }, blocks: { blocks: true, outcomes: false }, outcomes: { blocks: false, outcomes: true }, both: { blocks: true, outcomes: true },
}

const STARTS: { readonly [start: string]: () => Target } = {
  'codec, all fixtures': () => codecTarget(loadFixtures()),
  'codec, one PUBLISH': () => codecTarget(onePublish()),
  'stream, all fixtures': () => streamTarget(loadFixtures()),
  'stream, one PUBLISH': () => streamTarget(onePublish()),
  state: () => stateTarget(loadFixtures()),
  maze: mazeTarget,
}

/** What a run leaves: for each file the offsets where blocks begin or end, and those of them that were reached. */
interface Row {
  readonly edges: readonly string[]
  readonly reached: readonly (readonly [url: string, bits: string])[]
  readonly outcomes: number
  readonly kept: number
  readonly inputs: number
  readonly seconds: number
}

const [first = '100000', second = '5', ...child] = process.argv.slice(2)
if (child.length > 0) console.log(JSON.stringify(run(Number(first), Number(second), child[0]!, child[1]!)))
else tables(Number(first), Number(second))

function tables(inputs: number, seeds: number): void {
  const self = fileURLToPath(import.meta.url)
  for (const start of Object.keys(STARTS)) {
    const isMaze = start === 'maze'
    const rows = Object.keys(WAYS).slice(0, isMaze ? 2 : 4).map((way) => ({
      way,
      runs: Array.from({ length: seeds }, (_, i) => JSON.parse(execFileSync(process.execPath, ['--import', './scripts/load.js', self, String(isMaze ? 1_000_000 : inputs), String(i + 1), start, way], { maxBuffer: 2 ** 28, encoding: 'utf8' })) as Row),
    }))
    // Only blocks by the same edges can be compared: V8 leaves out those that ran as often as what is around them.
    const edges = new Set(rows.flatMap(({ runs }) => runs.flatMap((row) => row.edges)))
    console.log(isMaze ? '\n| maze | inputs until the bug is found, by seed |\n|---|---|' : `\n| ${start}, ${inputs.toLocaleString('en')} inputs | blocks reached, by seed | in any | outcomes, by seed | kept, by seed | seconds, by seed |\n|---|---|---|---|---|---|`)
    for (const { way, runs } of rows) {
      const blocks = runs.map((row) => blocksOf(row, edges))
      console.log(isMaze
        ? `| ${way} | ${runs.map((row) => (row.inputs < 1_000_000 ? row.inputs.toLocaleString('en') : 'never')).join(', ')} |`
        : `| ${way} | ${blocks.map((set) => set.length).join(' ')} | ${new Set(blocks.flat()).size} | ${runs.map((row) => row.outcomes).join(' ')} | ${runs.map((row) => row.kept).join(' ')} | ${runs.map((row) => row.seconds.toFixed(0)).join(' ')} |`)
    }
  }
}

function run(inputs: number, seed: number, start: string, way: string): Row {
  Error.stackTraceLimit = 0
  const began = performance.now()
  const coverage = new Coverage((url) => /\/src\/(codec|fsm)\/|\/maze.ts$/.test(url))
  const fuzzer = new Fuzzer(STARTS[start]!(), seed, { ...WAYS[way]!, coverage })
  let found = false
  while (fuzzer.inputs < inputs && !(found && start === 'maze')) found = fuzzer.batch(inputs - fuzzer.inputs) !== undefined
  return {
    edges: [...coverage.edges].flatMap(([url, offsets]) => [...offsets].map((offset) => `${url}:${offset}`)),
    reached: [...coverage.reached].map(([url, bits]) => [url, Buffer.from(bits).toString('latin1')]),
    outcomes: fuzzer.outcomes.size, kept: fuzzer.keptForBlocks + fuzzer.keptForOutcomes, inputs: fuzzer.inputs, seconds: (performance.now() - began) / 1000,
  }
}

function blocksOf({ reached }: Row, edges: ReadonlySet<string>): readonly string[] {
  const bits = new Map(reached)
  return [...edges].filter((edge) => {
    const colon = edge.lastIndexOf(':')
    return bits.get(edge.slice(0, colon))?.charCodeAt(Number(edge.slice(colon + 1))) === 1
  })
}

function onePublish(): ReturnType<typeof loadFixtures> {
  return loadFixtures().filter(({ id }) => id === 'v5-publish-001')
}
