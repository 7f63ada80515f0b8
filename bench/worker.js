// One contender, one case, one process. First the contender has to be right on the bytes of the case, then it is
// timed. Prints one line of JSON: a value, or why there is none.
//
//   node bench/worker.js <contender> <case> <warm ms> <span ms>

import { writeSync } from 'node:fs'
import { cases } from './cases/index.js'
import { load } from './contenders/index.js'
import { Unable, Wrong } from './lib/facts.js'
import { flow, heap, mass, once, retained, time } from './lib/measure.js'
import { sink } from './lib/sink.js'

const MEASURES = { time, once, heap, retained, mass, flow }

const [name, id, warm, span] = process.argv.slice(2)

// Written with writeSync and left at once: a contender's timers or sockets must not keep the process.
const report = (result) => {
  writeSync(1, `${JSON.stringify(result)}\n`)
  process.exit(0)
}

try {
  const found = cases.find((each) => each.id === id)
  if (found === undefined) throw new Error(`no case is called ${id}`)
  const prepared = await found.prepare(await load(name), name)
  const measured = await MEASURES[found.measure](prepared, { warm: Number(warm), span: Number(span) })
  prepared.after?.()
  report({ status: 'ok', ...measured, ...prepared.extra?.(), sink: sink.packet === undefined ? 0 : 1 })
} catch (error) {
  if (error instanceof Unable) report({ status: 'unable', reason: error.message })
  if (error instanceof Wrong) report({ status: 'wrong', reason: error.message })
  report({ status: 'failed', reason: `${error?.name}: ${error?.message}`.slice(0, 200) })
}
