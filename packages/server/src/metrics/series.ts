import { Counter, Gauge, type Registry } from 'prom-client'
import { type Distribution, ReadHistogram } from './read-histogram.ts'

/** One value of a metric with several labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface Described {
  /** After https://prometheus.io/docs/practices/naming: base units, and `_total` at the end of counters. */
  readonly name: string
  readonly help: string
}

export interface ValueSeries extends Described {
  /** `counter` for what only grows. */
  readonly kind: 'counter' | 'gauge'
  /** Absent: `read` gives one number. Present: a number for each value of this label. */
  readonly label?: string
  /** Present: `read` gives samples with a value for each of these labels. */
  readonly labels?: readonly string[]
  readonly read: () => number | readonly Sample[] | Readonly<Record<string, number | undefined>>
}

export interface HistogramSeries extends Described {
  readonly kind: 'histogram'
  readonly label: string
  /** Upper bounds of its buckets, ascending. */
  readonly bounds: readonly number[]
  /** A distribution for each value of the label. */
  readonly read: () => readonly Distribution[]
}

/** One metric whose values are read when they are scraped, so that nothing is paid for it in between. */
export type Series = ValueSeries | HistogramSeries

const isSamples = (values: ReturnType<ValueSeries['read']>): values is readonly Sample[] => Array.isArray(values)

export const addSeries = (registry: Registry, series: Series): void => {
  if (series.kind === 'histogram') registry.registerMetric(new ReadHistogram({ ...series, labelNames: [series.label] }))
  else addValues(registry, series)
}

const addValues = (registry: Registry, { kind, name, help, label, labels, read }: ValueSeries): void => {
  const options = { name, help, labelNames: labels ?? (label === undefined ? [] : [label]), registers: [registry] }
  const store = (put: (labels: Record<string, string>, value: number) => void): void => {
    const values = read()
    if (typeof values === 'number') put({}, values)
    else if (isSamples(values)) for (const { labels: of, value } of values) put(of, value)
    else for (const [of, value] of Object.entries(values)) put(label === undefined ? {} : { [label]: of }, value ?? 0)
  }
  if (kind === 'gauge') {
    const gauge: Gauge = new Gauge({ ...options, collect: () => store((labels, value) => gauge.set(labels, value)) })
    return
  }
  const counter: Counter = new Counter({
    ...options,
    collect: () => {
      // A prom-client counter can only be incremented: from nothing to what ours has counted.
      counter.reset()
      store((labels, value) => counter.inc(labels, value))
    },
  })
}
