// connack as it would be vendored: the bundle of src/codec that lib/build.js made, called by its public names only.

import { Unable } from '../lib/facts.js'

export async function load() {
  const { decode, encode, encodeInto, PacketStream } = await import('../.build/codec.js').catch((error) => {
    throw new Unable(`src/codec does not build or load: ${error.message}`)
  })
  return {
    codec: (version) => ({
      decode: (bytes) => decode(bytes, version),
      toPacket: (packet) => packet,
      fromPacket: (packet) => packet,
      encode: (packet) => encode(packet, version),
      encodeInto: (packet, target, offset) => encodeInto(packet, version, target, offset),
      newDecoder: () => new PacketStream({ version, maximumPacketSize: 268_435_455 }),
      feed(decoder, chunk, onPacket) {
        decoder.push(chunk)
        for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) onPacket(packet)
      },
    }),
  }
}
