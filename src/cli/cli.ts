// SPDX-License-Identifier: MIT
// The command line of connack: finds the command, takes its arguments apart, and turns what it throws into an exit status.
import { readFileSync } from 'node:fs'
import { COMMANDS } from './commands.ts'
import type { Command } from './commands.ts'
import { Misused, Refused, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { HELP, helpLines, nearest, parseWords } from './options.ts'
import { shown } from './target.ts'
import type { Screen } from './stage.ts'

/** Runs one command line; returns the exit status. What a screen has no way to say or to read goes where its lines go, or is not there. */
export async function main(args: readonly string[], screen: Screen & Partial<Io>): Promise<number> {
  const io: Io = { complain: screen.print, write: () => {}, input: async () => new Uint8Array(0), ...screen }
  const [first, ...rest] = args
  if (first === '--version' && rest.length === 0) {
    io.print((JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }).version)
    return STATUS.fine
  }
  if (first === 'help' || first === '--help') return help(rest, io)
  const named = first === undefined || first.startsWith('-') ? undefined : first
  const command = COMMANDS.find(({ name }) => name === (named ?? 'demo'))
  if (command === undefined) {
    const near = nearest(named!, COMMANDS.map(({ name }) => name))
    return misused(`there is no command ${shown(named!)}${near === undefined ? '' : `; did you mean ${near}?`}`, undefined, io)
  }
  const words = named === undefined ? args : rest
  if (words.includes('--help')) return help([command.name, ...words], io)
  try {
    return await command.run(parseWords(words, optionsOf(command, words)), io)
  } catch (error) {
    if (error instanceof Misused) return misused(error.message, named === undefined ? undefined : command, io)
    if (!(error instanceof Refused)) throw error
    io.complain(`connack ${command.name}: ${error.message}`)
    return STATUS.wrong
  }
}

function optionsOf({ options }: Command, args: readonly string[]): ReturnType<Extract<Command['options'], (args: readonly string[]) => unknown>> {
  return [...(typeof options === 'function' ? options(args) : options), HELP]
}

/** What was wrong, and how it is called; the list of commands where none was named. */
function misused(problem: string, command: Command | undefined, { complain }: Io): number {
  complain(problem)
  if (command === undefined || command.name === 'demo') for (const line of overview()) complain(line)
  else {
    complain(`usage: connack ${command.usage}`)
    complain(`connack ${command.name} --help tells more`)
  }
  return STATUS.misused
}

function help([name, ...args]: readonly string[], io: Io): number {
  const command = COMMANDS.find((one) => one.name === name)
  if (command === undefined) {
    for (const line of overview()) io.print(line)
    return STATUS.fine
  }
  io.print(`connack ${command.usage}`)
  io.print(`    ${command.summary}`)
  io.print('')
  for (const line of command.details) io.print(line)
  io.print('')
  for (const line of helpLines(optionsOf(command, args))) io.print(line)
  return STATUS.fine
}

function overview(): string[] {
  return [
    ...COMMANDS.flatMap(({ usage, summary }) => [`connack ${usage}`, `    ${summary}`]),
    '',
    'connack COMMAND --help lists its options; -h is the host. Data goes to standard output, all else to standard error.',
    'Exit status: 0 well, 1 wrong input, 2 arguments not understood, 7 no connection; a refused connection exits with its CONNACK code.',
  ]
}
