// MQTT.js, both versions in use, as a client under test.
import { readFileSync } from 'node:fs'
import { CERTIFICATES, packageVersion } from './brokers.js'
import { Inbox, RefusedBy } from './inbox.js'
import { within } from './processes.js'

const PACKAGES = { 'MQTT.js 5': 'mqtt', 'MQTT.js 4': 'mqtt4' }

export const mqttJs = Object.entries(PACKAGES).map(([name, packageName]) => ({
  name,
  npm: packageName === 'mqtt4' ? 'mqtt4@npm:mqtt@4' : packageName,
  versions: [3, 4, 5],
  version: () => packageVersion(packageName),
  transports: packageName === 'mqtt4' ? ['tls', 'ws'] : ['tls', 'ws', 'unix'],
  lacks: packageName === 'mqtt4' ? { 'UNSUBACK with no subscription': 'it does not tell the codes of UNSUBACK' } : {},
  connect: async (where, options) => {
    const module = await import(packageName)
    return new MqttJs((module.default ?? module).connect, where, options).open()
  },
}))

class MqttJs {
  inbox = new Inbox()
  hold = undefined

  constructor(connect, where, options) {
    this.connect = connect
    this.where = where
    this.options = options
  }

  async open() {
    const { clientId, version, cleanStart = true, keepAlive = 30, username, password, will, properties } = this.options
    const { url, port, path } = this.where
    const options = {
      clientId, clean: cleanStart, keepalive: keepAlive, username, password, reconnectPeriod: 0, connectTimeout: 5_000, reschedulePings: true,
      protocolId: version === 3 ? 'MQIsdp' : 'MQTT', protocolVersion: version, will: will && { qos: 0, retain: false, ...will },
      ...(version === 5 ? { properties } : {}), ...(url?.startsWith('mqtts:') ? { ca: readFileSync(CERTIFICATES.ca) } : {}),
    }
    this.client = this.connect(url ?? (path === undefined ? `mqtt://127.0.0.1:${port}` : `mqtt+unix://${path}`), options)
    const { client } = this
    // Its acknowledgement waits for the callback of handleMessage.
    client.handleMessage = (packet, done) => {
      this.inbox.push(shape(packet))
      if (this.hold === undefined) done()
      else void this.hold.then(() => { done() })
    }
    client.on('error', () => {})
    client.on('disconnect', ({ reasonCode }) => { this.endCode = reasonCode })
    await this.accepted()
    return this
  }

  async accepted() {
    const { client } = this
    this.gone = new Promise((resolve) => { client.once('close', () => { resolve({ reasonCode: this.endCode }) }) })
    const connack = await within(6_000, 'CONNACK', new Promise((resolve, reject) => {
      client.once('connect', resolve)
      client.once('error', (error) => { reject(typeof error.code === 'number' ? new RefusedBy(error.message, error.code) : error) })
      client.once('close', () => { reject(new RefusedBy('CONNECT', undefined)) })
    }))
    this.sessionPresent = connack.sessionPresent
    this.connack = connack.properties ?? {}
    this.clientId = this.connack.assignedClientIdentifier ?? client.options.clientId
  }

  /** With the stores it has: what was not acknowledged goes out again. */
  async again() {
    this.client.options.clean = false
    this.client.reconnect({ incomingStore: this.client.incomingStore, outgoingStore: this.client.outgoingStore })
    await this.accepted()
    return this
  }

  async subscribe(subscriptions, properties) {
    const asked = Object.fromEntries(subscriptions.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => [filter, { qos, nl: noLocal, rap: retainAsPublished, rh: retainHandling }]))
    const granted = await new Promise((resolve, reject) => {
      this.client.subscribe(asked, properties === undefined ? {} : { properties }, (error, codes, packet) => {
        if (error && packet?.granted === undefined) reject(error)
        else resolve(packet?.granted ?? codes.map(({ qos }) => qos))
      })
    })
    return granted
  }

  unsubscribe(filters) {
    return new Promise((resolve, reject) => {
      this.client.unsubscribe(filters, {}, (error, packet) => { if (error) reject(error); else resolve(packet?.granted) })
    })
  }

  publish({ topic, payload, qos = 0, retain = false, properties }) {
    return new Promise((resolve, reject) => {
      this.client.publish(topic, payload, { qos, retain, ...(properties === undefined ? {} : { properties: theirs(properties) }) }, (error, packet) => {
        if (error && error.code === undefined) reject(error)
        else resolve(error?.code ?? packet?.reasonCode ?? 0)
      })
    })
  }

  disconnect(options) {
    return within(5_000, 'the end of the connection', new Promise((resolve) => { this.client.end(false, options ?? {}, resolve) }))
  }

  kill() {
    this.client.stream.destroy()
  }
}

/** As it wants them: Buffers, a boolean, User Properties by name. */
function theirs({ userProperties = [], correlationData, payloadFormatIndicator, ...rest }) {
  const named = {}
  for (const [name, value] of userProperties) (named[name] ??= []).push(value)
  return {
    ...rest,
    ...(userProperties.length === 0 ? {} : { userProperties: named }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator: payloadFormatIndicator === 1 }),
  }
}

function shape({ topic, payload, qos, retain, properties = {} }) {
  const { userProperties, subscriptionIdentifier, correlationData, payloadFormatIndicator, ...rest } = properties
  return {
    topic, payload: payload.toString(), qos, retain,
    properties: {
      ...rest,
      ...(correlationData === undefined ? {} : { correlationData: new Uint8Array(correlationData) }),
      ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator: Number(payloadFormatIndicator) }),
      ...(userProperties === undefined ? {} : { userProperties: Object.entries(userProperties).flatMap(([name, values]) => [values].flat().map((value) => [name, value])) }),
      ...(subscriptionIdentifier === undefined ? {} : { subscriptionIdentifiers: [subscriptionIdentifier].flat() }),
    },
  }
}
