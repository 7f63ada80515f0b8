// What the engine knows of a target: an input is bytes whatever it stands for, so mutation, shrinking and coverage are the same for all.

export interface Target {
  readonly name: 'codec' | 'stream' | 'state'
  /** bytes in front of every input that choose how it is checked; mutated, but never cut away */
  readonly choices: number
  /** what it is made of behind them: pieces of so many bytes, each of which can be left out */
  readonly piece: number
  readonly seeds: readonly Uint8Array[]
  /** Throws Broken when a property does not hold. Returns what happened in a few words, each of them a kind of outcome. */
  check(input: Uint8Array): readonly string[]
  /** The input in a form for people, to be pasted into fixtures/regressions.json. */
  describe(input: Uint8Array, broken: Broken): object
}

/** A property that does not hold. `property` stays the same while the input shrinks; `message` may not. */
export class Broken extends Error {
  override readonly name = 'Broken'
  readonly property: string
  /** the version whose bytes broke it, where there is one */
  version: 3 | 4 | 5 | undefined = undefined
  constructor(property: string, message: string, cause?: unknown) {
    super(`${property}: ${message}`, { cause })
    this.property = property
  }
}

export function hold(condition: boolean, property: string, message: () => string): asserts condition {
  if (!condition) throw new Broken(property, message())
}

/** Runs a check that belongs to one version, and says so in what it breaks. */
export function inVersion<T>(version: 3 | 4 | 5 | undefined, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof Broken) error.version ??= version
    throw error
  }
}

/** What a target's check says about one input: its outcomes, or the property that broke. Whatever else is thrown breaks one too. */
export function judge(target: Target, input: Uint8Array): readonly string[] | Broken {
  try {
    return target.check(input)
  } catch (error) {
    return error instanceof Broken ? error : new Broken('nothing but the named errors', String(error), error)
  }
}
