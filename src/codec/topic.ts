// SPDX-License-Identifier: MIT
// Topic Names and Topic Filters (5.0 §4.7, §4.8.2): what may be one, and which filter matches which name.
import type { ProtocolVersion } from './protocol.ts'
import type { RuleName } from './rules.ts'
import { isEncodable } from './utf8.ts'

const SHARE = '$share/'

/** The rule that `topic` breaks as a Topic Name; undefined when it is one. Its characters are the string reader's concern. */
export function topicNameFault(topic: string): 'topicEmpty' | 'topicWildcard' | undefined {
  if (topic === '') return 'topicEmpty'
  return topic.includes('+') || topic.includes('#') ? 'topicWildcard' : undefined
}

/**
 * The rule that `filter` breaks as a Topic Filter; undefined when it is one. Shared Subscriptions are a matter of 5.0 (§4.8.2).
 * Who knows that no wildcard stands before `from` may say so.
 */
export function topicFilterFault(filter: string, version: ProtocolVersion = 5, from = 0): RuleName | undefined {
  if (version !== 5 || filter.charCodeAt(0) !== DOLLAR || !filter.startsWith(SHARE)) return plainFilterFault(filter, from)
  const slash = filter.indexOf('/', SHARE.length)
  const shareName = slash < 0 ? filter.slice(SHARE.length) : filter.slice(SHARE.length, slash)
  if (shareName === '' || shareName.includes('+') || shareName.includes('#')) return 'filterShareName'
  if (slash < 0 || slash === filter.length - 1) return 'filterShared'
  return plainFilterFault(filter.slice(slash + 1), 0)
}

/** May a message go to it (5.0 §4.7)? Not empty, no wildcard, no U+0000 or lone surrogate, 65,535 bytes of UTF-8 at most. Never throws for a string. */
export function isTopicName(topic: string): boolean {
  return topicNameFault(topic) === undefined && isString(topic)
}

/**
 * May it be subscribed to (5.0 §4.7; §4.8.2 for `$share/name/filter`, which before 5.0 is a filter like any other)? Wildcards stand where they may,
 * 65,535 bytes of UTF-8 at most. Never throws for a string.
 */
export function isTopicFilter(filter: string, version: ProtocolVersion = 5): boolean {
  return topicFilterFault(filter, version) === undefined && isString(filter)
}

/** Can it be a UTF-8 Encoded String at all [MQTT-4.7.3-2, MQTT-4.7.3-3]? */
function isString(text: string): boolean {
  return isEncodable(text) && new TextEncoder().encode(text).length <= 0xffff
}

/** Splits a valid filter like `$share/group/a/b` into its parts (5.0 §4.8.2); `shareName` is undefined for a filter that is not shared. */
export function parseSharedFilter(filter: string): { readonly shareName: string | undefined, readonly filter: string } {
  if (!filter.startsWith(SHARE)) return { shareName: undefined, filter }
  const slash = filter.indexOf('/', SHARE.length)
  return { shareName: filter.slice(SHARE.length, slash), filter: filter.slice(slash + 1) }
}

/**
 * Does `filter` (valid, without its `$share/name/`) match `topic` (5.0 §4.7.1)? Character by character, no normalisation [MQTT-4.7.3-4];
 * a filter beginning with a wildcard does not match a name beginning with $ [MQTT-4.7.2-1]. Linear in the length of both.
 */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === DOLLAR && (filter.charCodeAt(0) === PLUS || filter.charCodeAt(0) === HASH)) return false
  let t = 0
  for (let f = 0; f < filter.length; f++) {
    const c = filter.charCodeAt(f)
    if (c === HASH) return true
    if (c === PLUS) {
      while (t < topic.length && topic.charCodeAt(t) !== SLASH) t++
    } else if (t < topic.length && topic.charCodeAt(t) === c) {
      t++
    } else {
      // `sport/#` also matches its parent `sport` (§4.7.1.2).
      return t === topic.length && c === SLASH && f === filter.length - 2 && filter.charCodeAt(f + 1) === HASH
    }
  }
  return t === topic.length
}

const HASH = 0x23
const DOLLAR = 0x24
const PLUS = 0x2b
const SLASH = 0x2f

function plainFilterFault(filter: string, from: number): RuleName | undefined {
  if (filter === '') return 'filterEmpty'
  for (let i = from; i < filter.length; i++) {
    const c = filter.charCodeAt(i)
    if (c !== HASH && c !== PLUS) continue
    const alone = (i === 0 || filter.charCodeAt(i - 1) === SLASH)
    if (c === HASH && !(alone && i === filter.length - 1)) return 'filterMultiLevel'
    if (c === PLUS && !(alone && (i === filter.length - 1 || filter.charCodeAt(i + 1) === SLASH))) return 'filterSingleLevel'
  }
  return undefined
}
