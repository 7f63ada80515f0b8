// The map of Packet Identifiers against its slow twin: a Map that is copied whole, and a search that tries every number.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { countIds, freeId, getId, idEntries, LARGEST_ID, removeId, setId } from '../../src/fsm/packet-ids.ts'
import type { IdMap } from '../../src/fsm/packet-ids.ts'
import { deepFreeze } from './helpers.ts'

/** The twin: obviously right, and as slow as it looks. */
class Twin {
  private readonly entries: ReadonlyMap<number, string>
  constructor(entries: ReadonlyMap<number, string> = new Map()) { this.entries = entries }
  with(id: number, value: string): Twin { return new Twin(new Map(this.entries).set(id, value)) }
  without(id: number): Twin {
    const entries = new Map(this.entries)
    entries.delete(id)
    return new Twin(entries)
  }

  get(id: number): string | undefined { return this.entries.get(id) }
  get size(): number { return this.entries.size }
  sorted(): readonly (readonly [number, string])[] { return [...this.entries].sort(([a], [b]) => a - b) }
  free(from: number, largest: number): number {
    for (let id = from; id <= largest; id++) if (!this.entries.has(id)) return id
    return 0
  }
}

/** A small generator, so that a failure can be seen again. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 0x1_0000_0000 * below)
  }
}

function full(largest: number): IdMap<number> {
  let map: IdMap<number>
  for (let id = 1; id <= largest; id++) map = setId(map, id, id)
  return map
}

const EDGES = [1, 2, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 0x7fff, 0x8000, 0xfffe, LARGEST_ID]

test('the empty map: nothing in it, and everything is free', () => {
  const empty: IdMap<string> = undefined
  assert.is(countIds(empty), 0)
  assert.equal([...idEntries(empty)], [])
  for (const id of EDGES) {
    assert.is(getId(empty, id), undefined)
    assert.is(freeId(empty, id, LARGEST_ID), id)
  }
})

test('one entry at each edge of the tree: there, alone, replaced without being counted twice, and gone', () => {
  for (const id of EDGES) {
    const one = deepFreeze(setId<string>(undefined, id, 'one'))
    assert.equal([countIds(one), getId(one, id), [...idEntries(one)]], [1, 'one', [[id, 'one']]])
    for (const other of EDGES) if (other !== id) assert.is(getId(one, other), undefined)
    const two = deepFreeze(setId(one, id, 'two'))
    assert.equal([countIds(two), getId(two, id), getId(one, id)], [1, 'two', 'one'])
    assert.is(removeId(two, id), undefined)
    assert.is(freeId(one, id, LARGEST_ID), id === LARGEST_ID ? 0 : id + 1)
  }
})

test('10,000 random steps on frozen nodes: the twin says the same of every version, the old ones too', () => {
  for (const [seed, range] of [[1, 40], [2, 600], [3, LARGEST_ID]] as const) {
    const random = numbers(seed)
    const kept: (readonly [IdMap<string>, Twin])[] = []
    let map: IdMap<string>
    let twin = new Twin()
    for (let i = 0; i < 3334; i++) {
      const id = 1 + random(range)
      if (twin.get(id) !== undefined && random(2) === 0) {
        map = removeId(map, id)
        twin = twin.without(id)
      } else {
        const value = `${i}`
        map = setId(map, id, value)
        twin = twin.with(id, value)
      }
      deepFreeze(map)
      assert.is(countIds(map), twin.size)
      assert.is(getId(map, id), twin.get(id))
      const from = 1 + random(range)
      assert.is(freeId(map, from, range), twin.free(from, range), `seed ${seed}, step ${i}, from ${from}`)
      if (i % 300 === 0) kept.push([map, twin])
    }
    for (const [old, then] of kept) assert.equal([...idEntries(old)], then.sorted())
    for (const [id] of twin.sorted()) map = removeId(map, id)
    assert.is(map, undefined, 'what has nothing in it is the empty map again')
  }
})

test('MQTT-2.2.1-3 (5.0), MQTT-2.3.1-2 (3.1.1): with all 65,535 in use there is none; with one free, that one, wherever it is', () => {
  const all = full(LARGEST_ID)
  assert.is(countIds(all), LARGEST_ID)
  for (const from of EDGES) assert.is(freeId(all, from, LARGEST_ID), 0)
  let sum = 0
  for (const [id, value] of idEntries(all)) sum += id === value ? id : NaN
  assert.is(sum, LARGEST_ID * (LARGEST_ID + 1) / 2)
  for (const id of EDGES) {
    const hole = removeId(all, id)
    assert.equal([freeId(hole, 1, LARGEST_ID), freeId(hole, id, LARGEST_ID), countIds(hole)], [id, id, LARGEST_ID - 1])
    if (id < LARGEST_ID) assert.is(freeId(hole, id + 1, LARGEST_ID), 0)
    assert.is(getId(all, id), id, 'the full one is as it was')
  }
})

test('the search ends at the largest number it is given, and goes over whole full nodes', () => {
  const map = full(0x1234)
  assert.is(freeId(map, 1, LARGEST_ID), 0x1235)
  assert.is(freeId(map, 1, 0x1235), 0x1235)
  assert.is(freeId(map, 1, 0x1234), 0)
  assert.is(freeId(map, 0x1234, 0x1234), 0)
  assert.is(freeId(map, 9, 8), 0)
  const beyond = setId(map, 0x1235, 0)
  assert.is(freeId(beyond, 0x1230, LARGEST_ID), 0x1236)
})

test('a map survives JSON, as every state does', () => {
  let map: IdMap<string>
  for (const id of EDGES) map = setId(map, id, `${id}`)
  map = removeId(map, 256)
  const back = JSON.parse(JSON.stringify(map)) as IdMap<string>
  assert.equal(back, map)
  assert.equal([...idEntries(back)], EDGES.filter((id) => id !== 256).map((id) => [id, `${id}`]))
  assert.equal([getId(back, 256), getId(back, 3), getId(back, 0x2000), freeId(back, 255, LARGEST_ID), countIds(setId(back, 256, 'again'))], [undefined, undefined, undefined, 256, EDGES.length])
})

test('a change copies four nodes, whatever else is there', () => {
  const all = full(0x2000) as readonly (readonly unknown[])[]
  const changed = setId(all as never, 0x1fff, -1) as unknown as readonly (readonly unknown[])[]
  assert.is(changed[0], all[0], 'what was not changed is shared')
  assert.is.not(changed[1], all[1])
  assert.is(changed[1]![0], all[1]![0])
})

test.run()
