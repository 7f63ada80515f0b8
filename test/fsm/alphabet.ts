// Everything that can happen to a machine, in a finite number of letters: each Control Packet as sent and as received in the variants that the
// machine tells apart, each timer, bytes that cannot be read, and the end of the Network Connection with and without an error.
import type { PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import { TIMERS } from '../../src/fsm/index.ts'
import type { Input, Role, TimerName } from '../../src/fsm/index.ts'
import { connack, connect, heard, malformed, timer, VERSIONS, WILL } from './helpers.ts'

type Letter = readonly [name: string, input: Input]
type Variants = readonly (readonly [name: string, packet: PacketInput])[]

export const METHOD = { authenticationMethod: 'PLAIN' }
const OTHER = { authenticationMethod: 'SCRAM-SHA-1' }
const EXPIRING = { sessionExpiryInterval: 60 }

export function alphabet(role: Role, version: ProtocolVersion): readonly Letter[] {
  const packets: Variants = [...connects(role, version), ...connacks(version), ...messages(version), ...endings(version), ...auths(version)]
  const sent = packets.flatMap(([name, packet]): Letter[] => [
    [`send ${name}`, { type: 'send', packet }],
    ...(packet.type === 'connect' || packet.type === 'pingreq' || packet.type === 'connack' ? [[`send ${name} with a token`, { type: 'send', packet, token: `${packet.type}?` }] as const] : []),
  ])
  const came = packets.flatMap(([name, packet]): Letter[] => {
    const there = heardOf(packet, packet.type === 'connect' ? packet.version : version)
    return there === undefined ? [] : [[`received ${name}`, there]]
  })
  return [
    ...sent, ...came,
    ...Object.keys(TIMERS).map((name): Letter => [`timer ${name}`, timer(name as TimerName)]),
    ...malformations(version),
    ['closed', { type: 'closed' }], ['closed by an error', { type: 'closed', error: new Error('ECONNRESET') }],
  ]
}

function connects(role: Role, version: ProtocolVersion): Variants {
  const variants: [string, PacketInput][] = []
  for (const cleanStart of [true, false]) {
    for (const keepAlive of [0, 60]) {
      for (const will of role === 'server' ? [undefined, WILL] : [undefined]) {
        for (const properties of version === 5 ? [undefined, METHOD] : [undefined]) {
          const name = `connect ${cleanStart ? 'clean' : 'kept'} ${keepAlive}${will === undefined ? '' : ' will'}${properties === undefined ? '' : ' method'}`
          variants.push([name, connect(version, { cleanStart, keepAlive, will, properties })])
        }
      }
    }
  }
  if (version === 5) {
    variants.push(['connect expiring', connect(5, { properties: EXPIRING })])
    variants.push(['connect anonymous kept', connect(5, { clientId: '', cleanStart: false })])
  }
  if (version === 4) variants.push(['connect anonymous', connect(4, { clientId: '' })], ['connect anonymous kept', connect(4, { clientId: '', cleanStart: false })])
  if (version === 3) variants.push(['connect anonymous', connect(3, { clientId: '' })], ['connect of 24 characters', connect(3, { clientId: 'a'.repeat(24) })])
  for (const other of VERSIONS) if (other !== version) variants.push([`connect of version ${other}`, connect(other)])
  return variants
}

function connacks(version: ProtocolVersion): Variants {
  const variants: [string, PacketInput][] = [['connack', connack()], ['connack present', connack({ sessionPresent: true })]]
  for (const reasonCode of [1, 5]) variants.push([`connack return code ${reasonCode}`, connack({ reasonCode })])
  for (const reasonCode of [0x80, 0x84, 0x87, 0x8e]) variants.push([`connack 0x${reasonCode.toString(16)}`, connack({ reasonCode })])
  if (version < 5) return variants
  for (const serverKeepAlive of [0, 30, 60]) variants.push([`connack keep alive ${serverKeepAlive}`, connack({ properties: { serverKeepAlive } })])
  return [
    ...variants,
    ['connack assigning', connack({ properties: { assignedClientIdentifier: 'auto-1' } })],
    ['connack method', connack({ properties: METHOD })],
    ['connack other method', connack({ properties: OTHER })],
    ['connack expiring', connack({ properties: EXPIRING })],
    ['connack moved', connack({ reasonCode: 0x9d, properties: { reasonString: 'moved', serverReference: 'b' } })],
  ]
}

function messages(version: ProtocolVersion): Variants {
  const five = version === 5
  return [
    ['publish 0', { type: 'publish', topic: 'a', payload: '' }],
    ['publish 1', { type: 'publish', topic: 'a', payload: 'x', qos: 1, packetId: 1 }],
    ...(five ? [['publish identified', { type: 'publish', topic: 'a', payload: '', properties: { subscriptionIdentifiers: [1] } }] as const] : []),
    ['puback', { type: 'puback', packetId: 1 }], ['pubrec', { type: 'pubrec', packetId: 1 }], ['pubrel', { type: 'pubrel', packetId: 1 }], ['pubcomp', { type: 'pubcomp', packetId: 1 }],
    ['subscribe', { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 1 }] }], ['suback', { type: 'suback', packetId: 1, reasonCodes: [0] }],
    ['unsubscribe', { type: 'unsubscribe', packetId: 1, filters: ['a'] }], ['unsuback', { type: 'unsuback', packetId: 1, ...(five ? { reasonCodes: [0] } : {}) }],
    ['pingreq', { type: 'pingreq' }], ['pingresp', { type: 'pingresp' }],
  ]
}

