// SPDX-License-Identifier: MIT
// Other protocols that answer on a port where MQTT was expected, by their opening bytes.

const OPENINGS: readonly (readonly [opening: string, name: string])[] = [
  ['HTTP/', 'HTTP'], ['GET ', 'HTTP'], ['POST ', 'HTTP'], ['PUT ', 'HTTP'], ['HEAD ', 'HTTP'], ['OPTIONS ', 'HTTP'], ['PRI * HTTP/2', 'HTTP/2'],
  ['\x15\x03', 'TLS'], ['\x16\x03', 'TLS'],
  ['AMQP', 'AMQP'], ['INFO {', 'NATS'], ['SSH-', 'SSH'], ['-ERR', 'Redis'], ['-NOAUTH', 'Redis'], ['-DENIED', 'Redis'], ['220 ', 'SMTP or FTP'], ['220-', 'SMTP or FTP'],
]

/** The protocol whose opening bytes stand at `start`, if it is one people meet by mistake. */
export function nameForeign(bytes: Uint8Array, start: number): string | undefined {
  return OPENINGS.find(([opening]) => {
    for (let i = 0; i < opening.length; i++) {
      if (bytes[start + i] !== opening.charCodeAt(i)) return false
    }
    return true
  })?.[1]
}
