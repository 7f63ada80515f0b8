// mosquitto_sub and mosquitto_pub as one client under test: a subscriber that is started anew for other Topic Filters, and a publisher for each message.
import { spawnSync } from 'node:child_process'
import { CERTIFICATES } from './brokers.js'
import { Inbox, RefusedBy } from './inbox.js'
import { ENV, start, within } from './processes.js'

const VERSIONS = { 3: 'mqttv31', 4: 'mqttv311', 5: 'mqttv5' }
/** mosquitto_sub wants something to subscribe to */
const NOTHING = 'connack/interop/nothing'
/** one line a message: the payload in hexadecimal, the User Properties last, since nothing marks their end */
const FORMAT = ['MESSAGE', '%t', '%q', '%r', '%x', '%C', '%D', '%E', '%F', '%R', '%S', '%P'].join('\\t')
const ONE_ORDER = 'one command cannot do it'
const NAMES = {
  sessionExpiryInterval: 'session-expiry-interval', receiveMaximum: 'receive-maximum', maximumPacketSize: 'maximum-packet-size', topicAliasMaximum: 'topic-alias-maximum',
  requestProblemInformation: 'request-problem-information', messageExpiryInterval: 'message-expiry-interval', contentType: 'content-type', responseTopic: 'response-topic',
  correlationData: 'correlation-data', payloadFormatIndicator: 'payload-format-indicator', topicAlias: 'topic-alias', subscriptionIdentifier: 'subscription-identifier', willDelayInterval: 'will-delay-interval',
}

export const mosquittoTools = {
  name: 'mosquitto_sub/_pub',
  debian: ['mosquitto-clients'],
  versions: [3, 4, 5],
  version: () => {
    const { error, stdout } = spawnSync('mosquitto_sub', ['--help'], { env: ENV, encoding: 'utf8' })
    return error === undefined ? /version (\S+)/.exec(stdout)?.[1] : undefined
  },
  transports: ['tls', 'unix'],
  lacks: { 'no Will after DISCONNECT': { versions: [5], why: 'its DISCONNECT of 5.0 has the code 0x04' }, ...Object.fromEntries([
    'empty Client Identifier', 'pings while idle', '200 messages both ways at once', 'unsubscribe', 'subscription identifiers', 'topic alias, from the client', 'receive maximum of the client',
    'request problem information 0', 'UNSUBACK with no subscription', 'No Local', 'Retain As Published', 'Retain Handling', 'a subscription replaces another',
    'cut before the answer, QoS 1', 'cut before the answer, QoS 2', 'cut before it can acknowledge, QoS 1', 'cut before it can acknowledge, QoS 2',
  ].map((check) => [check, ONE_ORDER])) },
  connect: async (where, options) => new Tools(where, options).open(),
}

class Tools {
  inbox = new Inbox()
  codes = []

  constructor(where, options) {
    this.where = where
    this.options = options
    this.clientId = options.clientId
  }

  async open() {
    try {
      await this.#subscriber([{ filter: NOTHING, qos: 0 }], undefined)
    } catch (error) {
      this.kill()
      throw error
    }
    return this
  }

  async subscribe(subscriptions, properties) {
    await this.#stop()
    await this.#subscriber(subscriptions, properties)
    return this.codes
  }

  async publish({ topic, payload, qos = 0, retain = false, properties }) {
    const { version } = this.options
    let code
    const pub = start('stdbuf', ['-oL', 'mosquitto_pub', ...this.#place(), '-i', `${this.clientId}-pub`, '-V', VERSIONS[version], '-d', '-t', topic, '-m', payload, '-q', String(qos), ...(retain ? ['-r'] : []), ...flags('publish', properties)], {
      lines: (line) => {
        const rc = /received (?:PUBACK|PUBREC|PUBCOMP) \(Mid: \d+(?:, RC:(\d+))?/.exec(line)
        if (rc !== null) code = Math.max(code ?? 0, Number(rc[1] ?? 0))
      },
    })
    const { code: status } = await within(6_000, 'mosquitto_pub', pub.done)
    if (status !== 0 && code === undefined) throw new Error(`mosquitto_pub ended with ${status}: ${pub.tail()}`)
    return code
  }

  async disconnect() {
    await this.#stop()
  }

  kill() {
    this.process?.kill('SIGKILL')
  }

  /** Ended by SIGINT it sends DISCONNECT. */
  async #stop() {
    this.process.kill('SIGINT')
    await within(5_000, 'the end of mosquitto_sub', this.process.done)
  }

