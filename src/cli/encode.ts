// SPDX-License-Identifier: MIT
// `connack encode`: fields or JSON into bytes, judged by the encoder.
import { encode, fromJson, PACKETS, toHex, UsageError } from '../codec/index.ts'
import type { PacketInput, PacketType, ProtocolVersion } from '../codec/index.ts'
import { fieldOptions, optionFor, packetOf } from './fields.ts'
import { MAXIMUM_INPUT } from './input.ts'
import { Misused, Refused, safe, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { nearest, text, VERSION } from './options.ts'
import type { OptionRow, Words } from './options.ts'
import { versionOf } from './target.ts'

const OWN: readonly OptionRow[] = [
  VERSION,
  { names: ['json'], value: 'JSON', help: 'a packet, or a line of decode --json, as JSON' },
  { names: ['binary'], help: 'bytes instead of hexadecimal' },
]

/** A packet's name gives its fields; without one there are only those that every packet has. */
export function encodeOptions(args: readonly string[]): readonly OptionRow[] {
  const type = args.find((word) => Object.hasOwn(PACKETS, word.toLowerCase()))?.toLowerCase()
  return type === undefined ? OWN : [...OWN, ...fieldOptions(type as PacketType)]
}

export async function encodeCommand(words: Words, io: Io): Promise<number> {
  const [name, ...more] = words.positionals
  const json = text(words, 'json')
  if (more.length > 0) throw new Misused(`too many arguments: ${more.join(' ')}`)
  if (name !== undefined && json !== undefined) throw new Misused('a packet by name and one by --json: which?')
  const given = text(words, 'version')
  const version = given === undefined ? undefined : versionOf(given)
  const emit = (bytes: Uint8Array): void => { if (words.values['binary'] === true) io.write(bytes); else io.print(toHex(bytes)) }
  if (name !== undefined && name !== '-') {
    emit(byName(name, words, version ?? 5))
    return STATUS.fine
  }
  const lines = json === undefined ? new TextDecoder().decode(await io.input(MAXIMUM_INPUT)).split('\n') : [json]
  return encodeLines(lines, version, emit, io)
}

/** JSON, a packet a line. The lines that cannot be encoded are said, and the others encoded all the same. */
export function encodeLines(lines: readonly string[], given: ProtocolVersion | undefined, emit: (bytes: Uint8Array) => void, { complain }: Pick<Io, 'complain'>): number {
  let status: number = STATUS.fine
  let latest = given
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue
    try {
      const { packet, version } = fromLine(line)
      // As in a stream: what follows a CONNECT is in its version.
      if (packet.type === 'connect') latest = packet.version
      emit(judged(packet, version ?? (packet.type === 'connect' ? packet.version : latest ?? 5)))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      complain(lines.length > 1 ? `line ${i + 1}: ${error.message}` : error.message)
      status = STATUS.wrong
    }
  }
  return status
}

function byName(name: string, words: Words, version: ProtocolVersion): Uint8Array {
  const type = name.toLowerCase()
  if (!Object.hasOwn(PACKETS, type)) {
    const near = nearest(type, Object.keys(PACKETS))
    throw new Misused(`there is no packet ${JSON.stringify(name)}${near === undefined ? `; there are ${Object.keys(PACKETS).join(', ')}` : `; did you mean ${near}?`}`)
  }
  return judged(packetOf(type as PacketType, words.given, version) as PacketInput, version)
}

/** The encoder's bytes; what it refuses, with the option that filled the field. */
function judged(packet: PacketInput, version: ProtocolVersion): Uint8Array {
  try {
    return encode(packet, version)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const option = error.packet === undefined ? undefined : optionFor(error.packet, error.path)
    throw new Refused(`${safe(error.message)}${option === undefined ? '' : ` (--${option})`}`)
  }
}

function fromLine(line: string): { readonly packet: PacketInput, readonly version: ProtocolVersion | undefined } {
  let value
  try {
    value = JSON.parse(line) as unknown
  } catch (error) {
    throw new Refused(`not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null) throw new Refused(`not a packet: ${line.slice(0, 40)}`)
  const whole = value as { readonly packet?: unknown, readonly error?: { readonly message?: unknown }, readonly version?: unknown }
  if (whole.error !== undefined && whole.packet === undefined) throw new Refused(`what was decoded here is no packet: ${String(whole.error.message)}`)
  const packet = whole.packet ?? value
  const secret = maskedField(packet)
  if (secret !== undefined) throw new Refused(`${secret} is masked: decode --json --show-secrets keeps it`)
  try {
    return { packet: fromJson(packet) as PacketInput, version: whole.packet === undefined || whole.version === undefined ? undefined : versionOf(String(whole.version)) }
  } catch (error) {
    throw new Refused((error as Error).message)
  }
}

/** The path of the first field that `decode` has left out. */
function maskedField(value: unknown, path = ''): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (typeof (value as { masked?: unknown }).masked === 'number') return path
  for (const [name, field] of Object.entries(value)) {
    const found = maskedField(field, path === '' ? name : `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}
