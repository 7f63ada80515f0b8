// Sessions on a broker: kept, gone on with, forgotten, taken over, in every version.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { saveSession } from '../../src/fsm/index.ts'
import { cut, failure, House, keeping } from '../helpers/broker.ts'
import { quiet } from '../helpers/pair.ts'

for (const version of [3, 4, 5] as const) {
  const name = { 3: '3.1', 4: '3.1.1', 5: '5.0' }[version]
  test(`MQTT-3.1.2-4 (3.1.1), MQTT-3.1.2-5 (3.1.1), MQTT-4.1.0-1 (3.1.1), MQTT-4.5.0-1 (3.1.1), MQTT-3.1.2-5 (5.0), MQTT-3.1.2-23 (5.0), MQTT-4.1.0-1 (5.0), MQTT-4.5.0-1 (5.0): who is away gets QoS 1 and 2 when it is back, in ${name}`, async () => {
    const house = new House()
    const first = await house.come('sleeper', keeping(version))
    await first.client.subscribe([{ filter: 'a/#', qos: 2 }, { filter: 'b', qos: 1 }])
    await first.client.disconnect()
    const speaker = await house.come('speaker', { version: 4 })
    for (const qos of [0, 1, 2] as const) await speaker.client.publish({ topic: `a/${qos}`, payload: 'x', qos })
    await speaker.client.publish({ topic: 'b', payload: 'y', qos: 2 })
    const second = await house.come('sleeper', keeping(version), { session: first.client.session })
    await quiet()
    assert.is(second.client.connack.sessionPresent, version !== 3)
    assert.equal(second.heard, ['a/1=x q1', 'a/2=x q2', 'b=y q1'])
    // The subscriptions are there as well.
    await speaker.client.publish({ topic: 'a/3', payload: 'z' })
    await quiet()
    assert.is(second.heard.at(-1), 'a/3=z q0')
    assert.equal(house.errors, [])
  })
}

test.run()
