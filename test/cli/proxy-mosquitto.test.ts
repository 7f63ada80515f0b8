// Strangers on both sides: mosquitto's own client through the proxy to mosquitto, and the capture read by tshark. Skipped, and saying so, where they are not installed.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startProxy } from '../../src/cli/proxy.ts'
import { paintFor } from '../../src/cli/render.ts'
import { targetOf } from '../../src/cli/target.ts'

const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/usr/local/sbin` }
const has = (program: string): boolean => spawnSync(program, ['--version'], { env }).error === undefined
const proven = has('mosquitto') && has('mosquitto_sub') && has('mosquitto_pub') ? test : test.skip
if (proven === test.skip) console.log('mosquitto or its clients are not installed: the proxy between them is skipped (apt-get install mosquitto mosquitto-clients)')
const captured = has('tshark')
if (!captured) console.log('tshark is not installed: the capture of the proxy is not read by it (apt-get install tshark)')

const folder = mkdtempSync(join(tmpdir(), 'connack-proxy-'))
const children: ChildProcess[] = []
test.after(() => {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true })
})

function begin(program: string, args: readonly string[]): { readonly child: ChildProcess, readonly text: () => string, readonly status: Promise<number | null> } {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let text = ''
  for (const pipe of [child.stdout!, child.stderr!]) pipe.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return { child, text: () => text, status: new Promise((resolve) => { child.on('close', resolve) }) }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

/** Waits up to five seconds. */
async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !what(); i++) await sleep(10)
  assert.ok(what(), what.toString())
}

proven('mosquitto_sub and mosquitto_pub to mosquitto: every byte annotated, the password never, and tshark reads the same packets', async () => {
  const port = await freePort()
  const broker = begin('mosquitto', ['-p', String(port)])
  await until(() => /running|Opening ipv4/.test(broker.text()))
  const out: string[] = []
  const save = join(folder, 'session.pcapng')
  const proxy = await startProxy({ listen: { host: '127.0.0.1', port: 0 }, target: targetOf({ values: {}, given: [], positionals: [`mqtt://127.0.0.1:${port}`] }), json: false, quiet: false, secrets: false, save }, {
    print: (line) => { out.push(line) }, complain: () => {}, write: () => {}, input: async () => new Uint8Array(0), paint: paintFor({}, {}),
  })
  const text = (): string => out.join('\n')
  const through = ['-h', '127.0.0.1', '-p', String(proxy.port)]
  const subscriber = begin('mosquitto_sub', [...through, '-t', 'a/#', '-q', '2', '-C', '3', '-V', '5', '-u', 'hans', '-P', 'geheim'])
  await until(() => text().includes('SUBACK'))
  for (const [version, qos] of [['mqttv31', '0'], ['mqttv311', '1'], ['mqttv5', '2']] as const) assert.is(await begin('mosquitto_pub', [...through, '-t', 'a/b', '-m', 'hello', '-q', qos, '-V', version]).status, 0, version)
  assert.is(await subscriber.status, 0)
  assert.is(subscriber.text(), 'hello\nhello\nhello\n')
  await until(() => out.filter((line) => /The Client disconnected: /.test(line)).length === 4)
  await proxy.close()
  assert.match(text(), /Client Identifier: ""/)
  assert.match(text(), /Protocol Version: MQTT 3\.1\n/)
  assert.match(text(), /68 65 6c 6c 6f +Payload: 5 bytes/)
  assert.match(text(), /PUBCOMP .* ms after PUBREL/)
  assert.not.match(text(), /✗|geheim|67 65 68 65/)
  if (!captured) return
  const read = spawnSync('tshark', ['-r', save, '-Y', 'mqtt', '-T', 'fields', '-e', 'tcp.stream', '-e', 'mqtt.msgtype'], { env, encoding: 'utf8' })
  assert.is(read.status, 0, read.stderr)
  const types = (stream: string): string => read.stdout.split('\n').filter((line) => line.startsWith(`${stream}\t`)).map((line) => line.split('\t')[1]).join().replaceAll(',', ' ')
  const named = text().split('\n').flatMap((line) => /^#(\d+) .*(?:──── |◀─── )([A-Z]+)/.exec(line)?.slice(1) ?? [])
  assert.equal(read.stdout.split(/[\s,]+/).length > 20, true)
  // The stream of the QoS 1 publisher, whole: CONNECT, CONNACK, PUBLISH, PUBACK, DISCONNECT.
  const streams = [...new Set(read.stdout.split('\n').filter(Boolean).map((line) => line.split('\t')[0]!))]
  assert.ok(streams.some((stream) => types(stream) === '1 2 3 4 14'), streams.map(types).join('\n'))
  assert.is(streams.reduce((sum, stream) => sum + types(stream).split(' ').length, 0), named.length / 2)
  // Checksums and sequence numbers hold: nothing for the expert to remark on.
  const expert = spawnSync('tshark', ['-r', save, '-o', 'tcp.check_checksum:TRUE', '-Y', '_ws.malformed or tcp.analysis.retransmission or tcp.analysis.lost_segment or tcp.checksum.status == 0'], { env, encoding: 'utf8' })
  assert.equal([expert.status, expert.stdout], [0, ''])
})

test.run()
