// Each way in which a connection does not come about, from servers that follow a script: one sentence each, and the bytes.
import { createServer as createHttpServer } from 'node:http'
import type { Socket } from 'node:net'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encode, fromHex, PacketStream } from '../../src/codec/index.ts'
import type { PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import { identity } from './certificate.ts'
import type { Identity } from './certificate.ts'
import { answering, run, serve } from './helpers.ts'
import type { Run, Scripted } from './helpers.ts'

const folder = mkdtempSync(path(tmpdir(), 'connack-'))
test.after(() => { rmSync(folder, { recursive: true }) })

const doctor = (url: string, ...args: string[]): Promise<Run> => run(['doctor', url, '--timeout', '0.5', ...args])

/** Runs the doctor on a scripted server and closes it. */
async function visit(server: Scripted, url: (port: number) => string, ...args: string[]): Promise<Run> {
  try {
    return await doctor(url(server.port), ...args)
  } finally {
    await server.close()
  }
}

/** The last line: what is the matter. */
function verdict({ out }: Run): string {
  return /verdict +(.*)$/.exec(out.split('\n').find((line) => line.includes('verdict')) ?? '')?.[1] ?? ''
}

/** A server that knows these versions and, if given, wants this password; it answers PINGREQ. */
function broker(versions: readonly ProtocolVersion[] = [3, 4, 5], password?: string, connack: PacketInput = { type: 'connack', reasonCode: 0 }): (socket: Socket) => void {
  return (socket) => {
    const stream = new PacketStream()
    socket.on('data', (chunk: Uint8Array) => {
      stream.push(chunk)
      for (let packet = stream.next(); packet !== undefined; packet = stream.next()) {
        if (packet.type === 'pingreq') socket.write(encode({ type: 'pingresp' }, 5))
        if (packet.type === 'disconnect') socket.end()
        if (packet.type !== 'connect') continue
        const { version } = packet
        if (!versions.includes(version)) socket.end(encode({ type: 'connack', reasonCode: version === 5 ? 0x84 : 1 }, version))
        else if (password !== undefined && new TextDecoder().decode(packet.password) !== password) socket.end(encode({ type: 'connack', reasonCode: version === 5 ? 0x86 : 4 }, version))
        else socket.write(encode(version === 5 ? connack : { type: 'connack', reasonCode: 0 }, version))
      }
    })
  }
}

const tlsServer = ({ cert, key }: Identity, script: (socket: Socket) => void, more: object = {}): Promise<Scripted> => serve(script, (listener) => createTlsServer({ cert, key, ...more }, listener).on('tlsClientError', () => {}))

/** The upgrade of RFC 6455, then the frames' payload for the script; what the script writes is cut into frames of `size` bytes, as a server may. */
function webSocket(script: (socket: Socket) => void, { where = '/mqtt', protocol = 'mqtt', size = 1 } = {}): (socket: Socket) => void {
  return (socket) => {
    let raw = Buffer.alloc(0)
    let open = false
    const listeners: ((chunk: Uint8Array) => void)[] = []
    const inner = {
      on: (event: string, listener: (chunk: Uint8Array) => void) => { if (event === 'data') listeners.push(listener) },
      write: (bytes: Uint8Array) => {
        // A message of many frames, with a ping among them.
        for (let at = 0; at < bytes.length; at += size) {
          const piece = bytes.subarray(at, at + size)
          socket.write(Uint8Array.of((at + size >= bytes.length ? 0x80 : 0) | (at === 0 ? 2 : 0), piece.length, ...piece))
          if (at === 0) socket.write(Uint8Array.of(0x89, 1, 0x21))
        }
      },
      end: (bytes?: Uint8Array) => {
        if (bytes !== undefined) inner.write(bytes)
        socket.end(Uint8Array.of(0x88, 2, 0x03, 0xe8))
      },
    }
    script(inner as unknown as Socket)
    socket.on('data', (chunk: Uint8Array) => {
      raw = Buffer.concat([raw, chunk])
      if (!open) {
        const end = raw.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = raw.subarray(0, end).toString('latin1')
        raw = raw.subarray(end + 4)
        if (!head.startsWith(`GET ${where} `)) {
          socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
          return
        }
        const key = /Sec-WebSocket-Key: (\S+)/.exec(head)![1]!
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`)
        open = true
      }
      while (raw.length >= 6) {
        assert.is(raw[1]! & 0x80, 0x80, 'a client masks')
        const length = raw[1]! & 0x7f
        assert.ok(length < 126)
        if (raw.length < 6 + length) return
        const data = raw.subarray(6, 6 + length).map((byte, i) => byte ^ raw[2 + (i % 4)]!)
        const opcode = raw[0]! & 0x0f
        raw = raw.subarray(6 + length)
        if (opcode === 2) for (const listener of listeners) listener(Uint8Array.from(data))
        else if (opcode === 10) assert.equal([...data], [0x21])
      }
    })
  }
}

test('doctor: all is well, in each version, with ping and limits', async () => {
  const result = await visit(await serve(broker([3, 4, 5], undefined, { type: 'connack', reasonCode: 0, properties: { receiveMaximum: 20, retainAvailable: false, assignedClientIdentifier: 'auto-1' } })), (port) => `mqtt://127.0.0.1:${port}`)
  assert.is(result.status, 0, result.out)
  assert.is(verdict(result), 'MQTT 5.0, 3.1.1 and 3.1 work.')
  for (const pattern of [/✓ dns +127\.0\.0\.1 is an address/, /✓ tcp +127\.0\.0\.1:\d+ accepts/, /✓ connect +MQTT 5\.0: accepted, Client Identifier "auto-1" assigned/, /✓ ping +PINGREQ is answered \([\d.]+ ms\)/, /limits +Receive Maximum 20, Retain Available no|limits +.*Receive Maximum 20/]) assert.match(result.out, pattern)
  assert.is(result.err, '')
})

test('doctor: a name with several addresses, and one that is none', async () => {
  const server = await serve(broker())
  const result = await visit(server, (port) => `mqtt://localhost:${port}`)
  assert.is(result.status, 0)
  assert.match(result.out, /dns +localhost is .*127\.0\.0\.1/)
  const none = await doctor('mqtt://no-such-host.invalid')
  assert.is(none.status, 7)
  assert.match(verdict(none), /^(There is no host called no-such-host\.invalid|The name no-such-host\.invalid cannot be looked up|The name server has not answered)/)
})

test('doctor: nothing listens', async () => {
  const server = await serve(() => {})
  await server.close()
  const result = await doctor(`mqtt://127.0.0.1:${server.port}`)
  assert.equal([result.status, verdict(result)], [7, `Nothing listens on 127.0.0.1:${server.port}.`])
})

test('doctor: a silent server', async () => {
  const result = await visit(await serve(() => {}), (port) => `mqtt://127.0.0.1:${port}`, '-V', '5')
  assert.equal([result.status, verdict(result)], [7, 'The server takes the connection and never answers CONNECT (waited 500 ms): it is no MQTT server, or it hangs.'])
})

test('doctor: an HTTP server, with the bytes that show it', async () => {
  const http = createHttpServer((_, response) => { response.end('hello') })
  const result = await visit(await serve(() => {}, () => http), (port) => `mqtt://127.0.0.1:${port}`)
  assert.is(result.status, 7)
  assert.match(verdict(result), /^An HTTP server answers on this port: MQTT is on another one, or inside WebSocket here/)
  assert.match(result.out, /48 54 54 50 2f 31 2e 31 20 34 30 30/)
})

test('doctor: other protocols on the port are named', async () => {
  for (const [opening, name] of [['SSH-2.0-OpenSSH_9.2\r\n', 'SSH'], ['INFO {"server_id":"x"}\r\n', 'NATS'], ['220 mail ESMTP\r\n', 'SMTP or FTP'], ['-ERR unknown command\r\n', 'Redis']] as const) {
    const result = await visit(await serve((socket) => { socket.write(opening) }), (port) => `mqtt://127.0.0.1:${port}`)
    assert.equal([result.status, verdict(result)], [7, `${name} is spoken on this port, not MQTT.`])
  }
})

test('doctor: plain MQTT said to a TLS port, whether it answers with an alert or closes', async () => {
  const server = await tlsServer(identity(), broker())
  const result = await visit(server, (port) => `mqtt://localhost:${port}`)
  assert.equal([result.status, verdict(result)], [7, `This port speaks TLS: use mqtts://localhost:${server.port}.`])
  const alert = await serve(answering((_, socket) => {
    socket.end(fromHex('15 03 01 00 02 02 46'))
    return undefined
  }))
  const alerted = await visit(alert, (port) => `mqtt://127.0.0.1:${port}`)
  assert.is(verdict(alerted), `This port speaks TLS: use mqtts://127.0.0.1:${alert.port}.`)
  assert.match(alerted.out, /15 03 01 00 02 02 46/)
})

test('doctor: TLS said to a plain port, of MQTT and of HTTP', async () => {
  const plain = await serve((socket) => {
    socket.once('data', (first: Uint8Array) => {
      if (first[0] === 0x16) socket.destroy()
      else socket.write(fromHex('20 02 00 00'))
    })
  })
  const result = await visit(plain, (port) => `mqtts://127.0.0.1:${port}`, '-u', 'hans', '-P', 'geheim')
  assert.equal([result.status, verdict(result)], [7, `This port speaks plain MQTT and not TLS: use mqtt://127.0.0.1:${plain.port}.`])
  const http = await visit(await serve(() => {}, () => createHttpServer()), (port) => `mqtts://127.0.0.1:${port}`)
  assert.is(verdict(http), 'This port speaks HTTP and not TLS.')
  const web = await serve(webSocket(broker()))
  assert.is(verdict(await visit(web, (port) => `wss://127.0.0.1:${port}/mqtt`)), `This port speaks plain HTTP and not TLS (status 101): use ws://127.0.0.1:${web.port}/mqtt.`)
})

test('doctor: no password goes over a connection that nobody can trust', async () => {
  const seen: Uint8Array[] = []
  const record = (socket: Socket): void => { socket.on('data', (chunk: Uint8Array) => { seen.push(chunk) }) }
  const args = ['-u', 'hans', '-P', 'geheim']
  await visit(await tlsServer(identity(), record), (port) => `mqtts://localhost:${port}`, ...args)
  await visit(await serve(record), (port) => `mqtts://localhost:${port}`, ...args)
  await visit(await serve(record), (port) => `wss://localhost:${port}`, ...args)
  assert.not.match(Buffer.concat(seen).toString('latin1'), /geheim|hans/)
})

test('doctor: TLS that works, with its facts; the authority by --cafile, ALPN by --tls-alpn', async () => {
  const own = identity({ name: 'broker' })
  writeFileSync(path(folder, 'ca.pem'), own.cert)
  const result = await visit(await tlsServer(own, broker(), { ALPNProtocols: ['mqtt'] }), (port) => `mqtts://localhost:${port}`, '--cafile', path(folder, 'ca.pem'), '--tls-alpn', 'mqtt')
  assert.is(result.status, 0, result.out)
  assert.match(result.out, /✓ tls +TLSv1\.3, TLS_\w+, ALPN mqtt; CN=broker, issued by CN=broker, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d/)
  const json = await visit(await tlsServer(own, broker()), (port) => `mqtts://localhost:${port}`, '--cafile', path(folder, 'ca.pem'), '--json')
  const tls = json.out.split('\n').map((line) => JSON.parse(line) as { stage: string, ok: boolean, daysLeft: number }).find(({ stage }) => stage === 'tls')
  assert.ok(tls!.daysLeft > 360 && tls!.ok)
})

test('doctor: certificates that expired, that are not valid yet, that sign themselves, that are for another host, that nobody knows', async () => {
  const day = 86_400_000
  const now = Date.now()
  const authority = identity({ name: 'authority' })
  for (const [wishes, pattern, trusted] of [
    [{ from: new Date(now - 40 * day), until: new Date(now - 10.5 * day) }, /^The certificate of CN=localhost expired on \d{4}-\d\d-\d\d, 11 days ago\./, true],
    [{ from: new Date(now + 5 * day) }, /^The certificate of CN=localhost is not valid before \d{4}-\d\d-\d\d: is this machine's clock right\?/, true],
    [{}, /^The certificate of CN=localhost is signed by itself: --cafile makes it trusted\./, false],
    [{ hosts: ['other.example'] }, /^The certificate is for DNS:other\.example.*, and not for localhost\./, true],
    [{ issuer: { name: 'authority', privateKey: authority.privateKey } }, /^The (server sends its certificate without those|certificate leads to an authority)/, false],
  ] as const) {
    const own = identity(wishes)
    writeFileSync(path(folder, 'ca.pem'), own.cert)
    const trust = trusted ? ['--cafile', path(folder, 'ca.pem')] : []
    const result = await visit(await tlsServer(own, broker()), (port) => `mqtts://localhost:${port}`, ...trust)
    assert.is(result.status, 7)
    assert.match(verdict(result), pattern)
    assert.match(verdict(result), /nothing was sent; --insecure does/)
    const insecure = await visit(await tlsServer(own, broker()), (port) => `mqtts://localhost:${port}`, '--insecure', ...trust)
    assert.is(insecure.status, 0, insecure.out)
  }
  const soon = identity({ until: new Date(now + 3.5 * day) })
  writeFileSync(path(folder, 'ca.pem'), soon.cert)
  assert.match((await visit(await tlsServer(soon, broker()), (port) => `mqtts://localhost:${port}`, '--cafile', path(folder, 'ca.pem'))).out, /only 3 days left/)
})

test('doctor: a server that wants a client certificate', async () => {
  const own = identity()
  writeFileSync(path(folder, 'ca.pem'), own.cert)
  writeFileSync(path(folder, 'key.pem'), own.key)
  const asking = { requestCert: true, rejectUnauthorized: true, ca: own.cert, maxVersion: 'TLSv1.2' }
  const result = await visit(await tlsServer(own, broker(), asking), (port) => `mqtts://localhost:${port}`, '--cafile', path(folder, 'ca.pem'))
  assert.is(result.status, 7, result.out)
  assert.match(verdict(result), /client certificate|closed the connection in the TLS handshake/)
  const with_ = await visit(await tlsServer(own, broker(), asking), (port) => `mqtts://localhost:${port}`, '--cafile', path(folder, 'ca.pem'), '--cert', path(folder, 'ca.pem'), '--key', path(folder, 'key.pem'))
  assert.is(with_.status, 0, with_.out)
})

test('doctor: a TLS server that never answers', async () => {
  const result = await visit(await serve(() => {}), (port) => `mqtts://127.0.0.1:${port}`)
  assert.equal([result.status, verdict(result)], [7, 'No answer to the TLS ClientHello within 500 ms.'])
})

test('doctor: the wrong password, and none, with the CONNACK code as exit status', async () => {
  const wrong = await visit(await serve(broker([3, 4, 5], 'geheim')), (port) => `mqtt://hans:falsch@127.0.0.1:${port}`)
  assert.equal([wrong.status, verdict(wrong)], [0x86, 'The server refuses this user name or password: 0x86 Bad User Name or Password.'])
  assert.not.match(wrong.out + wrong.err, /falsch/)
  const none = await visit(await serve(broker([4], 'geheim')), (port) => `mqtt://127.0.0.1:${port}`)
  assert.equal([none.status, verdict(none)], [4, 'The server wants a user name and password (-u, -P): 0x04 Connection refused, bad user name or password.'])
  const right = await visit(await serve(broker([3, 4, 5], 'geheim')), (port) => `mqtt://127.0.0.1:${port}`, '-u', 'hans', '-P', 'geheim', '-d')
  assert.is(right.status, 0)
  assert.match(right.err, /→ CONNECT[^]*Password: ••••[^]*← CONNACK[^]*→ PINGREQ/)
  assert.not.match(right.err, /geheim|67 65 68/)
  assert.match((await visit(await serve(broker()), (port) => `mqtt://hans:geheim@127.0.0.1:${port}`, '-d', '--show-secrets')).err, /67 65 68 65 69 6d/)
})

test('doctor: versions refused, some and all, in the form of 3.1.1 too, and without a word', async () => {
  const some = await visit(await serve(broker([4])), (port) => `mqtt://127.0.0.1:${port}`)
  assert.equal([some.status, verdict(some)], [0, 'MQTT 3.1.1 works; 5.0 is refused (0x84 Unsupported Protocol Version), 3.1 is refused (0x01 Connection refused, unacceptable protocol version).'])
  const all = await visit(await serve(broker([])), (port) => `mqtt://127.0.0.1:${port}`)
  assert.equal([all.status, verdict(all)], [0x84, 'The server does not speak MQTT 5.0, 3.1.1 or 3.1: 0x84 Unsupported Protocol Version.'])
  // As NATS and aedes do.
  const older = await visit(await serve(answering((request, socket) => (request[8] === 5 ? (socket.end(fromHex('20 02 00 01')), undefined) : fromHex('20 02 00 00')))), (port) => `mqtt://127.0.0.1:${port}`, '-V', '5')
  assert.equal([older.status, verdict(older)], [1, 'The server does not speak MQTT 5.0: 0x01 Connection refused, unacceptable protocol version.'])
  const mute = await visit(await serve(answering((_, socket) => (socket.end(), undefined))), (port) => `mqtt://127.0.0.1:${port}`)
  assert.is(mute.status, 7)
  assert.match(verdict(mute), /^The server closes the connection without a word after CONNECT \(MQTT 5\.0, 3\.1\.1 and 3\.1\)/)
})

test('doctor: other refusals, with what the server says', async () => {
  const banned = encode({ type: 'connack', reasonCode: 0x9d, properties: { reasonString: 'gone\u001b[31m', serverReference: 'other:1883' } }, 5)
  const result = await visit(await serve(answering((_, socket) => (socket.end(banned), undefined))), (port) => `mqtt://127.0.0.1:${port}`, '-V', '5')
  assert.is(result.status, 0x9d)
  assert.is(verdict(result), 'The server refuses the connection: 0x9d Server moved; it says "gone\\u001b[31m"; use other:1883.')
})

test('doctor: an answer that is not MQTT, and a PINGREQ without one', async () => {
  const nonsense = await visit(await serve(answering(() => fromHex('ff ff ff ff ff'))), (port) => `mqtt://127.0.0.1:${port}`, '-V', '4')
  assert.equal([nonsense.status, verdict(nonsense)], [7, 'What the server answers to CONNECT is not MQTT.'])
  const early = await visit(await serve(answering(() => fromHex('d0 00'))), (port) => `mqtt://127.0.0.1:${port}`, '-V', '4')
  assert.match(early.out, /the first packet is PINGRESP, not CONNACK/)
  const deaf = await visit(await serve(answering(() => fromHex('20 02 00 00'))), (port) => `mqtt://127.0.0.1:${port}`, '-V', '4')
  assert.match(deaf.out, /✗ ping +PINGREQ: no PINGRESP within 500 ms/)
  const talkative = await visit(await serve((socket) => {
    socket.on('data', (request: Uint8Array) => { if (request[0] !== 0xe0) socket.write(request[0] === 0xc0 ? fromHex('30 03 00 01 61 d0 00') : fromHex('20 02 00 00')) })
  }), (port) => `mqtt://127.0.0.1:${port}`, '-V', '4')
  assert.match(talkative.out, /✓ ping +PINGREQ is answered/)
})

test('doctor: WebSocket, its frames cut and pings among them; the subprotocol must come back', async () => {
  for (const size of [1, 3, 100]) {
    const result = await visit(await serve(webSocket(broker(), { size })), (port) => `ws://127.0.0.1:${port}/mqtt`)
    assert.is(result.status, 0, result.out)
    assert.match(result.out, /✓ websocket +101 on \/mqtt, subprotocol mqtt/)
  }
  for (const protocol of ['', 'chat']) {
    const result = await visit(await serve(webSocket(broker(), { protocol })), (port) => `ws://127.0.0.1:${port}/mqtt`)
    assert.match(result.out, /✗ websocket +101 on \/mqtt, but (no subprotocol|subprotocol chat), where it must be mqtt/)
  }
  const own = identity()
  writeFileSync(path(folder, 'ca.pem'), own.cert)
  assert.is((await visit(await tlsServer(own, webSocket(broker())), (port) => `wss://localhost:${port}/mqtt`, '--cafile', path(folder, 'ca.pem'))).status, 0)
})

test('doctor: the WebSocket path is wrong, and where the right one is; or there is no WebSocket at all', async () => {
  const server = await serve(webSocket(broker()))
  const result = await visit(server, (port) => `ws://127.0.0.1:${port}/mqtts`)
  assert.equal([result.status, verdict(result)], [7, `The WebSocket path is wrong: /mqtts is answered with 404 Not Found, and /mqtt with 101. Use ws://127.0.0.1:${server.port}/mqtt.`])
  const http = await visit(await serve(() => {}, () => createHttpServer((_, response) => { response.end('hello') })), (port) => `ws://127.0.0.1:${port}/mqtt`)
  assert.match(verdict(http), /^The WebSocket path is wrong, or there is no WebSocket here: an HTTP server answers 200 OK on \/mqtt/)
  const forbidden = await visit(await serve(answering((_, socket) => (socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'), undefined))), (port) => `ws://127.0.0.1:${port}/mqtt`)
  assert.is(verdict(forbidden), 'The HTTP server refuses the upgrade on /mqtt with 403 Forbidden.')
})

test('doctor: WebSocket asked of what is no HTTP server, or of one that does not understand it', async () => {
  const plain = await serve((socket) => {
    socket.once('data', (first: Uint8Array) => { if (first[0] === 0x47) socket.end(); else socket.write(fromHex('20 02 00 00')) })
  })
  assert.is(verdict(await visit(plain, (port) => `ws://127.0.0.1:${port}/`)), `This port speaks plain MQTT and not WebSocket: use mqtt://127.0.0.1:${plain.port}.`)
  for (const [answer, pattern] of [
    ['SSH-2.0-x\r\n', /This port speaks SSH and not WebSocket/], ['HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: no\r\n\r\n', /has not understood the upgrade/], [`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`, /header of more than 16384 bytes|closed/],
  ] as const) {
    assert.match((await visit(await serve((socket) => { socket.once('data', () => { socket.write(answer) }) }), (port) => `ws://127.0.0.1:${port}/`)).out, pattern)
  }
  const silent = await visit(await serve(() => {}), (port) => `ws://127.0.0.1:${port}/`)
  assert.match(verdict(silent), /^No answer to the WebSocket upgrade within 500 ms\./)
})

test('doctor --json: one object a stage, nothing else on standard output', async () => {
  const result = await visit(await serve(broker([4])), (port) => `mqtt://127.0.0.1:${port}`, '--json')
  const stages = result.out.split('\n').map((line) => JSON.parse(line) as { readonly stage: string, readonly ok?: boolean, readonly version?: number, readonly reasonCode?: number, readonly evidence?: string })
  assert.equal(stages.map(({ stage, ok }) => [stage, ok]), [['dns', true], ['tcp', true], ['connect', false], ['connect', true], ['ping', true], ['limits', undefined], ['connect', false], ['verdict', true]])
  assert.equal(stages.filter(({ stage }) => stage === 'connect').map(({ version, reasonCode, evidence }) => [version, reasonCode, evidence]), [[5, 0x84, '20 03 00 84 00'], [4, undefined, '20 02 00 00'], [3, 1, '20 02 00 01']])
})

test.run()
