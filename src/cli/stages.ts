// SPDX-License-Identifier: MIT
// The stages of `connack doctor`, from a name to a ping. Each reports what it found; one that ends the examination throws a Failure with its cause.
import type { Connack, PacketStream, ProtocolVersion } from '../codec/index.ts'
import { verdictOf } from './diagnosis.ts'
import { announced, answerText } from './findings.ts'
import { safe } from './io.ts'
import { connectPacket, nextPacket, openLink, tryConnect } from './probe/open.ts'
import type { Answered, Next, Watch } from './probe/open.ts'
import { secure } from './probe/tls.ts'
import { upgrade } from './probe/websocket.ts'
import { addressesOf, Failure, openTcp, Wire } from './probe/wire.ts'
import type { Link } from './probe/wire.ts'
import { hostPort, SCHEMES } from './target.ts'
import type { Target } from './target.ts'
import { VERSIONS } from './versions.ts'

/** One line of the report. */
export interface Finding {
  readonly stage: 'dns' | 'tcp' | 'tls' | 'websocket' | 'connect' | 'ping' | 'limits' | 'verdict'
  /** undefined: neither good nor bad */
  readonly ok: boolean | undefined
  readonly text: string
  readonly ms?: number | undefined
  /** the bytes that show it */
  readonly evidence?: Uint8Array | undefined
  /** for --json */
  readonly details?: object | undefined
}

export interface Examination {
  readonly target: Target
  readonly versions: readonly ProtocolVersion[]
  /** ms that each stage may take */
  readonly patience: number
  readonly report: (finding: Finding) => void
  readonly watch: Watch
}

/** DNS and TCP: the first address that can be reached. */
export async function reach({ target: { host, port }, patience, report }: Examination): Promise<string> {
  const [addresses, took] = await timed(() => staged('dns', report, () => addressesOf(host, patience)))
  const literal = addresses.length === 1 && addresses[0] === host
  report({ stage: 'dns', ok: true, text: literal ? `${host} is an address` : `${host} is ${addresses.join(', ')}`, ms: took, details: { addresses } })
  let first: string | undefined
  let failure: Failure | undefined
  for (const address of addresses) {
    try {
      const [socket, ms] = await timed(() => openTcp(address, port, patience))
      socket.destroy()
      first ??= address
      report({ stage: 'tcp', ok: true, text: `${hostPort(address, port)} accepts connections`, ms, details: { address, port } })
    } catch (error) {
      failure = error as Failure
      report({ stage: 'tcp', ok: false, text: failure.message, details: { address, port } })
    }
  }
  if (first === undefined) throw failure!
  return first
}

export async function tlsStage(examination: Examination, address: string): Promise<void> {
  const { target, patience, report } = examination
  const { port, tls: { insecure } } = target
  let secured
  try {
    secured = await secure(await openTcp(address, port, patience), target, patience)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    report({ stage: 'tls', ok: false, text: error.message, evidence: error.evidence })
    throw await whoSpeaksPlainly(examination, address, error)
  }
  const { socket, facts } = secured
  socket.destroy()
  const { protocol, cipher, alpn, subject, issuer, from, until, daysLeft, distrust } = facts
  const agreed = `${protocol}, ${cipher}, ${alpn === undefined ? 'no ALPN' : `ALPN ${safe(alpn)}`}`
  const life = `${from} to ${until}${distrust === undefined && daysLeft < 15 ? `: only ${daysLeft} days left` : ''}`
  report({ stage: 'tls', ok: distrust === undefined, text: `${agreed}; ${safe(subject)}, issued by ${safe(issuer)}, ${life}${distrust === undefined ? '' : `. ${safe(distrust)}`}`, details: facts })
  if (distrust !== undefined && !insecure) throw new Failure(`${safe(distrust)} No client would go on, and nothing was sent; --insecure does.`)
}

