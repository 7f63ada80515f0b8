// A world of the model: what may happen in it, where it is, and what must be true of it.
import type { PacketType, ProtocolVersion } from '../../src/codec/index.ts'
import type { Role, Session, State } from '../../src/fsm/index.ts'
import type { Carried } from './model-parts.ts'

export interface Kind {
  readonly qos: 0 | 1 | 2
  readonly topic: string
  /** with Topic Alias 1, which stands for this topic alone; `short`: without the Topic Name, where the alias is known */
  readonly alias?: 'set' | 'short'
}

/** What may happen, and how often. What is not said does not happen. */
export interface World {
  readonly version: ProtocolVersion
  /** what a PUBLISH may be */
  readonly kinds: readonly Kind[]
  /** how many messages each side may publish */
  readonly client: number
  readonly server: number
  /** SUBSCRIBEs of the Client */
  readonly requests?: number
  /** how often the connection may be cut */
  readonly cuts: number
  /** how often the Server may forget its session while nobody is connected */
  readonly forgets?: number
  /** may a CONNACK that says so get lost? The standard has no answer to that: the next one says Session Present 1, of a session the Client knows nothing of */
  readonly mutes?: boolean
  /** how often the Client may ask for a clean start though it has a session */
  readonly restarts?: number
  /** the Client asks for its clean start only once, whether CONNACK has come or not: a driver's bug */
  readonly asksOnce?: boolean
  /** how often the process of a side may die; it goes on with what its store has */
  readonly crashes?: { readonly [R in Role]?: number }
  /** QoS 2 messages that an application may refuse by PUBREC 0x80 */
  readonly refusals?: number
  /** 5.0: what each side announces, by connection; the last one goes on for ever */
  readonly receiveMaximum?: readonly number[]
  /** 5.0: Maximum Packet Size of each side, likewise; 0 is none */
  readonly maximumPacketSize?: readonly number[]
  /** the largest Packet Identifier */
  readonly packetIds?: number
  /** the Client may publish before CONNACK */
  readonly early?: boolean
  /** packets after which the session is stored only with the next step */
  readonly late?: readonly PacketType[]
}

/** A message or request, and what has become of it. Nothing in it decides what happens: it is what the properties are read off. */
export interface Message {
  readonly label: string
  readonly from: Role
  readonly what: 0 | 1 | 2 | 'subscribe'
  readonly topic: string
  readonly delivered: boolean
  /** has the receiving application dealt with it? It has when it answers, and with a QoS 2 message at the latest when it opens the next connection */
  readonly taken: 'no' | 'yes' | 'refused'
  /** `told`: that nobody knows; `dead`: the process that waited for it is */
  readonly token: 'open' | 'settled' | 'told' | 'dead'
}

/** What has been given to an application and is not answered; `kept`: a QoS 2 message of a connection that is over. */
export interface Pending {
  readonly answer: 'puback' | 'pubrec' | 'suback' | 'connack' | 'kept'
  readonly id: number
  readonly label: string
  /** it was never delivered before */
  readonly first: boolean
}

export interface End {
  readonly state: State
  /** what the store has */
  readonly stored: Session | undefined
  /** on its way to the other end */
  readonly sending: readonly Carried[]
  readonly inbox: readonly Pending[]
  /** identifiers this end has in use, as anyone can tell who reads the wire: from the first packet to the last acknowledgement */
  readonly used: readonly (readonly [id: number, label: string])[]
  /** those of QoS 1 and 2 messages sent on this connection, which count against the other end's Receive Maximum */
  readonly here: readonly number[]
}

export interface Place extends Counts {
  readonly client: End
  readonly server: End
  readonly up: boolean
  /** the Client has asked for a clean start, and no CONNACK has come: it has to ask again */
  readonly cleaning: boolean
  readonly messages: readonly Message[]
}

/** How often something has happened. */
export interface Counts {
  readonly connections: number
  readonly cuts: number
  readonly forgets: number
  readonly restarts: number
  readonly crashes: { readonly [R in Role]: number }
  readonly refusals: number
}

export type Action =
  | { readonly kind: 'deliver', readonly by: Role, readonly dies?: boolean }
  /** `nth`: not the first that is due but one behind it, which a machine may refuse */
  | { readonly kind: 'answer', readonly by: Role, readonly what: Exclude<Pending['answer'], 'kept'>, readonly nth: number, readonly refuses?: boolean, readonly dies?: boolean }
  | { readonly kind: 'publish', readonly by: Role, readonly of: Kind, readonly dies?: boolean }
  | { readonly kind: 'subscribe', readonly by: 'client', readonly dies?: boolean }
  | { readonly kind: 'crash', readonly by: Role }
  | { readonly kind: 'cut' | 'connect' | 'restart' | 'forget' }

/** What must be true, always. */
export const PROPERTIES = {
  total: 'a machine never throws',
  peace: 'neither machine finds fault with the other',
  exactlyOnce: 'a QoS 2 message is delivered exactly once',
  atLeastOnce: 'a QoS 1 message is delivered at least once',
  atMostOnce: 'a QoS 0 message is delivered at most once',
  order: 'of messages with one Topic Name and QoS, none is delivered for the first time after one that was published later',
  identifiers: 'an identifier stands for one exchange of its sender from the first packet to the last acknowledgement',
  quota: 'no more messages are sent on a connection and unanswered than the other side\'s Receive Maximum',
  promise: 'what is acknowledged has been dealt with by the other application',
  tokens: 'every token is settled once, or told lost',
  leak: 'once all is settled, nothing is left in either session',
  progress: 'once all is settled, anything may be sent',
  end: 'without further cuts everything comes to rest',
} as const

export type Property = keyof typeof PROPERTIES

export class Broken extends Error {
  readonly property: Property

  constructor(property: Property, detail: string, cause?: unknown) {
    super(`${PROPERTIES[property]}: ${detail}`, { cause })
    this.property = property
  }
}

export const ROLES = ['client', 'server'] as const

export function other(role: Role): Role {
  return role === 'client' ? 'server' : 'client'
}
