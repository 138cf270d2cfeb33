import { LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { groupBy } from './group-by.ts'
import { type Measured, valuesOf } from './run-scenario.ts'
import type { Measure } from './scenario.ts'
import { median } from './statistics.ts'

use([LineChart, GridComponent, LegendComponent, SVGRenderer])

const WIDTH = 760
const HEIGHT = 360
const SPACE = { left: 80, right: 30, top: 40, bottom: 50 }

/** Those of the page's style, so that the drawing follows it into the dark. */
const INK = 'var(--ink)'
const SOFT = 'var(--soft)'
const LINE = 'var(--line)'
/** Candidates in their order; Fusewire's own come first. */
const OWN_COLOURS = ['var(--own)', 'var(--own-2)', 'var(--own-3)']
const PEER_COLOURS = ['var(--peer)', 'var(--peer-2)']

const isOwn = (candidate: string): boolean => candidate.startsWith('fusewire')

const axis = (name: string, nameGap: number): object => ({
  type: 'log',
  name,
  nameLocation: 'middle',
  nameGap,
  nameTextStyle: { color: SOFT },
  axisLabel: { color: SOFT, formatter: (value: number) => value.toLocaleString('en') },
  axisLine: { lineStyle: { color: LINE } },
  splitLine: { lineStyle: { color: LINE } },
})

/** Both axes are logarithmic: linear growth rises by one decade in one, and what does not grow is level. */
export const growthChart = ({ name, title }: Measure, rows: readonly Measured[]): string => {
  const points = rows
    .map((row) => ({ candidate: row.trial.candidate, size: row.trial.size ?? 0, value: median(valuesOf(row, name)) }))
    .filter(({ size, value }) => size > 0 && value > 0)
  const [own, peers] = [[...OWN_COLOURS], [...PEER_COLOURS]]
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT })
  chart.setOption({
    animation: false,
    grid: SPACE,
    legend: { top: 4, textStyle: { color: INK } },
    xAxis: axis('size', 28),
    yAxis: axis(title, 58),
    series: [...groupBy(points, ({ candidate }) => candidate)].map(([candidate, line]) => {
      const color = (isOwn(candidate) ? own : peers).shift() ?? SOFT
      return {
        type: 'line',
        name: candidate,
        symbol: 'circle',
        symbolSize: 7,
        itemStyle: { color },
        lineStyle: { color, width: 2 },
        data: line.map(({ size, value }) => [size, value]),
      }
    }),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}
