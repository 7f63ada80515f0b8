// One table, ours beside every peer as ratios, and below it what could not be measured and why.

import { absent, contenders } from '../contenders/index.js'

const PEERS = contenders.filter(({ kind }) => kind !== 'ours').map(({ name }) => name)
const SHORT = { wrong: 'wrong', unable: '–', slow: '> limit', failed: 'failed' }

export function amount(value, unit) {
  if (unit === 'B') return `${Math.round(value)} B`
  if (value >= 1e6) return `${plain(value / 1e6)} ms`
  if (value >= 1e4) return `${plain(value / 1e3)} µs`
  return `${plain(value)} ns`
}

const plain = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

export function printTable({ rows, targets, machine, runtime, versions, method }) {
  console.log(`\n${machine.cpu}, ${machine.cores} cores, load ${machine.load.join(' ')} · Node ${runtime.node} · ${method.kind}, ${method.rounds} rounds`)
  console.log(`${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(' · ')}`)
  console.log('each cell: median, and in brackets how many times better ours is (for the floor: how many times ours takes)\n')
  const used = PEERS.filter((name) => rows.some(({ contenders: cells }) => cells[name] !== undefined))
  const lines = [['case', 'ours', 'range', ...used], ...rows.map((row) => line(row, used))]
  const widths = lines[0].map((_, i) => Math.max(...lines.map((cells) => cells[i].length)))
  for (const [i, cells] of lines.entries()) {
    console.log(cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join('  '))
    if (i === 0) console.log(widths.map((width) => '-'.repeat(width)).join('  '))
  }
  printNotes(rows)
  printReasons(rows)
  printTargets(targets)
}

function line({ id, unit, contenders: cells, ratios }, used) {
  const ours = cells.ours
  const own = ours?.status === 'ok' ? [amount(ours.value, unit), `${amount(ours.min, unit)}–${amount(ours.max, unit)}`] : [SHORT[ours?.status] ?? '–', '']
  return [id, ...own, ...used.map((name) => cell(cells[name], unit, name, ratios[name]))]
}

function cell(result, unit, name, ratio) {
  if (result === undefined) return ''
  if (result.status !== 'ok') return SHORT[result.status]
  const value = amount(result.value, unit)
  if (!Number.isFinite(ratio) || ratio === 0) return value
  return name === 'floor' ? `${value} (${plain(1 / ratio)})` : `${value} (×${plain(ratio)})`
}

function printNotes(rows) {
  const notes = rows.flatMap(({ id, contenders: cells }) => Object.entries(cells).filter(([, { note }]) => note).map(([name, { note }]) => `  ${id} ${name}: ${note}`))
  if (notes.length > 0) console.log(`\nnotes:\n${notes.join('\n')}`)
}

function printReasons(rows) {
  const reasons = new Map()
  for (const { id, contenders: cells } of rows) {
    for (const [name, { status, reason }] of Object.entries(cells)) {
      if (status === 'ok') continue
      const key = `${name} ${status}: ${reason}`
      reasons.set(key, [...reasons.get(key) ?? [], id])
    }
  }
  console.log('\nwithout a figure:')
  for (const [key, ids] of reasons) console.log(`  ${key}  [${ids.length > 4 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ')}]`)
  for (const { name, reason } of absent) console.log(`  ${name} takes no part: ${reason}`)
}

function printTargets(targets) {
  const known = targets.filter(({ verdict }) => verdict !== 'not measured')
  if (known.length === 0) return
  console.log('\ntargets:')
  for (const { what, target, value, verdict } of known) console.log(`  ${verdict.padEnd(7)} ${target.padStart(6)}  is ${String(value).padStart(6)}   ${what}`)
}

export function printFallen(list) {
  if (list.length === 0) console.log('on a second look no ratio fell by more than 20 %')
  for (const { id, against, was, is, reason } of list) {
    console.log(`FELL ${id}: ${reason ?? `against ${against} ×${plain(was)} → ×${plain(is)} (${Math.round((is / was - 1) * 100)} %)`}`)
  }
}
