// SPDX-License-Identifier: MIT
// What has been asked of a connection and is not settled: promises around the tokens of the machine. Messages that find the peer's Receive Maximum
// in use wait here in order, a bounded number of them, and go out as earlier ones are acknowledged.
import { UsageError } from '../codec/index.ts'
import type { Packet } from '../codec/index.ts'
import type { CloseCause, Input, Send, SendInput } from '../fsm/index.ts'
import { ConnectionClosed } from './driver-options.ts'

/** The token the machine gets: it comes back with `settle` or `refuse`, perhaps on a later connection of the session. */
export interface Request {
  /** `handed`: done when its bytes are with a peer that reads · `answered`: when the machine settles it · `message`: the same, and it belongs to the session */
  readonly done: 'handed' | 'answered' | 'message'
  readonly resolve: (packet: Packet | undefined) => void
  readonly reject: (error: Error) => void
}

type Answered = Extract<Send['packet'], { readonly type: 'connect' | 'pingreq' | 'subscribe' | 'unsubscribe' }>['type']
const ANSWERED: ReadonlySet<string> = /* @__PURE__ */ new Set<Answered>(['connect', 'pingreq', 'subscribe', 'unsubscribe'])

export class Requests {
  /** those whose end is to come; undefined until there is one, for most connections of a server never */
  private open: Set<Request> | undefined = undefined
  private waiting: Send[] | undefined = undefined
  /** their bytes are made and wait for the end of the turn */
  private written: Request[] | undefined = undefined
  private readonly maximumWaiting: number

  constructor(maximumWaiting: number) {
    this.maximumWaiting = maximumWaiting
  }

  /** Is there anything that only a packet of the peer can settle? */
  get awaiting(): boolean {
    for (const { done } of this.open ?? []) if (done !== 'handed') return true
    return false
  }

  /** Takes account of a request. True: it must wait behind others, and does, or is refused where there is no room. */
  takes(input: Send, request: Request): boolean {
    if (request.done === 'handed') return false
    ;(this.open ??= new Set()).add(request)
    if (request.done !== 'message' || this.waiting === undefined) return false
    this.wait(input, input.packet)
    return true
  }

  /** The machine has refused it. For want of quota it waits for its turn; for any other reason it is over. */
  refused(token: unknown, error: UsageError, input: Input | undefined): void {
    const own = input?.type === 'send' && input.token === token
    if (own && error.rule === SEND_QUOTA && (token as Request | undefined)?.done === 'message') this.wait(input, input.packet)
    else this.settle(token, (request) => { request.reject(error) })
  }

  get waits(): boolean {
    return this.waiting !== undefined
  }

  /** The first that waits: there is room for it. */
  next(): Send | undefined {
    const next = this.waiting?.shift()
    if (this.waiting?.length === 0) this.waiting = undefined
    return next
  }

  settle(token: unknown, how: (request: Request) => void): void {
    const request = token as Request | undefined
    if (request === undefined) return
    this.open?.delete(request)
    how(request)
  }

  /** Its bytes are made. Where that is enough it is done once they are with a peer that reads, which shows when they are written. */
  sent(request: Request): void {
    if (request.done === 'handed') (this.written ??= []).push(request)
  }

  /** The bytes of the turn are written, to a peer that reads or to one that does not just now; or, where there is a cause, they never will be. */
  flushed(reads: boolean, lost: CloseCause | undefined): void {
    const { written } = this
    if (written === undefined) return
    this.written = undefined
    for (const request of written) {
      if (lost !== undefined) request.reject(new ConnectionClosed(lost))
      else if (reads) request.resolve(undefined)
      else (this.open ??= new Set()).add(request)
    }
  }

  /** The peer reads again. */
  handed(): void {
    for (const request of this.open ?? []) if (request.done === 'handed') this.settle(request, ({ resolve }) => { resolve(undefined) })
  }

  /** Nothing more will come on this connection. With `keep`, messages that are in the session stay unsettled: a later connection goes on with them. */
  close(cause: CloseCause, keep: boolean): void {
    const unsent = new Set(this.waiting?.map(({ token }) => token))
    this.waiting = undefined
    for (const request of this.open ?? []) {
      if (cause.why === 'disconnect' && request.done === 'handed') request.resolve(undefined)
      else if (!keep || request.done !== 'message' || unsent.has(request)) request.reject(new ConnectionClosed(cause))
    }
    this.open = undefined
  }

  private wait(input: Send, packet: SendInput): void {
    const waiting = this.waiting?.length ?? 0
    if (waiting < this.maximumWaiting) return void (this.waiting ??= []).push(input)
    const message = `${packet.type}: ${waiting} messages wait for the peer's Receive Maximum, and maximumWaiting is ${this.maximumWaiting}; wait for the promise of an earlier one`
    this.settle(input.token, ({ reject }) => { reject(new UsageError(message, { packet: packet.type, rule: 'maximumWaiting', path: '' })) })
  }
}

/** What it takes for a packet to be done with. */
export function doneWhen(packet: SendInput): Request['done'] {
  if (packet.type === 'publish') return packet.qos === 1 || packet.qos === 2 ? 'message' : 'handed'
  return ANSWERED.has(packet.type) || (packet.type === 'auth' && packet.reasonCode === RE_AUTHENTICATE) ? 'answered' : 'handed'
}

/** Statement of the machine's refusal for want of quota (5.0 §4.9). */
const SEND_QUOTA = 'MQTT-4.9.0-2'
const RE_AUTHENTICATE = 0x19
