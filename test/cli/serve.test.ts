// `connack serve`: real TCP on loopback, as a function and as a process.
import { spawn, spawnSync } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { main } from '../../src/cli/cli.ts'
import { passwordsOf } from '../../src/cli/passwords.ts'
import { paintFor } from '../../src/cli/render.ts'
import { printable, serve } from '../../src/cli/serve.ts'
import { connectTcp } from '../../src/transport/tcp.ts'
import type { ConnectionClosed } from '../../src/transport/tcp.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const plain = paintFor({ isTTY: false }, {})
const folder = mkdtempSync(join(tmpdir(), 'connack-serve-'))
test.after(() => { rmSync(folder, { recursive: true }) })

interface Served { readonly port: number, readonly lines: string[], readonly drawn: string[], readonly stop: () => Promise<number> }

async function served(argv: readonly string[], isTTY: boolean, size: { rows?: number, columns?: number } = {}): Promise<Served> {
  const lines: string[] = []
  const drawn: string[] = []
  let stop!: () => void
  const stopped = new Promise<void>((resolve) => { stop = resolve })
  let status!: Promise<number>
  const port = await new Promise<number>((resolve, reject) => {
    status = serve(['--port', '0', ...argv], { print: (line) => { lines.push(line) }, paint: plain }, {
      terminal: { isTTY, ...size, write: (text) => { drawn.push(text) } }, stopped, onListening: resolve,
    })
    status.then(() => { reject(new Error(lines.join('\n'))) }, reject)
  })
  return { port, lines, drawn, stop: () => { stop(); return status } }
}

test('a broker on loopback: clients talk, a line for each coming and going, 0x8b at the end', async () => {
  const { port, lines, stop } = await served([], false)
  assert.match(lines[0]!, new RegExp(`^MQTT broker on 127\\.0\\.0\\.1 port ${port}\\. Anonymous Clients are allowed, from this machine\\.$`))
  const heard: string[] = []
  const hearer = await connectTcp({ port, connect: { clientId: 'hearer' }, onPublish: ({ topic }) => { heard.push(topic) } })
  await hearer.subscribe({ filter: '#', qos: 1 })
  const speaker = await connectTcp({ port, connect: { clientId: 'spea\u001bker', version: 4 } })
  await speaker.publish({ topic: 'a', payload: 'x', qos: 1 })
  await hearer.ping()
  assert.equal(heard, ['a'])
  await speaker.disconnect()
  for (let i = 0; i < 100 && lines.length < 4; i++) await new Promise((resolve) => { setTimeout(resolve, 10) })
  const status = stop()
  assert.is((await hearer.closed).reasonCode, 0x8b)
  assert.is(await status, 0)
  assert.match(lines[1]!, /^\d{4}-\d\d-\d\dT[\d:.]+Z \+ "hearer" MQTT 5\.0$/)
  assert.match(lines[2]!, /\+ "spea\\u001bker" MQTT 3\.1\.1$/)
  assert.match(lines[3]!, /- "spea\\u001bker" The Client disconnected/)
  assert.match(lines.at(-1)!, /^Closed\. Messages: 1 received, 1 delivered, 0 dropped\.$/)
})

test('on a terminal: a table, drawn anew each second, no larger than the terminal, no foreign control characters in it', async () => {
  const { port, lines, drawn, stop } = await served([], true, { rows: 8, columns: 60 })
  const clients = await Promise.all(['one', '\u009b31mtwo\u202e', 'x'.repeat(80), 'four', 'five'].map((clientId) => connectTcp({ port, connect: { clientId } })))
  await new Promise((resolve) => { setTimeout(resolve, 1300) })
  assert.is(await stop(), 0)
  assert.is(lines.length, 2, 'no lines for who comes and goes')
  const table = drawn.at(-1)!
  const rows = table.split('\n')
  assert.ok(table.startsWith('\x1b[H\x1b[2JMQTT broker on 127.0.0.1'))
  assert.ok(rows.length <= 9, String(rows.length))
  assert.match(rows[1]!, /^5 connections, 5 sessions, 0 subscriptions; messages in 0\/s, out 0\/s, dropped 0$/)
  assert.match(table, /Client Identifier +MQTT +state/)
  assert.match(table, /^one +5\.0 +connected +\d+\/s/m)
  assert.match(table, /and 2 more/)
  assert.not.match(table.slice(7), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
  for (const one of rows.slice(3)) assert.ok(one.length <= 60)
  await Promise.all(clients.map(({ closed }) => closed))
})

test('beyond loopback it wants to be told who may come in', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', '127.example.org', 'localhost.example.org']) {
    const lines: string[] = []
    assert.is(await main(['serve', '--host', host, '--port', '0'], { print: (line) => { lines.push(line) }, paint: plain }), 2)
    assert.match(lines.join('\n'), /is not loopback: say who may come in by --password-file FILE, or that everybody may by --allow-anonymous/)
  }
  const { lines, stop } = await served(['--host', 'localhost', '--allow-anonymous'], false)
  assert.match(lines[0]!, /Anonymous Clients are allowed, from this machine/)
  assert.is(await stop(), 0)
})

