// Keep-alive: pushing back one connection's deadline, in random order over very many connections, and what each costs.
// "node" is what servers do today: one setTimeout per connection, refresh()ed on every packet.

import { LazyWheel } from '../floor/wheel.js'
import { Wrong } from '../lib/facts.js'
import { needs } from '../lib/ours.js'
import { sink } from '../lib/sink.js'

const CONTENDERS = ['ours', 'floor', 'node']

export const cases = [
  ...[100_000, 1_000_000].map((count) => ({
    id: `timer:rearm:${count}`, group: 'timer', contenders: CONTENDERS, measure: 'time', unit: 'ns', quick: false, timeout: 20_000,
    prepare: async (_, name) => prepareRearm(await armed(name, count), count),
  })),
  {
    id: 'mass:timer', group: 'heap', contenders: CONTENDERS, measure: 'mass', unit: 'B', quick: false, timeout: 20_000,
    // What a connection holds of its timer, a number or a reference, is the connection's and not counted for anybody.
    prepare: async (_, name) => ({ count: 1_000_000, make: async () => ({ ...await armed(name, 1_000_000), entries: undefined, timers: undefined }) }),
  },
]

/** Ids in random order, the same for everyone. */
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  let seed = 12345
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    const k = seed % (i + 1)
    const held = order[i]
    order[i] = order[k]
    order[k] = held
  }
  return order
}

function prepareRearm({ rearm, entries }, count) {
  const order = shuffled(count)
  // A connection holds its timer's number; looking it up in a table of all of them would be one more cache miss.
  if (entries !== undefined) for (let i = 0; i < count; i++) order[i] = entries[order[i]]
  let at = 0
  return {
    loop(n) {
      for (let i = 0; i < n; i++) {
        rearm(order[at])
        if (++at === count) at = 0
      }
      sink.count += at
    },
  }
}

async function armed(name, count) {
  if (name === 'node') return nodeTimers(count)
  if (name === 'floor') return floorTimers(count)
  return ourTimers(count)
}

function nodeTimers(count) {
  const fire = () => {}
  const timers = Array.from({ length: count }, () => setTimeout(fire, 90_000))
  return { timers, rearm: (id) => { timers[id].refresh() } }
}

function floorTimers(count) {
  const wheel = new LazyWheel(count)
  for (let id = 0; id < count; id++) wheel.arm(id, 900)
  if (wheel.advance(899) !== 0) throw new Wrong('fired early')
  let tick = 900
  return { wheel, rearm: (id) => wheel.rearm(id, ++tick) }
}

/** The timers all connections of a process share. `now` moves on a little with every packet, as it would. */
async function ourTimers(count) {
  const { Timers } = await needs('timers', 'Timers')
  const wheel = new Timers()
  const fire = () => { throw new Wrong('fired') }
  let now = wheel.now()
  const entries = Uint32Array.from({ length: count }, () => wheel.create(fire))
  for (const entry of entries) wheel.arm(entry, 90_000, now)
  return {
    wheel,
    entries,
    rearm(entry) {
      now += 0.001
      wheel.arm(entry, 90_000, now)
    },
  }
}
