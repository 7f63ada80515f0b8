// mqtts: a client for 3.1.1, so it writes what a client sends and reads what a server sends.
// Its parser is a Transform stream. Here its own transform is called without the stream around it, which can only help it.

import { Unable } from '../lib/facts.js'
import { requirePeer } from './peer.js'

const SENDS = new Set(['connect', 'publish', 'puback', 'subscribe', 'pingreq', 'pingresp'])
const READS = new Set(['connack', 'publish', 'puback', 'pingreq', 'pingresp'])

export function load() {
  const { MqttTransformer } = requirePeer('mqtts')
  const { PacketWriter } = requirePeer('mqtts/dist/packets/packet-writer')
  const silent = { logPacketWrite() {} }
  const failed = (error) => { if (error) throw error }

  return {
    codec: (version) => {
      if (version === 5) throw new Unable('3.1.1 only')
      const writer = new PacketWriter(silent)
      let last
      const newDecoder = (onPacket) => {
        const transformer = new MqttTransformer()
        transformer.push = onPacket
        return transformer
      }
      const one = newDecoder((packet) => { last = packet })

      return {
        reads: READS,
        decode(bytes) {
          one._transform(bytes, 'buffer', failed)
          return last
        },
        toPacket,
        fromPacket,
        encode: (native) => writer.write(native.type, native.options),
        newDecoder,
        feed: (transformer, chunk) => { transformer._transform(chunk, 'buffer', failed) },
      }
    },
  }
}

const NAMES = { 2: 'connack', 3: 'publish', 4: 'puback', 12: 'pingreq', 13: 'pingresp' }
const NUMBERS = { connect: 1, publish: 3, puback: 4, subscribe: 8, pingreq: 12, pingresp: 13 }

function toPacket({ type: number, data }) {
  const type = NAMES[number]
  switch (type) {
    case 'connack': return { type, sessionPresent: data.sessionPresent, reasonCode: data.returnCode }
    case 'publish': return {
      type, topic: data.topic, payload: data.payload, qos: data.qos, retain: data.retain, dup: data.duplicate,
      packetId: data.identifier === -1 ? undefined : data.identifier,
    }
    case 'puback': return { type, packetId: data.identifier }
    default: return { type }
  }
}

const buffer = (bytes) => bytes && Buffer.from(bytes)

function fromPacket(packet) {
  if (!SENDS.has(packet.type)) throw new Unable(`does not write ${packet.type.toUpperCase()}`)
  const type = NUMBERS[packet.type]
  switch (packet.type) {
    case 'connect': return {
      type, options: {
        protocolName: 'MQTT', protocolLevel: 4, clientId: packet.clientId, clean: packet.cleanStart, keepAlive: packet.keepAlive,
        username: packet.username, password: buffer(packet.password),
        will: packet.will && { topic: packet.will.topic, message: buffer(packet.will.payload), qosLevel: packet.will.qos, retained: packet.will.retain },
      },
    }
    case 'publish': return {
      type, options: { topic: packet.topic, payload: buffer(packet.payload), qos: packet.qos, retain: packet.retain, duplicate: packet.dup, identifier: packet.packetId },
    }
    case 'puback': return { type, options: { identifier: packet.packetId } }
    case 'subscribe': return {
      type, options: { identifier: packet.packetId, subscriptions: packet.subscriptions.map(({ filter, qos }) => ({ topic: filter, qos })) },
    }
    default: return { type, options: {} }
  }
}
