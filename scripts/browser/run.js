// npm run test:browser: headless Chromium (Debian's package `chromium`, or whatever CHROMIUM names) loads the vendored bundles from a static page on loopback and
// runs the whole corpus on them, without Buffer; connects through its own WebSocket to our broker, by hand and with the shipped client, which has its
// connection torn down and its session resumed; and opens docs/inspector.html, which must ask the network for nothing. `--ws ws://…` takes another
// broker, `--write` puts what was said into docs/browser.md. Exit status 2: no browser here.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { makeDist } from '../build.js'
import { ROOT, VERSION } from '../vendor-bundle.js'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' }
const PATIENCE = 60_000
const at = process.argv.indexOf('--ws')
const scratch = mkdtempSync(join(tmpdir(), 'connack-browser-'))
const said = []
let server, broker, browser

try {
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) exit(2, 'there is no Chromium: install it (Debian: apt-get install chromium) or name it by CHROMIUM')
  if (!existsSync(join(HERE, 'node_modules/ws')) && spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' }).status !== 0) exit(2, 'npm ci in scripts/browser did not work')
  const { chromium } = await import('playwright-core')
  await makeDist(join(scratch, 'dist'))
  await bundleTransport()
  server = await serve()
  broker = at >= 0 ? undefined : await startBroker()
  const ws = at >= 0 ? process.argv[at + 1] : `ws://127.0.0.1:${broker.port}/mqtt`
  // Chromium does not sandbox for root, as CI often is.
  browser = await chromium.launch({ executablePath, headless: true, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
  const failed = [await corpus(ws), await inspector()]
  if (failed.includes(true)) process.exitCode = 1
  else if (process.argv.includes('--write')) writeFileSync(join(ROOT, 'docs/browser.md'), paper())
} finally {
  await browser?.close()
  await broker?.close()
  server?.close()
  rmSync(scratch, { recursive: true, force: true })
}

/** The page with everything on it. */
async function corpus(ws) {
  const page = await browser.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(`http://127.0.0.1:${server.address().port}/page.html?ws=${encodeURIComponent(ws)}`)
  await page.waitForFunction('globalThis.report?.done', undefined, { timeout: PATIENCE })
  const report = await page.evaluate('globalThis.report')
  for (const line of [report.agent, ...report.lines, ...errors]) say(line)
  const clean = report.buffer === 'undefined' && report.process === 'undefined'
  say(`Buffer is ${report.buffer}, process is ${report.process}`)
  await page.close()
  return report.failed || errors.length > 0 || !clean
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
  say(`inspector        ${wrong.length === 0 ? 'mouse, keyboard, link, JSON; no request' : wrong.join('; ')}`)
  await page.close()
  return wrong.length > 0
}

/** The client and its WebSocket as a page would bundle them, from what is published. */
async function bundleTransport() {
  const dist = (name) => JSON.stringify(join(scratch, 'dist/transport', name))
  await build({ stdin: { contents: `export * from ${dist('index.js')}\nexport { connectWebSocket, openWebSocket } from ${dist('websocket.js')}`, resolveDir: scratch }, bundle: true, format: 'esm', platform: 'browser', outfile: join(scratch, 'dist/transport.js'), logLevel: 'warning' })
}

/** Our broker behind our WebSocket server, both as they are published. */
async function startBroker() {
  const load = (name) => import(pathToFileURL(join(scratch, 'dist', name)).href)
  const [{ createBroker }, { listenWebSocket }, { WebSocketServer }] = await Promise.all([load('broker/index.js'), load('transport/websocket-server.js'), import('ws')])
  return listenWebSocket({ port: 0, webSocketServer: new WebSocketServer({ noServer: true, path: '/mqtt', maxPayload: 1_048_576 }) }, createBroker().handle)
}

/** What the page needs, and nothing else. */
function serve() {
  const files = { '/page.html': join(HERE, 'page.html'), '/websocket.js': join(HERE, 'websocket.js'), '/client.js': join(HERE, 'client.js'), '/transport.js': join(scratch, 'dist/transport.js'), '/verify.js': join(ROOT, 'scripts/verify.js') }
  const http = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://127.0.0.1')
    const path = files[pathname] ?? (/^\/connack(\.min|\.lean)?\.js$/.test(pathname) ? join(scratch, 'dist', pathname) : /^\/fixtures\/(flows\/)?[\w-]+\.json$/.test(pathname) ? join(ROOT, pathname) : undefined)
    if (path === undefined || !existsSync(path)) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': `${TYPES[extname(path)]}; charset=utf-8`, 'cache-control': 'no-store' }).end(readFileSync(path))
  })
  return new Promise((resolve) => { http.listen(0, '127.0.0.1', () => { resolve(http) }) })
}

function say(line) {
  said.push(line)
  console.log(line)
}

function paper() {
  return `# In a real browser

Made by \`npm run test:browser -- --write\` on ${new Date().toISOString().slice(0, 10)}: headless Chromium, the bundles and the broker of connack ${VERSION} as they are published, the browser's own WebSocket.
\`by hand\` is the machine of \`connack.js\` driven as [integrate.md](integrate.md) says, \`client\` is \`connack/websocket\`. The script says what differs and ends with 1 if anything does.

\`\`\`
${said.join('\n')}
\`\`\`
`
}

function exit(status, sentence) {
  console.error(sentence)
  process.exit(status)
}
