// Certificates made in the tests: X.509 v3, P-256, as much DER as that takes (RFC 5280).
import { generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface Wishes {
  readonly name: string
  readonly from: Date
  readonly until: Date
  /** DNS names; default localhost */
  readonly hosts?: readonly string[]
  /** who signs; default itself */
  readonly issuer?: { readonly name: string, readonly privateKey: KeyObject }
}

const DAY = 86_400_000

/** A certificate for localhost and 127.0.0.1, from yesterday for a year unless told otherwise. */
export function identity({ name = 'localhost', from = new Date(Date.now() - DAY), until = new Date(Date.now() + 365 * DAY), hosts = ['localhost'], issuer }: Partial<Wishes> = {}): Identity & { readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(0x30, oid('2a8648ce3d040302'))
  const names = [...hosts.map((host) => der(0x82, Buffer.from(host))), der(0x87, Uint8Array.of(127, 0, 0, 1))]
  const alternatives = der(0x30, oid('551d11'), der(0x04, der(0x30, ...names)))
  const authority = der(0x30, oid('551d13'), der(0x01, Uint8Array.of(0xff)), der(0x04, der(0x30, der(0x01, Uint8Array.of(0xff)))))
  const body = der(0x30,
    der(0xa0, der(0x02, Uint8Array.of(2))), der(0x02, Uint8Array.of(1)), algorithm, commonName(issuer?.name ?? name), der(0x30, time(from), time(until)), commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }), der(0xa3, der(0x30, alternatives, authority)))
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey)
  const whole = der(0x30, body, algorithm, der(0x03, Uint8Array.of(0), signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${Buffer.from(whole).toString('base64').match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    privateKey,
  }
}

function der(tag: number, ...content: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content)
  const length = body.length < 0x80 ? [body.length] : body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...length), body])
}

function oid(hex: string): Uint8Array {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function commonName(name: string): Uint8Array {
  return der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(name)))))
}

/** UTCTime, which has two digits for the year. */
function time(date: Date): Uint8Array {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))
}
