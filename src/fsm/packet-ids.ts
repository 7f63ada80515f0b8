// SPDX-License-Identifier: MIT
// What belongs to each Packet Identifier or Topic Alias, as a value: 16-bit number → T. A tree of four levels, sixteen ways each, of which a
// change copies four nodes whatever else is in it: the first entry costs what the 65,000th does, and every older version stays as it was.
// Its slow twin is a Map that is copied whole (test/fsm/packet-ids.test.ts).

/** Sixteen children (nodes, or in the last level values; null: none, as JSON has it) and behind them how many values there are below. Plain data; frozen if you like. */
type Node = readonly unknown[]

/** An immutable map from 1 … 65,535 to T, which is never undefined. The empty one is undefined. */
export type IdMap<T> = (Node & { readonly ' of'?: T }) | undefined

/** Identifiers are two bytes and never 0 (5.0 §2.2.1). */
export const LARGEST_ID = 0xffff

const COUNT = 16
const BARE: unknown[] = [...Array<null>(COUNT).fill(null), 0]

export function countIds(map: IdMap<unknown>): number {
  return map === undefined ? 0 : map[COUNT] as number
}

export function getId<T>(map: IdMap<T>, id: number): T | undefined {
  let node: Node | null = map ?? null
  for (let shift = 12; node !== null && shift > 0; shift -= 4) node = node[(id >> shift) & 15] as Node | null
  return node === null ? undefined : (node[id & 15] as T | null) ?? undefined
}

/** The map with `value` at `id`, whatever was there. */
export function setId<T>(map: IdMap<T>, id: number, value: T): IdMap<T> {
  const one = copy(map ?? null)
  const two = copy(one[id >> 12] as Node | null)
  const three = copy(two[(id >> 8) & 15] as Node | null)
  const four = copy(three[(id >> 4) & 15] as Node | null)
  if (four[id & 15] === null) {
    ;(one[COUNT] as number)++
    ;(two[COUNT] as number)++
    ;(three[COUNT] as number)++
    ;(four[COUNT] as number)++
  }
  one[id >> 12] = two
  two[(id >> 8) & 15] = three
  three[(id >> 4) & 15] = four
  four[id & 15] = value
  return one
}

/** The map without `id`, which is in it. */
export function removeId<T>(map: IdMap<T>, id: number): IdMap<T> {
  return without(map!, id, 12) ?? undefined
}

function without(node: Node, id: number, shift: number): Node | null {
  if (node[COUNT] === 1) return null
  const less = node.slice()
  ;(less[COUNT] as number)--
  const at = (id >> shift) & 15
  less[at] = shift === 0 ? null : without(node[at] as Node, id, shift - 4)
  return less
}

/** The smallest number from `from` to `largest` that is not in the map; 0 if there is none. Looks at 64 places or so, never at all. */
export function freeId(map: IdMap<unknown>, from: number, largest: number): number {
  let id = from
  search: while (id <= largest) {
    let node: Node | null = map ?? null
    for (let shift = 12; ; shift -= 4) {
      if (node === null) return id
      // Everything below is taken: go on behind it.
      if (node[COUNT] === 1 << (shift + 4)) {
        id = ((id >> (shift + 4)) + 1) << (shift + 4)
        continue search
      }
      if (shift === 0) break
      node = node[(id >> shift) & 15] as Node | null
    }
    if (node[id & 15] === null) return id
    id++
  }
  return 0
}

/** All entries, by number. */
export function* idEntries<T>(map: IdMap<T>): Generator<readonly [id: number, value: T], void> {
  if (map !== undefined) yield* below(map, 0, 12) as Generator<readonly [number, T], void>
}

function* below(node: Node, id: number, shift: number): Generator<readonly [number, unknown], void> {
  for (let i = 0; i < COUNT; i++) {
    const child = node[i]
    if (child === null) continue
    const at = id | (i << shift)
    if (shift === 0) yield [at, child]
    else yield* below(child as Node, at, shift - 4)
  }
}

function copy(node: Node | null): unknown[] {
  return (node ?? BARE).slice()
}
