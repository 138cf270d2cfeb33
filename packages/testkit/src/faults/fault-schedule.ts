import type { Random } from '../random.ts'
import { FAULT_KINDS, type Fault, type FaultKind } from './fault.ts'

/** A fault and its moment, in milliseconds from the beginning of the schedule. */
export interface ScheduledFault {
  readonly atMs: number
  readonly fault: Fault
}

export interface FaultScheduleOptions {
  /** The last fault begins, and what lasts ends, before this, in milliseconds. */
  readonly durationMs: number
  /** Time between two faults, at most. Default 400. */
  readonly maxGapMs?: number
  /** Default: all. */
  readonly kinds?: readonly FaultKind[]
}

const DIRECTIONS = ['up', 'down'] as const
const SIDES = [...DIRECTIONS, 'both'] as const

const randomFault = (kind: FaultKind, random: Random, leftMs: number): Fault => {
  const forMs = random.integer(0, Math.min(600, leftMs))
  switch (kind) {
    case 'delay':
      return { kind, delayMs: random.integer(1, 150), forMs }
    case 'jitter':
      return { kind, maxDelayMs: random.integer(1, 80), forMs }
    case 'throttle':
      return { kind, bytesPerSecond: random.pick([500, 5_000, 50_000]), forMs }
    case 'fragment':
      return { kind, bytes: random.pick([1, 2, 7, 100]), forMs: Math.min(forMs, 200) }
    case 'stall':
      return { kind, direction: random.pick(SIDES), forMs }
    case 'refuse':
      return { kind, forMs }
    case 'reorder':
      return { kind, holdMs: random.integer(20, 300), forMs }
    case 'half-open':
      return { kind, direction: random.pick(SIDES) }
    case 'corrupt':
    case 'truncate':
      return { kind, direction: random.pick(DIRECTIONS), afterBytes: random.integer(0, random.pick([20, 200, 2_000])) }
    case 'cut':
    case 'reset':
      return { kind }
  }
}

/** Faults at random, which the same numbers repeat. */
export const faultSchedule = (random: Random, options: FaultScheduleOptions): ScheduledFault[] => {
  const { durationMs, maxGapMs = 400, kinds = FAULT_KINDS } = options
  const schedule: ScheduledFault[] = []
  for (let atMs = random.integer(0, maxGapMs); atMs < durationMs; atMs += random.integer(0, maxGapMs))
    schedule.push({ atMs, fault: randomFault(random.pick(kinds), random, durationMs - atMs) })
  return schedule
}
