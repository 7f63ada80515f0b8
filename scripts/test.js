// Runs every test under c8 and counts for itself: uvu 0.5 can end in silence, with status 0, when a test throws something that is no Error.
// The last line is made from the real counts.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const args = ['node_modules/c8/bin/c8.js', process.execPath, '--import', './scripts/load.js', 'node_modules/uvu/bin.js', 'test', '\\.test\\.ts$']
const child = spawn(process.execPath, args, { stdio: ['inherit', 'pipe', 'inherit'] })
let text = ''
child.stdout.setEncoding('utf8').on('data', (chunk) => {
  text += chunk
  process.stdout.write(chunk)
})
child.on('close', (code) => {
  const plain = text.replace(/\x1b\[[0-9;]*m/g, '')
  const count = (label) => Number(plain.match(new RegExp(`^ +${label}: +(\\d+)`, 'm'))?.[1] ?? 0)
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')]
  // Each file prints its own count as well, `(3 / 3)`: a suite that died half-way does not.
  const missing = [...plain.matchAll(/\((\d+) \/ (\d+)\)$/gm)].some(([, ran, of]) => Number(ran) < Number(of))
  const failed = Math.max(total - passed, total === 0 || missing || code !== 0 ? 1 : 0)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 ? 1 : 0
})