function endings(version: ProtocolVersion): Variants {
  return [
    ['disconnect', { type: 'disconnect' }],
    ['disconnect 0x04', { type: 'disconnect', reasonCode: 0x04 }],
    ['disconnect 0x8e', { type: 'disconnect', reasonCode: 0x8e }],
    ['disconnect 0x81', { type: 'disconnect', reasonCode: 0x81 }],
    ...(version === 5 ? [['disconnect expiring', { type: 'disconnect', properties: EXPIRING }] as const] : []),
  ]
}

function auths(version: ProtocolVersion): Variants {
  if (version < 5) return [['auth', { type: 'auth', reasonCode: 0x18, properties: METHOD }]]
  return [
    ['auth continue', { type: 'auth', reasonCode: 0x18, properties: METHOD }],
    ['auth other', { type: 'auth', reasonCode: 0x18, properties: OTHER }],
    ['auth again', { type: 'auth', reasonCode: 0x19, properties: METHOD }],
    ['auth success', { type: 'auth', reasonCode: 0x00, properties: METHOD }],
    ['auth bare', { type: 'auth' }],
  ]
}

/** Bytes with an error of each kind: what a server's stream says to the first packet, and what any stream says later. */
function malformations(version: ProtocolVersion): readonly Letter[] {
  const first: readonly (readonly [string, string])[] = [
    ['a CONNECT of level 6', '10 0e 00 04 4d 51 54 54 06 02 00 00 00 00 01 61'],
    ['a CONNECT of level 2', '10 0d 00 04 4d 51 54 54 02 02 00 00 00 01 61'],
    ['a CONNECT of MQIsdp 4', '10 0f 00 06 4d 51 49 73 64 70 04 02 00 00 00 01 61'],
    ['a CONNECT of MQTX', '10 0d 00 04 4d 51 54 58 04 02 00 00 00 01 61'],
    ['a malformed CONNECT of 5.0', '10 0e 00 04 4d 51 54 54 05 03 00 00 00 00 01 61'],
    ['a malformed CONNECT of 3.1.1', '10 0d 00 04 4d 51 54 54 04 03 00 00 00 01 61'],
    ['a CONNECT too large', '10 ff ff 7f'],
    ['packet type 0', '00 00'],
    ['a PINGREQ first', 'c0 00'],
    ['HTTP', '47 45 54 20 2f 20 48 54 54 50'],
  ]
  const later: readonly (readonly [string, string])[] = [
    ['a CONNECT of level 6, later', '10 0e 00 04 4d 51 54 54 06 02 00 00 00 00 01 61'],
    ['a CONNECT of level 2, later', '10 0d 00 04 4d 51 54 54 02 02 00 00 00 01 61'],
    ['a PUBLISH with QoS 3', '36 03 00 01 61'],
    ['a PUBLISH too large', '30 ff ff 7f'],
    ['a Topic Name with a wildcard', version === 5 ? '30 04 00 01 23 00' : '30 03 00 01 23'],
    ['an empty Topic Filter', version === 5 ? '82 06 00 01 00 00 00 00' : '82 05 00 01 00 00 00'],
    ['Packet Identifier 0', '40 02 00 00'],
    ...(version === 5 ? [['Topic Alias 0', '30 07 00 01 61 03 23 00 00'], ['a CONNACK of 3.1.1', '20 02 00 00']] as const : []),
  ]
  return [
    ...first.map(([name, hex]): Letter => [`malformed: ${name}`, malformed(hex)]),
    ...later.map(([name, hex]): Letter => [`malformed: ${name}`, malformed(hex, version)]),
  ]
}

/** As it comes out of a decoder; undefined where this version has no bytes for it, or none that decode. */
function heardOf(packet: PacketInput, version: ProtocolVersion): Input | undefined {
  try {
    return { type: 'received', packet: heard(packet, version) }
  } catch {
    return undefined
  }
}
