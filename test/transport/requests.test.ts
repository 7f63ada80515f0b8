// What is asked of a connection: settled once, in order, and never left hanging behind Receive Maximum.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { restoreSession } from '../../src/fsm/index.ts'
import { failure, lab, text } from '../helpers/lab.ts'
import { quiet } from '../helpers/pair.ts'

test('5.0 §4.9: what waits for Receive Maximum goes in its order, whatever else is answered meanwhile', async () => {
  const heard: string[] = []
  const answers: (() => void)[] = []
  const { client } = await lab({}, {
    accept: { properties: { receiveMaximum: 1 } },
    set: (peer) => {
      peer.onSubscribe = () => 0
      peer.onPublish = (message) => {
        heard.push(text(message))
        answers.push(() => { void peer.send({ type: 'puback', packetId: message.packetId! }) })
        return 'later'
      }
    },
  })
  const all = ['1', '2', '3', '4'].map((payload) => client.publish({ topic: 'a', payload, qos: 1 }))
  // SUBACK, UNSUBACK and PINGRESP make no room: message 2 was tried on each, refused, and went to the end.
  await Promise.all([client.subscribe('x'), client.ping()])
  await client.subscribe('y')
  while (heard.length < 4 || answers.length > 0) {
    await quiet(5)
    answers.shift()?.()
  }
  await Promise.all(all)
  assert.equal(heard, ['1', '2', '3', '4'])
})

test('a message that waits and turns out to be none does not hold up those behind it', async () => {
  const { client } = await lab({}, { accept: { properties: { receiveMaximum: 1, maximumPacketSize: 200 } } })
  const [one, filter, large, two] = [client.publish({ topic: 'a', payload: '1', qos: 1 }), failure(client.publish({ topic: 'a/#', payload: '', qos: 1 })),
    failure(client.publish({ topic: 'a', payload: new Uint8Array(300), qos: 1 })), client.publish({ topic: 'a', payload: '2', qos: 1 })]
  assert.is((await one)!.type, 'puback')
  assert.is((await filter).name, 'UsageError')
  assert.match((await large).message, /200 bytes/)
  assert.is((await two)!.type, 'puback')
})

test('messages of a stored session have no promise: their end makes room all the same', async () => {
  const session = restoreSession({ clientId: 'kitchen', sent: [{ packetId: 7, message: { type: 'publish', topic: 'a', payload: 'old', qos: 1 } }] })
  const heard: string[] = []
  const { client } = await lab({ session }, {
    accept: { sessionPresent: true, properties: { receiveMaximum: 1 } },
    set: (peer) => { peer.onPublish = async (message) => { heard.push(text(message)); await quiet(3) } },
  })
  await client.publish({ topic: 'a', payload: 'new', qos: 1 })
  assert.equal(heard, ['old', 'new'])
})

test.run()
