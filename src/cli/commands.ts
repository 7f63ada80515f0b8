// SPDX-License-Identifier: MIT
// The commands as data: what each is called, takes and does.
import { conformCommand, CONFORM_OPTIONS } from './conform.ts'
import { connectWords } from './connect.ts'
import { decodeCommand } from './decode.ts'
import { demo } from './demo.ts'
import { doctorCommand, DOCTOR_OPTIONS } from './doctor.ts'
import { encodeCommand, encodeOptions } from './encode.ts'
import { Misused, STATUS } from './io.ts'
import type { Io } from './io.ts'
import { CONNECTION, DEBUG, JSON_LINES, SECRETS, text, TLS, VERSION } from './options.ts'
import type { OptionRow, Words } from './options.ts'
import { proxyCommand, PROXY_OPTIONS } from './proxy.ts'
import { serve, SERVE_OPTIONS } from './serve.ts'
import { versionOf } from './target.ts'

export interface Command {
  readonly name: string
  /** how it is called, without `connack` */
  readonly usage: string
  /** one line for the list of commands */
  readonly summary: string
  /** what else its help says */
  readonly details: readonly string[]
  readonly options: readonly OptionRow[] | ((args: readonly string[]) => readonly OptionRow[])
  readonly run: (words: Words, io: Io) => Promise<number>
}

export const COMMANDS: readonly Command[] = [
  {
    name: 'demo', usage: '[demo] [--version 3.1.1|5]', summary: 'plays the tutorial of an MQTT connection on loopback; needs no broker',
    details: ['Exit status: 0 when all chapters end as stated, 1 otherwise.'],
    options: [VERSION], run: demoCommand,
  },
  {
    name: 'connect', usage: 'connect mqtt[s]://[user:password@]host[:port] | ws[s]://host[:port]/path | unix:/path [--version 3.1|3.1.1|5] [--client-id ID] [--keep-alive SECONDS]',
    summary: 'connects to a real broker, pings and disconnects, every byte shown',
    details: ['Where there is no connection, `connack doctor` finds out why.', 'Exit status: 0; the CONNACK code when refused; 7 when the connection is lost or never there.'],
    options: [...CONNECTION, VERSION, ...TLS, DEBUG], run: connectWords,
  },
  {
    name: 'decode', usage: 'decode [HEX… | FILE | -] [--version 5|3.1.1|3.1|auto] [--json] [--svg FILE] [--html FILE]',
    summary: 'names every byte of packets in hexadecimal, files, pcap and pcapng',
    details: [
      'Reads hexadecimal in any usual spelling, dumps of xxd, hexdump, od, tcpdump and Wireshark, binary files, and captures (pcap, pcapng: Ethernet, loopback,',
      'raw IP, Linux cooked; IPv4, IPv6; TCP put in order). Not read: IP fragments, TLS, and MQTT over WebSocket inside captures.',
      'The version is that of the CONNECT; without one, --version; without that, the one that reads the most, which is said on standard error.',
      'Exit status: 0 when every byte belongs to a valid packet, 1 otherwise.',
    ],
    options: [
      { ...VERSION, help: `${VERSION.help}; auto (default) tries` },
      { names: ['port'], short: 'p', value: 'PORT', help: 'in captures: connections to this port are MQTT too; may be repeated' },
      JSON_LINES,
      { names: ['svg'], value: 'FILE', help: 'draw the byte map into a file' },
      { names: ['html'], value: 'FILE', help: 'the same as a page of its own' },
      SECRETS,
    ],
    run: decodeCommand,
  },
  {
    name: 'encode', usage: 'encode PACKET [--FIELD VALUE …] | encode --json JSON | encode - [--version 5|3.1.1|3.1] [--binary]',
    summary: 'makes the bytes of a packet out of fields or JSON',
    details: [
      'connack encode PACKET --help lists the fields of a packet. Standard input may be the lines of decode --json.',
      'Exit status: 0; 1 when the standard forbids the packet, with the field it is about.',
    ],
    options: encodeOptions, run: encodeCommand,
  },
  {
    name: 'proxy', usage: 'proxy [[HOST:]PORT] mqtt[s]://host[:port] | ws[s]://host[:port]/path', summary: 'stands between a client and a server, and names every byte that passes',
    details: [
      'Listens on 127.0.0.1:1884 unless told otherwise. Bytes are passed on as they are, also those that are no MQTT, and at once; a WebSocket of the client is',
      'read as it passes, and to ws:// and wss:// a client of plain MQTT is given one. Shown of each packet: its bytes, when it passed, the phases of both sides, how',
      'long an answer took, the rules broken; and at the end who closed first and why. Passwords are dots.',
      '--save makes a file for Wireshark; in it the port of the server is 1883, of a WebSocket 80, since it knows MQTT by that. It holds passwords.',
      'Exit status: 0 when it is stopped (Ctrl-C); 1 when it cannot listen.',
    ],
    options: [...TLS, ...PROXY_OPTIONS, JSON_LINES, SECRETS], run: proxyCommand,
  },
  {
    name: 'doctor', usage: 'doctor mqtt[s]://host[:port] | ws[s]://host[:port]/path | -h HOST', summary: 'finds out, stage by stage, why a connection does not come about',
    details: [
      'DNS, TCP to each address, TLS, WebSocket, CONNECT in 5.0, 3.1.1 and 3.1, CONNACK, ping, and the limits the server announces.',
      'It connects with a Client Identifier of its own unless you give one with -i, which would end a session that uses it.',
      'Exit status: 0 when one version was accepted; the CONNACK code when refused; 7 when it did not come to that.',
    ],
    options: [...CONNECTION, VERSION, ...TLS, ...DOCTOR_OPTIONS, JSON_LINES, DEBUG, SECRETS], run: doctorCommand,
  },
  {
    name: 'conform', usage: 'conform mqtt[s]://host[:port] | -h HOST [--version 5|3.1.1|3.1]', summary: 'sends a server what it must refuse, and tells what it accepts',
    details: [
      'For a server that may be tested: it sends malformed packets, a few at a time. Each case is a connection of its own.',
      'Exit status: 0 when all was answered as the standard asks, 1 when not, 7 when there is no server or it crashed.',
    ],
    options: [...CONNECTION, VERSION, ...TLS, ...CONFORM_OPTIONS, JSON_LINES], run: conformCommand,
  },
  {
    name: 'serve', usage: 'serve [-p PORT] [-h HOST] [--password-file FILE | --allow-anonymous]', summary: 'a broker on this machine, with a live table of who is there; Ctrl-C ends it',
    details: ['Beyond loopback it wants to be told who may come in.', 'Exit status: 0 when it was ended, 1 when it cannot listen there.'],
    options: SERVE_OPTIONS, run: serve,
  },
]

async function demoCommand(words: Words, io: Io): Promise<number> {
  if (words.positionals.length > 0) throw new Misused(`too many arguments: ${words.positionals.join(' ')}`)
  const version = versionOf(text(words, 'version') ?? '4')
  if (version === 3) throw new Misused('--version is 3.1.1 or 5 here, not 3.1')
  return await demo(version, io) === 0 ? STATUS.fine : STATUS.wrong
}
