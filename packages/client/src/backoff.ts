/**
 * How long to wait before retry number `attempt` (from 1): any time up to a bound that doubles from `minMs` to `maxMs`, so that
 * clients that were cut off together do not come back together.
 * Full jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const fullJitter = (attempt: number, minMs: number, maxMs: number, random: number): number =>
  random * Math.min(maxMs, minMs * 2 ** (attempt - 1))
