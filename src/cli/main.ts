#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { main } from './cli.ts'
import { paintFor } from './render.ts'

process.exitCode = await main(process.argv.slice(2), { print: (line) => { process.stdout.write(`${line}\n`) }, paint: paintFor(process.stdout, process.env) })
