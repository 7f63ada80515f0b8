// SPDX-License-Identifier: MIT
// A link to a target's server, through all that lies before MQTT; and one CONNECT over it.
import { encode, MalformedPacket, PacketStream, ProtocolError } from '../../codec/index.ts'
import type { Connack, ConnectInput, Packet, ProtocolVersion } from '../../codec/index.ts'
import { nameForeign } from '../../codec/foreign.ts'
import { SCHEMES } from '../target.ts'
import type { Target } from '../target.ts'
import { secure } from './tls.ts'
import { upgrade, WebSocketLink } from './websocket.ts'
import { Failure, openTcp, Wire } from './wire.ts'
import type { Link } from './wire.ts'

/** TCP, then TLS and WebSocket where the scheme says so. Throws Failure, also for a certificate that cannot be trusted. */
export async function openLink(target: Target, address: string, ms: number): Promise<Link> {
  const { scheme, port, path, tls } = target
  let socket = await openTcp(address, port, ms)
  if (SCHEMES[scheme].tls) {
    const secured = await secure(socket, target, ms)
    if (secured.facts.distrust !== undefined && !tls.insecure) {
      secured.socket.destroy()
      throw new Failure(secured.facts.distrust)
    }
    socket = secured.socket
  }
  const wire = new Wire(socket)
  if (!SCHEMES[scheme].webSocket) return wire
  try {
    const { status, rest } = await upgrade(wire, target, path, ms)
    if (status !== 101) throw new Failure(`The WebSocket upgrade is answered with ${status}.`)
    return new WebSocketLink(wire, rest)
  } catch (error) {
    wire.destroy()
    throw error
  }
}

/** What a server did with a CONNECT. */
export type Answer =
  | { readonly kind: 'accepted', readonly connack: Connack, readonly link: Link, readonly stream: PacketStream }
  /** `form`: the version in whose form the CONNACK came */
  | { readonly kind: 'refused', readonly code: number, readonly form: ProtocolVersion, readonly connack: Connack | undefined }
  | { readonly kind: 'closed', readonly reset: boolean }
  | { readonly kind: 'silent' }
  | { readonly kind: 'foreign', readonly protocol: string }
  | { readonly kind: 'wrong', readonly sentence: string }

export interface Answered {
  readonly answer: Answer
  /** all that came back */
  readonly bytes: Uint8Array
  /** from the CONNECT to its answer */
  readonly ms: number
}

/** Called with the bytes of every packet that goes by, and with whatever else does. */
export type Watch = (from: 'client' | 'server', bytes: Uint8Array, version: ProtocolVersion) => void

/** The CONNECT of a target; a Client Identifier of our own unless it has one. */
export function connectPacket({ username, password, clientId, keepAlive }: Target, version: ProtocolVersion, own: string): ConnectInput {
  return {
    type: 'connect', version, clientId: clientId ?? own, cleanStart: true, keepAlive,
    ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }),
  }
}

/** Sends CONNECT and says what came of it. The link is left open only where it was accepted. */
export async function tryConnect(link: Link, packet: ConnectInput, ms: number, watch: Watch = () => {}): Promise<Answered> {
  const { version } = packet
  const wire = encode(packet, version)
  const begun = performance.now()
  watch('client', wire, version)
  link.write(wire)
  const stream = new PacketStream({ version })
  const { packet: first, bytes, error, what } = await nextPacket(link, stream, ms)
  const took = performance.now() - begun
  if (bytes.length > 0) watch('server', bytes, version)
  const done = (answer: Answer): Answered => {
    if (answer.kind !== 'accepted') link.destroy()
    return { answer, bytes, ms: took }
  }
  // What NATS, aedes and others send to a Client of 5.0: they have understood its name, and not more.
  if (version === 5 && bytes.length >= 4 && bytes[0] === 0x20 && bytes[1] === 0x02 && bytes[3] !== 0) return done({ kind: 'refused', code: bytes[3]!, form: 4, connack: undefined })
  const foreign = bytes.length > 0 && first === undefined ? nameForeign(bytes, 0) : undefined
  if (foreign !== undefined) return done({ kind: 'foreign', protocol: foreign })
  if (error !== undefined) return done({ kind: 'wrong', sentence: error.message })
  if (first === undefined) return done(what === 'late' ? (bytes.length === 0 ? { kind: 'silent' } : { kind: 'wrong', sentence: `${bytes.length} bytes came that are no whole packet` }) : { kind: 'closed', reset: link.ended === 'reset' })
  if (first.type !== 'connack') return done({ kind: 'wrong', sentence: `the first packet is ${first.type.toUpperCase()}, not CONNACK` })
  return done(first.reasonCode === 0 ? { kind: 'accepted', connack: first, link, stream } : { kind: 'refused', code: first.reasonCode, form: version, connack: first })
}

export interface Next {
  readonly packet: Packet | undefined
  /** what has come while waiting */
  readonly bytes: Uint8Array
  readonly error: MalformedPacket | ProtocolError | undefined
  readonly what: 'data' | 'end' | 'late'
}

/** The next packet within `ms`, or why there is none. */
export async function nextPacket(link: Link, stream: PacketStream, ms: number): Promise<Next> {
  const deadline = performance.now() + ms
  let bytes: Uint8Array = new Uint8Array(0)
  for (;;) {
    try {
      const packet = stream.next()
      if (packet !== undefined) return { packet, bytes, error: undefined, what: 'data' }
    } catch (error) {
      if (!(error instanceof MalformedPacket || error instanceof ProtocolError)) throw error
      return { packet: undefined, bytes, error, what: 'data' }
    }
    const what = await link.wait(Math.max(0, deadline - performance.now()))
    if (what !== 'data') return { packet: undefined, bytes, error: undefined, what }
    const chunk = link.take()
    bytes = Buffer.concat([bytes, chunk])
    stream.push(chunk)
  }
}
