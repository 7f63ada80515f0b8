// What a reader of results.json has to know: the machine, the runtime, the versions. No host name, no path.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { absent, contenders } from '../contenders/index.js'

const read = (path) => {
  try {
    return readFileSync(new URL(path, import.meta.url))
  } catch {
    return undefined
  }
}
const json = (path) => JSON.parse(read(path) ?? '{}')

export function describe({ rounds, warm, span }, { quick, only }) {
  const bundle = read('../.build/codec.js')
  const versions = { ours: json('../../package.json').version }
  for (const { name, packages } of contenders) {
    for (const each of packages) versions[name] = json(`../peers/node_modules/${each}/package.json`).version ?? 'not installed'
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: os.cpus()[0]?.model.trim(), cores: os.cpus().length, arch: process.arch, platform: process.platform,
      memoryGiB: Math.round(os.totalmem() / 2 ** 30), load: os.loadavg().map((value) => Number(value.toFixed(1))),
    },
    runtime: { node: process.versions.node, v8: process.versions.v8 },
    versions,
    ours: bundle && { codecBundleSha256: createHash('sha256').update(bundle).digest('hex') },
    absent,
    method: {
      rounds, warmMs: warm, spanMs: span, kind: quick ? 'quick' : only.length > 0 ? `only ${only.join(', ')}` : 'full',
      statistic: 'median over rounds of the median batch; ratios are medians of per-round ratios',
    },
  }
}
