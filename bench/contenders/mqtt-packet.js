// mqtt-packet: the codec under MQTT.js and Aedes. One parser per connection, packets by event; no other way in.

import { Wrong } from '../lib/facts.js'
import { requirePeer } from './peer.js'

export function load() {
  const mqtt = requirePeer('mqtt-packet')

  return {
    codec: (version) => {
      const options = { protocolVersion: version }
      let last
      const newDecoder = (onPacket) => {
        const parser = mqtt.parser(options)
        parser.on('packet', onPacket)
        parser.on('error', (error) => { throw new Wrong(`refused: ${error.message}`) })
        return parser
      }
      const one = newDecoder((packet) => { last = packet })

      return {
        decode(bytes) {
          one.parse(bytes)
          return last
        },
        toPacket,
        fromPacket,
        encode: (packet) => mqtt.generate(packet, options),
        /** A stream that takes everything and keeps nothing. It has no cork(): mqtt-packet would schedule a tick per packet. */
        writeToStream: (packet, stream) => mqtt.writeToStream(packet, stream, options),
        newDecoder,
        feed: (parser, chunk) => { parser.parse(chunk) },
      }
    },
  }
}

const RENAMED = { maximumQos: 'maximumQoS', subscriptionIdentifiers: 'subscriptionIdentifier' }

function toProperties(native) {
  if (native === undefined) return undefined
  const properties = {}
  for (const [key, value] of Object.entries(native)) {
    if (key === 'userProperties') {
      properties.userProperties = Object.entries(value).flatMap(([name, held]) => [held].flat().map((text) => [name, text]))
    } else if (key === 'maximumQoS') properties.maximumQos = value
    else if (key === 'payloadFormatIndicator') properties.payloadFormatIndicator = Number(value)
    else properties[key] = value
  }
  return properties
}

function fromProperties(properties) {
  if (properties === undefined) return undefined
  const native = {}
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'userProperties') native.userProperties = Object.fromEntries(value)
    else if (key === 'payloadFormatIndicator') native.payloadFormatIndicator = value === 1
    else native[RENAMED[key] ?? key] = value
  }
  return native
}

const buffer = (bytes) => bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function toPacket(native) {
  const properties = toProperties(native.properties)
  switch (native.cmd) {
    case 'connect': return {
      type: 'connect', version: native.protocolVersion, clientId: native.clientId, cleanStart: native.clean,
      keepAlive: native.keepalive, username: native.username, password: native.password, properties,
      will: native.will && { ...native.will, properties: toProperties(native.will.properties) },
    }
    case 'connack': return { type: 'connack', sessionPresent: native.sessionPresent, reasonCode: native.reasonCode ?? native.returnCode, properties }
    case 'publish': return {
      type: 'publish', topic: native.topic, payload: native.payload, qos: native.qos, retain: native.retain, dup: native.dup,
      packetId: native.messageId, properties,
    }
    case 'subscribe': return {
      type: 'subscribe', packetId: native.messageId, subscriptions: native.subscriptions.map(({ topic, qos }) => ({ filter: topic, qos })), properties,
    }
    case 'puback': return { type: 'puback', packetId: native.messageId, properties }
    default: return { type: native.cmd, reasonCode: native.reasonCode, properties }
  }
}

function fromPacket(packet, version) {
  const properties = fromProperties(packet.properties)
  switch (packet.type) {
    case 'connect': return {
      cmd: 'connect', protocolVersion: packet.version, clientId: packet.clientId, clean: packet.cleanStart, keepalive: packet.keepAlive,
      username: packet.username, password: buffer(packet.password), properties,
      will: packet.will && { ...packet.will, payload: buffer(packet.will.payload), properties: fromProperties(packet.will.properties) },
    }
    case 'connack': return version === 5
      ? { cmd: 'connack', sessionPresent: packet.sessionPresent, reasonCode: packet.reasonCode, properties }
      : { cmd: 'connack', sessionPresent: packet.sessionPresent, returnCode: packet.reasonCode }
    case 'publish': return {
      cmd: 'publish', topic: packet.topic, payload: buffer(packet.payload), qos: packet.qos, retain: packet.retain, dup: packet.dup,
      messageId: packet.packetId, properties,
    }
    case 'subscribe': return {
      cmd: 'subscribe', messageId: packet.packetId, subscriptions: packet.subscriptions.map(({ filter, qos }) => ({ topic: filter, qos })), properties,
    }
    case 'puback': return { cmd: 'puback', messageId: packet.packetId }
    default: return { cmd: packet.type, reasonCode: packet.reasonCode, properties }
  }
}
