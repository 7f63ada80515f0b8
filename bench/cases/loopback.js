// End to end. In memory: one server-side connection from bytes to bytes. Over a loopback socket: 64 small packets per
// turn of the event loop, with the writes the operating system saw. A socket write costs 2 to 5 µs however small it is,
// so how many pieces a codec hands over matters more than how fast it makes them.

import net from 'node:net'
import { check, Unable, Wrong } from '../lib/facts.js'
import { needs } from '../lib/ours.js'
import { sink } from '../lib/sink.js'
import { bytesOf } from './bytes.js'
import { packets } from './packets.js'

const PER_TURN = 64

export const cases = [
  { id: 'memory:connection', group: 'loopback', measure: 'time', unit: 'ns', quick: false, prepare: prepareMemory },
  ...['publish64', 'pingresp'].map((name) => ({
    id: `loopback:${name}`, group: 'loopback', measure: 'flow', unit: 'ns', quick: false, prepare: (contender) => prepareLoopback(contender, name),
  })),
  { id: 'loopback:client', group: 'loopback', contenders: ['ours'], measure: 'flow', unit: 'ns', quick: false, prepare: prepareClient },
]

const SESSION = ['connect311', 'pingreq', 'publish64', 'disconnect311']
const CONNACK = { type: 'connack', sessionPresent: false, reasonCode: 0 }
const PINGRESP = { type: 'pingresp' }

/**
 * CONNECT, then PINGREQ and PUBLISH in one read, then DISCONNECT; CONNACK and PINGRESP go out. Ours runs its state
 * machine in between; the others, which have none, only decode and encode.
 */
async function prepareMemory(contender, name) {
  const codec = contender.codec(4)
  const blind = codec.reads && SESSION.find((each) => !codec.reads.has(packets[each].packet.type))
  if (blind) throw new Unable(`does not read ${packets[blind].packet.type.toUpperCase()}`)
  const [connect, pingreq, publish, disconnect] = SESSION.map(bytesOf)
  const reads = [connect, Buffer.concat([pingreq, publish]), disconnect]
  const serve = name === 'ours' ? await oursServes(codec) : codecServes(codec)
  const first = serve(reads)
  if (first.packets !== SESSION.length || first.written !== 6) throw new Wrong(`${first.packets} packets in, ${first.written} bytes out, not 4 and 6`)
  return {
    loop(n) {
      for (let i = 0; i < n; i++) sink.packet = serve(reads)
    },
  }
}

async function oursServes({ encodeInto }) {
  const { initial, transition, PacketStream } = await needs('core', 'initial', 'transition', 'PacketStream')
  const slab = Buffer.alloc(1024)
  return (reads) => {
    const stream = new PacketStream({ maximumPacketSize: 65_536 })
    let state = initial({ role: 'server' })
    let seen = 0
    let end = 0
    const take = (input) => {
      const { state: next, effects } = transition(state, input)
      state = next
      for (let i = 0; i < effects.length; i++) if (effects[i].type === 'write') end = encodeInto(effects[i].packet, slab, end)
    }
    for (let i = 0; i < reads.length; i++) {
      stream.push(reads[i])
      for (let packet = stream.next(); packet !== undefined; packet = stream.next()) {
        seen++
        take({ type: 'received', packet })
        if (packet.type === 'connect') take({ type: 'send', packet: CONNACK })
      }
    }
    return { packets: seen, written: end }
  }
}

function codecServes(codec) {
  const { newDecoder, feed } = codec
  const connack = codec.fromPacket(CONNACK, 4)
  const pingresp = codec.fromPacket(PINGRESP, 4)
  const slab = Buffer.alloc(1024)
  let end
  const stream = { write(piece) { end += piece.length; return true }, destroy(error) { throw error } }
  const write = codec.encodeInto ? (native) => { end = codec.encodeInto(native, slab, end) }
    : codec.writeToStream ? (native) => codec.writeToStream(native, stream)
      : (native) => { end += codec.encode(native).length }
  // Native packets differ in everything but their order, and the order is known.
  let seen
  const onPacket = () => {
    seen++
    if (seen === 1) write(connack)
    if (seen === 2) write(pingresp)
  }
  return (reads) => {
    seen = 0
    end = 0
    const decoder = newDecoder(onPacket)
    for (let i = 0; i < reads.length; i++) feed(decoder, reads[i], onPacket)
    return { packets: seen, written: end }
  }
}

/** A pair of connected sockets, and a count of what the operating system is asked to write. */
async function socketPair() {
  const server = net.createServer({ noDelay: true }).listen(0, '127.0.0.1')
  const accepted = new Promise((resolve) => server.once('connection', resolve))
  await new Promise((resolve) => server.once('listening', resolve))
  const client = net.connect({ port: server.address().port, host: '127.0.0.1', noDelay: true })
  return { client, peer: await accepted, writes: countWrites(client) }
}

/** Counted at the handle, since a corked stream turns many write() calls into one. */
function countWrites(socket) {
  const counted = { count: 0 }
  for (const name of ['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String', 'writeAsciiString', 'writeUcs2String']) {
    const original = socket._handle[name]
    socket._handle[name] = function (...args) {
      counted.count++
      return original.apply(this, args)
    }
  }
  return counted
}

async function prepareLoopback(contender, name) {
  const { packet, version } = packets[name]
  const codec = contender.codec(version)
  if (codec.reads !== undefined && !codec.reads.has(packet.type)) throw new Unable(`does not read ${packet.type.toUpperCase()}`)
  const native = codec.fromPacket(packet, version)
  const { client, peer, writes } = await socketPair()
  let received = 0
  const take = (found) => {
    if (received === 0) check(packet, codec.toPacket(found))
    received++
  }
  const decoder = codec.newDecoder(take)
  peer.on('data', (chunk) => codec.feed(decoder, chunk, take))
  return { send: sender(codec, native, client), count: () => received, writes }
}

/** All packets of a turn, as the contender lets it: into one piece, through its own corked stream, or one write each. */
function sender(codec, native, socket) {
  if (codec.encodeInto !== undefined) {
    return () => {
      const piece = Buffer.allocUnsafe(8192)
      let end = 0
      for (let i = 0; i < PER_TURN; i++) end = codec.encodeInto(native, piece, end)
      socket.write(piece.subarray(0, end))
    }
  }
  const write = codec.writeToStream ? () => codec.writeToStream(native, socket) : () => socket.write(codec.encode(native))
  return () => {
    for (let i = 0; i < PER_TURN; i++) write()
  }
}

/** The public API: a client publishing at QoS 0 to a server, both ours, state machines and all. */
async function prepareClient() {
  const { connectTcp, listenTcp } = await needs('tcp', 'connectTcp', 'listenTcp')
  const writes = { count: 0 }
  const { write } = net.Socket.prototype
  net.Socket.prototype.write = function (...args) {
    writes.count++
    return write.apply(this, args)
  }
  let received = 0
  const server = await listenTcp({ port: 0, host: '127.0.0.1' }, (peer) => {
    peer.onConnect = () => peer.accept({ sessionPresent: false })
    peer['onPublish' in peer ? 'onPublish' : 'onPacket'] = () => { received++ }
  })
  const client = await connectTcp({ host: '127.0.0.1', port: server.port, connect: { version: 4, clientId: 'bench', cleanStart: true, keepAlive: 0 } })
  const { topic, payload } = packets.publish64.packet
  if (typeof client.publish !== 'function') throw new Unable('not available: the client has no publish() yet')
  return {
    send() {
      for (let i = 0; i < PER_TURN; i++) client.publish({ topic, payload, qos: 0 })
    },
    count: () => received,
    writes,
  }
}
