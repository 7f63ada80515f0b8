// SPDX-License-Identifier: MIT
// Where the tutorial is played: a real server and real clients on loopback TCP, every packet shown as it passes, every expectation checked.
import { connect as openSocket } from 'node:net'
import type { Socket } from 'node:net'
import { encode } from '../codec/index.ts'
import type { Connect, ConnectInput, Packet, ProtocolVersion, Will } from '../codec/index.ts'
import { Broker } from '../broker/index.ts'
import type { CloseCause, Limits, Session } from '../fsm/index.ts'
import type { TraceRecord } from '../transport/index.ts'
import { connectTcp, listenTcp } from '../transport/tcp.ts'
import type { Client, Peer, TcpServer } from '../transport/tcp.ts'
import { ladder, namedWrites, packetLines, toLeft, toRight } from './render.ts'
import type { Paint } from './render.ts'

export interface Screen {
  readonly print: (line: string) => void
  readonly paint: Paint
}

/** A chapter of the tutorial: what it shows, and what has to come of it. */
export interface Chapter {
  readonly title: (version: 4 | 5) => string
  readonly play: (stage: Stage) => Promise<void>
}

/** A client of the broker, and what it has been sent. */
export interface Guest {
  readonly client: Client
  readonly heard: string[]
}

/** The phases of the two ends of one connection, as far as they are known. */
interface View {
  /** where there are several */
  readonly name: string
  client: string
  server: string
}

/** How one connection ended, seen from the server. */
export interface Ending {
  readonly cause: CloseCause
  readonly after: number
}

export class Stage {
  readonly version: ProtocolVersion
  failures = 0
  private readonly screen: Screen
  private readonly sessions: Map<string, Peer> = new Map()
  private server: TcpServer | undefined = undefined
  private readonly broker: Broker = new Broker()
  private house: TcpServer | undefined = undefined
  private arrived: Peer | undefined = undefined
  private view: View = { name: '', client: 'opening', server: 'awaiting-connect' }
  private waiting: ((ending: Ending) => void) | undefined = undefined

  constructor(version: ProtocolVersion, screen: Screen) {
    this.version = version
    this.screen = screen
  }

  /** The server's application: one user, one session per Client Identifier, the newer connection takes over. */
  async open(limits: Partial<Limits>): Promise<void> {
    this.server = await listenTcp({ port: 0, limits }, (peer) => {
      const { view } = this
      peer.onTrace = (record) => { this.serverStep(view, record) }
      const begun = performance.now()
      peer.onConnect = (connect) => this.judge(peer, connect)
      peer.onClose = (cause) => { this.over({ cause, after: performance.now() - begun }) }
    })
    this.house = await listenTcp({ port: 0 }, (peer) => {
      const { view } = this
      this.arrived = peer
      peer.onTrace = (record) => { this.serverStep(view, record) }
      this.broker.handle(peer)
    })
  }

  async close(): Promise<void> {
    await this.server!.close()
    await this.broker.close()
    await this.house!.close()
  }

  /** Begins a connection of the chapter: both ends as they are before a byte has passed. */
  begin(client: string, name: string = ''): View {
    return (this.view = { name, client, server: 'awaiting-connect' })
  }

