// Is a contender right? It is when every fact of the canonical packet comes out of it. Facts it adds are its business.

/** The first thing that is not as expected, as one sentence; undefined when all is right. */
export function difference(expected, actual, path = 'packet') {
  if (expected === undefined) return undefined
  if (expected instanceof Uint8Array) {
    if (!(actual instanceof Uint8Array)) return `${path} is ${show(actual)}, not bytes`
    return Buffer.compare(expected, actual) === 0 ? undefined : `${path} has other bytes`
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null) return `${path} is ${show(actual)}`
    if (Array.isArray(expected) && expected.length !== actual.length) return `${path} has ${actual.length} entries, not ${expected.length}`
    for (const key of Object.keys(expected)) {
      const found = difference(expected[key], actual[key], `${path}.${key}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return Object.is(expected, actual) ? undefined : `${path} is ${show(actual)}, not ${show(expected)}`
}

const show = (value) => {
  if (value === undefined) return 'missing'
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value) ?? String(value)
}

/** A contender was wrong, or cannot do this at all. The orchestrator reports both by name; neither is a crash. */
export class Wrong extends Error {}
export class Unable extends Error {}

export function check(expected, actual) {
  const found = difference(expected, actual)
  if (found !== undefined) throw new Wrong(found)
}
