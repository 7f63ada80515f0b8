// Readers and writers for the tests of what works on them.
import { fromHex, toHex } from '../../src/codec/json.ts'
import type { PacketType, ProtocolVersion } from '../../src/codec/protocol.ts'
import { STRICT } from '../../src/codec/lenient.ts'
import type { Reading } from '../../src/codec/lenient.ts'
import { Reader } from '../../src/codec/reader.ts'
import { Writer } from '../../src/codec/writer.ts'

/** A reader in the middle of a packet: at the first of these bytes, which are all that is left of it. */
export function readerOf(hex: string, version: ProtocolVersion, packet: PacketType, reading: Reading = STRICT): Reader {
  const bytes = fromHex(hex)
  const r = new Reader()
  r.open(bytes, 0, bytes.length, version, reading, false)
  r.packet = packet
  return r
}

/** A writer that has written nothing of this packet yet. */
export function writerOf(version: ProtocolVersion, packet: PacketType): Writer {
  const w = new Writer()
  w.open(packet, version)
  return w
}

/** What has been written of the body. */
export function written(w: Writer): string {
  return toHex(w.bytes.subarray(5, w.position))
}
