// The shipped client over the browser's own WebSocket, against a broker: messages of every QoS, and a session that outlives a connection which is
// torn down. `connack` is a module with the names of connack/transport and connack/websocket. Each gives one line for the report, or rejects.

const TOPIC = 'connack/browser/client'
const QOS = [0, 1, 2]
/** A socket's worth: the page sees bufferedAmount rise, and messages in many frames. */
const LARGE = 200_000
const PATIENCE = 10_000

/** Subscribes, publishes to itself with QoS 0, 1 and 2, small and large, and disconnects. */
export async function everyQos({ connectWebSocket }, url, version) {
  const client = await connectWebSocket({ url, connect: { version, clientId: `browser-qos-${version}`, cleanStart: true } })
  const arrived = collector()
  client.onPublish = arrived.take
  const granted = await client.subscribe({ filter: `${TOPIC}/#`, qos: 2 })
  const answers = []
  for (const qos of QOS) {
    for (const payload of [`ŭ${qos}`, new Uint8Array(LARGE).fill(qos)]) {
      const answer = await client.publish({ topic: `${TOPIC}/${qos}`, payload, qos })
      answers.push(answer?.type ?? 'none')
    }
  }
  await arrived.count(6)
  const cause = await client.disconnect()
  const { packetsSent, packetsReceived } = client.counters
  expect('granted', granted, [2])
  expect('answers', answers, ['none', 'none', 'puback', 'puback', 'pubcomp', 'pubcomp'])
  expect('messages', arrived.list, QOS.flatMap((qos) => [`${TOPIC}/${qos} qos ${qos}: ŭ${qos}`, `${TOPIC}/${qos} qos ${qos}: ${LARGE} bytes of ${qos}`]))
  expect('end', [cause.by, cause.why], ['client', 'disconnect'])
  return `QoS 0, 1 and 2, ${arrived.list.length} messages each way, answered by puback and pubcomp; ${packetsSent} packets sent, ${packetsReceived} received`
}

/**
 * A client that comes back. Its connection is dropped with messages of QoS 1 and 2 on the way out; others are published for it while it is gone. Those of
 * QoS 2 arrive once, those of QoS 1 once or more.
 */
export async function comesBack({ connectWebSocket, openWebSocket, reconnecting }, url, version) {
  const connect = (clientId) => ({ version, clientId, cleanStart: true, ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}) })
  const other = await connectWebSocket({ url, connect: connect(`browser-other-${version}`) })
  // 3.1.1 has no other way to say that the session is to be kept.
  const fields = { ...connect(`browser-back-${version}`), cleanStart: version === 5 }
  const outcomes = []
  const sentences = []
  let hold = Promise.resolve()
  const client = reconnecting({
    connect: fields, backoff: { base: 50, maximum: 200 },
    open: async ({ signal }) => {
      await hold
      return openWebSocket({ url, version, signal })
    },
  })
  const arrived = collector()
  client.onPublish = arrived.take
  client.onConnect = ({ sessionOutcome, connack }) => { outcomes.push(`${sessionOutcome ?? 'new'}, Session Present ${connack.sessionPresent ? 1 : 0}`) }
  client.onDisconnect = (_reason, _wait, sentence) => { sentences.push(sentence) }
  await client.subscribe({ filter: `${TOPIC}/back/#`, qos: 2 })

  let comeBack
  hold = new Promise((resolve) => { comeBack = resolve })
  // Two messages leave, and the connection is gone before their answers can come.
  const ours = QOS.slice(1).map((qos) => client.publish({ topic: `${TOPIC}/back/own`, payload: `own ${qos}`, qos }))
  client.client.abort(new Error('torn down by the test'))
  for (const qos of QOS.slice(1)) await other.publish({ topic: `${TOPIC}/back/away`, payload: `away ${qos}`, qos })
  comeBack()
  const answers = (await Promise.all(ours)).map(({ type }) => type)
  await arrived.each(4)
  // Time for what should not come.
  await new Promise((resolve) => { setTimeout(resolve, 200) })
  await client.end()
  await other.disconnect()
  expect('connections', outcomes, ['new, Session Present 0', 'resumed, Session Present 1'])
  expect('answers', answers, ['puback', 'pubcomp'])
  const twice = arrived.list.filter((line, i) => arrived.list.indexOf(line) < i)
  expect('QoS 2 twice', twice.filter((line) => line.includes('qos 2')), [])
  expect('messages', [...new Set(arrived.list)].sort(), ['away qos 1: away 1', 'away qos 2: away 2', 'own qos 1: own 1', 'own qos 2: own 2'].map((line) => `${TOPIC}/back/${line}`))
  expect('ends', sentences.length, 1)
  return `torn down and resumed, Session Present 1; 2 messages of its own on the way and 2 while it was gone: QoS 2 once, QoS 1 ${twice.length === 0 ? 'once' : 'at least once'}`
}

/** What arrives, as lines; and a promise of so many of them. */
function collector() {
  const list = []
  let wake = () => {}
  return {
    list,
    take: ({ topic, qos, payload }) => {
      const text = payload.length < 100 ? new TextDecoder().decode(payload) : `${payload.length} bytes of ${payload.every((byte) => byte === payload[0]) ? payload[0] : 'many kinds'}`
      list.push(`${topic} qos ${qos}: ${text}`)
      wake()
    },
    count: (wanted) => wait(wanted, () => list.length),
    /** the same of different ones */
    each: (wanted) => wait(wanted, () => new Set(list).size),
  }
  function wait(wanted, size) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => { reject(new Error(`of ${wanted} messages came ${size()} in ${PATIENCE} ms: ${list.join('; ')}`)) }, PATIENCE)
      wake = () => {
        if (size() < wanted) return
        clearTimeout(late)
        resolve()
      }
      wake()
    })
  }
}

function expect(what, got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(got)} where ${JSON.stringify(wanted)} was expected`)
}
