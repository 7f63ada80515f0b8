// Peers live in bench/peers with their own package file and lock, never in the project's.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Unable } from '../lib/facts.js'

const require = createRequire(new URL('../peers/package.json', import.meta.url))

const or = (load) => {
  try {
    return load()
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') throw new Unable('not installed (npm ci in bench/peers)')
    throw error
  }
}

export const requirePeer = (id) => or(() => require(id))

/** For packages that are ES modules. */
export const importPeer = (id) => import(pathToFileURL(or(() => require.resolve(id))).href)
