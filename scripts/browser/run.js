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

/** The inspector from its file, as somebody opens it who has saved it: by mouse, by keyboard, by link; and nothing is fetched. */
async function inspector() {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
  const asked = []
  const wrong = []
  page.on('request', (request) => { if (!/^(data|blob):/.test(request.url())) asked.push(request.url()) })
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()) })
  const check = (what, right) => { if (!right) wrong.push(what) }
  await page.goto(`${pathToFileURL(join(ROOT, 'docs/inspector.html')).href}#v=5&hex=2003020000`)

  const said = await page.locator('[role=alert]').textContent({ timeout: PATIENCE })
  check(`the fault is not named: ${said}`, said.includes('offset 2') && said.includes('MQTT-3.2.2-1') && said.includes('0x81'))
  check('the wrong byte is not marked', await page.locator('.byte.wrong').getAttribute('aria-label') === 'offset 2, 02, the first wrong byte, Connect Acknowledge Flags')
  check('the version of the link is not chosen', await page.locator('input[name=version][value="5"]').isChecked())

  await page.getByRole('button', { name: 'conversation' }).click()
  check('not nine packets', await page.locator('section.packet').count() === 9)
  await page.getByRole('button', { name: 'CONNECT 3.1.1' }).click()
  await page.locator('.byte').first().focus()
  for (const key of ['ArrowRight', 'ArrowDown']) await page.keyboard.press(key)
  check('the arrow keys do not lead to byte 9', await page.evaluate('document.activeElement.dataset.at') === '9')
  check('its field is not lit', (await page.locator('.field.lit').textContent()).includes('Connect Flags'))

  const json = page.getByLabel('The packet as JSON')
  await json.fill((await json.inputValue()).replace('"test"', '"tent"'))
  check('the bytes do not follow the JSON', (await page.locator('#hex').inputValue()).includes('00 04 74 65 6e 74'))
  check('the address does not follow the bytes', page.url().endsWith('6c65746d65696e') && page.url().includes('000474656e74'))
  await json.fill((await json.inputValue()).replace('"qos": 1', '"qos": 3'))
  check('what JSON may not say is not refused', (await page.locator('.problem').textContent()).includes('will.qos'))

  await page.locator('#hex').fill('20 0z')
  check('what is no hexadecimal is not named', (await page.locator('#status').textContent()).includes('0z'))
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 })
    check(`it is wider than ${width} pixels`, await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
  }
  check(`it asks the network for ${asked.slice(1).join(', ')}`, asked.length === 1)
  console.log(`inspector        ${wrong.length === 0 ? 'mouse, keyboard, link, JSON; no request' : wrong.join('; ')}`)
  await page.close()
  return wrong.length > 0
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
