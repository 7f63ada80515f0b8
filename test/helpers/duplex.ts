// A byte stream without a socket: what the driver writes is kept, what the peer says is fed in by hand.
import { toHex } from '../../src/codec/index.ts'
import type { Duplex } from '../../src/transport/index.ts'

export class FakeDuplex implements Duplex {
  readonly written: Uint8Array[] = []
  /** what `write` answers */
  room = true
  paused = false
  closed: 'open' | 'ended' | 'aborted' = 'open'
  onData: (chunk: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  onEnd: (error?: Error) => void = () => {}

  write(bytes: Uint8Array): boolean {
    this.written.push(bytes.slice())
    return this.room
  }

  close(abort?: boolean): void {
    if (this.closed !== 'aborted') this.closed = abort === true ? 'aborted' : 'ended'
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  /** Everything written so far, as hex, and forgotten. */
  take(): string {
    return this.written.splice(0).map(toHex).join(' ')
  }
}

/** Lets every promise that can go on do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
