import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock, Timers } from '../../src/transport/timers.ts'
import { FakeClock } from '../helpers/clock.ts'

function wheel(): { readonly clock: FakeClock, readonly timers: Timers, readonly fired: string[], readonly timer: (name: string) => number } {
  const clock = new FakeClock()
  const timers = new Timers(clock)
  const fired: string[] = []
  return { clock, timers, fired, timer: (name) => timers.create(() => { fired.push(`${name}@${clock.time - 1000}`) }) }
}

test('a timer fires once, never early and at most a tick late', () => {
  for (const ms of [0, 1, 15, 16, 17, 100, 999, 60_000, 65_536, 70_000, 500_000]) {
    const { clock, timers, fired, timer } = wheel()
    timers.arm(timer('t'), ms, clock.now())
    clock.pass(Math.max(0, ms - 1))
    assert.equal(fired, [], `${ms} ms: not early`)
    clock.pass(18)
    assert.is(fired.length, 1, `${ms} ms: fired`)
    clock.pass(1_000_000)
    assert.is(fired.length, 1, `${ms} ms: once`)
  }
})

test('arming again puts a timer off or forward', () => {
  const { clock, timers, fired, timer } = wheel()
  const t = timer('t')
  timers.arm(t, 1000, clock.now())
  for (let i = 0; i < 10; i++) {
    clock.pass(900)
    timers.arm(t, 1000, clock.now())
  }
  assert.equal(fired, [])
  timers.arm(t, 100, clock.now())
  clock.pass(120)
  assert.is(fired.length, 1)
})

test('disarmed and released timers do not fire, and an entry is used again', () => {
  const { clock, timers, fired, timer } = wheel()
  const a = timer('a')
  timers.arm(a, 50, clock.now())
  timers.disarm(a)
  const b = timer('b')
  timers.arm(b, 50, clock.now())
  timers.release(b)
  assert.is(timer('c'), b)
  clock.pass(1000)
  assert.equal(fired, [])
})

test('a callback may arm, disarm and release others that are due in the same tick', () => {
  const clock = new FakeClock()
  const timers = new Timers(clock)
  const fired: string[] = []
  const entries: number[] = []
  for (const name of ['a', 'b', 'c']) {
    entries.push(timers.create(() => {
      fired.push(name)
      for (const entry of entries) timers.disarm(entry)
    }))
  }
  for (const entry of entries) timers.arm(entry, 100, clock.now())
  clock.pass(200)
  assert.is(fired.length, 1)
  const again = timers.create(() => {
    fired.push('again')
    if (fired.length < 5) timers.arm(again, 100, clock.now())
  })
  timers.arm(again, 100, clock.now())
  clock.pass(2000)
  assert.is(fired.length, 5)
})

test('a callback that arms something for later does not keep the others waiting', () => {
  const { clock, timers, fired, timer } = wheel()
  const later = timer('later')
  timers.arm(timers.create(() => { timers.arm(later, 5000, clock.now()) }), 100, clock.now())
  timers.arm(timer('soon'), 200, clock.now())
  clock.pass(220)
  assert.is(fired.length, 1)
  clock.pass(5000)
  assert.is(fired.length, 2)
})

test('after a suspended hour everything due fires once, at the next wake-up', () => {
  const { clock, timers, fired, timer } = wheel()
  for (let i = 0; i < 10; i++) timers.arm(timer(`t${i}`), i * 10_000, clock.now())
  clock.jump(3_600_000)
  clock.pass(1)
  assert.is(fired.length, 10)
  clock.pass(3_600_000)
  assert.is(fired.length, 10)
})

test('a callback that arms for long keeps nobody else waiting', () => {
  for (const between of [0, 3000]) {
    const { clock, timers, fired, timer } = wheel()
    const slow = timers.create(() => { timers.arm(slow, 90_000, clock.now()) })
    for (let i = 0; i < between; i++) timer('never')
    timers.arm(slow, 100, clock.now())
    timers.arm(timer('soon'), 1000, clock.now())
    clock.pass(1017)
    assert.is(fired.length, 1)
  }
})

