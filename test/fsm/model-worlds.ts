// The worlds that are looked at. Small ones: a fault of a session machine needs few messages, few identifiers and one or two cuts to show.
//
// Places, steps between them, and the farthest place, on Node 20 and two busy cores; nothing broke in any of them (2026-11-25):
//   npm test, npm run model                199,975 places      344,024 steps   29 deep     9 s
//   npm run model -- --cuts 3              538,679           1,116,113         34         32 s
//   npm run model -- --cuts 4              729,236           1,551,459         36         46 s
//   npm run model -- --larger            1,291,066           2,623,169         35       1 min
//   npm run model -- --larger --cuts 3   5,381,317          13,756,977         38       4 min, of which `both crash` has 3,045,387 places
import type { Kind, World } from './model-world.ts'

const kinds = (topics: string, ...qos: readonly Kind['qos'][]): readonly Kind[] => [...topics].flatMap((topic) => qos.map((one) => ({ qos: one, topic })))

const ALL = kinds('a', 0, 1, 2)
const ACKNOWLEDGED = kinds('a', 1, 2)

export const WORLDS: { readonly [name: string]: World } = {
  'one message each, 5.0': { version: 5, kinds: ALL, client: 1, server: 1, cuts: 2 },
  'one message each, 3.1.1': { version: 4, kinds: ALL, client: 1, server: 1, cuts: 1 },
  'one message each, 3.1': { version: 3, kinds: ACKNOWLEDGED, client: 1, server: 1, cuts: 2 },
  'two messages and one': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 1, cuts: 1 },
  'two topics': { version: 4, kinds: kinds('ab', 1, 2), client: 2, server: 0, cuts: 2 },
  'two topics, from the server': { version: 5, kinds: kinds('ab', 1, 2), client: 0, server: 2, cuts: 2 },
  'one identifier': { version: 5, kinds: ACKNOWLEDGED, client: 3, server: 0, cuts: 2, packetIds: 1 },
  'two identifiers': { version: 4, kinds: ACKNOWLEDGED, client: 3, server: 0, cuts: 2, packetIds: 2 },
  'three identifiers, from the server': { version: 5, kinds: ACKNOWLEDGED, client: 0, server: 3, cuts: 1, packetIds: 3 },
  'Receive Maximum 1': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 1, cuts: 1, receiveMaximum: [1] },
  'Receive Maximum 2': { version: 5, kinds: ACKNOWLEDGED, client: 3, server: 0, cuts: 1, receiveMaximum: [2] },
  'Receive Maximum 3, then 1, then 2': { version: 5, kinds: ACKNOWLEDGED, client: 3, server: 0, cuts: 2, receiveMaximum: [3, 1, 2] },
  'Maximum Packet Size none, then 20': { version: 5, kinds: [...ACKNOWLEDGED, { qos: 2, topic: 'a/topic/of/some/length' }], client: 2, server: 0, cuts: 2, maximumPacketSize: [0, 20, 0], packetIds: 1 },
  'Topic Alias': { version: 5, kinds: [{ qos: 2, topic: 'a' }, { qos: 1, topic: 'a', alias: 'set' }, { qos: 1, topic: 'a', alias: 'short' }, { qos: 2, topic: 'a', alias: 'short' }], client: 2, server: 0, cuts: 2 },
  'a subscription': { version: 5, kinds: ACKNOWLEDGED, client: 1, server: 0, requests: 2, cuts: 2, packetIds: 2 },
  'a subscription, Receive Maximum 1': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 0, requests: 1, cuts: 1, receiveMaximum: [1] },
  'a subscription and messages': { version: 4, kinds: kinds('a', 2), client: 1, server: 1, requests: 1, cuts: 1 },
  'refused messages': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 0, cuts: 2, refusals: 1 },
  'before CONNACK': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 0, cuts: 2, early: true },
  'a clean start': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 0, cuts: 2, restarts: 1, early: true },
  'a clean start, 3.1.1': { version: 4, kinds: kinds('a', 2), client: 1, server: 1, cuts: 2, restarts: 1 },
  'a server that forgets': { version: 5, kinds: ACKNOWLEDGED, client: 1, server: 1, cuts: 2, forgets: 1 },
  'a server that forgets, 3.1.1': { version: 4, kinds: ACKNOWLEDGED, client: 2, server: 0, cuts: 2, forgets: 1 },
  'a client that crashes': { version: 5, kinds: ACKNOWLEDGED, client: 1, server: 1, cuts: 1, crashes: { client: 1 } },
  'a server that crashes': { version: 4, kinds: ACKNOWLEDGED, client: 1, server: 1, cuts: 1, crashes: { server: 1 } },
  'a client that crashes with three messages': { version: 5, kinds: kinds('a', 1), client: 3, server: 0, cuts: 1, crashes: { client: 1 } },
  'a server that crashes, Receive Maximum 2, then 1': { version: 5, kinds: ACKNOWLEDGED, client: 0, server: 2, cuts: 1, crashes: { server: 1 }, receiveMaximum: [2, 1] },
  'both crash, with two identifiers': { version: 5, kinds: kinds('a', 2), client: 2, server: 0, cuts: 1, crashes: { client: 1, server: 1 }, packetIds: 2 },
  'a store that lags where it may': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 0, cuts: 0, crashes: { client: 1, server: 1 }, late: ['puback', 'pubcomp', 'suback'], packetIds: 2 },
}

/** For `npm run model`: what takes longer than a test may. */
export const LARGER: { readonly [name: string]: World } = {
  'Topic Alias, both ways': { version: 5, kinds: [{ qos: 1, topic: 'a', alias: 'set' }, { qos: 2, topic: 'a', alias: 'short' }], client: 2, server: 2, cuts: 1 },
  'two messages each': { version: 5, kinds: kinds('a', 2), client: 2, server: 2, cuts: 1, packetIds: 2 },
  'four messages': { version: 5, kinds: ACKNOWLEDGED, client: 4, server: 0, cuts: 2, packetIds: 3 },
  'four messages, Receive Maximum 3, then 1, then 2': { version: 5, kinds: ACKNOWLEDGED, client: 4, server: 0, cuts: 2, receiveMaximum: [3, 1, 2] },
  'a subscription and one message each': { version: 5, kinds: ACKNOWLEDGED, client: 1, server: 1, requests: 1, cuts: 2 },
  'a server that forgets twice': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 1, cuts: 2, forgets: 2 },
  'both crash': { version: 5, kinds: ACKNOWLEDGED, client: 2, server: 1, cuts: 0, crashes: { client: 1, server: 1 } },
  'both crash twice': { version: 4, kinds: ACKNOWLEDGED, client: 2, server: 0, cuts: 1, crashes: { client: 2, server: 2 }, packetIds: 2 },
}
