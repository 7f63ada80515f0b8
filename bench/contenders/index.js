// Who takes part. A contender is a module that exports `load()`; what it returns is described in README.md.
// Absent ones are named with the reason, so that nobody has to wonder.

export const contenders = [
  { name: 'ours', kind: 'ours', module: './ours.js', packages: [] },
  { name: 'floor', kind: 'floor', module: './floor.js', packages: [] },
  { name: 'mqtt-packet', kind: 'peer', module: './mqtt-packet.js', packages: ['mqtt-packet'] },
  { name: 'u8-mqtt-packet', kind: 'peer', module: './u8-mqtt-packet.js', packages: ['u8-mqtt-packet'] },
  { name: 'mqtts', kind: 'peer', module: './mqtts.js', packages: ['mqtts'] },
  { name: 'node', kind: 'reference', module: './node.js', packages: [] },
]

export const absent = [
  { name: '@qualithm/mqtt-wire', reason: 'npm view: 404, not published (or unpublished)' },
  { name: 'opifex', reason: 'npm view: 404 under opifex and @seriousme/opifex; it is a Deno project, not on npm' },
  { name: 'aws-crt', reason: 'a native client without a codec that can be called by itself' },
  { name: 'paho-mqtt', reason: 'installs, but its codec is private to a browser client' },
  { name: '@sap/xb-msg-mqtt-v311', reason: 'installs, but under a licence that is not open source' },
]

export async function load(name) {
  const entry = contenders.find((each) => each.name === name)
  if (entry === undefined) throw new Error(`no contender is called ${name}`)
  return (await import(entry.module)).load()
}
