// The messages a client has received, in order, for whoever waits for them; and the one shape that all clients of a run give them.
import { within } from './processes.js'

/** Long enough for what should not come to come all the same. */
const QUIET = 300
const PATIENCE = 5_000

export class Inbox {
  /** every message there ever was */
  all = []
  #waiting = []
  #told = []

  push(message) {
    this.all.push(message)
    const told = this.#told.shift()
    if (told === undefined) this.#waiting.push(message)
    else told(message)
  }

  next(ms = PATIENCE) {
    if (this.#waiting.length > 0) return Promise.resolve(this.#waiting.shift())
    return within(ms, `no message (${this.all.length} so far)`, new Promise((resolve) => { this.#told.push(resolve) })).catch((error) => {
      this.#told = []
      throw error
    })
  }

  async take(count, ms = PATIENCE) {
    const messages = []
    while (messages.length < count) messages.push(await this.next(ms))
    return messages
  }

  /** Nothing more comes. */
  async quiet(ms = QUIET) {
    await new Promise((resolve) => { setTimeout(resolve, ms) })
    if (this.#waiting.length > 0) throw new Error(`a message that should not come: ${JSON.stringify(this.#waiting[0])}`)
  }
}

/** A refusal by the other side, with the code that came over the wire; undefined where it closed without a word. */
export class RefusedBy extends Error {
  constructor(what, reasonCode) {
    super(`${what}: ${reasonCode === undefined ? 'closed' : `0x${reasonCode.toString(16).padStart(2, '0')}`}`)
    this.reasonCode = reasonCode
  }
}
