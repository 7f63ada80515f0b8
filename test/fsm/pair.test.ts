// A client and a server, joined by bytes: what the standard promises of a connection as a whole, with times.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromHex } from '../../src/codec/index.ts'
import type { Packet } from '../../src/codec/index.ts'
import { connack, connect, VERSIONS, WILL } from './helpers.ts'
import { Wire } from './wire.ts'
import type { End, WireOptions } from './wire.ts'

const HOUR = 3_600_000

/** A server whose application accepts every Client at once, and remembers what it was given. */
function accepting(options: WireOptions, properties?: Parameters<typeof connack>[0]): Wire & { readonly given: Packet['type'][] } {
  const wire = new Wire(options)
  const given: Packet['type'][] = []
  wire.server.onPacket = (packet) => {
    given.push(packet.type)
    if (packet.type === 'connect') wire.server.send(connack(properties))
  }
  return Object.assign(wire, { given })
}

function over(end: End): readonly unknown[] {
  return [end.state.phase, end.cause?.by, end.cause?.why]
}

test('CONNECT, PING, DISCONNECT: each version, however the bytes are cut, with and without a delay', () => {
  for (const version of VERSIONS) {
    for (const chunk of [1, 7, Infinity]) {
      for (const latency of [0, 40]) {
        const wire = accepting({ version, chunk, latency })
        wire.client.send(connect(version, { will: WILL }), 'connect')
        wire.until(1000)
        assert.equal(wire.client.settled, ['connect'])
        wire.client.send({ type: 'pingreq' }, 'ping')
        wire.until(2000)
        assert.equal(wire.client.settled, ['connect', 'ping'])
        wire.client.send({ type: 'disconnect' })
        wire.until(10_000)
        assert.equal(wire.log, [
          '0 client connect', `${latency} server connack`, '1000 client pingreq', `${1000 + latency} server pingresp`,
          '2000 client disconnect', '2000 client closes: disconnect', `${2000 + latency} server closes: disconnect`,
        ])
        for (const end of [wire.client, wire.server]) assert.equal(over(end), ['closed', 'client', 'disconnect'])
        assert.is(wire.server.cause?.will, undefined)
      }
    }
  }
})

test('MQTT-3.1.2-20, MQTT-3.1.2-23: an idle connection is kept for an hour by one PINGREQ each Keep Alive, to the millisecond', () => {
  for (const version of VERSIONS) {
    const wire = accepting({ version, latency: 250 })
    wire.client.send(connect(version))
    wire.until(HOUR)
    const pings = wire.log.filter((line) => line.endsWith('client pingreq'))
    assert.equal(pings, Array.from({ length: 60 }, (_, i) => `${(i + 1) * 60_000} client pingreq`))
    assert.equal([wire.client.state.phase, wire.server.state.phase], ['connected', 'connected'])
  }
})

test('MQTT-3.1.2-23: what is sent puts the PINGREQ off, what is received does not', () => {
  const wire = accepting({ version: 4 })
  wire.client.send(connect(4))
  wire.until(50_000)
  wire.client.send({ type: 'publish', topic: 'a', payload: '' })
  wire.until(100_000)
  wire.server.send({ type: 'publish', topic: 'b', payload: '' })
  wire.until(120_000)
  assert.equal(wire.log.filter((line) => line.endsWith('pingreq')), ['110000 client pingreq'])
})

test('MQTT-3.1.2-21: Server Keep Alive 10 instead of 60: PINGREQ each ten seconds, 0: none at all', () => {
  const often = accepting({ version: 5 }, { properties: { serverKeepAlive: 10 } })
  often.client.send(connect(5))
  often.until(35_000)
  assert.equal(often.log.filter((line) => line.endsWith('pingreq')), ['10000 client pingreq', '20000 client pingreq', '30000 client pingreq'])
  const never = accepting({ version: 5 }, { properties: { serverKeepAlive: 0 } })
  never.client.send(connect(5))
  never.until(24 * HOUR)
  assert.equal(never.log, ['0 client connect', '0 server connack'])
  assert.is(never.server.state.phase, 'connected')
})

test('MQTT-3.1.2-22, MQTT-3.1.2-24: a dead Client is noticed 1.5 x Keep Alive after its last packet, and its Will is due', () => {
  for (const version of VERSIONS) {
    const wire = accepting({ version })
    wire.client.send(connect(version, { keepAlive: 2, will: WILL }))
    wire.until(5000)
    wire.client.dead = true
    wire.until(HOUR)
    assert.equal(wire.log.slice(2), [
      '2000 client pingreq', '2000 server pingresp', '4000 client pingreq', '4000 server pingresp',
      ...(version === 5 ? ['7000 server disconnect'] : []), '7000 server closes: keep-alive-timeout',
    ])
    assert.equal(over(wire.server), ['closed', 'server', 'keep-alive-timeout'])
    assert.is(wire.server.cause?.will?.topic, '/hans/will')
  }
})

test('a dead Server is noticed when PINGRESP does not come in time', () => {
  for (const version of VERSIONS) {
    const wire = accepting({ version })
    wire.client.send(connect(version))
    wire.until(1000)
    wire.server.dead = true
    wire.until(69_999)
    assert.is(wire.client.state.phase, 'connected')
    wire.until(74_999)
    assert.equal([wire.client.state.phase, wire.client.cause?.why], ['closing', 'pingresp-timeout'])
    wire.until(75_000)
    assert.is(wire.client.state.phase, 'closed')
    assert.equal(wire.log.slice(2), ['60000 client pingreq', '70000 client closes: pingresp-timeout'])
  }
})

