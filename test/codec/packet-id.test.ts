import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readPacketId, writePacketId } from '../../src/codec/packet-id.ts'
import { expected, facts, thrownBy, VERSIONS } from '../helpers/codec.ts'
import { readerOf, writerOf, written } from '../helpers/cursors.ts'

test('MQTT-2.3.1-1 (3.1.1), MQTT-2.2.1-3 (5.0): identifiers from 1 to 65,535 come through, most significant byte first', () => {
  for (const [hex, id] of [['00 01', 1], ['00 ff', 255], ['01 00', 256], ['12 34', 0x1234], ['80 00', 0x8000], ['ff ff', 65_535]] as const) {
    assert.is(readPacketId(readerOf(hex, 5, 'puback')), id)
    const w = writerOf(5, 'puback')
    writePacketId(w, id)
    assert.is(written(w), hex)
  }
})

test('MQTT-2.3.1-1 (3.1.1), MQTT-2.2.1-3 (5.0): 0 is refused both ways', () => {
  for (const version of VERSIONS) {
    assert.equal(facts(thrownBy(() => readPacketId(readerOf('00 00', version, 'puback')))), expected('packetId', version, 0))
    const w = writerOf(version, 'puback')
    assert.throws(() => writePacketId(w, 0), /^puback\.packetId: 0; a Packet Identifier is not 0/)
    assert.is(written(w), '')
  }
})

test('what is no integer of two bytes is refused', () => {
  for (const id of [-1, 65_536, 1.5, NaN, '1', undefined, null, true]) {
    assert.throws(() => writePacketId(writerOf(5, 'puback'), id as number), /^puback\.packetId: .* is not an integer from 0 to 65,535/)
  }
})

test('half an identifier is none', () => {
  assert.equal(facts(thrownBy(() => readPacketId(readerOf('01', 4, 'puback')))), expected('fieldFits', 4, 0))
})

test.run()
