// A client that comes back and a small server that keeps sessions, with messages of QoS 1 and 2 both ways, through a proxy that drops connections after
// any number of bytes. Nothing is lost, no message of QoS 2 comes twice, every order is kept. `npm run soak:cuts -- 1000 7`: so many cuts, this seed.
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import type { ProtocolVersion, Publish } from '../../src/codec/index.ts'
import { newSession, sizeOf } from '../../src/fsm/index.ts'
import type { Session } from '../../src/fsm/index.ts'
import { reconnecting } from '../../src/transport/index.ts'
import { listenTcp, tcpDuplex } from '../../src/transport/tcp.ts'
import type { Peer } from '../../src/transport/tcp.ts'
import { randomFrom } from '../../test/helpers/random.ts'

export interface Cuts {
  /** what is wrong, in words; nothing, one hopes */
  readonly complaints: readonly string[]
  readonly cuts: number
  readonly connections: number
  /** published, and how many of those of QoS 1 came more than once */
  readonly up: number
  readonly down: number
  readonly repeated: number
  readonly seconds: number
}

/** Messages of one direction and QoS: numbered by whoever publishes, written down by whoever gets them. */
class Lane {
  readonly name: string
  readonly qos: 1 | 2
  published = 0
  settled = 0
  readonly heard: number[] = []

  constructor(name: string, qos: 1 | 2) {
    this.name = name
    this.qos = qos
  }

  complaints(): string[] {
    const { name, qos, published, settled, heard } = this
    const firsts = [...new Set(heard)]
    const lost = Array.from({ length: published }, (_, i) => i).filter((i) => !firsts.includes(i))
    return [
      ...(lost.length > 0 ? [`${name}: ${lost.length} lost, the first is ${lost[0]}`] : []),
      ...(firsts.some((number, i) => number !== i) ? [`${name}: out of order from ${firsts.findIndex((number, i) => number !== i)}`] : []),
      ...(qos === 2 && firsts.length < heard.length ? [`${name}: ${heard.length - firsts.length} came twice`] : []),
      ...(settled === published ? [] : [`${name}: ${published - settled} of ${published} are not settled`]),
    ]
  }

  get repeated(): number {
    return this.heard.length - new Set(this.heard).size
  }
}

export async function runCuts(version: ProtocolVersion, wanted: number, seed: number): Promise<Cuts> {
  const from = performance.now()
  const dice = randomFrom(seed * 10 + version)
  const lanes = { up: [new Lane('up, QoS 1', 1), new Lane('up, QoS 2', 2)], down: [new Lane('down, QoS 1', 1), new Lane('down, QoS 2', 2)] } as const
  let connections = 0
  const server = await keepingServer(lanes.up, lanes.down, () => proxy.cuts < wanted)
  const proxy = await cuttingProxy(server.port, wanted, dice)
  const client = reconnecting({
    open: () => new Promise((resolve, reject) => {
      connections++
      const socket = connect({ port: proxy.port, host: '127.0.0.1' }, () => { resolve(tcpDuplex(socket)) })
      socket.on('error', reject)
    }),
    connect: { version, clientId: 'kitchen', cleanStart: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}) },
    // A Client that has never lost its first CONNACK knows its session, which is empty.
    session: newSession('kitchen'), backoff: { base: 2, maximum: 4 }, random: () => dice(1000) / 1000, flapping: { times: Infinity, lived: 0 },
  })
  let slow = 0
  client.onPublish = async (message) => {
    lanes.down[message.qos - 1]?.heard.push(numberIn(message))
    if (slow++ % 10 === 0) await new Promise((resolve) => { setImmediate(resolve) })
  }
  const stuck = setTimeout(() => { proxy.stuck() }, 120_000)
  // Keeps a window of messages under way until there have been enough cuts.
  await Promise.all(lanes.up.flatMap((lane) => Array.from({ length: 15 }, async () => {
    while (proxy.cuts < wanted) {
      const payload = String(lane.published++)
      await client.publish({ topic: 'up', payload, qos: lane.qos })
      lane.settled++
    }
  })))
  await server.idle()
  clearTimeout(stuck)
  await client.end()
  await client.finished
  await server.close()
  await proxy.close()
  const all = [...lanes.up, ...lanes.down]
  return {
    complaints: all.flatMap((lane) => lane.complaints()), cuts: proxy.cuts, connections, repeated: all.reduce((sum, { repeated }) => sum + repeated, 0),
    up: lanes.up[0].published + lanes.up[1].published, down: lanes.down[0].published + lanes.down[1].published, seconds: (performance.now() - from) / 1000,
  }
}

