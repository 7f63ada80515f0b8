// SPDX-License-Identifier: MIT
// Every rule the codec enforces: what it says, what kind of error breaking it is, and where each version of the standard says so.
//  1. Which error, which Reason Code and which statement belong to a fault is decided here and nowhere else.
//  2. This file does not know how a fault is found: decoding and encoding both point at a row.
import { MalformedPacket, ProtocolError, UsageError } from './errors.ts'
import type { PacketType, ProtocolVersion } from './protocol.ts'

/** One rule: what it says, and where. fsm/rules.ts has more of them. */
export interface RuleRow {
  readonly text: string
  /** the 5.0 Reason Code; 0x81 and 0x95 make a MalformedPacket, all others a ProtocolError */
  readonly code: number
  /** the statement, or the section where there is no number, by version; a version without this rule has no entry */
  readonly 3?: string
  readonly 4?: string
  readonly 5?: string
}

/**
 * The rules by name: `text` what it says, `code` the Reason Code of 5.0 for breaking it (0x81 and 0x95 make a MalformedPacket, others a
 * ProtocolError), `3` `4` `5` the statement in that version.
 */
export const RULES = {
  // fixed header
  packetType: { code: 0x81, text: 'packet type 0 is forbidden, and 15 is AUTH of 5.0 only', 3: '3.1 §2.1', 4: 'SPEC-2.2.1-1', 5: 'SPEC-2.1.2-1' },
  headerFlags: { code: 0x81, text: 'the fixed header flags have one legal value', 3: 'SPEC-3.1-fixed-header-flags', 4: 'MQTT-2.2.2-2', 5: 'MQTT-2.1.3-1' },
  remainingLength: { code: 0x81, text: 'a Variable Byte Integer has at most four bytes', 3: '3.1 §2.1', 4: 'SPEC-2.2.3-1', 5: 'SPEC-1.5.5-1' },
  minimalVarint: { code: 0x81, text: 'a Variable Byte Integer uses as few bytes as possible', 5: 'MQTT-1.5.5-1' },
  packetTooLarge: { code: 0x95, text: 'a packet is no larger than the receiver accepts', 3: '3.1 §2.1', 4: '3.1.1 §2.2.3', 5: 'SPEC-3.1.2.11.4-2' },
  firstPacket: { code: 0x82, text: 'the first packet on a connection is CONNECT', 3: '3.1 §3.1', 4: 'MQTT-3.1.0-1', 5: 'MQTT-3.1.0-1' },
  // layout
  fieldFits: { code: 0x81, text: 'a field lies wholly inside what holds it', 3: '3.1 §2.1', 4: 'MQTT-4.8.0-1', 5: 'MQTT-4.13.1-1' },
  nothingLeft: { code: 0x81, text: 'a packet ends with its last field', 3: '3.1 §2.1', 4: 'MQTT-4.8.0-1', 5: 'MQTT-4.13.1-1' },
  noBody: { code: 0x81, text: 'this packet has no variable header and no payload', 3: '3.1 §3.12', 4: 'SPEC-3.12-1', 5: 'SPEC-3.12-1' },
  wholePacket: { code: 0x81, text: 'the bytes hold exactly one Control Packet', 3: '3.1 §2.1', 4: '3.1.1 §2.2.3', 5: '5.0 §2.1.4' },
  // strings
  utf8: { code: 0x81, text: 'a string is well-formed UTF-8 without surrogates', 3: '3.1 §2.5', 4: 'MQTT-1.5.3-1', 5: 'MQTT-1.5.4-1' },
  nul: { code: 0x81, text: 'a string does not contain U+0000', 3: '3.1 §2.5', 4: 'MQTT-1.5.3-2', 5: 'MQTT-1.5.4-2' },
  stringLength: { code: 0x81, text: 'a string or binary field has at most 65,535 bytes', 3: '3.1 §2.5', 4: '3.1.1 §1.5.3', 5: '5.0 §1.5.4' },
  // numbers
  number: { code: 0x81, text: 'a number is an integer in the range of its field', 3: '3.1 §2.4', 4: '3.1.1 §1.5.2', 5: '5.0 §1.5.2' },
  fieldType: { code: 0x81, text: 'a field has the type its packet gives it', 3: '3.1 §3', 4: '3.1.1 §3', 5: '5.0 §3' },
  packetId: { code: 0x82, text: 'a Packet Identifier is not 0', 3: '3.1 §2.4', 4: 'MQTT-2.3.1-1', 5: 'MQTT-2.2.1-3' },
  // properties
  propertyLength: { code: 0x81, text: 'Property Length ends at the end of a property and inside the packet', 5: 'SPEC-2.2.2-1' },
  propertyUnknown: { code: 0x81, text: 'a property has one of the identifiers of Table 2-4', 5: 'SPEC-2.2.2.2-1' },
  propertyMisplaced: { code: 0x81, text: 'a property stands in a packet that may carry it', 5: 'SPEC-2.2.2.2-1' },
  propertyRepeated: { code: 0x82, text: 'a property other than User Property is given once', 5: 'SPEC-2.2.2.2-2' },
  propertyValue: { code: 0x82, text: 'a property has a value that is allowed for it', 5: '5.0 §2.2.2.2' },
  topicAlias: { code: 0x94, text: 'a Topic Alias is not 0', 5: 'MQTT-3.3.2-8' },
  authenticationMethod: { code: 0x82, text: 'Authentication Data comes with an Authentication Method', 5: 'SPEC-3.1.2.11.10-1' },
  versionFive: { code: 0x81, text: 'properties and Reason Codes came with MQTT 5.0', 3: '3.1 §2.3', 4: '3.1.1 §2.3', 5: '5.0 §2.2.2' },
  // CONNECT
  protocolName: { code: 0x84, text: 'the Protocol Name is MQTT (3.1: MQIsdp)', 3: 'SPEC-3.1-protocol-id', 4: 'MQTT-3.1.2-1', 5: 'MQTT-3.1.2-1' },
  protocolLevel: { code: 0x84, text: 'the Protocol Version is one that goes with the Protocol Name', 3: 'SPEC-3.1-protocol-id', 4: 'MQTT-3.1.2-2', 5: 'MQTT-3.1.2-2' },
  bridgeLevel: { code: 0x84, text: 'bit 7 of the Protocol Version, by which bridges make themselves known, is not in the standard', 3: 'SPEC-3.1-protocol-id', 4: 'MQTT-3.1.2-2', 5: 'MQTT-3.1.2-2' },
  reservedConnectFlag: { code: 0x81, text: 'bit 0 of the Connect Flags is 0', 4: 'MQTT-3.1.2-3', 5: 'MQTT-3.1.2-3' },
  willQos: { code: 0x81, text: 'Will QoS is 0, 1 or 2', 3: '3.1 §3.1', 4: 'MQTT-3.1.2-14', 5: 'MQTT-3.1.2-12' },
  willQosWithoutWill: { code: 0x81, text: 'without a Will, Will QoS is 0', 4: 'MQTT-3.1.2-13', 5: 'MQTT-3.1.2-11' },
  willRetainWithoutWill: { code: 0x81, text: 'without a Will, Will Retain is 0', 4: 'MQTT-3.1.2-15', 5: 'MQTT-3.1.2-13' },
  passwordWithoutUsername: { code: 0x81, text: 'before 5.0 a Password needs a User Name', 3: '3.1 §3.1', 4: 'MQTT-3.1.2-22' },
  clientIdMissing: { code: 0x81, text: 'the Client Identifier is present and first in the payload', 3: '3.1 §3.1', 4: 'MQTT-3.1.3-3', 5: 'MQTT-3.1.3-3' },
  clientIdLength: { code: 0x85, text: 'a Client Identifier of MQTT 3.1 has 1 to 23 characters', 3: 'SPEC-3.1-client-id' },
  emptyClientId: { code: 0x85, text: 'an empty Client Identifier needs Clean Session 1', 4: 'MQTT-3.1.3-7' },
  willMissing: { code: 0x81, text: 'the Will Flag promises Will Topic and Will Message in the payload', 3: '3.1 §3.1', 4: 'MQTT-3.1.2-9', 5: 'MQTT-3.1.2-9' },
  usernameMissing: { code: 0x81, text: 'the User Name Flag promises a User Name in the payload', 4: 'MQTT-3.1.2-19', 5: 'MQTT-3.1.2-17' },
  passwordMissing: { code: 0x81, text: 'the Password Flag promises a Password in the payload', 4: 'MQTT-3.1.2-21', 5: 'MQTT-3.1.2-19' },
  willTopic: { code: 0x90, text: 'the Will Topic is a Topic Name: not empty, without wildcards', 3: '3.1 §3.1', 4: 'MQTT-4.7.1-1', 5: 'MQTT-4.7.0-1' },
  // CONNACK
  connackForm: { code: 0x81, text: 'a CONNACK of 5.0 has a Property Length; without one it is MQTT 3.1.1, and that is all this Server speaks', 5: '5.0 §3.2.2.3' },
  acknowledgeFlags: { code: 0x81, text: 'bits 7-1 of the Connect Acknowledge Flags are 0', 4: '3.1.1 §3.2.2.1', 5: 'MQTT-3.2.2-1' },
  sessionPresentRefused: { code: 0x82, text: 'a refusal has Session Present 0', 4: 'MQTT-3.2.2-4', 5: 'MQTT-3.2.2-6' },
  // Reason Codes
  connackCode: { code: 0x82, text: 'CONNACK has one of its own codes', 3: 'SPEC-3.1-return-codes', 4: 'MQTT-3.2.2-6', 5: 'MQTT-3.2.2-8' },
  pubackCode: { code: 0x82, text: 'PUBACK has one of its own Reason Codes', 5: 'MQTT-3.4.2-1' },
  pubrecCode: { code: 0x82, text: 'PUBREC has one of its own Reason Codes', 5: 'MQTT-3.5.2-1' },
  pubrelCode: { code: 0x82, text: 'PUBREL has one of its own Reason Codes', 5: 'MQTT-3.6.2-1' },
  pubcompCode: { code: 0x82, text: 'PUBCOMP has one of its own Reason Codes', 5: 'MQTT-3.7.2-1' },
  subackFailure: { code: 0x82, text: 'a SUBACK of 3.1 grants, it has no failure code', 3: 'SPEC-3.1-suback' },
  subackCode: { code: 0x82, text: 'SUBACK has its own Reason Codes', 3: 'SPEC-3.1-suback', 4: 'MQTT-3.9.3-2', 5: 'MQTT-3.9.3-2' },
  unsubackCode: { code: 0x82, text: 'UNSUBACK has its own Reason Codes', 5: 'MQTT-3.11.3-2' },
  disconnectCode: { code: 0x82, text: 'DISCONNECT has one of its own Reason Codes', 5: 'MQTT-3.14.2-1' },
  authCode: { code: 0x82, text: 'AUTH has one of its own Reason Codes', 5: 'MQTT-3.15.2-1' },
  authMethod: { code: 0x82, text: 'AUTH names its Authentication Method', 5: 'SPEC-3.15.2.2.2-1' },
  // PUBLISH
  publishQos: { code: 0x81, text: 'QoS is 0, 1 or 2', 3: '3.1 §2.1', 4: 'MQTT-3.3.1-4', 5: 'MQTT-3.3.1-4' },
  publishDup: { code: 0x81, text: 'DUP is 0 when QoS is 0', 3: '3.1 §2.1', 4: 'MQTT-3.3.1-2', 5: 'MQTT-3.3.1-2' },
  publishPacketId: { code: 0x81, text: 'a PUBLISH has a Packet Identifier exactly when its QoS is above 0', 3: '3.1 §3.3', 4: 'MQTT-2.3.1-5', 5: 'MQTT-2.2.1-2' },
  topicEmpty: { code: 0x82, text: 'a Topic Name has at least one character, or a Topic Alias stands for it', 3: '3.1 §3.3', 4: 'MQTT-4.7.3-1', 5: 'SPEC-3.3.2.1-1' },
  topicWildcard: { code: 0x90, text: 'a Topic Name has no wildcards', 3: '3.1 §3.3', 4: 'MQTT-3.3.2-2', 5: 'MQTT-3.3.2-2' },
  responseTopic: { code: 0x82, text: 'a Response Topic is a Topic Name: not empty, without wildcards', 5: 'MQTT-3.3.2-14' },
  // SUBSCRIBE, UNSUBSCRIBE and their acknowledgements
  subscribeEmpty: { code: 0x82, text: 'SUBSCRIBE has at least one Topic Filter', 3: '3.1 §3.8', 4: 'MQTT-3.8.3-3', 5: 'MQTT-3.8.3-2' },
  unsubscribeEmpty: { code: 0x82, text: 'UNSUBSCRIBE has at least one Topic Filter', 3: '3.1 §3.10', 4: 'MQTT-3.10.3-2', 5: 'MQTT-3.10.3-2' },
  subackEmpty: { code: 0x82, text: 'SUBACK has one code for each Topic Filter', 3: '3.1 §3.9', 4: 'MQTT-3.8.4-5', 5: 'MQTT-3.8.4-6' },
  unsubackEmpty: { code: 0x82, text: 'UNSUBACK has one code for each Topic Filter', 5: 'MQTT-3.11.3-1' },
  subscriptionReserved: { code: 0x81, text: 'the reserved bits of the Subscription Options are 0', 4: 'MQTT-3.8.3-4', 5: 'MQTT-3.8.3-5' },
  subscriptionQos: { code: 0x81, text: 'the requested QoS is 0, 1 or 2', 3: '3.1 §3.8', 4: 'MQTT-3.8.3-4' },
  subscriptionQosFive: { code: 0x82, text: 'the Maximum QoS of a subscription is 0, 1 or 2', 5: 'SPEC-3.8.3.1-1' },
  retainHandling: { code: 0x82, text: 'Retain Handling is 0, 1 or 2', 5: 'SPEC-3.8.3.1-1' },
  noLocalShared: { code: 0x82, text: 'No Local is 0 on a Shared Subscription', 5: 'MQTT-3.8.3-4' },
  filterEmpty: { code: 0x8f, text: 'a Topic Filter has at least one character', 3: '3.1 §3.8', 4: 'MQTT-4.7.3-1', 5: 'MQTT-4.7.3-1' },
  filterMultiLevel: { code: 0x8f, text: '# stands alone in the last level of a Topic Filter', 3: '3.1 Appendix A', 4: 'MQTT-4.7.1-2', 5: 'MQTT-4.7.1-1' },
  filterSingleLevel: { code: 0x8f, text: '+ fills a whole level of a Topic Filter', 3: '3.1 Appendix A', 4: 'MQTT-4.7.1-3', 5: 'MQTT-4.7.1-2' },
  filterShareName: { code: 0x8f, text: 'a Shared Subscription is $share/name/filter, its name not empty and without wildcards', 5: 'MQTT-4.8.2-1' },
  filterShared: { code: 0x8f, text: 'after the ShareName come a / and a Topic Filter', 5: 'MQTT-4.8.2-2' },
} as const

