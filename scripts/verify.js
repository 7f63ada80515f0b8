#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Does this copy of connack still do what it did when it was copied? Plain Node (20.19 or newer) or any browser; needs nothing but its own folder.
//
//   node verify.js                       the copy beside this file, as connack.json describes it
//   node verify.js ../dist/bundle.js     a module that exports the same names: your build of the copy
//   node verify.js --corpus fixtures     other cases: a folder like connack's fixtures/, or a corpus.json.gz
//   node verify.js --changed             you have changed files on purpose: say which, but judge behaviour alone
//
// Exit status: 0 all is well, 1 something differs, 2 it could not be run.

/** Enough to see what is wrong. */
const NAMED = 20

/**
 * Every golden packet, through every way in and out of the codec. `connack` is a module of its names, `files` are
 * `{ version, cases }` in the form of connack's fixtures. Gives `{ passed, total, complaints }`.
 */
export function checkPackets(connack, files) {
  return tally(files.flatMap(({ version, cases }) => cases.map((one) => [one, () => checkPacket(connack, version, one)])))
}

/** Every conversation with the machine. `flows` are those of connack's fixtures/flows. */
export function checkFlows(connack, flows) {
  return tally(flows.map((flow) => [flow, () => checkFlow(connack, flow)]))
}

/** Runs what checks a packet or a flow; each gives what differs, or throws where nothing may. */
function tally(checks) {
  const complaints = []
  for (const [{ id, title }, check] of checks) {
    let differs
    try {
      differs = check()
    } catch (error) {
      differs = `${error.name}: ${error.message}`
    }
    if (differs !== undefined) complaints.push(`${id} (${title}): ${differs}`)
  }
  return { passed: checks.length - complaints.length, total: checks.length, complaints }
}

function checkPacket(connack, version, { hex, packet, error, canonical, reencoded, encodes }) {
  const { annotate, decode, PacketStream } = connack
  const bytes = bytesOf(hex)
  const expected = packet ?? error
  const outcome = (act) => {
    try {
      return jsonOf(act())
    } catch (thrown) {
      if (thrown.name !== 'MalformedPacket' && thrown.name !== 'ProtocolError') throw thrown
      return { name: thrown.name, reasonCode: thrown.reasonCode, offset: thrown.offset }
    }
  }
  const decoded = difference(expected, outcome(() => decode(bytes, version)))
  if (decoded !== undefined) return `decoding: ${decoded}`
  if (packet !== undefined) {
    const differs = encodes === false ? refusal(connack, version, packet) : encoding(connack, version, packet, canonical ? hex : reencoded)
    if (differs !== undefined) return differs
  }
  if (frameSize(bytes) === bytes.length) {
    const stream = new PacketStream({ version, maximumPacketSize: 268_435_460 })
    const got = outcome(() => {
      for (let i = 0; i < bytes.length; i++) {
        stream.push(bytes.subarray(i, i + 1))
        const next = stream.next()
        if (next !== undefined) return i === bytes.length - 1 ? next : { early: i }
      }
      return {}
    })
    const differs = difference(expected, got)
    if (differs !== undefined) return `byte by byte: ${differs}`
  }
  return annotation(annotate(bytes, version), bytes.length, error)
}

/** The machine's corpus does without `annotate` and the like; a packet that is encoded must be these bytes, wherever it is written. */
function encoding({ encode, encodedSize, encodeInto }, version, packet, hex) {
  const input = packetOf(packet)
  const wanted = { hex, size: bytesOf(hex).length, end: bytesOf(hex).length + 3, into: hex }
  const target = new Uint8Array(wanted.end + 2)
  const end = encodeInto(input, version, target, 3)
  const differs = difference(wanted, { hex: hexOf(encode(input, version)), size: encodedSize(input, version), end, into: hexOf(target.subarray(3, end)) })
  return differs === undefined ? undefined : `encoding: ${differs}`
}

function refusal({ encode }, version, packet) {
  try {
    encode(packetOf(packet), version)
  } catch (error) {
    return error.name === 'UsageError' ? undefined : `encoding: ${error.name}, not UsageError`
  }
  return 'encoding: what must be refused is written'
}

