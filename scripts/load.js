// Lets Node run the TypeScript sources as they are: `node --import ./scripts/load.js file.ts`.
// One file in, one file out, with its source map, so coverage is that of the .ts files and not of a bundle.
import { register } from 'node:module'

process.setSourceMapsEnabled(true)
register('./load-hook.js', import.meta.url)
