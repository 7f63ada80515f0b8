// The tree against its slow twin, `topicMatches` over a list; and shapes that break trees.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isTopicFilter, isTopicName, topicMatches } from '../../src/codec/index.ts'
import { TopicTree } from '../../src/broker/index.ts'
import { randomFrom } from '../helpers/random.ts'

const NAMES = ['a', 'b', '', '$', '$SYS', 'A', '__proto__', 'é']

function randomPath(random: (bound: number) => number, words: readonly string[]): string {
  return Array.from({ length: 1 + random(4) }, () => words[random(words.length)]!).join('/')
}

function randomFilter(random: (bound: number) => number): string {
  const path = randomPath(random, [...NAMES, '+', '+'])
  return random(3) === 0 ? (random(4) === 0 ? '#' : `${path}/#`) : path
}

test('MQTT-3.3.2-3 (3.1.1), MQTT-3.3.2-3 (5.0): filters found by name are those that match it, names found by filter those it matches', () => {
  const random = randomFrom(7)
  let found = 0
  for (let round = 0; round < 60; round++) {
    const [filters, topics] = [new TopicTree<string>(), new TopicTree<string>()]
    const [ownFilters, ownTopics] = [new Set<string>(), new Set<string>()]
    for (let i = 0; i < 40; i++) {
      const [filter, topic] = [randomFilter(random), randomPath(random, NAMES)]
      if (isTopicFilter(filter, 4)) filters.set(filter, (ownFilters.add(filter), filter))
      if (isTopicName(topic)) topics.set(topic, (ownTopics.add(topic), topic))
    }
    for (const one of [...ownFilters].filter(() => random(4) === 0)) filters.delete(one), ownFilters.delete(one)
    for (const one of [...ownTopics].filter(() => random(4) === 0)) topics.delete(one), ownTopics.delete(one)
    assert.equal([filters.size, topics.size], [ownFilters.size, ownTopics.size])
    assert.equal([filters.all().sort(), topics.all().sort()], [[...ownFilters].sort(), [...ownTopics].sort()])
    for (let i = 0; i < 60; i++) {
      const [filter, topic] = [randomFilter(random), randomPath(random, NAMES)]
      if (isTopicName(topic)) {
        const matching = filters.matching(topic)
        found += matching.length
        assert.equal(matching.sort(), [...ownFilters].filter((one) => topicMatches(one, topic)).sort(), topic)
      }
      if (isTopicFilter(filter, 4)) assert.equal(topics.under(filter).sort(), [...ownTopics].filter((one) => topicMatches(filter, one)).sort(), filter)
    }
  }
  assert.ok(found > 1000, `${found} matches`)
})

test('a value set again is one value, what is deleted twice is deleted once, and an empty tree has no levels left', () => {
  const tree = new TopicTree<number>()
  tree.set('a/b/c', 1)
  tree.set('a/b/c', 2)
  tree.set('a', 3)
  assert.equal([tree.size, tree.get('a/b/c'), tree.get('a/b'), tree.get('x'), tree.get('a')], [2, 2, undefined, undefined, 3])
  for (const path of ['a/b', 'x/y', 'a/b/c', 'a/b/c', 'a']) tree.delete(path)
  assert.equal([tree.size, (tree as unknown as { root: { children: Map<string, unknown> } }).root.children.size], [0, 0])
})

test('thirty thousand levels cost thirty thousand steps and no stack', () => {
  const deep = Array.from({ length: 30_000 }, () => 'l').join('/')
  const [filters, topics] = [new TopicTree<string>(), new TopicTree<string>()]
  for (const filter of [deep, `${deep}/#`, '#', 'l/#', deep.replaceAll('l', '+')]) filters.set(filter, filter)
  assert.is(filters.matching(deep).length, 5)
  topics.set(deep, deep)
  for (const filter of [deep, '#', 'l/+/#', deep.replaceAll('l', '+')]) assert.equal(topics.under(filter), [deep])
  filters.delete(deep)
  topics.delete(deep)
  assert.equal([filters.size, topics.size, topics.under('#')], [4, 0, []])
})

test('wide trees: every combination of a wildcard and a name at ten levels, and fifty thousand names on one', () => {
  const filters = new TopicTree<string>()
  for (let bits = 0; bits < 1024; bits++) {
    const filter = Array.from({ length: 10 }, (_, i) => (bits & (1 << i) ? '+' : 'a')).join('/')
    filters.set(filter, filter)
  }
  assert.is(filters.matching(Array(10).fill('a').join('/')).length, 1024)
  assert.is(filters.matching(Array(9).fill('a').join('/')).length, 0)
  const topics = new TopicTree<number>()
  for (let i = 0; i < 50_000; i++) topics.set(`a/${i}`, i)
  assert.equal([topics.under('a/+').length, topics.under('a/49999').length, topics.under('b/+').length, topics.under('#').length], [50_000, 1, 0, 50_000])
})

test('MQTT-4.7.2-1 (3.1.1), MQTT-4.7.2-1 (5.0): names that begin with $ are not for wildcards in front, either way', () => {
  const [filters, topics] = [new TopicTree<string>(), new TopicTree<string>()]
  for (const filter of ['#', '+/#', '+', '+/x', '$SYS/#', '$SYS/+', '$SYS/x', 'a/#']) filters.set(filter, filter)
  assert.equal(filters.matching('$SYS/x').sort(), ['$SYS/#', '$SYS/+', '$SYS/x'])
  assert.equal(filters.matching('$SYS').sort(), ['$SYS/#'])
  for (const topic of ['$SYS/x', '$SYS', 'a/$b', 'a']) topics.set(topic, topic)
  assert.equal([topics.under('#').sort(), topics.under('+').sort(), topics.under('+/#').sort(), topics.under('$SYS/#').sort(), topics.under('a/+')], [['a', 'a/$b'], ['a'], ['a', 'a/$b'], ['$SYS', '$SYS/x'], ['a/$b']])
})

test.run()
