import type { Sample } from '../frame/scenario.ts'
import type { RunningServer } from './server-process.ts'

/** What a server and the load have used since {@link startMeter}. */
export interface Metered {
  readonly seconds: number
  /** The server's CPU time; undefined where the system does not tell, and for a server elsewhere. */
  readonly cpuSeconds: number | undefined
  /** The load's CPU time by the wall clock. */
  readonly loadCpu: number
}

/** Begins to measure time and CPU time; the result ends it. */
export const startMeter = (server: RunningServer | undefined): (() => Metered) => {
  const cpuBefore = server?.cpuSeconds()
  const loadBefore = process.cpuUsage()
  const begin = performance.now()
  return () => {
    const seconds = (performance.now() - begin) / 1000
    const cpuAfter = server?.cpuSeconds()
    const { user, system } = process.cpuUsage(loadBefore)
    return {
      seconds,
      cpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
      loadCpu: (user + system) / 1_000_000 / seconds,
    }
  }
}

/** So many operations, by the clock and by the server's CPU time. */
export const rates = (operations: number, { seconds, cpuSeconds, loadCpu }: Metered): Sample => ({
  perSecond: operations / seconds,
  perCpuSecond: cpuSeconds === undefined || cpuSeconds === 0 ? undefined : operations / cpuSeconds,
  serverCpu: cpuSeconds === undefined ? undefined : cpuSeconds / seconds,
  loadCpu,
})
