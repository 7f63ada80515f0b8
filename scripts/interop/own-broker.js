// connack's own broker on loopback, over every transport, telling every byte; one for each client under test, so that none disturbs another.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBroker } from '../../src/broker/index.ts'
import { listenTcp } from '../../src/transport/tcp.ts'
import { listenTls } from '../../src/transport/tls.ts'
import { listenWebSocket } from '../../src/transport/websocket-server.ts'
import { CERTIFICATES, packageVersion, PASSWORD, USERNAME } from './brokers.js'
import { onEnd } from './processes.js'

const BAD_USER_NAME_OR_PASSWORD = 0x86

export async function startOwnBroker(folder, watch) {
  const broker = createBroker({
    authenticate: ({ username, password }) => (username === undefined || (username === USERNAME && Buffer.from(password ?? []).toString() === PASSWORD) ? true : BAD_USER_NAME_OR_PASSWORD),
  })
  const handle = (peer) => {
    peer.onTrace = ({ received, written, input }) => {
      if (received !== undefined) watch('<', peer.clientId, received, input.error)
      for (const bytes of written) watch('>', peer.clientId, bytes)
    }
    broker.handle(peer)
  }
  const tls = { cert: readFileSync(CERTIFICATES.cert), key: readFileSync(CERTIFICATES.key) }
  const unix = join(folder, 'own.sock')
  const listeners = [await listenTcp({ port: 0 }, handle), await listenTls({ port: 0, tls }, handle), await listenTcp({ path: unix }, handle)]
  if (packageVersion('ws') !== undefined) {
    const { WebSocketServer } = await import('ws')
    listeners.push(await listenWebSocket({ port: 0, webSocketServer: new WebSocketServer({ noServer: true, maxPayload: 1_048_576 }) }, handle))
  }
  const close = onEnd(async () => {
    await broker.close()
    await Promise.all(listeners.map((listener) => listener.close()))
  })
  const [tcp, secure, , ws] = listeners
  return { tcp: tcp.port, tls: secure.port, unix, ws: ws && `ws://127.0.0.1:${ws.port}/mqtt`, close, broker }
}
