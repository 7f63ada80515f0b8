// npm run simulate: a million connections of a server in one process, on a fake clock. What it costs, and which promises were seen to be kept how often.
import { parseArgs } from 'node:util'
import { simulate } from './simulate/simulation.ts'

const HELP = `npm run simulate -- [options]
  --connections N   default 1,000,000
  --seed N          replays a run exactly; default 1
  --messages N      conversations of PUBLISH and SUBSCRIBE, both ways; default twice the connections`

const { values } = parseArgs({ options: { connections: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' }, messages: { type: 'string' }, help: { type: 'boolean', default: false } } })

if (values.help) console.log(HELP)
else run()

function run(): void {
  const connections = numberOf('connections', values.connections)
  const seed = numberOf('seed', values.seed)
  const messages = values.messages === undefined ? 2 * connections : numberOf('messages', values.messages)
  const begin = performance.now()
  let empty = 0
  let idle = 0
  let connected = 0
  const { transitions, kept, ends, resumed } = simulate({
    connections, seed, messages,
    at(moment) {
      if (moment === 'empty') empty = memory()
      if (moment === 'idle') {
        connected = performance.now()
        idle = memory()
      }
    },
  })
  const seconds = (performance.now() - begin) / 1000
  console.log(`seed ${seed}: ${number(connections)} connections, ${number(messages)} conversations, ${number(resumed)} sessions resumed, ${seconds.toFixed(1)} s (${((connected - begin) / 1000).toFixed(1)} s to connect)`)
  console.log(`${Math.round((idle - empty) / connections)} bytes of heap for each idle connection: its state, its Client Identifier and its timer`)
  console.log(`${number(transitions)} transitions, ${number(Math.round(transitions / seconds))} a second, Clients, clock and promises included`)
  console.log(`ended by: ${[...ends].sort(([, a], [, b]) => b - a).map(([why, count]) => `${why} ${number(count)}`).join(', ')}`)
  console.log('kept:')
  for (const [promise, count] of kept) console.log(`${number(count).padStart(12)} × ${promise}`)
}

/** Bytes in use, typed arrays included. */
function memory(): number {
  for (let i = 0; i < 3; i++) globalThis.gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value >= 1)) throw new TypeError(`--${name} is a whole number from 1, not ${text}`)
  return value
}

function number(value: number): string {
  return value.toLocaleString('en')
}
