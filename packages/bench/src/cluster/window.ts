/** Publishes one, and resolves when it has been acknowledged. */
export type PublishOne = (channel: number, data: string) => Promise<unknown>

export interface Load {
  readonly durationMs: number
  /** Publications under way at most. */
  readonly depth: number
  /** Channels that they go to in turn. */
  readonly channels: number
  /** Bytes of each. */
  readonly bytes: number
  /** Publications a second; as fast as it goes when absent. */
  readonly rate?: number
  /** One publication alone, to this channel. */
  readonly once?: number
}

export interface Sent {
  readonly acknowledged: number
  readonly failed: number
  readonly seconds: number
}

/** Wall clock in milliseconds, with fractions, the same in all processes of a machine. */
export const clock = (): number => performance.timeOrigin + performance.now()

/** A publication that says when it was made. */
export const stampedData = (bytes: number): string => `${clock().toFixed(3)} `.padEnd(bytes, 'x')

/** How often a paced load looks what is due. */
const TURN_MS = 1

/** Keeps a window of publications under way for a time, and waits for the last. */
export const publishInWindow = async (publish: PublishOne, load: Load): Promise<Sent> => {
  const { durationMs, depth, channels, bytes, rate, once } = load
  const beganAt = performance.now()
  if (once !== undefined) {
    await publish(once, stampedData(bytes))
    return { acknowledged: 1, failed: 0, seconds: (performance.now() - beganAt) / 1000 }
  }
  let [sent, underWay, acknowledged, failed] = [0, 0, 0, 0]
  await new Promise<void>((resolve) => {
    const settled = (): void => {
      underWay--
      fill()
    }
    const fill = (): void => {
      const passedMs = performance.now() - beganAt
      if (passedMs >= durationMs) {
        if (underWay === 0) resolve()
        return
      }
      const due = rate === undefined ? Number.POSITIVE_INFINITY : (passedMs / 1000) * rate
      while (underWay < depth && sent < due) {
        underWay++
        publish(sent++ % channels, stampedData(bytes)).then(
          () => {
            acknowledged++
            settled()
          },
          () => {
            failed++
            settled()
          },
        )
      }
    }
    if (rate !== undefined) {
      const timer = setInterval(() => {
        fill()
        if (performance.now() - beganAt >= durationMs) clearInterval(timer)
      }, TURN_MS)
    }
    fill()
  })
  return { acknowledged, failed, seconds: (performance.now() - beganAt) / 1000 }
}
