// SPDX-License-Identifier: MIT
// `connack proxy [LISTEN] TARGET`: between any client and any broker, every byte passed on untouched and named.
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Misused, Refused, safe, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { text } from './options.ts'
import type { OptionRow, Words } from './options.ts'
import { Connection } from './proxy/connection.ts'
import { reporter } from './proxy/report.ts'
import type { ReportOptions } from './proxy/report.ts'
import { CaptureFile } from './proxy/save.ts'
import type { Phases, Reports } from './proxy/watch.ts'
import { Watch } from './proxy/watch.ts'
import { file, hostPort, shown, targetOf } from './target.ts'
import type { Target } from './target.ts'

export const PROXY_OPTIONS: readonly OptionRow[] = [
  { names: ['listen-cert'], value: 'FILE', help: 'listen for TLS, with this certificate, PEM' },
  { names: ['listen-key'], value: 'FILE', help: 'its private key, PEM' },
  { names: ['save'], value: 'FILE', help: 'write all bytes, passwords included, into a pcapng file' },
  { names: ['quiet'], short: 'q', help: 'only broken rules, late clients, and the sentence at the end of each connection' },
]

export interface ProxyOptions extends ReportOptions {
  readonly listen: { readonly host: string, readonly port: number }
  readonly target: Target
  /** listen for TLS */
  readonly tls?: { readonly cert: Uint8Array, readonly key: Uint8Array } | undefined
  readonly save?: string | undefined
}

export interface Proxy {
  readonly port: number
  /** connections there have been */
  readonly count: number
  /** ends every connection, says so of each, and closes the file */
  close(): Promise<void>
}

/** Connections at a time; further ones are closed at once. */
const MAXIMUM_CONNECTIONS = 1_000
const DEFAULT_PORT = 1884

export async function proxyCommand(words: Words, io: Io): Promise<number> {
  const options = optionsOf(words)
  const proxy = await startProxy(options, io)
  const { listen, target } = options
  io.complain(`listening on ${hostPort(listen.host, proxy.port)}, passing on to ${nameOf(target)}; Ctrl-C ends`)
  await new Promise<void>((resolve) => { for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { resolve() }) })
  await proxy.close()
  io.complain(`${proxy.count} connection${proxy.count === 1 ? '' : 's'}`)
  return STATUS.fine
}

/** Listens until it is closed. Throws Refused where it cannot. */
export async function startProxy(options: ProxyOptions, io: Io): Promise<Proxy> {
  const { listen, target, tls } = options
  const connections = new Set<Connection>()
  const watches = new Map<string, { readonly number: number, readonly watch: Watch }>()
  let count = 0
  const accept = (client: Socket): void => {
    const number = ++count
    const begun = performance.now()
    const at = performance.timeOrigin + begun
    const from = { address: plain(client.remoteAddress), port: client.remotePort ?? 0 }
    const reports = reporter(io, { number, at, client: hostPort(from.address, from.port), target: nameOf(target) }, options)
    const watch = new Watch(watchingNames(reports, () => { noticeName(watches, number, watch) }))
    const connection = new Connection({ client, target, watch, begun, capture: capture?.flow(from, plain(client.localAddress), at) })
    connections.add(connection)
    void connection.closed.then(() => {
      connections.delete(connection)
      const clientId = watch.observer.agreement?.clientId
      if (clientId !== undefined && watches.get(clientId)?.watch === watch) watches.delete(clientId)
    })
  }
  const server: Server = tls === undefined
    ? createServer({ allowHalfOpen: true, pauseOnConnect: true }, accept)
    : createTlsServer({ cert: Buffer.from(tls.cert), key: Buffer.from(tls.key), handshakeTimeout: 10_000 }, (socket) => {
      socket.allowHalfOpen = true
      accept(socket)
    }).on('tlsClientError', (error, socket) => {
      io.complain(`${hostPort(plain(socket.remoteAddress), socket.remotePort ?? 0)}: no TLS: ${safe(error.message)}`)
      socket.destroy()
    })
  server.maxConnections = MAXIMUM_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: Error & { readonly code?: string }) => { reject(new Refused(error.code === 'EADDRINUSE' ? `${hostPort(listen.host, listen.port)} is taken: another program listens there` : `${hostPort(listen.host, listen.port)}: ${error.message}`)) })
    server.listen(listen.port, listen.host, resolve)
  })
  server.on('error', (error) => { io.complain(error.message) })
  const capture = openCapture(options.save, server)
  return {
    port: (server.address() as AddressInfo).port,
    get count() { return count },
    async close() {
      const closed = new Promise<void>((resolve) => { server.close(() => { resolve() }) })
      for (const connection of connections) connection.stop('The proxy was stopped.')
      await closed
      capture?.close()
    },
  }
}

