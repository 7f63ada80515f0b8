// SPDX-License-Identifier: MIT
// The target side of a proxied connection: a socket, and how bytes of MQTT become what travels over it.
import type { Socket } from 'node:net'
import { PROTOCOL_NAMES } from '../../codec/index.ts'
import { secure } from '../probe/tls.ts'
import { frame, upgrade } from '../probe/websocket.ts'
import { addressesOf, Failure, openTcp, Wire } from '../probe/wire.ts'
import { SCHEMES, shown } from '../target.ts'
import type { Target } from '../target.ts'
import { FrameReader, OPCODES } from './frames.ts'

/** ms that the name, TCP, TLS and the upgrade may take, each. */
const PATIENCE = 10_000

/** TCP to the first address that answers, and TLS where the scheme says so. Throws Failure. */
export async function reach(target: Target): Promise<Socket> {
  const { host, port, scheme, tls } = target
  let failure: Failure | undefined
  for (const address of await addressesOf(host, PATIENCE)) {
    try {
      const plain = await openTcp(address, port, PATIENCE)
      if (!SCHEMES[scheme].tls) return plain
      const { socket, facts: { distrust } } = await secure(plain, target, PATIENCE)
      if (distrust === undefined || tls.insecure) return socket
      socket.destroy()
      throw new Failure(`${distrust} Nothing was sent; --insecure goes on.`)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      failure = error
    }
  }
  throw failure!
}

/** Bytes of MQTT to what goes over the socket, and back. */
export interface Wrapping {
  out(bytes: Uint8Array): Uint8Array
  /** hands on what is in the bytes; what has to be answered below MQTT goes to `answer` */
  in(bytes: Uint8Array, data: (bytes: Uint8Array) => void, answer: (bytes: Uint8Array) => void): void
  /** what is sent before the end of the stream */
  readonly last: Uint8Array | undefined
}

/** Bytes as they are. */
export const PLAIN: Wrapping = { out: (bytes) => bytes, in: (bytes, data) => { data(bytes) }, last: undefined }

/** Upgrades the socket to a WebSocket, for a client whose first bytes these are. Throws Failure. */
export async function wrap(socket: Socket, target: Target, first: Uint8Array): Promise<Wrapping> {
  const wire = new Wire(socket)
  const { status, statusText, rest } = await upgrade(wire, target, target.path, PATIENCE, Buffer.from(first.subarray(4, 10)).toString('latin1') === PROTOCOL_NAMES[3] ? 'mqttv3.1' : 'mqtt')
  if (status !== 101) throw new Failure(`The WebSocket upgrade at ${shown(target.path)} is answered with ${status} ${statusText}.`)
  wire.release()
  if (rest.length > 0) socket.unshift(rest)
  return webSocket()
}

function webSocket(): Wrapping {
  let give: (bytes: Uint8Array) => void
  let reply: (bytes: Uint8Array) => void
  const reader = new FrameReader({
    data: (bytes) => { give(bytes) },
    control: (opcode, payload) => { if (opcode === OPCODES.ping) reply(frame(OPCODES.pong, payload)) },
    fault: () => {},
  })
  return {
    out: (bytes) => frame(OPCODES.binary, bytes),
    in(bytes, data, answer) {
      give = data
      reply = answer
      reader.push(bytes)
    },
    last: frame(OPCODES.close, Uint8Array.of(0x03, 0xe8)),
  }
}
