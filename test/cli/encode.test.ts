import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeLines } from '../../src/cli/encode.ts'
import { fieldOptions, optionFor, packetOf } from '../../src/cli/fields.ts'
import { fromHex, PACKETS, PROPERTIES, toHex, toJson } from '../../src/codec/index.ts'
import type { PacketType } from '../../src/codec/index.ts'
import { loadFixtures } from '../helpers/fixtures.ts'
import { run } from './helpers.ts'

test('encode: fields by name give the bytes that the standard prescribes', async () => {
  for (const [args, hex] of [
    [['connect', '--client-id', 'client-1', '--username', 'hans', '--password', 'letmein', '--will-topic', '/hans/will', '--will-payload', 'unexpected exit', '--will-qos', '2', '--version', '3.1.1'],
      '10 40 00 04 4d 51 54 54 04 d6 00 3c 00 08 63 6c 69 65 6e 74 2d 31 00 0a 2f 68 61 6e 73 2f 77 69 6c 6c 00 0f 75 6e 65 78 70 65 63 74 65 64 20 65 78 69 74 00 04 68 61 6e 73 00 07 6c 65 74 6d 65 69 6e'],
    [['connack', '--session-present', 'true', '-V', '4'], '20 02 01 00'],
    [['CONNACK', '--reason-code', '0x86', '--reason-string', 'no'], '20 08 00 86 05 1f 00 02 6e 6f'],
    [['publish', '--topic', 'a', '--payload-hex', 'ca fe', '--qos', '1', '--packet-id', '10', '--retain', 'yes', '--user-property', 'k=v=w', '--user-property', 'k='], '33 17 00 01 61 00 0a 0f 26 00 01 6b 00 03 76 3d 77 26 00 01 6b 00 00 ca fe'],
    [['publish', '--topic', 'a', '--subscription-identifier', '1', '--subscription-identifier', '200'], '30 09 00 01 61 05 0b 01 0b c8 01'],
    [['subscribe', '--packet-id', '10', '--filter', 'a', '--qos', '1', '--filter', 'b', '--version', '4'], '82 0a 00 0a 00 01 61 01 00 01 62 00'],
    [['suback', '--packet-id', '10', '--reason-code', '0', '--reason-code', '0x80', '-V', '4'], '90 04 00 0a 00 80'],
    [['unsubscribe', '--packet-id', '10', '--filter', 'a', '--filter', 'b', '-V', '4'], 'a2 08 00 0a 00 01 61 00 01 62'],
    [['pingreq'], 'c0 00'],
    [['disconnect', '--reason-code', '4'], 'e0 01 04'],
    [['auth', '--reason-code', '0x18', '--authentication-method', 'm', '--authentication-data', '0102'], 'f0 0b 18 09 15 00 01 6d 16 00 02 01 02'],
    [['connect', '--will-topic', 'a', '--will-payload', '', '--will-delay-interval', '5', '--will-content-type', 't', '--request-problem-information', 'false'],
      '10 1e 00 04 4d 51 54 54 05 06 00 3c 02 17 00 00 00 09 03 00 01 74 18 00 00 00 05 00 01 61 00 00'],
  ] as const) {
    const { status, out, err } = await run(['encode', ...args])
    assert.equal([out, err, status], [hex, '', 0], args.join(' '))
    assert.equal(toHex((await run(['encode', ...args, '--binary'])).bytes), hex)
  }
})

test('encode: every field of every packet has an option, and every property that it may carry', () => {
  for (const { row: { packet: type }, cases } of loadFixtures()) {
    const paths = new Set(fieldOptions(type).map(({ row }) => row.path.replaceAll('[]', '')))
    for (const { packet } of cases) {
      const walk = (value: unknown, at: string): void => {
        if (value === null || typeof value !== 'object' || (Array.isArray(value) && !at.endsWith('subscriptions')) || 'hex' in value) {
          if (at !== 'type' && at !== 'version') assert.ok(paths.has(at), `${type}: no option for ${at}`)
        } else if (Array.isArray(value)) for (const item of value) walk(item, at)
        else for (const [name, field] of Object.entries(value)) walk(field, at === '' ? name : `${at}.${name}`)
      }
      if (packet !== undefined) walk(packet, '')
    }
  }
  const willNames = fieldOptions('connect').filter(({ row }) => row.path.startsWith('will.properties'))
  assert.is(willNames.length, Object.values(PROPERTIES).filter(({ carriers }) => (carriers as readonly string[]).includes('will')).length)
})

test('encode: what the standard forbids is refused with the field, the statement and the option', async () => {
  for (const [args, pattern] of [
    [['connect', '--keep-alive', '70000'], /connect\.keepAlive: .*\[5\.0 §1\.5\.2\] \(--keep-alive\)/],
    [['connect', '--receive-maximum', '0'], /connect\.properties\.receiveMaximum: .*\[SPEC-3\.1\.2\.11\.3-1\] \(--receive-maximum\)/],
    [['connect', '--will-topic', 'a/#', '--will-payload', 'x'], /connect\.will\.topic: .* \(--will-topic\)/],
    [['subscribe', '--packet-id', '1', '--filter', 'a', '--filter', 'b#'], /subscribe\.subscriptions\[1\]\.filter: .* \(--filter\)/],
    [['suback', '--packet-id', '1', '--reason-code', '0', '--reason-code', '3'], /suback\.reasonCodes\[1\]: .* \(--reason-code\)/],
    [['publish', '--topic', 'a', '--user-property', 'a=\0'], /publish\.properties\.userProperties\[0\]\S*: .* \(--user-property\)/],
    [['subscribe'], /subscribe\.packetId/],
    [['auth', '--version', '4'], /no AUTH before 5\.0/],
  ] as const) {
    const { status, out, err } = await run(['encode', ...args])
    assert.equal([status, out], [1, ''], args.join(' '))
    assert.match(err, pattern)
  }
})

