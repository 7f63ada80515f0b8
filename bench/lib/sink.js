// Results are stored here so that no compiler can prove them unused and drop the work.

export const sink = { packet: undefined, count: 0 }

export const keep = (packet) => {
  sink.packet = packet
  sink.count++
}
