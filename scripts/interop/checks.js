// What is tried, written once for every client and every broker: `run(t)` throws where something is not as the standard has it. See trial.js for `t`.
// Checks of 5.0 alone are in checks5.js, of broken connections in checks-cut.js.
import { PASSWORD, USERNAME } from './brokers.js'
import { RefusedBy } from './inbox.js'

const ALL = [3, 4, 5]

export const CHECKS = [
  {
    name: 'connect, disconnect',
    async run(t) {
      const client = await t.connect()
      if (client.sessionPresent !== undefined) t.equal(client.sessionPresent, false, 'Session Present')
      await client.disconnect()
    },
  },
  {
    name: 'wrong password refused',
    async run(t) {
      const error = await t.connect({ username: USERNAME, password: `${PASSWORD}!` }).then(() => { throw new Error('accepted') }, (refused) => refused)
      if (!(error instanceof RefusedBy)) throw error
      t.oneOf(error.reasonCode, t.version === 5 ? [0x86, 0x87] : [4, 5], 'the code of CONNACK')
    },
  },
  {
    name: 'empty Client Identifier',
    versions: [4, 5],
    async run(t) {
      const client = await t.connect({ clientId: '' })
      if (t.version === 5 && client.clientId === '') throw new Error('no Assigned Client Identifier')
      await client.disconnect()
    },
  },
  {
    name: 'pings while idle',
    async run(t) {
      const client = await t.connect({ keepAlive: 2 })
      await client.ping?.()
      await t.sleep(4_600)
      await client.subscribe([{ filter: t.topic(), qos: 1 }])
      await client.disconnect()
    },
  },
  ...[0, 1, 2].map((qos) => ({
    name: `QoS ${qos} there and back`,
    async run(t) {
      const [to, from] = [await t.connect(), await t.connect()]
      const granted = t.granted(await to.subscribe([{ filter: t.topic('#'), qos }]), qos)
      for (const payload of ['one', 'two', '']) t.settled(await from.publish({ topic: t.topic('a'), payload, qos }))
      for (const payload of ['one', 'two', '']) t.message(await to.inbox.next(), { topic: t.topic('a'), payload, qos: Math.min(qos, granted), retain: false })
      await to.inbox.quiet(100)
    },
  })),
  {
    name: 'the lower QoS of two counts',
    async run(t) {
      const [low, high, from] = [await t.connect(), await t.connect(), await t.connect()]
      await low.subscribe([{ filter: t.topic(), qos: 0 }])
      await high.subscribe([{ filter: t.topic(), qos: 2 }])
      const sent = [0, 1, 2].slice(0, t.highest + 1)
      for (const qos of sent) await from.publish({ topic: t.topic(), payload: `${qos}`, qos })
      const got = async (client) => (await client.inbox.take(sent.length)).sort((a, b) => a.payload - b.payload).map(({ qos }) => qos)
      t.equal(await got(low), sent.map(() => 0), 'QoS on a subscription of QoS 0')
      t.equal(await got(high), sent, 'QoS on a subscription of QoS 2')
    },
  },
  {
    name: 'wildcards + and #',
    async run(t) {
      const [plus, hash, from] = [await t.connect(), await t.connect(), await t.connect()]
      await plus.subscribe([{ filter: t.topic('a/+/c'), qos: 1 }])
      await hash.subscribe([{ filter: t.topic('a/#'), qos: 1 }])
      for (const name of ['a/b/c', 'a', 'a/b/d', 'b']) await from.publish({ topic: t.topic(name), payload: name, qos: 1 })
      t.equal((await plus.inbox.take(1)).map(({ payload }) => payload), ['a/b/c'], '+')
      t.equal((await hash.inbox.take(3)).map(({ payload }) => payload), ['a/b/c', 'a', 'a/b/d'], '#')
      await plus.inbox.quiet(100)
    },
  },
  {
    name: '100,000 bytes',
    async run(t) {
      const [to, from] = [await t.connect(), await t.connect()]
      await to.subscribe([{ filter: t.topic(), qos: 1 }])
      const payload = 'größer '.repeat(12_500)
      await from.publish({ topic: t.topic(), payload, qos: 1 })
      if ((await to.inbox.next()).payload !== payload) throw new Error('the payload is another one')
    },
  },
  {
    name: '200 messages both ways at once',
    async run(t) {
      const client = await t.connect()
      await client.subscribe([{ filter: t.topic(), qos: t.highest }])
      const sent = Array.from({ length: 200 }, (_, i) => client.publish({ topic: t.topic(), payload: `${i}`, qos: Math.min(1 + i % 2, t.highest) }))
      await Promise.all(sent)
      const got = (await client.inbox.take(200)).map(({ payload }) => Number(payload))
      t.equal([...got].sort((a, b) => a - b), sent.map((_, i) => i), 'the messages')
    },
  },
  {
    name: 'retained: kept, sent, cleared',
    async run(t) {
      const [from, live] = [await t.connect(), await t.connect()]
      await live.subscribe([{ filter: t.topic(), qos: 1 }])
      await from.publish({ topic: t.topic(), payload: 'kept', qos: 1, retain: true })
      t.message(await live.inbox.next(), { payload: 'kept', retain: false })
      const late = await t.connect()
      await late.subscribe([{ filter: t.topic(), qos: 1 }])
      t.message(await late.inbox.next(), { payload: 'kept', retain: true, qos: 1 })
      await from.publish({ topic: t.topic(), payload: '', qos: 1, retain: true })
      const later = await t.connect()
      await later.subscribe([{ filter: t.topic(), qos: 1 }])
      await later.inbox.quiet()
    },
  },
  {
    name: 'Will after a broken connection',
    async run(t) {
      const watcher = await t.connect()
      await watcher.subscribe([{ filter: t.topic(), qos: 1 }])
      const client = await t.connect({ will: { topic: t.topic(), payload: 'gone', qos: 1 } })
      client.kill()
      t.message(await watcher.inbox.next(), { payload: 'gone', qos: 1, retain: false })
    },
  },
  {
    name: 'retained Will',
    async run(t) {
      const watcher = await t.connect()
      await watcher.subscribe([{ filter: t.topic(), qos: 0 }])
      const client = await t.connect({ will: { topic: t.topic(), payload: 'gone', retain: true } })
      client.kill()
      t.message(await watcher.inbox.next(), { payload: 'gone', retain: false })
      const late = await t.connect()
      await late.subscribe([{ filter: t.topic(), qos: 0 }])
      t.message(await late.inbox.next(), { payload: 'gone', retain: true })
    },
  },
  {
    name: 'no Will after DISCONNECT',
    async run(t) {
      const watcher = await t.connect()
      await watcher.subscribe([{ filter: t.topic(), qos: 1 }])
      const client = await t.connect({ will: { topic: t.topic(), payload: 'gone', qos: 1 } })
      await client.disconnect()
      await watcher.inbox.quiet()
    },
  },
  ...[1, 2].map((qos) => ({
    name: `session kept, missed QoS ${qos}`,
    async run(t) {
      const from = await t.connect()
      const first = await t.connect(t.lasting('s'))
      t.granted(await first.subscribe([{ filter: t.topic(), qos }]), qos)
      await first.disconnect()
      for (const payload of ['one', 'two', 'three']) await from.publish({ topic: t.topic(), payload, qos })
      const second = await t.connect(t.lasting('s'))
      if (second.sessionPresent !== undefined && t.version !== 3) t.equal(second.sessionPresent, true, 'Session Present')
      for (const payload of ['one', 'two', 'three']) t.message(await second.inbox.next(), { payload, qos, retain: false })
      await second.inbox.quiet(100)
    },
  })),
  {
    name: 'a clean start discards the session',
    async run(t) {
      const from = await t.connect()
      const first = await t.connect(t.lasting('s'))
      await first.subscribe([{ filter: t.topic(), qos: 1 }])
      await first.disconnect()
      const second = await t.connect({ clientId: t.id('s') })
      if (second.sessionPresent !== undefined) t.equal(second.sessionPresent, false, 'Session Present')
      await from.publish({ topic: t.topic(), payload: 'missed', qos: 1 })
      await second.inbox.quiet()
    },
  },
  {
    name: 'takeover',
    async run(t) {
      const first = await t.connect({ clientId: t.id('s') })
      const second = await t.connect({ clientId: t.id('s') })
      const { reasonCode } = await t.within(first.gone, 'the end of the older connection')
      if (t.version === 5) t.equal(reasonCode, 0x8e, 'the Reason Code of DISCONNECT')
      await second.subscribe([{ filter: t.topic(), qos: 0 }])
      await second.publish({ topic: t.topic(), payload: 'here' })
      await second.inbox.next()
    },
  },
  {
    name: 'unsubscribe',
    async run(t) {
      const [to, from] = [await t.connect(), await t.connect()]
      await to.subscribe([{ filter: t.topic('a'), qos: 1 }, { filter: t.topic('b'), qos: 1 }])
      const codes = await to.unsubscribe([t.topic('a')])
      if (t.version === 5 && codes !== undefined) t.equal([...codes], [0], 'the codes of UNSUBACK')
      await from.publish({ topic: t.topic('a'), payload: 'a', qos: 1 })
      await from.publish({ topic: t.topic('b'), payload: 'b', qos: 1 })
      t.message(await to.inbox.next(), { payload: 'b' })
    },
  },
  ...[['TLS', 'tls'], ['WebSocket', 'ws'], ['a Unix socket', 'unix']].map(([title, transport]) => ({
    name: `over ${title}`,
    transport,
    async run(t) {
      const client = await t.connectOver(transport)
      await client.subscribe([{ filter: t.topic(), qos: 2 }])
      const payload = 'abcdefghij'.repeat(2_000)
      await client.publish({ topic: t.topic(), payload, qos: t.highest })
      if ((await client.inbox.next()).payload !== payload) throw new Error('the payload is another one')
      await client.disconnect()
    },
  })),
].map((check) => ({ versions: ALL, ...check }))