test('an application that never falls silent sends no PINGREQ by itself; one it asks for finds the dead Server all the same', () => {
  const wire = accepting({ version: 4 })
  wire.client.send(connect(4, { keepAlive: 10 }))
  wire.until(12_000)
  wire.server.dead = true
  for (let time = 15_000; time <= 40_000; time += 5_000) {
    wire.client.send({ type: 'publish', topic: 'a', payload: '' })
    if (time === 25_000) wire.client.send({ type: 'pingreq' })
    wire.until(time)
  }
  assert.equal(wire.log.filter((line) => line.endsWith('pingreq')), ['10000 client pingreq', '20000 client pingreq'])
  assert.equal(wire.log.at(-1), '30000 client closes: pingresp-timeout')
})

test('SPEC-3.1.4-1: CONNECT, SUBSCRIBE, PUBLISH, DISCONNECT at once, and the application takes its time to accept', () => {
  for (const version of VERSIONS) {
    for (const eager of [true, false]) {
      for (const chunk of [1, 7, Infinity]) {
        const wire = new Wire({ version, eager, chunk })
        const given: string[] = []
        wire.server.onPacket = ({ type }) => { given.push(`${wire.time} ${type}`) }
        wire.client.send(connect(version, { will: WILL }))
        wire.client.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] })
        wire.client.send({ type: 'publish', topic: 'a', payload: 'b' })
        wire.client.send({ type: 'disconnect' })
        assert.equal(wire.client.refused, [])
        wire.until(3000)
        assert.equal(given, ['0 connect'])
        wire.server.send(connack())
        wire.until(HOUR)
        assert.equal(given, ['0 connect', '3000 subscribe', '3000 publish'])
        assert.equal(over(wire.server), ['closed', 'client', 'disconnect'])
        assert.equal([wire.server.cause?.phase, wire.server.cause?.will], ['connected', undefined])
        assert.equal(over(wire.client), ['closed', 'client', 'disconnect'])
      }
    }
  }
})

test('MQTT-3.1.4-5, MQTT-3.1.4-6: the same, refused: nothing behind the CONNECT is processed, and the Client is told', () => {
  for (const version of VERSIONS) {
    for (const eager of [true, false]) {
      const wire = new Wire({ version, eager })
      const given: string[] = []
      wire.server.onPacket = ({ type }) => { given.push(type) }
      wire.client.send(connect(version), 'mine')
      wire.client.send({ type: 'publish', topic: 'a', payload: 'b' })
      wire.until(100)
      wire.server.send(connack({ reasonCode: 0x86 }))
      wire.until(HOUR)
      assert.equal(given, ['connect'])
      assert.equal(wire.client.settled, ['mine'])
      for (const end of [wire.client, wire.server]) assert.equal(over(end), ['closed', 'server', 'refused'])
      assert.is(wire.client.cause?.reasonCode, version === 5 ? 0x86 : 4)
    }
  }
})

test('MQTT-3.1.2-2: a Client of a version that is not accepted understands the answer', () => {
  for (const [version, versions, code] of [[5, [3, 4], 0x84], [4, [5], 1], [3, [4, 5], 1]] as const) {
    const wire = accepting({ version, server: { limits: { versions } } })
    wire.client.send(connect(version))
    wire.until(HOUR)
    assert.equal([wire.client.cause?.why, wire.client.cause?.reasonCode, wire.server.cause?.reasonCode], ['refused', code, 0x84])
    assert.equal(wire.given, [])
  }
})

test('half a CONNECT, then silence: the Server waits limits.connectTimeout, says nothing and closes', () => {
  const wire = new Wire({ version: 4, server: { limits: { connectTimeout: 8000 } } })
  wire.carry(wire.server, fromHex('10 0d 00 04 4d 51'))
  wire.until(7999)
  assert.is(wire.server.state.phase, 'awaiting-connect')
  wire.until(HOUR)
  assert.equal(wire.log, ['8000 server closes: connect-timeout', '8000 client closes: ended'])
  assert.is(wire.server.state.phase, 'closed')
})

test('an application that never answers: 3.x is told server unavailable, 5.0 as well, after limits.authTimeout', () => {
  for (const version of VERSIONS) {
    const wire = new Wire({ version, server: { limits: { authTimeout: 5000 } } })
    wire.client.send(connect(version))
    wire.until(HOUR)
    assert.equal(wire.log, ['0 client connect', '5000 server connack', '5000 server closes: auth-timeout', '5000 client closes: refused'])
    assert.is(wire.client.cause?.reasonCode, version === 5 ? 0x88 : 3)
  }
})

test('takeover: the first Client is told in 5.0, and sees a bare end in 3.x', () => {
  for (const version of VERSIONS) {
    const wire = accepting({ version })
    wire.client.send(connect(version, { will: WILL }))
    wire.until(1000)
    wire.server.send({ type: 'disconnect', reasonCode: 0x8e })
    wire.until(HOUR)
    assert.equal(over(wire.server), ['closed', 'server', 'taken-over'])
    assert.is(wire.server.cause?.will?.topic, '/hans/will')
    assert.equal(over(wire.client), ['closed', 'server', version === 5 ? 'taken-over' : 'ended'])
  }
})

test.run()
