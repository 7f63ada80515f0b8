// Peers are installed on the first run, from their own lock. Without them the bench still runs: ours and the floor.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../peers/', import.meta.url))

/** Returns what to tell the user; nothing when the peers are there. */
export function installPeers(quick) {
  // npm writes this file last: without it an installation was cut short.
  if (existsSync(`${folder}node_modules/.package-lock.json`)) return []
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder, stdio: ['ignore', 'ignore', 'ignore'], timeout: quick ? 15_000 : 120_000, shell: process.platform === 'win32',
  })
  if (status === 0) return ['installed from bench/peers/package-lock.json']
  return [`npm ci in bench/peers did not work (${error?.code ?? `exit ${status}`}); going on with ours and the floor`]
}
