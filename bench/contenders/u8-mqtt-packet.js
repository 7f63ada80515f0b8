// u8-mqtt-packet as published, with every packet type (a server reads CONNECT and SUBSCRIBE too).
// Its known faults are not repaired here: where it is wrong, the table says so.

import { importPeer } from './peer.js'

export async function load() {
  const { mqtt_pkt_ctx: newContext, mqtt_opts_v5: everything } = await importPeer('u8-mqtt-packet')

  return {
    codec: (version) => {
      const context = newContext(version, everything)
      const one = context.mqtt_stream()

      return {
        decode: (bytes) => one.decode(bytes)[0],
        toPacket,
        fromPacket,
        encode: (native) => context.encode_pkt(native.type, native),
        newDecoder: () => context.mqtt_stream(),
        feed(stream, chunk, onPacket) {
          const packets = stream.decode(chunk)
          for (let i = 0; i < packets.length; i++) onPacket(packets[i])
        },
      }
    },
  }
}

const YES_NO = new Set(['requestResponseInformation', 'requestProblemInformation', 'retainAvailable'])
const camel = (name) => name.replace(/_./g, (pair) => pair[1].toUpperCase())
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function toProperties(native) {
  if (native == null) return undefined
  const properties = {}
  for (const [name, value] of Object.entries(native)) {
    const key = camel(name)
    properties[key] = key === 'userProperties' ? Object.entries(value) : YES_NO.has(key) ? value === 1 : value
  }
  return properties
}

function fromProperties(properties) {
  if (properties === undefined) return undefined
  return Object.fromEntries(Object.entries(properties).map(([key, value]) =>
    [snake(key), key === 'userProperties' ? Object.fromEntries(value) : Number.isInteger(value) ? value : value === true ? 1 : value]))
}

function toPacket(native) {
  const { type } = native
  const properties = toProperties(native.props)
  const reasonCode = native.reason == null ? undefined : Number(native.reason)
  switch (type) {
    case 'connect': return {
      type, version: native.mqtt_level, clientId: native.client_id, cleanStart: (native.flags & 2) !== 0, keepAlive: native.keep_alive,
      username: native.username, password: native.password, properties,
      will: native.will && { ...native.will, retain: (native.flags & 0x20) !== 0, properties: toProperties(native.will.props) },
    }
    case 'connack': return { type, sessionPresent: (native.flags & 1) !== 0, reasonCode, properties }
    case 'publish': return {
      type, topic: native.topic, payload: native.payload, qos: native.qos, retain: native.retain, dup: native.dup, packetId: native.pkt_id, properties,
    }
    case 'subscribe': return { type, packetId: native.pkt_id, subscriptions: native.topics.map(({ topic, opts }) => ({ filter: topic, qos: opts & 3 })), properties }
    case 'puback': return { type, packetId: native.pkt_id, properties }
    default: return { type, reasonCode, properties }
  }
}

function fromPacket(packet) {
  const { type } = packet
  const props = fromProperties(packet.properties)
  switch (type) {
    case 'connect': return {
      type, client_id: packet.clientId, flags: { clean_start: packet.cleanStart }, keep_alive: packet.keepAlive,
      username: packet.username, password: packet.password, props,
      will: packet.will && { ...packet.will, props: fromProperties(packet.will.properties) },
    }
    case 'connack': return { type, flags: { session_present: packet.sessionPresent }, reason: packet.reasonCode, props }
    case 'publish': return {
      type, topic: packet.topic, payload: packet.payload, qos: packet.qos, retain: packet.retain, dup: packet.dup, pkt_id: packet.packetId, props,
    }
    case 'subscribe': return { type, pkt_id: packet.packetId, topics: packet.subscriptions.map(({ filter, qos }) => ({ topic: filter, opts: { qos } })), props }
    case 'puback': return { type, pkt_id: packet.packetId, props }
    default: return { type, reason: packet.reasonCode, props }
  }
}
