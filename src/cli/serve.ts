// SPDX-License-Identifier: MIT
// `connack serve`: our broker on a port, and what happens there: a live table on a terminal, a line for each coming and going elsewhere.
import { readFileSync } from 'node:fs'
import { Broker } from '../broker/index.ts'
import type { BrokerCounters } from '../broker/index.ts'
import { sizeOf } from '../fsm/index.ts'
import { listenTcp } from '../transport/tcp.ts'
import type { Peer } from '../transport/tcp.ts'
import { VERSIONS } from './versions.ts'
import { Misused } from './io.ts'
import { parseWords, text } from './options.ts'
import type { OptionRow, Words } from './options.ts'
import { passwordsOf } from './passwords.ts'
import type { Check } from './passwords.ts'
import type { Screen } from './stage.ts'

export const SERVE_OPTIONS: readonly OptionRow[] = [
  { names: ['host'], short: 'h', value: 'HOST', help: 'address to listen on; default 127.0.0.1 (help is --help)' },
  { names: ['port'], short: 'p', value: 'PORT', help: 'default 1883; 0 takes a free one' },
  { names: ['password-file'], value: 'FILE', help: 'who may come in: a line name:password each, or made by mosquitto_passwd' },
  { names: ['allow-anonymous'], help: 'everybody may come in, also beyond this machine' },
]

