// No token is lost, and none is told of twice: what was there and what the application has added is there afterwards, or has been told of.
import type { State } from '../../src/fsm/index.ts'
import type { Check } from './check.ts'
import type { Seen } from './step.ts'

export function checkTokens(seen: Seen, check: Check): void {
  const { state, input, next, effects, before, after, reopens, discards } = seen
  const left = [...connectionTokens(state), ...[...before.values()].map(({ token }) => token)].filter(isToken)
  if (input.type === 'send' && isToken(input.token) && isKept(state, input.packet)) left.push(input.token)
  const take = (token: unknown, promise: string): void => {
    if (!isToken(token)) return
    const at = left.indexOf(token)
    check(at >= 0, promise, () => String(token))
    left.splice(at, 1)
  }
  for (const effect of effects) {
    if (effect.type === 'settle') take(effect.token, 'settles what was asked for, once')
    if (effect.type === 'refuse') take(effect.token, 'refuses what was asked for, once')
    if (effect.type === 'session' && effect.outcome === 'lost') for (const { token } of effect.redo) take(token, 'gives back what was asked for, once')
  }
  for (const token of [...connectionTokens(next), ...[...after.values()].map((exchange) => exchange.token)]) take(token, 'a token comes from the application')
  // What belongs to one connection ends with it in silence: `close` is its answer. Requests of an earlier one are gone when the next begins.
  const silent = new Set<unknown>(isOver(next) ? connectionTokens(state) : [])
  if (reopens || discards) for (const { awaits, token } of before.values()) if (awaits === 'suback' || awaits === 'unsuback') silent.add(token)
  // A session of another Client Identifier is not this connection's.
  if (discards && !effects.some(({ type }) => type === 'session')) for (const { token } of before.values()) silent.add(token)
  const lost = left.filter((token) => !silent.has(token))
  check(lost.length === 0, 'no token is lost', () => lost.map(String).join(', '))
}

/** Those of the connection itself: who asked for CONNECT, PINGREQ and re-authentication. */
function connectionTokens(state: State): readonly unknown[] {
  switch (state.phase) {
    case 'authenticating': return [state.token]
    case 'connected': return state.pingTokens
    case 'reauthenticating': return [...state.pingTokens, state.authToken]
    default: return []
  }
}

/** Is the token of this request kept for an answer? */
function isKept({ phase, role }: State, packet: { readonly type: string, readonly qos?: number | undefined, readonly reasonCode?: number | undefined }): boolean {
  switch (packet.type) {
    case 'connect':
    case 'subscribe':
    case 'unsubscribe': return true
    case 'publish': return (packet.qos ?? 0) > 0
    case 'pingreq': return phase !== 'authenticating'
    case 'auth': return role === 'client' && phase === 'connected'
    default: return false
  }
}

function isToken(token: unknown): boolean {
  return token !== undefined
}

function isOver({ phase }: State): boolean {
  return phase === 'closing' || phase === 'closed'
}