test('a callback that throws keeps nobody else waiting', () => {
  const { clock, timers, fired, timer } = wheel()
  const bad = timers.create(() => { throw new Error('bad') })
  timers.arm(bad, 100, clock.now())
  timers.arm(timer('same tick'), 100, clock.now())
  timers.arm(timer('later'), 300, clock.now())
  assert.throws(() => clock.pass(200), /bad/)
  clock.pass(20)
  assert.equal(fired.map((line) => line.split('@')[0]), ['same tick'])
  clock.pass(317)
  assert.is(fired.length, 2)
})

test('a callback that puts off one that is due as well is heard', () => {
  const clock = new FakeClock()
  const timers = new Timers(clock)
  const fired: string[] = []
  const first = timers.create(() => { timers.arm(second, 1000, clock.now()) })
  const second = timers.create(() => { fired.push('second') })
  for (const entry of [first, second]) timers.arm(entry, 100, clock.now())
  clock.pass(900)
  assert.equal(fired, [])
  clock.pass(300)
  assert.equal(fired, ['second'])
})

test('an entry given back twice is given out once', () => {
  const { timers, timer } = wheel()
  const entry = timer('a')
  timers.release(entry)
  timers.release(entry)
  assert.is(timer('b'), entry)
  assert.is.not(timer('c'), entry)
  assert.is.not(timers.create(() => {}), entry)
})

const DAY = 86_400_000

test('what is no time, or years away, is refused', () => {
  const { clock, timers, fired, timer } = wheel()
  const t = timer('t')
  timers.arm(t, 100, clock.now())
  for (const ms of [NaN, Infinity, -Infinity, 1e12]) assert.throws(() => timers.arm(t, ms, clock.now()), (error: Error) => error.name === 'RangeError' && /a timer of .* ms: it takes 0 to /.test(error.message))
  assert.throws(() => timers.arm(t, 1, NaN), (error: Error) => error.name === 'RangeError')
  clock.pass(120)
  assert.is(fired.length, 1, 'and changes nothing')
})

test('deadlines are right before and after the ticks have run out of 32 bits, and beyond what setTimeout can wait', () => {
  const clock = new FakeClock()
  const { schedule } = clock
  let longest = 0
  clock.schedule = (callback, ms) => {
    longest = Math.max(longest, ms)
    return schedule.call(clock, callback, ms)
  }
  const timers = new Timers(clock)
  const fired: string[] = []
  const timer = (name: string): number => timers.create(() => { fired.push(name) })
  const idle = timer('idle')
  const often = timer('often')
  for (let day = 0; day < 2000; day += 100) {
    timers.arm(often, 100 * DAY, clock.now())
    if (day % 500 === 0) timers.arm(idle, 450 * DAY, clock.now())
    clock.pass(50 * DAY)
    timers.arm(often, 50 * DAY, clock.now())
    clock.pass(50 * DAY - 1)
    assert.is(fired.filter((name) => name === 'often').length, day / 100, `not early, day ${day}`)
    clock.pass(18)
    assert.is(fired.filter((name) => name === 'often').length, day / 100 + 1, `day ${day}`)
    assert.is(fired.filter((name) => name === 'idle').length, Math.floor(day / 500) + (day % 500 >= 400 ? 1 : 0), `idle, day ${day}`)
  }
  assert.ok(longest < 2 ** 31)
})

test('deadlines that are overdue when the ticks are counted anew fire at once', () => {
  const { clock, timers, fired, timer } = wheel()
  timers.arm(timer('old'), 1000, clock.now())
  clock.jump(1000 * DAY)
  timers.arm(timer('new'), 5000, clock.now())
  clock.pass(17)
  assert.is(fired.length, 1)
  clock.pass(5000)
  assert.is(fired.length, 2)
})

