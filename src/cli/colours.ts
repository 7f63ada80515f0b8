// SPDX-License-Identifier: MIT
// The colours of a drawn packet, for light and for dark. Text on each has a contrast of at least 7 to 1; on the red of a wrong byte 4.5 to 1.
import type { Kind } from './bytemap.ts'

export interface Theme {
  readonly card: string
  readonly line: string
  readonly text: string
  readonly faint: string
  readonly wrong: string
  readonly onWrong: string
  /** a sentence about what is wrong, on the card */
  readonly alarm: string
  readonly kinds: { readonly [K in Kind]: string }
}

export const LIGHT: Theme = {
  card: '#ffffff', line: '#d0d7de', text: '#1f2328', faint: '#59636e', wrong: '#cf222e', onWrong: '#ffffff', alarm: '#a40e26',
  kinds: { header: '#cfe4ff', flags: '#ffdfb3', number: '#cdeccb', text: '#e6d9fb', property: '#c4ebec', data: '#e4e7ea', secret: '#f8d0e0', unread: '#f6f8fa' },
}

export const DARK: Theme = {
  card: '#151b23', line: '#3d444d', text: '#f0f6fc', faint: '#9198a1', wrong: '#d1242f', onWrong: '#ffffff', alarm: '#ff9a94',
  kinds: { header: '#1c3f6e', flags: '#6b4310', number: '#1f4f2b', text: '#47326f', property: '#0f4a4d', data: '#383f47', secret: '#692843', unread: '#212830' },
}
