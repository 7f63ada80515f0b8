// A program that does one thing with connections, says `done` and has nothing more to do: does the process end by itself? Run by exits.test.ts.
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { reconnecting } from '../../src/transport/index.ts'
import type { Duplex, ReconnectingClient } from '../../src/transport/index.ts'
import { connectTcp, listenTcp, tcpDuplex } from '../../src/transport/tcp.ts'

/** Ports of servers in another process: one as it should be, one that refuses, one that accepts and never closes its side, one that says nothing. */
const [scenario, ...ports] = process.argv.slice(2)
const [good, refusing, stubborn, silent] = ports.map(Number) as [number, number, number, number]
const limits = { closeTimeout: 200 }
/** 3.1.1: the stubborn server answers by heart */
const CONNECT = { version: 4, clientId: 'a' } as const
const ignore = (): void => {}

function comingBack(port: number): ReconnectingClient {
  const open = (): Promise<Duplex> => new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => { resolve(tcpDuplex(socket)) })
    socket.on('error', reject)
  })
  return reconnecting({ open, connect: CONNECT, limits })
}

const connected = async (client: ReconnectingClient): Promise<void> => { while (client.client === undefined) await sleep(5) }

const SCENARIOS: { readonly [name: string]: () => Promise<unknown> } = {
  'connectTcp, disconnect': async () => (await connectTcp({ port: good, connect: CONNECT })).disconnect(),
  'connectTcp, a server that does not close its side': async () => (await connectTcp({ port: stubborn, connect: CONNECT, limits })).disconnect(),
  'connectTcp, nobody listens': async () => {
    const server = createServer()
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => { server.close(resolve) })
    await connectTcp({ port }).catch(ignore)
  },
  'connectTcp, refused': () => connectTcp({ port: refusing, connect: CONNECT }).catch(ignore),
  'connectTcp, misuse': () => connectTcp({ port: good, connect: { version: 4, clientId: '', cleanStart: false } }).catch(ignore),
  'connectTcp, aborted before it begins': () => connectTcp({ port: good, signal: AbortSignal.abort() }).catch(ignore),
  'connectTcp, aborted while it opens': async () => {
    const stop = new AbortController()
    const opening = connectTcp({ port: good, signal: stop.signal })
    stop.abort()
    await opening.catch(ignore)
  },
  'connectTcp, aborted while authenticating': () => connectTcp({ port: silent, signal: AbortSignal.timeout(100) }).catch(ignore),
  'connectTcp, no CONNACK in time': () => connectTcp({ port: silent, limits: { connackTimeout: 100, closeTimeout: 200 } }).catch(ignore),
  'connectTcp, aborted while connected': async () => {
    const client = await connectTcp({ port: good, connect: CONNECT })
    client.abort()
    await client.closed
  },
  'connectTcp, aborted while closing': async () => {
    const client = await connectTcp({ port: stubborn, connect: CONNECT, limits: { closeTimeout: 60_000 } })
    const ended = client.disconnect()
    await sleep(20)
    client.abort()
    await ended
  },
  'connectTcp, messages and a handler that never ends': async () => {
    const client = await connectTcp({ port: good, connect: CONNECT })
    client.onPublish = () => new Promise(ignore)
    await client.publish({ topic: 'a', payload: '', qos: 2 })
    await client.disconnect()
  },
  'reconnecting, ended while opening': async () => {
    const client = reconnecting({ open: () => new Promise(ignore) })
    await sleep(5)
    await client.end()
  },
  'reconnecting, ended while waiting': async () => {
    const client = reconnecting({ open: () => Promise.reject(new Error('nobody')), backoff: { base: 60_000, maximum: 60_000 }, random: () => 0.99 })
    await sleep(5)
    await client.end()
  },
  'reconnecting, ended while authenticating': async () => {
    const client = comingBack(silent)
    await sleep(50)
    await client.end()
  },
  'reconnecting, ended while connected': async () => {
    const client = comingBack(good)
    await connected(client)
    await client.publish({ topic: 'a', payload: '', qos: 1 })
    await client.end()
  },
  'reconnecting, ended while closing': async () => {
    const client = comingBack(stubborn)
    await connected(client)
    void client.client!.disconnect()
    await client.end()
  },
  'reconnecting, aborted and ended': async () => {
    const client = comingBack(good)
    await connected(client)
    client.client!.abort()
    await client.end()
  },
  'reconnecting, over by itself': () => reconnecting({ open: () => Promise.reject(new Error('nobody')), attempts: 2, backoff: { base: 1, maximum: 1 } }).closed,
  'listenTcp, closed with a client in it': async () => {
    const server = await listenTcp({ port: 0 }, (peer) => { peer.onConnect = () => peer.accept() })
    const client = await connectTcp({ port: server.port })
    await server.close()
    await client.closed
  },
}

if (scenario === undefined) for (const name of Object.keys(SCENARIOS)) console.log(name)
else {
  await SCENARIOS[scenario]!()
  console.log('done')
}