/** What `serve` needs of the process it runs in. */
export interface Surroundings {
  /** a terminal gets the table */
  readonly terminal: { readonly isTTY?: boolean, readonly rows?: number, readonly columns?: number, write(text: string): unknown }
  /** resolves when it is to end */
  readonly stopped: Promise<unknown>
  /** told where it listens */
  readonly onListening?: ((port: number) => void) | undefined
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const REFRESH = 1000
const BAD_USER_NAME_OR_PASSWORD = 0x86
/** Of the 3.x Clients, who are not told: messages they may have unanswered. */
const RECEIVE_MAXIMUM = 100

/** Runs until it is told to stop; returns the exit status. */
export async function serve(words: Words | readonly string[], screen: Screen, given?: Surroundings): Promise<number> {
  const { print, paint } = screen
  const { host, port, check } = optionsOf(Array.isArray(words) ? parseWords(words as readonly string[], SERVE_OPTIONS) : words as Words)
  const { terminal, stopped, onListening } = given ?? surroundings()
  const live = terminal.isTTY === true
  const broker = new Broker({ receiveMaximum: RECEIVE_MAXIMUM, authenticate: check && (async ({ username, password }) => await check(username, password) || BAD_USER_NAME_OR_PASSWORD) })
  const server = await listenTcp({ host, port, limits: { receiveMaximum: RECEIVE_MAXIMUM } }, (peer) => {
    broker.handle(peer)
    if (!live) tell(peer, print)
  }).catch((error: Error) => error)
  if (server instanceof Error) {
    print(paint.red(`Cannot listen on ${host}:${port}: ${server.message}`))
    return 1
  }
  const head = `MQTT broker on ${server.host} port ${server.port}. ${check === undefined ? `Anonymous Clients are allowed${isLoopback(host) ? ', from this machine' : ': whoever reaches this port may publish and subscribe to everything'}.` : 'A user name and password are asked for, and not encrypted on their way.'}`
  print(isLoopback(host) ? head : paint.red(head))
  onListening?.(server.port)
  const table = new Table(server.peers, screen)
  const refresh = live ? setInterval(() => { terminal.write(table.draw(head, broker.counters, terminal)) }, REFRESH) : undefined
  await stopped
  clearInterval(refresh)
  await broker.close()
  await server.close()
  const { received, delivered, dropped } = broker.counters
  print(`Closed. Messages: ${received} received, ${delivered} delivered, ${dropped} dropped.`)
  return 0
}

interface Options { readonly host: string, readonly port: number, readonly check: Check | undefined }

/** What is asked for. Throws Misused for what cannot be. */
function optionsOf(words: Words): Options {
  const { positionals, values: { 'allow-anonymous': anonymous } } = words
  const [host = '127.0.0.1', port = '1883', file] = ['host', 'port', 'password-file'].map((name) => text(words, name))
  if (positionals.length > 0) throw new Misused(`too many arguments: ${positionals.join(' ')}`)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Misused(`--port is 0 to 65535, not ${port}`)
  if (file !== undefined && anonymous === true) throw new Misused('--password-file and --allow-anonymous: one or the other')
  if (file === undefined && anonymous !== true && !isLoopback(host)) throw new Misused(`${host} is not loopback: say who may come in by --password-file FILE, or that everybody may by --allow-anonymous`)
  return { host, port: Number(port), check: file === undefined ? undefined : passwords(file) }
}

function passwords(file: string): Check {
  try {
    return passwordsOf(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Misused((error as Error).message)
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** A line when a Client is in, and one when its connection is over. */
function tell(peer: Peer, print: Screen['print']): void {
  const line = (text: string): void => { print(printable(`${new Date().toISOString()} ${text}`)) }
  peer.onTrace = ({ after }) => {
    if (after.phase !== 'connected') return
    peer.onTrace = undefined
    line(`+ ${JSON.stringify(peer.clientId)} MQTT ${VERSIONS[after.agreement.version]}`)
  }
  void peer.closed.then(({ sentence }) => { line(`- ${JSON.stringify(peer.clientId)} ${sentence}`) })
}

/** Names and reasons are other people's texts: none of them may steer a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) => `\\u${one.codePointAt(0)!.toString(16).padStart(4, '0')}`)
}

/** The table: rates are of the time since it was last drawn. */
class Table {
  private readonly peers: ReadonlySet<Peer>
  private readonly screen: Screen
  private readonly before: WeakMap<Peer, { readonly received: number, readonly sent: number }> = new WeakMap()
  private totals: BrokerCounters | undefined = undefined
  private drawn = performance.now()

  constructor(peers: ReadonlySet<Peer>, screen: Screen) {
    this.peers = peers
    this.screen = screen
  }

  /** Clears the terminal and draws anew, no more lines than it has. */
  draw(head: string, counters: BrokerCounters, { rows = 24, columns = 80 }: Surroundings['terminal']): string {
    const { paint } = this.screen
    const now = performance.now()
    const seconds = Math.max(0.001, (now - this.drawn) / 1000)
    this.drawn = now
    const rate = (count: number, before: number | undefined): string => `${Math.round((count - (before ?? 0)) / seconds)}/s`
    const { connections, sessions, subscriptions, received, delivered, dropped } = counters
    const totals = `${connections} connections, ${sessions} sessions, ${subscriptions} subscriptions; messages in ${rate(received, this.totals?.received)}, out ${rate(delivered, this.totals?.delivered)}, dropped ${dropped}`
    this.totals = counters
    const titles = row('Client Identifier', 'MQTT', 'state', 'in', 'out', 'bytes in', 'bytes out', 'in flight')
    const room = Math.max(1, rows - 5)
    const lines = [...this.peers].map((peer) => this.line(peer, rate))
    const rest = lines.length > room ? [`and ${lines.length - room} more`] : []
    return `\x1b[H\x1b[2J${[head, totals, '', paint.bold(titles.slice(0, columns)), ...lines.slice(0, room).map((one) => one.slice(0, columns)), ...rest].join('\n')}\n`
  }

  private line(peer: Peer, rate: (count: number, before: number | undefined) => string): string {
    const { packetsReceived, packetsSent, bytesReceived, bytesSent } = peer.counters
    const before = this.before.get(peer)
    this.before.set(peer, { received: packetsReceived, sent: packetsSent })
    const { connect, session, state } = peer
    return row(
      printable(peer.clientId), connect === undefined ? '' : VERSIONS[connect.version], state.phase, rate(packetsReceived, before?.received), rate(packetsSent, before?.sent),
      String(bytesReceived), String(bytesSent), session === undefined ? '' : String(sizeOf(session).ours),
    )
  }
}

const WIDTHS = [24, 6, 17, 9, 9, 12, 12, 9]

function row(...cells: readonly string[]): string {
  return cells.map((text, i) => (text.length > WIDTHS[i]! - 1 ? `${text.slice(0, WIDTHS[i]! - 2)}… ` : text.padEnd(WIDTHS[i]!))).join('').trimEnd()
}

function surroundings(): Surroundings {
  // The first Ctrl-C closes in good order; a second one finds nobody listening to it and ends the process.
  const stopped = new Promise<void>((resolve) => {
    const stop = (): void => {
      for (const signal of SIGNALS) process.off(signal, stop)
      resolve()
    }
    for (const signal of SIGNALS) process.on(signal, stop)
  })
  return { terminal: process.stdout, stopped }
}
