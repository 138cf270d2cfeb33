import 'uplot/dist/uPlot.min.css'
import './line-chart.css'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { theme } from '../shell/theme.ts'

export interface LineChartProps {
  /** Says in words what the chart shows. */
  readonly label: string
  readonly data: uPlot.AlignedData
  /** Everything but the size; called again when the theme changes, so that it can read the theme's colours. */
  readonly options: () => Omit<uPlot.Options, 'width' | 'height'>
  /** A change of it builds the chart anew. */
  readonly variant?: string
}

/** A uPlot chart that fills its parent, follows the theme, and takes new data as they come. */
export const LineChart = ({ label, data, options, variant }: LineChartProps) => {
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  const newest = useRef(data)
  newest.current = data
  const shade = theme.value

  // Built anew by a change of the theme or the variant alone: they stand for all that `options` reads.
  useEffect(() => {
    const element = host.current
    if (!element) return
    const size = () => ({ width: element.clientWidth, height: element.clientHeight })
    const plot = new uPlot({ ...options(), ...size(), legend: { show: false } }, newest.current, element)
    chart.current = plot
    const observer = new ResizeObserver(() => plot.setSize(size()))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
      chart.current = undefined
    }
  }, [shade, variant])

  useEffect(() => chart.current?.setData(data), [data])

  return <div class="line-chart" ref={host} role="img" aria-label={label} />
}
