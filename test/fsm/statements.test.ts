// What the standard says of everything that cannot be read: the connection ends. Tried with every malformed case of fixtures/, from both sides.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, fromHex, maySend, PacketStream, toHex } from '../../src/codec/index.ts'
import type { MalformedPacket, ProtocolError, ProtocolVersion } from '../../src/codec/index.ts'
import { initial, transition } from '../../src/fsm/index.ts'
import type { CloseCause, State } from '../../src/fsm/index.ts'
import { everyCase, loadFixtures } from '../helpers/fixtures.ts'
import type { FixtureCase } from '../helpers/fixtures.ts'
import { authenticating, connected, deepFreeze, VERSIONS, WILL } from './helpers.ts'

/** What a stream says to these bytes; undefined for those that are a fault only to `decode`, since in a stream more may come. */
function faultIn(bytes: Uint8Array, version: ProtocolVersion | undefined): MalformedPacket | ProtocolError | undefined {
  const stream = new PacketStream({ version, maximumPacketSize: 268_435_460 })
  stream.push(bytes)
  try {
    stream.next()
  } catch (error) {
    return error as MalformedPacket | ProtocolError
  }
  return undefined
}

interface Ended {
  readonly cause: CloseCause
  readonly written: readonly string[]
}

/** The connection ends here, once and for good, having written this. */
function end(state: State, error: MalformedPacket | ProtocolError, version: ProtocolVersion): Ended {
  const { state: after, effects } = transition(state, { type: 'malformed', error })
  assert.is(after.phase, 'closing')
  const [last, ...more] = effects.filter(({ type }) => type === 'close')
  assert.ok(last?.type === 'close' && more.length === 0 && effects.at(-1) === last)
  assert.is(last.cause.by, state.role)
  assert.is(transition(after, { type: 'malformed', error }).state, after)
  return { cause: last.cause, written: effects.flatMap((effect) => (effect.type === 'write' ? [toHex(encode(effect.packet, last.cause.version ?? version))] : [])) }
}

function malformed(version: ProtocolVersion, wanted: (packet: string) => boolean): readonly FixtureCase[] {
  return loadFixtures().flatMap(({ row, cases }) => (row.version === version && wanted(row.packet) ? cases.filter(({ error }) => error !== undefined) : []))
}

const hexOf = (code: number): string => code.toString(16).padStart(2, '0')

test.before(() => { Error.stackTraceLimit = 0 })
test.after(() => { Error.stackTraceLimit = 10 })

test('MQTT-4.8.0-1, MQTT-4.13.1-1, SPEC-4.13.1-1: whatever is malformed ends the connection: 3.x without a word, 5.0 with DISCONNECT and its code, and the Will is due', () => {
  for (const version of VERSIONS) {
    const [client, server] = [deepFreeze(connected('client', version)), deepFreeze(connected('server', version, { connect: { will: WILL } }))]
    let tried = 0
    everyCase(malformed(version, (packet) => packet !== 'connect'), ({ error: expected }, bytes) => {
      const error = faultIn(bytes, version)
      if (error === undefined) return
      tried++
      assert.is(error.reasonCode, expected!.reasonCode)
      for (const state of [client, server]) {
        const { cause, written } = end(state, error, version)
        // A code that only the other side may send is told as 0x82, Protocol Error.
        const code = maySend(state.role, 'disconnect', error.reasonCode) ? error.reasonCode : 0x82
        assert.equal(written, version === 5 ? [`e0 01 ${hexOf(code)}`] : [])
        assert.equal([cause.rule, cause.offset], [error.rule, expected!.offset])
        assert.is(cause.will?.topic, state === server ? '/hans/will' : undefined)
      }
    })
    assert.ok(tried > 300, `${tried} cases of version ${version}`)
  }
})

test('MQTT-3.1.4-1 (3.1.1), MQTT-3.1.4-1 (5.0): a CONNECT that is malformed ends the connection: 3.x says nothing, or return code 1 to a level it does not know; 5.0 CONNACK and its code', () => {
  const awaiting = deepFreeze(initial({ role: 'server' }))
  for (const version of VERSIONS) {
    let tried = 0
    everyCase(malformed(version, (packet) => packet === 'connect'), ({ error: expected }, bytes) => {
      const error = faultIn(bytes, undefined)
      if (error === undefined) return
      tried++
      const { cause, written } = end(awaiting, error, version)
      assert.is(cause.will, undefined, 'nobody has been accepted')
      if (error.version === 5) assert.equal(written, [`20 03 00 ${hexOf(maySend('server', 'connack', error.reasonCode) ? error.reasonCode : 0x82)} 00`])
      else if (error.version !== undefined && expected!.reasonCode === 0x84) assert.equal(written, ['20 02 00 01'])
      else assert.equal(written, [])
    })
    assert.ok(tried > 100, `${tried} cases of version ${version}`)
  }
})

test('MQTT-3.1.0-1 (3.1.1), MQTT-3.1.0-1 (5.0): a first packet that is no CONNECT, well formed or not, ends the connection without a word', () => {
  const awaiting = deepFreeze(initial({ role: 'server' }))
  for (const { row, cases } of loadFixtures()) {
    if (row.packet === 'connect') continue
    everyCase(cases, ({ hex }) => {
      const error = faultIn(fromHex(hex), undefined)
      if (error !== undefined) assert.equal(end(awaiting, error, row.version).written, [])
    })
  }
})

test('SPEC-4.13.1-1: with an Authentication Method a malformed AUTH is answered by CONNACK, and by DISCONNECT after it', () => {
  const properties = { authenticationMethod: 'SCRAM-SHA-1' }
  const before = deepFreeze(authenticating('server', 5, { connect: { properties } }))
  const after = deepFreeze(connected('server', 5, { connect: { properties }, connack: { properties } }))
  everyCase(malformed(5, (packet) => packet === 'auth'), (_, bytes) => {
    const error = faultIn(bytes, 5)
    if (error === undefined) return
    const code = hexOf(error.reasonCode)
    assert.equal([end(before, error, 5).written, end(after, error, 5).written], [[`20 03 00 ${code} 00`], [`e0 01 ${code}`]])
  })
})

test.run()
