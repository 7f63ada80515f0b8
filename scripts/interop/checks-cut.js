// Connections that break in the middle of something; a proxy between client and broker breaks them.
import { reconnecting } from '../../src/transport/connect.ts'
import { Inbox } from './inbox.js'

const PATIENCE = 400

export const CUT_CHECKS = [
  ...[1, 2].flatMap((qos) => [
    {
      name: `cut before the answer, QoS ${qos}`,
      async run(t) {
        const proxy = await t.proxy()
        const to = await t.connect()
        await to.subscribe([{ filter: t.topic(), qos }])
        const from = await t.connect(t.lasting('s'), { port: proxy.port })
        proxy.swallow('toClient')
        const sent = from.publish({ topic: t.topic(), payload: 'once', qos }).catch(() => {})
        await t.sleep(PATIENCE)
        proxy.cut()
        await t.within(from.gone, 'the end of the connection')
        await from.again()
        await t.within(sent, 'the message settled')
        await t.sleep(PATIENCE)
        const copies = to.inbox.all.length
        if (qos === 2 ? copies !== 1 : copies < 1) throw new Error(`${copies} copies arrived`)
        // Whatever was in flight is over: another one passes.
        await from.publish({ topic: t.topic(), payload: 'next', qos })
        await to.inbox.take(copies + 1)
      },
    },
    {
      name: `cut before it can acknowledge, QoS ${qos}`,
      async run(t) {
        const proxy = await t.proxy()
        const from = await t.connect()
        const to = await t.connect(t.lasting('s'), { port: proxy.port })
        t.granted(await to.subscribe([{ filter: t.topic(), qos }]), qos)
        proxy.swallow('toServer')
        await from.publish({ topic: t.topic(), payload: 'once', qos })
        // At QoS 2 some tell the application at PUBLISH and some at PUBREL; the other one does not count.
        await t.sleep(PATIENCE)
        const before = to.inbox.all.length
        proxy.cut()
        await t.within(to.gone, 'the end of the connection')
        await to.again()
        if (qos === 1) await to.inbox.take(2)
        await t.sleep(PATIENCE)
        const copies = to.inbox.all.length
        if (qos === 2 ? copies !== 1 : before !== 1 || copies < 2) throw new Error(`${copies} copies arrived, ${before} of them before the cut`)
        await from.publish({ topic: t.topic(), payload: 'next', qos })
        while ((await to.inbox.next()).payload !== 'next');
      },
    },
  ]),
  {
    name: 'reconnecting, five cuts',
    ours: true,
    async run(t) {
      const proxy = await t.proxy()
      const qos = t.highest
      const clientOf = (name) => {
        const { clientId, properties, username, password } = t.lasting(name)
        // A clean session of 3.x ends with its first connection, and whatever the Server has for it.
        const cleanStart = t.version === 5
        const client = reconnecting(`mqtt://${username}:${password}@127.0.0.1:${proxy.port}`, { connect: { version: t.version, clientId, cleanStart, properties }, backoff: { base: 20, maximum: 100 }, flapping: { times: 1_000, lived: 1 }, trace: t.trace(clientId) })
        t.later(() => client.end())
        return client
      }
      const [to, from] = [clientOf('to'), clientOf('from')]
      const inbox = new Inbox()
      to.onPublish = ({ payload }) => { inbox.push(new TextDecoder().decode(payload)) }
      await t.within(to.subscribe({ filter: t.topic(), qos }), 'SUBACK')
      const sent = []
      for (let i = 0; i < 60; i++) {
        sent.push(from.publish({ topic: t.topic(), payload: `${i}`, qos }))
        if (i % 10 === 5) proxy.cut()
        await t.sleep(15)
      }
      await t.within(Promise.all(sent), 'all messages settled')
      const missing = () => sent.map((_, i) => `${i}`).filter((payload) => !inbox.all.includes(payload))
      for (let i = 0; i < 50 && missing().length > 0; i++) await t.sleep(100)
      t.equal(missing(), [], 'messages that never came')
      if (qos === 2) t.equal(inbox.all.length, 60, 'copies of 60 messages')
    },
  },
].map((check) => ({ versions: [3, 4, 5], bound: 30_000, ...check }))
