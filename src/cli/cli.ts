// SPDX-License-Identifier: MIT
// The command line of connack: watch an MQTT connection happen.
import { parseArgs } from 'node:util'
import { connectCommand } from './connect.ts'
import { demo } from './demo.ts'
import { serve, SERVE_USAGE } from './serve.ts'
import type { Screen } from './stage.ts'

const USAGE = `connack [demo] [--version 4|5]
    plays the tutorial of an MQTT connection on loopback; needs no broker
connack connect mqtt://[user:password@]host[:port] [--version 3|4|5] [--client-id ID] [--keep-alive SECONDS]
    connects to a real broker, pings and disconnects; exits with the CONNACK code when refused, with 7 when the connection is lost
${SERVE_USAGE}`

/** Runs one command line; returns the exit status. */
export async function main(args: readonly string[], screen: Screen): Promise<number> {
  if (args[0] === 'serve' && !args.includes('--help')) return serve(args.slice(1), screen)
  let parsed
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: { version: { type: 'string' }, 'client-id': { type: 'string' }, 'keep-alive': { type: 'string' }, help: { type: 'boolean' } },
    })
  } catch (error) {
    return usage(screen, (error as Error).message)
  }
  const { values, positionals: [command = 'demo', target, ...rest] } = parsed
  if (values.help === true) return usage(screen)
  const version = Number(values.version ?? '4')
  if (rest.length > 0) return usage(screen, `too many arguments: ${rest.join(' ')}`)
  if (command === 'demo') {
    if (version !== 4 && version !== 5) return usage(screen, `--version is 4 (MQTT 3.1.1) or 5 (5.0) here, not ${values.version}`)
    return await demo(version, screen) === 0 ? 0 : 1
  }
  if (command !== 'connect') return usage(screen, `there is no command ${command}`)
  const keepAlive = Number(values['keep-alive'] ?? '60')
  if (target === undefined || !URL.canParse(target) || new URL(target).protocol !== 'mqtt:') return usage(screen, 'connect needs a URL such as mqtt://host:1883')
  if (version !== 3 && version !== 4 && version !== 5) return usage(screen, `--version is 3, 4 or 5, not ${values.version}`)
  if (!(Number.isInteger(keepAlive) && keepAlive >= 0 && keepAlive <= 65_535)) return usage(screen, `--keep-alive is 0 to 65535 seconds, not ${values['keep-alive']}`)
  return connectCommand({ url: new URL(target), version, clientId: values['client-id'] ?? `connack-${process.pid}`, keepAlive }, screen)
}

function usage({ print }: Screen, problem?: string): number {
  if (problem !== undefined) print(problem)
  print(USAGE)
  return problem === undefined ? 0 : 2
}
