// A client over TLS that comes back by itself: tells that it is there, prints what is published for it, and has its Will tell when it is gone.
//   node examples/client-tls.js mqtts://user:password@localhost:8883 kitchen [ca.pem]
// Ctrl-C ends it. The third argument is for a server whose certificate was signed by a CA of your own.
import { readFileSync } from 'node:fs'
import { reconnecting } from 'connack/connect'

const [url, name, ca] = process.argv.slice(2)
const status = { topic: `devices/${name}/status`, qos: 1, retain: true }
const client = reconnecting(url, {
  tls: ca === undefined ? {} : { ca: readFileSync(ca) },
  connect: {
    version: 5, clientId: name, keepAlive: 30, will: { ...status, payload: 'gone' },
    // An hour without us, and the server may forget what we have missed.
    properties: { sessionExpiryInterval: 3_600 },
  },
})

client.onConnect = ({ sessionOutcome }) => console.log(sessionOutcome === 'resumed' ? 'connected again, the session goes on' : 'connected')
client.onDisconnect = (_reason, wait, sentence) => console.log(`${sentence}${wait === undefined ? '' : ` The next attempt is in ${wait} ms.`}`)
// Acknowledged when this returns, or when its promise resolves.
client.onPublish = ({ topic, payload }) => console.log(`${topic}: ${new TextDecoder().decode(payload)}`)

process.once('SIGINT', async () => {
  await client.publish({ ...status, payload: 'off' })
  await client.end()
})

try {
  const [granted] = await client.subscribe({ filter: `devices/${name}/#`, qos: 1 })
  console.log(`subscribed, QoS ${granted}`)
  // Settles at PUBACK, however many connections that takes.
  await client.publish({ ...status, payload: 'here' })
  await client.closed
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
