// 10,000 connections at a time, of clients in two other processes that idle on keep alive: what each costs the server, and how long a PINGREQ takes.
// Beside it, in the same run and with the same clients: bare sockets of Node, and aedes (npm ci in this folder). `npm run soak:connections -- 2000` for fewer.
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { pathToFileURL } from 'node:url'
import { Child, openFiles, quantile, target } from './child.ts'
import type { Memory } from './server.ts'

export interface Measured {
  readonly kind: string
  /** bytes for each connection: V8's heap after garbage collection, ArrayBuffers, and what the process holds */
  readonly heap: number
  readonly buffers: number
  readonly rss: number
  readonly perSecond: number
  readonly pings: number
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

/** Keep Alive of every client, in s; it pings at two thirds of that. */
const KEEP_ALIVE = 30

export async function measure(kind: string, connections: number, processes: number, pingMs: number, every: number = KEEP_ALIVE * 667): Promise<Measured> {
  const server = new Child('server.ts', kind)
  const clients = Array.from({ length: processes }, () => new Child('clients.ts'))
  try {
    const port = await server.ask<number>({ type: 'port' })
    const all = <T>(question: object): Promise<T[]> => Promise.all(clients.map((client) => client.ask<T>(question)))
    // The code is loaded and compiled, and the first tables have grown, before anything is weighed.
    await all({ type: 'open', port, count: 20, keepAlive: KEEP_ALIVE })
    await all({ type: 'ping', every: 20, forMs: 200 })
    await all({ type: 'close' })
    const before = await server.ask<Memory>({ type: 'memory' })
    const took = await all<number>({ type: 'open', port, count: connections / processes, keepAlive: KEEP_ALIVE })
    const after = await server.ask<Memory>({ type: 'memory' })
    const pings = (await all<number[]>({ type: 'ping', every, forMs: pingMs })).flat()
    const { open } = await server.ask<{ open: number }>({ type: 'counts' })
    if (open !== connections) throw new Error(`${kind}: ${open} connections are open, of ${connections}`)
    if (process.env['SNAPSHOT'] === kind) console.log(await server.ask({ type: 'snapshot' }))
    const each = (part: keyof Memory): number => (after[part] - before[part]) / connections
    return {
      kind, heap: each('heap'), buffers: each('buffers'), rss: each('rss'), perSecond: connections / Math.max(...took) * 1000,
      pings: pings.length, p50: quantile(pings, 0.5), p99: quantile(pings, 0.99), worst: quantile(pings, 1),
    }
  } finally {
    await Promise.all([server, ...clients].map((child) => child.end()))
  }
}

export function row({ kind, heap, buffers, rss, perSecond, pings, p50, p99, worst }: Measured): string {
  const cells = [kind, heap, buffers, rss, perSecond, pings].map((cell) => (typeof cell === 'number' ? cell.toFixed(0) : cell))
  return `| ${[...cells, ...[p50, p99, worst].map((ms) => ms.toFixed(1))].join(' | ')} |`
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const connections = Number(process.argv[2] ?? 10_000)
  if (openFiles() < connections + 100) {
    console.error(`${connections} connections need ${connections + 100} open files for the server, and the hard limit here is ${openFiles()}: raise it (ulimit -Hn as root, or LimitNOFILE), or ask for fewer`)
    process.exit(2)
  }
  console.log(`${connections} connections, clients in 2 processes, Keep Alive ${KEEP_ALIVE} s; Node ${process.version}, ${cpus().length} × ${cpus()[0]!.model}\n`)
  console.log('| server | heap B | buffers B | RSS B | connects/s | pings | p50 ms | p99 ms | worst ms |\n|:--|--:|--:|--:|--:|--:|--:|--:|--:|')
  let ours: Measured | undefined
  const hasAedes = existsSync(new URL('node_modules/aedes', import.meta.url))
  for (const kind of ['net', 'connack', ...(hasAedes ? ['aedes'] : [])]) {
    const measured = await measure(kind, connections, 2, 25_000)
    if (kind === 'connack') ours = measured
    console.log(row(measured))
  }
  console.log(hasAedes ? '' : '\naedes is not installed: npm ci in scripts/soak\n')
  const met = [target('heap of a connection, timers included', ours!.heap / 1024, 6, 'KiB'), target('99 of 100 pings are answered within', ours!.p99, 100, 'ms')]
  process.exitCode = met.every(Boolean) ? 0 : 1
}