/** A file that cannot be written must not leave a port open. */
function openCapture(path: string | undefined, server: Server): CaptureFile | undefined {
  try {
    return path === undefined ? undefined : new CaptureFile(path)
  } catch (error) {
    server.close()
    throw error
  }
}

/** The same reports, and a call at each CONNECT and CONNACK: they say who it is. */
function watchingNames(reports: Reports, notice: () => void): Reports {
  return {
    packet(observed, phases: Readonly<Phases>) {
      reports.packet(observed, phases)
      if (observed.type === 'connect' || observed.type === 'connack') notice()
    },
    remark: (...all) => { reports.remark(...all) },
    closed: (...all) => { reports.closed(...all) },
  }
}

/** Two connections with one Client Identifier: the Server will end the older one [MQTT-3.1.4-3]. */
function noticeName(watches: Map<string, { readonly number: number, readonly watch: Watch }>, number: number, watch: Watch): void {
  const clientId = watch.observer.agreement?.clientId ?? ''
  if (clientId === '') return
  const older = watches.get(clientId)
  if (older !== undefined && older.watch !== watch) older.watch.takenOverBy = number
  watches.set(clientId, { number, watch })
}

function optionsOf(words: Words): ProxyOptions {
  const [first, second, ...more] = words.positionals
  if (more.length > 0) throw new Misused(`too many arguments: ${more.map(shown).join(' ')}`)
  if (first === undefined) throw new Misused('where to? A target such as mqtt://host:1883, and before it where to listen, if not on 1884')
  const goal = second ?? first
  const target = targetOf({ ...words, positionals: [goal.includes('://') ? goal : `mqtt://${goal}`] })
  if (target.username !== undefined || target.password !== undefined) throw new Misused('the proxy passes on the CONNECT of the client: a user name or password in its URL would not be used')
  return {
    target, listen: second === undefined ? { host: LOOPBACK, port: DEFAULT_PORT } : listenOf(first), tls: tlsOf(words), save: text(words, 'save'),
    json: words.values['json'] === true, quiet: words.values['quiet'] === true, secrets: words.values['show-secrets'] === true,
  }
}

const LOOPBACK = '127.0.0.1'

/** `1884`, `:1884`, `host:1884`, `[::1]:1884`. A port alone is on loopback: other machines see nothing unless asked to. */
function listenOf(word: string): ProxyOptions['listen'] {
  const [, host = '', port = ''] = /^(?:mqtts?:\/\/)?(?:(\[[^\]]*\]|[^:]*):)?(\d{1,5})$/.exec(word) ?? []
  if (port === '' || Number(port) > 65_535) throw new Misused(`${shown(word)} is nowhere to listen: PORT or HOST:PORT, such as 1884 or 0.0.0.0:1884`)
  return { host: host === '' ? LOOPBACK : host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

function tlsOf(words: Words): ProxyOptions['tls'] {
  const [cert, key] = [file(words, 'listen-cert'), file(words, 'listen-key')]
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw new Misused('--listen-cert and --listen-key come together')
  return { cert, key }
}

function nameOf({ scheme, host, port, path }: Target): string {
  return `${scheme}://${hostPort(host, port)}${path === '/' || !scheme.startsWith('ws') ? '' : path}`
}

/** An IPv4 address as it is, also where the socket is one of IPv6. */
function plain(address: string = '0.0.0.0'): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '')
}
