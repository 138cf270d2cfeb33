import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { LOADS_KEPT } from '../../../shared/device-reading.ts'
import { timeAxis, valueAxis, washBelow } from '../../charts/chart-axes.ts'
import { LineChart } from '../../charts/line-chart.tsx'
import { inkOf } from '../../shell/theme.ts'
import { loads } from './device-store.ts'

const options = (): Omit<uPlot.Options, 'width' | 'height'> => {
  const accent = inkOf('--accent')
  return {
    padding: [10, 0, 0, 8],
    scales: { x: { range: (_, __, newest) => [newest - LOADS_KEPT, newest] }, y: { range: [0, 100] } },
    axes: [timeAxis(), valueAxis((value) => `${value} %`, 52)],
    series: [
      {},
      { stroke: accent, width: 1.75, fill: washBelow(accent), points: { show: false } },
      { stroke: inkOf('--ink-soft'), width: 1.5, dash: [5, 4], points: { show: false } },
    ],
    cursor: { show: false },
  }
}

/** Processor and memory over the last minutes. */
export const LoadChart = () => {
  const list = loads.value
  const data = useMemo<uPlot.AlignedData>(
    () => [
      list.map(({ time }) => time / 1000),
      list.map(({ data: { cpu } }) => cpu * 100),
      list.map(({ data: { memory } }) => memory * 100),
    ],
    [list],
  )
  return <LineChart label="Processor and memory load over the last three minutes" data={data} options={options} />
}
