// SPDX-License-Identifier: MIT
// The tutorial of an MQTT connection, executed, each chapter with what it must end in. Times are shortened where a person would wait.
// Ten chapters on the connection itself; those on what a broker makes of it are in demo-broker.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { fromHex, toHex } from '../codec/index.ts'
import type { ConnectInput } from '../codec/index.ts'
import { BROKER_CHAPTERS } from './demo-broker.ts'
import { Stage } from './stage.ts'
import type { Chapter, Screen } from './stage.ts'

/** How long the server waits for CONNECT here; 10,000 ms unless told otherwise. */
const CONNECT_TIMEOUT = 400

/** Plays all chapters for MQTT 3.1.1 (4) or 5.0 (5); returns how many expectations failed. */
export async function demo(version: 4 | 5, screen: Screen): Promise<number> {
  const stage = new Stage(version, screen)
  await stage.open({ connectTimeout: CONNECT_TIMEOUT })
  screen.print(screen.paint.bold(`An MQTT ${version === 5 ? '5.0' : '3.1.1'} connection, on loopback TCP: every packet as bytes, the client's phase left, the server's right.`))
  try {
    for (const [i, { title, play }] of [...CHAPTERS, ...BROKER_CHAPTERS].entries()) {
      stage.title(i + 1, title(version))
      await play(stage)
    }
  } finally {
    await stage.close()
  }
  screen.print('')
  screen.print(stage.failures === 0 ? screen.paint.green('All chapters ended as stated.') : screen.paint.red(`${stage.failures} expectations failed.`))
  return stage.failures
}

const ANNOUNCED: Partial<ConnectInput> = {
  clientId: 'client-1', cleanStart: true, keepAlive: 60, username: 'hans', password: 'letmein',
  will: { topic: '/hans/will', payload: 'unexpected exit', qos: 2, retain: false },
}

/** What the standard prescribes for chapter 1, byte for byte (3.1.1 §3.1). */
const CHAPTER_ONE_311 = fromHex(`10 40  00 04 4d 51 54 54  04  d6  00 3c  00 08 63 6c 69 65 6e 74 2d 31
  00 0a 2f 68 61 6e 73 2f 77 69 6c 6c  00 0f 75 6e 65 78 70 65 63 74 65 64 20 65 78 69 74  00 04 68 61 6e 73  00 07 6c 65 74 6d 65 69 6e`)

