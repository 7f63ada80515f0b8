// Rounds: each case with each contender in a process of its own, one at a time. Who comes first rotates from round to
// round, so a slow minute of the machine hits everybody alike and ratios of one round stay fair.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const WORKER = fileURLToPath(new URL('../worker.js', import.meta.url))
/** Room for a span without a collection; the process is otherwise as anybody runs it. */
const HEAP_FLAGS = ['--min-semi-space-size=64', '--max-semi-space-size=64']

/** Returns one entry per case: { entry, runs: { contender: [result per round] } }. */
export async function runRounds(list, contenders, { rounds, warm, span, timeout, seconds, started }) {
  const table = list.map((entry) => ({ entry, runs: Object.fromEntries(takers(entry, contenders).map(({ name }) => [name, []])) }))
  const late = () => (Date.now() - started) / 1000 > seconds
  for (let round = 0; round < rounds; round++) {
    for (const { entry, runs } of table) {
      if (late()) break
      // Heap figures do not depend on the machine's mood: one look, and a second to be sure.
      if (entry.unit === 'B' && round >= 2) continue
      const order = rotate(takers(entry, contenders), round)
      for (const { name } of order) {
        const before = runs[name]
        if (before.length > 0 && before[0].status !== 'ok') continue
        before.push(tooSlowBefore(table, entry, name) ?? await inProcess(name, entry, { warm, span, timeout }))
      }
    }
    process.stderr.write(`round ${round + 1} of ${rounds} done, ${Math.round((Date.now() - started) / 1000)} s\n`)
    if (late()) break
  }
  return table
}

const takers = (entry, contenders) => contenders.filter(({ name, kind }) => entry.contenders?.includes(name) ?? kind !== 'reference')

const rotate = (list, by) => list.map((_, i) => list[(i + by) % list.length])

/** In a series of growing sizes, who ran out of time at one is not asked for the next. */
function tooSlowBefore(table, entry, name) {
  if (entry.series === undefined) return undefined
  const smaller = table.find((row) => row.entry.series === entry.series && row.entry.bytes < entry.bytes && row.runs[name]?.[0]?.status === 'slow')
  return smaller && { status: 'slow', reason: `not tried: ${smaller.runs[name][0].reason} at ${smaller.entry.id}` }
}

function inProcess(name, entry, { warm, span, timeout }) {
  const flags = entry.unit === 'B' ? ['--expose-gc', ...(entry.measure === 'heap' ? HEAP_FLAGS : [])] : []
  const child = spawn(process.execPath, [...flags, WORKER, name, entry.id, String(warm), String(span)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => { out += chunk })
  child.stderr.on('data', (chunk) => { err = (err + chunk).slice(-2000) })
  return new Promise((resolve) => {
    let slow = false
    const timer = setTimeout(() => {
      slow = true
      child.kill('SIGKILL')
    }, entry.timeout ?? timeout)
    child.on('close', (code) => {
      clearTimeout(timer)
      const line = out.trim().split('\n').at(-1)
      if (line?.startsWith('{')) resolve(JSON.parse(line))
      else if (slow) resolve({ status: 'slow', reason: `more than ${(entry.timeout ?? timeout) / 1000} s` })
      else resolve({ status: 'failed', reason: `exit ${code}: ${err.trim().split('\n').at(-1) ?? ''}`.slice(0, 200) })
    })
  })
}
