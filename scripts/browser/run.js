// npm run test:browser: headless Chromium (Debian's package `chromium`, or whatever CHROMIUM names) loads the vendored bundles from a static page on loopback and
// runs the whole corpus on them, without Buffer; connects through its own WebSocket to a broker, `--ws ws://127.0.0.1:…` (ours, once it speaks WebSocket);
// and opens docs/inspector.html, which must ask the network for nothing. Exit status 2: no browser here.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { makeDist } from '../build.js'
import { ROOT } from '../vendor-bundle.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' }
const PATIENCE = 60_000
const at = process.argv.indexOf('--ws')
const scratch = mkdtempSync(join(tmpdir(), 'connack-browser-'))
let server, browser

try {
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) exit(2, 'there is no Chromium: install it (Debian: apt-get install chromium) or name it by CHROMIUM')
  if (!existsSync(join(HERE, 'node_modules')) && spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' }).status !== 0) exit(2, 'npm ci in scripts/browser did not work')
  const { chromium } = await import('playwright-core')
  await makeDist(join(scratch, 'dist'))
  server = await serve()
  const ws = at >= 0 ? process.argv[at + 1] : undefined
  // Chromium does not sandbox for root, as CI often is.
  browser = await chromium.launch({ executablePath, headless: true, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
  const failed = [await corpus(ws), await inspector()]
  if (failed.includes(true)) process.exitCode = 1
} finally {
  await browser?.close()
  server?.close()
  rmSync(scratch, { recursive: true, force: true })
}

/** The page with everything on it. */
async function corpus(ws) {
  const page = await browser.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(`http://127.0.0.1:${server.address().port}/page.html${ws === undefined ? '' : `?ws=${encodeURIComponent(ws)}`}`)
  await page.waitForFunction('globalThis.report?.done', undefined, { timeout: PATIENCE })
  const report = await page.evaluate('globalThis.report')
  console.log(report.agent)
  console.log([...report.lines, ...errors].join('\n'))
  const clean = report.buffer === 'undefined' && report.process === 'undefined'
  console.log(`Buffer is ${report.buffer}, process is ${report.process}`)
  await page.close()
  return report.failed || errors.length > 0 || !clean || (ws !== undefined && !report.lines.some((line) => line.startsWith('WebSocket, version 5')))
}

/** The inspector from its file, as somebody opens it who has saved it: a malformed packet in the fragment is named, and nothing is fetched. */
async function inspector() {
  const page = await browser.newPage()
  const asked = []
  const errors = []
  page.on('request', (request) => { if (!/^(data|blob):/.test(request.url())) asked.push(request.url()) })
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()) })
  await page.goto(`${pathToFileURL(join(ROOT, 'docs/inspector.html')).href}#v=5&hex=2003020000`)
  const said = await page.locator('[role=alert]').first().textContent({ timeout: PATIENCE })
  const right = said.includes('offset 2') && said.includes('MQTT-3.2.2-1') && asked.length === 1 && errors.length === 0
  console.log(`inspector: ${right ? 'names the first wrong byte, asks the network for nothing' : `${said} ${asked.join(' ')} ${errors.join(' ')}`}`)
  await page.close()
  return !right
}

/** What the page needs, and nothing else. */
function serve() {
  const files = { '/page.html': join(HERE, 'page.html'), '/websocket.js': join(HERE, 'websocket.js'), '/verify.js': join(ROOT, 'scripts/verify.js') }
  const http = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://127.0.0.1')
    const path = files[pathname] ?? (/^\/connack(\.min|\.lean)?\.js$/.test(pathname) ? join(scratch, 'dist', pathname) : /^\/fixtures\/(flows\/)?[\w-]+\.json$/.test(pathname) ? join(ROOT, pathname) : undefined)
    if (path === undefined || !existsSync(path)) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': `${TYPES[extname(path)]}; charset=utf-8`, 'cache-control': 'no-store' }).end(readFileSync(path))
  })
  return new Promise((resolve) => { http.listen(0, '127.0.0.1', () => { resolve(http) }) })
}

function exit(status, sentence) {
  console.error(sentence)
  process.exit(status)
}
