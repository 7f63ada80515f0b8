// SPDX-License-Identifier: MIT
// Messages as an async iterator: a message is acknowledged when the next one is asked for, and until then nothing more is read.
import type { PacketOf } from '../codec/index.ts'
import type { Reply } from './driver-options.ts'

/** Whoever has an `onPublish` and tells when nothing more will come. */
export interface MessageSource {
  onPublish: ((message: PacketOf<'publish'>) => Reply | Promise<Reply>) | undefined
  readonly closed: Promise<unknown>
}

/**
 * Iterates over the messages of a client or peer, instead of its `onPublish`, until the connection ends or the loop is left. Leaving it acknowledges the
 * message in hand. Throw the loop away by `break`: what comes later goes to the `onPublish` that was there before.
 */
export async function* iterateMessages(source: MessageSource): AsyncGenerator<PacketOf<'publish'>, void> {
  const before = source.onPublish
  const arrived: { readonly message: PacketOf<'publish'>, readonly done: () => void }[] = []
  let wake: (() => void) | undefined
  let over = false
  source.onPublish = (message) => new Promise<Reply>((resolve) => {
    arrived.push({ message, done: () => { resolve(undefined) } })
    wake?.()
  })
  void source.closed.then(() => {
    over = true
    wake?.()
  })
  try {
    while (!over || arrived.length > 0) {
      const next = arrived.shift()
      if (next === undefined) {
        await new Promise<void>((resolve) => { wake = resolve })
        continue
      }
      try {
        yield next.message
      } finally {
        next.done()
      }
    }
  } finally {
    source.onPublish = before
    for (const { done } of arrived) done()
  }
}
