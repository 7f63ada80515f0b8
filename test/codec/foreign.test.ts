import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nameForeign } from '../../src/codec/foreign.ts'
import { fromHex } from '../../src/codec/json.ts'

const OPENINGS = [
  ['GET / HTTP/1.1\r\n', 'HTTP'], ['HTTP/1.1 400 Bad Request\r\n', 'HTTP'], ['PRI * HTTP/2.0\r\n', 'HTTP/2'], ['\x16\x03\x01\x02\x00', 'TLS'], ['\x15\x03\x03\x00\x02', 'TLS'],
  ['AMQP\x00\x00\x09\x01', 'AMQP'], ['INFO {"server_id":', 'NATS'], ['SSH-2.0-OpenSSH_9.6', 'SSH'], ['-ERR unknown command', 'Redis'], ['220 mail ESMTP', 'SMTP or FTP'],
] as const

test('the protocols people meet by mistake are told by their first bytes, wherever those lie', () => {
  for (const [opening, name] of OPENINGS) {
    const bytes = new TextEncoder().encode(`\0\0${opening}`)
    assert.is(nameForeign(bytes, 2), name, opening)
    assert.is(nameForeign(bytes, 0), undefined, opening)
  }
})

test('half an opening names nothing', () => {
  for (const opening of ['', 'G', 'GET', 'AMQ', 'INFO ', '\x16']) assert.is(nameForeign(new TextEncoder().encode(opening), 0), undefined, opening)
})

test('no packet an MQTT connection may begin with is taken for one of them', () => {
  for (const hex of ['10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00', '20 02 00 00', '20 03 00 00 00', 'e0 01 81', 'f0 00']) {
    assert.is(nameForeign(fromHex(hex), 0), undefined, hex)
  }
})

test.run()
