// Which code has run, by V8's own block coverage. V8 counts in the bytecode it already has, so this costs next to nothing while inputs run;
// asking for the counts costs about a millisecond, so the engine asks once for a batch.
import { Session } from 'node:inspector'

interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly { readonly functionName: string, readonly ranges: readonly Range[] }[]
}
interface Range { readonly startOffset: number, readonly endOffset: number, readonly count: number }

/** For each source file a byte per character: 1 where it has run. */
export type Reached = ReadonlyMap<string, Uint8Array>

export class Coverage {
  private readonly session: Session = new Session()
  private readonly wanted: (url: string) => boolean
  readonly reached: Map<string, Uint8Array> = new Map()
  /** where blocks begin and end, as far as V8 has said: it leaves out those that ran as often as what is around them */
  readonly edges: Map<string, Set<number>> = new Map()

  constructor(wanted: (url: string) => boolean) {
    this.wanted = wanted
    this.session.connect()
    this.post('Profiler.enable')
    this.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** What has run since the last call. */
  take(): Reached {
    const { result } = this.post('Profiler.takePreciseCoverage') as { result: readonly ScriptCoverage[] }
    const taken = new Map<string, Uint8Array>()
    for (const { url, functions } of result) if (this.wanted(url)) taken.set(url, this.paint(url, functions))
    return taken
  }

  /** Does it hold a character that nothing before has reached? */
  isNew(taken: Reached): boolean {
    for (const [url, map] of taken) {
      const known = this.reached.get(url)
      for (let i = 0; i < map.length; i++) if (map[i] === 1 && known?.[i] !== 1) return true
    }
    return false
  }

  /** From now on this is known. */
  add(taken: Reached): void {
    for (const [url, map] of taken) {
      const known = this.reached.get(url)
      if (known === undefined || known.length < map.length) {
        const larger = map.slice()
        known?.forEach((bit, i) => { larger[i]! |= bit })
        this.reached.set(url, larger)
      } else map.forEach((bit, i) => { known[i]! |= bit })
    }
  }

  /** How many blocks have run: pieces between two edges. Comparable only between runs that know the same edges. */
  blocks(edges: ReadonlyMap<string, ReadonlySet<number>> = this.edges): ReadonlySet<string> {
    const blocks = new Set<string>()
    for (const [url, map] of this.reached) for (const at of edges.get(url) ?? []) if (map[at] === 1) blocks.add(`${url}:${at}`)
    return blocks
  }

  stop(): void {
    this.post('Profiler.stopPreciseCoverage')
    this.session.disconnect()
  }

  /** Nested ranges, outer ones first: the innermost says whether a character ran. So it does not matter which of them V8 has merged. */
  private paint(url: string, functions: ScriptCoverage['functions']): Uint8Array {
    const edges = this.edges.get(url) ?? new Set()
    this.edges.set(url, edges)
    let length = 0
    for (const { ranges } of functions) for (const { endOffset } of ranges) length = Math.max(length, endOffset)
    const map = new Uint8Array(length)
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        map.fill(count > 0 ? 1 : 0, startOffset, endOffset)
        edges.add(startOffset).add(endOffset)
      }
    }
    return map
  }

  /** In the same thread a session answers before `post` returns. */
  private post(method: string, parameters: object = {}): unknown {
    let answer: unknown
    this.session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(error.message)
      answer = result
    })
    return answer
  }
}
