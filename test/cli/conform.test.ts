import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Socket } from 'node:net'
import { casesOf } from '../../src/cli/conform-cases.ts'
import { decode, encode, PacketStream, toHex } from '../../src/codec/index.ts'
import type { Packet, PacketInput, ProtocolVersion } from '../../src/codec/index.ts'
import { loadFixtures } from '../helpers/fixtures.ts'
import { run, serve } from './helpers.ts'
import type { Run, Scripted } from './helpers.ts'

interface Manners {
  readonly versions?: readonly ProtocolVersion[]
  /** what to do with bytes that are malformed */
  readonly onFault?: (socket: Socket, connected: boolean) => void
  /** before each packet; true: it has been dealt with */
  readonly onPacket?: (packet: Packet, socket: Socket) => boolean
}

/** A server as the standard wants it, written anew here; or one with the manners given. */
function server({ versions = [3, 4, 5], onFault = (socket) => { socket.destroy() }, onPacket = () => false }: Manners = {}): (socket: Socket) => void {
  return (socket) => {
    const stream = new PacketStream()
    let version: ProtocolVersion = 5
    let connected = false
    const send = (packet: PacketInput): void => { socket.write(encode(packet, version)) }
    const take = (packet: Packet): void => {
      if (onPacket(packet, socket)) return
      if (connected && packet.type === 'connect') {
        socket.destroy()
        return
      }
      if (packet.type === 'connect') {
        version = packet.version
        connected = versions.includes(version)
        send({ type: 'connack', reasonCode: connected ? 0 : version === 5 ? 0x84 : 1 })
        if (!connected) socket.end()
      } else if (packet.type === 'pingreq') send({ type: 'pingresp' })
      else if (packet.type === 'publish' && packet.qos > 0) send({ type: packet.qos === 1 ? 'puback' : 'pubrec', packetId: packet.packetId! })
      else if (packet.type === 'subscribe') send({ type: 'suback', packetId: packet.packetId, reasonCodes: packet.subscriptions.map(({ qos }) => qos) })
      else if (packet.type === 'unsubscribe') send({ type: 'unsuback', packetId: packet.packetId, ...(version === 5 ? { reasonCodes: packet.filters.map(() => 0x11) } : {}) })
      else if (packet.type === 'disconnect') socket.end()
    }
    socket.on('data', (chunk: Uint8Array) => {
      try {
        stream.push(chunk)
        for (let packet = stream.next(); packet !== undefined; packet = stream.next()) take(packet)
      } catch {
        onFault(socket, connected)
      }
    })
  }
}

/** Fast enough for a test, and never more than three at a time. */
async function conform(script: (socket: Socket) => void, ...args: string[]): Promise<Run & { readonly most: number }> {
  let open = 0
  let most = 0
  const scripted: Scripted = await serve((socket) => {
    most = Math.max(most, ++open)
    socket.on('close', () => { open-- })
    script(socket)
  })
  try {
    return { ...await run(['conform', `mqtt://127.0.0.1:${scripted.port}`, '--rate', '1000', '--wait', '500', ...args]), most }
  } finally {
    await scripted.close()
  }
}

const summary = ({ out }: Run): { readonly right: number, readonly wrong: number, readonly unclear: number, readonly left: number, readonly crashed: readonly string[] } => JSON.parse(out.split('\n').at(-1)!) as ReturnType<typeof summary>

test('conform: the cases are those of the fixtures that leave no room, and none leaves a trace', () => {
  for (const version of [3, 4, 5] as const) {
    const cases = casesOf(version)
    const malformed = loadFixtures().find(({ row }) => row.version === version && row.packet === 'connect')!.cases.filter(({ error }) => error !== undefined)
    const chosen = new Set(cases.filter(({ connected, expect }) => !connected && expect === 'close').map(({ id }) => id))
    assert.ok(malformed.filter(({ id }) => chosen.has(id)).length > 0.8 * malformed.length, `${version}: ${chosen.size} of ${malformed.length}`)
    // 3.1 has fewer statements to break.
    assert.ok(cases.filter(({ connected }) => connected).length > (version === 3 ? 25 : 40), `${version}: ${cases.filter(({ connected }) => connected).length}`)
    assert.is(new Set(cases.map(({ id }) => id)).size, cases.length)
    for (const { expect, bytes, connected, id } of cases) {
      if (expect === 'connack') {
        const packet = decode(bytes, version) as Extract<Packet, { type: 'connect' }>
        assert.equal([packet.will, packet.cleanStart, packet.properties?.sessionExpiryInterval], [undefined, true, undefined], id)
      }
      if (connected && bytes[0]! >> 4 === 3) assert.is(bytes[0]! & 1, 0, `${id}: ${toHex(bytes)}`)
    }
  }
})

test('conform: a server as the standard wants it has every point, and never more than three connections', async () => {
  const result = await conform(server(), '--json')
  assert.is(result.status, 0, result.out.split('\n').filter((line) => !line.includes('"right"')).join('\n'))
  const { right, wrong, unclear, left } = summary(result)
  assert.equal([wrong, unclear, left], [0, 0, 0])
  assert.ok(right > 900, String(right))
  assert.ok(result.most <= 4, String(result.most))
})

