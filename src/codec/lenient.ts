// SPDX-License-Identifier: MIT
// Departures from the standard that real peers make. Nothing here holds unless it is asked for by name, and whoever asks is told of every use.
//  1. Which rules a quirk forgives is decided here and nowhere else; what is read instead stands beside each check.
//  2. A rule that no quirk names cannot be forgiven.
import type { MalformedPacket, ProtocolError } from './errors.ts'
import type { RuleName } from './rules.ts'

interface QuirkRow {
  readonly forgives: readonly RuleName[]
  /** what is read instead of refused */
  readonly reads: string
  /** who does it, as measured or documented */
  readonly seen: string
}

/** The quirks by name: `forgives` the rules of RULES that are let pass, `reads` what is read instead, `seen` who does it. */
export const QUIRKS = {
  'header-flags': { forgives: ['headerFlags'], reads: 'the packet, as if its flags were right', seen: 'accepted by NATS and RabbitMQ in CONNECT' },
  'reserved-connect-flag': { forgives: ['reservedConnectFlag'], reads: 'the CONNECT, without it', seen: 'accepted by RabbitMQ' },
  'lone-password': { forgives: ['passwordWithoutUsername'], reads: 'a password without user name in 3.x', seen: 'accepted by aedes' },
  'trailing-bytes': { forgives: ['nothingLeft', 'noBody'], reads: 'the packet, without them', seen: 'accepted by NATS and aedes' },
  'long-lengths': { forgives: ['minimalVarint'], reads: 'the number', seen: 'accepted by mosquitto, NATS, RabbitMQ and aedes in 5.0 as in 3.1.1' },
  'ill-formed-text': { forgives: ['utf8', 'nul'], reads: 'U+FFFD for each ill-formed sequence; U+0000 stays', seen: 'accepted by RabbitMQ and aedes; U+0000 by NATS' },
  'connack-of-3.1.1': { forgives: ['connackForm'], reads: 'a CONNACK of 5.0 with the Reason Code that says the same', seen: 'sent by NATS and aedes to Clients of 5.0' },
  'bridge-level': { forgives: ['bridgeLevel'], reads: 'the CONNECT, with `bridge` true', seen: 'sent by bridges of mosquitto: 0x83 and 0x84' },
  'suback-failure-of-3.1': { forgives: ['subackFailure'], reads: 'code 0x80', seen: 'sent to Clients of 3.1 by brokers that know 3.1.1' },
} as const

/** The name of a quirk, a key of QUIRKS. */
export type Quirk = keyof typeof QUIRKS

/** What departures from the standard are read instead of refused. A name that is no quirk is a TypeError. */
export interface LenientOptions {
  /** the departures to accept, by name; default none */
  readonly lenient?: readonly Quirk[] | undefined
  /** called with the error that would have been thrown, each time a departure is accepted */
  readonly onQuirk?: ((error: MalformedPacket | ProtocolError) => void) | undefined
}

/** How a reader reads: options, prepared once. */
export interface Reading {
  readonly copy: boolean
  readonly forgives: ReadonlySet<RuleName>
  readonly onQuirk: ((error: MalformedPacket | ProtocolError) => void) | undefined
}

const NOTHING: ReadonlySet<RuleName> = /* @__PURE__ */ new Set<RuleName>()

export const STRICT: Reading = /* @__PURE__ */ Object.freeze({ copy: false, forgives: NOTHING, onQuirk: undefined })

/** Throws a TypeError for a quirk that does not exist: a typo must not pass for strictness. */
export function readingOf({ copy = false, lenient = [], onQuirk }: LenientOptions & { readonly copy?: boolean | undefined }): Reading {
  if (!copy && lenient.length === 0) return STRICT
  for (const quirk of lenient) {
    if (!Object.hasOwn(QUIRKS, quirk)) throw new TypeError(`there is no quirk ${JSON.stringify(quirk)}: lenient takes ${Object.keys(QUIRKS).join(', ')}`)
  }
  return { copy, forgives: new Set<RuleName>(lenient.flatMap((quirk) => QUIRKS[quirk].forgives)), onQuirk }
}

// The rows must have the shape above; `as const` alone would not say so.
QUIRKS satisfies { readonly [name: string]: QuirkRow }
