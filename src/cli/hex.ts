// SPDX-License-Identifier: MIT
// Hexadecimal as people paste it: digits with or without separators, 0x, \x, <Buffer …>, C arrays, and the dumps of xxd, hexdump, od, tcpdump and Wireshark.
import { Refused } from './io.ts'

/** Text, or undefined where the bytes hold something that no text does. UTF-16 with a byte order mark is what PowerShell's `>` writes. */
export function asText(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  for (const byte of bytes) {
    if ((byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) || byte === 0x7f) return undefined
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The bytes that hexadecimal text spells. Throws Refused, with line and column, for text that is something else. */
export function fromText(text: string): Uint8Array {
  const lines = text.split(/\r\n|\n|\r/)
  return dump(lines) ?? wordDump(lines) ?? digits(text)
}

/** Does every word look like hexadecimal? Then it is no file name. */
export function looksLikeHex(words: readonly string[]): boolean {
  const text = words.join(' ')
  return /^[\s0-9a-fx:,;\\<>{}[\]"'_-]*$/i.test(text.replace(/^<Buffer/, '<')) && /[0-9a-f]{2}/i.test(text)
}

/** An offset, two dots or blanks, pairs of digits: xxd and tcpdump with a colon; hexdump -C, Wireshark and tshark without. */
const COLON_ROW = /^\s*(?:0x)?([0-9a-f]{4,16}):\s+(.*)$/i
const BLANK_ROW = /^\s*([0-9a-f]{4,8}) {2,}(.*)$/i
/** od -t x1: blank-separated pairs behind seven octal digits. */
const OD_ROW = /^([0-7]{7})((?: [0-9a-f]{2})+)\s*$/i
const END_ROW = /^\s*([0-9a-f]{4,16}):?\s*$/i

interface Row {
  readonly line: number
  readonly offset: string
  readonly bytes: readonly number[]
}

/** Rows with offsets that go up by what the rows hold; undefined where the text is no such dump. Offsets that begin anew begin another piece. */
function dump(lines: readonly string[]): Uint8Array | undefined {
  const out = new Collector()
  let base = 16
  let start = 0
  let previous: Row | undefined
  let squeezed = false
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '*' && previous !== undefined) {
      squeezed = true
      continue
    }
    const row = rowOf(line, i + 1)
    if (row === undefined) {
      if (line.trim() === '' || previous !== undefined && END_ROW.test(line)) {
        if (squeezed && line.trim() !== '') repeat(out, previous!, start + parseInt(line, base))
        squeezed = false
        continue
      }
      // A heading such as Wireshark's "Frame (60 bytes):".
      if (previous === undefined && !/[0-9a-f]{2}\s+[0-9a-f]{2}/i.test(line) && lines.some((later) => rowOf(later, 0) !== undefined)) continue
      if (previous === undefined) return undefined
      throw new Refused(`line ${i + 1} is no row of a dump: ${JSON.stringify(line.slice(0, 40))}`)
    }
    if (previous === undefined && /[^0]/.test(row.offset)) return undefined
    if (!/[^0]/.test(row.offset)) start = out.length
    else {
      const have = out.length - start
      if (parseInt(row.offset, base) !== have && parseInt(row.offset, 8) === have) base = 8
      if (squeezed) repeat(out, previous!, start + parseInt(row.offset, base))
      const due = out.length - start
      if (parseInt(row.offset, base) !== due) throw new Refused(`line ${i + 1} is at offset ${row.offset}, and ${due.toString(base).padStart(row.offset.length, '0')} was due: a row is missing, or not all hexadecimal`)
    }
    squeezed = false
    out.add(row.bytes)
    previous = row
  }
  return previous === undefined ? undefined : out.bytes()
}

/** What `*` stands for: the row before, up to an offset. */
function repeat(out: Collector, { bytes }: Row, until: number): void {
  if (until - out.length > MAXIMUM_REPEATED) throw new Refused(`a * in the dump stands for ${until - out.length} bytes, more than ${MAXIMUM_REPEATED}`)
  while (out.length + bytes.length <= until) out.add(bytes)
}

const MAXIMUM_REPEATED = 1 << 24

function rowOf(line: string, number: number): Row | undefined {
  const od = OD_ROW.exec(line)
  if (od !== null) return { line: number, offset: od[1]!, bytes: pairs(od[2]!) }
  const colon = COLON_ROW.exec(line)
  const [, offset, rest] = colon ?? BLANK_ROW.exec(line) ?? []
  if (offset === undefined) return undefined
  const bytes = pairs(hexColumn(rest!, colon === null))
  return bytes.length === 0 ? undefined : { line: number, offset, bytes }
}

/**
 * The hexadecimal part of a row: groups of even length with one blank between them, since behind two stands the text column, which may itself
 * look like hexadecimal. Only the dumps without a colon may have two in their middle, behind eight bytes.
 */
function hexColumn(rest: string, middle: boolean): string {
  let taken = ''
  for (const [, gap, group] of rest.matchAll(/(\s*)(\S+)/g)) {
    if (!/^([0-9a-f]{2})+$/i.test(group!)) break
    if (taken !== '' && (gap!.length > 2 || (gap!.length === 2 && !(middle && taken.length === 16)))) break
    taken += group
  }
  return taken
}

function pairs(hex: string): number[] {
  return (hex.match(/[0-9a-f]{2}/gi) ?? []).map((pair) => parseInt(pair, 16))
}

/** `hexdump` and `od -x` without options: seven-digit offsets, words of two bytes with the second one first, and the length as the last offset. */
function wordDump(lines: readonly string[]): Uint8Array | undefined {
  const rows = lines.map((line) => line.trimEnd()).filter((line) => line !== '')
  if (rows.length < 2 || !/^0{7} /.test(rows[0]!) || !rows.every((row, i) => (i === rows.length - 1 ? /^[0-9a-f]{7}$/i : /^[0-9a-f]{7}( +[0-9a-f]{4})+$|^\*$/i).test(row))) return undefined
  if (rows.includes('*')) throw new Refused('a dump of words with * for repeated rows: use hexdump -C or -v')
  const bytes = rows.slice(0, -1).flatMap((row) => row.split(/ +/).slice(1).flatMap((word) => pairs(word).reverse()))
  const ends = [16, 8].map((base) => parseInt(rows.at(-1)!, base))
  const size = ends.find((end) => end === bytes.length) ?? ends.find((end) => end === bytes.length - 1)
  if (size === undefined) throw new Refused(`the dump says it has ${rows.at(-1)} bytes, and its words are ${bytes.length}`)
  return Uint8Array.from(bytes.slice(0, size))
}

/** Digits in pairs, whatever stands between them. `#` and `//` begin a comment. */
function digits(text: string): Uint8Array {
  const array = /=\s*\{([^}]*)\}/.exec(text)
  const out = new Collector()
  for (const [i, line] of (array === null ? text : array[1]!).split(/\r\n|\n|\r/).entries()) {
    const plain = line.replace(/(#|\/\/).*$/, '').replace(/^\s*<Buffer/, '')
    for (const match of plain.matchAll(/[^\s,:;<>{}[\]"'_-]+/g)) {
      for (const part of match[0].split(/(?=\\x)|(?=0x)/i)) {
        const hex = part.replace(/^(0x|\\x)/i, '').replace(/\\$/, '')
        if (part === '\\' || part === '') continue
        if (!/^[0-9a-f]+$/i.test(hex)) throw new Refused(`not hexadecimal: ${JSON.stringify(match[0].slice(0, 40))} in line ${i + 1}, column ${match.index + 1}`)
        // 0x5 is a byte; 5 alone is half of one.
        if (hex.length % 2 !== 0 && !(hex.length === 1 && hex !== part)) throw new Refused(`an odd number of digits: ${JSON.stringify(match[0].slice(0, 40))} in line ${i + 1}, column ${match.index + 1}`)
        out.add(pairs(hex.length === 1 ? `0${hex}` : hex))
      }
    }
  }
  return out.bytes()
}

/** Bytes as they are read, in a buffer that doubles. */
class Collector {
  length = 0
  private buffer: Uint8Array = new Uint8Array(1024)

  add(bytes: readonly number[]): void {
    if (this.length + bytes.length > this.buffer.length) {
      const larger = new Uint8Array(2 * (this.length + bytes.length))
      larger.set(this.buffer.subarray(0, this.length))
      this.buffer = larger
    }
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  bytes(): Uint8Array {
    return this.buffer.slice(0, this.length)
  }
}
