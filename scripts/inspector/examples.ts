// What there is to click: hexadecimal, so that the page shows what a person would paste.

export interface Example {
  readonly title: string
  readonly hex: string
  /** something in it is malformed */
  readonly wrong?: true
}

export const EXAMPLES: readonly Example[] = [
  {
    title: 'CONNECT 3.1.1',
    hex: '10 32 00 04 4d 51 54 54 04 ee 00 3c 00 04 74 65 73 74 00 0b 74 65 73 74 2f 73 74 61 74 75 73 00 04 67 6f 6e 65 00 04 68 61 6e 73 00 07 6c 65 74 6d 65 69 6e',
  },
  {
    title: 'CONNECT 5.0',
    hex: '10 3e 00 04 4d 51 54 54 05 0c 00 1e 13 11 00 00 0e 10 21 00 14 26 00 05 66 6c 6f 6f 72 00 01 32 00 07 6b 69 74 63 68 65 6e 05 18 00 00 00 0a 00 0c 6b 69 74 63 68 65 6e 2f 67 6f 6e 65 00 01 31',
  },
  {
    title: 'PUBLISH 5.0',
    hex: '33 3a 00 13 6b 69 74 63 68 65 6e 2f 74 65 6d 70 65 72 61 74 75 72 65 00 07 1a 01 01 02 00 00 02 58 03 00 0a 74 65 78 74 2f 70 6c 61 69 6e 09 00 03 01 02 03 32 31 2e 35 20 c2 b0 43',
  },
  {
    title: 'SUBSCRIBE 5.0',
    hex: '82 31 00 08 03 0b ac 02 00 09 6b 69 74 63 68 65 6e 2f 2b 11 00 1c 24 73 68 61 72 65 2f 68 65 61 74 69 6e 67 2f 2b 2f 74 65 6d 70 65 72 61 74 75 72 65 00',
  },
  {
    title: 'conversation',
    hex: '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61\n20 02 00 00\n82 0c 00 01 00 07 73 70 6f 72 74 2f 23 02\n90 03 00 01 02\n34 11 00 0a 73 70 6f 72 74 2f 67 6f 6c 66 00 05 70 61 72\n50 02 00 05\nc0 00\nd0 00\ne0 00',
  },
  { title: 'reserved Connect Flag', hex: '10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 61', wrong: true },
  { title: 'reserved CONNACK bit', hex: '20 03 02 00 00', wrong: true },
  { title: 'repeated property', hex: '20 09 00 00 06 21 00 14 21 00 15', wrong: true },
  { title: 'string too long', hex: '30 08 00 09 74 65 73 74 68 69', wrong: true },
  { title: 'ill-formed UTF-8', hex: '30 07 00 04 61 c0 80 62 68', wrong: true },
  { title: 'half a packet', hex: '32 14 00 07 6b 69 74 63 68 65 6e', wrong: true },
  { title: 'HTTP', hex: '48 54 54 50 2f 31 2e 31 20 34 30 30 20 42 61 64 20 52 65 71 75 65 73 74 0d 0a 0d 0a', wrong: true },
]
