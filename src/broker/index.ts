// SPDX-License-Identifier: MIT
// The broker's public names.
export { Broker, createBroker } from './broker.ts'
export { MemoryStore } from './memory-store.ts'
export type { MemoryStoreOptions } from './memory-store.ts'
export type { BrokerCounters, BrokerOptions } from './options.ts'
export type { Delivery, Store, StoredMessage, StoredSession, StoredSubscription, StoreListener } from './store.ts'
export { TopicTree } from './topic-tree.ts'
