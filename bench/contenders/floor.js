import { decode, encode, encodeInto, FloorStream } from '../floor.js'

export function load() {
  return {
    codec: (version) => ({
      decode: (bytes) => decode(bytes, version),
      toPacket: (packet) => packet,
      fromPacket: (packet) => packet,
      encode: (packet) => encode(packet, version),
      encodeInto: (packet, target, offset) => encodeInto(packet, version, target, offset),
      newDecoder: () => new FloorStream(version),
      feed(decoder, chunk, onPacket) {
        decoder.push(chunk)
        for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) onPacket(packet)
      },
    }),
  }
}
