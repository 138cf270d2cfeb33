import type { Conditions } from './conditions.ts'
import { concerns, type Direction, type FaultKind } from './fault.ts'

/** How long one write of a throttled lane takes: short enough to be smooth, long enough to be few. */
const THROTTLE_STEP_MS = 20

export interface Waiting {
  /** Bytes of the piece whose turn it is. */
  readonly bytes: number
  /** When it may leave, in milliseconds. */
  readonly leaveAt: number
  /** When a throttled lane is free again, in milliseconds. */
  readonly freeAt: number
}

/** What to do about the first piece that waits; `because` is the fault that has a part in it. */
export type NextWrite =
  /** Write so many bytes of it; the lane is free again at `freeAt`. With `apart` the receiver is to wake for them alone. */
  | {
      readonly do: 'write'
      readonly bytes: number
      readonly freeAt: number
      readonly apart: boolean
      readonly because?: FaultKind
    }
  /** Look again then; without a time, when the conditions have changed. */
  | { readonly do: 'wait'; readonly until?: number; readonly because?: FaultKind }

/** Decides by the conditions of this moment alone, so that what waits goes on as soon as they are over. */
export const nextWrite = (waiting: Waiting, direction: Direction, conditions: Conditions, now: number): NextWrite => {
  const { bytes, leaveAt, freeAt } = waiting
  const stall = conditions.get('stall')
  if (stall && concerns(stall, direction)) return { do: 'wait', because: 'stall' }
  if (leaveAt > now) return { do: 'wait', until: leaveAt }
  const throttle = conditions.get('throttle')
  const fragment = conditions.get('fragment')
  if (throttle && freeAt > now) return { do: 'wait', until: freeAt, because: 'throttle' }
  const allowed = throttle ? Math.max(1, Math.floor((throttle.bytesPerSecond * THROTTLE_STEP_MS) / 1000)) : bytes
  const size = Math.min(bytes, allowed, fragment?.bytes ?? bytes)
  const because = size === bytes ? undefined : size === fragment?.bytes ? 'fragment' : 'throttle'
  return {
    do: 'write',
    bytes: size,
    freeAt: throttle ? now + (size / throttle.bytesPerSecond) * 1000 : now,
    apart: fragment !== undefined,
    ...(because && { because }),
  }
}
