/** A logarithmic axis of a drawing. */
export interface LogAxis {
  /** Round values within the axis. */
  readonly ticks: readonly number[]
  /** Where a value stands. */
  at(value: number): number
}

const STEPS = [1, 2, 5] as const
/** More decades than this have a tick each; fewer have one for each of the steps too. */
const FEW_DECADES = 2

/** From below the smallest of the values to above the largest, between two places of the drawing. Values are above 0. */
export const logAxis = (values: readonly number[], from: number, to: number): LogAxis => {
  const decades = values.map((value) => Math.log10(value))
  const [lowest, highest] = [Math.min(...decades), Math.max(...decades)]
  const steps = highest - lowest > FEW_DECADES ? [1] : STEPS
  const all = Array.from({ length: Math.ceil(highest) - Math.floor(lowest) + 3 }, (_, index) => Math.floor(lowest) - 1 + index)
    .flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`)))
    .sort((a, b) => a - b)
  const first = all.findLast((tick) => Math.log10(tick) <= lowest) ?? 1
  const last = all.find((tick) => Math.log10(tick) >= highest && tick > first) ?? 10
  const [begin, end] = [Math.log10(first), Math.log10(last)]
  return {
    ticks: all.filter((tick) => tick >= first && tick <= last),
    at: (value) => Math.round(10 * (from + ((Math.log10(value) - begin) / (end - begin)) * (to - from))) / 10,
  }
}
