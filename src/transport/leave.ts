// SPDX-License-Identifier: MIT
// The last packet of a connection, to a peer that may not read it.
import type { DisconnectInput } from '../codec/index.ts'
import { ConnectionClosed } from './driver-options.ts'
import type { Driver } from './driver.ts'

/** Sends DISCONNECT. Whether anybody reads it makes no difference, the connection is over either way; where there is no room for it, it is dropped. */
export async function leave(driver: Driver, packet: DisconnectInput): Promise<void> {
  try {
    await driver.send(packet)
  } catch (error) {
    if (error instanceof ConnectionClosed) return
    if ((error as { readonly rule?: string }).rule !== 'maximumUnsent') throw error
    driver.abort(error as Error)
  }
}
