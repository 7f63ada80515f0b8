// The loop: inputs are made from the pool, checked a batch at a time, and those that reached something new join the pool.
import type { Coverage, Reached } from './coverage.ts'
import { joinPackets } from './join.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { Random } from './random.ts'
import { mutateStructure } from './structure.ts'
import { Broken, judge } from './target.ts'
import type { Target } from './target.ts'

/** What makes an input worth keeping: new blocks (V8's coverage), new outcomes (packet, rule broken, about where), both, or nothing. */
export interface Guidance {
  readonly blocks: boolean
  readonly outcomes: boolean
  /** where the blocks reached are noted, whether they count or not */
  readonly coverage?: Coverage | undefined
}

export const PLAIN: Guidance = { blocks: false, outcomes: false }

export interface Find {
  readonly target: Target
  readonly input: Uint8Array
  readonly broken: Broken
  /** the how-manieth input of its target it was */
  readonly number: number
}

/** Inputs between two looks at the coverage: many, since a look costs as much as thirty inputs. */
const BATCH = 1000
/** Larger pools only dilute what is in them. */
const MOST_KEPT = 20_000

/** One target being fuzzed. Everything it does follows from its seed. */
export class Fuzzer {
  readonly target: Target
  readonly outcomes: Set<string> = new Set()
  /** how many inputs have been checked */
  inputs = 0
  /** how many have joined the pool for new blocks, and for new outcomes */
  keptForBlocks = 0
  keptForOutcomes = 0
  private readonly pool: Uint8Array[]
  private readonly seeds: number
  private readonly random: Random
  private readonly guidance: Guidance
  private readonly beforeEach: (input: Uint8Array) => void
  private seeding = 0
  /** properties that are known to break: inputs that break them are passed over */
  private readonly known: Set<string> = new Set()

  constructor(target: Target, seed: number, guidance: Guidance, beforeEach: (input: Uint8Array) => void = () => {}) {
    this.target = target
    this.pool = [...target.seeds]
    this.seeds = target.seeds.length
    this.random = new Random(Math.imul(seed, 0x9e3779b1) ^ target.name.length)
    this.guidance = guidance
    this.beforeEach = beforeEach
  }

  /** The next batch, of at most `most` inputs: first the seeds as they are, then what becomes of them. Stops at a find, of which there is one for each property. */
  batch(most: number): Find | undefined {
    const inputs: Uint8Array[] = []
    for (let n = Math.min(most, BATCH); n > 0; n--) inputs.push(this.seeding < this.seeds ? this.pool[this.seeding++]! : this.make())
    const fresh: Uint8Array[] = []
    // What ran since the last batch was not ours.
    this.guidance.coverage?.take()
    for (const input of inputs) {
      this.inputs++
      const result = this.run(input)
      if (result instanceof Broken) {
        if (this.known.has(result.property)) continue
        this.known.add(result.property)
        return { target: this.target, input, broken: result, number: this.inputs }
      }
      if (this.note(result) && this.guidance.outcomes && !this.target.seeds.includes(input)) fresh.push(input)
    }
    this.keptForOutcomes += this.keep(fresh)
    const { coverage, blocks } = this.guidance
    if (coverage !== undefined) {
      const taken = coverage.take()
      if (!blocks || this.seeding < this.seeds || !coverage.isNew(taken)) coverage.add(taken)
      else this.search(coverage, inputs, taken)
    }
    return undefined
  }

  get poolSize(): number {
    return this.pool.length
  }

  private run(input: Uint8Array): readonly string[] | Broken {
    this.beforeEach(input)
    return judge(this.target, input)
  }

  /** Whether any of these outcomes is new. */
  private note(outcomes: readonly string[]): boolean {
    const { size } = this.outcomes
    for (const outcome of outcomes) this.outcomes.add(outcome)
    return this.outcomes.size > size
  }

  /** Which inputs of a batch reached what it has reached? Halves are run again until single inputs are left. */
  private search(coverage: Coverage, inputs: readonly Uint8Array[], taken: Reached): void {
    if (inputs.length === 1) {
      this.keptForBlocks += this.keep(inputs)
      coverage.add(taken)
      return
    }
    const middle = inputs.length >> 1
    for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
      coverage.take()
      for (const input of half) judge(this.target, input)
      const again = coverage.take()
      if (coverage.isNew(again)) this.search(coverage, half, again)
    }
    // What does not happen again (a buffer that has grown stays grown) is known all the same.
    coverage.add(taken)
  }

  private keep(inputs: readonly Uint8Array[]): number {
    for (const input of inputs) {
      if (this.pool.length < MOST_KEPT) this.pool.push(input)
      else this.pool[this.seeds + this.random.below(MOST_KEPT - this.seeds)] = input
    }
    return inputs.length
  }

  private make(): Uint8Array {
    const { random, target } = this
    if (random.oneIn(200)) return random.bytes(random.few(7) ** 2)
    if (target.name === 'stream' && !random.oneIn(3)) return this.join()
    let input = this.pickOne()
    const other = this.pickOne()
    if (target.name !== 'state' && random.oneIn(2)) {
      input = this.behindChoices(input, (packet) => mutateStructure(packet, other.subarray(target.choices), random))
      if (random.oneIn(2)) return input
    }
    if (target.choices > 0 && random.oneIn(4)) {
      input = input.slice()
      input[random.below(target.choices)] = random.byte()
    }
    for (let n = random.few(6); n > 0; n--) input = mutateBytes(input, target.choices, other, random)
    return input
  }

  private join(): Uint8Array {
    const { random, target } = this
    const one = (): Uint8Array => this.pickOne().subarray(target.choices)
    const connects = Array.from({ length: 8 }, one).filter((packet) => packet[0] === 0x10)
    return joinPackets(Array.from({ length: 8 }, one), connects.length > 0 ? connects : CONNECTS, (packet) => {
      const other = one()
      return random.oneIn(2) ? mutateStructure(packet, other, random) : mutateBytes(packet, 0, other, random)
    }, random)
  }

  /** One of the pool: what was found lately a little more often, what is long much less. */
  private pickOne(): Uint8Array {
    const { random, pool, seeds } = this
    for (;;) {
      const input = pool.length > seeds && random.oneIn(3) ? pool[seeds + random.below(pool.length - seeds)]! : random.pick(pool)
      if (input.length < 600 || random.oneIn(input.length >> 5)) return input
    }
  }

  private behindChoices(input: Uint8Array, change: (rest: Uint8Array) => Uint8Array): Uint8Array {
    const { choices } = this.target
    if (choices === 0) return change(input)
    const rest = change(input.subarray(choices))
    const out = new Uint8Array(choices + rest.length)
    out.set(input.subarray(0, choices))
    out.set(rest, choices)
    return out
  }
}

const CONNECTS = ['100c00044d5154540402000a00000000', '100d00044d5154540502000a0000000000'].map((hex) => Uint8Array.from(hex.match(/../g)!, (byte) => parseInt(byte, 16)))
