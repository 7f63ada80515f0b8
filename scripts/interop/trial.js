// One check of one client against one broker in one version: what a check is given (`t`), the time it may take, and what is kept as evidence.
import { isDeepStrictEqual } from 'node:util'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageVersion, CERTIFICATES, PASSWORD, USERNAME } from './brokers.js'
import { within } from './processes.js'
import { startProxy } from './proxy.js'

const BOUND = 15_000
/** packets kept, and bytes shown of each */
const KEPT = 60
const SHOWN = 48

/** What a column of the table is about; `log` is filled by whichever end is ours. */
export class Column {
  #log = []
  #number = 0

  constructor(side, driver, version, places, broker) {
    Object.assign(this, { side, driver, version, places, broker })
  }

  /** `<` received, `>` sent by our end */
  record = (way, who, bytes, error) => {
    const hex = Buffer.from(bytes.subarray(0, SHOWN)).toString('hex').replace(/(..)(?=.)/g, '$1 ')
    this.#log.push(`${way} ${who} ${hex}${bytes.length > SHOWN ? ` … (${bytes.length} bytes)` : ''}${error === undefined ? '' : `   ${error.message}`}`)
    if (this.#log.length > KEPT) this.#log.shift()
  }

  /** Gives `{ passed }`, `{ failed, evidence }`, or `{ skipped }` with the reason. */
  async run(check) {
    const { driver, version, places } = this
    if (!check.versions.includes(version)) return { skipped: 'not in this version' }
    if (check.ours && driver.name !== 'connack') return { skipped: 'only for connack' }
    const lack = driver.lacks[check.name]
    if (lack !== undefined && (lack.versions ?? check.versions).includes(version)) return { skipped: lack.why ?? lack }
    if (check.transport !== undefined) {
      if (places[check.transport] === undefined) return { skipped: 'not listened on' }
      if (driver.transports?.includes(check.transport) === false) return { skipped: 'the client cannot' }
      if (check.transport === 'ws' && driver.name === 'connack' && packageVersion('ws') === undefined) return { skipped: 'ws is not installed' }
    }
    this.#log = []
    const { t, end } = this.#trial(++this.#number)
    try {
      await within(check.bound ?? BOUND, 'the whole check', check.run(t))
      return { passed: true }
    } catch (error) {
      return { failed: error, evidence: [...this.#log] }
    } finally {
      await end()
    }
  }

  #trial(number) {
    const { driver, version, places } = this
    // A Client Identifier of 3.1 has 23 bytes at most.
    const name = `${driver.name.replace(/[^a-z0-9]/gi, '').slice(0, 10)}-${version}-${number}`
    const open = []
    const base = { username: USERNAME, password: PASSWORD, version, record: this.record }
    const track = async (where, options) => {
      const client = await driver.connect(where, { ...base, clientId: `${name}-${open.length}`, ...options })
      open.push(() => client.kill())
      return client
    }
    const t = {
      driver, version,
      highest: this.broker.highestQos ?? 2,
      id: (suffix) => `${name}-${suffix}`,
      topic: (suffix) => `interop/${name}${suffix === undefined ? '' : `/${suffix}`}`,
      connect: (options, where) => track({ port: places.tcp, ...where }, options),
      connectOver: async (transport) => track(await placeFor(transport, places, driver), places.everywhere ? {} : { username: undefined, password: undefined }),
      lasting: (suffix) => ({ ...base, clientId: `${name}-${suffix}`, cleanStart: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}) }),
      proxy: async () => {
        const proxy = await startProxy(places.tcp)
        open.push(proxy.close)
        return proxy
      },
      trace: (clientId) => ({ received, written, input }) => {
        if (received !== undefined) this.record('<', clientId, received, input.error)
        for (const bytes of written) this.record('>', clientId, bytes)
      },
      later: (close) => { open.push(close) },
      sleep,
      within: (promise, what) => within(8_000, what, promise),
      equal: (actual, expected, what) => { if (!isDeepStrictEqual(actual, expected)) throw new Error(`${what}: ${show(actual)}, expected ${show(expected)}`) },
      oneOf: (actual, allowed, what) => { if (!allowed.includes(actual)) throw new Error(`${what}: ${show(actual)}, expected one of ${show(allowed)}`) },
      /** a Server may grant less than it is asked for; gives what it granted, of a single Topic Filter */
      granted: (codes, qos) => {
        const granted = codes === undefined ? qos : codes[0]
        if (!(granted <= qos)) throw new Error(`the code of SUBACK: ${show(granted)}, for a QoS of ${qos}`)
        return granted
      },
      settled: (reasonCode) => { if (reasonCode >= 0x80) throw new Error(`the message was refused: ${show(reasonCode)}`) },
      message: (actual, expected) => { for (const [field, value] of Object.entries(expected)) t.equal(actual[field], value, `${field} of the message`) },
    }
    const end = async () => {
      await Promise.all(open.reverse().map(async (close) => {
        try {
          await within(3_000, 'closing', Promise.resolve(close()))
        } catch {
          // It is gone already, or goes at the end of the run.
        }
      }))
    }
    return { t, end }
  }
}

async function placeFor(transport, places, driver) {
  switch (transport) {
    case 'unix': return { path: places.unix, ...(driver.name === 'connack' ? { url: `unix:${places.unix}`, path: undefined } : {}) }
    case 'tls': return { url: `mqtts://localhost:${places.tls}`, ...(driver.name === 'connack' ? { tls: { ca: readFileSync(CERTIFICATES.ca) } } : {}) }
    default: return { url: places.ws, ...(driver.name === 'connack' ? { WebSocket: (await import('ws')).WebSocket } : {}) }
  }
}

function show(value) {
  return typeof value === 'number' && value >= 0x80 ? `0x${value.toString(16)}` : JSON.stringify(value) ?? 'nothing'
}
