import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isTopicFilter, isTopicName, parseSharedFilter, topicFilterFault, topicMatches, topicNameFault } from '../../src/codec/topic.ts'
import { randomFrom } from '../helpers/random.ts'

/** The slow twin of `topicMatches`: level against level, as 5.0 §4.7.1 tells it. */
function slowMatches(filter: string, topic: string): boolean {
  const [filters, levels] = [filter.split('/'), topic.split('/')]
  if (topic.startsWith('$') && (filters[0] === '#' || filters[0] === '+')) return false
  for (const [i, level] of filters.entries()) {
    if (level === '#') return true
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false
  }
  return filters.length === levels.length
}

/** The slow twin of `topicFilterFault`, for filters that are not shared. */
function slowFault(filter: string): string | undefined {
  if (filter === '') return 'filterEmpty'
  const levels = filter.split('/')
  const wrong = levels.find((level, i) => (level.includes('#') && (level !== '#' || i < levels.length - 1)) || (level.includes('+') && level !== '+'))
  if (wrong === undefined) return undefined
  return wrong === '#' || wrong.search(/[#+]/) === wrong.indexOf('#') ? 'filterMultiLevel' : 'filterSingleLevel'
}

test('MQTT-4.7.1-1, MQTT-4.7.0-1, MQTT-3.3.2-2: a Topic Name has no wildcards', () => {
  for (const topic of ['a/+', 'a/#', '+', '#', 'a+b', 'a#b', '+/#']) {
    assert.is(topicNameFault(topic), 'topicWildcard', topic)
    assert.not(isTopicName(topic), topic)
  }
})

test('MQTT-4.7.3-1: names and filters have at least one character', () => {
  assert.is(topicNameFault(''), 'topicEmpty')
  assert.is(topicFilterFault(''), 'filterEmpty')
  for (const version of [3, 4, 5] as const) assert.not(isTopicFilter('', version))
  for (const topic of ['a', '/', ' ', 'Accounts payable', '/finance', '$SYS/x', '$share/g/a', 'é', '\ufeff']) {
    assert.ok(isTopicName(topic), topic)
    assert.ok(isTopicFilter(topic), topic)
  }
})

test('MQTT-4.7.1-1 (5.0), MQTT-4.7.1-2 (3.1.1): # stands alone or behind a /, and last', () => {
  for (const filter of ['#', 'sport/tennis/player1/#', '/#', '+/#', 'sport/#']) assert.is(topicFilterFault(filter), undefined, filter)
  for (const filter of ['sport/tennis#', 'sport/tennis/#/ranking', '##', '#/', 'a#', '#a', '/##']) assert.is(topicFilterFault(filter), 'filterMultiLevel', filter)
})

test('MQTT-4.7.1-2 (5.0), MQTT-4.7.1-3 (3.1.1): + fills a whole level', () => {
  for (const filter of ['+', '+/tennis/#', 'sport/+/player1', '/+', '+/+', '+/', '//+']) assert.is(topicFilterFault(filter), undefined, filter)
  for (const filter of ['sport+', '+sport', 'a/b+/c', '++', 'a/+b']) assert.is(topicFilterFault(filter), 'filterSingleLevel', filter)
})

test('MQTT-4.7.1-1, MQTT-4.7.1-2 (5.0): every filter of up to six characters is judged as its slow twin judges it', () => {
  const alphabet = ['a', '/', '+', '#']
  let filters = ['']
  for (let length = 0; length <= 6; length++) {
    for (const filter of filters) {
      if (topicFilterFault(filter) !== slowFault(filter)) assert.is(topicFilterFault(filter), slowFault(filter), filter)
    }
    filters = filters.flatMap((filter) => alphabet.map((character) => filter + character))
  }
})

test('MQTT-4.8.2-1, MQTT-4.8.2-2: a Shared Subscription is $share/, a name without wildcards, / and a filter', () => {
  for (const filter of ['$share/g/a', '$share/g/#', '$share/g/+/a', '$share/g//', '$share/consumer1//finance']) assert.is(topicFilterFault(filter), undefined, filter)
  for (const filter of ['$share/', '$share//a', '$share/+/a', '$share/#/a', '$share/g+/a', '$share/g#', '$share/a#b/c']) assert.is(topicFilterFault(filter), 'filterShareName', filter)
  for (const filter of ['$share/g', '$share/g/']) assert.is(topicFilterFault(filter), 'filterShared', filter)
  assert.is(topicFilterFault('$share/g/a#'), 'filterMultiLevel')
  assert.is(topicFilterFault('$share/g/+a'), 'filterSingleLevel')
})

test('MQTT-4.8.2-1: before 5.0, and without its second /, $share is a name like any other', () => {
  for (const filter of ['$share', '$shared/g', '$SHARE//a']) assert.is(topicFilterFault(filter), undefined, filter)
  for (const version of [3, 4] as const) {
    for (const filter of ['$share/', '$share//a', '$share/+/a', '$share/g', '$share/g/']) assert.ok(isTopicFilter(filter, version), filter)
    assert.is(topicFilterFault('$share/g#', version), 'filterMultiLevel')
  }
})

test('a shared filter comes apart into name and filter', () => {
  assert.equal(parseSharedFilter('$share/consumer1/sport/tennis/+'), { shareName: 'consumer1', filter: 'sport/tennis/+' })
  assert.equal(parseSharedFilter('$share/consumer1//finance'), { shareName: 'consumer1', filter: '/finance' })
  assert.equal(parseSharedFilter('sport/#'), { shareName: undefined, filter: 'sport/#' })
  assert.equal(parseSharedFilter('$share'), { shareName: undefined, filter: '$share' })
})

test('the examples of 5.0 §4.7.1 match as they say', () => {
  const matches = [
    ['sport/tennis/player1/#', 'sport/tennis/player1'], ['sport/tennis/player1/#', 'sport/tennis/player1/ranking'], ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon'],
    ['sport/#', 'sport'], ['#', 'a/b'], ['sport/tennis/+', 'sport/tennis/player1'], ['sport/+', 'sport/'], ['+/+', '/finance'], ['/+', '/finance'],
    ['$SYS/#', '$SYS/monitor/Clients'], ['$SYS/monitor/+', '$SYS/monitor/Clients'],
  ]
  for (const [filter, topic] of matches) assert.ok(topicMatches(filter!, topic!), `${filter} ${topic}`)
  const others = [
    ['sport/tennis/+', 'sport/tennis/player1/ranking'], ['sport/+', 'sport'], ['+', '/finance'], ['sport/tennis/player1/#', 'sport/tennis/player10'], ['sport/+', 'sport1/'],
  ]
  for (const [filter, topic] of others) assert.not(topicMatches(filter!, topic!), `${filter} ${topic}`)
})

test('MQTT-4.7.2-1: a filter that begins with a wildcard does not match a name that begins with $', () => {
  for (const filter of ['#', '+', '+/#', '+/monitor/Clients']) assert.not(topicMatches(filter, '$SYS/monitor/Clients'), filter)
  assert.ok(topicMatches('a/+', 'a/$b'))
  assert.ok(topicMatches('a/#', 'a/$b'))
})

test('MQTT-4.7.3-4 (5.0): names are compared as they are: no case folded, nothing normalised, a leading / is a level', () => {
  for (const [filter, topic] of [['ACCOUNTS', 'Accounts'], ['/finance', 'finance'], ['\u00e9', 'e\u0301'], ['a', 'a '], ['a', '\ufeffa']] as const) assert.not(topicMatches(filter, topic))
})

test('MQTT-4.7.1-1, MQTT-4.7.1-2 (5.0): random filters match random names as the slow twin has it', () => {
  const random = randomFrom(4)
  const join = (levels: readonly string[]) => Array.from({ length: 1 + random(4) }, () => levels[random(levels.length)]).join('/')
  let matched = 0
  for (let i = 0; i < 50_000; i++) {
    const filter = join(['a', 'b', '', '+', '+', 'ab', '$x']) + (random(3) === 0 ? '/#' : '')
    const topic = join(['a', 'b', '', 'ab', '$x'])
    const got = topicMatches(filter, topic)
    if (got !== slowMatches(filter, topic)) assert.is(got, !got, `${filter} ${topic}`)
    if (got) matched++
  }
  assert.ok(matched > 2_000, `${matched} matched`)
})

test('tens of thousands of levels take no stack and no square of time', () => {
  const topic = 'a/'.repeat(32_000)
  assert.ok(topicMatches('+/'.repeat(32_000), topic))
  assert.ok(topicMatches('#', topic))
  assert.not(topicMatches(`${'+/'.repeat(32_000)}b`, topic))
  assert.ok(isTopicFilter('+/'.repeat(32_000)))
})

test('MQTT-4.7.3-2 (3.1.1), MQTT-4.7.3-2 (5.0), MQTT-4.7.3-3 (3.1.1), MQTT-4.7.3-3 (5.0): what no string can hold is neither Topic Name nor Topic Filter', () => {
  for (const text of ['a\0b', 'a\ud800', '\udc00', 'x'.repeat(65_536), 'é'.repeat(32_768)]) {
    assert.not(isTopicName(text))
    assert.not(isTopicFilter(text))
  }
  for (const text of ['x'.repeat(65_535), 'é'.repeat(32_767)]) assert.ok(isTopicName(text) && isTopicFilter(text))
})

test('twin: judged from its first wildcard on, a filter is judged as from its beginning', () => {
  for (const version of [3, 4, 5] as const) {
    for (const filter of ['a', 'a/b', '+', '#', 'a/#', 'a/+', 'a/+/b', 'a/b#', 'a+', 'a/#/b', 'a/+b', '$share/g/a/#', '$share/g/a#', '$share/+/a', '$share/g/', '$SYS/#', '$share']) {
      const first = filter.search(/[+#]/)
      for (let from = 0; from <= Math.max(0, first); from++) assert.is(topicFilterFault(filter, version, from), topicFilterFault(filter, version), `${filter} from ${from}`)
    }
  }
})

test.run()
