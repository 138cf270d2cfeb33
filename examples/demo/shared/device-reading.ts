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

/** Readings that the server keeps. */
export const READINGS_KEPT = 180

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
