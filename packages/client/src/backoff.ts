/** Bounds of the waits between attempts. */
export interface BackoffBounds {
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
}

/**
 * How long to wait before retry number `attempt` (from 1), in milliseconds: any time up to a bound that doubles from the smallest to
 * the largest, so that clients that were cut off together do not come back together. `random`: anywhere in [0, 1).
 * Full jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const fullJitter = (attempt: number, { minBackoffMs, maxBackoffMs }: BackoffBounds, random: number): number =>
  random * Math.min(maxBackoffMs, minBackoffMs * 2 ** (attempt - 1))