/** The name of a rule, a key of RULES. */
export type RuleName = keyof typeof RULES

/** Where a fault was found. */
export interface Site {
  readonly packet: PacketType | undefined
  readonly version: ProtocolVersion | undefined
}

interface More {
  /** instead of the rule's own, where one rule serves many statements */
  readonly statement?: string | undefined
  readonly foreign?: string | undefined
}

/** The error for received bytes that break `rule` at `offset`; `found` says what was there instead. */
export function fault(rule: RuleRow, site: Site, offset: number, found: string, more: More = {}): MalformedPacket | ProtocolError {
  const statement = more.statement ?? statementOf(rule, site.version)
  const message = `${site.packet?.toUpperCase() ?? 'packet'}, offset ${offset}: ${found}; ${rule.text} [${statement}]`
  const details = { reasonCode: rule.code, offset, packet: site.packet, rule: statement, version: site.version, foreign: more.foreign }
  return rule.code === 0x81 || rule.code === 0x95 ? new MalformedPacket(message, details) : new ProtocolError(message, details)
}

/** The error for our caller's packet that would break `rule` at `path`. */
export function misuse(rule: RuleRow, site: Site, path: string, found: string, statement: string = statementOf(rule, site.version)): UsageError {
  const where = path === '' ? `${site.packet}` : `${site.packet}.${path}`
  return new UsageError(`${where}: ${found}; ${rule.text} [${statement}]`, { packet: site.packet, rule: statement, path })
}

/** The statement that holds in this version; without a version, or where that version has no such rule, the newest one. */
export function statementOf(rule: RuleRow, version: ProtocolVersion | undefined): string {
  const stated = version === undefined ? undefined : rule[version]
  return stated ?? rule[5] ?? rule[4] ?? rule[3] ?? ''
}
