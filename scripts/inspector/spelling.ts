// Bytes in the spellings people paste: from captures, logs, debuggers and source code.

export type Parsed = { readonly bytes: Uint8Array, readonly as: string } | { readonly problem: string }

/** The longest text taken; a page is no place for more. */
const MAXIMUM_TEXT = 4_000_000

export function parseBytes(text: string): Parsed {
  if (text.length > MAXIMUM_TEXT) return { problem: `this is ${text.length.toLocaleString('en-US')} characters long; the page takes ${MAXIMUM_TEXT.toLocaleString('en-US')}` }
  if (/\.\.\.|…/.test(text) && !/^\s*[\da-f]{4,}[:\s]/i.test(text)) return { problem: 'there are dots where bytes have been left out' }
  return dump(text) ?? decimals(text) ?? escapes(text) ?? plain(text)
}

/** xxd, hexdump -C, Wireshark: an offset, bytes, and the same in characters. */
function dump(text: string): Parsed | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*\*\s*$/.test(line))
  const out: number[] = []
  let first: number | undefined
  for (const [i, line] of lines.entries()) {
    const head = /^\s*(?:0x)?([\da-f]{4,16})(:\s|\s{2,}|\s*$)/i.exec(line)
    if (head === null) return undefined
    const offset = parseInt(head[1]!, 16)
    first ??= offset
    // The last line of hexdump is an offset alone. Anything else that does not go on where we are is no dump.
    if (offset - first !== out.length) return undefined
    const gap = head[2]!.startsWith(':') ? /[ \t]?((?:[\da-f]{2})+)(?=\s|$)/iy : /[ \t]{0,2}([\da-f]{2})(?=\s|$)/iy
    gap.lastIndex = head[0].length
    let count = 0
    for (let group = gap.exec(line); group !== null && count < 32; group = gap.exec(line)) {
      for (const [pair] of group[1]!.matchAll(/../g)) out.push(parseInt(pair, 16))
      count += group[1]!.length / 2
      if (count >= 16 && !/^ [\da-f]{2}( |$)/i.test(line.slice(gap.lastIndex))) break
    }
    if (count === 0 && !(i > 0 && i === lines.length - 1)) return undefined
  }
  return out.length === 0 ? undefined : { bytes: Uint8Array.from(out), as: 'a hex dump' }
}

/** `[32, 2, 0, 0]`, also as Node and JSON print it; digits alone, so that `[20, 02]` is only decimal where brackets say it is a list of numbers. */
function decimals(text: string): Parsed | undefined {
  const list = /^[^[\]\\]*\[([\d,\s]+)\][^[\]\\]*$/.exec(text)?.[1] ?? (/^[\d,\s]+$/.test(text) && text.includes(',') && /(^|[,\s])(\d{3}|\d)(?=[,\s]|$)/.test(text) ? text : undefined)
  if (list === undefined || !list.includes(',') || /(^|[,\s])0\d/.test(list)) return undefined
  const numbers = list.split(/[,\s]+/).filter((part) => part !== '').map(Number)
  const large = numbers.find((number) => number > 255)
  return large === undefined ? { bytes: Uint8Array.from(numbers), as: 'decimal numbers' } : { problem: `${large} is no byte` }
}

/** `b'\x20\x02'`, `"\x10\x0c\x00\x04MQTT"`: escapes and the characters between them. */
function escapes(text: string): Parsed | undefined {
  if (!/\\x[\da-f]{2}/i.test(text)) return undefined
  const quoted = /^[^'"\\]*(['"])([^]*)\1[\s;,)]*$/.exec(text)
  // Strings that follow each other are one, in C as in Python.
  const inner = quoted === null ? text.replace(/\s+/g, '') : quoted[2]!.replace(new RegExp(`${quoted[1]}\\s*\\\\?\\s*b?${quoted[1]}`, 'g'), '')
  const out: number[] = []
  const pattern = /\\x([\da-f]{2})|\\([0-7]{1,3})|\\([abfnrtv\\'"])|([\x20-\x7e])/iy
  while (pattern.lastIndex < inner.length) {
    const from = pattern.lastIndex
    const found = pattern.exec(inner)
    if (found === null) return { problem: `"${inner.slice(from, from + 6)}" is no escape and no ASCII character` }
    const [, hex, octal, letter, char] = found
    if (hex !== undefined) out.push(parseInt(hex, 16))
    else if (octal !== undefined) out.push(parseInt(octal, 8) & 0xff)
    else if (letter !== undefined) out.push(LETTERS[letter] ?? letter.charCodeAt(0))
    else out.push(char!.charCodeAt(0))
  }
  return { bytes: Uint8Array.from(out), as: 'a string with escapes' }
}

const LETTERS: { readonly [letter: string]: number } = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** Hexadecimal, with anything usual between and around the bytes: `20 02 00 00`, `0x20, 0x02`, `20:02:00:00`, `<Buffer 20 02 00 00>`. */
function plain(text: string): Parsed {
  const code = text.replace(/\/\/.*$|\/\*[^]*?\*\//gm, ' ')
  // Of a line of source code, what the longest pair of brackets holds.
  const groups = [...code.matchAll(/[{[(<]([^{}[\]()<>]*)[}\])>]/g)].map(([, inner]) => inner!)
  const body = groups.sort((a, b) => b.length - a.length)[0] ?? code
  const out: number[] = []
  for (const token of body.replace(/\b(?:Buffer|hex)\b/g, ' ').split(/[\s,:;|_"'`-]+/)) {
    if (token === '') continue
    const digits = token.replace(/^(?:0x|\$|#)|h$/gi, '')
    if (!/^[\da-f]+$/i.test(digits)) return { problem: `“${brief(token)}” is not hexadecimal` }
    if (digits.length > 1 && digits.length % 2 === 1) return { problem: `“${brief(token)}” has an odd number of digits` }
    if (digits.length === 1) out.push(parseInt(digits, 16))
    else for (let i = 0; i < digits.length; i += 2) out.push(parseInt(digits.slice(i, i + 2), 16))
  }
  return { bytes: Uint8Array.from(out), as: 'hexadecimal' }
}

function brief(token: string): string {
  return token.length > 24 ? `${token.slice(0, 21)}…` : token
}
