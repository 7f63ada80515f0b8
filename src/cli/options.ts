// SPDX-License-Identifier: MIT
// The argument tables, and the parser that walks them.
//  1. How an option is spelled and whether it takes a value is decided here and nowhere else; where mosquitto_pub, MQTTX and mqtt-cli agree, as they do.
//  2. This file does not know what a command does with a value.
import { Misused } from './io.ts'

export interface OptionRow {
  /** long spellings without the dashes; the first is the one shown, and the name of the value */
  readonly names: readonly [string, ...string[]]
  readonly short?: string
  /** what stands for the value in the help; without it the option is a switch */
  readonly value?: string
  readonly help: string
}

/** To whom a connection goes, and as whom. */
export const CONNECTION: readonly OptionRow[] = [
  { names: ['host'], short: 'h', value: 'HOST', help: 'server; default localhost (help is --help)' },
  { names: ['port'], short: 'p', value: 'PORT', help: 'default 1883, with TLS 8883, WebSocket 80 and 443' },
  { names: ['url'], short: 'L', value: 'URL', help: 'mqtt, mqtts, ws or wss://[user[:password]@]host[:port][/path], instead of -h and -p' },
  { names: ['username', 'user'], short: 'u', value: 'NAME', help: 'user name' },
  { names: ['pw', 'password'], short: 'P', value: 'PASSWORD', help: 'password; other users of this machine may see it while the command runs' },
  { names: ['id', 'client-id', 'identifier'], short: 'i', value: 'ID', help: 'Client Identifier' },
  { names: ['keepalive', 'keep-alive'], short: 'k', value: 'SECONDS', help: 'Keep Alive, 0 to 65535' },
]

export const VERSION: OptionRow = { names: ['version', 'protocol-version', 'mqtt-version'], short: 'V', value: 'VERSION', help: '5, 3.1.1 or 3.1; mqttv5, mqttv311, mqttv31 say the same' }

export const TLS: readonly OptionRow[] = [
  { names: ['cafile', 'ca'], value: 'FILE', help: 'certificates to trust, PEM; turns TLS on where there is no URL' },
  { names: ['cert'], value: 'FILE', help: 'our certificate, PEM' },
  { names: ['key'], value: 'FILE', help: 'its private key, PEM' },
  { names: ['insecure'], help: 'go on where the certificate cannot be trusted' },
  { names: ['tls-alpn', 'alpn'], value: 'PROTOCOL', help: 'protocol to ask for by ALPN' },
]

export const DEBUG: OptionRow = { names: ['debug', 'verbose'], short: 'd', help: 'show the bytes of every packet on standard error' }
export const JSON_LINES: OptionRow = { names: ['json'], help: 'one JSON object a line' }
export const SECRETS: OptionRow = { names: ['show-secrets'], help: 'show passwords and authentication data' }
export const HELP: OptionRow = { names: ['help'], help: 'this text' }

export interface Words {
  /** each option given, by the first name of its row; `true` for a switch. The last of several counts */
  readonly values: { readonly [name: string]: string | true | undefined }
  /** the same in the order they stood, repeats included */
  readonly given: readonly (readonly [name: string, value: string | true])[]
  readonly positionals: readonly string[]
}

/** Takes arguments apart by the rows. Throws Misused for an option that is not there, with the nearest one, and for a value too many or too few. */
export function parseWords(args: readonly string[], rows: readonly OptionRow[]): Words {
  const given: (readonly [string, string | true])[] = []
  const positionals: string[] = []
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if (word === '--') {
      positionals.push(...args.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word)
      continue
    }
    const [spelling, attached] = takeApart(word)
    const row = find(rows, spelling)
    if (row === undefined) throw unknown(spelling, rows)
    if (row.value === undefined) {
      if (attached !== undefined) throw new Misused(`${spelling} takes no value, and was given ${JSON.stringify(attached)}`)
      given.push([row.names[0], true])
      continue
    }
    const value = attached ?? args[++i]
    if (value === undefined) throw new Misused(`${spelling} wants a value: ${spelling} ${row.value}${spelling === '-h' ? ' (help is --help)' : ''}`)
    given.push([row.names[0], value])
  }
  return { values: Object.assign(Object.create(null) as object, Object.fromEntries(given)) as Words['values'], given, positionals }
}

/** The value of an option that takes one; undefined where it was not given. */
export function text(words: Words, name: string): string | undefined {
  const value = words.values[name]
  return value === true ? undefined : value
}

/** The value as an integer from `least` to `most`, or what stands for it. Throws Misused for any other. */
export function integer(words: Words, name: string, fallback: number, least: number, most: number, unit = ''): number {
  const value = text(words, name)
  if (value === undefined) return fallback
  const number = /^\d+$/.test(value) ? Number(value) : NaN
  if (!(number >= least && number <= most)) throw new Misused(`--${name} is ${least} to ${most}${unit === '' ? '' : ` ${unit}`}, not ${value}`)
  return number
}

/** A table of options for the help. */
export function helpLines(rows: readonly OptionRow[]): string[] {
  const heads = rows.map(({ names: [name], short, value }) => `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`)
  const width = Math.min(HEAD, Math.max(...heads.map((head) => head.length)))
  return rows.map(({ names: [, ...others], help }, i) => {
    const also = others.length === 0 ? '' : ` (also ${others.map((other) => `--${other}`).join(', ')})`
    const head = heads[i]!
    return head.length > width ? `${head}\n${' '.repeat(width + 2)}${help}${also}` : `${head.padEnd(width + 2)}${help}${also}`
  })
}

/** The candidate that is fewest edits away, if it is near enough to have been meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = candidate.startsWith(word) && word.length >= 3 ? 1 : edits(word, candidate)
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

const HEAD = 34

/** `--name=value` and `-pVALUE` in two; the spelling keeps its dashes. */
function takeApart(word: string): readonly [spelling: string, attached: string | undefined] {
  if (!word.startsWith('--')) return [word.slice(0, 2), word.length > 2 ? word.slice(2) : undefined]
  const equals = word.indexOf('=')
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)]
}

function find(rows: readonly OptionRow[], spelling: string): OptionRow | undefined {
  if (!spelling.startsWith('--')) return rows.find(({ short }) => short === spelling.slice(1))
  return rows.find(({ names }) => names.includes(spelling.slice(2)))
}

function unknown(spelling: string, rows: readonly OptionRow[]): Misused {
  const near = spelling.startsWith('--') ? nearest(spelling.slice(2), rows.flatMap(({ names }) => names)) : undefined
  return new Misused(`there is no option ${spelling} here${near !== undefined ? `; did you mean --${near}?` : spelling === '-h' ? '; help is --help' : ''}`)
}

/** Edits from one word to another: letters put in, left out, changed, or two neighbours swapped. */
function edits(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same, swapped))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