function annotation(list, length, error) {
  let at = 0
  for (const { start, end } of list) {
    if (start !== at) return `annotations: a gap or an overlap at ${at}`
    at = end
  }
  if (at !== length) return `annotations: they end at ${at}, the bytes at ${length}`
  const marked = list.filter((one) => one.error !== undefined).map(({ error: { name, reasonCode, offset } }) => ({ name, reasonCode, offset }))
  const differs = difference(error === undefined ? [] : [error], marked)
  return differs === undefined ? undefined : `annotations: ${differs}`
}

/** The defaults of the flows, so that a new default of ours does not bend them. */
const LIMITS = {
  versions: [3, 4, 5], connectTimeout: 10_000, connackTimeout: 30_000, authTimeout: 30_000, pingrespTimeout: 10_000, closeTimeout: 5_000, heldPackets: 100,
  receiveMaximum: 65_535, packetIds: 65_535,
}

function checkFlow(connack, { role, version, session, sessionAfter, limits, steps }) {
  const expected = new Timers()
  const actual = new Timers()
  let state = connack.initial({ role, session: restored(connack, session), limits: { ...LIMITS, ...limits } })
  for (const [i, step] of steps.entries()) {
    const where = `step ${i} at ${step.at} ms`
    const unseen = actual.due().find(([, time]) => time < step.at)
    if (unseen !== undefined) return `${where}: ${unseen[0]} would have fired at ${unseen[1]}`
    const input = step.input.type === 'opened' ? undefined : inputOf(connack, step.input, state, version)
    const { state: next, effects } = input === undefined ? { state, effects: connack.opened(state) } : connack.transition(state, input)
    for (const timers of [expected, actual]) timers.input(step.input, step.at)
    for (const effect of step.effects) expected.effect(effect, step.at)
    for (const effect of effects) actual.effect(effect, step.at)
    const wanted = step.effects.filter(({ type }) => type !== 'arm' && type !== 'disarm').map((effect) => (effect.type === 'deliver' ? { packet: step.input.packet, ...effect } : effect))
    const differs = difference(wanted, visible(connack, effects, input, next, version)) ?? difference(expected.due(), actual.due(), 'timers') ?? difference(step.phase, next.phase, 'phase')
    if (differs !== undefined) return `${where}: ${differs}`
    state = next
  }
  const differs = sessionAfter && difference({ sent: [], received: [], ...sessionAfter }, saved(connack, state.session, version, sessionAfter.nextId !== undefined))
  return differs && `the session afterwards: ${differs}`
}

function restored({ restoreSession }, session) {
  return session && restoreSession(packetOf(session))
}

/** What a store would hold, in the form of the flows; `nextId` is nobody's business unless the flow says it. */
function saved(connack, session, version, withNextId) {
  if (session === undefined) return undefined
  const { clientId, nextId, sent = [], received = [] } = connack.saveSession(session)
  const messages = sent.map(({ packetId, message }) => ({ packetId, message: message && messageOf(connack, message, version) }))
  return jsonOf({ clientId, nextId: withNextId ? nextId : undefined, sent: messages, received })
}

/** A message as the other side decodes it; the identifier is not its own. */
function messageOf({ decode, encode }, message, version) {
  if (message.packetId !== undefined) throw new Error(`a message has the identifier ${message.packetId}`)
  return { ...decode(encode({ ...message, packetId: 1 }, version), version), packetId: undefined }
}

function inputOf(connack, input, state, version) {
  const { decode, encode, PacketStream } = connack
  switch (input.type) {
    case 'send': return { type: 'send', packet: packetOf(input.packet), token: input.token, session: restored(connack, input.session) }
    case 'received': return { type: 'received', packet: decode(input.hex === undefined ? encode(packetOf(input.packet), version) : bytesOf(input.hex), version) }
    case 'timer': return input
    case 'closed': return { type: 'closed', error: input.error === undefined ? undefined : new Error(input.error) }
    case 'malformed': {
      const stream = new PacketStream({ version: state.phase === 'awaiting-connect' ? undefined : version })
      stream.push(bytesOf(input.hex))
      try {
        stream.next()
      } catch (error) {
        const differs = difference(input.error, { name: error.name, reasonCode: error.reasonCode, offset: error.offset })
        if (differs !== undefined) throw new Error(`${input.hex}: ${differs}`)
        return { type: 'malformed', error }
      }
      throw new Error(`${input.hex} is taken`)
    }
    default: throw new Error(`an input of the type ${input.type}: this verify.js is older than the corpus`)
  }
}

