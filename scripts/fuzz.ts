// npm run fuzz: throws bytes at the codec, streams and the connection machine until a property breaks. docs/fuzzing.md says which and how.
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Coverage } from './fuzz/coverage.ts'
import { Fuzzer } from './fuzz/engine.ts'
import type { Find } from './fuzz/engine.ts'
import { loadFixtures } from './fuzz/fixtures.ts'
import { shrink } from './fuzz/shrink.ts'
import { Broken, judge } from './fuzz/target.ts'
import type { Target } from './fuzz/target.ts'
import { codecTarget, stateTarget, streamTarget } from './fuzz/targets.ts'
import { Watch } from './fuzz/watch.ts'

const HELP = `npm run fuzz -- [options]
  --seed N                    replays a run exactly; default 1
  --inputs N                  how many inputs; default 200,000 unless --seconds is given
  --seconds S                 stop after the batch in which S seconds are over
  --target codec|stream|state|all
  --coverage, --no-coverage   keep inputs that reach new code or new outcomes (default), or mutate fixtures only
  --keep-going                after a find go on looking for other properties that break
  --replay HEX                check one input of --target (with its choices in front, as a find prints it) and say what happens`

const { values } = parseArgs({
  allowNegative: true,
  options: {
    seed: { type: 'string', default: '1' }, seconds: { type: 'string' }, inputs: { type: 'string' }, target: { type: 'string', default: 'all' },
    coverage: { type: 'boolean', default: true }, 'keep-going': { type: 'boolean', default: false }, replay: { type: 'string' }, help: { type: 'boolean', default: false },
  },
})

/** Of sixteen batches, how many each target gets: the machine is small. */
const SHARES: { readonly [name: string]: number } = { codec: 8, stream: 6, state: 2 }
const SAY_EVERY = 10_000

if (values.help) console.log(HELP)
else process.exitCode = values.replay === undefined ? await fuzz() : replay(values.replay)

async function fuzz(): Promise<number> {
  const seed = numberOf('seed', values.seed)
  const seconds = values.seconds === undefined ? Infinity : numberOf('seconds', values.seconds)
  const inputs = values.inputs === undefined ? (seconds === Infinity ? 200_000 : Infinity) : numberOf('inputs', values.inputs)
  // Most inputs end in an error, and a stack costs more than the whole check. The one that is shown gets its stack when it is shrunk.
  Error.stackTraceLimit = 0
  const watch = new Watch()
  const digest = createHash('sha256')
  const coverage = values.coverage ? new Coverage((url) => /\/src\/(codec|fsm)\//.test(url)) : undefined
  const fuzzers = targetsOf(values.target).map((target) => new Fuzzer(target, seed, { coverage, blocks: values.coverage, outcomes: values.coverage }, (input) => {
    watch.begin(input)
    digest.update(input)
  }))
  const turns = fuzzers.flatMap((fuzzer) => Array.from({ length: fuzzers.length === 1 ? 1 : SHARES[fuzzer.target.name]! }, () => fuzzer))
  const begin = performance.now()
  let said = begin
  let finds = 0
  const total = (): number => fuzzers.reduce((sum, fuzzer) => sum + fuzzer.inputs, 0)
  // Neighbouring turns go to different targets, so that a short run has seen all of them.
  for (let turn = 0; (finds === 0 || values['keep-going']) && total() < inputs && performance.now() - begin < seconds * 1000; turn++) {
    const find = turns[turn * 7 % turns.length]!.batch(inputs - total())
    if (find !== undefined) {
      finds++
      show(find, seed)
    }
    if (performance.now() - said > SAY_EVERY) {
      said = performance.now()
      say(seed, fuzzers, coverage, begin)
    }
  }
  say(seed, fuzzers, coverage, begin)
  console.log(`digest of all inputs: ${digest.digest('hex').slice(0, 16)}`)
  coverage?.stop()
  await watch.stop()
  console.log(finds === 0 ? 'nothing found' : `${finds} properties broken`)
  return finds === 0 ? 0 : 1
}

function say(seed: number, fuzzers: readonly Fuzzer[], coverage: Coverage | undefined, begin: number): void {
  const total = fuzzers.reduce((sum, { inputs }) => sum + inputs, 0)
  const elapsed = (performance.now() - begin) / 1000
  const parts = fuzzers.map(({ target, inputs, outcomes, keptForBlocks, keptForOutcomes }) => `${target.name} ${inputs} (outcomes ${outcomes.size}, kept ${keptForBlocks} + ${keptForOutcomes})`)
  console.log(`seed ${seed}, ${elapsed.toFixed(0)} s, ${total} inputs, ${Math.round(total / elapsed)}/s${coverage === undefined ? '' : `, ${coverage.blocks().size} blocks`}: ${parts.join(', ')}`)
}

function show({ target, input, broken, number }: Find, seed: number): void {
  console.log(`\n${target.name}: ${broken.message}\nseed ${seed}, input ${number} of ${target.name}, ${input.length} bytes; shrinking …`)
  const small = shrink(target, input, broken.property)
  Error.stackTraceLimit = 20
  const again = judge(target, small.input)
  Error.stackTraceLimit = 0
  const told = again instanceof Broken ? again : small.broken
  console.log(`${small.input.length} bytes: ${told.message}`)
  console.log(`npm run fuzz -- --target ${target.name} --replay ${Buffer.from(small.input).toString('hex')}`)
  console.log(`For fixtures/regressions.json, once \`packet\` or \`error\` has been added from the standard:\n${JSON.stringify(target.describe(small.input, told), undefined, 1)}`)
  if (told.cause instanceof Error) console.log(told.cause.stack)
}

function replay(hex: string): number {
  const [target] = targetsOf(values.target === 'all' ? 'codec' : values.target)
  const result = judge(target!, new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex')))
  if (result instanceof Broken) console.log(result.cause instanceof Error ? `${result.message}\n${result.cause.stack}` : result.message)
  else console.log(result.join('\n'))
  return result instanceof Broken ? 1 : 0
}

function targetsOf(name: string): readonly Target[] {
  const makers = { codec: codecTarget, stream: streamTarget, state: stateTarget }
  const cases = loadFixtures()
  if (name === 'all') return Object.values(makers).map((make) => make(cases))
  if (!Object.hasOwn(makers, name)) throw new TypeError(`--target is codec, stream, state or all, not ${name}`)
  return [makers[name as keyof typeof makers](cases)]
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (!(value >= 0)) throw new TypeError(`--${name} is a number, not ${text}`)
  return value
}
