import { cpus, freemem, loadavg, platform, release, totalmem, uptime } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { DeviceReading } from '../shared/device-reading.ts'

/** The histogram's own step: a loop that is never late measures exactly this. */
const LAG_RESOLUTION_MS = 10

interface CoreTimes {
  readonly busy: number
  readonly total: number
}

const coreTimes = (): CoreTimes[] =>
  cpus().map(({ times: { user, nice, sys, irq, idle } }) => ({
    busy: user + nice + sys + irq,
    total: user + nice + sys + irq + idle,
  }))

/** Reads this machine's state. Shares are measured between one reading and the next. */
export class DeviceSampler {
  readonly #model = cpus()[0]?.model.trim() || 'Unknown processor'
  readonly #platform = `${platform()} ${release()}`
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  #last = coreTimes()

  constructor() {
    this.#lag.enable()
  }

  read(): DeviceReading {
    const now = coreTimes()
    const cores = now.map(({ busy, total }, index) => {
      const last = this.#last[index]
      const elapsed = total - (last?.total ?? 0)
      return elapsed > 0 ? (busy - (last?.busy ?? 0)) / elapsed : 0
    })
    this.#last = now

    const lagMs = Math.max(0, this.#lag.percentile(99) / 1e6 - LAG_RESOLUTION_MS)
    this.#lag.reset()

    const memoryTotalBytes = totalmem()
    return {
      model: this.#model,
      platform: this.#platform,
      cores: cores.map(round),
      cpu: round(cores.reduce((sum, busy) => sum + busy, 0) / Math.max(cores.length, 1)),
      memoryUsedBytes: memoryTotalBytes - freemem(),
      memoryTotalBytes,
      processBytes: process.memoryUsage.rss(),
      loadAverage: platform() === 'win32' ? [] : loadavg().map(round),
      lagMs: round(lagMs),
      uptimeSeconds: Math.round(uptime()),
    }
  }

  close(): void {
    this.#lag.disable()
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000
