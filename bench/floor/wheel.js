// The floor for keep-alive: a lazy wheel. Re-arming is one store; a slot that comes up moves on whoever was re-armed.

const SLOTS = 4096

export class LazyWheel {
  constructor(capacity) {
    this.deadline = new Uint32Array(capacity)
    this.following = new Int32Array(capacity).fill(-1)
    this.slots = new Int32Array(SLOTS).fill(-1)
  }

  arm(id, tick) {
    this.deadline[id] = tick
    const slot = tick & (SLOTS - 1)
    this.following[id] = this.slots[slot]
    this.slots[slot] = id
  }

  rearm(id, tick) {
    this.deadline[id] = tick
  }

  /** Returns how many were due at `tick`. */
  advance(tick) {
    const slot = tick & (SLOTS - 1)
    let id = this.slots[slot]
    let due = 0
    this.slots[slot] = -1
    while (id !== -1) {
      const after = this.following[id]
      if (this.deadline[id] <= tick) due++
      else this.arm(id, this.deadline[id])
      id = after
    }
    return due
  }
}
