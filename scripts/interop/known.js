// Red cells whose cause is known to be the other side, each with the statement it breaks. A failure that no row names, or that says something else than
// its row does, counts as ours. A row whose cells are all green is told as out of date, unless it happens only `sometimes`.
const ALL = [3, 4, 5]

export const KNOWN = [
  {
    partner: 'mosquitto', versions: [3, 4], check: /200 messages|reconnecting/, says: /^no message|never came/, rule: '3.1.1 §4.3.3', sometimes: true,
    why: 'of a burst of QoS 2 messages it passes on the first 20 (max_inflight_messages) and acknowledges the others with PUBREC and PUBCOMP all the same: they are lost, and nobody is told. Measured: of 200 sent at once 20 arrive, while 200 of QoS 1 do. 5.0 is spared by its Receive Maximum of 20',
  },
  {
    partner: 'mosquitto', versions: [5], check: /^takeover/, says: /DISCONNECT: nothing, expected 0x8e/, rule: 'MQTT-3.1.4-3',
    why: 'the older connection ends without DISCONNECT 0x8e: a bare FIN comes, after whatever else',
  },
  {
    partner: 'mosquitto', versions: [5], check: /replaces another/, says: /^retain of the message: false/, rule: 'MQTT-3.8.4-3',
    why: 'a second SUBSCRIBE to the same Topic Filter changes the QoS and leaves Retain As Published as it was',
  },
  {
    partner: 'RabbitMQ', versions: [3, 4], check: /QoS 2/, says: /PUBACK .* awaits PUBREC|copies arrived/, rule: 'MQTT-3.3.4-1',
    why: 'it knows no QoS 2: it grants QoS 1, which it may, and answers a PUBLISH of QoS 2 with PUBACK, which it may not',
  },
  {
    partner: 'Aedes', versions: [3, 4], check: /cut before the answer, QoS 2|reconnecting/, says: /^no message|never came|copies of 60/, rule: 'MQTT-4.3.3-1', sometimes: true,
    why: 'a client without subscriptions is told that there is no session (Session Present 0), and its Packet Identifiers are remembered all the same: a new QoS 2 message under one of them is acknowledged and lost. To a subscriber it sends a PUBLISH again, without DUP, that has had its PUBREL and PUBCOMP on the connection before: that one arrives twice',
  },
  {
    partner: 'NATS', versions: [4], check: /QoS 2/, says: /closed the connection|copies arrived/, rule: 'MQTT-3.3.4-1',
    why: 'this version knows no QoS 2 (newer ones do): it grants QoS 1, which it may, and closes the connection at a PUBLISH of QoS 2',
  },
  {
    partner: 'paho', versions: [5], check: /^takeover/, says: /DISCONNECT: 7, expected 0x8e/, rule: '5.0 §3.14.2.2.1',
    why: 'it overlooks the Reason Code of a DISCONNECT without a Property Length (`remaining_length > 2` in `_handle_disconnect`), which is the short form that the standard allows; 7 is its own number for a lost connection',
  },
].map((row) => ({ versions: ALL, ...row }))

/** The row for a failure of a column, if there is one. */
export function knownFor(partner, version, check, message) {
  return KNOWN.find((row) => row.partner === partner && row.versions.includes(version) && row.check.test(check) && row.says.test(message))
}
