// SPDX-License-Identifier: MIT
// The TLS stage: a handshake that is looked at before it is trusted.
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Target } from '../target.ts'
import { Failure } from './wire.ts'

export interface TlsFacts {
  readonly protocol: string
  readonly cipher: string
  /** undefined: none was agreed on */
  readonly alpn: string | undefined
  readonly subject: string
  readonly issuer: string
  readonly from: string
  readonly until: string
  /** whole days until it expires; negative when it has */
  readonly daysLeft: number
  /** why it cannot be trusted, in a sentence */
  readonly distrust: string | undefined
}

export interface Secured {
  readonly socket: TLSSocket
  readonly facts: TlsFacts
}

/** Does the handshake, and says what it found, trusted or not: nothing must be sent over it before `facts.distrust` was looked at. Throws Failure. */
export function secure(socket: Socket, { host, tls: { ca, cert, key, alpn } }: Target, ms: number): Promise<Secured> {
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket, rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : { host }),
      ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
      ...(cert === undefined ? {} : { cert: Buffer.from(cert) }),
      ...(key === undefined ? {} : { key: Buffer.from(key) }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    })
    const fail = (sentence: string): void => {
      clearTimeout(late)
      secured.destroy()
      socket.destroy()
      reject(new Failure(sentence))
    }
    const late = setTimeout(() => { fail(`No answer to the TLS ClientHello within ${ms} ms.`) }, ms)
    secured.once('error', (error: Error & { code?: string }) => { fail(handshakeFailure(error)) })
    secured.once('close', () => { fail('The server closed the connection in the TLS handshake.') })
    secured.once('secureConnect', () => {
      clearTimeout(late)
      secured.removeAllListeners('error')
      secured.removeAllListeners('close')
      resolve({ socket: secured, facts: factsOf(secured, host) })
    })
  })
}

/** What OpenSSL's words mean; the first that is in the error counts. */
const HANDSHAKE: readonly (readonly [word: RegExp, sentence: string])[] = [
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|BAD_RECORD|UNEXPECTED_MESSAGE|RECORD_LAYER|HTTP_REQUEST/, 'What the server answered to the TLS ClientHello is not TLS.'],
  [/NO_APPLICATION_PROTOCOL/, 'The server knows none of the ALPN protocols asked for (--tls-alpn).'],
  [/CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_CERTIFICATE/, 'The server wants another client certificate (--cert and --key), or one at all.'],
  [/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, 'Server and client have no TLS version in common.'],
  [/HANDSHAKE_FAILURE/, 'The server broke off the TLS handshake: no common cipher, or it wants a client certificate.'],
  [/UNRECOGNIZED_NAME/, 'The server has no certificate for this host name.'],
  [/ECONNRESET|EPIPE/, 'The server closed the connection in the TLS handshake.'],
]

function handshakeFailure({ code = '', message }: Error & { code?: string }): string {
  return HANDSHAKE.find(([word]) => word.test(code) || word.test(message.toUpperCase().replaceAll(' ', '_')))?.[1] ?? `The TLS handshake failed: ${message}.`
}

function factsOf(socket: TLSSocket, host: string): TlsFacts {
  const certificate = socket.getPeerCertificate()
  const { subject, issuer, valid_from: from, valid_to: until } = certificate
  const daysLeft = Math.floor((Date.parse(until) - Date.now()) / 86_400_000)
  const code = socket.authorized ? undefined : String((socket.authorizationError as Error & { code?: string } | null)?.code ?? socket.authorizationError ?? 'unknown')
  return {
    protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name, alpn: socket.alpnProtocol === false || socket.alpnProtocol === null ? undefined : socket.alpnProtocol,
    subject: named(subject), issuer: named(issuer), from: day(from), until: day(until), daysLeft,
    distrust: code === undefined ? undefined : (DISTRUST[code] ?? (() => `The certificate cannot be trusted: ${code}.`))({ host, from: day(from), until: day(until), daysLeft, subject: named(subject), names: certificate.subjectaltname ?? 'none' }),
  }
}

interface Doubt {
  readonly host: string
  readonly subject: string
  readonly from: string
  readonly until: string
  readonly daysLeft: number
  readonly names: string
}

const DISTRUST: { readonly [code: string]: ((doubt: Doubt) => string) | undefined } = {
  CERT_HAS_EXPIRED: ({ subject, until, daysLeft }) => `The certificate of ${subject} expired on ${until}, ${-daysLeft} days ago.`,
  CERT_NOT_YET_VALID: ({ subject, from }) => `The certificate of ${subject} is not valid before ${from}: is this machine's clock right?`,
  DEPTH_ZERO_SELF_SIGNED_CERT: ({ subject }) => `The certificate of ${subject} is signed by itself: --cafile makes it trusted.`,
  SELF_SIGNED_CERT_IN_CHAIN: () => 'The certificate leads to an authority that this machine does not know: --cafile names it.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => 'The server sends its certificate without those that lead to a known authority.',
  UNABLE_TO_GET_ISSUER_CERT: () => 'The server sends its certificate without those that lead to a known authority.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => 'The certificate leads to an authority that this machine does not know: --cafile names it.',
  ERR_TLS_CERT_ALTNAME_INVALID: ({ host, names }) => `The certificate is for ${names}, and not for ${host}.`,
}

/** CN=…, O=…, as far as there is something. */
function named(name: { readonly [part: string]: string | string[] | undefined } | undefined): string {
  const parts = ['CN', 'O'].flatMap((part) => (name?.[part] === undefined ? [] : [`${part}=${String(name[part])}`]))
  return parts.length === 0 ? 'a certificate without a name' : parts.join(', ')
}

function day(date: string): string {
  const time = Date.parse(date)
  return Number.isNaN(time) ? date : new Date(time).toISOString().slice(0, 10)
}
