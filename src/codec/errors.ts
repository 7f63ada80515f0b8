// SPDX-License-Identifier: MIT
// The three errors. Recognise them by `error.name`: two vendored copies have two classes.
import type { PacketType, ProtocolVersion } from './protocol.ts'

/** Where and why a packet is refused; what both decode errors carry. */
export interface FaultDetails {
  /** the 5.0 Reason Code that names the fault, for 3.x too */
  readonly reasonCode: number
  /** bytes from the packet's first byte to the first wrong one */
  readonly offset: number
  /** the packet being read; undefined when its type could not be told */
  readonly packet: PacketType | undefined
  /** the normative statement broken, as the standard numbers it (`MQTT-3.1.2-3`), or the section */
  readonly rule: string
  /** the version whose rules were applied; undefined when it was not known yet. An answer, if any, takes this version's form */
  readonly version: ProtocolVersion | undefined
  /** another protocol whose opening bytes these are, such as `HTTP` */
  readonly foreign?: string | undefined
}

/** What the two decode errors have in common; recognise them by name, not by this class. */
class Fault extends Error implements FaultDetails {
  readonly reasonCode: number
  readonly offset: number
  readonly packet: PacketType | undefined
  readonly rule: string
  readonly version: ProtocolVersion | undefined
  readonly foreign: string | undefined
  constructor(message: string, details: FaultDetails) {
    super(message)
    this.reasonCode = details.reasonCode
    this.offset = details.offset
    this.packet = details.packet
    this.rule = details.rule
    this.version = details.version
    this.foreign = details.foreign
  }
}

/** These bytes are no Control Packet (5.0 §1.2). `reasonCode` is 0x81, or 0x95 where the packet is larger than our limit. */
export class MalformedPacket extends Fault {
  override readonly name = 'MalformedPacket'
}

/** A Control Packet, but with a value the standard does not allow, or not allowed here and now (5.0 §1.2). 0x82 or the specific code. */
export class ProtocolError extends Fault {
  override readonly name = 'ProtocolError'
}

/** Our own caller asked for something illegal: nothing was sent, nothing has changed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly packet: PacketType | undefined
  readonly rule: string
  /** the offending field, as `will.qos` or `properties.receiveMaximum`; '' for the packet as a whole */
  readonly path: string
  constructor(message: string, details: { readonly packet: PacketType | undefined, readonly rule: string, readonly path: string }) {
    super(message)
    this.packet = details.packet
    this.rule = details.rule
    this.path = details.path
  }
}
