// Two byte streams joined in memory: what one end writes the other gets a turn later, in pieces if wanted; the wire can be cut, and an end stalled.
import type { Duplex } from '../../src/transport/index.ts'

export class WireEnd implements Duplex {
  /** everything this end has written */
  readonly written: Uint8Array[] = []
  /** while true nothing this end writes arrives, and it is told to wait */
  stalled = false
  other!: WireEnd
  onData: (chunk: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  onEnd: (error?: Error) => void = () => {}
  private readonly piece: number
  private readonly inbox: (Uint8Array | 'end')[] = []
  private paused = false
  private ended = false
  private aborted = false
  private broken = false

  constructor(piece: number) {
    this.piece = piece
  }

  write(bytes: Uint8Array): boolean {
    if (this.broken || this.ended) return true
    this.written.push(bytes.slice())
    for (let i = 0; i < bytes.length; i += this.piece) this.other.inbox.push(bytes.slice(i, i + this.piece))
    setImmediate(() => { this.other.flow() })
    return !this.stalled
  }

  close(abort?: boolean): void {
    if (!this.ended) {
      this.ended = true
      this.other.inbox.push('end')
      setImmediate(() => { this.other.flow() })
    }
    if (abort !== true || this.aborted) return
    this.aborted = true
    setImmediate(() => { this.onEnd() })
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    setImmediate(() => { this.flow() })
  }

  /** What this end has written arrives again. */
  release(): void {
    this.stalled = false
    setImmediate(() => {
      this.other.flow()
      this.onDrain()
    })
  }

  break(): void {
    this.broken = true
    setImmediate(() => { this.onEnd(new Error('the wire is cut')) })
  }

  private flow(): void {
    while (!this.paused && !this.broken && !this.other.stalled) {
      const next = this.inbox.shift()
      if (next === undefined) return
      if (next === 'end') this.onEnd()
      else this.onData(next)
    }
  }
}

export interface Pair {
  readonly client: WireEnd
  readonly server: WireEnd
  /** the wire breaks: nothing more arrives, and both ends learn of it */
  readonly cut: () => void
}

/** `piece`: the largest chunk, in bytes. */
export function pair(piece: number = Infinity): Pair {
  const [client, server] = [new WireEnd(piece), new WireEnd(piece)]
  client.other = server
  server.other = client
  return {
    client, server,
    cut: () => {
      client.break()
      server.break()
    },
  }
}

/** Lets everything in memory that can go on do so. */
export async function quiet(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => { setImmediate(resolve) })
}
