import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PACKETS } from '../../src/codec/index.ts'
import type { PacketInput, PacketType, Sender } from '../../src/codec/index.ts'
import { destination, ENDINGS, eventOf, LIFECYCLE, TIMERS, violation } from '../../src/fsm/lifecycle.ts'
import type { PacketEvent, Phase, TimerName } from '../../src/fsm/lifecycle.ts'
import { VERSIONS } from './helpers.ts'

const PHASES = Object.keys(LIFECYCLE) as Phase[]
const SENDERS: readonly Sender[] = ['client', 'server']
const EVENTS: readonly PacketEvent[] = SENDERS.flatMap((sender) =>
  [...Object.keys(PACKETS) as PacketType[], 'refusal' as const, 'reauthentication' as const, 'authentication' as const].map((what): PacketEvent => `${sender} ${what}`))

test('an event is a packet and its sender, whoever that is', () => {
  const pairs: readonly (readonly [Sender, PacketInput, PacketEvent])[] = [
    ['client', { type: 'pingreq' }, 'client pingreq'],
    ['server', { type: 'publish', topic: 'a', payload: '' }, 'server publish'],
    ['server', { type: 'connack', reasonCode: 0 }, 'server connack'],
    ['server', { type: 'connack', reasonCode: 5 }, 'server refusal'],
    ['client', { type: 'connack', reasonCode: 0 }, 'client connack'],
    // Not the Server's refusal: a Client that sends one must not be taken for a Server.
    ['client', { type: 'connack', reasonCode: 5 }, 'client refusal'],
    ['server', { type: 'disconnect', reasonCode: 0x8e }, 'server disconnect'],
    ['client', { type: 'auth', reasonCode: 0x18 }, 'client auth'],
    ['client', { type: 'auth', reasonCode: 0x19 }, 'client reauthentication'],
    ['server', { type: 'auth', reasonCode: 0x00 }, 'server authentication'],
    ['server', { type: 'auth' }, 'server authentication'],
    // Codes of the other side are told apart from their events by authFault.
    ['client', { type: 'auth' }, 'client authentication'],
  ]
  for (const [sender, packet, event] of pairs) assert.is(eventOf(sender, packet), event)
})

test('MQTT-3.1.0-1: before CONNECT nothing but CONNECT may be sent', () => {
  for (const phase of ['opening', 'awaiting-connect'] as const) {
    for (const version of VERSIONS) {
      for (const event of EVENTS) assert.is(destination(phase, event, version), event === 'client connect' ? 'authenticating' : undefined, event)
    }
  }
})

test('MQTT-3.2.0-1: before CONNACK the Server sends CONNACK, in 5.0 also AUTH, and nothing else', () => {
  const server = EVENTS.filter((event) => event.startsWith('server '))
  for (const version of VERSIONS) {
    const legal = server.filter((event) => destination('authenticating', event, version) !== undefined)
    assert.equal(legal, ['server connack', ...(version === 5 ? ['server auth'] : []), 'server refusal'])
  }
  assert.is(destination('authenticating', 'server connack', 4), 'connected')
  assert.is(destination('authenticating', 'server refusal', 4), 'closing')
})

test('MQTT-3.1.0-2, SPEC-3.1.4-1: before CONNACK the Client may send all that is its to send but a second CONNECT', () => {
  for (const version of VERSIONS) {
    for (const event of EVENTS.filter((name) => name.startsWith('client '))) {
      assert.is(destination('authenticating', event, version) !== undefined, isClients(event) || (event === 'client auth' && version === 5), `${event} in version ${version}`)
    }
  }
})

test('connected: each side sends what Table 2.1 gives it, DISCONNECT of the Server since 5.0, and of AUTH only the one that begins a re-authentication', () => {
  for (const version of VERSIONS) {
    for (const event of EVENTS) {
      const legal = event.startsWith('client ') ? isClients(event) : isServers(event, version)
      const leads = event.endsWith(' disconnect') ? 'closing' : 'connected'
      const begins = event === 'client reauthentication' && version === 5
      assert.is(destination('connected', event, version), begins ? 'reauthenticating' : legal ? leads : undefined, `${event} in version ${version}`)
    }
  }
})

test('MQTT-4.12.1-1 (5.0): reauthenticating, everything flows as before; AUTH goes to and fro, and the Server\'s success ends it', () => {
  for (const event of EVENTS) {
    const before = destination('connected', event, 5)
    const expected = event === 'server authentication' ? 'connected' : event === 'client auth' || event === 'server auth' ? 'reauthenticating'
      : event === 'client reauthentication' ? undefined : before === 'connected' ? 'reauthenticating' : before
    assert.is(destination('reauthenticating', event, 5), expected, event)
  }
})

