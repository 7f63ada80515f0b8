// SPDX-License-Identifier: MIT
// The pcapng file of --save. Every write is done before the next byte passes: whatever ends the process, the file is complete up to there.
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Sender } from '../../codec/index.ts'
import { pcapngHeader, TcpFlow } from '../capture/pcapng-write.ts'
import type { Endpoint } from '../capture/pcapng-write.ts'
import { Refused } from '../io.ts'

/** The ports by which Wireshark, and `connack decode`, know what is on them. */
const MQTT = 1883
const HTTP = 80
const TLS = 8883

export class CaptureFile {
  private readonly file: number

  /** Only its owner may read it: there are passwords in it. */
  constructor(path: string) {
    try {
      this.file = openSync(path, 'w', 0o600)
    } catch (error) {
      throw new Refused(`--save: ${(error as Error).message}`)
    }
    this.write(pcapngHeader())
  }

  /** A connection that opened at `time`, in ms since 1970. */
  flow(client: Endpoint, server: string, time: number): CaptureFlow {
    return new CaptureFlow((blocks) => { this.write(blocks) }, client, server, time)
  }

  close(): void {
    closeSync(this.file)
  }

  private write(blocks: Uint8Array): void {
    for (let at = 0; at < blocks.length;) at += writeSync(this.file, blocks, at)
  }
}

/** One connection of it. Its handshake is written with its first byte, which tells what is spoken, and so the port. */
export class CaptureFlow {
  private readonly write: (blocks: Uint8Array) => void
  private readonly client: Endpoint
  private readonly server: string
  private readonly time: number
  private flow: TcpFlow | undefined = undefined
  private readonly over: Set<Sender> = new Set()

  constructor(write: (blocks: Uint8Array) => void, client: Endpoint, server: string, time: number) {
    this.write = write
    this.client = client
    this.server = server
    this.time = time
  }

  data(from: Sender, time: number, bytes: Uint8Array): void {
    this.write(this.opened(bytes[0]).data(from, time, bytes))
  }

  /** This side closes, once. */
  end(from: Sender, time: number): void {
    if (this.over.has(from)) return
    this.over.add(from)
    this.write(this.opened(undefined).end(from, time))
  }

  reset(from: Sender, time: number): void {
    this.over.add('client').add('server')
    this.write(this.opened(undefined).reset(from, time))
  }

  private opened(first: number | undefined): TcpFlow {
    if (this.flow !== undefined) return this.flow
    const port = first === G ? HTTP : first === HANDSHAKE ? TLS : MQTT
    this.flow = new TcpFlow(this.client, { address: this.server, port })
    this.write(this.flow.open(this.time))
    return this.flow
  }
}

/** Of `GET`, and of a TLS ClientHello: neither begins a CONNECT. */
const G = 0x47
const HANDSHAKE = 0x16
