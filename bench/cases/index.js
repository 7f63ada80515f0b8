// Every case, in the order it is reported. A case whose module is not there yet says so instead of failing.

import { cases as big } from './big.js'
import { cases as fsm } from './fsm.js'
import { cases as loopback } from './loopback.js'
import { cases as single } from './single.js'
import { cases as streams } from './streams.js'
import { cases as timers } from './timers.js'

const ORDER = ['decode', 'stream', 'encode', 'into', 'big', 'grow', 'heap', 'fsm', 'timer', 'loopback']

export const cases = [...single, ...streams, ...big, ...fsm, ...timers, ...loopback]
  .sort((a, b) => ORDER.indexOf(a.group) - ORDER.indexOf(b.group))