test('encode: what is no field, no value or no packet is said', async () => {
  for (const [args, pattern] of [
    [['conect'], /no packet "conect"; did you mean connect\?/], [['xyzxyz'], /there are connect, connack/], [['connect', '--cliend-id', 'a'], /did you mean --client-id\?/],
    [['connect', '--topic', 'a'], /no option --topic/], [['connect', '--keep-alive', 'long'], /--keep-alive wants a number/], [['connect', '--clean-start', 'maybe'], /wants true or false/],
    [['publish', '--payload-hex', 'zz'], /wants hexadecimal/], [['publish', '--user-property', 'x'], /wants NAME=VALUE/], [['subscribe', '--qos', '1'], /belongs to a --filter before it/],
    [['connect', 'extra'], /too many arguments/], [['connect', '--json', '{}'], /which\?/], [['connect', '--clean-start'], /wants a value/], [['connect', '--clean-start', '__proto__'], /wants true or false/],
  ] as const) {
    const { status, out, err } = await run(['encode', ...args])
    assert.equal([status, out], [2, ''], args.join(' '))
    assert.match(err, pattern)
  }
})

test('encode --json, and lines on standard input: a packet, a line of decode, the version as in a stream', async () => {
  assert.is((await run(['encode', '--json', '{"type":"connack","reasonCode":0}', '--version', '3.1.1'])).out, '20 02 00 00')
  assert.is((await run(['encode', '--json', '{"type":"connack","reasonCode":0}'])).out, '20 03 00 00 00')
  assert.is((await run(['encode', '--json', '{"version":4,"packet":{"type":"connack","reasonCode":0}}'])).out, '20 02 00 00')
  const stream = '{"type":"connect","version":4,"clientId":"a","cleanStart":true,"keepAlive":0}\n\n{"type":"connack","reasonCode":0}\n'
  assert.is((await run(['encode', '-'], stream)).out, '10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 61\n20 02 00 00')
  const mixed = await run(['encode'], '{"type":"pingreq"}\nnonsense\n{"error":{"message":"bad"}}\n7\n{"type":"what"}\n{"type":"pingresp"}\n{"type":"publish","topic":"a","payload":{"hex":"zz"}}\n{"version":9,"packet":{"type":"pingreq"}}')
  assert.equal([mixed.status, mixed.out], [1, 'c0 00\nd0 00'])
  for (const pattern of [/line 2: not JSON/, /line 3: what was decoded here is no packet: bad/, /line 4: not a packet/, /line 5: there is no packet of type what/, /line 7: not hexadecimal/, /line 8: --version is/]) assert.match(mixed.err, pattern)
  assert.match((await run(['encode', '-'], '{"packet":{"type":"connect","password":{"masked":7}}}')).err, /password is masked: decode --json --show-secrets keeps it/)
})

test('decode --json --show-secrets into encode gives the same bytes, for every canonical fixture', async () => {
  for (const { row: { version, file }, cases } of loadFixtures()) {
    const canonical = cases.filter((one) => one.canonical === true)
    if (canonical.length === 0) continue
    const hex = canonical.map((one) => one.hex).join('\n')
    const decoded = await run(['decode', '--json', '--show-secrets', '-', '--version', String(version)], hex)
    assert.is(decoded.status, 0, file)
    const { status, out } = await run(['encode', '-'], decoded.out)
    assert.is(status, 0, file)
    assert.equal(out.split('\n'), canonical.map((one) => toHex(fromHex(one.hex))), file)
  }
})

test('encode: the options that fill a packet are those a UsageError names', () => {
  for (const type of Object.keys(PACKETS) as PacketType[]) {
    for (const { names: [name], row } of fieldOptions(type)) {
      const found = optionFor(type, row.path.replaceAll('[]', '[0]'))
      // Text and bytes of one field have an option each.
      assert.ok(found === name || `${found}-hex` === name, `${type} ${row.path}: ${String(found)}`)
    }
  }
})

test('encode: packets put together from options are what JSON would have said', () => {
  const packet = packetOf('subscribe', [['packet-id', '7'], ['filter', 'a'], ['no-local', 'true'], ['filter', 'b'], ['qos', '2'], ['subscription-identifier', '5']], 5)
  assert.equal(toJson(packet), { type: 'subscribe', packetId: 7, subscriptions: [{ filter: 'a', noLocal: true, qos: 0 }, { filter: 'b', qos: 2 }], properties: { subscriptionIdentifier: 5 } })
})

test('encodeLines: another error than the encoder\'s is ours', () => {
  assert.throws(() => encodeLines(['{"type":"pingreq"}'], 5, () => { throw new TypeError('ours') }, { complain: () => {} }), (error: Error) => error instanceof TypeError && error.message === 'ours')
})

test.run()
