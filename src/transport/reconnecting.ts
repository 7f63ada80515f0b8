// SPDX-License-Identifier: MIT
// A client that comes back: one connection after the other, over whatever `open` opens, the session going on from each to the next. When to try again,
// and after what not, is fsm/backoff.ts; what is published and not settled is in backlog.ts.
import type { Publish, PropertiesOf, Subscription } from '../codec/index.ts'
import { backoff, DEFAULT_BACKOFF, explain, flapping, retryAfter } from '../fsm/index.ts'
import type { BackoffPolicy, CloseCause, FlapPolicy, Session } from '../fsm/index.ts'
import { Backlog } from './backlog.ts'
import { Client } from './client.ts'
import type { ClientOptions, SubscribeTo } from './client.ts'
import { ConnectionClosed } from './driver-options.ts'
import type { Reply } from './driver-options.ts'
import type { Duplex } from './duplex.ts'
import { iterateMessages } from './messages.ts'
import type { Message } from './outcome.ts'
import { Subscriptions } from './subscriptions.ts'

/** What an attempt has to go by. */
export interface Attempt {
  /** 0 for the first after a connection that held */
  readonly attempt: number
  /** aborted by `end` */
  readonly signal: AbortSignal
  /** where the last Server has said to go (5.0 §4.11) */
  readonly serverReference: string | undefined
}

type ConnectFields = NonNullable<ClientOptions['connect']>

/** What a client that comes back is given. */
export interface ReconnectingOptions extends Omit<ClientOptions, 'connect' | 'keepMessages' | 'maximumWaiting' | 'onPublish'> {
  /** opens a byte stream, for every attempt anew */
  readonly open: (attempt: Attempt) => Promise<Duplex>
  /** CONNECT, or who is asked for it at every attempt: a password may have changed. Left out: see ClientOptions; `cleanStart` is for the first connection only. 3.x: give `cleanStart: false`, since a clean session of 3.x ends with its connection */
  readonly connect?: ConnectFields | ((attempt: Attempt) => ConnectFields | Promise<ConnectFields>) | undefined
  readonly backoff?: BackoffPolicy | undefined
  readonly flapping?: FlapPolicy | undefined
  /** in [0, 1); default Math.random */
  readonly random?: (() => number) | undefined
  /** messages that are published and not settled, at most; default 1,000. Beyond it `publish` refuses */
  readonly maximumBacklog?: number | undefined
  /** how many failures in a row end it; default: it tries for ever */
  readonly attempts?: number | undefined
}

/** A connection that lived so long, in ms, has held: the next wait is a first one. */
const HELD = 5_000

/** A client that comes back by itself: its session, its subscriptions and what is published and not settled go on over one connection after the other. */
export class ReconnectingClient {
  /** called with every message, of whichever connection; as Client's */
  onPublish: ((message: Publish) => Reply | Promise<Reply>) | undefined = undefined
  /** a connection is accepted: subscriptions are there again, what waits goes out */
  onConnect: ((client: Client) => void) | undefined = undefined
  /** a connection or an attempt has ended; `wait`: in so many ms the next one begins, undefined: it does not. `sentence` says why, for a person */
  onDisconnect: ((reason: Error, wait: number | undefined, sentence: string) => void) | undefined = undefined
  /** the Server has lost the session and refuses these filters now; they are not asked for again */
  onSubscriptionLost: ((filters: readonly string[], error: Error) => void) | undefined = undefined
  /** resolves with the reason when it is over: by `end`, or because trying again is no use */
  readonly closed: Promise<Error>
  /** resolves when every handler is done with what has come, too */
  readonly finished: Promise<void>
  /** the connection in use */
  client: Client | undefined = undefined
  private session: Session | undefined
  private readonly options: ReconnectingOptions
  private readonly backlog: Backlog
  private readonly subscriptions: Subscriptions
  private readonly stop: AbortController = new AbortController()
  /** what the application's own handler has thrown: no reason to try again */
  private failure: Error | undefined = undefined
  /** resolves when the handlers of all connections so far are done */
  private handled: Promise<unknown> | undefined = undefined
  private flaps = 0
  private serverReference: string | undefined = undefined

  constructor(options: ReconnectingOptions) {
    this.options = options
    this.session = options.session
    const { maximumBacklog = 1_000 } = options
    this.backlog = new Backlog(maximumBacklog)
    this.subscriptions = new Subscriptions(maximumBacklog)
    this.closed = this.run().then((reason) => {
      this.backlog.close(reason)
      this.subscriptions.close(reason)
      return reason
    })
    this.finished = this.closed.then(async () => { await this.handled })
  }

  /**
   * As Client's, across connections: a message of QoS 1 or 2 is not lost with a connection, and settles exactly once. QoS 0 waits for a connection and
   * may be lost with it. Leave the payload alone until it is settled, however many connections that takes.
   */
  publish(message: Message): Promise<Awaited<ReturnType<Client['publish']>>> {
    return this.backlog.publish(message, this.inUse())
  }

  /** As Client's; subscribes anew whenever the Server has not kept the session. */
  subscribe(to: SubscribeTo | readonly SubscribeTo[], properties?: PropertiesOf<'subscribe'>): Promise<readonly number[]> {
    const list = (Array.isArray(to) ? to : [to]) as readonly SubscribeTo[]
    const subscriptions = list.map((one): Subscription => (typeof one === 'string' ? { filter: one, qos: 0 } : one))
    return this.subscriptions.subscribe(subscriptions, properties, this.inUse())
  }

