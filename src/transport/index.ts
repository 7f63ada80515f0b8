// SPDX-License-Identifier: MIT
// Transports: the driver and what it needs of a byte stream, without a line about sockets. TCP is in connack/tcp.
export { Client } from './client.ts'
export type { ClientOptions } from './client.ts'
export { ConnectionClosed } from './driver-options.ts'
export type { DriverHandler, DriverOptions, TraceRecord } from './driver-options.ts'
export { Driver } from './driver.ts'
export type { Duplex } from './duplex.ts'
export { Peer } from './server.ts'
export type { AcceptOptions, PeerOptions } from './server.ts'
export { sharedTimers, systemClock, Timers } from './timers.ts'
export type { Clock } from './timers.ts'
