// A process that uses one adapter in three ways and then has nothing left to do: does it end?
import { ADAPTERS } from './adapters.ts'
import { newRecord, recording } from './network.ts'

const adapter = Object.values(ADAPTERS).find(({ name }) => name === process.argv[2])!

const server = await adapter.listen(recording(newRecord()))
const client = await server.connect()
await client.disconnect()
await server.close()
console.log('end')

const doomed = await adapter.listen(recording(newRecord()))
const aborted = await doomed.connect()
aborted.abort()
await aborted.closed
await doomed.close()
console.log('abort')

await server.connect().then(() => { console.log('connected?') }, () => { console.log('failed connect') })
console.log('done')
