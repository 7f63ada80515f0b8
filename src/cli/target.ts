// SPDX-License-Identifier: MIT
// Where a command connects to, out of a URL or of -h and -p, and what it says there.
import { readFileSync } from 'node:fs'
import type { ProtocolVersion } from '../codec/index.ts'
import { Misused, Refused } from './io.ts'
import { integer, text } from './options.ts'
import type { Words } from './options.ts'

export interface Target {
  readonly scheme: Scheme
  readonly host: string
  readonly port: number
  /** WebSocket only: path and query */
  readonly path: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly clientId: string | undefined
  readonly keepAlive: number
  readonly tls: TlsOptions
}

export interface TlsOptions {
  readonly ca: Uint8Array | undefined
  readonly cert: Uint8Array | undefined
  readonly key: Uint8Array | undefined
  readonly insecure: boolean
  readonly alpn: string | undefined
}

export type Scheme = keyof typeof SCHEMES

/** What a scheme means: its usual port, TLS or not, WebSocket or not. */
export const SCHEMES = {
  mqtt: { port: 1883, tls: false, webSocket: false },
  mqtts: { port: 8883, tls: true, webSocket: false },
  ws: { port: 80, tls: false, webSocket: true },
  wss: { port: 443, tls: true, webSocket: true },
} as const

/** The other names that schemes go by. */
const ALIASES: { readonly [name: string]: Scheme | undefined } = { tcp: 'mqtt', ssl: 'mqtts', tls: 'mqtts' }

/** The target that the words name. Throws Misused for a URL that is none, and for two ways of naming at once. */
export function targetOf(words: Words): Target {
  const [positional, ...more] = words.positionals
  if (more.length > 0) throw new Misused(`too many arguments: ${more.join(' ')}`)
  const url = positional ?? text(words, 'url')
  if (positional !== undefined && words.values['url'] !== undefined) throw new Misused(`two URLs: ${shown(positional)} and -L`)
  if (url === undefined && words.values['host'] === undefined && words.values['port'] === undefined) throw new Misused('where to? A URL such as mqtt://host:1883, or -h HOST')
  if (url !== undefined && words.values['host'] !== undefined) throw new Misused(`a URL and -h both: which? ${shown(url)} or ${text(words, 'host')}`)
  const place = url === undefined ? hostAndPort(words) : fromUrl(url, words)
  const username = text(words, 'username') ?? place.username
  return {
    ...place, username,
    password: text(words, 'pw') ?? place.password,
    clientId: text(words, 'id'),
    keepAlive: integer(words, 'keepalive', 60, 0, 65_535, 'seconds'),
    tls: { ca: file(words, 'cafile'), cert: file(words, 'cert'), key: file(words, 'key'), insecure: words.values['insecure'] === true, alpn: text(words, 'tls-alpn') },
  }
}

/** A version as people write it. Throws Misused for any other word. */
export function versionOf(word: string): ProtocolVersion {
  const version = VERSION_WORDS[word.toLowerCase().replace(/^mqttv?/, '')]
  if (version === undefined) throw new Misused(`--version is 5, 3.1.1 or 3.1 (or mqttv5, mqttv311, mqttv31; or by its byte 5, 4, 3), not ${word}`)
  return version
}

/** A URL without its password. */
export function shown(url: string): string {
  return url.replace(/(:\/\/[^/@:]*):[^/]*@/, '$1:••••@')
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const VERSION_WORDS: { readonly [word: string]: ProtocolVersion | undefined } = { 3: 3, '3.1': 3, 31: 3, 4: 4, '3.1.1': 4, 311: 4, 5: 5, '5.0': 5, 50: 5 }

type Place = Pick<Target, 'scheme' | 'host' | 'port' | 'path' | 'username' | 'password'>

function hostAndPort(words: Words): Place {
  const host = text(words, 'host') ?? 'localhost'
  if (host.includes('://')) throw new Misused(`-h takes a host; for ${shown(host)} there is -L`)
  const scheme = words.values['cafile'] === undefined ? 'mqtt' : 'mqtts'
  return { scheme, host: host.replace(/^\[|\]$/g, ''), port: integer(words, 'port', SCHEMES[scheme].port, 1, 65_535), path: '/', username: undefined, password: undefined }
}

function fromUrl(given: string, words: Words): Place {
  const url = URL.canParse(given) ? new URL(given) : undefined
  const name = url?.protocol.slice(0, -1) ?? ''
  const scheme = Object.hasOwn(SCHEMES, name) ? name as Scheme : ALIASES[name]
  if (url === undefined || scheme === undefined || url.hostname === '') throw new Misused(`${shown(given)} is no URL with mqtt, mqtts, ws or wss, such as mqtt://host:1883`)
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    // The URL class leaves out the port that is usual for ws and wss.
    port: integer(words, 'port', url.port === '' ? SCHEMES[scheme].port : Number(url.port), 1, 65_535),
    path: `${url.pathname === '' ? '/' : url.pathname}${url.search}`,
    username: url.username === '' ? undefined : plain(url.username, 'user name'),
    password: url.password === '' ? undefined : plain(url.password, 'password'),
  }
}

function plain(part: string, what: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Misused(`the ${what} in the URL holds a % that is no escape: write it as %25`)
  }
}

/** The content of the file that an option names. Throws Refused. */
export function file(words: Words, name: string): Uint8Array | undefined {
  const path = text(words, name)
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Refused(`--${name}: ${(error as Error).message}`)
  }
}
