// A way through a world, drawn: the Client to the left, the Server to the right, the wire between them.
import { Turn } from './model-turn.ts'
import type { Sketch } from './model-turn.ts'
import type { Parts } from './model-parts.ts'
import { Broken } from './model-world.ts'
import type { Action, Place, World } from './model-world.ts'

const SIDE = 50
const WIRE = 40

/** One line for each thing that happened, and what it came to. */
export function drawn(world: World, parts: Parts, start: Place, path: readonly Action[], ending: string): string {
  const lines = [`${'client'.padEnd(SIDE)} ${centred('wire', ' ')} server`]
  let place = start
  for (const action of path) {
    const sketch: Sketch = { client: [], server: [], wire: [] }
    const turn = new Turn(world, parts, place, sketch)
    try {
      turn.happen(action)
    } catch (error) {
      if (!(error instanceof Broken)) throw error
    }
    place = turn.place
    lines.push(line(sketch))
  }
  return [...lines, ending].join('\n')
}

function line(sketch: Sketch): string {
  const left = sketch.client.join(', ')
  const right = sketch.server.join(', ')
  const wire = sketch.wire.map(({ text, from }) => (from === undefined ? centred(` ${text} `, '╳') : from === 'client' ? `${centred(` ${text} `, '─').slice(0, -1)}▸` : `◂${centred(` ${text} `, '─').slice(1)}`))
  return `${left.padEnd(SIDE)} ${wire.length === 0 ? ' '.repeat(WIRE) : wire.join(' ')} ${right}`.trimEnd()
}

function centred(text: string, fill: string): string {
  const before = Math.max(1, Math.floor((WIRE - text.length) / 2))
  return (fill.repeat(before) + text).padEnd(WIRE, fill)
}
