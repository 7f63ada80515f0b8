// Node's own timers: a yardstick for the timer cases, not a codec.

export const load = () => ({})
