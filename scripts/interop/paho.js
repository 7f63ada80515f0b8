// paho for Python as a client under test; its side of the conversation is paho_peer.py.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CERTIFICATES } from './brokers.js'
import { Inbox, RefusedBy } from './inbox.js'
import { start, within } from './processes.js'

/** The system's, which Debian's package is for. */
const PYTHON = '/usr/bin/python3'
const PEER = fileURLToPath(new URL('paho_peer.py', import.meta.url))
const NO_CODE = 'it tells the application no Reason Code of PUBACK'
const NO_HOLD = 'it acknowledges before the application can wait'

export const paho = {
  name: 'paho',
  debian: ['python3-paho-mqtt'],
  versions: [3, 4, 5],
  version: () => {
    const { error, stdout, status } = spawnSync(PYTHON, ['-c', 'import paho.mqtt; print(paho.mqtt.__version__)'], { encoding: 'utf8' })
    return error === undefined && status === 0 ? stdout.trim() : undefined
  },
  transports: ['tls', 'ws'],
  lacks: { 'PUBACK with no subscribers': NO_CODE, 'receive maximum of the client': NO_HOLD },
  connect: async (where, options) => new Paho().open(where, options),
}

class Paho {
  inbox = new Inbox()
  #orders = 0
  /** by Packet Identifier: whoever waits, or what came before anybody did */
  #asked = new Map()
  #answers = new Map()

  async open({ url, port }, { version, clientId, cleanStart = true, keepAlive = 30, username, password, will, properties }) {
    this.process = start(PYTHON, ['-u', PEER], { lines: (line) => { this.#hear(line) } })
    const { protocol = 'mqtt:', port: urlPort } = url === undefined ? {} : new URL(url)
    const order = { host: 'localhost', port: Number(urlPort ?? port), ws: protocol === 'ws:', ca: protocol === 'mqtts:' ? CERTIFICATES.ca : undefined, version, clientId, cleanStart, keepAlive, username, password, will, properties }
    try {
      await this.#accepted({ op: 'connect', ...order })
    } catch (error) {
      this.kill()
      throw error
    }
    this.clientId = clientId === '' ? this.connack.assignedClientIdentifier : clientId
    return this
  }

  async again() {
    await this.#accepted({ op: 'again' })
    return this
  }

  async #accepted(order) {
    this.gone = new Promise((resolve) => { this.onGone = resolve })
    const connack = await within(6_000, 'CONNACK', new Promise((resolve, reject) => {
      this.onConnack = resolve
      this.onError = reject
      void this.gone.then(() => { reject(new RefusedBy('CONNECT', undefined)) })
      this.#tell(order)
    }))
    if (connack.code !== 0) throw new RefusedBy('CONNECT', connack.code)
    this.sessionPresent = connack.present
    this.connack = connack.properties
  }

  async subscribe(subscriptions, properties) {
    return this.#ask({ op: 'subscribe', subscriptions, properties })
  }

  async unsubscribe(filters) {
    return this.#ask({ op: 'unsubscribe', filters })
  }

  async publish({ topic, payload, qos = 0, retain = false, properties }) {
    const data = properties?.correlationData
    await this.#ask({ op: 'publish', topic, payload, qos, retain, properties: data === undefined ? properties : { ...properties, correlationData: Buffer.from(data).toString('hex') } })
  }

  async disconnect({ reasonCode } = {}) {
    this.#tell({ op: 'disconnect', reasonCode })
    await within(5_000, 'the end of the connection', this.gone)
  }

  kill() {
    this.process?.kill('SIGKILL')
  }

  #tell(order) {
    this.process.child.stdin.write(`${JSON.stringify(order)}\n`)
  }

  #ask(order) {
    const n = ++this.#orders
    return new Promise((resolve, reject) => {
      this.#asked.set(n, resolve)
      this.onError = reject
      this.#tell({ ...order, n })
    })
  }

  #hear(line) {
    if (!line.startsWith('{')) return
    const { news, ...rest } = JSON.parse(line)
    switch (news) {
      case 'connack': return this.onConnack(rest)
      case 'gone': return this.onGone({ reasonCode: rest.code })
      case 'message': {
        const { correlationData, ...properties } = rest.properties
        return this.inbox.push({ ...rest, properties: correlationData === undefined ? properties : { ...properties, correlationData: new Uint8Array(Buffer.from(correlationData, 'hex')) } })
      }
      case 'asked':
        if (this.#answers.has(rest.mid)) return this.#asked.get(rest.order)(this.#take(rest.mid))
        return void this.#answers.set(rest.mid, this.#asked.get(rest.order))
      case 'answer': {
        const told = this.#take(rest.mid)
        if (told === undefined) this.#answers.set(rest.mid, rest.codes)
        else told(rest.codes)
        return undefined
      }
      default: return this.onError?.(new Error(rest.message))
    }
  }

  #take(mid) {
    const found = this.#answers.get(mid)
    this.#answers.delete(mid)
    return found
  }
}
