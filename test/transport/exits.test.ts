// Nothing keeps a process alive once what it had to do with connections is over.
import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex } from '../../src/codec/index.ts'
import { listenTcp } from '../../src/transport/tcp.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = ['--import', './scripts/load.js', 'test/helpers/exits.ts']
const ENV = { ...process.env, NODE_V8_COVERAGE: '' }
/** from `done` to the end of the process, in ms: a close timeout of 200 and a machine that is busy */
const SOON = 2_500
const AT_ONCE = 3

interface Exit { readonly name: string, readonly after: number, readonly status: number | null, readonly output: string }

function run(name: string, ports: readonly number[]): Promise<Exit> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...PROGRAM, name, ...ports.map(String)], { cwd: ROOT, env: ENV })
    let output = ''
    let done = NaN
    const late = setTimeout(() => { child.kill('SIGKILL') }, 20_000)
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
        if (chunk.includes('done')) done = performance.now()
      })
    }
    child.on('close', (status) => {
      clearTimeout(late)
      resolve({ name, after: performance.now() - done, status, output })
    })
  })
}

test('a process ends by itself behind every kind of end, in every phase', async () => {
  const names = spawnSync(process.execPath, PROGRAM, { cwd: ROOT, env: ENV, encoding: 'utf8' }).stdout.trim().split('\n')
  assert.ok(names.length >= 20, names.join())
  const sockets = new Set<Socket>()
  const raw = async (answer: (socket: Socket) => void): Promise<ReturnType<typeof createServer>> => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', () => {})
      answer(socket)
    })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    return server
  }
  const good = await listenTcp({ port: 0 }, (peer) => {
    peer.onConnect = async () => {
      await peer.accept()
      peer.publish({ topic: 'a', payload: '' }).catch(() => {})
    }
    peer.onPublish = () => {}
  })
  const refusing = await listenTcp({ port: 0 }, (peer) => { peer.onConnect = () => peer.refuse(0x87) })
  const stubborn = await raw((socket) => { socket.once('data', () => { socket.write(fromHex('20 02 00 00')) }) })
  const silent = await raw(() => {})
  const ports = [good.port, refusing.port, ...[stubborn, silent].map((server) => (server.address() as AddressInfo).port)]
  const exits: Exit[] = []
  const queue = [...names]
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { for (let name = queue.shift(); name !== undefined; name = queue.shift()) exits.push(await run(name, ports)) }))
  for (const server of [stubborn, silent]) server.close()
  for (const socket of sockets) socket.destroy()
  await Promise.all([good.close(), refusing.close()])
  assert.equal(exits.filter(({ status, after, output }) => status !== 0 || !(after < SOON) || output.trim() !== 'done'), [])
  assert.is(exits.length, names.length)
})

test.run()