/** What can be seen from outside, in the form of the flows; packets as the other side decodes them. */
function visible(connack, effects, input, next, version) {
  const { decode, encode } = connack
  return effects.flatMap((effect) => {
    switch (effect.type) {
      case 'arm': case 'disarm': return []
      case 'write': {
        const form = (next.phase === 'closing' ? next.cause.version : undefined) ?? version
        return [{ type: 'write', packet: jsonOf(decode(encode(effect.packet, form), form)) }]
      }
      case 'deliver': return [{ type: 'deliver', packet: jsonOf(effect.packet ?? input.packet) }]
      case 'refuse': return [jsonOf({ type: 'refuse', token: effect.token, error: { name: effect.error.name, rule: effect.error.rule } })]
      case 'close': {
        const { by, why, reasonCode, rule, will, willDelay, sessionExpiryInterval } = effect.cause
        return [jsonOf({ type: 'close', cause: { by, why, reasonCode, rule, will, willDelay, sessionExpiryInterval } })]
      }
      case 'session': return [jsonOf({ ...effect, redo: effect.redo?.map(({ packet, token }) => ({ packet: messageOf(connack, packet, version), token })) })]
      default: return [jsonOf(effect)]
    }
  })
}

/** Which timers run, and when each will fire. */
class Timers {
  running = new Map()

  due() {
    return [...this.running].map(([timer, { due, quiet }]) => [timer, due, quiet ?? null]).sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
  }

  input({ type, timer }, now) {
    if (type === 'timer') this.running.delete(timer)
    if (type === 'received') this.heard('received', now)
  }

  effect({ type, timer, ms, quiet }, now) {
    if (type === 'write') this.heard('sent', now)
    else if (type === 'disarm') this.running.delete(timer)
    else if (type === 'arm') this.running.set(timer, { due: now + ms, ms, quiet })
  }

  heard(way, now) {
    for (const entry of this.running.values()) if (entry.quiet === way) entry.due = now + entry.ms
  }
}

/** The first place where two JSON values differ, in words; undefined when they are the same. */
function difference(expected, actual, path = '') {
  if (expected === actual) return undefined
  const objects = [expected, actual].every((value) => typeof value === 'object' && value !== null)
  if (!objects || Array.isArray(expected) !== Array.isArray(actual)) return `${path === '' ? '' : `${path} `}should be ${brief(expected)}, is ${brief(actual)}`
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const differs = difference(own(expected, key), own(actual, key), path === '' ? key : `${path}.${key}`)
    if (differs !== undefined) return differs
  }
  return undefined
}

function own(object, key) {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function brief(value) {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

// The judge does not use what it judges: these four are written once more.
function bytesOf(hex) {
  return Uint8Array.from(hex === '' ? [] : hex.split(' '), (pair) => parseInt(pair, 16))
}

function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

function jsonOf(value) {
  if (value instanceof Uint8Array) return { hex: hexOf(value) }
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined).map(([name, field]) => [name, jsonOf(field)]))
}

function packetOf(value) {
  if (Array.isArray(value)) return value.map(packetOf)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  if (entries.length === 1 && entries[0][0] === 'hex') return bytesOf(entries[0][1])
  return Object.fromEntries(entries.map(([name, field]) => [name, packetOf(field)]))
}

/** The bytes of a frame as its header announces it; undefined where it announces nothing. */
function frameSize(bytes) {
  let length = 0
  for (let i = 1; i <= 4 && i < bytes.length; i++) {
    length += (bytes[i] & 0x7f) * 128 ** (i - 1)
    if (bytes[i] < 0x80) return 1 + i + length
  }
  return undefined
}

