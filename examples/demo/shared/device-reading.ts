import { fieldsOf, isNumber, isNumbers, isText } from './fields.ts'

/** What one second of the server's machine looks like. Loads and shares are between 0 and 1. */
export interface DeviceReading {
  readonly model: string
  readonly platform: string
  /** Busy share of each core. */
  readonly cores: readonly number[]
  /** Mean of the cores. */
  readonly cpu: number
  readonly memoryUsedBytes: number
  readonly memoryTotalBytes: number
  /** Of the server's process. */
  readonly processBytes: number
  /** 1, 5 and 15 minutes; empty where the system has none (Windows). */
  readonly loadAverage: readonly number[]
  /** How late the server's event loop is, at its 99th percentile of the second. */
  readonly lagMs: number
  readonly uptimeSeconds: number
}

/** One second of the chart. Shares are between 0 and 1. */
export interface DeviceLoad {
  readonly cpu: number
  readonly memory: number
}

/** Seconds of load that the server keeps. */
export const LOADS_KEPT = 180

export const loadOf = ({ cpu, memoryUsedBytes, memoryTotalBytes }: DeviceReading): DeviceLoad => ({
  cpu,
  memory: memoryUsedBytes / memoryTotalBytes,
})

/** The merge patch that turns one reading into the next: most of a machine stays as it is. */
export const changedFields = (before: DeviceReading, after: DeviceReading): Partial<DeviceReading> =>
  Object.fromEntries(
    Object.entries(after).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof DeviceReading]),
    ),
  )

export const isDeviceLoad = (value: unknown): value is DeviceLoad => {
  const { cpu, memory } = fieldsOf(value)
  return isNumber(cpu) && isNumber(memory)
}

export const isDeviceReading = (value: unknown): value is DeviceReading => {
  const fields = fieldsOf(value)
  const numbers = ['cpu', 'memoryUsedBytes', 'memoryTotalBytes', 'processBytes', 'lagMs', 'uptimeSeconds']
  return (
    numbers.every((name) => isNumber(fields[name])) &&
    isText(fields.model, 200) &&
    isText(fields.platform, 200) &&
    isNumbers(fields.cores) &&
    isNumbers(fields.loadAverage)
  )
}
