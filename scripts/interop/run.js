// npm run test:interop: connack against the brokers and clients of others, whatever of them is installed. Prints a table, writes docs/interop.md, and fails
// when something is red that is not known to be the other side's fault. It installs nothing. Options: `--only NAME` (of a partner), `--check TEXT`
// (part of a name); with either nothing is written.
import { cpus } from 'node:os'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BROKERS } from './brokers.js'
import { CHECKS } from './checks.js'
import { CHECKS_5 } from './checks5.js'
import { CUT_CHECKS } from './checks-cut.js'
import { KNOWN, knownFor } from './known.js'
import { mosquittoTools } from './mosquitto-tools.js'
import { mqttJs } from './mqttjs.js'
import { ours } from './ours.js'
import { startOwnBroker } from './own-broker.js'
import { paho } from './paho.js'
import { endAll, killAll, scratchFolder } from './processes.js'
import { document, forTerminal, remark, Report } from './report.js'
import { sentences } from './sentences.js'
import { Column } from './trial.js'

const WHOLE_RUN = 900_000
const CLIENTS = [ours, mosquittoTools, paho, ...mqttJs]
const ALL = [...CHECKS, ...CUT_CHECKS, ...CHECKS_5]

const { values } = parseArgs({ options: { only: { type: 'string' }, check: { type: 'string' } } })
const whole = values.only === undefined && values.check === undefined
const checks = ALL.filter(({ name }) => name.includes(values.check ?? ''))
const wanted = ({ name }) => values.only === undefined || name.toLowerCase().includes(values.only.toLowerCase())
const report = new Report()
const said = []
/** installed, and not to be started */
const broken = []

process.on('exit', killAll)
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]]) process.on(signal, () => { void leave(status) })
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    console.error(error)
    void leave(1)
  })
}
setTimeout(() => {
  console.error(`it is not through after ${WHOLE_RUN / 1000} s`)
  void leave(1)
}, WHOLE_RUN).unref()

/** in the order of the table, whoever was first */
const ranks = [...BROKERS, ...CLIENTS].map(({ name }) => name)

const brokers = BROKERS.filter(wanted).map((one) => ({ ...one, versions: [3, 4, 5], found: one.find() }))
const clients = CLIENTS.filter(wanted).map((one) => ({ ...one, found: one.version() }))
const missing = [...brokers, ...clients].filter(({ found }) => found === undefined)
tellMissing()
const brokersDone = Promise.all(brokers.filter(({ found }) => found !== undefined).map(tryBroker))
await Promise.all(clients.filter(({ found }) => found !== undefined).map(tryClient))
await brokersDone
report.number(ranks)
said.sort((a, b) => ranks.indexOf(a.name) - ranks.indexOf(b.name))
const tables = [report.table('brokers', ALL, brokers), report.table('clients', ALL, clients)]
console.log(`\nconnack's client at the brokers of others (3.1, 3.1.1, 5.0)\n\n${forTerminal(tables[0])}\n\nThe clients of others at connack's broker (3.1, 3.1.1, 5.0)\n\n${forTerminal(tables[1])}\n`)
for (const [i, note] of report.notes.entries()) console.log(remark(note, i + 1))
if (whole) tellOutdated()
console.log(report.count())
tellMissing()
if (broken.length > 0) console.log(`installed and not tried: ${broken.join(', ')}${whole ? '; docs/interop.md stays as it was' : ''}`)
if (whole && broken.length === 0) {
  const date = new Date().toISOString().slice(0, 10)
  const machine = `Node ${process.versions.node}, ${process.platform}, ${cpus().length} processors`
  writeFileSync(new URL('../../docs/interop.md', import.meta.url), document({ report, tables, said, missing, machine, date, partners: '3.1, 3.1.1, 5.0' }))
  console.log('docs/interop.md is written')
}
await leave(report.ours.length > 0 || broken.length > 0 ? 1 : 0)

/** Our client at one broker: each version it speaks, then what we say of the rest. */
async function tryBroker(broker) {
  const { name, speaks } = broker
  const places = await started(broker)
  if (places === undefined) return
  for (const version of speaks) await tryColumn(new Column('brokers', ours, version, places, broker), name)
  said.push({ name, list: await sentences(broker, places) })
}

/** Twice, since somebody else may have taken a port. What is there and does not start has not been tried, and that fails the run. */
async function started(broker) {
  for (let left = 2; left > 0; left--) {
    try {
      return await broker.start(scratchFolder())
    } catch (error) {
      console.error(`${broker.name} does not start: ${error.message}`)
    }
  }
  broken.push(broker.name)
  return undefined
}

/** One client of others at our broker. */
async function tryClient(client) {
  for (const version of client.versions) {
    let column
    const places = await startOwnBroker(scratchFolder(), (...line) => { column.record(...line) })
    column = new Column('clients', client, version, { ...places, everywhere: true }, {})
    await tryColumn(column, client.name)
    await places.close()
  }
}

async function tryColumn(column, partner) {
  const { side, version } = column
  for (const check of checks) {
    const outcome = await column.run(check)
    const known = outcome.failed && knownFor(partner, version, check.name, outcome.failed.message)
    report.add({ partner, side, version, check: check.name, outcome, known })
    if (process.stdout.isTTY) process.stdout.write(outcome.passed ? '.' : outcome.failed ? '✗' : '')
  }
}

/** One line for Debian's packages, one for npm's. */
function tellMissing() {
  if (missing.length === 0) return
  console.log(`not there: ${missing.map(({ name }) => name).join(', ')}`)
  const debian = missing.flatMap((one) => one.debian ?? [])
  const npm = missing.some((one) => one.npm !== undefined)
  if (debian.length > 0) console.log(`  apt-get update && apt-get install -y --no-install-recommends ${[...new Set(debian)].join(' ')}`)
  if (npm) console.log('  npm ci --prefix scripts/interop')
}

/** A fault that is listed and does not happen any more. */
function tellOutdated() {
  for (const row of KNOWN) {
    if (row.sometimes !== true && !report.cells.some(({ known }) => known === row) && report.cells.some(({ partner }) => partner === row.partner)) console.log(`out of date in known.js: ${row.partner}, ${row.check}`)
  }
}

async function leave(status) {
  const late = setTimeout(() => { process.exit(status) }, 30_000)
  await endAll()
  clearTimeout(late)
  process.exit(status)
}
