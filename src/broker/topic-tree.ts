// SPDX-License-Identifier: MIT
// Values by Topic Filter, found by Topic Name, and the other way round. A tree of levels, walked level by level and never by recursion: a topic of
// thirty thousand levels costs thirty thousand steps. Its slow twin is `topicMatches` over a list (test/broker/topic-tree.test.ts).

interface Node<T> {
  readonly children: Map<string, Node<T>>
  value: T | undefined
}

/** Values by Topic Filter or Topic Name, one each; undefined is none. Paths are taken as they are: not checked, and without `$share/name/`. */
export class TopicTree<T> {
  private readonly root: Node<T> = node()
  /** how many have a value */
  size = 0

  get(path: string): T | undefined {
    let at: Node<T> | undefined = this.root
    for (const level of path.split('/')) {
      at = at.children.get(level)
      if (at === undefined) return undefined
    }
    return at.value
  }

  set(path: string, value: T): void {
    let at = this.root
    for (const level of path.split('/')) {
      let next = at.children.get(level)
      if (next === undefined) at.children.set(level, next = node())
      at = next
    }
    if (at.value === undefined) this.size++
    at.value = value
  }

  /** Takes a value out, and every level that leads nowhere then. */
  delete(path: string): void {
    const levels = path.split('/')
    const way = [this.root]
    for (const level of levels) {
      const next = way.at(-1)!.children.get(level)
      if (next === undefined) return
      way.push(next)
    }
    if (way.at(-1)!.value === undefined) return
    way.at(-1)!.value = undefined
    this.size--
    for (let i = levels.length; i > 0 && way[i]!.value === undefined && way[i]!.children.size === 0; i--) way[i - 1]!.children.delete(levels[i - 1]!)
  }

  /** All values. */
  all(): T[] {
    const found: T[] = []
    gather(this.root, false, found)
    return found
  }

  /** The values of all Topic Filters that match a Topic Name (5.0 §4.7). */
  matching(topic: string): T[] {
    const found: T[] = []
    let nodes = [this.root]
    topic.split('/').forEach((level, depth) => {
      // A name that begins with $ is not for filters that begin with a wildcard [MQTT-4.7.2-1].
      const wild = depth > 0 || !level.startsWith('$')
      const next: Node<T>[] = []
      for (const { children } of nodes) {
        if (wild) pushValue(found, children.get('#'))
        for (const child of [children.get(level), wild ? children.get('+') : undefined]) if (child !== undefined) next.push(child)
      }
      nodes = next
    })
    for (const last of nodes) {
      pushValue(found, last)
      // `sport/#` matches `sport` (§4.7.1.2).
      pushValue(found, last.children.get('#'))
    }
    return found
  }

  /** The values of all Topic Names that match a Topic Filter. */
  under(filter: string): T[] {
    const found: T[] = []
    let nodes = [this.root]
    const levels = filter.split('/')
    for (const [depth, level] of levels.entries()) {
      if (level === '#') {
        for (const at of nodes) gather(at, depth === 0, found)
        return found
      }
      nodes = nodes.flatMap(({ children }) => {
        if (level === '+') return [...children].flatMap(([name, child]) => (depth === 0 && name.startsWith('$') ? [] : [child]))
        const child = children.get(level)
        return child === undefined ? [] : [child]
      })
    }
    for (const at of nodes) pushValue(found, at)
    return found
  }
}

/** Everything at and below a node; from the root, nothing that begins with $. */
function gather<T>(from: Node<T>, root: boolean, found: T[]): void {
  const stack = [from]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    pushValue(found, at)
    for (const [name, child] of at.children) if (!(root && at === from && name.startsWith('$'))) stack.push(child)
  }
}

function pushValue<T>(found: T[], at: Node<T> | undefined): void {
  if (at?.value !== undefined) found.push(at.value)
}

function node<T>(): Node<T> {
  return { children: new Map(), value: undefined }
}
