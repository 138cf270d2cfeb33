import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { groupBy } from './group-by.ts'
import { type Measured, valuesOf } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { median } from './statistics.ts'

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

const WIDTH = 1000
const BAR_HEIGHT = 26
const LINE_HEIGHT = 420
const MARGIN = 90

const medianOf = (row: Measured, measure: string): number => {
  const value = median(valuesOf(row, measure))
  return Number.isNaN(value) ? 0 : value
}

const render = (height: number, option: object): string => {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  chart.setOption({ animation: false, ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

/** One bar for each candidate, the fastest in mind: medians of one measure in one case. */
const bars = (title: string, axis: string, measure: string, rows: readonly Measured[]): string =>
  render(MARGIN + BAR_HEIGHT * rows.length, {
    title: { text: title, textStyle: { fontSize: 14 } },
    grid: { left: 150, right: 60, top: 36, bottom: 44 },
    xAxis: { type: 'value', name: axis, nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'category', inverse: true, data: rows.map(({ trial }) => trial.candidate) },
    series: [
      {
        type: 'bar',
        barMaxWidth: 16,
        data: rows.map((row) => ({
          value: medianOf(row, measure),
          itemStyle: { color: row.trial.candidate.startsWith('fusewire') ? '#c2410c' : '#64748b' },
        })),
      },
    ],
  })

/** How a measure grows with the size of the case, both on logarithmic axes: linear growth is a straight line that rises by 1. */
const lines = (title: string, axis: string, measure: string, rows: readonly Measured[]): string =>
  render(LINE_HEIGHT, {
    title: { text: title, textStyle: { fontSize: 14 } },
    legend: { bottom: 0 },
    grid: { left: 90, right: 40, top: 50, bottom: 70 },
    xAxis: { type: 'log', name: 'size', nameLocation: 'middle', nameGap: 26 },
    yAxis: { type: 'log', name: axis },
    series: [...groupBy(rows, ({ trial }) => trial.candidate)].map(([name, points]) => ({
      type: 'line',
      name,
      data: points.map((row) => [row.trial.size ?? 0, medianOf(row, measure)]),
    })),
  })

/** The drawings of a scenario, as SVG: one for each case, or one of growth for each candidate's kind. */
export const charts = ({ main, measures, isGrowth }: Scenario, measured: readonly Measured[]): readonly string[] => {
  const axis = measures.find(({ name }) => name === main)?.title ?? main
  const groups = groupBy(measured, ({ trial }) => (isGrowth ? (trial.case.split(',')[0] ?? '') : trial.case))
  return [...groups].map(([name, rows]) => (isGrowth ? lines(name, axis, main, rows) : bars(name, axis, main, rows)))
}