test('a password file: who is in it comes in', async () => {
  const salt = Buffer.from('some salt 12')
  const file = join(folder, 'passwords')
  writeFileSync(file, `# users\nhans:letmein\n\ngrete:$7$101$${salt.toString('base64')}$${pbkdf2Sync('geheim', salt, 101, 64, 'sha512').toString('base64')}\ncolon:a:b\n`)
  const { port, lines, stop } = await served(['--password-file', file], false)
  assert.match(lines[0]!, /A user name and password are asked for, and not encrypted/)
  for (const [username, password] of [['hans', 'letmein'], ['grete', 'geheim'], ['colon', 'a:b']] as const) await (await connectTcp({ port, connect: { clientId: username, username, password } })).disconnect()
  for (const [username, password] of [['hans', 'geheim'], ['grete', 'letmein'], ['nobody', 'letmein'], ['hans', ''], ['hans', undefined], [undefined, undefined]] as const) {
    const code = await connectTcp({ port, connect: { clientId: 'x', ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) } }).then(() => 0, (error: ConnectionClosed) => error.cause.reasonCode)
    assert.is(code, 0x86, `${username} ${password}`)
  }
  assert.is(await stop(), 0)
  assert.not.match(lines.join('\n'), /letmein|geheim/)
})

test('a password file nobody can use is refused, and its passwords are not shown', async () => {
  for (const [text, said] of [['hans', /line 1 is not name:password/], ['a:b\n:letmein', /line 2 is not/], ['a:$6$letmein$x', /line 1 has a hash other than \$7\$/]] as const) {
    assert.throws(() => passwordsOf(text), (error: Error) => said.test(error.message) && !error.message.includes('letmein'))
  }
  assert.is(await passwordsOf('')('a', new Uint8Array()), false)
  const lines: string[] = []
  const run = (...args: string[]): Promise<number> => main(['serve', ...args], { print: (line) => { lines.push(line) }, paint: plain })
  assert.is(await run('--password-file', join(folder, 'not there')), 2)
  assert.match(lines.join('\n'), /ENOENT/)
})

test('what is not understood is said, with the usage; a port in use ends with 1', async () => {
  const { port, stop } = await served([], false)
  for (const [args, status] of [[['--port', '70000'], 2], [['--port', 'x'], 2], [['--nonsense'], 2], [['extra'], 2], [['--password-file', 'x', '--allow-anonymous'], 2], [['--port', String(port)], 1]] as const) {
    const lines: string[] = []
    assert.is(await main(['serve', ...args], { print: (line) => { lines.push(line) }, paint: plain }), status, args.join(' '))
    assert.match(lines.join('\n'), status === 2 ? /connack serve/ : /Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/)
  }
  assert.is(await stop(), 0)
  const help: string[] = []
  assert.is(await main(['serve', '--help'], { print: (line) => { help.push(line) }, paint: plain }), 0)
  assert.match(help.join('\n'), /connack serve \[-p PORT\]/)
})

test('other people\'s texts cannot steer a terminal', () => {
  assert.is(printable('a\x1b[2J\x07\x7f\x9b\u202e\u200b\u2028ü\n'), 'a\\u001b[2J\\u0007\\u007f\\u009b\\u202e\\u200b\\u2028ü\\u000a')
})

test('as a process: Ctrl-C closes in good order, telling the clients', async () => {
  const child = spawn(process.execPath, ['--import', './scripts/load.js', 'src/cli/main.ts', 'serve', '--port', '0'], { cwd: root })
  try {
    let output = ''
    const port = await new Promise<number>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
        const found = /port (\d+)\./.exec(output)
        if (found !== null) resolve(Number(found[1]))
      })
      child.on('exit', () => { reject(new Error(output)) })
    })
    const client = await connectTcp({ port, connect: { clientId: 'x' } })
    const exited = new Promise((resolve) => { child.on('exit', resolve) })
    child.kill('SIGINT')
    assert.is((await client.closed).reasonCode, 0x8b)
    assert.is(await exited, 0)
    assert.match(output, /Closed\. Messages: 0 received/)
    assert.not.match(output, /\x1b/)
  } finally {
    child.kill('SIGKILL')
  }
})

test('mosquitto\'s own clients talk to it, where they are installed', async () => {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/usr/local/sbin` }
  if (spawnSync('mosquitto_sub', ['--help'], { env }).error !== undefined) return console.log('mosquitto_sub is not installed: its test is skipped (apt-get install mosquitto-clients)')
  const { port, stop } = await served([], false)
  for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
    const publisher = await connectTcp({ port, connect: { clientId: `p-${version}` } })
    await publisher.publish({ topic: 'kept/x', payload: `for ${version}`, qos: 2, retain: true })
    const sub = spawn('mosquitto_sub', ['-V', version, '-p', String(port), '-t', 'kept/#', '-q', '2', '-C', '1', '-W', '5', '-F', '%t %q %r %p'], { env })
    let output = ''
    sub.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
    const status = await new Promise((resolve) => { sub.on('exit', resolve) })
    assert.equal([status, output.trim()], [0, `kept/x 2 1 for ${version}`])
    await publisher.disconnect()
  }
  assert.is(await stop(), 0)
})

test.run()