/** A TLS handshake that failed: what the port says to a plain CONNECT tells whether it speaks TLS at all. */
async function whoSpeaksPlainly(examination: Examination, address: string, failure: Failure): Promise<Failure> {
  const { target: { scheme, host, port, path, ...rest }, patience } = examination
  if (!SCHEMES[scheme].webSocket) return whoSpeaksMqtt(examination, address, 'mqtt', 'tls', failure)
  try {
    const wire = new Wire(await openTcp(address, port, patience))
    const { status } = await upgrade(wire, { ...rest, scheme, host, port, path }, path, patience).finally(() => { wire.destroy() })
    return new Failure(`This port speaks plain HTTP and not TLS (status ${status}): use ws://${hostPort(host, port)}${path}.`)
  } catch {
    return failure
  }
}

/** Something failed before MQTT: is it MQTT without that something? If so, the failure that says it. */
async function whoSpeaksMqtt({ target, patience, report, watch }: Examination, address: string, scheme: 'mqtt' | 'mqtts', stage: 'tls' | 'websocket', failure: Failure): Promise<Failure> {
  const { host, port } = target
  const not = stage === 'tls' ? 'TLS' : 'WebSocket'
  try {
    // Not with the password: it might go over the wire in the clear.
    const plain = { ...target, scheme, username: undefined, password: undefined }
    const { answer, bytes } = await tryConnect(await openLink(plain, address, patience), connectPacket(plain, 4, ownId()), patience, watch)
    if (answer.kind === 'accepted') answer.link.destroy()
    const mqtt = answer.kind === 'accepted' || answer.kind === 'refused'
    if (!mqtt && !(answer.kind === 'foreign' && answer.protocol !== 'TLS')) return failure
    report({ stage, ok: undefined, text: `a CONNECT without ${not} is answered`, evidence: bytes })
    return new Failure(mqtt ? `This port speaks ${scheme === 'mqtt' ? 'plain MQTT' : 'MQTT'} and not ${not}: use ${scheme}://${hostPort(host, port)}.` : `This port speaks ${answer.kind === 'foreign' ? answer.protocol : ''} and not ${not}.`, bytes)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return failure
  }
}

/** Where brokers have their WebSocket end. */
const USUAL_PATHS: readonly string[] = ['/mqtt', '/', '/ws']

export async function webSocketStage(examination: Examination, address: string): Promise<void> {
  const { target, patience, report } = examination
  const { scheme, path, host, port } = target
  const [{ status, statusText, subprotocol, headers }, took] = await timed(() => staged('websocket', report, () => askUpgrade(examination, address, path))).catch(async (error: unknown) => {
    throw error instanceof Failure ? await whoSpeaksMqtt(examination, address, SCHEMES[scheme].tls ? 'mqtts' : 'mqtt', 'websocket', error) : error
  })
  if (status === 101) {
    const echo = subprotocol === 'mqtt' ? 'subprotocol mqtt' : `but ${subprotocol === undefined ? 'no subprotocol' : `subprotocol ${safe(subprotocol)}`}, where it must be mqtt: browsers will not go on`
    report({ stage: 'websocket', ok: subprotocol === 'mqtt', text: `101 on ${path}, ${echo}`, ms: took, details: { status, path, subprotocol } })
    return
  }
  const answered = safe(`${status} ${statusText}`.trim())
  const moved = headers.get('location')
  report({ stage: 'websocket', ok: false, text: `${answered} on ${path}${moved === undefined ? '' : `, moved to ${safe(moved)}`}`, ms: took, details: { status, path } })
  for (const other of USUAL_PATHS.filter((usual) => usual !== path)) {
    const answer = await askUpgrade(examination, address, other).catch(() => undefined)
    if (answer?.status === 101) throw new Failure(`The WebSocket path is wrong: ${path} is answered with ${answered}, and ${other} with 101. Use ${scheme}://${hostPort(host, port)}${other}.`)
  }
  throw new Failure(status === 401 || status === 403 ? `The HTTP server refuses the upgrade on ${path} with ${answered}.` : `The WebSocket path is wrong, or there is no WebSocket here: an HTTP server answers ${answered} on ${path}, and no other usual path has one (waited ${patience} ms each).`)
}

