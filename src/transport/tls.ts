// SPDX-License-Identifier: MIT
// MQTT over TLS with node:tls (5.0 §4.2, §5.4). What `tls` holds goes to Node as it is: certificates, keys, servername, ALPN, versions, ciphers.
import { connect, createServer } from 'node:tls'
import type { ConnectionOptions, Server, TlsOptions, TLSSocket } from 'node:tls'
import type { Client, ClientOptions } from './client.ts'
import type { Duplex } from './duplex.ts'
import { connectOver } from './open.ts'
import type { OpenOptions } from './open.ts'
import type { Peer } from './server.ts'
import { listenOn, openSocket, placeOf, socketDuplex } from './sockets.ts'
import type { Hints, Listener, ListenOptions, Place } from './sockets.ts'

/** Where a TLS server is, and how it is known. */
export interface OpenTlsOptions extends OpenOptions, Place {
  /** options of `tls.connect`, which win over ours: `ca`, `cert`, `key`, `servername` …; `ALPNProtocols` is `['mqtt']` unless given */
  readonly tls?: ConnectionOptions | undefined
}

/** What `connectTls` is given. */
export interface ConnectTlsOptions extends ClientOptions, OpenTlsOptions {}

/** What `listenTls` is given. */
export interface ListenTlsOptions extends ListenOptions {
  /**
   * options of `tls.createServer`: `key` and `cert`, `requestCert` and `ca` for client certificates …; `ALPNProtocols` is `['mqtt']` unless it or
   * `ALPNCallback` is given, and `handshakeTimeout` 10,000 ms
   */
  readonly tls: TlsOptions
}

/** Opens a TLS connection and connects. Rejects with an error of the handshake under its own code, with ConnectionClosed, UsageError, or the signal's reason. */
export async function connectTls(options: ConnectTlsOptions = {}): Promise<Client> {
  return connectOver(openTls(options), options)
}

/** Opens a TLS connection, and no more; `openTimeout` covers its handshake. */
export async function openTls(options: OpenTlsOptions = {}): Promise<Duplex> {
  const settings: ConnectionOptions = { ...placeOf(options, DEFAULT_PORT), ALPNProtocols: ALPN, ...options.tls }
  const { host, port, path } = settings
  return openSocket({ host, port, path }, 'secureConnect', options, HINTS, () => connect(settings))
}

/** Listens, and calls `onPeer` for every connection once its handshake is through, before a byte of MQTT is read: set `onConnect` there. */
export async function listenTls(options: ListenTlsOptions, onPeer: (peer: Peer, socket: TLSSocket) => void): Promise<Listener> {
  const { tls } = options
  const server = createServer({ handshakeTimeout: HANDSHAKE_TIMEOUT, ...(tls.ALPNCallback === undefined ? { ALPNProtocols: ALPN } : {}), ...tls })
  endFailedHandshakes(server, options)
  return listenOn(server, options, DEFAULT_PORT, onPeer, ({ accept, begun }) => {
    server.on('connection', begun)
    server.on('secureConnection', (socket) => { accept(socketDuplex(socket), socket, socket) })
  })
}

/** Node closes a socket whose handshake fails, but not one whose handshake never ends. */
export function endFailedHandshakes(server: Server, { onRefused }: ListenOptions): void {
  server.on('tlsClientError', (error, socket) => {
    socket.destroy()
    onRefused?.(error)
  })
}

const UNTRUSTED = 'nobody whom this machine trusts has signed the certificate of the server; if you do, give the certificate of its CA as tls.ca'
const CERTIFICATE_WANTED = 'the server wants a certificate from its clients: give tls.cert and tls.key'
const NOT_TLS = 'what answers there does not speak TLS; MQTT without TLS usually has port 1883'
const ALPN_REFUSED = 'the server knows none of the protocols offered to it; name the one it wants in tls.ALPNProtocols'

const HINTS: Hints = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: 'the certificate of the server is not signed by the CA it names: tls.ca may hold another one of the same name',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired, or the clock of this machine is wrong',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet, or the clock of this machine is wrong',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for other names; connect to one of those, or give it as tls.servername',
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the server speaks no version of TLS that is allowed here (tls.minVersion, tls.maxVersion)',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the server allows none of the versions of TLS offered to it (tls.minVersion, tls.maxVersion)',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: ALPN_REFUSED,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CERTIFICATE_WANTED,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: `the server does not take what this client offers. It may be that ${CERTIFICATE_WANTED}; or no cipher is known to both`,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the server does not trust the certificate of this client (tls.cert)',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the server does not accept the certificate of this client (tls.cert)',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the certificate of this client (tls.cert) has expired',
  ECONNRESET: 'the server closed the connection during or right after the TLS handshake; it may not speak TLS (port 1883 usually does not), or not accept this client',
}

const ALPN = ['mqtt']
const DEFAULT_PORT = 8883
/** How long a TLS handshake may take at a server, in ms. */
export const HANDSHAKE_TIMEOUT = 10_000

export { TransportError } from './open.ts'
