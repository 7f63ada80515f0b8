// SPDX-License-Identifier: MIT
// The vocabulary of the connection machine: inputs are what happened, effects are what to do, states are plain data.
import type {
  MalformedPacket, Packet, PacketInput, ProtocolError, ProtocolVersion, PublishInput, Sender, SubscribeInput, UnsubscribeInput, UsageError, Will,
} from '../codec/index.ts'
import type { Flow, Terms } from './flow.ts'
import type { Phase, TimerName } from './lifecycle.ts'
import type { Session } from './session.ts'

/** Whose end of the connection this is. */
export type Role = Sender

/** The one request, `send`; everything else is a fact. */
export type Input =
  | Send
  | { readonly type: 'received', readonly packet: Packet }
  | { readonly type: 'malformed', readonly error: MalformedPacket | ProtocolError, readonly bytes?: Uint8Array | undefined }
  | { readonly type: 'timer', readonly timer: TimerName }
  | { readonly type: 'closed', readonly error?: Error | undefined }

/** The application asks for a packet to be sent; it is written, or there is a `refuse`. */
export interface Send {
  readonly type: 'send'
  /** kept as it is, not copied: leave the payload of a QoS 1 or 2 message alone until it is settled */
  readonly packet: SendInput
  /** the caller's own name for what this begins; it comes back with `settle` or `refuse`, for a QoS 1 or 2 message also on a later connection of the session */
  readonly token?: unknown
  /** server, with a CONNACK that accepts: the session to go on with; Session Present is 1 then */
  readonly session?: Session | undefined
}

/** What can be asked to be sent: any packet; SUBSCRIBE and UNSUBSCRIBE, as PUBLISH, get a Packet Identifier where they have none. */
export type SendInput = PacketInput | Omit<SubscribeInput, 'packetId'> | Omit<UnsubscribeInput, 'packetId'>

/** What is to be done, in this order; `transition` does none of it itself. */
export type Effect =
  /** put this on the wire */
  | { readonly type: 'write', readonly packet: PacketInput }
  /** give the application this packet; without one, the input's own */
  | { readonly type: 'deliver', readonly packet?: Packet | undefined }
  /**
   * the exchange started with this token has ended, with this packet; without one: the peer had the message and has since lost the session. Only for
   * requests with a token, and only where the peer answers: CONNECT, PUBLISH of QoS 1 and 2, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, AUTH that re-authenticates
   */
  | { readonly type: 'settle', readonly token: unknown, readonly packet?: Packet | undefined }
  /** fire this timer once after `ms`; `quiet`: after `ms` without a packet sent, or without one received */
  | { readonly type: 'arm', readonly timer: TimerName, readonly ms: number, readonly quiet?: 'sent' | 'received' | undefined }
  | { readonly type: 'disarm', readonly timer: TimerName }
  /** the request was illegal: nothing has changed, nothing was sent */
  | { readonly type: 'refuse', readonly error: UsageError, readonly token?: unknown }
  /** client: what has become of the session that was handed in */
  | { readonly type: 'session', readonly outcome: 'resumed' }
  /** the Server (or our own clean start) has given it up: these messages, and every subscription, are to be done again or let go */
  | { readonly type: 'session', readonly outcome: 'lost', readonly redo: readonly Redo[] }
  /** the connection is over: send what is waiting, then close. Exactly once in a connection's life */
  | { readonly type: 'close', readonly cause: CloseCause }

/** A message of which nobody knows whether the Server has it. */
export interface Redo {
  /** without Packet Identifier and DUP: to be sent as a new one */
  readonly packet: PublishInput
  readonly token: unknown
}

/** What `transition` gives: the next state, which is the same object where nothing has changed, and what to do. */
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
  /** seconds until that Will is to be published, unless the Client is back by then (5.0 §3.1.3.2.2); with `will` only */
  readonly willDelay?: number | undefined
  /** seconds the session outlives this connection: 0 ends it now, 0xffff_ffff never (5.0 §3.1.2.11.2); undefined before CONNACK */
  readonly sessionExpiryInterval?: number | undefined
  /** malformed packets: the last bytes received, 64 at most */
  readonly bytes?: Uint8Array | undefined
  readonly sentence: string
}

/** Why a connection ended, for a program; CloseCause has the rest. */
export type CloseReason =
  | 'disconnect' | 'refused' | 'malformed' | 'protocol-error' | 'connect-timeout' | 'connack-timeout' | 'auth-timeout'
  | 'keep-alive-timeout' | 'pingresp-timeout' | 'taken-over' | 'ended' | 'broken'

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
  /** QoS 1 and 2 messages of the peer that may be unfinished at a time, 1 to 65,535; in 5.0 a smaller Receive Maximum we announced counts instead */
  readonly receiveMaximum: number
  /** the largest Packet Identifier we use, 1 to 65,535: so many exchanges of ours can be under way */
  readonly packetIds: number
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
  /** what each side has announced that it can take */
  readonly terms: Terms
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
  readonly flow: Flow
  readonly token: unknown
  /** server: what the Client sent behind its CONNECT, to be judged after the CONNACK */
  readonly held: readonly Packet[]
}
interface Open extends Common {
  readonly session: Session
  readonly agreement: Agreement
  readonly flow: Flow
  /** client: a PINGREQ awaits its PINGRESP */
  readonly pinging: boolean
  /** client: who asked for it */
  readonly pingTokens: readonly unknown[]
}
/** CONNACK has accepted, and packets flow. */
export interface Connected extends Open { readonly phase: 'connected' }
/** The Client has asked to be authenticated anew (5.0 §4.12.1); everything else goes on meanwhile. */
export interface Reauthenticating extends Open {
  readonly phase: 'reauthenticating'
  /** client: who asked for it */
  readonly authToken: unknown
}
/** Our last packet is out; the Network Connection is not closed yet. */
export interface Closing extends Common { readonly phase: 'closing', readonly cause: CloseCause }
/** The Network Connection is gone; `session` is what is left. */
export interface Closed extends Common { readonly phase: 'closed', readonly cause: CloseCause }

/** A connection, in one of its phases: plain data, never changed in place. */
export type State = Opening | AwaitingConnect | Authenticating | Connected | Reauthenticating | Closing | Closed
/** CONNACK is through: messages flow. */
export type Live = Connected | Reauthenticating
