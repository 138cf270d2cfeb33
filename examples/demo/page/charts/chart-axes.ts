import type uPlot from 'uplot'
import { inkOf } from '../shell/theme.ts'

const FONT = '11px ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, Consolas, monospace'

const LABEL_PX = 60

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })

export const formatClock = (milliseconds: number): string => clock.format(milliseconds)

/** Seconds of the day below the chart, quiet. */
export const timeAxis = (): uPlot.Axis => ({
  stroke: inkOf('--ink-soft'),
  font: FONT,
  size: 30,
  space: 90,
  grid: { show: false },
  ticks: { stroke: inkOf('--hairline-strong'), width: 1, size: 5 },
  // A label at the very edge would be cut in half.
  values: (plot, splits) =>
    splits.map((seconds) => (plot.valToPos(seconds, 'x') < LABEL_PX / 2 ? '' : formatClock(seconds * 1000))),
})

/** Values on the right, where the newest are. */
export const valueAxis = (format: (value: number) => string, size = 58): uPlot.Axis => ({
  side: 1,
  stroke: inkOf('--ink-soft'),
  font: FONT,
  size,
  space: 44,
  grid: { stroke: inkOf('--hairline'), width: 1 },
  ticks: { show: false },
  values: (_, splits) => splits.map(format),
})

/** A wash below a line, fading towards the bottom. `colour` is written as `#rrggbb`. */
export const washBelow =
  (colour: string, alpha = '38') =>
  ({ ctx, bbox }: uPlot): CanvasGradient => {
    const gradient = ctx.createLinearGradient(0, bbox.top, 0, bbox.top + bbox.height)
    gradient.addColorStop(0, `${colour}${alpha}`)
    gradient.addColorStop(1, `${colour}00`)
    return gradient
  }
