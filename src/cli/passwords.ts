// SPDX-License-Identifier: MIT
// User names and passwords from a file, a line each: `name:password`, or as mosquitto_passwd writes it (`name:$7$iterations$salt$hash`, PBKDF2 with SHA-512).
import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** Is this the password of this user? */
export type Check = (username: string | undefined, password: Uint8Array | undefined) => Promise<boolean>

/** Throws an Error that names the line it cannot use; no line's text is in it. */
export function passwordsOf(text: string): Check {
  const users = new Map<string, Hashed | Uint8Array>()
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`line ${i + 1} is not name:password`)
    users.set(line.slice(0, colon), hashedOf(line.slice(colon + 1), i + 1))
  }
  return async (username, password) => {
    // Who is unknown takes as long as who is known, where passwords are hashed.
    const known = users.get(username ?? '')
    const expected = known ?? [...users.values()][0]
    if (expected === undefined || password === undefined) return false
    const { hash, given } = await hashOf(expected, password)
    return known !== undefined && hash.length === given.length && timingSafeEqual(hash, given)
  }
}

interface Hashed { readonly iterations: number, readonly salt: Uint8Array, readonly hash: Uint8Array }

function hashedOf(text: string, line: number): Hashed | Uint8Array {
  if (!/^\$\d+\$/.test(text)) return new TextEncoder().encode(text)
  const [, kind, iterations, salt, hash] = text.split('$')
  if (kind !== '7' || hash === undefined || !(Number(iterations) >= 1)) throw new Error(`line ${line} has a hash other than $7$ (PBKDF2 with SHA-512): make it anew with mosquitto_passwd`)
  return { iterations: Number(iterations), salt: Buffer.from(salt!, 'base64'), hash: Buffer.from(hash, 'base64') }
}

async function hashOf(expected: Hashed | Uint8Array, password: Uint8Array): Promise<{ readonly hash: Uint8Array, readonly given: Uint8Array }> {
  if (expected instanceof Uint8Array) return { hash: expected, given: password }
  const { iterations, salt, hash } = expected
  return { hash, given: await promisify(pbkdf2)(password, salt, iterations, hash.length, 'sha512') }
}
