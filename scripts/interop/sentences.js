// What connack's client says when it does not get in, or is thrown out, at each broker: for a person to read.
import { readFileSync } from 'node:fs'
import { explain } from '../../src/fsm/index.ts'
import { connect } from '../../src/transport/connect.ts'
import { connectTcp } from '../../src/transport/tcp.ts'
import { connectTls } from '../../src/transport/tls.ts'
import { CERTIFICATES, PASSWORD, packageVersion, USERNAME } from './brokers.js'
import { within } from './processes.js'

const NAMES = { 3: '3.1', 4: '3.1.1', 5: '5.0' }

/** Gives `[situation, sentence]` for each; a sentence of '' means that it worked. */
export async function sentences({ speaks }, places) {
  const tls = { ca: readFileSync(CERTIFICATES.ca) }
  const WebSocket = packageVersion('ws') === undefined ? undefined : (await import('ws')).WebSocket
  const credentials = { username: USERNAME, password: new TextEncoder().encode(PASSWORD) }
  const limits = { connackTimeout: 3_000 }
  const tcp = (fields) => connectTcp({ port: places.tcp, limits, connect: { clientId: 'connack-sentences', ...credentials, ...fields } })
  const version = Math.max(...speaks)
  const takeover = async (of) => {
    const first = await tcp({ version: of, clientId: 'connack-twice' })
    const second = await tcp({ version: of, clientId: 'connack-twice' })
    const cause = await first.closed
    await second.disconnect()
    throw Object.assign(new Error(), { name: 'ConnectionClosed', cause })
  }
  const situations = [
    ...[3, 4, 5].filter((one) => !speaks.includes(one)).map((one) => [`MQTT ${NAMES[one]}`, () => tcp({ version: one })]),
    ...speaks.map((one) => [`a wrong password, ${NAMES[one]}`, () => tcp({ version: one, password: new TextEncoder().encode('wrong') })]),
    ['neither user name nor password', () => tcp({ version, username: undefined, password: undefined })],
    ...speaks.includes(4) ? [['an empty Client Identifier without a clean session, 3.1.1', () => tcp({ version: 4, clientId: '', cleanStart: false })]] : [],
    ...speaks.filter((one) => one > 3).map((one) => [`another client of the same name, ${NAMES[one]}`, () => takeover(one)]),
    ['TLS on the plain port', () => connectTls({ port: places.tcp, tls, openTimeout: 3_000 })],
    ...places.tls === undefined ? [] : [['plain MQTT on the port for TLS', () => connectTcp({ port: places.tls, limits, connect: { version } })]],
    ...places.ws === undefined || WebSocket === undefined ? [] : [
      ['plain MQTT on the port for WebSocket', () => connectTcp({ port: Number(new URL(places.ws).port), limits, connect: { version } })],
      ['WebSocket on the plain port', () => connect(`ws://127.0.0.1:${places.tcp}/mqtt`, { WebSocket, openTimeout: 3_000, connect: { version } })],
      ['a wrong path of the WebSocket', () => connect(new URL('/nowhere', places.ws), { WebSocket, openTimeout: 3_000, connect: { version, ...credentials } })],
    ],
  ]
  const said = []
  for (const [situation, attempt] of situations) {
    try {
      const client = await within(8_000, 'no end', attempt())
      await client.disconnect()
      said.push([situation, ''])
    } catch (error) {
      said.push([situation, error.name === 'ConnectionClosed' ? explain(error.cause) : `${error.name}: ${error.message}`])
    }
  }
  return said
}