  /** A client of the broker; a few letters for its Client Identifier. `keep`: its session outlives the connection. */
  async guest(clientId: string, keep: boolean, packet: Partial<ConnectInput> = {}, session?: Session): Promise<Guest> {
    const view = this.begin('opening', `${clientId} `)
    const heard: string[] = []
    const client = await connectTcp({
      port: this.house!.port, session, trace: (record) => { this.clientStep(view, record) },
      connect: { version: this.version, clientId, cleanStart: !keep, ...(keep && this.version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}), ...packet },
      onPublish: ({ topic, payload }) => { heard.push(`${topic}: ${new TextDecoder().decode(payload)}`) },
    })
    return { client, heard }
  }

  /** Cuts the connection that came last, at the broker, as soon as that has got a packet of this type: its answer does not get through. */
  cutOn(type: Packet['type']): void {
    const [peer, { view }] = [this.arrived!, this]
    peer.onTrace = (record) => {
      this.serverStep(view, record)
      if (record.input.type === 'received' && record.input.packet.type === type) peer.abort()
    }
  }

  connect(packet: Partial<ConnectInput>): Promise<Client> {
    const view = this.begin('opening')
    return connectTcp({ port: this.server!.port, connect: { version: this.version, ...packet }, trace: (record) => { this.clientStep(view, record) } })
  }

  /** A client that is no client: bytes as they are, and whatever comes back until the server closes. */
  async raw(bytes: Uint8Array, name: string): Promise<{ readonly socket: Socket, readonly answer: Promise<Uint8Array> }> {
    const view = this.begin('(raw bytes)')
    const socket = openSocket({ host: '127.0.0.1', port: this.server!.port, allowHalfOpen: true })
    const chunks: Uint8Array[] = []
    socket.on('data', (chunk: Uint8Array) => { chunks.push(chunk) })
    const answer = new Promise<Uint8Array>((resolve) => {
      socket.on('error', () => {})
      socket.on('end', () => { socket.end() })
      socket.on('close', () => { resolve(Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))) })
    })
    await new Promise((resolve) => { socket.once('connect', resolve) })
    this.packet(view, toRight(name), bytes)
    socket.write(bytes)
    return { socket, answer }
  }

  /** The next connection that ends at the server. */
  nextEnding(): Promise<Ending> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => { reject(new Error('the server has not closed within 5 s')) }, 5000)
      this.waiting = (ending) => {
        clearTimeout(late)
        resolve(ending)
      }
    })
  }

  title(number: number, text: string): void {
    const { print, paint } = this.screen
    print('')
    print(paint.bold(`${number}. ${text}`))
    print(paint.dim(` ${'client'.padEnd(18)}${'wire'.padEnd(46)}server`))
  }

  note(text: string): void {
    this.screen.print(this.screen.paint.dim(`   ${text}`))
  }

  /** The chapter's proof: what the title says has happened. */
  expect(what: string, actual: unknown, expected: unknown): void {
    const { print, paint } = this.screen
    const ok = JSON.stringify(actual) === JSON.stringify(expected)
    if (!ok) this.failures++
    print(ok ? paint.green(` ✓ ${what}`) : paint.red(` ✗ ${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`))
  }

  willText(will: Will | undefined): string {
    return will === undefined ? 'no Will' : `Will on ${will.topic}: ${new TextDecoder().decode(will.payload)}`
  }

  encode(packet: ConnectInput): Uint8Array {
    return encode(packet, packet.version)
  }

  private async judge(peer: Peer, connect: Connect): Promise<void> {
    const known = connect.username === undefined || (connect.username === 'hans' && new TextDecoder().decode(connect.password) === 'letmein')
    if (!known) return peer.refuse(BAD_USER_NAME_OR_PASSWORD)
    const older = connect.clientId === '' ? undefined : this.sessions.get(connect.clientId)
    this.sessions.set(connect.clientId, peer)
    if (older?.state.phase === 'connected') await older.disconnect(SESSION_TAKEN_OVER)
    await peer.accept({ sessionPresent: false })
  }

  private over(ending: Ending): void {
    this.waiting?.(ending)
    this.waiting = undefined
  }

  private clientStep(view: View, record: TraceRecord): void {
    const { input, after } = record
    view.client = after.phase
    for (const [name, bytes] of namedWrites(record)) this.packet(view, toRight(name), bytes)
    if (input.type === 'received') this.screen.print(ladder(this.screen.paint, view.name + view.client, '', view.server))
  }

  private serverStep(view: View, record: TraceRecord): void {
    view.server = record.after.phase
    for (const [name, bytes] of namedWrites(record)) this.packet(view, toLeft(name), bytes)
  }

  private packet(view: View, arrow: string, bytes: Uint8Array): void {
    const { print, paint } = this.screen
    print(ladder(paint, view.name + view.client, arrow, view.server))
    for (const line of packetLines(paint, bytes, this.version)) print(line)
  }
}

const BAD_USER_NAME_OR_PASSWORD = 0x86
const SESSION_TAKEN_OVER = 0x8e
