import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { COMMANDS } from '../../src/cli/commands.ts'
import { encodeOptions } from '../../src/cli/encode.ts'
import { Misused, safe } from '../../src/cli/io.ts'
import { CONNECTION, DEBUG, helpLines, integer, nearest, parseWords, text, TLS, VERSION } from '../../src/cli/options.ts'
import { hostPort, shown, targetOf, versionOf } from '../../src/cli/target.ts'

const ROWS = [...CONNECTION, VERSION, ...TLS, DEBUG]
const target = (...args: string[]): ReturnType<typeof targetOf> => targetOf(parseWords(args, ROWS))
const misused = (pattern: RegExp) => (error: Error) => error instanceof Misused && pattern.test(error.message)

test('options: short, long, =, attached, aliases, switches, -- and the last of several', () => {
  const words = parseWords(['-h', 'a', '-p1884', '--user=hans', '--client-id', 'x', '-d', '--insecure', '-k', '-1', 'one', '--', '-two'], ROWS)
  assert.equal({ ...words.values }, { host: 'a', port: '1884', username: 'hans', id: 'x', debug: true, insecure: true, keepalive: '-1' })
  assert.equal(words.positionals, ['one', '-two'])
  assert.is(text(parseWords(['-i', 'a', '-i', 'b'], ROWS), 'id'), 'b')
  assert.equal(parseWords(['-'], ROWS).positionals, ['-'])
  assert.is(text(words, 'debug'), undefined)
})

test('options: what is not there is named with the nearest that is', () => {
  assert.throws(() => parseWords(['--jsno'], [{ names: ['json'], help: '' }]), misused(/no option --jsno here; did you mean --json\?/))
  assert.throws(() => parseWords(['--usrename', 'x'], ROWS), misused(/did you mean --username\?/))
  assert.throws(() => parseWords(['--keep'], ROWS), misused(/did you mean --keepalive\?/))
  assert.throws(() => parseWords(['--zzzzzzzz'], ROWS), misused(/^there is no option --zzzzzzzz here$/))
  assert.throws(() => parseWords(['-z'], ROWS), misused(/^there is no option -z here$/))
  assert.throws(() => parseWords(['--insecure=yes'], ROWS), misused(/takes no value/))
  assert.throws(() => parseWords(['-h'], ROWS), misused(/-h wants a value: -h HOST \(help is --help\)/))
  assert.throws(() => parseWords(['--__proto__', 'x'], ROWS), misused(/no option/))
  assert.is(nearest('conect', COMMANDS.map(({ name }) => name)), 'connect')
  assert.is(nearest('ecnode', ['decode', 'encode']), 'encode')
  assert.is(nearest('qqqqqq', ['decode', 'encode']), undefined)
})

test('options: no row of a command has a name or a letter twice', () => {
  for (const { name, options } of COMMANDS) {
    for (const rows of [typeof options === 'function' ? options([]) : options, ...name === 'encode' ? ['connect', 'connack', 'publish', 'subscribe', 'auth', 'disconnect'].map((type) => encodeOptions([type])) : []]) {
      const names = rows.flatMap((row) => row.names)
      assert.equal(names.filter((one, i) => names.indexOf(one) !== i), [], name)
      const letters = rows.flatMap(({ short }) => (short === undefined ? [] : [short]))
      assert.equal(letters.filter((one, i) => letters.indexOf(one) !== i), [], name)
    }
  }
})

test('options: integers have a range, and only digits are one', () => {
  const words = (value: string): ReturnType<typeof parseWords> => parseWords(['-k', value], ROWS)
  assert.is(integer(words('65535'), 'keepalive', 60, 0, 65_535), 65_535)
  assert.is(integer(parseWords([], ROWS), 'keepalive', 60, 0, 65_535), 60)
  for (const value of ['-1', '65536', '1e3', ' 1', '', '0x10', '1.5']) assert.throws(() => integer(words(value), 'keepalive', 60, 0, 65_535, 'seconds'), misused(/--keepalive is 0 to 65535 seconds, not/), value)
})