function numberIn({ payload }: Publish): number {
  return Number(new TextDecoder().decode(payload))
}

/** Keeps the session of its one client, and has messages for it while `more` says so. */
async function keepingServer(heard: readonly Lane[], sends: readonly Lane[], more: () => boolean): Promise<{ port: number, idle: () => Promise<void>, close: () => Promise<void> }> {
  let session: Session | undefined
  let current: Peer | undefined
  const server = await listenTcp({ port: 0 }, (peer) => {
    peer.onConnect = async () => {
      const older = current
      current = peer
      if (older !== undefined) {
        older.abort()
        await older.finished
        session = older.session ?? session
      }
      await peer.accept({ session })
    }
    peer.onPublish = (message) => { heard[message.qos - 1]?.heard.push(numberIn(message)) }
    peer.onClose = () => { if (current === peer) session = peer.session ?? session }
  })
  const unfinished = (): number => (current?.session === undefined ? 0 : sizeOf(current.session).ours)
  // What is published while a peer is connected is in its session at once; what happens to the connection then is the session's affair.
  const turn = setInterval(() => {
    for (const lane of sends) {
      while (more() && current?.state.phase === 'connected' && unfinished() < 20) {
        const payload = String(lane.published++)
        lane.settled++
        current.publish({ topic: 'down', payload, qos: lane.qos }).catch(() => {})
        if (lane.published % 5 === 0) break
      }
    }
  }, 1)
  return {
    port: server.port,
    idle: async () => { while (current?.state.phase !== 'connected' || unfinished() > 0) await new Promise((resolve) => { setTimeout(resolve, 5) }) },
    close: async () => {
      clearInterval(turn)
      await server.close()
    },
  }
}

/** Forwards bytes, and drops each connection after a number of them, in the middle of whatever it is; when it has done so `wanted` times it drops none. */
async function cuttingProxy(to: number, wanted: number, dice: (bound: number) => number): Promise<{ port: number, cuts: number, stuck: () => void, close: () => Promise<void> }> {
  const self = { port: 0, cuts: 0, stuck: () => { console.error('nothing has moved for two minutes'); process.exit(1) }, close: () => new Promise<void>((resolve) => { server.close(() => { resolve() }) }) }
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true })
    // Some within the handshake, most among messages.
    let left = self.cuts >= wanted ? Infinity : dice(5) === 0 ? dice(60) : 60 + dice(4000)
    const drop = (): void => {
      if (left > 0) return
      self.cuts++
      left = Infinity
      // In good order, as far as TCP knows, or not.
      for (const socket of [near, far]) if (dice(2) === 0) socket.destroy(); else socket.resetAndDestroy()
    }
    const pass = (source: Socket, target: Socket): void => {
      source.on('data', (chunk: Buffer) => {
        const part = chunk.subarray(0, left)
        left -= part.length
        if (part.length > 0 && !target.destroyed) target.write(part, () => { drop() })
        else drop()
      })
      source.on('end', () => { target.end() })
      source.on('error', () => {})
      source.on('close', () => { target.destroy() })
    }
    pass(near, far)
    pass(far, near)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  self.port = (server.address() as AddressInfo).port
  return self
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const cuts = Number(process.argv[2] ?? 1000)
  const seed = Number(process.argv[3] ?? Date.now() % 100_000)
  process.on('unhandledRejection', (reason) => { console.error('unhandled rejection', reason); process.exit(1) })
  for (const version of [4, 5] as const) {
    const result = await runCuts(version, cuts, seed)
    console.log(`version ${version}, seed ${seed}: ${result.cuts} cuts, ${result.connections} attempts, ${result.up} messages up and ${result.down} down, ${result.repeated} of QoS 1 came again; ${result.seconds.toFixed(1)} s`)
    for (const complaint of result.complaints) console.error(`MISSED  ${complaint}`)
    if (result.complaints.length === 0) console.log('met     nothing lost, no QoS 2 twice, order kept')
    else process.exitCode = 1
  }
}
