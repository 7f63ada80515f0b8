// The fuzzer, on a small fixed budget: nothing is found. And the fuzzer itself: a bug that is planted is found, and shrunk to what shows it.
// V8 has one coverage per process, and c8 is using it here: whatever is guided by it runs in a process of its own.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as codecModule from '../src/codec/index.ts'
import { decode, fromHex, PacketStream, toHex, toJson } from '../src/codec/index.ts'
import type { Packet } from '../src/codec/index.ts'
import * as fsmModule from '../src/fsm/index.ts'
import type { Effect } from '../src/fsm/index.ts'
import { checkCodec } from '../scripts/fuzz/check-codec.ts'
import type { Codec } from '../scripts/fuzz/check-codec.ts'
import type { Machine } from '../scripts/fuzz/check-state.ts'
import { Fuzzer, PLAIN } from '../scripts/fuzz/engine.ts'
import { loadFixtures } from '../scripts/fuzz/fixtures.ts'
import { shrink } from '../scripts/fuzz/shrink.ts'
import { assemble, mutateStructure, unitsOf } from '../scripts/fuzz/structure.ts'
import { Random } from '../scripts/fuzz/random.ts'
import { Broken, judge } from '../scripts/fuzz/target.ts'
import type { Target } from '../scripts/fuzz/target.ts'
import { codecTarget, stateTarget, streamTarget } from '../scripts/fuzz/targets.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const cases = loadFixtures()
const small = cases.filter(({ bytes }) => bytes.length < 300)
const limit = Error.stackTraceLimit

