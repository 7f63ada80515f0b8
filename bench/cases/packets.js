// The packets every case is made of: one canonical object per packet, in the shape of docs and fixtures
// (type, version, fields), and its bytes. A contender is right on a packet when the facts below come out of it.
// The sizes are those of the study the project's targets come from, so that numbers can be set side by side.

const ascii = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0))
const filled = (size) => Uint8Array.from({ length: size }, (_, i) => 0x20 + ((i * 31) % 95))

const TOPIC = 'sensors/kitchen/temp'

/** name → [version, canonical packet, size in bytes] */
const TABLE = {
  connect311: [4, {
    type: 'connect', version: 4, clientId: 'sensor-0001', cleanStart: true, keepAlive: 60,
    username: 'device', password: ascii('secret7'),
    will: { topic: 'status/s-0001', payload: ascii('offline'), qos: 1, retain: true },
  }, 66],
  connect311min: [4, { type: 'connect', version: 4, clientId: 'client01', cleanStart: true, keepAlive: 60 }, 22],
  connect5: [5, {
    type: 'connect', version: 5, clientId: 'sensor-0001', cleanStart: false, keepAlive: 60,
    username: 'device', password: ascii('secret7'),
    properties: {
      sessionExpiryInterval: 3600, receiveMaximum: 100, maximumPacketSize: 65536, topicAliasMaximum: 10,
      requestResponseInformation: true, requestProblemInformation: true,
      userProperties: [['region', 'eu-west-1'], ['firmware', '1.42']],
    },
    will: {
      topic: 'status/s-0001', payload: ascii('offline'), qos: 1, retain: true,
      properties: {
        willDelayInterval: 30, payloadFormatIndicator: 1, messageExpiryInterval: 600, contentType: 'text/plain',
      },
    },
  }, 151],
  connack311: [4, { type: 'connack', sessionPresent: true, reasonCode: 0 }, 4],
  connack5: [5, {
    type: 'connack', sessionPresent: false, reasonCode: 0,
    properties: {
      sessionExpiryInterval: 3600, receiveMaximum: 100, maximumQos: 1, retainAvailable: true,
      maximumPacketSize: 65536, assignedClientIdentifier: 'auto-00000001', topicAliasMaximum: 10, serverKeepAlive: 30,
    },
  }, 44],
  pingreq: [4, { type: 'pingreq' }, 2],
  pingresp: [4, { type: 'pingresp' }, 2],
  disconnect311: [4, { type: 'disconnect' }, 2],
  disconnect5: [5, {
    type: 'disconnect', reasonCode: 0x04,
    properties: { sessionExpiryInterval: 300, reasonString: 'going away', userProperties: [['where', 'garage1']] },
  }, 39],
  publish64: [4, { type: 'publish', topic: TOPIC, payload: filled(64), qos: 0, retain: false, dup: false }, 88],
  publish1k: [4, { type: 'publish', topic: TOPIC, payload: filled(1024), qos: 1, retain: false, dup: false, packetId: 4660 }, 1051],
  publish64v5: [5, {
    type: 'publish', topic: TOPIC, payload: filled(64), qos: 1, retain: false, dup: false, packetId: 4660,
    properties: { payloadFormatIndicator: 1, messageExpiryInterval: 600, contentType: 'text/plain' },
  }, 111],
  publish1kv5: [5, {
    type: 'publish', topic: TOPIC, payload: filled(1024), qos: 1, retain: false, dup: false, packetId: 4660,
    properties: { payloadFormatIndicator: 1, messageExpiryInterval: 600, contentType: 'text/plain' },
  }, 1072],
  puback311: [4, { type: 'puback', packetId: 4660 }, 4],
  subscribe311: [4, {
    type: 'subscribe', packetId: 4660,
    subscriptions: [{ filter: 'home/kitchen/#', qos: 1 }, { filter: 'sensors/+/temp', qos: 0 }, { filter: 'cmd/a1', qos: 2 }],
  }, 47],
}

export const packets = Object.fromEntries(Object.entries(TABLE).map(([name, [version, packet, size]]) =>
  [name, { name, version, packet, size }]))

/** The packets of one Network Connection's two ends: what the targets call "the connection packets". */
export const CONNECTION = ['connect311', 'connect311min', 'connect5', 'connack311', 'connack5', 'pingreq', 'pingresp',
  'disconnect311', 'disconnect5']

export const STORM = ['connect311', 'pingreq', 'disconnect311']
export const MIXED = ['connect311', 'connack311', 'pingreq', 'pingresp', 'disconnect311', 'publish64', 'publish1k', 'puback311']
export const MIXED5 = ['connect5', 'connack5', 'disconnect5', 'publish64v5']