test('very many entries, some given back and given out again, fire once each at their time', () => {
  const clock = new FakeClock()
  const timers = new Timers(clock)
  const count = new Uint8Array(20_000)
  const entries = Array.from(count, (_, i) => timers.create(() => { count[i]! += 1 }))
  assert.is(new Set(entries).size, count.length)
  for (let i = 0; i < count.length; i += 7) {
    timers.release(entries[i]!)
    entries[i] = timers.create(() => { count[i]! += 10 })
  }
  for (const [i, entry] of entries.entries()) timers.arm(entry, 10 * i, clock.now())
  clock.pass(100_000)
  assert.ok(count.every((times, i) => times === (i < 10_000 - 1 ? (i % 7 === 0 ? 10 : 1) : times) && (i < 10_002 || times === 0)))
  clock.pass(101_000)
  assert.ok(count.every((times, i) => times === (i % 7 === 0 ? 10 : 1)))
})

test('twin: random arms and disarms fire exactly as a sorted list would, within a tick', () => {
  const { clock, timers, timer, fired } = wheel()
  const due = new Map<string, number>()
  const entries = new Map<string, number>()
  let seed = 42
  const random = (n: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n
  for (let i = 0; i < 5000; i++) entries.set(`t${i}`, timer(`t${i}`))
  for (let step = 0; step < 20_000; step++) {
    const name = `t${random(5000)}`
    const entry = entries.get(name)!
    if (random(4) === 0) {
      timers.disarm(entry)
      due.delete(name)
    } else {
      const ms = random(100_000)
      timers.arm(entry, ms, clock.now())
      due.set(name, clock.time - 1000 + ms)
    }
    if (step % 10 !== 0) continue
    clock.pass(random(300))
    for (const line of fired.splice(0)) {
      const [who, at] = line.split('@') as [string, string]
      assert.ok(due.has(who), `${who} was armed`)
      const late = Number(at) - due.get(who)!
      assert.ok(late >= 0 && late <= 17, `${who} is ${late} ms late`)
      due.delete(who)
    }
    for (const [who, at] of due) assert.ok(at > clock.time - 1000 - 17, `${who} is overdue`)
  }
})

test('what a callback arms for later does not put off what others wait for', () => {
  const { clock, timers, fired, timer } = wheel()
  const again = timers.create(() => { timers.arm(again, 10_000, clock.now()) })
  timers.arm(again, 9_500, clock.now())
  timers.arm(timer('other'), 15_000, clock.now())
  clock.pass(15_020)
  assert.equal(fired.map((line) => line.split('@')[0]), ['other'])
})

test('a deadline further away than setTimeout can wait is kept', () => {
  const { clock, timers, fired, timer } = wheel()
  const asked: number[] = []
  const schedule = clock.schedule.bind(clock)
  clock.schedule = (callback, ms) => {
    asked.push(ms)
    return schedule(callback, ms)
  }
  const month = 30 * 86_400_000
  timers.arm(timer('month'), month, clock.now())
  clock.pass(month - 1000)
  assert.equal(fired, [])
  clock.pass(1020)
  assert.is(fired.length, 1)
  assert.ok(Math.max(...asked) <= 2_147_483_647, String(Math.max(...asked)))
})

test('an idle wheel asks for no wake-up', () => {
  const { clock, timers, timer } = wheel()
  const t = timer('t')
  assert.is(clock.pending, 0)
  timers.arm(t, 10, clock.now())
  assert.is(clock.pending, 1)
  clock.pass(100)
  assert.is(clock.pending, 0)
})

test('the system clock runs and does not keep the process alive', async () => {
  const timers = new Timers(systemClock)
  const before = timers.now()
  await new Promise<void>((resolve) => {
    const entry = timers.create(resolve)
    timers.arm(entry, 20, timers.now())
    setTimeout(() => {}, 1000).unref()
    // The wheel's own timer is unreferenced, so something else must hold the process until it fires.
    const hold = setInterval(() => {}, 10)
    timers.create(() => {})
    const check = timers.create(() => { clearInterval(hold) })
    timers.arm(check, 30, timers.now())
  })
  assert.ok(timers.now() - before >= 20)
  systemClock.cancel(systemClock.schedule(() => { throw new Error('cancelled') }, 1))
})

test.run()
