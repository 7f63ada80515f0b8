// npm run model: the model check with other bounds than the tests have. Prints what it looked at, and the shortest way to whatever breaks.
import { parseArgs } from 'node:util'
import type { World } from '../test/fsm/model-world.ts'
import { LARGER, WORLDS } from '../test/fsm/model-worlds.ts'
import { check } from '../test/fsm/model.ts'

const HELP = `npm run model -- [options]
  --cuts N        how often the connection may be cut, in every world
  --client N      how many messages the client may publish, in every world
  --server N      how many messages the server may publish, in every world
  --world TEXT    only worlds with this in their name
  --larger        the larger worlds, which the tests leave out, as well`

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { cuts: text, client: text, server: text, world: text, larger: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } })

if (values.help) console.log(HELP)
else process.exitCode = run()

function run(): number {
  const bounds = Object.fromEntries((['cuts', 'client', 'server'] as const).flatMap((name) => (values[name] === undefined ? [] : [[name, numberOf(name, values[name])]])))
  const worlds = Object.entries({ ...WORLDS, ...values.larger ? LARGER : {} }).filter(([name]) => name.includes(values.world ?? ''))
  console.log('    places      steps   at rest  farthest  machine states   seconds  world')
  let broken = 0
  let [places, steps] = [0, 0]
  for (const [name, world] of worlds) {
    const began = performance.now()
    const found = check({ ...world, ...bounds } as World)
    places += found.places
    steps += found.steps
    const row = [found.places, found.steps, found.atRest, found.depth, found.machineStates].map((count, at) => String(count).padStart([10, 11, 10, 10, 16][at]!)).join('')
    console.log(`${row}${((performance.now() - began) / 1000).toFixed(1).padStart(10)}  ${name}`)
    if (found.broken === undefined) continue
    broken++
    console.log(`\nbroken after ${found.broken.steps} steps:\n${found.broken.ladder}\n`)
  }
  console.log(`${places} places, ${steps} steps, ${broken === 0 ? 'nothing breaks' : `${broken} worlds break`}`)
  return broken === 0 && worlds.length > 0 ? 0 : 1
}

function numberOf(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name} is a whole number, not ${value}`)
  return number
}