/** Runs a script of the fuzzer by itself, not seen by c8. */
function script(file: string, ...options: readonly string[]): { readonly status: number | null, readonly output: string } {
  const { NODE_V8_COVERAGE: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', './scripts/load.js', file, ...options], { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 2 ** 26 })
  return { status, output: stdout + stderr }
}

/** Fuzzes until this property breaks, and shrinks what breaks it. */
function find(target: Target, property: string, most = 60_000): { readonly input: Uint8Array, readonly broken: Broken } {
  const fuzzer = new Fuzzer(target, 1, PLAIN)
  while (fuzzer.inputs < most) {
    const found = fuzzer.batch(most - fuzzer.inputs)
    if (found?.broken.property === property) return shrink(target, found.input, property)
  }
  return assert.unreachable(`${property}: not broken by ${most} inputs`) as never
}

const planted = (codec: Partial<Codec>): Target => codecTarget(small, { ...codecModule, ...codec })
const plantedStream = (Stream: typeof PacketStream): Target => streamTarget(small, { ...codecModule, PacketStream: Stream })
const plantedMachine = (machine: Partial<Machine>): Target => stateTarget(small, { ...fsmModule, ...machine })

test.before(() => { Error.stackTraceLimit = 0 })
test.after(() => { Error.stackTraceLimit = limit })

test('codec, streams and machine stand 16,000 inputs of a fixed seed', () => {
  const { status, output } = script('scripts/fuzz.ts', '--seed', '20261123', '--inputs', '16000')
  assert.is(status, 0, output)
  assert.match(output, /16000 inputs.*codec \d+.*stream \d+.*state \d+/)
  assert.match(output, 'nothing found')
})

test('a seed replays a run exactly, coverage and all; another seed does something else', () => {
  const digest = (): string | undefined => /digest of all inputs: ([0-9a-f]+)/.exec(script('scripts/fuzz.ts', '--seed', '1', '--inputs', '300', '--target', 'state').output)?.[1]
  const first = digest()
  assert.ok(first)
  assert.is(digest(), first)
  const inputs = (seed: number): string => {
    const seen: string[] = []
    new Fuzzer(codecTarget(small.slice(0, 1)), seed, PLAIN, (input) => { seen.push(toHex(input)) }).batch(100)
    return seen.join('\n')
  }
  assert.is(inputs(1), inputs(1))
  assert.is.not(inputs(1), inputs(2))
})

test('guidance by coverage finds what plain mutation does not', () => {
  const inputs = (way: string): number => (JSON.parse(script('scripts/fuzz/measure.ts', '100000', '2', 'maze', way).output) as { inputs: number }).inputs
  assert.ok(inputs('blocks') < 100_000)
  assert.is(inputs('plain'), 100_000)
})

test('every regression stays mended', () => {
  for (const { id, bytes, version, packet, error } of cases.filter((one) => /-9\d{3}$/.test(one.id))) {
    assert.not.throws(() => checkCodec(codecModule, bytes, true), id)
    let outcome: unknown
    try {
      outcome = toJson(decode(bytes, version))
    } catch (thrown) {
      const { name, reasonCode, offset } = thrown as { name: string, reasonCode: number, offset: number }
      outcome = { name, reasonCode, offset }
    }
    assert.equal(outcome, packet ?? error, id)
  }
})

test('regressions have a story each', () => {
  for (const { id, story, title } of JSON.parse(readFileSync(`${ROOT}fixtures/regressions.json`, 'utf8')) as { id: string, story?: string, title?: string }[]) assert.ok(story && title, id)
})

test('planted: decode throws a TypeError for one kind of packet', () => {
  const { input, broken } = find(planted({
    decode: (bytes, version, options) => {
      const packet = decode(bytes, version, options)
      if (packet.type === 'publish' && packet.qos === 2 && packet.payload.length === 0) throw new TypeError('undefined is not a function')
      return packet
    },
  }), 'nothing but the named errors')
  assert.match(broken.message, 'TypeError: undefined is not a function')
  // PUBLISH, QoS 2, a topic of one character, a Packet Identifier.
  assert.match(toHex(input), /^34 05 00 01 .. .. ..$/)
})

test('planted: encode drops a byte', () => {
  const { input } = find(planted({
    encode: (packet, version) => {
      const bytes = codecModule.encode(packet, version)
      return packet.type === 'suback' && packet.reasonCodes.length > 2 ? bytes.subarray(0, -1) : bytes
    },
  }), 'decode, encode, decode is equal')
  assert.match(toHex(input), /^90 05 .. .. .. .. ..$/)
})

test('planted: annotate skips a byte', () => {
  const { input, broken } = find(planted({
    annotate: (bytes, version, options) => codecModule.annotate(bytes, version, options).filter(({ name, value }) => name !== 'Subscription Options' || value !== 2),
  }), 'annotations cover each byte once, in order')
  assert.is(broken.version, 5)
  assert.match(toHex(input), /^82 .. .. .. 00 00 01 .. 02$/)
})

test('planted: annotate keeps an error to itself', () => {
  const { input } = find(planted({
    annotate: (bytes, version, options) => codecModule.annotate(bytes, version, options).map(({ error, ...rest }) => (error?.reasonCode === 0x94 ? rest : { ...rest, error })),
  }), 'an error is marked exactly when decoding throws')
  assert.is((() => { try { return decode(input, 5).type } catch (error) { return (error as { reasonCode: number }).reasonCode } })(), 0x94)
})

test('planted: a refused encodeInto leaves a byte behind', () => {
  const { broken } = find(planted({
    encodeInto: (packet, version, target, offset) => {
      if (packet.type === 'auth' && target.length > 0) target[0] = 0xf0
      return codecModule.encodeInto(packet, version, target, offset)
    },
  }), 'a refusal writes nothing')
  assert.match(broken.message, 'a target too small has changed')
})

test('planted: an error says an offset behind the packet', () => {
  find(planted({
    decode: (bytes, version, options) => {
      try {
        return decode(bytes, version, options)
      } catch (error) {
        const fault = error as codecModule.MalformedPacket
        if (fault.packet === 'pingreq') throw new codecModule.MalformedPacket(fault.message, { ...fault, reasonCode: 0x81, offset: bytes.length + 1 })
        throw error
      }
    },
  }), 'an offset lies in the packet')
})

test('planted: a stream goes on after an error', () => {
  let failed = false
  const { input } = find(plantedStream(class extends PacketStream {
    override next(): Packet | undefined {
      try {
        const packet = super.next()
        failed = false
        return packet
      } catch (error) {
        failed = !failed
        if (failed) throw error
        return undefined
      }
    }
  }), 'after an error a stream is dead')
  assert.ok(input.length <= 2 + 2, toHex(input))
})

test('planted: a stream loses a byte where it is cut', () => {
  const { input, broken } = find(plantedStream(class extends PacketStream {
    override push(chunk: Uint8Array): void {
      super.push(this.pending === 3 ? chunk.subarray(1) : chunk)
    }
  }), 'pending is what has come and gone nowhere')
  assert.match(broken.message, /pending \d+, received \d+/)
  assert.ok(input.length <= 2 + 4, toHex(input))
})

test('planted: a stream keeps what it has read', () => {
  const { broken } = find(plantedStream(class extends PacketStream {
    readonly all: Uint8Array[] = []
    override push(chunk: Uint8Array): void {
      this.all.push(chunk.slice())
      super.push(chunk)
    }
  }), 'memory follows the bytes that have come')
  assert.match(broken.message, /\d+ bytes are kept for \d+ pending/)
})

test('planted: the machine throws, is not plain data, closes twice, speaks after the end', () => {
  const { transition } = fsmModule
  const bugs: readonly (readonly [property: string, Machine['transition']])[] = [
    ['transition never throws', (state, input) => {
      if (state.phase === 'authenticating' && input.type === 'received' && input.packet.type === 'pingreq') throw new TypeError('held is undefined')
      return transition(state, input)
    }],
    ['a state is plain data', (state, input) => {
      const next = transition(state, input)
      return next.state.phase === 'connected' && state.phase !== 'connected' ? { ...next, state: { ...next.state, pingTokens: new Map() as never } } : next
    }],
    ['close comes once', (state, input) => {
      const next = transition(state, input)
      const close = next.effects.find(({ type }) => type === 'close')
      return close === undefined || input.type !== 'closed' ? next : { ...next, effects: [close, ...next.effects.filter(({ type }) => type !== 'close'), close] }
    }],
    ['nothing comes behind close', (state, input) => {
      const next = transition(state, input)
      const late: Effect = { type: 'deliver' }
      return state.phase === 'closing' && input.type === 'timer' && next.state === state ? { ...next, effects: [late] } : next
    }],
    ['no timer outlives its phase', (state, input) => {
      const next = transition(state, input)
      return { ...next, effects: next.effects.filter((effect) => effect.type !== 'disarm' || effect.timer !== 'auth') }
    }],
  ]
  for (const [property, bug] of bugs) {
    // Behind the first close everything is forbidden, so the second close is that as well.
    const { input } = find(plantedMachine({ transition: bug }), property === 'close comes once' ? 'nothing comes behind close' : property)
    assert.ok(input.length <= 2 + 4 * 3, `${property}: ${toHex(input)}`)
  }
})

test('planted: an exchange that is acknowledged stays, a message of a resumed session goes without DUP, a token is told of twice', () => {
  const { transition } = fsmModule
  const bugs: readonly (readonly [property: string, Machine['transition']])[] = [
    ['no token is lost', (state, input) => {
      const step = transition(state, input)
      return input.type === 'received' && step.state.phase === 'connected' ? { ...step, effects: step.effects.filter(({ type }) => type !== 'settle') } : step
    }],
    ['a message is sent again only where a session is resumed, and with DUP 1', (state, input) => {
      const step = transition(state, input)
      return { ...step, effects: step.effects.map((effect) => (effect.type === 'write' && effect.packet.type === 'publish' && effect.packet.dup === true ? { ...effect, packet: { ...effect.packet, dup: false } } : effect)) }
    }],
    ['flow.receiving counts the messages that have come here', (state, input) => {
      const step = transition(state, input)
      const answers = step.state.phase === 'connected' && state.phase === 'connected' && input.type === 'send' && input.packet.type === 'puback' && step.state !== state
      return answers ? { ...step, state: { ...step.state, flow: { ...step.state.flow, receiving: state.flow.receiving } } as typeof step.state } : step
    }],
  ]
  for (const [property, bug] of bugs) {
    const { input } = find(plantedMachine({ transition: bug }), property)
    assert.ok(input.length <= 2 + 6 * 3, `${property}: ${toHex(input)}`)
  }
})

test('a find is printed in the form of regressions.json, and its replay shows it again', () => {
  const target = planted({ encodedSize: (packet, version) => codecModule.encodedSize(packet, version) + (packet.type === 'pingresp' ? 1 : 0) })
  const { input, broken } = find(target, 'encodedSize is the size')
  assert.match(toHex(input), /^d. 00$/)
  const { id, title, story, spec, hex } = target.describe(input, broken) as { [field: string]: unknown }
  assert.equal([id, title, spec, hex], ['v3-pingresp-9001', 'encodedSize is the size', [], toHex(input)])
  assert.match(String(story), '3, and encode gave 2 bytes')
  assert.is(judge(target, fromHex(String(hex))) instanceof Broken, true)
  assert.match(script('scripts/fuzz.ts', '--target', 'codec', '--replay', 'd000').output, /^3 pingresp .*\n4 pingresp .*\n5 pingresp/)
})

test('taking a packet apart and putting it together again changes nothing', () => {
  for (const { id, bytes, packet } of small) if (packet !== undefined) assert.is(toHex(assemble(unitsOf(bytes), false)), toHex(bytes), id)
})

test('structural mutation puts lengths right: most of what it makes is read to its end', () => {
  const random = new Random(1)
  const valid = small.filter(({ packet, version }) => packet !== undefined && version === 5)
  let whole = 0
  for (let i = 0; i < 2000; i++) {
    const made = mutateStructure(random.pick(valid).bytes, random.pick(valid).bytes, random)
    const [, length] = codecModule.annotate(made, 5)
    if (length !== undefined && length.value === made.length - length.end) whole++
  }
  assert.ok(whole > 1100, `${whole} of 2000`)
})

test.run()
