// npm run inspector: docs/inspector.html, one file with everything in it. `--check` tells whether it is what would be built.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { COMMON, ROOT, VERSION } from '../vendor-bundle.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))
export const PAGE = `${ROOT}/docs/inspector.html`

/** One sum over the inspector's own sources; the page carries it. The codec inside may be older: `--check` sees that too. */
export function sourcesSum() {
  const hash = createHash('sha256')
  for (const file of readdirSync(HERE).filter((name) => /\.(ts|css|html)$/.test(name)).sort()) hash.update(`${file}\n${readFileSync(HERE + file, 'utf8')}`)
  return hash.digest('hex').slice(0, 16)
}

export async function inspectorPage() {
  const { outputFiles } = await build({ ...COMMON, platform: 'browser', entryPoints: [`${HERE}main.ts`], bundle: true, minify: true, write: false, legalComments: 'none' })
  const style = await build({ ...COMMON, stdin: { contents: readFileSync(`${HERE}style.css`, 'utf8'), loader: 'css' }, minify: true, write: false })
  // A script ends at the first "</script", wherever that stands.
  const script = outputFiles[0].text.trim().replace(/<\/(script)/gi, '<\\/$1')
  const parts = { STYLE: style.outputFiles[0].text.trim(), SCRIPT: script, VERSION, SOURCES: sourcesSum() }
  return readFileSync(`${HERE}page.html`, 'utf8').replace(/__(STYLE|SCRIPT|VERSION|SOURCES)__/g, (_, name) => parts[name])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = await inspectorPage()
  if (process.argv.includes('--check')) {
    const fresh = readFileSync(PAGE, 'utf8') === page
    console.log(`docs/inspector.html is ${fresh ? 'up to date' : 'out of date: npm run inspector'}`)
    process.exitCode = fresh ? 0 : 1
  } else {
    writeFileSync(PAGE, page)
    console.log(`docs/inspector.html: ${(Buffer.byteLength(page) / 1024).toFixed(1)} KiB`)
  }
}