/** What the command line does; everything of Node is loaded here, so that a browser can load this file too. */
async function main(args) {
  const { createHash } = await import('node:crypto')
  const { existsSync, readFileSync, statSync } = await import('node:fs')
  const { dirname, join, resolve } = await import('node:path')
  const { fileURLToPath, pathToFileURL } = await import('node:url')
  const { gunzipSync } = await import('node:zlib')

  const here = dirname(fileURLToPath(import.meta.url))
  const at = args.indexOf('--corpus')
  const corpusAt = at < 0 ? join(here, 'corpus.json.gz') : resolve(args[at + 1] ?? fail('--corpus needs a folder or a file'))
  const [module] = args.filter((arg, i) => !arg.startsWith('--') && (at < 0 || i !== at + 1))
  const stamp = existsSync(join(here, 'connack.json')) ? JSON.parse(readFileSync(join(here, 'connack.json'), 'utf8')) : undefined
  if (module === undefined && stamp === undefined) fail('there is no connack.json beside verify.js: name the module to be judged')
  const target = module === undefined ? join(here, stamp.entry) : resolve(module)

  if (stamp !== undefined) console.log(`connack ${stamp.version}${stamp.commit === undefined ? '' : `, commit ${stamp.commit.slice(0, 12)}`}: ${stamp.what}`)
  let connack
  try {
    connack = await import(pathToFileURL(target).href)
  } catch (error) {
    if (error.code === 'ERR_UNKNOWN_FILE_EXTENSION') fail(`Node ${process.versions.node} does not run TypeScript: use 22.18 or newer, or name your build of the copy`)
    fail(`${target}: ${error.message}`)
  }
  let wrong = false
  if (stamp !== undefined) {
    const changed = Object.entries(stamp.files).filter(([file, sum]) => !existsSync(join(here, file)) || createHash('sha256').update(readFileSync(join(here, file))).digest('hex') !== sum)
    console.log(`files     ${changed.length === 0 ? `${Object.keys(stamp.files).length} as they were copied` : `not as they were copied: ${changed.map(([file]) => file).join(', ')}`}`)
    wrong = changed.length > 0 && !args.includes('--changed')
  }
  if (!existsSync(corpusAt)) fail(`there is no ${corpusAt}`)
  const corpus = statSync(corpusAt).isDirectory() ? corpusOf((file) => readFileSync(join(corpusAt, file), 'utf8')) : JSON.parse(gunzipSync(readFileSync(corpusAt)))
  Error.stackTraceLimit = 0
  const results = [['packets', checkPackets(connack, corpus.packets)]]
  if (connack.transition !== undefined) results.push(['flows', checkFlows(connack, corpus.flows)])
  const say = (n) => n.toLocaleString('en-US')
  for (const [what, { passed, total, complaints }] of results) {
    console.log(`${what.padEnd(9)} ${say(passed)} of ${say(total)}${complaints.length === 0 ? '' : `; ${say(complaints.length)} differ:`}`)
    for (const complaint of complaints.slice(0, NAMED)) console.log(`  ${complaint}`)
    if (complaints.length > NAMED) console.log(`  and ${say(complaints.length - NAMED)} more`)
    if (complaints.length > 0 || total === 0) wrong = true
  }
  process.exitCode = wrong ? 1 : 0

  function fail(sentence) {
    console.error(`verify: ${sentence}`)
    process.exit(2)
  }
}

/** A folder of fixtures as one value: `{ packets, flows }`. `read` gives a file's text by its path in the folder. */
export function corpusOf(read) {
  const packets = JSON.parse(read('index.json')).map(({ file, version, packet }) => ({ version, packet, cases: JSON.parse(read(file)) }))
  return { packets, flows: JSON.parse(read('flows/index.json')).flatMap(({ file }) => JSON.parse(read(`flows/${file}`))) }
}

if (typeof process !== 'undefined' && process.argv?.[1] !== undefined && import.meta.url.endsWith('/verify.js')) {
  const { realpathSync } = await import('node:fs')
  const { pathToFileURL } = await import('node:url')
  if (pathToFileURL(realpathSync(process.argv[1])).href === import.meta.url) await main(process.argv.slice(2))
}
