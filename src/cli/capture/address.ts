// SPDX-License-Identifier: MIT
// IP addresses between text and bytes.
import { isIPv4, isIPv6 } from 'node:net'

/** 4 or 16 bytes; throws a TypeError for text that is no address. A zone (`%eth0`) is left out. */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number)
  if (!isIPv6(text)) throw new TypeError(`${text} is no IP address`)
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text.replace(/%.*$/, ''))
  const four = dotted === null ? undefined : addressBytes(dotted[2]!)
  const hex = four === undefined ? text.replace(/%.*$/, '') : `${dotted![1]}${((four[0]! << 8) | four[1]!).toString(16)}:${((four[2]! << 8) | four[3]!).toString(16)}`
  const [head = '', tail] = hex.split('::')
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)))
  const [first, last] = [groups(head), tail === undefined ? [] : groups(tail)]
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

/** The text of 4 or 16 bytes, IPv6 as RFC 5952 writes it. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16))
  const runs = [...groups.join(':').matchAll(/(?<![^:])0(:0)+(?![^:])/g)]
  const longest = runs.reduce((best, [run]) => (run.length > best.length ? run : best), '')
  if (longest === '') return groups.join(':')
  const all = groups.join(':')
  const at = runs.find(([run]) => run === longest)!.index
  return `${all.slice(0, at).replace(/:$/, '')}::${all.slice(at + longest.length).replace(/^:/, '')}`
}
