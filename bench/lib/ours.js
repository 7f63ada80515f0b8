// Optional parts of ours: a case asks for what it needs, and says so when it is not there.

import { Unable } from './facts.js'

const SOURCES = { core: 'src/index.ts (codec and fsm)', timers: 'src/transport/timers.ts', tcp: 'src/transport/tcp.ts' }

export async function needs(bundle, ...names) {
  const module = await import(`../.build/${bundle}.js`).catch((error) => {
    throw new Unable(`not available: ${SOURCES[bundle]} (${error.code ?? error.message})`)
  })
  const missing = names.filter((name) => typeof module[name] !== 'function')
  if (missing.length > 0) throw new Unable(`not available: ${SOURCES[bundle]} does not export ${missing.join(', ')}`)
  return module
}
