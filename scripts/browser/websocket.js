// A client on the browser's own WebSocket, with nothing but a vendored connack: connects, subscribes, publishes to itself, pings, disconnects.
// The loop is that of docs/integrate.md. Gives one line for the report; rejects with the sentence of the close cause where it ends otherwise.

const PATIENCE = 10_000

export function overWebSocket({ encode, initial, PacketStream, transition }, url, version) {
  return new Promise((resolve, reject) => {
    // 6.0.0-3: the subprotocol is mqtt; MQTT 3.1's was mqttv3.1.
    const socket = new WebSocket(url, version === 3 ? 'mqttv3.1' : 'mqtt')
    socket.binaryType = 'arraybuffer'
    const stream = new PacketStream({ version })
    const timers = new Map()
    const deadline = setTimeout(() => { end(new Error(`nothing came of it in ${PATIENCE} ms`)) }, PATIENCE)
    const heard = []
    let state = initial({ role: 'client' })

    const act = (input) => {
      const step = transition(state, input)
      state = step.state
      for (const effect of step.effects) run(effect, input)
    }
    const run = (effect, input) => {
      switch (effect.type) {
        case 'write': return socket.send(encode(effect.packet, version))
        case 'deliver': return delivered(effect.packet ?? input.packet)
        case 'arm': clearTimeout(timers.get(effect.timer)); return void timers.set(effect.timer, setTimeout(() => { act({ type: 'timer', timer: effect.timer }) }, effect.ms))
        case 'disarm': return clearTimeout(timers.get(effect.timer))
        case 'refuse': return end(effect.error)
        case 'close': socket.close(); return end(effect.cause.why === 'disconnect' && effect.cause.by === 'client' ? undefined : new Error(effect.cause.sentence))
      }
    }
    // Each answer brings the next request.
    const delivered = (packet) => {
      heard.push(packet.type)
      if (packet.type === 'connack') act({ type: 'send', packet: { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'connack/browser', qos: 0 }] } })
      else if (packet.type === 'suback') act({ type: 'send', packet: { type: 'publish', topic: 'connack/browser', payload: 'ŭ' } })
      else if (packet.type === 'publish') {
        if (new TextDecoder().decode(packet.payload) !== 'ŭ') return end(new Error('the payload that came is not the one that went'))
        act({ type: 'send', packet: { type: 'disconnect' } })
      }
    }
    const end = (error) => {
      clearTimeout(deadline)
      for (const timer of timers.values()) clearTimeout(timer)
      if (error !== undefined) reject(error)
      else resolve(`${socket.protocol}: ${heard.join(', ')}, disconnected`)
    }
    socket.onopen = () => act({ type: 'send', packet: { type: 'connect', version, clientId: `browser-${version}`, cleanStart: true, keepAlive: 60 } })
    socket.onmessage = ({ data }) => {
      stream.push(new Uint8Array(data))
      try {
        for (let packet = stream.next(); packet !== undefined; packet = stream.next()) act({ type: 'received', packet })
      } catch (error) {
        act({ type: 'malformed', error })
      }
    }
    socket.onclose = () => act({ type: 'closed' })
  })
}
