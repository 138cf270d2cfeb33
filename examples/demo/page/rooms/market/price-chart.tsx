import { useCallback, useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { timeAxis, valueAxis, washBelow } from '../../charts/chart-axes.ts'
import { LineChart } from '../../charts/line-chart.tsx'
import { inkOf } from '../../shell/theme.ts'
import type { Quote } from './market-store.ts'
import { formatPrice } from './money.ts'

/** The price of one instrument over the last minutes. */
export const PriceChart = ({ quote, onPoint }: { quote: Quote; onPoint: (index: number | undefined) => void }) => {
  const ticks = quote.ticks.value
  const data = useMemo<uPlot.AlignedData>(() => [ticks.map(({ at }) => at / 1000), ticks.map(({ price }) => price)], [ticks])

  const options = useCallback((): Omit<uPlot.Options, 'width' | 'height'> => {
    const accent = inkOf('--accent')
    return {
      padding: [12, 0, 0, 8],
      scales: { y: { range: (_, low, high) => spread(low, high) } },
      axes: [timeAxis(), valueAxis(formatPrice, 66)],
      series: [
        {},
        {
          stroke: accent,
          width: 1.75,
          fill: washBelow(accent),
          points: { show: false },
        },
      ],
      cursor: { y: false, points: { size: 8, fill: accent, stroke: inkOf('--surface'), width: 2 } },
      hooks: {
        setCursor: [({ cursor: { idx } }) => onPoint(idx ?? undefined)],
        draw: [(plot) => drawNewest(plot, accent)],
      },
    }
  }, [onPoint])

  return (
    <LineChart
      label={`Simulated price of ${quote.name} over the last two minutes`}
      data={data}
      options={options}
      variant={quote.symbol}
    />
  )
}

/** Some air above and below. */
const spread = (low: number | null, high: number | null): [number, number] => {
  if (low === null || high === null) return [0, 1]
  const air = (high - low || high * 0.002) * 0.12
  return [low - air, high + air]
}

/** The newest price: a line across, and a dot at its end. */
const drawNewest = (plot: uPlot, colour: string): void => {
  const [times, prices] = plot.data
  const price = prices?.at(-1)
  const time = times.at(-1)
  if (typeof price !== 'number' || time === undefined) return
  const { ctx, bbox } = plot
  const y = plot.valToPos(price, 'y', true)
  ctx.save()
  ctx.strokeStyle = colour
  ctx.globalAlpha = 0.55
  ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio])
  ctx.lineWidth = devicePixelRatio
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.globalAlpha = 1
  ctx.fillStyle = colour
  ctx.beginPath()
  ctx.arc(plot.valToPos(time, 'x', true), y, 3.5 * devicePixelRatio, 0, 2 * Math.PI)
  ctx.fill()
  ctx.restore()
}
