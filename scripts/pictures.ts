// Draws the pictures of the documentation: `npm run pictures`. test/pictures.test.ts holds the files against what this draws.
import { mkdirSync, writeFileSync } from 'node:fs'
import { bytePicture } from './pictures/bytes.ts'
import { ladderPicture } from './pictures/ladder.ts'
import { statePicture } from './pictures/states.ts'

export const PICTURES: { readonly [file: string]: () => string | Promise<string> } = {
  'byte-map.svg': bytePicture,
  'client.svg': () => statePicture('client'),
  'server.svg': () => statePicture('server'),
  'ladder.svg': ladderPicture,
}

const folder = new URL('../docs/pictures/', import.meta.url)

if (process.argv[1]?.endsWith('pictures.ts') === true) {
  mkdirSync(folder, { recursive: true })
  for (const [file, draw] of Object.entries(PICTURES)) writeFileSync(new URL(file, folder), await draw())
}
