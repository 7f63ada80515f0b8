// SPDX-License-Identifier: MIT
// The rules about when a packet may be sent, in the shape of codec/rules.ts.
import type { RuleRow } from '../codec/rules.ts'

const rules = <N extends string>(table: { readonly [K in N]: RuleRow }): { readonly [K in N]: RuleRow } => table

/** Every rule about when a packet may be sent: its Reason Code, a sentence, and the statement in each version that has it. */
export const CONNECTION_RULES: {
  readonly [N in
    | 'firstPacket' | 'secondConnect' | 'beforeConnack' | 'secondConnack' | 'disconnectBeforeConnack' | 'serverDisconnect' | 'wrongSender'
    | 'nothingAfterDisconnect' | 'authOnly' | 'serverAuthWithoutMethod' | 'refused' | 'emptyClientIdSent' | 'reauthenticateEarly' | 'continueBeforeConnack' | 'authWithoutMethod' | 'authMethodChanged' | 'authCode' | 'disconnectCode'
    | 'serverSessionExpiry' | 'raisedSessionExpiry' | 'clientSubscriptionIdentifier' | 'sessionPresentCleanStart' | 'sessionPresentUnknown' | 'sessionPresentUntold'
    | 'clientIdLength' | 'emptyClientId' | 'assignedClientId' | 'connackCode' | 'versionNotAccepted' | 'tooManyHeld'
    | 'connectInTime' | 'connackInTime' | 'answerInTime' | 'keepAlive' | 'pingrespInTime'
    | 'authOutOfTurn' | 'reauthenticatedInTime' | 'sessionOfAnother' | 'willQosAccepted' | 'willRetainAccepted' | 'sessionUnknown'
    | 'identifierRange' | 'identifierInUse' | 'identifierInUseByServer' | 'identifiersExhausted' | 'dupFirst' | 'dupFirstQos2' | 'sendQuota' | 'receiveMaximum'
    | 'wrongAck' | 'unaskedAck' | 'subackCount' | 'unsubackCount' | 'answerWithoutQuestion' | 'pubackOrder' | 'pubrecOrder' | 'pubrelEarly' | 'machineSends'
    | 'topicAliasOfClient' | 'topicAliasOfServer' | 'topicAliasUnknown' | 'maximumPacketSizeOfClient' | 'maximumPacketSizeOfServer' | 'problemInformation' | 'responseInformation'
    | 'maximumQos' | 'retainAvailable' | 'wildcardsAvailable' | 'sharedAvailable' | 'identifiersAvailable']: RuleRow
} = /* @__PURE__ */ rules({
  // the life of a connection
  firstPacket: { code: 0x82, text: 'the first packet from the Client is CONNECT', 3: '3.1 §3.1', 4: 'MQTT-3.1.0-1', 5: 'MQTT-3.1.0-1' },
  secondConnect: { code: 0x82, text: 'a Client sends CONNECT once', 3: '3.1 §3.1', 4: 'MQTT-3.1.0-2', 5: 'MQTT-3.1.0-2' },
  beforeConnack: { code: 0x82, text: 'the first packet from the Server is CONNACK', 3: '3.1 §3.2', 4: 'MQTT-3.2.0-1', 5: 'MQTT-3.2.0-1' },
  secondConnack: { code: 0x82, text: 'a Server sends CONNACK once', 3: '3.1 §3.2', 4: 'MQTT-4.8.0-1', 5: 'MQTT-3.2.0-2' },
  disconnectBeforeConnack: { code: 0x82, text: 'a Server sends DISCONNECT only after a CONNACK that accepts', 5: 'MQTT-3.14.0-1' },
  serverDisconnect: { code: 0x82, text: 'before 5.0 only a Client sends DISCONNECT', 3: '3.1 §3.14', 4: '3.1.1 §3.14' },
  wrongSender: { code: 0x82, text: 'this packet is for the other side to send', 3: '3.1 §2.1', 4: 'MQTT-4.8.0-1', 5: 'MQTT-4.13.1-1' },
  nothingAfterDisconnect: { code: 0x82, text: 'after DISCONNECT nothing more is sent', 3: '3.1 §3.14', 4: 'MQTT-3.14.4-2', 5: 'MQTT-3.14.4-1' },
  authOnly: { code: 0x82, text: 'with an Authentication Method the Client sends only AUTH and DISCONNECT before CONNACK', 5: 'MQTT-3.1.2-30' },
  reauthenticateEarly: { code: 0x82, text: 'a Client re-authenticates only after CONNACK', 5: 'MQTT-4.12.1-1' },
  continueBeforeConnack: { code: 0x82, text: 'before CONNACK a Server asks for more with AUTH 0x18; that it has had enough, CONNACK says', 5: 'MQTT-4.12.0-2' },
  authWithoutMethod: { code: 0x82, text: 'without an Authentication Method in CONNECT there is no AUTH', 5: 'MQTT-4.12.0-7' },
  serverAuthWithoutMethod: { code: 0x82, text: 'without an Authentication Method in CONNECT the Server sends neither AUTH nor a method', 5: 'MQTT-4.12.0-6' },
  authMethodChanged: { code: 0x82, text: 'every AUTH and the CONNACK name the Authentication Method of CONNECT', 5: 'MQTT-4.12.0-5' },
  authCode: { code: 0x82, text: 'AUTH has a Reason Code of its sender', 5: 'MQTT-3.15.2-1' },
  disconnectCode: { code: 0x82, text: 'DISCONNECT has a Reason Code of its sender', 5: 'MQTT-3.14.2-1' },
  serverSessionExpiry: { code: 0x82, text: 'a Server sends no Session Expiry Interval in DISCONNECT', 5: 'MQTT-3.14.2-2' },
  raisedSessionExpiry: { code: 0x82, text: 'DISCONNECT does not raise a Session Expiry Interval of 0', 5: 'SPEC-3.14.2.2.2-1' },
  clientSubscriptionIdentifier: { code: 0x82, text: 'a Client sends no Subscription Identifier in PUBLISH', 5: 'MQTT-3.3.4-6' },
  sessionPresentCleanStart: { code: 0x82, text: 'after a clean start Session Present is 0', 3: '3.1 §3.2', 4: 'MQTT-3.2.2-1', 5: 'MQTT-3.2.2-2' },
  sessionPresentUnknown: { code: 0x82, text: 'a Client without session state that is told Session Present 1 closes; hand one in as `session` to go on', 5: 'MQTT-3.2.2-4' },
  sessionPresentUntold: { code: 0x82, text: 'a session that goes on is told by Session Present 1', 4: 'MQTT-3.2.2-2', 5: 'MQTT-3.2.2-3' },
  clientIdLength: { code: 0x85, text: 'a Client Identifier of MQTT 3.1 has at least one character and no more than `limits.clientIdLength31`', 3: 'SPEC-3.1-client-id' },
  emptyClientId: { code: 0x85, text: 'an empty Client Identifier needs Clean Session 1', 4: 'MQTT-3.1.3-8' },
  emptyClientIdSent: { code: 0x85, text: 'a Client with an empty Client Identifier asks for a clean session', 4: 'MQTT-3.1.3-7' },
  refused: { code: 0x80, text: 'after a refusal the Server closes', 3: '3.1 §3.2', 4: 'MQTT-3.2.2-5', 5: 'MQTT-3.2.2-7' },
  assignedClientId: { code: 0x82, text: 'an empty Client Identifier is answered with an Assigned Client Identifier', 5: 'MQTT-3.2.2-16' },
  connackCode: { code: 0x82, text: 'CONNACK has one of its own codes', 3: 'SPEC-3.1-return-codes', 4: 'MQTT-3.2.2-6', 5: 'MQTT-3.2.2-8' },
  versionNotAccepted: { code: 0x84, text: 'the Server accepts the versions in `limits.versions` and refuses others', 3: 'SPEC-3.1-protocol-id', 4: 'MQTT-3.1.2-2', 5: 'MQTT-3.1.2-2' },
  tooManyHeld: { code: 0x97, text: 'no more than `limits.heldPackets` packets are held before the CONNACK', 3: '3.1 §3.1', 4: '3.1.1 §3.1.4', 5: '5.0 §3.1.4' },
  connectInTime: { code: 0x82, text: 'CONNECT comes within `limits.connectTimeout`', 3: '3.1 §3.1', 4: '3.1.1 §3.1.4', 5: '5.0 §3.1.4' },
  connackInTime: { code: 0x80, text: 'CONNACK comes within `limits.connackTimeout`', 3: '3.1 §3.2', 4: '3.1.1 §3.2', 5: 'SPEC-3.2.2-1' },
  answerInTime: { code: 0x88, text: 'the answer to CONNECT, with all AUTH before it, comes within `limits.authTimeout`', 3: '3.1 §3.2', 4: '3.1.1 §3.2', 5: '5.0 §4.12' },
  keepAlive: { code: 0x8d, text: 'one and a half times Keep Alive without a packet end the connection', 3: 'SPEC-3.1-keep-alive', 4: 'MQTT-3.1.2-24', 5: 'MQTT-3.1.2-22' },
  pingrespInTime: { code: 0x80, text: 'PINGRESP comes within `limits.pingrespTimeout`', 3: '3.1 §3.13', 4: '3.1.1 §3.1.2.10', 5: '5.0 §3.1.2.10' },
  authOutOfTurn: { code: 0x82, text: 'after CONNACK, AUTH 0x19 of the Client begins a re-authentication and AUTH 0x00 of the Server ends it; there is no other AUTH', 5: '5.0 §4.12.1' },
  reauthenticatedInTime: { code: 0x87, text: 're-authentication ends within `limits.authTimeout`', 5: 'MQTT-4.12.1-2' },
  sessionOfAnother: { code: 0x82, text: 'a session goes on with the Client Identifier it began with', 3: '3.1 §3.1', 4: 'MQTT-3.1.3-2', 5: 'MQTT-3.1.3-2' },
  willQosAccepted: { code: 0x9b, text: 'a Client whose Will QoS is above Maximum QoS is refused', 5: 'MQTT-3.2.2-12' },
  willRetainAccepted: { code: 0x9a, text: 'a Client with Will Retain is refused where Retain is not available', 5: 'MQTT-3.2.2-13' },
  // identifiers and exchanges
  sessionUnknown: { code: 0x82, text: 'what needs a Packet Identifier waits for CONNACK unless the session starts clean: until then nobody knows which one goes on', 3: '3.1 §3.1', 4: '3.1.1 §3.1.4', 5: '5.0 §3.1.4' },
  identifierRange: { code: 0x82, text: 'a Packet Identifier is 1 to 65,535', 3: '3.1 §2.4', 4: 'MQTT-2.3.1-1', 5: 'MQTT-2.2.1-3' },
  identifierInUse: { code: 0x82, text: 'a new exchange has a Packet Identifier that its sender is not using', 3: '3.1 §2.4', 4: 'MQTT-2.3.1-2', 5: 'MQTT-2.2.1-3' },
  identifierInUseByServer: { code: 0x82, text: 'a new exchange has a Packet Identifier that its sender is not using', 3: '3.1 §2.4', 4: 'MQTT-2.3.1-4', 5: 'MQTT-2.2.1-4' },
  identifiersExhausted: { code: 0x97, text: 'every Packet Identifier up to `limits.packetIds` is in use', 3: '3.1 §2.4', 4: '3.1.1 §2.3.1', 5: '5.0 §2.2.1' },
  dupFirst: { code: 0x82, text: 'a message goes out with DUP 0 first; the machine sets DUP when it sends one again', 3: '3.1 §2.1', 4: 'MQTT-4.3.2-1', 5: 'MQTT-4.3.2-2' },
  dupFirstQos2: { code: 0x82, text: 'a message goes out with DUP 0 first; the machine sets DUP when it sends one again', 3: '3.1 §2.1', 4: 'MQTT-4.3.3-1', 5: 'MQTT-4.3.3-2' },
  sendQuota: { code: 0x93, text: 'no more messages of QoS 1 and 2 are sent than Receive Maximum allows; wait until one is answered', 5: 'MQTT-4.9.0-2' },
  receiveMaximum: { code: 0x93, text: 'no more than Receive Maximum (`limits.receiveMaximum`) messages of QoS 1 and 2 are unanswered', 3: '3.1 §4.1', 4: '3.1.1 §4.3', 5: 'SPEC-3.3.4-1' },
  wrongAck: { code: 0x82, text: 'an acknowledgement is the one that its exchange awaits', 3: '3.1 §4.1', 4: 'MQTT-3.3.4-1', 5: 'MQTT-3.3.4-1' },
  unaskedAck: { code: 0x82, text: 'SUBACK and UNSUBACK have the Packet Identifier of their request', 3: '3.1 §3.9', 4: 'MQTT-2.3.1-7', 5: 'MQTT-2.2.1-6' },
  subackCount: { code: 0x82, text: 'SUBACK has one code for each Topic Filter of its SUBSCRIBE', 3: '3.1 §3.9', 4: 'MQTT-3.8.4-5', 5: 'MQTT-3.8.4-6' },
  unsubackCount: { code: 0x82, text: 'UNSUBACK has one code for each Topic Filter of its UNSUBSCRIBE', 5: 'MQTT-3.11.3-1' },
  answerWithoutQuestion: { code: 0x82, text: 'PUBACK and PUBREC have the Packet Identifier of a PUBLISH that is not answered yet', 3: '3.1 §3.4', 4: 'MQTT-2.3.1-6', 5: 'MQTT-2.2.1-5' },
  pubackOrder: { code: 0x82, text: 'PUBACK is sent in the order in which the messages came', 3: '3.1 §4.3', 4: 'MQTT-4.6.0-2', 5: 'MQTT-4.6.0-2' },
  pubrecOrder: { code: 0x82, text: 'PUBREC is sent in the order in which the messages came', 3: '3.1 §4.3', 4: 'MQTT-4.6.0-3', 5: 'MQTT-4.6.0-3' },
  pubrelEarly: { code: 0x82, text: 'PUBREL answers PUBREC', 3: '3.1 §4.1', 4: 'MQTT-4.3.3-1', 5: 'MQTT-4.3.3-4' },
  machineSends: { code: 0x82, text: 'PUBREL and PUBCOMP answer what has come, and the machine sends them itself', 3: '3.1 §4.1', 4: 'MQTT-4.3.3-1', 5: 'MQTT-4.3.3-4' },
  // what the other side can take
  topicAliasOfClient: { code: 0x94, text: 'a Topic Alias of the Client is no greater than the Topic Alias Maximum in CONNACK', 5: 'MQTT-3.3.2-9' },
  topicAliasOfServer: { code: 0x94, text: 'a Topic Alias of the Server is no greater than the Topic Alias Maximum in CONNECT', 5: 'MQTT-3.3.2-11' },
  topicAliasUnknown: { code: 0x82, text: 'a Topic Alias stands for a Topic Name that was sent with it on this connection', 5: 'SPEC-3.3.2.1-1' },
  maximumPacketSizeOfClient: { code: 0x95, text: 'nothing larger than the Client\'s Maximum Packet Size is sent', 5: 'MQTT-3.1.2-24' },
  maximumPacketSizeOfServer: { code: 0x95, text: 'nothing larger than the Server\'s Maximum Packet Size is sent', 5: 'MQTT-3.2.2-15' },
  problemInformation: { code: 0x82, text: 'a Client that has set Request Problem Information to 0 gets Reason String and User Properties only in PUBLISH, CONNACK and DISCONNECT', 5: 'MQTT-3.1.2-29' },
  responseInformation: { code: 0x82, text: 'Response Information comes only if Request Response Information was 1', 5: 'MQTT-3.1.2-28' },
  maximumQos: { code: 0x9b, text: 'a Client publishes with no higher QoS than Maximum QoS in CONNACK', 5: 'MQTT-3.2.2-11' },
  retainAvailable: { code: 0x9a, text: 'a Client sets RETAIN only where Retain is available', 5: 'MQTT-3.2.2-14' },
  wildcardsAvailable: { code: 0xa2, text: 'a Client uses wildcards only where Wildcard Subscription is available', 5: '5.0 §3.2.2.3.11' },
  sharedAvailable: { code: 0x9e, text: 'a Client shares subscriptions only where Shared Subscription is available', 5: '5.0 §3.2.2.3.13' },
  identifiersAvailable: { code: 0xa1, text: 'a Client uses Subscription Identifiers only where they are available', 5: '5.0 §3.2.2.3.12' },
})

/** A name in CONNECTION_RULES. */
export type ConnectionRule = keyof typeof CONNECTION_RULES
