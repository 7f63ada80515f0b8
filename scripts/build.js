// dist/: one .js and one .d.ts for each source file, and the single-file vendor bundle (codec + fsm): connack.js, .min.js, .d.ts, SHA-256.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
rmSync('dist', { recursive: true, force: true })

const files = (folder, ending) => readdirSync(folder, { recursive: true }).filter((f) => f.endsWith(ending)).map((f) => `${folder}/${f}`).sort()
const common = { format: 'esm', target: 'es2022', platform: 'neutral', logLevel: 'warning' }

await build({ ...common, entryPoints: files('src', '.ts'), outdir: 'dist' })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
// The sources name each other by their own ending; what is published, by that of the published files.
for (const file of [...files('dist', '.js'), ...files('dist', '.d.ts')]) {
  writeFileSync(file, readFileSync(file, 'utf8').replace(/((?:from|import\()\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g, '$1.js$2'))
}

const banner = { js: `// connack ${JSON.parse(readFileSync('package.json', 'utf8')).version}: MQTT codec and connection machine in one file. MIT licence. SPDX-License-Identifier: MIT` }
await build({ ...common, entryPoints: ['src/index.ts'], bundle: true, outfile: 'dist/connack.js', banner })
await build({ ...common, entryPoints: ['src/index.ts'], bundle: true, minify: true, outfile: 'dist/connack.min.js', banner })
const codec = await build({ ...common, entryPoints: ['src/codec/index.ts'], bundle: true, minify: true, write: false })
writeFileSync('dist/connack.d.ts', declarations())
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--lib', 'ES2023,DOM', '--types', '', 'dist/connack.d.ts'], { stdio: 'inherit' })
writeFileSync('dist/connack.sha256', ['connack.js', 'connack.min.js', 'connack.d.ts'].map((f) => `${createHash('sha256').update(readFileSync(`dist/${f}`)).digest('hex')}  ${f}\n`).join(''))

const size = (bytes) => `${(bytes.length / 1024).toFixed(1)} KB min, ${(gzipSync(bytes, { level: 9 }).length / 1024).toFixed(1)} KB gzip`
console.log(`codec ${size(Buffer.from(codec.outputFiles[0].contents))}; codec + fsm ${size(readFileSync('dist/connack.min.js'))}`)

/** All declarations of codec and fsm in one file: imports go, only the public names are exported. */
function declarations() {
  const bodies = [...files('dist/codec', '.d.ts'), ...files('dist/fsm', '.d.ts')].filter((f) => !f.endsWith('index.d.ts'))
  const publics = ['dist/codec/index.d.ts', 'dist/fsm/index.d.ts'].flatMap((f) =>
    [...readFileSync(f, 'utf8').matchAll(/export (type )?\{([^}]*)\}/g)].map(([, type = '', names]) => `export ${type}{${names}};`))
  const text = bodies.map((f) => readFileSync(f, 'utf8')
    .replace(/^\/\/ SPDX.*$/gm, '')
    .replace(/^import [^;]*;\s*$/gm, '')
    .replace(/^export \{\};?\s*$/gm, '')
    .replace(/^export (declare |type |interface |const |abstract )/gm, '$1')).join('\n')
  return `${banner.js}\n${text.replace(/\n{3,}/g, '\n\n')}\n${publics.join('\n')}\n`
}
