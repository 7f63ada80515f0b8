// What an interop run has open: processes, listeners, folders. Each is closed by its own id, the newest first, however the run ends.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Debian puts servers where only root looks. */
export const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }

const open = new Set()
const children = new Set()

/** Remembers how to close something; gives a function that does so now, once. */
export function onEnd(close) {
  const once = async () => {
    if (open.delete(once)) await close()
  }
  open.add(once)
  return once
}

export async function endAll() {
  for (const close of [...open].reverse()) {
    try {
      await close()
    } catch (error) {
      console.error(`closing: ${error.message}`)
    }
  }
}

export function scratchFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'connack-interop-'))
  onEnd(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

/**
 * Starts a program in a process group of its own, so that what it starts in turn ends with it. `lines`: called with each line of its output. The
 * result tells by `done` how it ended, and `tail()` gives its last words.
 */
export function start(command, args, { env = ENV, cwd, lines, patience = 3_000 } = {}) {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  children.add(child)
  const last = []
  const done = new Promise((resolve) => {
    child.on('error', (error) => { resolve({ error }) })
    child.on('close', (code, signal) => { resolve({ code, signal }) })
  })
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.setEncoding('utf8').on('data', (chunk) => {
      const whole = (rest + chunk).split('\n')
      rest = whole.pop()
      for (const line of whole) {
        last.push(line)
        if (last.length > 20) last.shift()
        lines?.(line)
      }
    })
  }
  child.stdin.on('error', () => {})
  const kill = (signal) => {
    try {
      process.kill(-child.pid, signal)
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
  let ended = false
  const stop = onEnd(async () => {
    if (ended || child.pid === undefined) return
    kill('SIGTERM')
    const late = setTimeout(() => { kill('SIGKILL') }, patience)
    await done
    clearTimeout(late)
  })
  child.on('exit', () => {
    // Whoever it has left behind goes too, while the number is surely still its own.
    kill('SIGKILL')
    ended = true
    children.delete(child)
    void stop()
  })
  return { child, done, kill: (signal) => { if (!ended) kill(signal) }, stop, tail: () => last.join('\n') }
}

/** Nothing of the above has time to be polite when the run is torn down: by pid, at once. */
export function killAll() {
  for (const child of children) {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}

/** Below those that systems give to whoever connects: a broker that takes its time would find its port taken by one of our own connections. */
const PORTS = { from: 20_000, to: 32_000 }
const given = new Set()

export async function freePort() {
  for (let tries = 0; tries < 100; tries++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from))
    if (given.has(port) || !await canListen(port)) continue
    given.add(port)
    return port
  }
  throw new Error(`no free port from ${PORTS.from} to ${PORTS.to}`)
}

function canListen(port) {
  const server = createServer()
  return new Promise((resolve) => {
    server.on('error', () => { resolve(false) })
    server.listen(port, '127.0.0.1', () => { server.close(() => { resolve(true) }) })
  })
}

/** Waits until something listens; gives up when `process` ends, or after `ms`. */
export async function listening(port, started, ms) {
  let ended
  void started?.done.then((how) => { ended = how })
  for (const until = Date.now() + ms; Date.now() < until; await sleep(50)) {
    if (ended !== undefined) throw new Error(`it ended (${ended.error?.message ?? ended.signal ?? ended.code}): ${started.tail()}`)
    const there = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => { resolve(true) }).on('error', () => { resolve(false) })
      socket.on('connect', () => { socket.destroy() })
    })
    if (there) return
  }
  throw new Error(`it does not listen on port ${port} after ${ms} ms: ${started?.tail() ?? ''}`)
}

/** The promise, or an error when it takes longer. */
export async function within(ms, what, promise) {
  let timer
  const late = new Promise((_, reject) => { timer = setTimeout(() => { reject(new Error(`${what}: nothing after ${ms} ms`)) }, ms) })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