test('target: -h and -p as mosquitto_pub has them, or a URL', () => {
  const { scheme, host, port } = target('-h', 'broker')
  assert.equal([scheme, host, port], ['mqtt', 'broker', 1883])
  assert.equal([target('-p', '1884').host, target('-p', '1884').port], ['localhost', 1884])
  for (const [url, want] of [
    ['mqtt://a', ['mqtt', 'a', 1883, '/']], ['mqtts://a', ['mqtts', 'a', 8883, '/']], ['ws://a', ['ws', 'a', 80, '/']], ['wss://a:443/mqtt?x=1', ['wss', 'a', 443, '/mqtt?x=1']],
    ['tcp://a:1', ['mqtt', 'a', 1, '/']], ['ssl://a', ['mqtts', 'a', 8883, '/']], ['mqtt://[::1]:1885', ['mqtt', '::1', 1885, '/']],
  ] as const) {
    for (const args of [[url], ['-L', url]]) {
      const one = target(...args)
      assert.equal([one.scheme, one.host, one.port, one.path], want)
    }
  }
  const { username, password, clientId, keepAlive } = target('mqtt://hans:ge%3Aheim@a', '-i', 'me', '-k', '5')
  assert.equal([username, password, clientId, keepAlive], ['hans', 'ge:heim', 'me', 5])
  assert.equal([target('mqtt://hans:x@a', '-u', 'eva', '-P', 'y').username, target('mqtt://hans:x@a', '-P', 'y').password], ['eva', 'y'])
  assert.is(target('mqtt://a:1', '-p', '2').port, 2)
  assert.is(hostPort('::1', 1), '[::1]:1')
})

test('target: two ways at once, no way, and what is no URL; no message shows a password', () => {
  for (const [args, pattern] of [
    [[], /where to\?/], [['mqtt://a', '-h', 'b'], /a URL and -h/], [['mqtt://a', '-L', 'mqtt://b'], /two URLs/], [['http://u:geheim@a'], /no URL with mqtt/],
    [['a'], /no URL/], [['mqtt://a', 'b'], /too many/], [['-h', 'mqtt://u:geheim@a'], /there is -L/], [['mqtt://%zz@a'], /%25/], [['-p', '0'], /--port is 1 to 65535/], [['mqtt://'], /no URL/],
  ] as const) {
    assert.throws(() => target(...args), (error: Error) => misused(pattern)(error) && !error.message.includes('geheim'), args.join(' '))
  }
  assert.throws(() => target('mqtt://a', '--cafile', '/no/such/file'), /--cafile: ENOENT/)
  assert.is(target('-h', 'a', '--cafile', new URL(import.meta.url).pathname).scheme, 'mqtts')
  assert.is(shown('mqtt://hans:geheim@a'), 'mqtt://hans:••••@a')
})

test('versions are written as mosquitto, MQTTX, and the documents do', () => {
  for (const [words, version] of [[['5', '5.0', 'mqttv5', 'MQTTV5', '50'], 5], [['4', '3.1.1', 'mqttv311', '311'], 4], [['3', '3.1', 'mqttv31', '31'], 3]] as const) {
    for (const word of words) assert.is(versionOf(word), version, word)
  }
  for (const word of ['6', '', '3.2', 'mqtt', 'toString']) assert.throws(() => versionOf(word), misused(/--version is 5, 3\.1\.1 or 3\.1/), word)
})

test('help is a table, and what a peer sent cannot steer the terminal', () => {
  const lines = helpLines(ROWS)
  assert.ok(lines.some((line) => /^ {2}-h, --host HOST +server; default localhost/.test(line)))
  assert.ok(lines.some((line) => line.includes('(also --password)')))
  assert.is(safe('a\u001b[31m\u009b\u202eb\u007f'), 'a\\u001b[31m\\u009b\\u202eb\\u007f')
  assert.is(safe('Grüße 😀'), 'Grüße 😀')
})

test.run()