  async #subscriber(subscriptions, properties) {
    const { version, cleanStart = true, keepAlive = 30, will, properties: announced } = this.options
    const filters = subscriptions.flatMap(({ filter }) => ['-t', filter])
    const last = will === undefined ? [] : ['--will-topic', will.topic, '--will-payload', will.payload, '--will-qos', String(will.qos ?? 0), ...(will.retain ? ['--will-retain'] : []), ...flags('will', will.properties)]
    // It never lets a session of 5.0 end unless it is told to.
    const { sessionExpiryInterval = 0, ...others } = announced ?? {}
    const clean = cleanStart ? [] : ['-c', ...(version === 5 ? ['-x', String(sessionExpiryInterval)] : [])]
    let told
    this.connects = 0
    const heard = new Promise((resolve) => { told = resolve })
    // Into a pipe it writes in blocks.
    this.process = start('stdbuf', ['-oL', 'mosquitto_sub',
      ...this.#place(), '-i', this.clientId, '-V', VERSIONS[version], '-k', String(Math.max(5, keepAlive)), '-d', '-q', String(Math.max(...subscriptions.map(({ qos }) => qos))), '-F', FORMAT,
      ...clean, ...filters, ...last, ...flags('connect', others), ...flags('subscribe', properties),
    ], { lines: (line) => { this.#hear(line, told) } })
    this.gone = this.process.done.then(() => ({ reasonCode: this.endCode }))
    const code = await within(6_000, 'SUBACK', Promise.race([heard, this.gone.then(() => this.refusal ?? 'gone')]))
    if (code !== undefined) {
      this.kill()
      throw new RefusedBy('CONNECT', code === 'gone' ? undefined : code)
    }
  }

  #hear(line, told) {
    if (line.startsWith('MESSAGE\t')) return this.inbox.push(shape(line))
    const connack = /received CONNACK \((\d+)\)/.exec(line)
    if (connack !== null && connack[1] !== '0') {
      this.refusal = Number(connack[1])
      return told(this.refusal)
    }
    const subscribed = /^Subscribed \(mid: \d+\): (.+)$/.exec(line)
    if (subscribed !== null) {
      this.codes = subscribed[1].split(', ').map(Number)
      return told(undefined)
    }
    const end = /[Rr]eceived DISCONNECT \((\d+)\)/.exec(line)
    if (end !== null) this.endCode = Number(end[1])
    // It comes back by itself, for ever.
    if (end !== null || (/sending CONNECT$/.test(line) && ++this.connects > 1)) this.process.kill('SIGKILL')
    return undefined
  }

  #place() {
    const { url, port, path } = this.where
    const { username, password } = this.options
    const credentials = username === undefined ? [] : ['-u', username, '-P', password]
    if (path !== undefined) return ['--unix', path, ...credentials]
    if (url !== undefined) return ['-h', 'localhost', '-p', new URL(url).port, '--cafile', CERTIFICATES.ca, ...credentials]
    return ['-h', '127.0.0.1', '-p', String(port), ...credentials]
  }
}

function flags(command, properties = {}) {
  return Object.entries(properties).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (name === 'userProperties') return value.flatMap((pair) => ['-D', command, 'user-property', ...pair])
    return ['-D', command, NAMES[name], name === 'correlationData' ? Buffer.from(value).toString() : String(Number.isInteger(value) ? value : typeof value === 'boolean' ? Number(value) : value)]
  })
}

function shape(line) {
  const [, topic, qos, retain, payload, contentType, correlation, expiry, format, responseTopic, identifier, users = ''] = line.split('\t')
  const properties = {
    ...(contentType === '' ? {} : { contentType }), ...(responseTopic === '' ? {} : { responseTopic }), ...(expiry === '' ? {} : { messageExpiryInterval: Number(expiry) }),
    ...(correlation === '' ? {} : { correlationData: new TextEncoder().encode(correlation) }), ...(format === '' ? {} : { payloadFormatIndicator: Number(format) }),
    ...(identifier === '' ? {} : { subscriptionIdentifiers: identifier.split(' ').map(Number) }),
    ...(users === '' ? {} : { userProperties: users.trim().split(' ').map((pair) => pair.split(':')) }),
  }
  return { topic, payload: Buffer.from(payload, 'hex').toString(), qos: Number(qos), retain: retain === '1', properties }
}
