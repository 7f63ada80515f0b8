// SPDX-License-Identifier: MIT
// What a command has of the world: data goes out by `print` and `write`, everything said about the data by `complain`.
import type { Screen } from './stage.ts'

export interface Io extends Screen {
  /** a line of diagnostics: standard error */
  readonly complain: (line: string) => void
  /** bytes of data: standard output */
  readonly write: (bytes: Uint8Array) => void
  /** all of standard input; rejects beyond `limit` bytes */
  readonly input: (limit: number) => Promise<Uint8Array>
}

/** The arguments are not understood: exit status 2, with the usage of the command. */
export class Misused extends Error {
  override readonly name = 'Misused'
}

/** The input cannot be read, or holds what the command refuses: exit status 1. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** Exit statuses; a CONNACK that refuses is its own code instead (1 to 5 in 3.x, 128 and above in 5.0). */
export const STATUS = {
  /** it went well */
  fine: 0,
  /** the input is wrong, or not all that was checked is right */
  wrong: 1,
  /** the arguments are not understood */
  misused: 2,
  /** the connection was lost or never there */
  lost: 7,
} as const

/** Output for a person: what a peer sent may not steer the terminal. C0 and C1 controls, DEL and the marks that turn text around are spelled out. */
export function safe(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
