// The regression check. Digits move with the machine, so ratios of one run are compared with ratios of another:
// ours against mqtt-packet, and ours against the floor.

export const TOLERANCE = 0.2

const AGAINST = ['mqtt-packet', 'floor']
/** Heap figures of a byte or two are rounding, and 0 divides by nothing. */
const NEGLIGIBLE = 2

/** Every ratio that is now more than 20 % worse than it was, and every case ours can no longer do. */
export function fallen(before, after) {
  const found = []
  for (const row of after) {
    const was = before.find(({ id }) => id === row.id)
    if (was?.contenders.ours?.status !== 'ok') continue
    const ours = row.contenders.ours
    if (ours?.status !== 'ok') {
      if (ours !== undefined) found.push({ id: row.id, against: 'itself', was: 1, is: 0, reason: `${ours.status}: ${ours.reason}` })
      continue
    }
    if (row.unit === 'B' && ours.value <= NEGLIGIBLE) continue
    for (const name of AGAINST) {
      const then = ratio(was, name)
      const now = ratio(row, name)
      if (then === undefined || now === undefined) continue
      const fell = (from, to) => to < from * (1 - TOLERANCE)
      if (fell(then, now) && fell(bestRatio(was, name), bestRatio(row, name))) found.push({ id: row.id, against: name, was: then, is: now })
    }
  }
  return found
}

/** How many times better than `name` ours is. Above 1: better. */
function ratio(row, name) {
  const value = row.ratios?.[name]
  return Number.isFinite(value) && value > 0 ? value : undefined
}

/** The same of the best rounds: a neighbour's noise moves the medians, a regression moves both. */
function bestRatio({ contenders }, name) {
  return contenders[name].min / contenders.ours.min
}
