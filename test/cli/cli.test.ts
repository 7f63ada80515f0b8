import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { main } from '../../src/cli/cli.ts'
import { ladder, packetLines, paintFor, toLeft, toRight } from '../../src/cli/render.ts'
import { Stage } from '../../src/cli/stage.ts'
import { fromHex } from '../../src/codec/index.ts'
import { listenTcp } from '../../src/transport/tcp.ts'

const plain = paintFor({ isTTY: false }, {})

async function run(...args: string[]): Promise<{ readonly status: number, readonly text: string }> {
  const lines: string[] = []
  const status = await main(args, { print: (line) => { lines.push(line) }, paint: plain })
  return { status, text: lines.join('\n') }
}

for (const version of ['4', '5']) {
  test(`the tutorial of version ${version}: fourteen chapters, all as stated, in time, the password never shown`, async () => {
    const begun = performance.now()
    const { status, text } = await run('--version', version)
    assert.is(status, 0, text)
    assert.ok(performance.now() - begun < 15_000)
    for (let chapter = 1; chapter <= 14; chapter++) assert.match(text, new RegExp(`^${chapter}\\. `, 'm'))
    assert.not.match(text, /✗/)
    assert.not.match(text, /letmein|6c 65 74 6d 65 69 6e/)
    assert.match(text, /Password: ••••/)
    assert.not.match(text, /\x1b/)
  })
}

test('a chapter that ends otherwise than stated is counted', () => {
  const lines: string[] = []
  const stage = new Stage(4, { print: (line) => { lines.push(line) }, paint: plain })
  stage.expect('the sky is blue', 'grey', 'blue')
  assert.is(stage.failures, 1)
  assert.match(lines[0]!, /✗ the sky is blue: "grey" instead of "blue"/)
})

test('as a process: plain when piped, exit status 0', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const { status, stdout } = spawnSync(process.execPath, ['--import', './scripts/load.js', 'src/cli/main.ts'], { cwd: root, encoding: 'utf8' })
  assert.is(status, 0, stdout)
  assert.not.match(stdout, /\x1b/)
  assert.match(stdout, /All chapters ended as stated/)
})

test('connect: handshake, ping and disconnect for each version', async () => {
  const server = await listenTcp({ port: 0 }, (peer) => { peer.onConnect = () => peer.accept() })
  for (const version of ['3', '4', '5']) {
    const { status, text } = await run('connect', `mqtt://hans:geheim@127.0.0.1:${server.port}`, '--version', version, '--client-id', 'me', '--keep-alive', '5')
    assert.is(status, 0, text)
    assert.match(text, /Connected with MQTT .* as "me", pinged and disconnected/)
    assert.not.match(text, /geheim/)
  }
  await server.close()
})

test('connect: refused exits with the CONNACK code and says why', async () => {
  const server = await listenTcp({ port: 0 }, (peer) => { peer.onConnect = () => peer.refuse(0x86, { reasonString: 'no', serverReference: 'other:1883' }) })
  assert.is((await run('connect', `mqtt://127.0.0.1:${server.port}`)).status, 4)
  const five = await run('connect', `mqtt://127.0.0.1:${server.port}`, '--version', '5')
  assert.is(five.status, 0x86)
  assert.match(five.text, /^The Server refused the connection: Bad User Name or Password \(ended by the Server while authenticating; code 0x86, Bad User Name or Password; Reason String "no"; Server Reference "other:1883".*\)\.$/m)
  await server.close()
})

test('connect: a port that speaks HTTP, and one where nothing listens', async () => {
  const http = createHttpServer()
  await new Promise<void>((resolve) => { http.listen(0, '127.0.0.1', resolve) })
  const { port } = http.address() as AddressInfo
  const spoke = await run('connect', `mqtt://127.0.0.1:${port}`)
  assert.is(spoke.status, 7)
  assert.match(spoke.text, /HTTP/)
  http.closeAllConnections()
  await new Promise((resolve) => { http.close(resolve) })
  const nobody = await run('connect', `mqtt://127.0.0.1:${port}`)
  assert.is(nobody.status, 7)
  assert.match(nobody.text, /Nothing listens/)
})

test('what is not understood is said, with the usage', async () => {
  for (const args of [['--version', '6'], ['--nonsense'], ['fly'], ['connect'], ['connect', 'http://x'], ['connect', 'mqtt://x', '--version', '7'], ['connect', 'mqtt://x', '--keep-alive', '-1'], ['connect', 'mqtt://x', '--keep-alive', '70000'], ['demo', 'a', 'b']]) {
    const { status, text } = await run(...args)
    assert.is(status, 2, args.join(' '))
    assert.match(text, /connack connect mqtt\[s\]:/)
  }
  assert.is((await run('--help')).status, 0)
})

test('rendering: colours only on a terminal without NO_COLOR; a fault is marked at its byte', () => {
  assert.is(paintFor({ isTTY: true }, {}).red('x'), '\x1b[31mx\x1b[0m')
  assert.is(paintFor({ isTTY: true }, { NO_COLOR: '1' }).red('x'), 'x')
  assert.is(paintFor({}, {}).bold('x'), 'x')
  const lines = packetLines(plain, fromHex('10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 61'), 4)
  assert.match(lines.join('\n'), /03 +Connect Flags: offset 9 breaks MQTT-3\.1\.2-3/)
  assert.match(ladder(plain, 'a', toRight('X'), 'b'), /a.*X.*▶.*b/)
  assert.match(toLeft('X'), /◀.*X/)
})

test.run()
