import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromJson, toJson } from '../../src/codec/index.ts'
import type { PublishInput } from '../../src/codec/index.ts'
import { newSession, restoreSession, saveSession, sizeOf } from '../../src/fsm/index.ts'
import type { SavedSession, Session } from '../../src/fsm/index.ts'
import { idEntries, setId } from '../../src/fsm/packet-ids.ts'
import type { IdMap } from '../../src/fsm/packet-ids.ts'
import { ACKNOWLEDGED, isMessage, NO_EXCHANGES, reopened, unfinished } from '../../src/fsm/session.ts'
import type { Awaited, Exchange, Owed } from '../../src/fsm/session.ts'
import { deepFreeze } from './helpers.ts'

const MESSAGE: PublishInput = { type: 'publish', topic: 'a', payload: Uint8Array.of(0, 255), qos: 1 }

function exchange(awaits: Awaited, turn: number): Exchange {
  const message = awaits === 'puback' ? MESSAGE : awaits === 'pubrec' ? { ...MESSAGE, qos: 2 as const } : undefined
  return { awaits, turn, message, waits: false, filters: awaits.startsWith('pub') ? 0 : 2, token: `t${turn}` }
}

function sessionWith(ours: readonly (readonly [number, Exchange])[], theirs: readonly (readonly [number, Owed])[] = []): Session {
  let [mine, yours]: [IdMap<Exchange>, IdMap<Owed>] = [undefined, undefined]
  for (const [id, one] of ours) mine = setId(mine, id, one)
  for (const [id, one] of theirs) yours = setId(yours, id, one)
  return deepFreeze({ clientId: 'kitchen', exchanges: { ours: mine, theirs: yours, nextId: 7, nextTurn: ours.length } })
}

const owed = (owes: Owed['owes'], here: boolean, turn: number = 0): Owed => ({ owes, turn, here })

/** To a store and back, as text. */
function stored(session: Session): Session {
  return restoreSession(fromJson(JSON.parse(JSON.stringify(toJson(saveSession(session))))) as SavedSession)
}

test('MQTT-3.1.3-2 (5.0), MQTT-3.1.3-2 (3.1.1): a session is of one Client Identifier, and has nothing under way when new', () => {
  const session = newSession('kitchen')
  assert.equal(session, { clientId: 'kitchen', exchanges: { ours: undefined, theirs: undefined, nextId: 1, nextTurn: 0 } })
  assert.is(session.exchanges, NO_EXCHANGES)
  assert.ok(Object.isFrozen(NO_EXCHANGES))
  assert.equal(sizeOf(session), { ours: 0, theirs: 0 })
  assert.is(reopened(session), session)
})

test('MQTT-3.3.4-1 (5.0), MQTT-3.3.4-1 (3.1.1): PUBACK ends QoS 1, PUBREC and PUBCOMP QoS 2, SUBACK and UNSUBACK a request, and nothing else does', () => {
  assert.equal(ACKNOWLEDGED, {
    puback: { puback: 'done' }, pubrec: { pubrec: 'release' }, pubcomp: { pubcomp: 'done', pubrec: 'repeat' }, suback: { suback: 'done' }, unsuback: { unsuback: 'done' },
  })
  assert.equal(['puback', 'pubrec', 'pubcomp', 'suback', 'unsuback'].map((awaits) => isMessage(exchange(awaits as Awaited, 0))), [true, true, true, false, false])
})

test('MQTT-4.6.0-1 (5.0), MQTT-4.6.0-1 (3.1.1): what is not finished is in the order its last packet went out, not in that of its numbers', () => {
  const { exchanges } = sessionWith([[9, exchange('puback', 0)], [3, exchange('pubcomp', 3)], [5, exchange('suback', 1)], [1, exchange('pubrec', 2)]])
  assert.equal(unfinished(exchanges).map(([id]) => id), [9, 1, 3])
})

test('requests end with their connection, on both sides; so does a QoS 1 message that was not answered: it will come again', () => {
  const session = sessionWith(
    [[1, exchange('suback', 0)], [2, exchange('puback', 1)], [3, exchange('unsuback', 2)]],
    [[1, owed('puback', true)], [2, owed('suback', false, 4)], [3, owed('unsuback', false, 4)]],
  )
  const { clientId, exchanges } = reopened(session)
  assert.is(clientId, 'kitchen')
  assert.equal([...idEntries(exchanges.ours)], [[2, exchange('puback', 1)]])
  assert.is(exchanges.theirs, undefined)
  assert.equal([exchanges.nextId, exchanges.nextTurn], [7, 3])
  assert.equal(sizeOf(session), { ours: 3, theirs: 3 }, 'the old one is as it was')
})