test('conform: a server that answers before it closes', async () => {
  const polite = server({
    onFault: (socket, connected) => { socket.end(connected ? Uint8Array.of(0xe0, 2, 0x81, 0) : Uint8Array.of(0x20, 3, 0, 0x81, 0)) },
  })
  const result = await conform(polite, '--all', '-V', '5')
  assert.is(result.status, 0, result.out)
  assert.match(result.out, /✓ v5-connect-\d+ +CONNACK 0x81 Malformed Packet, then closed/)
  assert.match(result.out, /✓ v5-\w+-\d+ +DISCONNECT 0x81 Malformed Packet, then closed/)
})

test('conform: a server that accepts what it must refuse, and one that stays open, are told apart', async () => {
  const lax = (socket: Socket): void => {
    socket.on('data', (chunk: Uint8Array) => { socket.write(chunk[0]! >> 4 === 1 ? Uint8Array.of(0x20, 2, 0, 0) : Uint8Array.of(0xd0, 0)) })
  }
  const accepted = await conform(lax, '-V', '3.1.1', '--at-once', '8')
  assert.is(accepted.status, 1)
  assert.match(accepted.out, /✗ v4-connect-\d+ +accepted: CONNACK 0x00/)
  assert.match(accepted.out, /✗ v4-publish-\d+ +accepted: (a PINGREQ behind it is answered|PINGRESP)/)
  assert.match(accepted.out, /✗ v4-subscribe +no SUBACK within 500 ms/)
  assert.match(accepted.out, /^\d+ of \d+ cases answered as the standard asks \(\d %\)$/m)
  const deaf = await conform(server({ onFault: () => {} }), '-V', '3.1.1', '--json', '--time', '2', '--wait', '100')
  assert.is(deaf.status, 1)
  assert.match(deaf.out, /"score":"wrong","text":"still open after 100 ms"/)
  assert.ok(summary(deaf).left > 0)
})

test('conform: a refusal in the form of 3.1.1, with the connection closed behind it, and left open', async () => {
  for (const [closes, score, text] of [[true, 'right', 'CONNACK 0x01 Connection refused, unacceptable protocol version, then closed'], [false, 'wrong', 'CONNACK 0x01 Connection refused, unacceptable protocol version, and still open after 100 ms']] as const) {
    const older = server({
      onFault: (socket, connected) => {
        if (connected) socket.destroy()
        else if (closes) socket.end(Uint8Array.of(0x20, 2, 0, 1))
        else socket.write(Uint8Array.of(0x20, 2, 0, 1))
      },
    })
    const { out } = await conform(older, '-V', '5', '--json', '--time', closes ? '60' : '1', '--wait', '100')
    assert.ok(out.includes(`"score":"${score}","text":"${text}"`), out.slice(0, 1000))
  }
})

test('conform: a server that talks without end is still open', async () => {
  const talking = (socket: Socket): void => {
    const talk = (): void => { while (!socket.destroyed && socket.write(Buffer.alloc(4096, Uint8Array.of(0xc0, 0)))); }
    socket.on('data', (chunk: Uint8Array) => {
      if (chunk[0]! >> 4 === 1) socket.write(Uint8Array.of(0x20, 2, 0, 0))
      if (++requests > 1) talk()
    })
    socket.on('drain', talk)
  }
  let requests = 0
  const result = await conform(talking, '-V', '3.1.1', '--json', '--time', '2', '--wait', '200', '--at-once', '2')
  assert.is(result.status, 1)
  assert.ok(summary(result).wrong > 0 && summary(result).left > 0)
})

test('conform: --time bounds it all', async () => {
  const begun = performance.now()
  const result = await conform(server({ onFault: () => {} }), '--json', '--time', '1', '--wait', '300')
  assert.ok(performance.now() - begun < 4000)
  assert.ok(summary(result).left > 500)
})

test('conform: a refusal that may be for want of a login proves nothing', async () => {
  const strict = server({ onFault: (socket, connected) => { socket.end(connected ? new Uint8Array(0) : Uint8Array.of(0x20, 2, 0, 5)) } })
  const { right, wrong, unclear } = summary(await conform(strict, '-V', '3.1.1', '--json'))
  assert.is(wrong, 0)
  assert.ok(unclear > 200 && right > 40, `${unclear} ${right}`)
})

test('conform: a server that crashes is told, with the cases before it', async () => {
  let scripted: Scripted | undefined
  const script = server({
    onFault: (socket) => {
      socket.destroy()
      if (++faults === 20) void scripted!.close()
    },
  })
  let faults = 0
  scripted = await serve(script)
  const { status, out } = await run(['conform', `mqtt://127.0.0.1:${scripted.port}`, '--rate', '1000', '--wait', '500'])
  assert.is(status, 7)
  assert.match(out, /The server takes no more connections, after one of: v5-connect-\d+/)
  assert.match(out, /\d+ not sent/)
})

test('conform: a version that is not spoken is left out, and where none is there is nothing to test', async () => {
  const some = await conform(server({ versions: [4] }), '--json')
  assert.match(some.err, /MQTT 5\.0 is left out, since a proper CONNECT is not accepted: refused, 0x84 Unsupported Protocol Version/)
  assert.ok(some.out.split('\n').slice(0, -1).every((line) => (JSON.parse(line) as { version: number }).version === 4))
  const none = await conform(server({ versions: [] }))
  assert.equal([none.status, none.out], [0x84, ''])
  assert.match(none.err, /nothing could be tested/)
  const gone = await serve(() => {})
  await gone.close()
  const nobody = await run(['conform', `mqtt://127.0.0.1:${gone.port}`])
  assert.equal([nobody.status, nobody.out], [7, ''])
  assert.match(nobody.err, /Nothing listens/)
})

test.run()
