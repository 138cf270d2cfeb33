import { Samples } from '../frame/samples.ts'
import { quantile } from '../frame/statistics.ts'

/** Publishes one, and resolves when it has been acknowledged. */
export type PublishOne = (channel: number, data: string) => Promise<unknown>

export interface Load {
  readonly durationMs: number
  /** Publications under way at most, where there is no rate. */
  readonly depth: number
  /** Channels that they go to in turn. */
  readonly channels: number
  /** Bytes of each. */
  readonly bytes: number
  /** Publications a second, however many are under way; as fast as the window lets when absent. */
  readonly rate?: number
  /** One publication alone, to this channel. */
  readonly once?: number
}

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number
  readonly p99: number
}

export interface Sent {
  readonly acknowledged: number
  readonly failed: number
  /** Why the last failed that did. */
  readonly failure?: string
  readonly seconds: number
  /** With a rate: how long after it was due a publication was made, and how long after that it was acknowledged. */
  readonly paced?: { readonly late: Percentiles; readonly acknowledged: Percentiles }
}

/** Wall clock in milliseconds, with fractions, the same in all processes of a machine. */
export const clock = (): number => performance.timeOrigin + performance.now()

/** A publication that says when it was due, and when it was made. */
export const stampedData = (bytes: number, dueAt: number, madeAt: number): string =>
  `${dueAt.toFixed(3)} ${madeAt.toFixed(3)} `.padEnd(bytes, 'x')

export const percentiles = (samples: Samples): Percentiles => {
  const sorted = samples.sorted()
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
}

/** How often a paced load looks what is due. */
const TURN_MS = 1

/** Publishes for a time, and waits for the last. */
export const publishInWindow = (publish: PublishOne, load: Load): Promise<Sent> => {
  if (load.once !== undefined) return publishOnce(publish, load, load.once)
  return load.rate === undefined ? publishAtOnce(publish, load) : publishAtRate(publish, load, load.rate)
}

const publishOnce = async (publish: PublishOne, { bytes }: Load, channel: number): Promise<Sent> => {
  const beganAt = clock()
  await publish(channel, stampedData(bytes, beganAt, beganAt))
  return { acknowledged: 1, failed: 0, seconds: (clock() - beganAt) / 1000 }
}

/** As fast as it goes, with a window of publications under way. */
const publishAtOnce = async (publish: PublishOne, { durationMs, depth, channels, bytes }: Load): Promise<Sent> => {
  const beganAt = clock()
  let [sent, underWay, acknowledged, failed] = [0, 0, 0, 0]
  let failure: string | undefined
  await new Promise<void>((resolve) => {
    const settled = (): void => {
      underWay--
      fill()
    }
    const succeed = (): void => {
      acknowledged++
      settled()
    }
    const fail = (error: unknown): void => {
      failed++
      failure = String(error)
      settled()
    }
    const fill = (): void => {
      if (clock() - beganAt >= durationMs) {
        if (underWay === 0) resolve()
        return
      }
      while (underWay < depth) {
        underWay++
        const madeAt = clock()
        publish(sent++ % channels, stampedData(bytes, madeAt, madeAt)).then(succeed, fail)
      }
    }
    fill()
  })
  return { acknowledged, failed, ...(failure !== undefined && { failure }), seconds: (clock() - beganAt) / 1000 }
}

/**
 * An open loop: publications are due at even distances, whether or not earlier ones have been acknowledged, and say when they were due.
 * So one that is made late, because this process was busy, has its delay counted.
 */
const publishAtRate = async (publish: PublishOne, { durationMs, channels, bytes }: Load, rate: number): Promise<Sent> => {
  const beganAt = clock()
  const total = Math.max(1, Math.floor((rate * durationMs) / 1000))
  const late = new Samples()
  const waits = new Samples()
  let [sent, failed] = [0, 0]
  let failure: string | undefined
  await new Promise<void>((resolve) => {
    const makeOne = (): void => {
      const dueAt = beganAt + (sent * 1000) / rate
      const madeAt = clock()
      late.add(madeAt - dueAt)
      const settled = (): void => {
        if (waits.length + failed === total) resolve()
      }
      publish(sent++ % channels, stampedData(bytes, dueAt, madeAt)).then(
        () => {
          waits.add(clock() - madeAt)
          settled()
        },
        (error: unknown) => {
          failed++
          failure = String(error)
          settled()
        },
      )
    }
    const timer = setInterval(() => {
      const due = Math.min(total, ((clock() - beganAt) * rate) / 1000)
      while (sent < due) makeOne()
      if (sent === total) clearInterval(timer)
    }, TURN_MS)
  })
  return {
    acknowledged: waits.length,
    failed,
    ...(failure !== undefined && { failure }),
    seconds: (clock() - beganAt) / 1000,
    paced: { late: percentiles(late), acknowledged: percentiles(waits) },
  }
}