  /** As Client's; what is given up is not asked for again. */
  unsubscribe(from: string | readonly string[]): Promise<readonly number[]> {
    return this.subscriptions.unsubscribe((Array.isArray(from) ? from : [from]) as readonly string[], this.inUse())
  }

  /** As Client's, across connections. */
  messages(): AsyncGenerator<Publish, void> {
    return iterateMessages(this)
  }

  /** Disconnects and stops trying; resolves when nothing of it is left. What is not settled is rejected, and stays in the session that is given back. */
  async end(): Promise<Session | undefined> {
    this.stop.abort(new Error('ended by the application'))
    await this.client?.disconnect()
    await this.closed
    return this.session
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  /** A connection that takes something: one that is closing is none. */
  private inUse(): Client | undefined {
    const phase = this.client?.state.phase
    return phase === 'connected' || phase === 'reauthenticating' ? this.client : undefined
  }

  private async run(): Promise<Error> {
    const { signal } = this.stop
    const { attempts = Infinity, random = Math.random } = this.options
    for (let attempt = 0; ;) {
      const { reason, lived } = await this.once(attempt)
      if (signal.aborted) return this.failure ?? reason
      const failed = lived >= HELD ? 0 : attempt
      const [worth, sentence] = this.judge(reason, lived)
      const wait = worth && failed + 1 < attempts ? backoff(failed, random(), this.options.backoff ?? DEFAULT_BACKOFF) : undefined
      this.call(() => this.onDisconnect?.(reason, wait, sentence))
      if (wait !== undefined) await pause(wait, signal)
      if (wait === undefined || signal.aborted) return this.failure ?? reason
      attempt = lived >= HELD ? 0 : attempt + 1
    }
  }

  /** The application's own code: what it throws, or rejects with, ends it all. That a connection has gone meanwhile is no failure of its. */
  private call(handler: () => unknown): void {
    const failed = (error: unknown): void => {
      if (error instanceof ConnectionClosed) return
      this.failure ??= error instanceof Error ? error : new Error(String(error))
      this.stop.abort(this.failure)
      this.client?.abort(this.failure)
    }
    try {
      const given = handler()
      if (given instanceof Promise) given.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  /** One connection from its opening to its end. */
  private async once(number: number): Promise<{ readonly reason: Error, readonly lived: number }> {
    const { signal } = this.stop
    const attempt: Attempt = { attempt: number, signal, serverReference: this.serverReference }
    let from = 0
    let before = this.handled
    void before?.then(() => { before = undefined })
    try {
      const { connect, open } = this.options
      const fields = typeof connect === 'function' ? await unlessAborted(Promise.resolve(connect(attempt)), signal) : connect
      const duplex = await unlessAborted(open(attempt), signal, (late) => { late.close(true) })
      const first = this.session === undefined
      const client = await Client.connect(duplex, {
        ...this.options, session: this.session, keepMessages: true, maximumWaiting: Infinity,
        connect: first ? fields : { ...fields, cleanStart: false, clientId: this.session!.clientId },
        // Behind what handlers have still in hand from the connections before.
        onPublish: (message) => (before === undefined ? this.onPublish?.(message) : before.then(() => this.onPublish?.(message))),
      }, signal)
      from = performance.now()
      const cause = await this.live(client)
      return { reason: new ConnectionClosed(cause), lived: performance.now() - from }
    } catch (error) {
      return { reason: error instanceof Error ? error : new Error(String(error)), lived: 0 }
    }
  }

  private async live(client: Client): Promise<CloseCause> {
    this.client = client
    this.session = client.session
    this.serverReference = undefined
    this.subscriptions.connected(client, (filters, error) => { this.call(() => this.onSubscriptionLost?.(filters, error)) })
    this.backlog.connected(client)
    this.call(() => this.onConnect?.(client))
    // `end` may have come after CONNACK and found no client yet.
    if (this.stop.signal.aborted) void client.disconnect()
    const cause = await client.closed
    this.client = undefined
    this.session = client.session
    const handled: Promise<unknown> = Promise.all([this.handled, client.finished]).then(() => { if (this.handled === handled) this.handled = undefined })
    this.handled = handled
    return cause
  }

  /** Is there use in another attempt? And a sentence on what happened. */
  private judge(reason: Error, lived: number): readonly [worth: boolean, sentence: string] {
    // What opening the stream says (no such host, nobody listens) is the network's, and passes; a CONNECT that may not be sent does not.
    if (!(reason instanceof ConnectionClosed)) return [reason.name !== 'UsageError', reason.message]
    const { cause } = reason
    this.serverReference = cause.serverReference
    const { count, sentence } = flapping(this.flaps, this.session?.clientId ?? '', cause, lived, this.options.flapping)
    this.flaps = count
    if (sentence !== undefined) return [false, sentence]
    const retry = retryAfter(cause)
    const elsewhere = cause.serverReference !== undefined
    return [retry === 'retry' || elsewhere || (retry === 'credentials' && typeof this.options.connect === 'function'), explain(cause)]
  }
}

/** A client that comes back by itself; see ReconnectingClient. It begins at once. */
export function reconnecting(options: ReconnectingOptions): ReconnectingClient {
  return new ReconnectingClient(options)
}

/** What comes of a promise, or the signal's reason as soon as it is aborted; what comes too late is thrown away. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal, discard: (late: T) => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      promise.then(discard, () => {})
      reject(signal.reason as Error)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => { signal.removeEventListener('abort', abort) })
  })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, ms)
    signal.addEventListener('abort', over, { once: true })
  })
}
