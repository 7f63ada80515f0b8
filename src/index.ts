// SPDX-License-Identifier: MIT
// Codec and machine, and nothing of a runtime: what the single-file vendor bundle holds.
export * from './codec/index.ts'
export * from './fsm/index.ts'
