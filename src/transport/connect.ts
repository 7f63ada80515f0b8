// SPDX-License-Identifier: MIT
// One function for all ways: the scheme of a URL says which adapter, and only that one is loaded.
import { UsageError } from '../codec/index.ts'
import type { ConnectInput } from '../codec/index.ts'
import type { Client, ClientOptions } from './client.ts'
import type { Duplex } from './duplex.ts'
import { connectOver } from './open.ts'
import type { OpenOptions } from './open.ts'
import { reconnecting as comingBack } from './reconnecting.ts'
import type { ReconnectingClient, ReconnectingOptions } from './reconnecting.ts'
import type { OpenTlsOptions } from './tls.ts'
import type { OpenWebSocketOptions } from './websocket.ts'

/** What some schemes take besides the URL: `tls` for mqtts, the rest for ws and wss. */
export interface OpenUrlOptions extends OpenOptions, Pick<OpenTlsOptions, 'tls'>, Pick<OpenWebSocketOptions, 'version' | 'WebSocket' | 'socketOptions' | 'maximumUnread'> {}

/** What `connect` is given besides the URL. */
export interface ConnectUrlOptions extends ClientOptions, Omit<OpenUrlOptions, 'version'> {}

/**
 * Connects to `mqtt://host:port`, `mqtts://host:port`, `ws://host:port/path`, `wss://host:port/path` or `unix:/path/of/a/socket`. Ports are 1883, 8883,
 * 80 and 443 unless given, an IPv6 address stands in brackets, and `user:password@` before the host go into CONNECT unless `connect` has others.
 * Rejects with UsageError for any other URL, and with what the adapter rejects with; no message holds the password.
 */
export async function connect(url: string | URL, options: ConnectUrlOptions = {}): Promise<Client> {
  const parsed = parse(url)
  const connect = { ...credentialsOf(parsed), ...options.connect }
  return connectOver(open(parsed, { ...options, version: connect.version }), { ...options, connect })
}

/** What `reconnecting` is given besides the URL. */
export interface ReconnectingUrlOptions extends Omit<ReconnectingOptions, 'open'>, Omit<OpenUrlOptions, 'signal' | 'version'> {}

/**
 * A client that comes back by itself, over any URL that `connect` takes; see ReconnectingClient. It begins at once. Throws UsageError for what is no URL; a
 * scheme it does not know is told by `closed`, as is any other end.
 */
export function reconnecting(url: string | URL, options: ReconnectingUrlOptions = {}): ReconnectingClient {
  const { connect } = options
  const credentials = credentialsOf(url)
  return comingBack({
    ...options,
    connect: typeof connect === 'function' ? async (attempt) => ({ ...credentials, ...await connect(attempt) }) : { ...credentials, ...connect },
    open: ({ signal }) => openUrl(url, { ...options, signal, version: typeof connect === 'function' ? undefined : connect?.version }),
  })
}

/** Opens the byte stream that `connect` would, and no more: what a program that connects again and again wants. */
export async function openUrl(url: string | URL, options: OpenUrlOptions = {}): Promise<Duplex> {
  return open(parse(url), options)
}

/** User Name and Password of a URL, for CONNECT; absent where the URL has none. */
export function credentialsOf(url: string | URL): Pick<Partial<ConnectInput>, 'username' | 'password'> {
  const { username, password } = parse(url)
  return {
    ...(username === '' ? {} : { username: decode(username) }),
    ...(password === '' ? {} : { password: decode(password) }),
  }
}

type Open = (url: URL, options: OpenUrlOptions) => Promise<Duplex>

/** What each scheme means; the promise of `import` is what keeps the others out of a bundle. */
const SCHEMES: { readonly [scheme: string]: Open | undefined } = {
  'mqtt:': async (url, options) => (await import('./tcp.ts')).openTcp({ ...options, ...placeOf(url) }),
  'mqtts:': async (url, options) => (await import('./tls.ts')).openTls({ ...options, ...placeOf(url) }),
  'ws:': async (url, options) => (await import('./websocket.ts')).openWebSocket({ ...options, url: withoutCredentials(url) }),
  'wss:': async (url, options) => (await import('./websocket.ts')).openWebSocket({ ...options, url: withoutCredentials(url) }),
  'unix:': async (url, options) => (await import('./tcp.ts')).openTcp({ ...options, path: pathOf(url) }),
}

async function open(url: URL, options: OpenUrlOptions): Promise<Duplex> {
  options.signal?.throwIfAborted()
  const how = SCHEMES[url.protocol]
  if (how === undefined) throw wrong(`the scheme ${url.protocol} is not known here; these are: ${Object.keys(SCHEMES).join(' ')}`)
  return how(url, options)
}

/** The error of `new URL` holds the URL, password and all. */
function parse(url: string | URL): URL {
  if (url instanceof URL) return url
  if (URL.canParse(url)) return new URL(url)
  throw wrong('this is no URL: give one such as mqtt://localhost:1883, with %40 for an @ in a password and an IPv6 address in brackets')
}

function placeOf(url: URL): { readonly host: string, readonly port: number | undefined } {
  const { hostname, port, pathname, search } = url
  if (hostname === '') throw wrong(`${url.protocol} wants a host: ${url.protocol}//host:port`)
  if (!['', '/'].includes(pathname) || search !== '') throw wrong(`${url.protocol} takes a host and a port, and neither a path nor a query: ${pathname}${search === '' ? '' : '?…'} would be lost. A Unix socket is unix:/path`)
  return { host: decode(hostname).replace(/^\[|\]$/g, ''), port: port === '' ? undefined : Number(port) }
}

function pathOf({ host, pathname }: URL): string {
  if (host !== '' || pathname === '' || pathname === '/') throw wrong('unix: wants the path of a socket, as in unix:/run/mqtt.sock, and no host')
  return decode(pathname)
}

function withoutCredentials(url: URL): string {
  const bare = new URL(url)
  bare.username = bare.password = ''
  return bare.href
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('a % in this URL begins no percent-encoded UTF-8; write %25 for the sign itself')
  }
}

function wrong(message: string): UsageError {
  return new UsageError(message, { packet: undefined, rule: 'url', path: 'url' })
}

export { TransportError } from './open.ts'
