// node bench/run.js [--quick] [--only text] [--rounds n] [--out file] [--merge] [--check] [--list]
// One process per contender and case, in interleaved rounds whose order rotates; what is reported is the median.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { cases } from './cases/index.js'
import { fallen } from './compare.js'
import { contenders } from './contenders/index.js'
import { build } from './lib/build.js'
import { describe } from './lib/machine.js'
import { installPeers } from './lib/peers.js'
import { drawAll } from './lib/plots.js'
import { summarise } from './lib/rows.js'
import { runRounds } from './lib/rounds.js'
import { printFallen, printTable } from './lib/table.js'
import { judge } from './targets.js'

const at = (path) => new URL(path, import.meta.url)
const COMMITTED = at('results.json')
const PLOTS = at('plots/')

const { values: args } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    out: { type: 'string' },
    merge: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})

/** `seconds` is when no further round or case is begun; `timeout` is when a contender counts as too slow. */
const pace = args.quick
  ? { rounds: 2, warm: 60, span: 80, timeout: 3_000, seconds: 42 }
  : { rounds: 5, warm: 150, span: 250, timeout: 10_000, seconds: Infinity }
if (args.rounds !== undefined) pace.rounds = Number(args.rounds)
if (!(pace.rounds >= 1)) throw new Error('--rounds takes a number from 1 on')

const chosen = cases.filter(({ id, quick }) =>
  (!args.quick || quick || args.only.length > 0) && (args.only.length === 0 || args.only.some((text) => id.includes(text))))
if (chosen.length === 0) throw new Error('no case has that in its name; --list shows them all')

if (args.list) {
  for (const { id, measure, unit } of chosen) console.log(`${id.padEnd(28)} ${measure}, ${unit}`)
  process.exit(0)
}

const started = Date.now()
for (const problem of await build()) console.log(`not built: ${problem}`)
for (const problem of installPeers(args.quick)) console.log(`peers: ${problem}`)

const [load] = os.loadavg()
if (load > 0.7 * os.cpus().length) console.log(`this machine is busy (load ${load.toFixed(1)}): expect wide ranges and rough ratios`)

const measure = (list, settings) => runRounds(list, contenders, settings)
const rows = (await measure(chosen, { ...pace, started })).map(summarise)
const results = { ...describe(pace, args), seconds: Math.round((Date.now() - started) / 1000), rows }
results.targets = judge(rows)

printTable(results)

if (args.out !== undefined) save(results, args.out, args.out.replace(/(\.json)?$/, '-plots/'))
else if (args.merge) save(merged(JSON.parse(readFileSync(COMMITTED, 'utf8'))), COMMITTED, PLOTS)
else if (!args.quick && args.only.length === 0 && !args.check) save(results, COMMITTED, PLOTS)

if (args.check) process.exitCode = await check()

function save(results, file, plots) {
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
  mkdirSync(plots, { recursive: true })
  for (const [name, text] of Object.entries(drawAll(results))) {
    writeFileSync(plots instanceof URL ? new URL(name, plots) : `${plots}${name}`, text)
  }
}

/** The committed results with today's rows in place of their old ones. Such a row says when it was measured, since it was not with the rest. */
function merged(committed) {
  const { date, machine } = results
  const fresh = new Map(rows.map((row) => [row.id, { ...row, measured: { date, load: machine.load } }]))
  const all = cases.map(({ id }) => fresh.get(id) ?? committed.rows.find((row) => row.id === id)).filter((row) => row !== undefined)
  return { ...committed, rows: all, targets: judge(all) }
}

/** What seems to have fallen is looked at once more before it is named: a noisy neighbour is not a regression. */
async function check() {
  if (!existsSync(COMMITTED)) {
    console.log('no committed results.json to compare with')
    return 1
  }
  const committed = JSON.parse(readFileSync(COMMITTED, 'utf8'))
  const suspects = fallen(committed.rows, rows)
  if (suspects.length === 0) {
    console.log('no ratio fell by more than 20 %')
    return 0
  }
  const ids = new Set(suspects.map(({ id }) => id))
  console.log(`\nlooking again at ${[...ids].join(', ')}`)
  const again = await measure(chosen.filter(({ id }) => ids.has(id)), { ...pace, rounds: pace.rounds + 2, started: Date.now(), seconds: Infinity })
  const confirmed = fallen(committed.rows, again.map(summarise))
  printFallen(confirmed)
  return confirmed.length === 0 ? 0 : 1
}
