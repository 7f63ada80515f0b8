// A value as text: equal values, equal text, in whatever order their fields were written.

/** What has been found plain, and its text. A walk meets the same parts (limits, agreements, packets) again and again. */
const remembered = new Map<object, string>()

export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? JSON.stringify(value) : String(value)
  const known = remembered.get(value)
  if (known !== undefined) return known
  if (value instanceof Uint8Array) return `<${value.join(' ')}>`
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${name}:${canonical(field)}`).join(',')}}`
}

/** Plain objects, arrays, bytes and what JSON has: nothing that a store would lose. */
export function isPlain(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (value instanceof Uint8Array || remembered.has(value)) return true
  return (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) && Object.values(value).every(isPlain)
}

/** Remembers a plain, frozen value and its parts for as long as the process lives. */
export function remember(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || remembered.has(value)) return
  for (const field of Object.values(value)) remember(field)
  remembered.set(value, canonical(value))
}
