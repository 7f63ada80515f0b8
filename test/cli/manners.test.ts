// How the command line behaves as a process: what goes to which stream, and what it exits with.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { COMMANDS } from '../../src/cli/commands.ts'
import { encode } from '../../src/codec/index.ts'
import { answering, ROOT, run, serve, spawned } from './helpers.ts'

const CONNACK = (reasonCode: number): Uint8Array => encode({ type: 'connack', reasonCode }, 4)

test('help: of all and of each command, on standard output, with status 0', async () => {
  const all = await spawned(['--help'])
  assert.equal([all.status, all.err], [0, ''])
  for (const { name, usage } of COMMANDS) {
    assert.ok(all.out.includes(`connack ${usage}`))
    const { status, out, err } = await run([name, '--help'])
    assert.equal([status, err], [0, ''], name)
    assert.ok(out.startsWith(`connack ${usage}\n`), out)
    if (name !== 'demo') assert.match(out, /Exit status: 0/)
    assert.match(out, /--help +this text/)
  }
  const fields = await spawned(['encode', 'connect', '--help'])
  assert.match(fields.out, /--will-delay-interval NUMBER\n? +property 0x18/)
  assert.is((await run(['help', 'decode'])).out, (await run(['decode', '--help'])).out)
})

test('--version alone is the version of the tool', async () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { readonly version: string }
  assert.is((await spawned(['--version'])).out, `${version}\n`)
})

test('what is not understood: status 2, nothing on standard output, the nearest name', async () => {
  for (const [args, pattern] of [
    [['decdoe'], /there is no command decdoe; did you mean decode\?/], [['decode', '--jsno'], /no option --jsno here; did you mean --json\?\nusage: connack decode/], [['doctor'], /where to\?/],
    [['doctor', 'mqtt://u:geheim@a', '-h', 'b'], /a URL and -h/], [['connect', 'unix:/a', '-p', '1'], /neither host nor port/], [['connect', 'http://u:geheim@a'], /no URL with mqtt/], [['conform', '-h', 'a', '--rate', '0'], /--rate is 1 to 1000/],
    [['doctor', '-h', 'a', '--timeout', '0'], /--timeout is 0\.1 to 60 seconds/], [['mqtt://u:geheim@a'], /no command mqtt:\/\/u:••••@a/], [['demo', '--version', '3.1'], /3\.1\.1 or 5 here/], [['-h'], /-h wants a value|no option -h/],
  ] as const) {
    const { status, out, err } = await (args[0] === 'decode' ? spawned(args) : run(args))
    assert.equal([status, out], [2, ''], args.join(' '))
    assert.match(err, pattern)
    assert.not.match(err, /geheim|at .*\.ts:\d/)
  }
})

test('nothing but data on standard output, and no colours in a pipe, whatever the environment says of them', async () => {
  const { status, out, err } = await spawned(['decode', '20', '02', '00', '00', '--json'], '', { FORCE_COLOR: '1' })
  assert.is(status, 0)
  assert.equal(JSON.parse(out), { offset: 0, size: 4, version: 4, hex: '20 02 00 00', packet: { type: 'connack', sessionPresent: false, reasonCode: 0 } })
  assert.match(err, /no CONNECT says/)
  const wrong = await spawned(['decode', '20', '02', '00'], '', { FORCE_COLOR: '1' })
  assert.is(wrong.status, 1)
  assert.not.match(wrong.out, /\x1b/)
})

test('bytes by a pipe: encode --binary into decode, also bytes that are no UTF-8', async () => {
  const { bytes, status } = await spawned(['encode', 'publish', '--topic', 'a', '--payload-hex', 'ff fe 00 80', '--binary'])
  assert.is(status, 0)
  assert.equal([...bytes.subarray(-4)], [0xff, 0xfe, 0, 0x80])
  assert.match((await spawned(['decode', '-V', '5'], bytes)).out, /PUBLISH {2}10 bytes/)
})

test('a reader that stops reading is no failure', async () => {
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, ['--import', './scripts/load.js', 'src/cli/main.ts', 'decode', '-', '-V', '4'], { cwd: ROOT })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { err += chunk })
  child.stdout.once('data', () => { child.stdout.destroy() })
  child.stdin.on('error', () => {})
  child.stdin.end('c0 00\n'.repeat(100_000))
  const status = await new Promise((resolve) => { child.on('close', resolve) })
  assert.equal([status, err], [0, ''])
})

test('exit status: the CONNACK code where there is one, 7 where there is none', async () => {
  const refusing = await serve(answering((_, socket) => (socket.end(CONNACK(5)), undefined)))
  const url = `mqtt://hans:geheim@127.0.0.1:${refusing.port}`
  for (const args of [['connect', url], ['connect', '-h', '127.0.0.1', '-p', String(refusing.port), '-u', 'hans', '-P', 'geheim', '-i', 'me', '-k', '5', '-V', 'mqttv311'], ['doctor', url, '-V', '3.1.1'], ['doctor', '-L', url, '-V', 'mqttv311', '--json'], ['conform', url, '-V', '3.1.1']]) {
    const { status, out, err } = await (args.includes('-h') || args.includes('--json') ? spawned(args) : run(args))
    assert.is(status, 5, `${args.join(' ')}\n${out}${err}`)
    assert.not.match(out + err, /geheim|67 65 68 65/)
  }
  await refusing.close()
  for (const command of ['connect', 'doctor', 'conform']) assert.is((await run([command, `mqtt://127.0.0.1:${refusing.port}`])).status, 7, command)
})

test.run()