test('turns begin at 0 again when nothing of ours is left', () => {
  assert.equal(reopened(sessionWith([[1, exchange('suback', 5)]])).exchanges, { ours: undefined, theirs: undefined, nextId: 7, nextTurn: 0 })
})

test('MQTT-4.3.3-10 (5.0), MQTT-4.3.3-2 (3.1.1): a QoS 2 message that the application has had is ours on the next connection, answered or not', () => {
  const session = sessionWith([], [[1, owed('pubrec', true, 9)], [2, owed('pubrel', true)], [3, owed('pubrel', false)]])
  const next = reopened(session)
  assert.equal([...idEntries(next.exchanges.theirs)].map(([id, { owes, here }]) => [id, owes, here]), [[1, 'pubrel', false], [2, 'pubrel', false], [3, 'pubrel', false]])
  assert.is(reopened(deepFreeze(next)), next, 'twice is no more than once')
})

test('MQTT-4.1.0-1 (5.0), MQTT-4.1.0-1 (3.1.1): saved and restored as JSON, every message, identifier and their order are there', () => {
  const session = sessionWith(
    [[9, exchange('puback', 0)], [65_535, exchange('pubrec', 1)], [4, exchange('pubcomp', 2)], [2, exchange('suback', 3)]],
    [[8, owed('pubrel', true)], [65_535, owed('pubrel', false)], [1, owed('pubrec', true)], [2, owed('puback', true)], [3, owed('suback', false)]],
  )
  assert.equal(saveSession(session), {
    clientId: 'kitchen', nextId: 7, sent: [{ packetId: 9, message: MESSAGE }, { packetId: 65_535, message: { ...MESSAGE, qos: 2 } }, { packetId: 4 }], received: [8, 65_535],
  })
  const back = stored(session)
  assert.equal(unfinished(back.exchanges), [
    [9, { ...exchange('puback', 0), token: undefined }], [65_535, { ...exchange('pubrec', 1), token: undefined }], [4, { ...exchange('pubcomp', 2), token: undefined }],
  ])
  assert.equal([...idEntries(back.exchanges.theirs)], [[8, owed('pubrel', false)], [65_535, owed('pubrel', false)]])
  assert.equal([back.clientId, back.exchanges.nextId, back.exchanges.nextTurn], ['kitchen', 7, 3])
  // Once more changes nothing, and neither does opening it.
  assert.equal(stored(back), back)
  assert.is(reopened(back), back)
})

test('MQTT-4.3.3-6 (5.0): a message that is the peer\'s already is saved without its content, and comes back as a PUBREL to be answered', () => {
  const back = stored(sessionWith([[4, exchange('pubcomp', 0)]]))
  assert.equal([...idEntries(back.exchanges.ours)].map(([id, { awaits, message }]) => [id, awaits, message]), [[4, 'pubcomp', undefined]])
})

test('what was given to the application and not acknowledged is not saved: it comes again, and QoS 2 is delivered again by the process that begins', () => {
  const session = sessionWith([], [[1, owed('pubrec', true)], [2, owed('puback', true)]])
  assert.equal(saveSession(session).received, [])
  assert.equal(sizeOf(stored(session)), { ours: 0, theirs: 0 })
})

test('a Client Identifier is all that a saved session must have', () => {
  assert.equal(restoreSession({ clientId: 'cellar' }), newSession('cellar'))
  const payload = restoreSession({ clientId: 'cellar', sent: [{ packetId: 1, message: { type: 'publish', topic: 'a', payload: 'text' } }] })
  assert.is(unfinished(payload.exchanges)[0]![1].awaits, 'puback')
})

test('MQTT-2.2.1-3 (5.0), MQTT-2.3.1-1 (3.1.1): a saved Packet Identifier that is none is told by its place', () => {
  for (const id of [0, -1, 65_536, 0x1_0000, 1.5, NaN]) {
    for (const [saved, path] of [[{ sent: [{ packetId: 1 }, { packetId: id }] }, 'sent[1].packetId'], [{ received: [id] }, 'received[0]'], [{ nextId: id }, 'nextId']] as const) {
      assert.throws(() => restoreSession({ clientId: 'kitchen', ...saved }), (error: unknown) => {
        const { name, rule, path: where } = error as { name: string, rule: string, path: string }
        return name === 'UsageError' && rule === 'MQTT-2.2.1-3' && where === path
      })
    }
  }
})

test.run()
