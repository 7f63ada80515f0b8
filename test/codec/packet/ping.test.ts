import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode } from '../../../src/codec/decode.ts'
import { writePing } from '../../../src/codec/packet/ping.ts'
import { faulty, same, VERSIONS } from '../../helpers/codec.ts'

test('PINGREQ and PINGRESP are two bytes in every version, and each one shared frozen object', () => {
  for (const version of VERSIONS) {
    for (const [hex, first, type] of [['c0 00', 0xc0, 'pingreq'], ['d0 00', 0xd0, 'pingresp']] as const) {
      same(hex, { type }, version)
      const packet = decode(Uint8Array.of(first, 0), version)
      assert.is(packet, decode(Uint8Array.of(first, 0), version))
      assert.ok(Object.isFrozen(packet))
    }
  }
})

test('SPEC-3.12-1: a body is refused', () => {
  for (const version of VERSIONS) {
    faulty('c0 01 00', version, 'noBody', 2)
    faulty('d0 01 00', version, 'noBody', 2)
  }
})

test('there is no body to write', () => {
  assert.is(writePing(), 0)
})

test.run()
