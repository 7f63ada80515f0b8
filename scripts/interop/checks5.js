// What only 5.0 has.
const PROPERTIES = {
  payloadFormatIndicator: 1, contentType: 'text/plain', responseTopic: 'answers/here', correlationData: new TextEncoder().encode('c-1'),
  userProperties: [['b', '1'], ['a', '2'], ['b', '3']],
}

export const CHECKS_5 = [
  {
    name: 'properties of a message pass',
    async run(t) {
      const [to, from] = [await t.connect(), await t.connect()]
      await to.subscribe([{ filter: t.topic(), qos: 1 }])
      await from.publish({ topic: t.topic(), payload: 'with', qos: 1, properties: PROPERTIES })
      const { properties } = await to.inbox.next()
      for (const name of Object.keys(PROPERTIES).slice(0, -1)) t.equal(properties[name], PROPERTIES[name], name)
      // MQTT.js groups them by name; their order within a name is kept.
      const sorted = (pairs) => [...pairs].sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
      t.equal(t.driver.name.startsWith('MQTT.js') ? sorted(properties.userProperties ?? []) : properties.userProperties, t.driver.name.startsWith('MQTT.js') ? sorted(PROPERTIES.userProperties) : PROPERTIES.userProperties, 'userProperties')
    },
  },
  {
    name: 'subscription identifiers',
    async run(t) {
      const [to, from] = [await t.connect(), await t.connect()]
      await to.subscribe([{ filter: t.topic('a'), qos: 1 }], { subscriptionIdentifier: 7 })
      await to.subscribe([{ filter: t.topic('b'), qos: 1 }], { subscriptionIdentifier: 268_435_455 })
      for (const name of ['a', 'b']) await from.publish({ topic: t.topic(name), payload: name, qos: 1 })
      t.equal((await to.inbox.take(2)).map(({ properties }) => properties.subscriptionIdentifiers), [[7], [268_435_455]], 'subscription identifiers')
    },
  },
  {
    name: 'shared subscriptions',
    async run(t) {
      const [one, two, from] = [await t.connect(), await t.connect(), await t.connect()]
      for (const client of [one, two]) await client.subscribe([{ filter: `$share/group/${t.topic()}`, qos: 1 }])
      for (let i = 0; i < 10; i++) await from.publish({ topic: t.topic(), payload: `${i}`, qos: 1 })
      await t.sleep(500)
      const [a, b] = [one, two].map(({ inbox }) => inbox.all.length)
      t.equal(a + b, 10, 'messages to both together')
      if (a === 0 || b === 0) throw new Error('one got them all')
    },
  },
  {
    name: 'topic alias, from the client',
    async run(t) {
      const [to, from] = [await t.connect(), await t.connect()]
      await to.subscribe([{ filter: t.topic(), qos: 1 }])
      await from.publish({ topic: t.topic(), payload: 'first', qos: 1, properties: { topicAlias: 1 } })
      await from.publish({ topic: '', payload: 'second', qos: 1, properties: { topicAlias: 1 } })
      for (const payload of ['first', 'second']) t.message(await to.inbox.next(), { topic: t.topic(), payload })
    },
  },
  {
    name: 'topic alias allowed to the broker',
    async run(t) {
      const [to, from] = [await t.connect({ properties: { topicAliasMaximum: 5 } }), await t.connect()]
      await to.subscribe([{ filter: t.topic('#'), qos: 1 }])
      for (const name of ['a', 'b', 'a', 'b']) await from.publish({ topic: t.topic(name), payload: name, qos: 1 })
      t.equal((await to.inbox.take(4)).map(({ topic }) => topic), ['a', 'b', 'a', 'b'].map(t.topic), 'topics')
    },
  },
  {
    name: 'receive maximum of the client',
    async run(t) {
      const [to, from] = [await t.connect({ properties: { receiveMaximum: 2 } }), await t.connect()]
      await to.subscribe([{ filter: t.topic(), qos: 2 }])
      let release
      to.hold = new Promise((resolve) => { release = resolve })
      for (let i = 0; i < 5; i++) await from.publish({ topic: t.topic(), payload: `${i}`, qos: 1 + i % 2 })
      await t.sleep(500)
      if (to.inbox.all.length > 2) throw new Error(`${to.inbox.all.length} messages at a time, with a Receive Maximum of 2`)
      to.hold = undefined
      release()
      t.equal((await to.inbox.take(5)).length, 5, 'messages')
    },
  },
  {
    name: 'request problem information 0',
    async run(t) {
      const client = await t.connect({ properties: { requestProblemInformation: false } })
      await client.subscribe([{ filter: t.topic(), qos: 1 }])
      await client.publish({ topic: t.topic('nobody'), payload: 'x', qos: 1 })
      await client.unsubscribe([t.topic('never')])
      await client.publish({ topic: t.topic(), payload: 'x', qos: 1, properties: { userProperties: [['still', 'here']] } })
      t.equal((await client.inbox.next()).properties.userProperties, [['still', 'here']], 'userProperties of PUBLISH')
    },
  },
  {
    name: 'message expiry',
    async run(t) {
      const from = await t.connect()
      const first = await t.connect(t.lasting('s'))
      await first.subscribe([{ filter: t.topic(), qos: 1 }])
      await first.disconnect()
      await from.publish({ topic: t.topic(), payload: 'short', qos: 1, properties: { messageExpiryInterval: 1 } })
      await from.publish({ topic: t.topic(), payload: 'long', qos: 1, properties: { messageExpiryInterval: 100 } })
      await t.sleep(2_200)
      const message = await (await t.connect(t.lasting('s'))).inbox.next()
      t.equal(message.payload, 'long', 'what has not expired')
      t.oneOf(message.properties.messageExpiryInterval, [96, 97, 98], 'what is left of 100 s')
    },
  },
  {
    name: 'session expiry',
    async run(t) {
      const options = { ...t.lasting('s'), properties: { sessionExpiryInterval: 1 } }
      const from = await t.connect()
      const first = await t.connect(options)
      await first.subscribe([{ filter: t.topic(), qos: 1 }])
      await first.disconnect()
      await from.publish({ topic: t.topic(), payload: 'missed', qos: 1 })
      await t.sleep(3_200)
      const second = await t.connect(options)
      if (second.sessionPresent !== undefined) t.equal(second.sessionPresent, false, 'Session Present')
      await second.inbox.quiet()
    },
  },
  {
    name: 'PUBACK with no subscribers',
    async run(t) {
      t.oneOf(await (await t.connect()).publish({ topic: t.topic(), payload: 'x', qos: 1 }), [0, 0x10], 'the code of PUBACK')
      t.oneOf(await (await t.connect()).publish({ topic: t.topic(), payload: 'x', qos: 2 }), [0, 0x10], 'the code of PUBCOMP')
    },
  },
  {
    name: 'UNSUBACK with no subscription',
    async run(t) {
      t.equal([...await (await t.connect()).unsubscribe([t.topic()])], [0x11], 'the codes of UNSUBACK')
    },
  },
  {
    name: 'No Local',
    async run(t) {
      const [client, other] = [await t.connect(), await t.connect()]
      await client.subscribe([{ filter: t.topic(), qos: 1, noLocal: true }])
      await client.publish({ topic: t.topic(), payload: 'own', qos: 1 })
      await other.publish({ topic: t.topic(), payload: 'other', qos: 1 })
      t.message(await client.inbox.next(), { payload: 'other' })
    },
  },
  {
    name: 'Retain As Published',
    async run(t) {
      const [client, from] = [await t.connect(), await t.connect()]
      await client.subscribe([{ filter: t.topic(), qos: 1, retainAsPublished: true }])
      for (const retain of [true, false]) await from.publish({ topic: t.topic(), payload: 'live', qos: 1, retain })
      t.equal((await client.inbox.take(2)).map(({ retain }) => retain), [true, false], 'RETAIN')
    },
  },
  {
    name: 'Retain Handling',
    async run(t) {
      const [client, from] = [await t.connect(), await t.connect()]
      await from.publish({ topic: t.topic(), payload: 'kept', qos: 1, retain: true })
      await client.subscribe([{ filter: t.topic(), qos: 1, retainHandling: 2 }])
      await client.inbox.quiet()
      await client.subscribe([{ filter: t.topic(), qos: 1, retainHandling: 1 }])
      await client.inbox.quiet()
      await client.subscribe([{ filter: t.topic(), qos: 1, retainHandling: 0 }])
      t.message(await client.inbox.next(), { payload: 'kept', retain: true })
    },
  },
  {
    name: 'a subscription replaces another',
    async run(t) {
      const [client, from] = [await t.connect(), await t.connect()]
      await client.subscribe([{ filter: t.topic(), qos: 1 }])
      await client.subscribe([{ filter: t.topic(), qos: 0, retainAsPublished: true }])
      await from.publish({ topic: t.topic(), payload: 'live', qos: 1, retain: true })
      t.message(await client.inbox.next(), { payload: 'live', qos: 0, retain: true })
      await client.inbox.quiet(100)
    },
  },
  {
    name: 'Will Delay Interval',
    async run(t) {
      const watcher = await t.connect()
      await watcher.subscribe([{ filter: t.topic(), qos: 1 }])
      const client = await t.connect({ ...t.lasting('s'), will: { topic: t.topic(), payload: 'gone', qos: 1, properties: { willDelayInterval: 1, ...(t.driver.name.startsWith('MQTT.js') ? {} : { contentType: 'text/plain' }) } } })
      client.kill()
      await watcher.inbox.quiet(500)
      t.message(await watcher.inbox.next(), { payload: 'gone' })
    },
  },
  {
    name: 'Will after DISCONNECT 0x04',
    async run(t) {
      const watcher = await t.connect()
      await watcher.subscribe([{ filter: t.topic(), qos: 1 }])
      const client = await t.connect({ will: { topic: t.topic(), payload: 'gone', qos: 1 } })
      await client.disconnect({ reasonCode: 0x04 })
      t.message(await watcher.inbox.next(), { payload: 'gone' })
    },
  },
  {
    name: 'Maximum Packet Size of the client',
    async run(t) {
      const [to, from] = [await t.connect({ properties: { maximumPacketSize: 500 } }), await t.connect()]
      await to.subscribe([{ filter: t.topic(), qos: 1 }])
      for (const payload of ['x'.repeat(600), 'small']) await from.publish({ topic: t.topic(), payload, qos: 1 })
      t.message(await to.inbox.next(), { payload: 'small' })
    },
  },
].map((check) => ({ versions: [5], ...check }))
