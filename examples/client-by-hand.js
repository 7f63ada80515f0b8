// A client on a bare node:net socket: bytes → packets → machine → effects → bytes. Connects, publishes with QoS 1, disconnects when that is acknowledged.
//   node examples/client-by-hand.js [port] [host]
// docs/integrate.md has the same step by step, with what a long-lived client needs besides.
import { connect } from 'node:net'
import { encode, initial, PacketStream, transition } from 'connack'

const [port = '1883', host = '127.0.0.1'] = process.argv.slice(2)
const version = 5
const stream = new PacketStream({ version })
const timers = new Map()
let state = initial({ role: 'client' })

const socket = connect(Number(port), host)
socket.on('connect', () => {
  act({ type: 'send', packet: { type: 'connect', version, clientId: 'by-hand', cleanStart: true, keepAlive: 60 }, token: 'connect' })
})
socket.on('data', (bytes) => {
  stream.push(bytes)
  try {
    for (let packet = stream.next(); packet !== undefined; packet = stream.next()) act({ type: 'received', packet })
  } catch (error) {
    act({ type: 'malformed', error })
  }
})
socket.on('error', (error) => act({ type: 'closed', error }))
socket.on('close', () => act({ type: 'closed' }))

function act(input) {
  const step = transition(state, input)
  state = step.state
  for (const effect of step.effects) run(effect, input)
}

function run(effect, input) {
  switch (effect.type) {
    case 'write': return socket.write(encode(effect.packet, version))
    case 'deliver': return delivered(effect.packet ?? input.packet)
    case 'settle': return settled(effect)
    case 'refuse': throw effect.error
    case 'arm': clearTimeout(timers.get(effect.timer)); return timers.set(effect.timer, setTimeout(() => act({ type: 'timer', timer: effect.timer }), effect.ms))
    case 'disarm': return clearTimeout(timers.get(effect.timer))
    case 'close': console.log(effect.cause.sentence); return socket.end()
  }
}

function delivered(packet) {
  console.log('received', packet.type)
}

/** A request with a token is settled by its answer: CONNECT by CONNACK, a message of QoS 1 by PUBACK. */
function settled({ token, packet }) {
  if (packet.reasonCode >= 0x80) return console.log(token, 'was refused')
  if (token === 'connect') return act({ type: 'send', packet: { type: 'publish', topic: 'temperature', payload: '21.5', qos: 1 }, token: 'message' })
  act({ type: 'send', packet: { type: 'disconnect' } })
}
