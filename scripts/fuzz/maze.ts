// A bug that only guidance finds: four bytes that must be right one after the other, each in a block of its own. Whoever sees that he has come one
// block further needs four times some thousand tries; whoever does not needs one of 2^32.
import { Broken } from './target.ts'
import type { Target } from './target.ts'

export function mazeTarget(): Target {
  return { name: 'codec', choices: 0, piece: 1, seeds: [new Uint8Array(4)], check: walk, describe: (input) => ({ input }) }
}

function walk(input: Uint8Array): readonly string[] {
  if (input[0] === 0x9d) {
    if (input[1] === 0x4a) {
      if (input[2] === 0xb7) {
        if (input[3] === 0x5c) throw new Broken('the maze has no way out', 'there it is')
      }
    }
  }
  return []
}
