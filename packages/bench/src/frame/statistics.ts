/** The middle value; the mean of the two middle ones of an even number. NaN of none. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which this share of the sorted values lies. NaN of none. */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** The ends of the middle half: the medians of the lower and of the upper half, each with the middle value where there is one. */
export const middleHalf = (values: readonly number[]): readonly [lower: number, upper: number] => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.ceil(sorted.length / 2)
  return [median(sorted.slice(0, half)), median(sorted.slice(sorted.length - half))]
}

/** The largest risk that {@link medianInterval} takes. */
const RISK = 0.1

/**
 * Between which two of the values the median of whatever they were drawn from lies, nine times out of ten at least and however they are
 * spread: each of them is above it or below it like the toss of a coin. Undefined of fewer than five, which tell nothing of that kind.
 */
export const medianInterval = (values: readonly number[]): readonly [lower: number, upper: number] | undefined => {
  const sorted = [...values].sort((a, b) => a - b)
  const count = sorted.length
  /** The logarithm of the chance of so many heads in as many tosses as there are values, and the chance of at most so many. */
  let log = -count * Math.LN2
  let atMost = Math.exp(log)
  let outside = 0
  while (2 * atMost <= RISK) {
    outside++
    log += Math.log((count - outside + 1) / outside)
    atMost += Math.exp(log)
  }
  const [lower, upper] = [sorted[outside - 1], sorted[count - outside]]
  return lower === undefined || upper === undefined ? undefined : [lower, upper]
}

/** How a cost grows with a size: the slope of the straight line through their logarithms. 1 is linear, 0 is no growth. */
export const growthExponent = (points: readonly { readonly size: number; readonly cost: number }[]): number => {
  const logs = points.map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }))
  const mean = (pick: (log: { x: number; y: number }) => number): number =>
    logs.reduce((sum, log) => sum + pick(log), 0) / logs.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  const sum = (pick: (log: { x: number; y: number }) => number): number => logs.reduce((total, log) => total + pick(log), 0)
  return sum(({ x, y }) => (x - meanX) * (y - meanY)) / sum(({ x }) => (x - meanX) ** 2)
}
