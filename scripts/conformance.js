// Makes docs/conformance.md: each statement of docs/conformance-statements.tsv with its proof, or with the reason why it has none.
// `--check` compares with what is there. `--notes=<file>` reads other notes than docs/conformance-notes.json: for the test of this script.
//
// A proof is a fixture, a flow or a test. Fixtures and flows name the statements of their own version. A test names its statements in its title; most
// numbers exist in 3.1.1 and in 5.0 with another meaning, so "(3.1.1)" or "(5.0)" right behind a number says whose it is, and where a title does
// not, somebody has read the test and written down in the notes what it proves. A title nobody has judged is an error, never a guess.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('..', import.meta.url)
const PAGE = 'docs/conformance.md'
const VERSIONS = ['3.1', '3.1.1', '5.0']
const VERSION_OF = { 3: '3.1', 4: '3.1.1', 5: '5.0' }
const AREAS = ['codec', 'topic', 'client-fsm', 'server-fsm', 'session', 'qos', 'broker', 'transport']
/** What bytes alone can prove; a packet that decodes says nothing of who sends it when. */
const OF_BYTES = ['codec', 'topic']
const STATUSES = ['proven', 'reason', 'not yet']
/** So many of each kind are named; the rest is counted. */
const NAMED = { cases: 2, flows: 3, tests: 3 }
const STATEMENT = /((?:MQTT|SPEC)-\d[\w.]*(?:-[\w-]*\w)?)(?: \((3\.1|3\.1\.1|5\.0)\))?/g
const SECTION = /^(3\.1|3\.1\.1|5\.0) (§[\dA-Z.]+|Appendix A)$/

const HEAD = `
# Conformance

What the normative statements of MQTT say, in our own short words, and where it is proven. Made by \`npm run conformance\` from
[conformance-statements.tsv](conformance-statements.tsv), the fixtures, the flows, the titles of the tests and
[conformance-notes.json](conformance-notes.json); \`test/conformance.test.ts\` fails when it is out of date, or when a statement about bytes (areas codec
and topic) has neither a proof nor a written reason.

- \`MQTT-…\` are the standard's own numbers, which mean different things in 3.1.1 and in 5.0; \`SPEC-…\` are sentences without a number. 3.1 has none: listed is what is
  different there.
- *valid* and *malformed* are cases of \`fixtures/\`: bytes that a decoder must read as the packet given (and an encoder write so, unless the case says otherwise), and bytes it
  must refuse with the error given. They count for bytes only, never for who does what when.
- *flows* are conversations of \`fixtures/flows/\`, *tests* those of \`test/\` whose title names the statement. Where a title alone does not tell which version's, the test has been
  read and the notes say what it proves, or that it does not.
- **proven**: all that the statement asks of this library is shown. **reason**: why there is no proof. **not yet**: what is missing; what there is stands behind *So far*.
`

const complaints = []
const notes = readNotes(process.argv.find((word) => word.startsWith('--notes='))?.slice('--notes='.length) ?? 'docs/conformance-notes.json')
const statements = readStatements()
addCases()
addFlows()
addTests()
for (const statement of statements.values()) {
  arrange(statement)
  judge(statement)
}
checkNotes()
const page = write()

for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) {
  console.error(`conformance: ${complaints.length} complaints`)
  process.exitCode = 1
} else if (process.argv.includes('--check')) {
  if (page === read(PAGE)) console.log(`${PAGE} is up to date`)
  else {
    console.error(`${PAGE} is not what npm run conformance makes`)
    process.exitCode = 1
  }
} else {
  writeFileSync(new URL(PAGE, ROOT), page)
  console.log(`${PAGE}: ${statements.size} statements, ${count(() => true).join(', ')} ${STATUSES.join(', ')}`)
}

