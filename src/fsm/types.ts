// SPDX-License-Identifier: MIT
// The vocabulary of the connection machine: inputs are what happened, effects are what to do, states are plain data.
import type { MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion, Sender, UsageError, Will } from '../codec/index.ts'
import type { Phase, TimerName } from './lifecycle.ts'

export type Role = Sender

/** The one request, `send`; everything else is a fact. */
export type Input =
  | { readonly type: 'send', readonly packet: PacketInput, readonly token?: unknown }
  | { readonly type: 'received', readonly packet: Packet }
  | { readonly type: 'malformed', readonly error: MalformedPacket | ProtocolError }
  | { readonly type: 'timer', readonly timer: TimerName }
  | { readonly type: 'closed', readonly error?: Error | undefined }

export type Effect =
  /** put this on the wire */
  | { readonly type: 'write', readonly packet: PacketInput }
  /** give the application this packet; without one, the input's own */
  | { readonly type: 'deliver', readonly packet?: Packet | undefined }
  /** the exchange started with this token has ended, with this packet */
  | { readonly type: 'settle', readonly token: unknown, readonly packet?: Packet | undefined }
  /** fire this timer once after `ms`; `quiet`: after `ms` without a packet sent, or without one received */
  | { readonly type: 'arm', readonly timer: TimerName, readonly ms: number, readonly quiet?: 'sent' | 'received' | undefined }
  | { readonly type: 'disarm', readonly timer: TimerName }
  /** the request was illegal: nothing has changed, nothing was sent */
  | { readonly type: 'refuse', readonly error: UsageError, readonly token?: unknown }
  /** the connection is over: send what is waiting, then close. Exactly once in a connection's life */
  | { readonly type: 'close', readonly cause: CloseCause }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** Why a connection ended, for a program and (`sentence`) for a person. */
export interface CloseCause {
  /** whose act ended it; `network`: nobody's, it broke */
  readonly by: 'client' | 'server' | 'network'
  readonly why: CloseReason
  /** the phase it ended in */
  readonly phase: Phase
  readonly version?: ProtocolVersion | undefined
  /** the code on the wire, or that would have been there in 5.0 */
  readonly reasonCode?: number | undefined
  readonly reasonString?: string | undefined
  readonly serverReference?: string | undefined
  /** the statement that was broken or obeyed */
  readonly rule?: string | undefined
  /** malformed packets: where */
  readonly offset?: number | undefined
  /** server role: the Will to publish now (after its Will Delay Interval); absent when there is none or DISCONNECT discarded it */
  readonly will?: Will | undefined
  readonly sentence: string
}

export type CloseReason =
  | 'disconnect' | 'refused' | 'malformed' | 'protocol-error' | 'connect-timeout' | 'connack-timeout' | 'auth-timeout'
  | 'keep-alive-timeout' | 'pingresp-timeout' | 'taken-over' | 'ended' | 'broken'

/** What outlives the Network Connection (5.0 §4.1). Handed in when it opens, found in the state when it ends; knows no role. */
export interface Session {
  readonly clientId: string
}

/** The bounds of one connection, all in ms unless said otherwise. */
export interface Limits {
  /** server: Protocol Versions that are accepted */
  readonly versions: readonly ProtocolVersion[]
  /** server: from the opening of the Network Connection to a complete CONNECT */
  readonly connectTimeout: number
  /** client: from CONNECT sent to CONNACK received */
  readonly connackTimeout: number
  /** server: from CONNECT received to the CONNACK, enhanced authentication included */
  readonly authTimeout: number
  /** client: from PINGREQ sent to PINGRESP received */
  readonly pingrespTimeout: number
  /** from our last packet to the end of the Network Connection */
  readonly closeTimeout: number
  /** server: packets a Client may send behind its CONNECT before the CONNACK */
  readonly heldPackets: number
  /** MQTT 3.1 Client Identifiers: characters */
  readonly clientIdLength31: number
}

interface Common {
  readonly role: Role
  readonly limits: Limits
  readonly session: Session | undefined
}

/** What CONNECT settled. */
export interface Agreement {
  readonly version: ProtocolVersion
  readonly clientId: string
  readonly cleanStart: boolean
  /** seconds, after Server Keep Alive; 0 is off */
  readonly keepAlive: number
  /** seconds; 0xffff_ffff never expires */
  readonly sessionExpiryInterval: number
  /** CONNECT had a Session Expiry Interval of 0: DISCONNECT may not raise it, whatever CONNACK said (5.0 §3.14.2.2.2) */
  readonly askedToExpireAtOnce: boolean
  readonly authenticationMethod: string | undefined
  /** server role: to be published unless DISCONNECT discards it */
  readonly will: Will | undefined
}

/** Client: CONNECT has not been sent. */
export interface Opening extends Common { readonly phase: 'opening' }
/** Server: CONNECT has not come. */
export interface AwaitingConnect extends Common { readonly phase: 'awaiting-connect' }
/** CONNECT is through, CONNACK is not. */
export interface Authenticating extends Common {
  readonly phase: 'authenticating'
  readonly agreement: Agreement
  readonly token: unknown
  /** server: what the Client sent behind its CONNECT, to be judged after the CONNACK */
  readonly held: readonly Packet[]
}
export interface Connected extends Common {
  readonly phase: 'connected'
  readonly agreement: Agreement
  /** client: a PINGREQ awaits its PINGRESP */
  readonly pinging: boolean
  /** client: who asked for it */
  readonly pingTokens: readonly unknown[]
}
/** Our last packet is out; the Network Connection is not closed yet. */
export interface Closing extends Common { readonly phase: 'closing', readonly cause: CloseCause }
export interface Closed extends Common { readonly phase: 'closed', readonly cause: CloseCause }

export type State = Opening | AwaitingConnect | Authenticating | Connected | Closing | Closed
