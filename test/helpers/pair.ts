// Two byte streams joined in memory: what one end writes the other gets a turn later, in pieces if wanted; either way can be cut or stopped.
import type { Duplex } from '../../src/transport/index.ts'

export interface End extends Duplex {
  /** everything this end has written */
  readonly written: Uint8Array[]
  /** while true nothing this end writes arrives, and it is told to wait */
  stalled: boolean
}

export interface Pair {
  readonly client: End
  readonly server: End
  /** the wire breaks: nothing more arrives, and both ends learn of it */
  cut(): void
}

export function pair(piece = Infinity): Pair {
  let broken = false
  const make = (): End & { ended: boolean, paused: boolean, inbox: (Uint8Array | 'end')[], other: ReturnType<typeof make> } => {
    const end = {
      written: [] as Uint8Array[], stalled: false, ended: false, paused: false, inbox: [] as (Uint8Array | 'end')[], other: undefined as unknown as ReturnType<typeof make>,
      onData: () => {}, onDrain: () => {}, onEnd: () => {},
      write(bytes: Uint8Array): boolean {
        if (broken || end.ended) return true
        end.written.push(bytes.slice())
        for (let i = 0; i < bytes.length; i += piece) end.other.inbox.push(bytes.slice(i, i + piece))
        if (!end.stalled) setImmediate(flow, end.other)
        return !end.stalled
      },
      close(abort?: boolean): void {
        if (end.ended && abort !== true) return
        if (!end.ended) end.other.inbox.push('end')
        end.ended = true
        setImmediate(flow, end.other)
        if (abort === true) setImmediate(() => { (end as Duplex).onEnd() })
      },
      pause(): void { end.paused = true },
      resume(): void {
        end.paused = false
        setImmediate(flow, end)
      },
    }
    return end as never
  }
  const flow = (to: ReturnType<typeof make>): void => {
    while (!to.paused && !broken && !to.other.stalled) {
      const next = to.inbox.shift()
      if (next === undefined) return
      if (next === 'end') (to as Duplex).onEnd()
      else (to as Duplex).onData(next)
    }
  }
  const client = make()
  const server = make()
  client.other = server
  server.other = client
  return {
    client, server,
    cut: () => {
      broken = true
      setImmediate(() => {
        (client as Duplex).onEnd(new Error('the wire is cut'))
        ;(server as Duplex).onEnd(new Error('the wire is cut'))
      })
    },
  }
}

/** Lets everything in memory that can go on do so. */
export async function quiet(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => { setImmediate(resolve) })
}
