// Are two packets the same? A field that is undefined is as good as absent; bytes are compared as bytes.

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return typeof a === 'number' && typeof b === 'number' && a !== a && b !== b
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b)
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  return !Array.isArray(b) && covers(a as Fields, b as Fields) && covers(b as Fields, a as Fields)
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

interface Fields { readonly [name: string]: unknown }

function covers(a: Fields, b: Fields): boolean {
  return Object.keys(a).every((name) => a[name] === undefined || (Object.hasOwn(b, name) && equal(a[name], b[name])))
}
