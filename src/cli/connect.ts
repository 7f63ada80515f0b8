// SPDX-License-Identifier: MIT
// `connack connect URL`: the handshake, one ping and a DISCONNECT against any real broker, byte by byte, and one sentence if it was refused.
import type { ConnectionOptions } from 'node:tls'
import { UsageError } from '../codec/index.ts'
import type { ConnectInput, ProtocolVersion } from '../codec/index.ts'
import { explain } from '../fsm/index.ts'
import { connect, credentialsOf } from '../transport/connect.ts'
import { ConnectionClosed } from '../transport/index.ts'
import type { TraceRecord } from '../transport/index.ts'
import type { Screen } from './stage.ts'
import { Misused, safe, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { text } from './options.ts'
import type { Words } from './options.ts'
import { ladder, namedWrites, packetLines, toLeft, toRight } from './render.ts'
import { hostPort, shown, targetOf, versionOf } from './target.ts'
import type { Target } from './target.ts'
import { VERSIONS } from './versions.ts'
import { NodeWebSocket } from './websocket.ts'

/** The command: its words into options. */
export async function connectWords(words: Words, io: Io): Promise<number> {
  const [positional] = words.positionals
  const named = positional ?? text(words, 'url')
  // The one scheme without a host: the rest of the words is read as beside any other URL.
  const unix = named !== undefined && /^unix:/i.test(named)
  const target = targetOf(unix ? { ...words, values: { ...words.values, url: undefined }, positionals: ['mqtt://unix', ...words.positionals.slice(1)] } : words)
  const { scheme, host, port, path, username, password, clientId = `connack-${process.pid}`, keepAlive, tls } = target
  if (unix && (words.values['host'] !== undefined || words.values['port'] !== undefined)) throw new Misused(`a Unix socket has neither host nor port: ${shown(named)}`)
  const version = versionOf(text(words, 'version') ?? '4')
  const place = hostPort(host, port)
  return connectCommand({
    url: unix ? named : `${scheme}://${place}${scheme.startsWith('ws') ? path : ''}`, place: unix ? named : scheme === 'mqtt' ? place : `${scheme}://${place}`, tls: tlsOptions(tls),
    connect: {
      version, clientId, cleanStart: true, keepAlive, ...(unix ? credentialsOf(named) : {}),
      ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }),
    },
  }, io)
}

export interface ConnectOptions {
  readonly url: string
  /** what it is called where there is little room */
  readonly place: string
  readonly connect: Partial<ConnectInput> & { readonly version: ProtocolVersion }
  readonly tls: ConnectionOptions
}

export async function connectCommand({ url, place, connect: packet, tls }: ConnectOptions, screen: Screen): Promise<number> {
  const { print, paint } = screen
  const { version } = packet
  print(paint.dim(` ${'client'.padEnd(18)}${'wire'.padEnd(46)}${place}`))
  try {
    const client = await connect(url, { connect: packet, tls, socketOptions: tls, WebSocket: NodeWebSocket, trace: (record) => { show(record, version, screen) } })
    await client.ping()
    const cause = await client.disconnect()
    print(paint.green(`Connected with MQTT ${VERSIONS[version]} as ${JSON.stringify(client.clientId)}, pinged and disconnected. ${cause.sentence}`))
    return STATUS.fine
  } catch (error) {
    if (error instanceof UsageError && error.packet === undefined) throw new Misused(error.message)
    print(paint.red(sentenceOf(error as Error, place)))
    if (!(error instanceof ConnectionClosed)) return STATUS.lost
    return error.cause.why === 'refused' ? error.cause.reasonCode ?? STATUS.lost : STATUS.lost
  }
}

/** One sentence for a person. */
function sentenceOf(error: Error & { readonly code?: string }, place: string): string {
  if (error instanceof ConnectionClosed) return safe(explain(error.cause))
  return error.code === 'ECONNREFUSED' ? `Nothing listens on ${place}.` : safe(`No connection to ${place}: ${error.message}`)
}

/** Options of `tls.connect`; ALPN is the transport's own unless it was asked for. */
function tlsOptions({ ca, cert, key, insecure, alpn }: Target['tls']): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    ...(cert === undefined ? {} : { cert: Buffer.from(cert) }),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    ...(insecure ? { rejectUnauthorized: false } : {}),
    ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
  }
}

function show(record: TraceRecord, version: ProtocolVersion, { print, paint }: Screen): void {
  const { input, before, after, received } = record
  if (received !== undefined && received.length > 0) {
    const name = input.type === 'received' ? input.packet.type.toUpperCase() : 'not MQTT'
    print(ladder(paint, before.phase, toLeft(name), ''))
    for (const line of packetLines(paint, received, version)) print(line)
  }
  for (const [name, bytes] of namedWrites(record)) {
    print(ladder(paint, after.phase, toRight(name), ''))
    for (const line of packetLines(paint, bytes, version)) print(line)
  }
}
