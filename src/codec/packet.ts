// SPDX-License-Identifier: MIT
// The Control Packets as types: `Packet` is what decoding gives, `PacketInput` what encoding takes (fields with one obvious value may be left out).
import type { Auth, AuthInput } from './packet/auth.ts'
import type { Puback, PubackInput, Pubcomp, PubcompInput, Pubrec, PubrecInput, Pubrel, PubrelInput } from './packet/acks.ts'
import type { Connack, ConnackInput } from './packet/connack.ts'
import type { Connect, ConnectInput } from './packet/connect.ts'
import type { Disconnect, DisconnectInput } from './packet/disconnect.ts'
import type { Pingreq, Pingresp } from './packet/ping.ts'
import type { Publish, PublishInput } from './packet/publish.ts'
import type { Suback, SubackInput } from './packet/suback.ts'
import type { Subscribe, SubscribeInput } from './packet/subscribe.ts'
import type { Unsuback, UnsubackInput } from './packet/unsuback.ts'
import type { Unsubscribe, UnsubscribeInput } from './packet/unsubscribe.ts'

/**
 * A Control Packet as decoding gives it (5.0 §2.1.2, §3), told apart by `type`. One shape for all versions: what a version has not is undefined,
 * empty, false or 0.
 */
export type Packet =
  | Connect | Connack | Publish | Puback | Pubrec | Pubrel | Pubcomp
  | Subscribe | Suback | Unsubscribe | Unsuback | Pingreq | Pingresp | Disconnect | Auth

/** A Control Packet as encoding takes it; every Packet is one. What breaks a rule of the version encoded for is a UsageError. */
export type PacketInput =
  | ConnectInput | ConnackInput | PublishInput | PubackInput | PubrecInput | PubrelInput | PubcompInput
  | SubscribeInput | SubackInput | UnsubscribeInput | UnsubackInput | Pingreq | Pingresp | DisconnectInput | AuthInput

/** The Packet of this `type`: `PacketOf<'publish'>` is Publish. */
export type PacketOf<T extends Packet['type']> = Extract<Packet, { readonly type: T }>
/** The PacketInput of this `type`: `PacketInputOf<'publish'>` is PublishInput. */
export type PacketInputOf<T extends Packet['type']> = Extract<PacketInput, { readonly type: T }>
