// Replays a log of inputs: a connection that ended badly last night ends the same way here, step by step, without a socket or a clock.
//   node examples/replay-log.js examples/connection.jsonl
// One JSON object a line: first what the connection began with, then each input as the machine got it, and with it whatever you like (`at`). A driver that
// writes such a log needs one line: log(JSON.stringify(toJson(input))). Malformed bytes are logged as `hex`; what is wrong with them is found again.
import { readFileSync } from 'node:fs'
import { fromHex, fromJson, initial, opened, PacketStream, transition } from 'connack'

const [first, ...lines] = readFileSync(process.argv[2], 'utf8').trim().split('\n').map((line) => JSON.parse(line))
let state = initial(first)
show('opened', opened(state))
for (const line of lines) {
  const input = inputOf(line)
  const step = transition(state, input)
  state = step.state
  show(`${line.at ?? ''} ${input.type} ${input.packet?.type ?? input.timer ?? ''}`.trim(), step.effects)
}

function inputOf(line) {
  if (line.type !== 'malformed') return fromJson(line)
  const stream = new PacketStream({ version: state.agreement?.version })
  stream.push(fromHex(line.hex))
  try {
    stream.next()
  } catch (error) {
    return { type: 'malformed', error }
  }
  throw new Error(`${line.hex} is well formed: another version wrote this log`)
}

function show(what, effects) {
  console.log(`${what.padEnd(34)} → ${state.phase}`)
  for (const effect of effects) {
    const { type, packet, timer, ms, cause } = effect
    console.log(`    ${[type, packet?.type, timer, ms === undefined ? undefined : `${ms} ms`, cause?.sentence].filter(Boolean).join(' ')}`)
  }
}
