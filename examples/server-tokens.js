// A server that lets in who has a token: as Password in every version, or as Authentication Data in 5.0 (method `token`), where a client can bring a new
// token before the old one ends. Then it takes messages under `devices/NAME/`.
//   node examples/server-tokens.js SECRET PORT [NAME ...]      prints a token for each name, good for an hour
import { createHmac, timingSafeEqual } from 'node:crypto'
import { listenTcp } from 'connack/tcp'

const [secret, port, ...names] = process.argv.slice(2)
const METHOD = 'token'
const [BAD_PASSWORD, NOT_AUTHORIZED, BAD_METHOD] = [0x86, 0x87, 0x8c]

const sign = (text) => createHmac('sha256', secret).update(text).digest()
/** NAME.SECONDS SINCE 1970.SIGNATURE */
const token = (name, until) => `${name}.${until}.${sign(`${name}.${until}`).toString('base64url')}`

/** Until when this is a token of `name`, in ms; 0 where it is none, or none any more. */
function goodUntil(name, bytes = new Uint8Array()) {
  const [, who, until, signature = ''] = /^(.*)\.(\d+)\.([\w-]{43})$/s.exec(Buffer.from(bytes).toString()) ?? []
  if (who !== name || !timingSafeEqual(Buffer.from(signature, 'base64url'), sign(`${who}.${until}`))) return 0
  return Number(until) * 1000 > Date.now() ? Number(until) * 1000 : 0
}

const server = await listenTcp({ port: Number(port), maximumConnections: 1_000 }, (peer) => {
  let name, timer
  const letIn = (until) => {
    clearTimeout(timer)
    timer = setTimeout(() => peer.disconnect(NOT_AUTHORIZED, { reasonString: 'the token has ended' }), Math.min(until - Date.now(), 2 ** 31 - 1))
    console.log(`${name} is in until ${new Date(until).toISOString()}`)
  }
  peer.onConnect = ({ username, clientId, password, properties: { authenticationMethod, authenticationData } = {} }) => {
    if (authenticationMethod !== undefined && authenticationMethod !== METHOD) return peer.refuse(BAD_METHOD)
    name = username ?? clientId
    const until = goodUntil(name, authenticationMethod === undefined ? password : authenticationData)
    if (until === 0) return peer.refuse(authenticationMethod === undefined ? BAD_PASSWORD : NOT_AUTHORIZED)
    letIn(until)
    return peer.accept(authenticationMethod === undefined ? {} : { properties: { authenticationMethod } })
  }
  // Re-authentication (5.0 §4.12.1): the machine lets nothing else through here.
  peer.onPacket = ({ type, properties }) => {
    if (type !== 'auth') return
    const until = goodUntil(name, properties.authenticationData)
    if (until === 0) return peer.disconnect(NOT_AUTHORIZED)
    letIn(until)
    return peer.auth(0)
  }
  peer.onPublish = ({ topic, payload }) => {
    if (!topic.startsWith(`devices/${name}/`)) return NOT_AUTHORIZED
    console.log(`${topic}: ${new TextDecoder().decode(payload)}`)
  }
  peer.onClose = ({ sentence }) => { clearTimeout(timer); console.log(`${name}: ${sentence}`) }
})
console.log(`listening on port ${server.port}`)
for (const one of names) console.log(`${one}: ${token(one, Math.floor(Date.now() / 1000) + 3_600)}`)
process.once('SIGINT', () => server.close())
