import { Histogram } from 'prom-client'

/** Observations with the same labels. */
export interface Distribution {
  readonly labels: Readonly<Record<string, string>>
  readonly count: number
  readonly sum: number
  /** For each bound, the observations up to it that are beyond the bound before. */
  readonly buckets: readonly number[]
}

export interface ReadHistogramOptions {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[]
  readonly read: () => readonly Distribution[]
}

type Values = Awaited<ReturnType<Histogram['get']>>

/** A histogram whose counts are kept elsewhere, and read when it is scraped: one of prom-client hashes labels at each observation. */
export class ReadHistogram extends Histogram {
  readonly #options: ReadHistogramOptions
  readonly #empty: Histogram

  constructor(options: ReadHistogramOptions) {
    const { name, help, labelNames, bounds } = options
    const configuration = { name, help, labelNames: [...labelNames], buckets: [...bounds], registers: [] }
    super(configuration)
    this.#options = options
    this.#empty = new Histogram(configuration)
  }

  override async get(): Promise<Values> {
    const { name, bounds, read } = this.#options
    const values = read().flatMap(({ labels, count, sum, buckets }) => {
      let upTo = 0
      return [
        ...bounds.map((le, index) => {
          upTo += buckets[index] ?? 0
          return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: upTo }
        }),
        { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ]
    })
    return { ...(await this.#empty.get()), values }
  }

  /** What the registry of prom-client asks for when it writes its text. */
  getForPromString(): Promise<Values> {
    return this.get()
  }
}
