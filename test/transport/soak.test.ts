// The soaks in small, so that they and what they prove keep working: npm run soak:connections, soak:cuts, soak:slow are the real ones.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quantile } from '../../scripts/soak/child.ts'
import { measure } from '../../scripts/soak/connections.ts'
import { runCuts } from '../../scripts/soak/cuts.ts'
import { stall, trickle } from '../../scripts/soak/slow.ts'

for (const version of [4, 5] as const) {
  test(`version ${version}: 40 cuts at any byte, both ways: nothing lost, QoS 2 once, in order`, async () => {
    const { complaints, cuts, up, down } = await runCuts(version, 40, 3)
    assert.equal(complaints, [])
    assert.ok(cuts >= 40 && up > 100 && down > 50, `${cuts} ${up} ${down}`)
  })
}

test('some hundred connections: what each costs, and its pings', async () => {
  const { heap, pings, p50 } = await measure('connack', 300, 1, 600, 400)
  // Few connections are weighed badly; 10,000 are weighed in docs/soak.md.
  assert.ok(heap > 1_000 && heap < 9_000, `${heap} bytes each`)
  assert.ok(pings >= 300 && p50 < 100, `${pings} pings, ${p50} ms`)
})

test('slow Clients hold nobody up and are closed at the connect timeout', async () => {
  const { connacks, causes, late } = await trickle(200, 900)
  assert.is(causes['connect-timeout'], 200)
  assert.ok(connacks.length > 5 && quantile(connacks, 0.5) < 100, connacks.join(' '))
  assert.ok(late < 5_000, `${late} ms late`)
})

test('a reader that stops is held a bounded number of bytes, for a bounded time', async () => {
  const { held, refusal, lived, sentence } = await stall(100_000, 400)
  assert.ok(held > 50_000 && held <= 100_000 + 16_384, String(held))
  assert.match(refusal, /maximumUnsent is 100000/)
  assert.ok(lived >= 400, String(lived))
  assert.match(sentence, /drainTimeout/)
})

test.run()
