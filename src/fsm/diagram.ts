// SPDX-License-Identifier: MIT
// The tables of lifecycle.ts as a Mermaid state diagram. docs/architecture.md holds its output, and a test compares the two.
import { ENDINGS, LIFECYCLE, TIMERS } from './lifecycle.ts'
import type { Phase } from './lifecycle.ts'

/** Mermaid text of the LIFECYCLE and TIMERS tables; one edge for all events that lead the same way. */
export function lifecycleDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> opening: client', '  [*] --> awaiting_connect: server']
  for (const [phase, row] of Object.entries(LIFECYCLE) as [Phase, { readonly [event: string]: Phase }][]) {
    const edges = new Map<Phase, string[]>()
    for (const [event, to] of Object.entries(row)) edges.set(to, [...(edges.get(to) ?? []), event])
    for (const [timer, { client, server }] of Object.entries(TIMERS)) {
      for (const to of new Set([client[phase], server[phase]])) if (to !== undefined) edges.set(to, [...(edges.get(to) ?? []), `timer ${timer}`])
    }
    for (const [input, to] of Object.entries(ENDINGS)) {
      if (phase !== 'closed' && to !== phase) edges.set(to, [...(edges.get(to) ?? []), input])
    }
    for (const [to, events] of edges) lines.push(`  ${id(phase)} --> ${id(to)}: ${grouped(events)}`)
  }
  lines.push('  closed --> [*]')
  return `${lines.join('\n')}\n`
}

/** `client publish, client puback, server publish` as `client publish/puback, server publish`. */
function grouped(events: readonly string[]): string {
  const bySubject = new Map<string, string[]>()
  for (const event of events) {
    const [subject, what = ''] = event.split(' ') as [string, string?]
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), what])
  }
  return [...bySubject].map(([subject, what]) => `${subject} ${what.join('/')}`.trim()).join(', ')
}

/** Mermaid takes no hyphen in a state's name. */
function id(phase: Phase): string {
  return phase.replaceAll('-', '_')
}