async function askUpgrade({ target, patience }: Examination, address: string, path: string): ReturnType<typeof upgrade> {
  const { scheme, port } = target
  const socket = await openTcp(address, port, patience)
  const wire = new Wire(SCHEMES[scheme].tls ? (await secure(socket, target, patience)).socket : socket)
  try {
    return await upgrade(wire, target, path, patience)
  } finally {
    wire.destroy()
  }
}

/** CONNECT in each version; ping and limits of the newest that was accepted. */
export async function mqttStages(examination: Examination, address: string): Promise<number> {
  const { target, versions, patience, report, watch } = examination
  const tried: (Answered & { readonly version: ProtocolVersion })[] = []
  let best = false
  for (const version of versions) {
    const link = await staged('connect', report, () => openLink(target, address, patience))
    const one = await tryConnect(link, connectPacket(target, version, ownId()), patience, watch)
    const { answer, bytes, ms } = one
    tried.push({ ...one, version })
    report({
      stage: 'connect', ok: answer.kind === 'accepted', text: `MQTT ${VERSIONS[version]}: ${answerText(answer)}`, ms, evidence: bytes,
      details: { version, answer: answer.kind, ...(answer.kind === 'refused' ? { reasonCode: answer.code } : {}) },
    })
    if (answer.kind === 'accepted') {
      if (!best) await settle(examination, answer.connack, version, answer)
      best = true
      answer.link.write(Uint8Array.of(0xe0, 0))
      answer.link.destroy()
    }
    // Another protocol speaks another protocol in every version.
    if (answer.kind === 'foreign') break
  }
  const { text: verdict, status, ok } = await verdictOf(examination, address, tried)
  report({ stage: 'verdict', ok, text: verdict, details: { status } })
  return status
}

/** Ping and limits of a connection that was accepted. */
async function settle({ patience, report, watch }: Examination, connack: Connack, version: ProtocolVersion, { link, stream }: Extract<Answered['answer'], { readonly kind: 'accepted' }>): Promise<void> {
  const ping = Uint8Array.of(0xc0, 0)
  watch('client', ping, version)
  link.write(ping)
  const [{ packet, bytes, what }, ms] = await timed(() => pingAnswer(link, stream, patience))
  if (bytes.length > 0) watch('server', bytes, version)
  const pong = packet?.type === 'pingresp'
  const otherwise = packet !== undefined ? `${packet.type.toUpperCase()} instead of PINGRESP` : what === 'end' ? 'the server closed the connection' : `no PINGRESP within ${patience} ms`
  report({ stage: 'ping', ok: pong, text: pong ? 'PINGREQ is answered' : `PINGREQ: ${otherwise}`, ms, evidence: pong ? undefined : bytes })
  report({ stage: 'limits', ok: undefined, text: announced(connack, version), details: { version, properties: connack.properties } })
}

/** The next PINGRESP; a server may have something else to say before. */
async function pingAnswer(link: Link, stream: PacketStream, patience: number): Promise<Next> {
  const deadline = performance.now() + patience
  for (;;) {
    const next = await nextPacket(link, stream, Math.max(0, deadline - performance.now()))
    if (next.packet === undefined || next.packet.type === 'pingresp' || next.packet.type === 'disconnect' || performance.now() > deadline) return next
  }
}

/** Runs a stage; reports it where it fails. */
async function staged<T>(stage: Finding['stage'], report: Examination['report'], run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Failure) report({ stage, ok: false, text: error.message, evidence: error.evidence })
    throw error
  }
}

async function timed<T>(run: () => Promise<T>): Promise<readonly [T, number]> {
  const begun = performance.now()
  const value = await run()
  return [value, performance.now() - begun]
}

let count = 0

/** At most 23 characters, as 3.1 asks, and nobody else's. */
function ownId(): string {
  return `connack${process.pid.toString(36)}${(++count).toString(36)}${Date.now().toString(36)}`.slice(0, 23)
}
