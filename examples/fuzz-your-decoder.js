// Fuzzes a decoder of yours with our corpus: mutates golden packets and asks whether the two agree that the result is a packet.
//   node examples/fuzz-your-decoder.js ./your-decoder.js [inputs] [seed]
// Your module exports decode(bytes, version): anything but a throw is "a packet".
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { decode, fromHex, toHex } from 'connack'

const [path, inputs = '20000', seed = '1'] = process.argv.slice(2)
const theirs = await import(pathToFileURL(path).href)
const read = (name) => JSON.parse(readFileSync(fileURLToPath(import.meta.resolve(`connack/fixtures/${name}`)), 'utf8'))
const corpus = read('index.json').flatMap(({ file, version }) => read(file).map(({ hex }) => ({ version, bytes: fromHex(hex) }))).filter(({ bytes }) => bytes.length < 500)

let state = Number(seed)
/** An integer below n, from a seed: a run can be had again. */
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}

const MUTATIONS = [
  (bytes) => bytes.fill(random(256), random(bytes.length), random(bytes.length)),
  (bytes) => { bytes[random(bytes.length)] ^= 1 << random(8); return bytes },
  (bytes) => { bytes[random(bytes.length)] = [0, 1, 0x7f, 0x80, 0xff][random(5)]; return bytes },
  // A byte more or less, with the Remaining Length made right again where it is one byte.
  (bytes) => { const next = new Uint8Array([...bytes, random(256)]); if (next[1] < 127) next[1]++; return next },
  (bytes) => { const next = bytes.slice(0, -1); if (next[1] > 0) next[1]--; return next },
]

function verdict(decoder, bytes, version) {
  try {
    decoder(bytes, version)
    return { packet: true }
  } catch (error) {
    return { packet: false, error }
  }
}

const classes = new Map()
for (let i = 0; i < Number(inputs); i++) {
  const { version, bytes: original } = corpus[random(corpus.length)]
  const bytes = MUTATIONS[random(MUTATIONS.length)](original.slice())
  const ours = verdict(decode, bytes, version)
  const yours = verdict(theirs.decode, bytes.slice(), version)
  if (ours.packet === yours.packet) continue
  const name = yours.packet ? `accepts what breaks ${ours.error.rule}` : `refuses a packet: ${yours.error?.message}`
  const seen = classes.get(name) ?? { count: 0, version, hex: toHex(bytes) }
  classes.set(name, { ...seen, count: seen.count + 1 })
}
for (const [name, { count, version, hex }] of [...classes].sort(([, a], [, b]) => b.count - a.count)) console.log(`${String(count).padStart(6)} ${name}\n       e.g. version ${version}: ${hex}`)
console.log(`${inputs} inputs, ${classes.size} kinds of disagreement`)
process.exitCode = classes.size === 0 ? 0 : 1
