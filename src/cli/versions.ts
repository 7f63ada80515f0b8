// SPDX-License-Identifier: MIT
import type { ProtocolVersion } from '../codec/index.ts'

/** The versions as their documents are called. */
export const VERSIONS: { readonly [V in ProtocolVersion]: string } = { 3: '3.1', 4: '3.1.1', 5: '5.0' }
