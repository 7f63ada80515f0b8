// SPDX-License-Identifier: MIT
// Messages as an async iterator: a message is acknowledged when the next one is asked for, and until then nothing more is read.
// By hand, not as a generator: that would listen only once somebody asks, and could not be left while it waits for a message.
import type { PacketOf } from '../codec/index.ts'
import type { Reply } from './driver-options.ts'

type Message = PacketOf<'publish'>
type Result = IteratorResult<Message, void>

/** Whoever has an `onPublish` and tells when nothing more will come. */
export interface MessageSource {
  onPublish: ((message: Message) => Reply | Promise<Reply>) | undefined
  /** no message will come after this */
  readonly finished: Promise<unknown>
}

/**
 * Iterates over the messages of a client or peer from now on, instead of its `onPublish`, until the connection ends or the loop is left. Leaving it
 * acknowledges the message in hand; what comes later goes to the `onPublish` that was there before.
 */
export function iterateMessages(source: MessageSource): AsyncGenerator<Message, void> {
  const before = source.onPublish
  const arrived: { readonly message: Message, readonly done: () => void }[] = []
  const asking: ((result: Result) => void)[] = []
  let inHand: (() => void) | undefined
  let over = false
  const onPublish = (message: Message): Reply | Promise<Reply> => {
    if (over) return before?.(message)
    return new Promise<Reply>((resolve) => {
      arrived.push({ message, done: () => { resolve(undefined) } })
      serve()
    })
  }
  const serve = (): void => {
    while (asking.length > 0 && (over || arrived.length > 0)) {
      const next = arrived.shift()
      inHand = next?.done
      asking.shift()!(next === undefined ? OVER : { done: false, value: next.message })
    }
  }
  const release = (): void => {
    inHand?.()
    inHand = undefined
  }
  const leave = (): void => {
    over = true
    release()
    for (const { done } of arrived.splice(0)) done()
    serve()
    // Not where somebody else has taken over since: then it is passed on above.
    if (source.onPublish === onPublish) source.onPublish = before
  }
  source.onPublish = onPublish
  void source.finished.then(leave)
  const iterator = {
    next(): Promise<Result> {
      release()
      return new Promise((resolve) => {
        asking.push(resolve)
        serve()
      })
    },
    async return(): Promise<Result> {
      leave()
      return OVER
    },
    async throw(error: unknown): Promise<Result> {
      leave()
      throw error
    },
    [Symbol.asyncIterator]: () => iterator,
    [Symbol.asyncDispose]: async () => { leave() },
  } as AsyncGenerator<Message, void>
  return iterator
}

const OVER: Result = /* @__PURE__ */ Object.freeze({ done: true, value: undefined })