test('MQTT-3.14.4-1, MQTT-3.14.4-2: while closing and when closed nothing may be sent, and violation says so', () => {
  for (const phase of ['closing', 'closed'] as const) {
    for (const event of EVENTS) {
      assert.is(destination(phase, event, 5), undefined)
      assert.is(violation(phase, event, 5), 'nothingAfterDisconnect')
    }
  }
})

test('the rule an illegal event breaks, by phase, sender and version', () => {
  const broken: readonly (readonly [Phase, PacketEvent, string, string?])[] = [
    ['opening', 'client publish', 'firstPacket'],
    ['awaiting-connect', 'client auth', 'firstPacket'],
    ['awaiting-connect', 'client refusal', 'firstPacket'],
    ['awaiting-connect', 'server connack', 'firstPacket'],
    ['awaiting-connect', 'server refusal', 'firstPacket'],
    ['awaiting-connect', 'server publish', 'beforeConnack'],
    ['awaiting-connect', 'server disconnect', 'disconnectBeforeConnack', 'serverDisconnect'],
    ['opening', 'server publish', 'beforeConnack'],
    ['authenticating', 'client connect', 'secondConnect'],
    ['authenticating', 'client connack', 'wrongSender'],
    ['authenticating', 'client refusal', 'wrongSender'],
    ['authenticating', 'server publish', 'beforeConnack'],
    ['authenticating', 'server disconnect', 'disconnectBeforeConnack', 'serverDisconnect'],
    ['connected', 'client connect', 'secondConnect'],
    ['connected', 'client suback', 'wrongSender'],
    ['connected', 'server pingreq', 'wrongSender'],
    ['connected', 'server connect', 'wrongSender'],
    ['connected', 'server connack', 'secondConnack'],
    ['connected', 'server refusal', 'secondConnack'],
    ['reauthenticating', 'server connack', 'secondConnack'],
    ['reauthenticating', 'server pingreq', 'wrongSender'],
    ['reauthenticating', 'client connect', 'secondConnect'],
    ['authenticating', 'client reauthentication', 'reauthenticateEarly', 'wrongSender'],
    ['authenticating', 'server authentication', 'continueBeforeConnack', 'beforeConnack'],
    ['connected', 'client auth', 'authOutOfTurn', 'wrongSender'],
    ['connected', 'server auth', 'authOutOfTurn', 'wrongSender'],
    ['connected', 'server authentication', 'authOutOfTurn', 'wrongSender'],
    ['reauthenticating', 'client reauthentication', 'authOutOfTurn', 'wrongSender'],
    ['connected', 'server reauthentication', 'wrongSender'],
    ['opening', 'client reauthentication', 'firstPacket'],
    ['awaiting-connect', 'server authentication', 'beforeConnack'],
  ]
  for (const [phase, event, five, three = five] of broken) {
    assert.is(violation(phase, event, 5), five, `${phase}, ${event}`)
    assert.is(violation(phase, event, 4), three, `${phase}, ${event}`)
    assert.is(violation(phase, event, 3), three, `${phase}, ${event}`)
  }
  assert.is(violation('connected', 'server disconnect', 4), 'serverDisconnect')
})

test('each timer has its sentence, runs only in phases its role can be in, and leads on or out', () => {
  const phasesOf = { client: ['opening', 'authenticating', 'connected', 'reauthenticating', 'closing', 'closed'], server: ['awaiting-connect', 'authenticating', 'connected', 'reauthenticating', 'closing', 'closed'] }
  assert.equal(Object.keys(TIMERS), ['connect', 'auth', 'keep-alive', 'pingresp', 'close'] satisfies TimerName[])
  for (const [name, row] of Object.entries(TIMERS)) {
    assert.ok(row.text.length > 10)
    for (const role of SENDERS) {
      for (const [phase, to] of Object.entries(row[role])) {
        assert.ok(phasesOf[role].includes(phase), `${name}: a ${role} is never ${phase}`)
        assert.ok(to === phase || PHASES.indexOf(to) > PHASES.indexOf(phase as Phase))
      }
    }
  }
})

test('what else ends a connection: bytes that cannot be read, and its end', () => {
  assert.equal(ENDINGS, { malformed: 'closing', closed: 'closed' })
})

/** Table 2.1 (5.0 Table 2-1): what flows from Client to Server, without CONNECT and AUTH. */
function isClients(event: PacketEvent): boolean {
  const type = event.slice('client '.length)
  return ['publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'subscribe', 'unsubscribe', 'pingreq', 'disconnect'].includes(type)
}

/** The same from Server to Client, without CONNACK and AUTH. */
function isServers(event: PacketEvent, version: number): boolean {
  const type = event.slice('server '.length)
  if (type === 'disconnect') return version === 5
  return ['publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'pingresp'].includes(type)
}

test.run()