const CHAPTERS: readonly Chapter[] = [
  {
    title: () => 'CONNECT with client id, clean session, user, password, Will and keep alive; CONNACK',
    async play(stage) {
      if (stage.version === 4) stage.expect('the CONNECT is byte for byte what the standard prescribes', toHex(stage.encode({ type: 'connect', version: 4, ...ANNOUNCED } as ConnectInput)), toHex(CHAPTER_ONE_311))
      const client = await stage.connect(ANNOUNCED)
      stage.expect('accepted, session present 0', [client.connack.reasonCode, client.connack.sessionPresent], [0, false])
      const over = stage.nextEnding()
      await client.disconnect()
      await over
    },
  },
  {
    title: () => 'Keep alive: after one second of silence the client pings',
    async play(stage) {
      const client = await stage.connect({ ...ANNOUNCED, keepAlive: 1 })
      await sleep(1100)
      stage.expect('still connected after PINGREQ and PINGRESP', client.state.phase, 'connected')
      const over = stage.nextEnding()
      await client.disconnect()
      await over
    },
  },
  {
    title: () => 'DISCONNECT: the Will is discarded',
    async play(stage) {
      const client = await stage.connect(ANNOUNCED)
      const over = stage.nextEnding()
      await client.disconnect()
      const { cause } = await over
      stage.expect('the server has no Will to publish', [cause.by, cause.why, stage.willText(cause.will)], ['client', 'disconnect', 'no Will'])
    },
  },
  {
    title: () => 'A wrong password: CONNACK refuses, and the server closes',
    async play(stage) {
      const refused = await stage.connect({ ...ANNOUNCED, password: 'sesame' }).then(() => undefined, (error: { readonly cause: { readonly reasonCode: number, readonly sentence: string } }) => error.cause)
      stage.note(refused?.sentence ?? '')
      stage.expect('refused for user name or password', refused?.reasonCode, stage.version === 5 ? 0x86 : 4)
    },
  },
  {
    title: (version) => (version === 5 ? 'An empty client id: the server assigns one' : 'An empty client id without clean session: identifier rejected'),
    async play(stage) {
      const packet: ConnectInput = { type: 'connect', version: stage.version, clientId: '', cleanStart: false, keepAlive: 60 }
      if (stage.version === 5) {
        const client = await stage.connect(packet)
        stage.expect('the client goes by the identifier it was assigned', client.clientId === client.connack.properties?.assignedClientIdentifier && client.clientId !== '', true)
        await client.disconnect()
        return
      }
      const own = await stage.connect(packet).then(() => '', (error: Error) => error.name)
      stage.expect('our own client refuses to send it', own, 'UsageError')
      const { answer } = await stage.raw(fromHex('10 0c 00 04 4d 51 54 54 04 00 00 3c 00 00'), 'CONNECT')
      stage.expect('CONNACK 0x02, then closed', toHex(await answer), '20 02 00 02')
    },
  },
  {
    title: () => 'A second connection with the same client id takes over the first',
    async play(stage) {
      const first = await stage.connect(ANNOUNCED)
      const over = stage.nextEnding()
      const second = await stage.connect(ANNOUNCED)
      const { cause } = await over
      const seen = await first.closed
      stage.expect('the first was closed by the server as taken over, and its Will is due', [cause.why, stage.willText(cause.will)], ['taken-over', 'Will on /hans/will: unexpected exit'])
      stage.expect(stage.version === 5 ? 'the first was told why' : 'before 5.0 the first sees a bare close', [seen.by, seen.why], ['server', stage.version === 5 ? 'taken-over' : 'ended'])
      stage.expect('the second is connected', second.state.phase, 'connected')
      await second.disconnect()
    },
  },
  {
    title: () => 'A malformed CONNECT: the server closes at once',
    async play(stage) {
      const over = stage.nextEnding()
      const wrong = stage.version === 5 ? '10 0e 00 04 4d 51 54 54 05 03 00 3c 00 00 01 61' : '10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 61'
      const { answer } = await stage.raw(fromHex(wrong), 'CONNECT')
      const { cause } = await over
      stage.note(cause.sentence)
      stage.expect('the reserved flag at offset 9 breaks MQTT-3.1.2-3', [cause.why, cause.offset, cause.rule], ['malformed', 9, 'MQTT-3.1.2-3'])
      stage.expect(stage.version === 5 ? 'CONNACK 0x81 Malformed Packet came back' : 'not a byte came back', toHex(await answer), stage.version === 5 ? '20 03 00 81 00' : '')
    },
  },
  {
    title: () => `Half a CONNECT, then silence: closed at the connect timeout (${CONNECT_TIMEOUT} ms here, 10 s unless told otherwise)`,
    async play(stage) {
      const over = stage.nextEnding()
      const { answer } = await stage.raw(fromHex('10 0d 00 04 4d 51 54'), 'half a CONNECT')
      const { cause, after } = await over
      stage.note(`${cause.sentence} It was ${Math.round(after)} ms.`)
      stage.expect('closed for want of a CONNECT, in time, without a word', [cause.why, after >= CONNECT_TIMEOUT && after < CONNECT_TIMEOUT + 1000, toHex(await answer)], ['connect-timeout', true, ''])
    },
  },
  {
    title: () => 'The client falls silent: the server closes after one and a half keep alives, and the Will is due',
    async play(stage) {
      const over = stage.nextEnding()
      const { answer } = await stage.raw(stage.encode({ type: 'connect', version: stage.version, ...ANNOUNCED, keepAlive: 1 } as ConnectInput), 'CONNECT')
      const { cause, after } = await over
      stage.note(`${cause.sentence} It was ${Math.round(after)} ms.`)
      stage.expect('closed after 1.5 s', [cause.why, after >= 1500 && after < 2500], ['keep-alive-timeout', true])
      stage.expect('the Will is due', stage.willText(cause.will), 'Will on /hans/will: unexpected exit')
      if (stage.version === 5) stage.expect('DISCONNECT 0x8d Keep Alive timeout came last', toHex((await answer).slice(-3)), 'e0 01 8d')
    },
  },
  {
    title: () => 'The socket breaks without DISCONNECT: the Will is due',
    async play(stage) {
      const client = await stage.connect(ANNOUNCED)
      const over = stage.nextEnding()
      client.abort()
      const { cause } = await over
      stage.note(cause.sentence)
      stage.expect('nobody disconnected', cause.why === 'ended' || cause.why === 'broken', true)
      stage.expect('the Will is due', stage.willText(cause.will), 'Will on /hans/will: unexpected exit')
    },
  },
]
