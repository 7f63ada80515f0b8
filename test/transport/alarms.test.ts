// The timers of one connection, by name.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Timers } from '../../src/transport/index.ts'
import { Alarms } from '../../src/transport/alarms.ts'
import { FakeClock } from '../helpers/clock.ts'

function rig(): { readonly clock: FakeClock, readonly alarms: Alarms, readonly fired: string[] } {
  const clock = new FakeClock()
  const fired: string[] = []
  const timers = new Timers(clock)
  return { clock, fired, alarms: new Alarms(timers, { fired: (alarm) => { fired.push(`${alarm} ${clock.time - 1000}`) } }) }
}

test('each fires once, by its name, no earlier than told', () => {
  const { clock, alarms, fired } = rig()
  alarms.arm('connect', 100, undefined, clock.now())
  alarms.arm('drain', 50, undefined, clock.now())
  clock.pass(1000)
  assert.equal(fired.map((line) => line.split(' ')[0]), ['drain', 'connect'])
  for (const [line, least] of [[fired[0]!, 50], [fired[1]!, 100]] as const) assert.ok(Number(line.split(' ')[1]) >= least, line)
})

test('armed again it fires at the new time only; disarmed, and all disarmed, it does not', () => {
  const { clock, alarms, fired } = rig()
  alarms.arm('pingresp', 100, undefined, clock.now())
  alarms.arm('pingresp', 500, undefined, clock.now())
  alarms.arm('auth', 100, undefined, clock.now())
  alarms.disarm('auth')
  alarms.disarm('auth')
  clock.pass(400)
  assert.equal(fired, [])
  clock.pass(200)
  assert.is(fired.length, 1)
  for (const alarm of ['close', 'drain', 'handler'] as const) alarms.arm(alarm, 10, undefined, clock.now())
  alarms.disarmAll()
  clock.pass(1000)
  assert.is(fired.length, 1)
  assert.is(clock.pending, 0)
})

test('silence begins anew with every packet of its direction, and with no other', () => {
  const { clock, alarms, fired } = rig()
  alarms.arm('keep-alive', 1000, 'received', clock.now())
  clock.pass(900)
  assert.ok(alarms.heard('received', clock.now()))
  assert.not(alarms.heard('sent', clock.now()))
  clock.pass(900)
  assert.equal(fired, [])
  clock.pass(200)
  assert.is(fired.length, 1)
  assert.ok(alarms.heard('received', clock.now()), 'it can be taken back after it has fired')
  clock.pass(1100)
  assert.is(fired.length, 2)
  alarms.disarm('keep-alive')
  assert.not(alarms.heard('received', clock.now()))
})

test('MQTT-3.1.2-23 (3.1.1): what is to be sent in time sets out a little early: a tenth, half a second at most', () => {
  const { clock, alarms, fired } = rig()
  alarms.arm('keep-alive', 1000, 'sent', clock.now())
  clock.pass(950)
  assert.is(fired.length, 1)
  alarms.arm('keep-alive', 60_000, 'sent', clock.now())
  clock.pass(59_400)
  assert.is(fired.length, 1)
  clock.pass(200)
  assert.is(fired.length, 2)
})

test.run()
