// What the tests of the command line share: running it in this process and as a process, and servers that follow a script.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { main } from '../../src/cli/cli.ts'
import { paintFor } from '../../src/cli/render.ts'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

export interface Run {
  readonly status: number
  /** standard output */
  readonly out: string
  /** standard error */
  readonly err: string
}

/** One command line in this process. */
export async function run(args: readonly string[], input: Uint8Array | string = ''): Promise<Run & { readonly bytes: Uint8Array }> {
  const out: string[] = []
  const err: string[] = []
  const written: Uint8Array[] = []
  const status = await main(args, {
    print: (line) => { out.push(line) },
    complain: (line) => { err.push(line) },
    write: (bytes) => { written.push(bytes) },
    input: async () => (typeof input === 'string' ? new TextEncoder().encode(input) : input),
    paint: paintFor({ isTTY: false }, {}),
  })
  return { status, out: out.join('\n'), err: err.join('\n'), bytes: new Uint8Array(Buffer.concat(written)) }
}

/** One command line as a process of its own. */
export function spawned(args: readonly string[], input: Uint8Array | string = '', env: { readonly [name: string]: string } = {}): Promise<Run & { readonly bytes: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', './scripts/load.js', 'src/cli/main.ts', ...args], { cwd: ROOT, env: { ...process.env, ...env } })
    const out: Uint8Array[] = []
    let err = ''
    child.stdout.on('data', (chunk: Uint8Array) => { out.push(chunk) })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => { err += chunk })
    child.on('error', reject)
    child.on('close', (status) => { resolve({ status: status ?? -1, out: Buffer.concat(out).toString('utf8'), err, bytes: new Uint8Array(Buffer.concat(out)) }) })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

export interface Scripted {
  readonly port: number
  readonly server: Server
  close(): Promise<void>
}

/** A TCP server on 127.0.0.1, or whatever `make` makes, that does what the script says with each socket. */
export async function serve(script: (socket: Socket) => void, make: (listener: (socket: Socket) => void) => Server = createServer): Promise<Scripted> {
  const sockets = new Set<Socket>()
  const server = make((socket) => {
    socket.on('error', () => {})
    script(socket)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => { sockets.delete(socket) })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: () => new Promise((resolve) => {
      server.close(() => { resolve() })
      for (const socket of sockets) socket.destroy()
    }),
  }
}

/** Answers the first bytes of a connection. */
export function answering(answer: (request: Uint8Array, socket: Socket) => Uint8Array | undefined): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', (request: Uint8Array) => {
      const bytes = answer(request, socket)
      if (bytes !== undefined) socket.write(bytes)
    })
  }
}
