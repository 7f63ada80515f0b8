// The outcome of a run, as a table for a terminal and as docs/interop.md.
const NAMES = { 3: '3.1', 4: '3.1.1', 5: '5.0' }
const EVIDENCE = 10
/** what nobody could have tried */
const BESIDE = ['not in this version', 'only for connack']

export class Report {
  /** { partner, side, version, check, outcome, known } */
  cells = []
  notes = []

  add(cell) {
    this.cells.push(cell)
    const { failed } = cell.outcome
    if (failed !== undefined) {
      // One remark for a partner's fault, however many cells it reddens.
      const same = this.notes.find((note) => note.partner === cell.partner && note.side === cell.side && (cell.known === undefined ? note.check === cell.check && note.failed.message === failed.message : note.known === cell.known))
      if (same !== undefined) same.cells.push(cell)
      cell.note = same ?? { ...cell, failed, cells: [cell] }
      if (same === undefined) this.notes.push(cell.note)
    }
  }

  /** Remarks in the order of the tables. */
  number(partners) {
    this.notes.sort((a, b) => a.side.localeCompare(b.side) || partners.indexOf(a.partner) - partners.indexOf(b.partner))
  }

  get ours() {
    return this.cells.filter(({ outcome, known }) => outcome.failed !== undefined && known === undefined)
  }

  count() {
    const passed = this.cells.filter(({ outcome }) => outcome.passed).length
    const theirs = this.cells.filter(({ known }) => known !== undefined).length
    return `${passed} passed, ${this.ours.length} failed by connack, ${theirs} failed by others, ${this.cells.filter(({ outcome }) => outcome.skipped !== undefined && !BESIDE.includes(outcome.skipped)).length} not tried`
  }

  /** Rows of marks: one column a partner, one mark a version. */
  table(side, checks, partners) {
    const there = partners.filter(({ name }) => this.cells.some((cell) => cell.side === side && cell.partner === name))
    const head = ['', ...there.map(({ name, found }) => `${name} ${found}`)]
    const rows = checks.map(({ name }) => [name, ...there.map((partner) => partner.versions.map((version) => this.mark(side, partner.name, version, name)).join(' '))])
    return [head, ...rows.filter(([, ...cells]) => cells.some((cell) => /[✓✗]/.test(cell)))]
  }

  mark(side, partner, version, check) {
    const cell = this.cells.find((one) => one.side === side && one.partner === partner && one.version === version && one.check === check)
    if (cell?.outcome.passed) return '✓'
    if (cell?.outcome.failed === undefined) return '·'
    return `✗${this.notes.indexOf(cell.note) + 1}${cell.known === undefined ? '!' : ''}`
  }
}

export function forTerminal([head, ...rows]) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)))
  return [head, ...rows].map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join('   ').trimEnd()).join('\n')
}

function forMarkdown([head, ...rows]) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

export function remark(note, number) {
  const { partner, side, version, check, failed, known, outcome, cells } = note
  const where = `${partner}, ${side === 'brokers' ? 'as the broker' : 'as the client'}`
  const which = [...new Set(cells.map((cell) => `${cell.check} (${NAMES[cell.version]})`))].join('; ')
  const whose = known === undefined ? '**connack\'s, or nobody knows yet**' : `theirs${known.rule === undefined ? '' : ` [${known.rule}]`}: ${known.why}`
  const evidence = (known?.evidence === undefined ? outcome.evidence.slice(-EVIDENCE) : outcome.evidence.filter((line) => known.evidence.test(line)).slice(-EVIDENCE)).map((line) => `    ${line}`).join('\n')
  return `${number}. **${where}**: ${which}\n   Whose: ${whose}\n   Said: ${failed.message} (${check}, ${NAMES[version]})\n\n${evidence}\n`
}

export function document({ report, tables, said, missing, machine, date, partners }) {
  const skipped = new Map()
  for (const { partner, check, outcome } of report.cells) {
    if (outcome.skipped === undefined || BESIDE.includes(outcome.skipped)) continue
    const key = `${partner}: ${outcome.skipped}`
    skipped.set(key, new Set([...skipped.get(key) ?? [], check]))
  }
  return `# Who understands whom

Made by \`npm run test:interop\` on ${date} (${machine}): connack against the brokers and clients of others, on loopback, each version of MQTT that both
speak. What is wanted is written once (\`scripts/interop/checks*.js\`) and tried with every client and every broker. ${report.count()}.

Marks stand for the versions in this order: ${partners}. ✓ passed, ✗ failed (the number is that of a remark below; with \`!\` it is connack's fault or nobody's yet, and the run fails), · not tried.

## connack's client at the brokers of others

${forMarkdown(tables[0])}

## The clients of others at connack's broker

\`connack\` is our own client, for comparison.

${forMarkdown(tables[1])}

## Remarks on what failed

The bytes are those that connack's end received (\`<\`) and sent (\`>\`), the last of them up to the failure.

${report.notes.map((note, i) => remark(note, i + 1)).join('\n')}
## Not tried

${[...skipped].map(([key, checks]) => `- ${key} (${[...checks].join('; ')})`).join('\n')}
${missing.map(({ name }) => `- ${name}: not installed`).join('\n')}

## What connack's client says when it does not get in

${said.map(({ name, list }) => `**${name}**\n\n| tried | said |\n| --- | --- |\n${list.map(([situation, sentence]) => `| ${situation} | ${sentence === '' ? '(it got in)' : sentence.replaceAll('|', '\\|').replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:port')} |`).join('\n')}\n`).join('\n')}`
}
