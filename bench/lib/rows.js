// From runs to a row: medians with their range, and ratios taken round by round before the median is.

import { median } from './measure.js'

const digits = (value) => (value === undefined ? undefined : Number(value.toPrecision(4)))

export function summarise({ entry, runs }) {
  const { id, group, unit, bytes } = entry
  const contenders = {}
  for (const [name, list] of Object.entries(runs)) {
    if (list.length === 0) continue
    const failed = verdict(list)
    contenders[name] = failed === undefined ? figures(list) : { status: failed.status, reason: failed.reason }
  }
  return { id, group, unit, bytes, contenders, ratios: ratios(contenders, runs, unit) }
}

/** Wrong once is wrong. Out of time in fewer than half of the rounds is a busy machine, and noted. */
function verdict(list) {
  const failed = list.filter(({ status }) => status !== 'ok')
  return failed.find(({ status }) => status !== 'slow') ?? (2 * failed.length >= list.length ? failed[0] : undefined)
}

function figures(all) {
  const list = all.filter(({ status }) => status === 'ok')
  const values = list.map(({ value }) => value)
  const { outside } = list.at(-1)
  const note = list.length < all.length ? `out of time in ${all.length - list.length} of ${all.length} rounds` : list.at(-1).note
  return {
    status: 'ok', value: digits(median(values)), min: digits(Math.min(...values)), max: digits(Math.max(...values)), rounds: list.length,
    ...(outside > 0.5 ? { outside: digits(outside) } : {}), ...(note ? { note } : {}),
  }
}

/** contender ÷ ours: how many times faster, or smaller, ours is. Nothing is a multiple of nothing. */
function ratios(contenders, runs, unit) {
  if (contenders.ours?.status !== 'ok' || (unit === 'B' && contenders.ours.value < 0.5)) return {}
  const found = {}
  for (const [name, { status }] of Object.entries(contenders)) {
    if (name === 'ours' || status !== 'ok') continue
    const pairs = runs[name].map(({ value }, round) => value / runs.ours[round]?.value).filter(Number.isFinite)
    if (pairs.length > 0) found[name] = digits(median(pairs))
  }
  return found
}

export const geomean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
