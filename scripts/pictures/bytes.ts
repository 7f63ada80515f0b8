// A CONNECT with everything in it, as `connack decode --svg` draws it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../src/cli/cli.ts'
import { paintFor } from '../../src/cli/render.ts'

const CONNECT = `10 40  00 04 4d 51 54 54  04  d6  00 3c  00 08 63 6c 69 65 6e 74 2d 31
  00 0a 2f 68 61 6e 73 2f 77 69 6c 6c  00 0f 75 6e 65 78 70 65 63 74 65 64 20 65 78 69 74  00 04 68 61 6e 73  00 07 6c 65 74 6d 65 69 6e`

export async function bytePicture(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'connack-'))
  const file = join(folder, 'connect.svg')
  try {
    const status = await main(['decode', ...CONNECT.split(/\s+/), '--svg', file], { print: () => {}, paint: paintFor({}, {}) })
    if (status !== 0) throw new Error(`connack decode ended with ${status}`)
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
