// Runs every test under c8 and counts for itself: uvu 0.5 can end in silence, with status 0, when a test throws something that is no Error.
// The last line is made from the real counts.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const args = ['node_modules/c8/bin/c8.js', process.execPath, '--import', './scripts/load.js', 'node_modules/uvu/bin.js', 'test', '\\.test\\.ts$']
const child = spawn(process.execPath, args, { stdio: ['inherit', 'pipe', 'inherit'], detached: true })
let text = ''
let late
child.stdout.setEncoding('utf8').on('data', (chunk) => {
  text += chunk
  process.stdout.write(chunk)
  // uvu's summary is out: what still keeps the process is something a test has left open, most likely one that failed. It is not waited for.
  if (late === undefined && /^ +Duration:/m.test(withoutColours(text.slice(-400)))) late = setTimeout(leave, 60_000)
})
child.on('close', (code) => {
  clearTimeout(late)
  const plain = withoutColours(text)
  const count = (label) => Number(plain.match(new RegExp(`^ +${label}: +(\\d+)`, 'm'))?.[1] ?? 0)
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')]
  // Each file prints its own count as well, `(3 / 3)`: a suite that died half-way does not.
  const missing = [...plain.matchAll(/\((\d+) \/ (\d+)\)$/gm)].some(([, ran, of]) => Number(ran) < Number(of))
  const failed = Math.max(total - passed, total === 0 || missing || code !== 0 ? 1 : 0)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 ? 1 : 0
})

// A process group of its own is not ended by Ctrl-C.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => { process.kill(-child.pid, 'SIGKILL') })

function withoutColours(words) {
  return words.replace(/\x1b\[[0-9;]*m/g, '')
}

/** Ends what the tests have left behind, by the group this process has made; a run that has to be ended has failed. */
function leave() {
  console.error('the tests are over and their process is not: a test has left a server, a socket or a timer open')
  process.kill(-child.pid, 'SIGKILL')
}