function read(path) {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

function readNotes(path) {
  return JSON.parse(read(path))
}

/** Statements by version and number, in the order of the list. */
function readStatements() {
  const [head, ...lines] = read('docs/conformance-statements.tsv').trimEnd().split('\n')
  if (head !== 'version\tid\tarea\trole\tstatement\tcheck') complaints.push(`the list of statements begins with ${head}`)
  const all = new Map()
  for (const line of lines) {
    const [version, id, area, , text] = line.split('\t')
    const key = `${version} ${id}`
    if (all.has(key)) complaints.push(`${key} is listed twice`)
    if (!VERSIONS.includes(version) || !AREAS.includes(area)) complaints.push(`${key}: there is no version ${version} or no area ${area}`)
    all.set(key, { version, id, area, text, valid: [], malformed: [], flows: [], tests: [] })
  }
  return all
}

/** The versions in which a number means something. */
function versionsOf(id) {
  return VERSIONS.filter((version) => statements.has(`${version} ${id}`))
}

function addCases() {
  const rules = notes.noProof.cases.map(({ title, ...rule }) => ({ ...rule, title: title === undefined ? undefined : new RegExp(title), used: false }))
  for (const { file, version } of JSON.parse(read('fixtures/index.json'))) {
    for (const { id, title, spec, error } of JSON.parse(read(`fixtures/${file}`))) {
      const rule = rules.find((one) => one.title?.test(title))
      if (rule !== undefined) rule.used = true
      for (const name of spec) {
        const statement = cited(name, VERSION_OF[version], `fixtures/${file}, ${id}`)
        if (statement === undefined || rule !== undefined || !OF_BYTES.includes(statement.area)) continue
        const other = rules.find((one) => one[statement.version]?.includes(statement.id))
        if (other !== undefined) other.used = true
        else (error === undefined ? statement.valid : statement.malformed).push({ id, others: spec.length })
      }
    }
  }
  for (const { title, why, used } of rules) if (!used) complaints.push(`notes: no case is met by noProof ${title ?? JSON.stringify(why)}`)
}

function addFlows() {
  const dropped = new Map(Object.entries(notes.noProof.flows))
  for (const { file } of JSON.parse(read('fixtures/flows/index.json'))) {
    for (const { id, version, spec } of JSON.parse(read(`fixtures/flows/${file}`))) {
      const names = new Set(spec)
      for (const name of Object.keys(dropped.get(id) ?? {})) {
        if (!names.delete(name)) complaints.push(`notes: flow ${id} does not name ${name}`)
      }
      dropped.delete(id)
      for (const name of names) cited(name, VERSION_OF[version], `fixtures/flows/${file}, ${id}`)?.flows.push(id)
    }
  }
  for (const id of dropped.keys()) complaints.push(`notes: there is no flow ${id}`)
}

/** The statement a fixture or flow names; undefined for a section, which is listed nowhere. */
function cited(name, version, where) {
  const statement = statements.get(`${version} ${name}`)
  if (statement === undefined && SECTION.exec(name)?.[1] !== version) complaints.push(`${where}: ${name} is neither a statement nor a section of ${version}`)
  return statement
}

function addTests() {
  const judged = new Map(Object.entries(notes.tests).map(([file, titles]) => [file, new Map(Object.entries(titles))]))
  for (const file of readdirSync(new URL('test/', ROOT), { recursive: true }).map((name) => `test/${name.replaceAll('\\', '/')}`).filter((name) => name.endsWith('.test.ts')).sort()) {
    for (const [, , raw] of read(file).matchAll(/^\s*test\(\s*(['`])((?:\\.|(?!\1)[^\\])*)\1/gm)) {
      const title = raw.replace(/\\(['`\\])/g, '$1')
      const where = `${file}: "${title}"`
      const proves = new Map()
      for (const [, id, version] of title.matchAll(STATEMENT)) {
        const versions = versionsOf(id)
        if (versions.length === 0) complaints.push(`${where} names ${id}, which is no statement`)
        else if (version !== undefined && !versions.includes(version)) complaints.push(`${where} names ${id} of ${version}, which has none`)
        else proves.set(id, [...proves.get(id) ?? [], ...(version === undefined ? versions.length === 1 ? versions : ['?'] : [version])])
      }
      const here = judged.get(file)
      for (const [id, text] of Object.entries(here?.get(title) ?? {})) proves.set(id, text.split(' ').filter(Boolean))
      here?.delete(title)
      for (const [id, versions] of proves) {
        if (versions.includes('?')) complaints.push(`${where}: ${id} is a statement of ${versionsOf(id).join(' and of ')}; put (3.1.1) or (5.0) right behind it, or say in docs/conformance-notes.json which it proves`)
        for (const version of new Set(versions.filter((one) => one !== '?'))) {
          const statement = statements.get(`${version} ${id}`)
          if (statement === undefined) complaints.push(`notes: ${where} cannot prove ${id} of ${version}, there is none`)
          else statement.tests.push({ file, title, others: proves.size })
        }
      }
    }
  }
  for (const [file, titles] of judged) for (const title of titles.keys()) complaints.push(`notes: there is no test "${title}" in ${file}`)
}

/** What is about this statement and nothing else comes first; of tests, those of the layer that the statement is a matter of. */
function arrange({ area, valid, malformed, tests }) {
  const layers = OF_BYTES.includes(area) ? ['codec', 'fsm', 'transport'] : area === 'transport' ? ['transport', 'codec', 'fsm'] : ['fsm', 'transport', 'codec']
  const layer = ({ file }) => layers.indexOf(file.split('/')[1])
  for (const list of [valid, malformed]) list.sort((a, b) => a.others - b.others)
  tests.sort((a, b) => layer(a) - layer(b) || a.others - b.others)
}

/** Proven, a written reason, or not yet. */
function judge(statement) {
  const { version, id, area } = statement
  const key = `${version} ${id}`
  const [reason, notYet] = [said(notes.reasons, statement), said(notes.notYet, statement)]
  const proven = notes.proven[version]?.includes(id) === true
  if (Number(reason !== undefined) + Number(notYet !== undefined) + Number(proven) > 1) complaints.push(`notes: ${key} has more than one status`)
  const proofs = statement.valid.length + statement.malformed.length + statement.flows.length + statement.tests.length
  const later = proven ? undefined : notYet ?? notes.areas[area]
  statement.remark = said(notes.remarks, statement)
  if (reason !== undefined) Object.assign(statement, { status: 'reason', why: reason })
  else if (later !== undefined) Object.assign(statement, { status: 'not yet', why: later })
  else statement.status = 'proven'
  if (statement.status === 'proven' && proofs === 0) complaints.push(`${key} (${area}): neither a proof nor a reason`)
  if (OF_BYTES.includes(area) && statement.status === 'not yet') complaints.push(`${key} (${area}): "not yet" is no reason for what bytes can prove`)
}

/** What the notes say of a statement under this heading. */
function said(groups, { version, id }) {
  const found = groups.filter((group) => group[version]?.includes(id))
  if (found.length > 1) complaints.push(`notes: ${version} ${id} is there twice under one heading`)
  return found[0]?.why
}

/** Statements per status. */
function count(wanted) {
  return STATUSES.map((status) => [...statements.values()].filter((statement) => wanted(statement) && statement.status === status).length)
}

function write() {
  const table = (head, rows) => [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((cells) => `| ${cells.join(' | ')} |`)].join('\n')
  const row = (names, wanted) => [...names, [...statements.values()].filter(wanted).length, ...count(wanted)]
  const counts = VERSIONS.flatMap((version) => [
    ...AREAS.filter((area) => [...statements.values()].some((one) => one.version === version && one.area === area))
      .map((area) => row([version, area], (one) => one.version === version && one.area === area)),
    row([version, '**all**'], (one) => one.version === version),
  ])
  return [
    HEAD.trim(),
    table(['version', 'area', 'statements', ...STATUSES], [...counts, row(['**all**', ''], () => true)]),
    ...VERSIONS.map((version) => `## MQTT ${version}\n\n${table(['statement', 'area', 'what it says', 'proof, or why there is none'], [...statements.values()]
      .filter((one) => one.version === version)
      .map((one) => [one.id, one.area, cell(one.text), explain(one)]))}`),
  ].join('\n\n') + '\n'
}

function explain({ status, why, remark, valid, malformed, flows, tests }) {
  const parts = []
  const some = (list, named) => list.slice(0, named).join(', ') + (list.length > named ? ', …' : '')
  const kinds = [[valid, 'valid'], [malformed, 'malformed']].filter(([list]) => list.length > 0)
  if (kinds.length > 0) parts.push(`${kinds.map(([list, kind]) => `${list.length} ${kind}: ${some(list.map(({ id }) => id), NAMED.cases)}`).join('; ')}`)
  if (flows.length > 0) parts.push(`${flows.length === 1 ? 'flow' : `${flows.length} flows:`} ${some(flows, NAMED.flows)}`)
  for (const { file, title } of tests.slice(0, NAMED.tests)) parts.push(`\`${file}\`: ${cell(plain(title))}`)
  if (tests.length > NAMED.tests) parts.push(`and ${tests.length - NAMED.tests} more ${tests.length - NAMED.tests === 1 ? 'test' : 'tests'}`)
  if (status === 'proven') return [...parts, ...remark === undefined ? [] : [`*${remark}*`]].join('<br>')
  const word = status === 'reason' ? '**Reason**' : '**Not yet**'
  return [`${word}: ${why}`, ...parts.length > 0 ? ['So far:', ...parts] : []].join('<br>')
}

/** A title without the statements it begins with; what it is composed of at run time is left open. */
function plain(title) {
  return title.replaceAll(/\$\{(?!\w+\}(?: \([\d.]+\))?(?:, |: ))[^}]*\}/g, '…').replace(/^(?:(?:(?:MQTT|SPEC)-[\w.-]+|\$\{\w+\})(?: \([\d.]+\))?(?:, |: ))+/, '')
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_').replaceAll('`', '\\`').replaceAll('$', '\\$')
}

/** Every statement in the notes is one. */
function checkNotes() {
  const groups = [...notes.reasons, ...notes.notYet, ...notes.remarks, ...notes.noProof.cases, { why: 'proven', ...notes.proven }]
  for (const { why, title, ...versions } of groups) {
    if (typeof why !== 'string' || why === '') complaints.push(`notes: ${JSON.stringify(versions)} without a why`)
    for (const [version, ids] of Object.entries(versions)) {
      for (const id of ids) if (!statements.has(`${version} ${id}`)) complaints.push(`notes: ${version} ${id} is no statement`)
    }
  }
  for (const area of Object.keys(notes.areas)) if (!AREAS.includes(area)) complaints.push(`notes: there is no area ${area}`)
}
