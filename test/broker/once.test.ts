// From a publisher through the broker to subscribers, every connection cut at random: QoS 2 once and in order, QoS 1 at least once, nothing left behind.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProtocolVersion, Publish } from '../../src/codec/index.ts'
import { saveSession } from '../../src/fsm/index.ts'
import { MemoryStore } from '../../src/broker/index.ts'
import { reconnecting } from '../../src/transport/index.ts'
import type { Peer, ReconnectingClient } from '../../src/transport/index.ts'
import { House, keeping, slowly, until } from '../helpers/broker.ts'
import { pair, quiet } from '../helpers/pair.ts'
import { randomFrom } from '../helpers/random.ts'

const COUNT = 80
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const number = ({ payload }: Publish): number => Number(new TextDecoder().decode(payload))

for (const [version, slow] of [[3, false], [4, false], [5, false], [4, true], [5, true]] as const) {
  test(`MQTT-4.3.3-2 (3.1.1), MQTT-4.3.3-8 (5.0): version ${version}${slow ? ', a slow store' : ''}: exactly once from end to end`, async () => {
    const memory = new MemoryStore()
    const house = new House({ store: slow ? slowly(memory, version).store : memory })
    const random = randomFrom(100 + version)
    const wires: { [name: string]: { readonly cut: () => void } } = {}
    const peers: { [name: string]: Peer } = {}
    let cuts = 0

    const come = (name: string, as: ProtocolVersion): ReconnectingClient => reconnecting({
      backoff: { base: 1, maximum: 2 }, connect: { clientId: name, keepAlive: 0, ...keeping(as) }, timers: house.timers, random: () => random(1000) / 1000,
      open: async () => {
        const wire = pair(1 + random(40))
        wires[name] = wire
        peers[name] = house.broker.accept(wire.server, { timers: house.timers })
        return wire.client
      },
    })
    const perhapsCut = (): void => {
      for (const name of Object.keys(wires)) if (random(100) < 6) cuts++, wires[name]!.cut()
    }

    const speaker = come('speaker', version)
    const heard: { [name: string]: { one: number[], two: number[] } } = {}
    const hearers = (['h0', 'h1'] as const).map((name, i) => {
      // One hearer of another version than the speaker.
      const client = come(name, i === 0 ? version : version === 5 ? 4 : 5)
      const got = heard[name] = { one: [] as number[], two: [] as number[] }
      client.onPublish = async (message) => {
        if (random(4) === 0) await quiet(1)
        got[message.topic as 'one' | 'two'].push(number(message))
      }
      return client
    })
    for (const client of hearers) await client.subscribe([{ filter: 'one', qos: 1 }, { filter: 'two', qos: 2 }])
    const settled: Promise<unknown>[] = []
    for (const i of upTo(COUNT)) {
      settled.push(speaker.publish({ topic: 'two', payload: String(i), qos: 2 }), speaker.publish({ topic: 'one', payload: String(i), qos: 1 }))
      await quiet(2)
      perhapsCut()
    }
    for (let i = 0; i < 60; i++) {
      await quiet(2)
      if (i < 40) perhapsCut()
    }
    await Promise.all(settled)
    const all = Object.values(heard)
    await until(() => all.every(({ one, two }) => two.length >= COUNT && new Set(one).size >= COUNT) && [speaker, ...hearers].every(({ client }) => client?.state.phase === 'connected'))
    for (let i = 0; i < 10; i++) await quiet()
    for (const { one, two } of all) {
      assert.equal(two, upTo(COUNT))
      assert.equal(one.filter((n, i) => one.indexOf(n) === i), upTo(COUNT))
    }
    assert.ok(cuts > 8, `${cuts} cuts`)
    // Both ends are rid of it all.
    for (const client of [speaker, ...hearers]) assert.equal(saveSession(client.client!.session!).sent, [])
    for (const peer of Object.values(peers)) assert.equal(saveSession(peer.session!).sent, [])
    assert.equal([memory.counters.queued, memory.counters.queuedBytes, house.broker.counters.sessions, house.errors], [0, 0, 3, []])
    await Promise.all([speaker, ...hearers].map((client) => client.end()))
  })
}

test.run()
