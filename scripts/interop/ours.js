// connack's own client, as a client under test.
import { newSession } from '../../src/fsm/index.ts'
import { connect } from '../../src/transport/connect.ts'
import { Client, connectTcp } from '../../src/transport/tcp.ts'
import { Inbox, RefusedBy } from './inbox.js'
import { within } from './processes.js'

export { Client }

export const ours = {
  name: 'connack',
  versions: [3, 4, 5],
  version: () => 'this tree',
  lacks: {},
  connect: async (where, options) => new Ours(where, options).open(),
}

class Ours {
  inbox = new Inbox()
  /** while this is a promise, messages are not acknowledged */
  hold = undefined

  constructor(where, options) {
    this.where = where
    this.options = options
  }

  async open(session) {
    const { record, clientId, version, cleanStart = true, keepAlive = 30, username, password, will, properties } = this.options
    const options = {
      connect: { version, clientId, cleanStart: session === undefined && cleanStart, keepAlive, username, password: password === undefined ? undefined : new TextEncoder().encode(password), will: willOf(will), properties },
      // Whoever has no session of its own asks for the Server's all the same.
      session: session ?? (cleanStart ? undefined : newSession(clientId)),
      onPublish: (message) => {
        this.inbox.push(shape(message))
        return this.hold
      },
      trace: ({ received, written, input }) => {
        if (received !== undefined) record('<', clientId, received, input.error)
        for (const bytes of written) record('>', clientId, bytes)
      },
    }
    const { url, port, ...rest } = this.where
    try {
      this.client = await (url === undefined ? connectTcp({ ...options, port, ...rest }) : connect(url, { ...options, ...rest }))
    } catch (error) {
      if (error.name !== 'ConnectionClosed') throw error
      throw Object.assign(new RefusedBy(error.message, error.cause.reasonCode), { closeCause: error.cause })
    }
    this.sessionPresent = this.client.connack.sessionPresent
    this.connack = this.client.connack.properties ?? {}
    this.clientId = this.client.clientId
    this.gone = this.client.closed
    return this
  }

  again() {
    return this.open(this.client.session)
  }

  subscribe(subscriptions, properties) {
    return this.client.subscribe(subscriptions, properties).catch(codesOf)
  }

  unsubscribe(filters) {
    return this.client.unsubscribe(filters).catch(codesOf)
  }

  async publish(message) {
    try {
      return (await this.client.publish(message))?.reasonCode
    } catch (error) {
      if (error.name !== 'Refused') throw error
      return error.reasonCode
    }
  }

  ping() {
    return this.client.ping()
  }

  disconnect(options) {
    return within(5_000, 'the end of the connection', this.client.disconnect(options))
  }

  kill() {
    this.client?.abort()
  }
}

function codesOf(error) {
  if (error.name !== 'Refused') throw error
  return error.packet.reasonCodes
}

function willOf(will) {
  return will && { qos: 0, retain: false, ...will, payload: new TextEncoder().encode(will.payload) }
}

function shape({ topic, payload, qos, retain, properties }) {
  return { topic, payload: new TextDecoder().decode(payload), qos, retain, properties: properties ?? {} }
}
