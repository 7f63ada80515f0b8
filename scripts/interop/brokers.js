// The brokers of others: how each is found and started on loopback, and where it then listens. Every one wants USERNAME and PASSWORD over TCP.
// What they get wrong is in known.js.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENV, freePort, listening, start } from './processes.js'

export const USERNAME = 'hans'
export const PASSWORD = 'letmein'

const TLS = fileURLToPath(new URL('../../test/helpers/tls/', import.meta.url))
export const CERTIFICATES = { ca: join(TLS, 'ca.pem'), cert: join(TLS, 'server.pem'), key: join(TLS, 'server.key.pem') }

/**
 * `find`: its version, undefined where it is not installed. `speaks`: the versions it means to speak. `start`: gives the places it listens at,
 * `{ tcp, tls?, ws?, unix? }`; the first wants a password, and all of them where there is `everywhere`. `highestQos`: what is used where QoS is not what is tried.
 */
export const BROKERS = [
  { name: 'mosquitto', debian: ['mosquitto'], speaks: [3, 4, 5], find: () => said('mosquitto', ['-h'], /version (\S+)/), start: startMosquitto },
  { name: 'RabbitMQ', debian: ['rabbitmq-server'], speaks: [3, 4], highestQos: 1, find: () => rabbitHome()?.version, start: startRabbit },
  { name: 'NATS', debian: ['nats-server'], speaks: [4], highestQos: 1, find: () => said('nats-server', ['-v'], /v(\d\S+)/), start: startNats },
  { name: 'Aedes', npm: ['aedes', 'ws'], speaks: [3, 4], find: () => packageVersion('aedes'), start: startAedes },
]

async function startMosquitto(folder) {
  const [tcp, tls, ws] = [await freePort(), await freePort(), await freePort()]
  const unix = join(folder, 'mosq.sock')
  const made = spawnSync('mosquitto_passwd', ['-b', '-c', join(folder, 'passwd'), USERNAME, PASSWORD], { env: ENV })
  if (made.status !== 0) throw new Error(`mosquitto_passwd: ${made.stderr}`)
  // Started as root it would switch user and could not read its password file. Without socket_domain a websockets listener binds every interface.
  writeFileSync(join(folder, 'mosquitto.conf'), `per_listener_settings true
${process.getuid() === 0 ? 'user root' : ''}
persistence false
log_dest stderr
listener ${tcp} 127.0.0.1
allow_anonymous false
password_file ${join(folder, 'passwd')}
listener ${tls} 127.0.0.1
allow_anonymous true
certfile ${CERTIFICATES.cert}
keyfile ${CERTIFICATES.key}
listener ${ws} 127.0.0.1
protocol websockets
socket_domain ipv4
allow_anonymous true
listener 0 ${unix}
allow_anonymous true
`)
  await listening(tcp, start('mosquitto', ['-c', join(folder, 'mosquitto.conf')]), 5_000)
  return { tcp, tls, ws: `ws://127.0.0.1:${ws}/mqtt`, unix }
}

async function startRabbit(folder) {
  const { sbin } = rabbitHome()
  const [amqp, dist, epmd, tcp, tls, ws] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
  for (const name of ['home', 'mnesia', 'log']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_mqtt,rabbitmq_web_mqtt].')
  writeFileSync(join(folder, 'rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${amqp}
mqtt.listeners.tcp.1 = 127.0.0.1:${tcp}
mqtt.listeners.ssl.1 = 127.0.0.1:${tls}
ssl_options.cacertfile = ${CERTIFICATES.ca}
ssl_options.certfile = ${CERTIFICATES.cert}
ssl_options.keyfile = ${CERTIFICATES.key}
ssl_options.verify = verify_none
web_mqtt.tcp.ip = 127.0.0.1
web_mqtt.tcp.port = ${ws}
default_user = ${USERNAME}
default_pass = ${PASSWORD}
mqtt.allow_anonymous = true
mqtt.default_user = ${USERNAME}
mqtt.default_pass = ${PASSWORD}
mqtt.exchange = amq.topic
`)
  const env = {
    ...ENV, HOME: join(folder, 'home'), RABBITMQ_NODENAME: `connack${tcp}@localhost`, RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'), RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'), RABBITMQ_LOG_BASE: join(folder, 'log'), RABBITMQ_DIST_PORT: String(dist), ERL_EPMD_ADDRESS: '127.0.0.1', ERL_EPMD_PORT: String(epmd),
    RABBITMQ_CONF_ENV_FILE: '/dev/null', RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  }
  // Erlang would start one that outlives it, and on every interface.
  await listening(epmd, start(findEpmd(), ['-address', '127.0.0.1', '-port', String(epmd)], { env }), 5_000)
  // The script itself, not the wrapper that changes user.
  await listening(tcp, start(join(sbin, 'rabbitmq-server'), [], { env, cwd: folder, patience: 15_000 }), 60_000)
  await listening(ws, undefined, 10_000)
  return { tcp, tls, ws: `ws://127.0.0.1:${ws}/ws` }
}

async function startNats(folder) {
  const [client, tcp, ws] = [await freePort(), await freePort(), await freePort()]
  writeFileSync(join(folder, 'nats.conf'), `server_name: lab
host: 127.0.0.1
port: ${client}
authorization { user: ${USERNAME}, password: ${PASSWORD} }
jetstream { store_dir: "${join(folder, 'js')}" }
# What is not acknowledged it sends again after this time, 30 s by default, and not when the client is back.
mqtt { host: 127.0.0.1, port: ${tcp}, ack_wait: "1s" }
websocket { host: 127.0.0.1, port: ${ws}, no_tls: true }
`)
  await listening(tcp, start('nats-server', ['-c', join(folder, 'nats.conf')]), 10_000)
  return { tcp, ws: `ws://127.0.0.1:${ws}/mqtt`, everywhere: true }
}

async function startAedes() {
  let told
  const places = new Promise((resolve) => { told = resolve })
  const server = start(process.execPath, [fileURLToPath(new URL('aedes-server.js', import.meta.url)), CERTIFICATES.cert, CERTIFICATES.key, USERNAME, PASSWORD], { lines: (line) => { if (line.startsWith('{')) told(JSON.parse(line)) } })
  const { tcp, tls, ws } = await Promise.race([places, server.done.then(() => { throw new Error(server.tail()) })])
  return { tcp, tls, ws: `ws://127.0.0.1:${ws}/`, everywhere: true }
}

function said(command, args, pattern) {
  const { error, stdout, stderr } = spawnSync(command, args, { env: ENV, encoding: 'utf8', timeout: 10_000 })
  return error === undefined ? pattern.exec(stdout + stderr)?.[1] : undefined
}

export function packageVersion(name) {
  const path = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : undefined
}

/** Where the scripts of RabbitMQ are. */
function rabbitHome() {
  const lib = '/usr/lib/rabbitmq/lib'
  const folder = existsSync(lib) ? readdirSync(lib).find((name) => name.startsWith('rabbitmq_server-')) : undefined
  return folder === undefined ? undefined : { version: folder.slice('rabbitmq_server-'.length), sbin: join(lib, folder, 'sbin') }
}

function findEpmd() {
  const lib = '/usr/lib/erlang'
  const folder = readdirSync(lib).find((name) => name.startsWith('erts-'))
  return join(lib, folder, 'bin/epmd')
}
