#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { main } from './cli.ts'
import { Refused } from './io.ts'
import { paintFor } from './render.ts'

/** Whoever reads us may stop reading, as `head` does: that is no failure. */
process.stdout.on('error', (error: Error & { readonly code?: string }) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

async function input(limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) throw new Refused(`standard input has more than ${limit} bytes`)
  }
  return Buffer.concat(chunks)
}

process.exitCode = await main(process.argv.slice(2), {
  print: (line) => { process.stdout.write(`${line}\n`) },
  complain: (line) => { process.stderr.write(`${line}\n`) },
  write: (bytes) => { process.stdout.write(bytes) },
  input,
  paint: paintFor(process.stdout, process.env),
})
