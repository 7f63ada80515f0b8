// Nanoseconds, without the time other processes took: the lesser of wall clock and CPU time. A process that was never
// interrupted has used at least its wall clock (its compiler and collector threads come on top), so there it is the wall
// clock; one that had to wait for a core has used less, and there it is what it used.

export const wall = () => Number(process.hrtime.bigint())

export function stopwatch() {
  const cpu = process.cpuUsage()
  const from = wall()
  return () => {
    const passed = wall() - from
    const { user, system } = process.cpuUsage(cpu)
    return Math.min(passed, (user + system) * 1000)
  }
}
