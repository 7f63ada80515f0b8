// The targets the project set itself, as ratios in the same run. "times": how many times faster than mqtt-packet.

import { CONNECTION } from './cases/packets.js'
import { geomean } from './lib/rows.js'
import { contenders } from './contenders/index.js'

const PEERS = contenders.filter(({ kind }) => kind === 'peer').map(({ name }) => name)
const SMALL = ['connack311', 'pingreq', 'pingresp', 'disconnect311'].map((name) => `decode:${name}`)

/** Each: what it is, the sign and limit, and how it is read off the rows. Undefined means it was not measured. */
const TARGETS = [
  ['decode, geometric mean over connection packets and streams, × mqtt-packet', '≥', 12, (t) => mean(t, decodeIds(t), 'mqtt-packet')],
  ['decode, geometric mean over connection packets and streams, × the best peer', '≥', 5, (t) => mean(t, decodeIds(t), 'best')],
  ['decode CONNECT with Will, user and password, × mqtt-packet', '≥', 11, (t) => t.times('decode:connect311', 'mqtt-packet')],
  ['decode CONNECT with Will, user and password, ÷ floor', '≤', 1.5, (t) => t.overFloor('decode:connect311')],
  ['decode CONNACK, PINGREQ, PINGRESP, DISCONNECT 3.1.1: the least, × mqtt-packet', '≥', 25, (t) => least(SMALL.map((id) => t.times(id, 'mqtt-packet')))],
  ['decode PUBLISH 64 B, × mqtt-packet', '≥', 5.5, (t) => t.times('decode:publish64', 'mqtt-packet')],
  ['decode PUBLISH 64 B, × the best peer', '≥', 2, (t) => t.times('decode:publish64', 'best')],
  ['connection storm in 1-byte reads, × mqtt-packet', '≥', 15, (t) => t.times('stream:storm:1', 'mqtt-packet')],
  ['a new decoder per connection, × mqtt-packet', '≥', 15, (t) => t.times('fresh:storm', 'mqtt-packet')],
  ['retained by an idle decoder, B', '≤', 150, (t) => t.value('retained:decoder')],
  ['retained by an idle decoder with its state machine, B', '≤', 400, (t) => t.value('retained:connection')],
  ['encode to a fresh array, geometric mean, × mqtt-packet', '≥', 8, (t) => mean(t, t.ids('encode'), 'mqtt-packet')],
  ['encode into the caller\'s buffer, geometric mean, × writeToStream', '≥', 8, (t) => mean(t, t.ids('into'), 'mqtt-packet')],
  ['encode into the caller\'s buffer, heap: the most, B', '≤', 0.5, (t) => most(t.ids('heap').filter((id) => id.includes(':into:')).map(t.value))],
  ['16 MiB PUBLISH in 16-byte reads, ÷ floor', '≤', 1.6, (t) => t.overFloor('big:16MiB:16')],
  ['1-byte reads: time for 4 MiB ÷ time for 1 MiB', '≤', 5, (t) => t.value('grow:1:4194304') / t.value('grow:1:1048576')],
  ['heap per decoded CONNECT, B', '≤', 650, (t) => t.value('heap:decode:connect311')],
  ['heap per decoded CONNACK, B', '≤', 90, (t) => t.value('heap:decode:connack311')],
  ['heap per decoded PUBLISH 64 B, B', '≤', 300, (t) => t.value('heap:decode:publish64')],
  ['heap per decoded PINGREQ, B', '≤', 0.5, (t) => t.value('heap:decode:pingreq')],
  ['transition: QoS 0 PUBLISH received, ns', '≤', 30, (t) => t.value('fsm:server:publish0')],
  ['transition: QoS 0 PUBLISH received, heap, B', '≤', 0.5, (t) => t.value('heap:fsm:server:publish0')],
  ['transition: PINGREQ answered, ns', '≤', 30, (t) => t.value('fsm:server:pingreq')],
  ['an identifier taken and given back beside 65,000 others, × beside one', '≤', 2, (t) => t.value('ids:65000') / t.value('ids:1')],
  ['keep-alive re-arm at a million connections, ns', '≤', 25, (t) => t.value('timer:rearm:1000000')],
  ['a keep-alive timer at a million connections, B', '≤', 16, (t) => t.value('mass:timer')],
]

export function judge(rows) {
  const table = read(rows)
  return TARGETS.map(([what, sign, limit, of]) => {
    const value = of(table)
    if (!Number.isFinite(value)) return { what, target: `${sign} ${limit}`, verdict: 'not measured' }
    const met = sign === '≥' ? value >= limit : value <= limit
    return { what, target: `${sign} ${limit}`, value: Number(value.toPrecision(3)), verdict: met ? 'met' : 'missed' }
  })
}

function read(rows) {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const times = (id, name) => {
    const ratios = byId.get(id)?.ratios
    if (ratios === undefined) return undefined
    return name === 'best' ? least(PEERS.map((peer) => ratios[peer])) : ratios[name]
  }
  return {
    ids: (group) => rows.filter((row) => row.group === group).map(({ id }) => id),
    value: (id) => {
      const ours = byId.get(id)?.contenders.ours
      return ours?.status === 'ok' ? ours.value : undefined
    },
    times,
    overFloor: (id) => {
      const ratio = times(id, 'floor')
      return ratio && 1 / ratio
    },
  }
}

const decodeIds = (t) => [...CONNECTION.map((name) => `decode:${name}`), ...t.ids('stream')]

/** Only over what both could do; a mean over nothing is no mean. */
function mean(t, ids, name) {
  const ratios = ids.map((id) => t.times(id, name)).filter(Number.isFinite)
  return ratios.length === 0 ? undefined : geomean(ratios)
}

const least = (values) => pick(values, Math.min)
const most = (values) => pick(values, Math.max)
const pick = (values, choose) => {
  const real = values.filter(Number.isFinite)
  return real.length === 0 ? undefined : choose(...real)
}
