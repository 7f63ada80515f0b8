// The plots of a run: throughput per packet kind, time against read size, time against message size, heap per packet.

import { contenders } from '../contenders/index.js'
import { bar, decades, document, legend, line, log, rule, text } from './svg.js'

let peers = 0
const SHOWN = contenders.filter(({ kind }) => kind !== 'reference').map(({ name, kind }) =>
  ({ name, label: name === 'ours' ? 'connack' : name, kind: kind === 'peer' ? `peer${peers++}` : kind }))

export function drawAll(results) {
  const by = new Map(results.rows.map((row) => [row.id, row]))
  const plots = {
    'throughput.svg': throughput(by),
    'fragments.svg': fragments(by),
    'growth.svg': growth(by),
    'heap.svg': heap(by),
  }
  return Object.fromEntries(Object.entries(plots).filter(([, drawn]) => drawn !== undefined))
}

const valueOf = (row, name) => {
  const result = row?.contenders[name]
  return result?.status === 'ok' ? result.value : undefined
}

const short = (id) => id.replace(/^(heap:)?(decode|encode):/, '')

function throughput(by) {
  const panels = ['decode', 'encode'].map((group) => ({
    title: `${group}, million packets a second (log scale)`,
    rows: [...by.values()].filter((row) => row.group === group),
    of: (row, name) => { const ns = valueOf(row, name); return ns && 1000 / ns },
    label: (value) => (value >= 10 ? value.toFixed(0) : value.toPrecision(2)),
  }))
  return bars('Throughput per packet kind, one packet a call', panels)
}

function heap(by) {
  const rows = [...by.values()].filter(({ group, id }) => group === 'heap' && /^heap:(decode|encode):/.test(id))
  const panels = ['decode', 'encode'].map((kind) => ({
    title: `${kind}, bytes of heap a packet (log scale)`,
    rows: rows.filter(({ id }) => id.startsWith(`heap:${kind}`)),
    of: (row, name) => valueOf(row, name),
    label: (value) => Math.round(value).toString(),
  }))
  return bars('Heap allocated per packet', panels)
}

/** Grouped horizontal bars, one panel beside the other. A missing bar says why instead. */
function bars(title, panels) {
  const drawn = panels.filter(({ rows }) => rows.length > 0)
  if (drawn.length === 0) return undefined
  const BAR = 9
  const GROUP = SHOWN.length * (BAR + 1) + 9
  const WIDTH = 470
  const NAMES = 92
  const height = 100 + Math.max(...drawn.map(({ rows }) => rows.length)) * GROUP
  const body = [legend(SHOWN, 16, 50)]
  for (const [p, { title: head, rows, of, label }] of drawn.entries()) {
    const left = 16 + p * WIDTH + NAMES
    const right = 16 + (p + 1) * WIDTH - 52
    const values = rows.flatMap((row) => SHOWN.map(({ name }) => of(row, name))).filter((value) => value >= 1e-3)
    const x = log(...decades(values), left, right)
    body.push(text(16 + p * WIDTH, 76, head, { kind: 'head' }))
    const bottom = 84 + rows.length * GROUP
    for (const tick of x.ticks) {
      body.push(rule(x.scale(tick), 84, x.scale(tick), bottom, 'grid'), text(x.scale(tick), bottom + 13, tick.toLocaleString('en'), { anchor: 'middle', kind: 'small soft' }))
    }
    for (const [i, row] of rows.entries()) {
      const top = 88 + i * GROUP
      body.push(text(left - 6, top + GROUP / 2, short(row.id), { anchor: 'end' }))
      for (const [k, { name, kind }] of SHOWN.entries()) {
        const value = of(row, name)
        const y = top + k * (BAR + 1)
        if (value === undefined) body.push(text(left + 3, y + BAR - 1, row.contenders[name]?.status ?? '', { kind: 'small soft' }))
        else {
          const end = value >= x.min ? x.scale(value) : left
          if (value >= x.min) body.push(bar(left, y, end - left, BAR, kind))
          body.push(text(end + 3, y + BAR - 1, label(value), { kind: kind === 'ours' ? 'small head' : 'small soft' }))
        }
      }
    }
  }
  return document(32 + drawn.length * WIDTH, height + 8, title, body)
}

function fragments(by) {
  const sizes = [1, 7, 1460, 65_536]
  const panels = [['storm', 'CONNECT, PINGREQ, DISCONNECT'], ['mixed', 'eight kinds, 3.1.1'], ['mixed5', 'four kinds, 5.0']].map(([stream, what]) => ({
    head: `${stream}: ${what}`,
    series: SHOWN.map(({ name, kind }) => ({
      name, kind, points: sizes.map((size) => [size, valueOf(by.get(`stream:${stream}:${size}`), name)]).filter(([, value]) => value !== undefined),
    })),
  }))
  return lines('Time per packet against the size of a read (both logarithmic)', panels, sizes, (size) => size.toLocaleString('en'), 'bytes per read')
}

function growth(by) {
  const rows = [...by.values()].filter(({ group }) => group === 'grow')
  const sizes = rows.map(({ bytes }) => bytes)
  const panels = [{
    head: 'one PUBLISH, one byte a read; a line that ends took too long',
    series: SHOWN.map(({ name, kind }) => ({
      name, kind, points: rows.map((row) => [row.bytes, valueOf(row, name)]).filter(([, value]) => value !== undefined),
    })),
  }]
  const label = (size) => (size < 1_048_576 ? `${size / 1024} KiB` : `${size / 1_048_576} MiB`)
  return lines('Time against message size at one byte a read (both logarithmic)', panels, sizes, label, 'payload')
}

function lines(title, panels, xs, label, xName) {
  const values = panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([, value]) => value)))
  if (values.length === 0) return undefined
  const WIDTH = panels.length === 1 ? 640 : 330
  const TOP = 92
  const BOTTOM = 350
  const y = log(...decades(values), BOTTOM, TOP)
  const body = [legend(SHOWN.filter(({ name }) => panels.some(({ series }) => series.some((each) => each.name === name && each.points.length > 0))), 16, 50)]
  for (const [p, { head, series }] of panels.entries()) {
    const left = 16 + p * WIDTH + 60
    const right = 16 + (p + 1) * WIDTH - 20
    const x = log(xs[0], xs.at(-1), left, right)
    body.push(text(left, 78, head, { kind: 'head' }))
    for (const tick of y.ticks) {
      body.push(rule(left, y.scale(tick), right, y.scale(tick), 'grid'), text(left - 6, y.scale(tick) + 4, tickName(tick), { anchor: 'end', kind: 'small soft' }))
    }
    body.push(rule(left, BOTTOM, right, BOTTOM, 'axis'))
    for (const value of xs) body.push(text(x.scale(value), BOTTOM + 16, label(value), { anchor: 'middle', kind: 'small soft' }))
    body.push(text((left + right) / 2, BOTTOM + 34, xName, { anchor: 'middle', kind: 'small' }))
    for (const { kind, points } of series) if (points.length > 0) body.push(line(points.map(([a, b]) => [x.scale(a), y.scale(b)]), kind))
  }
  return document(32 + panels.length * WIDTH, BOTTOM + 48, title, body)
}

/** A decade of nanoseconds. */
const tickName = (ns) => (ns < 1e3 ? `${ns} ns` : ns < 1e6 ? `${ns / 1e3} µs` : ns < 1e9 ? `${ns / 1e6} ms` : `${ns / 1e9} s`)
