// Aedes over TCP, TLS and WebSocket, as a program of its own; tells its ports in one line.
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Aedes } from 'aedes'
import { createWebSocketStream, WebSocketServer } from 'ws'

const [cert, key, username, password] = process.argv.slice(2)
const broker = await Aedes.createBroker({ authenticate: (_client, name, word, done) => { done(null, name === undefined || name === null || (name === username && String(word) === password)) } })
const http = createHttpServer()
new WebSocketServer({ server: http, handleProtocols: (offers) => [...offers][0] }).on('connection', (socket, request) => { broker.handle(createWebSocketStream(socket), request) })
const servers = { tcp: createServer(broker.handle), tls: createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, broker.handle), ws: http }
const ports = {}
for (const [name, server] of Object.entries(servers)) {
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  ports[name] = server.address().port
}
console.log(JSON.stringify(ports))
process.on('SIGTERM', () => { process.exit(0) })
// Whoever started it is gone.
process.stdin.on('end', () => { process.exit(0) }).resume()
