import { expect, it } from 'vitest'
import { changedFields, type DeviceReading, isDeviceLoad, isDeviceReading, loadOf } from './device-reading.ts'

const reading: DeviceReading = {
  model: 'Example CPU',
  platform: 'linux 6',
  cores: [0.25, 0.75],
  cpu: 0.5,
  memoryUsedBytes: 1024,
  memoryTotalBytes: 4096,
  processBytes: 512,
  loadAverage: [0.1, 0.2, 0.3],
  lagMs: 1.5,
  uptimeSeconds: 60,
}

it('sends of the next reading what has changed', () => {
  const next = { ...reading, cores: [0.25, 0.5], cpu: 0.375, loadAverage: [0.1, 0.2, 0.3], uptimeSeconds: 61 }
  expect(changedFields(reading, next)).toEqual({ cores: [0.25, 0.5], cpu: 0.375, uptimeSeconds: 61 })
  expect(changedFields(reading, reading)).toEqual({})
  expect(isDeviceReading({ ...reading, ...changedFields(reading, next) })).toBe(true)
})

it('keeps of the past what the chart shows', () => {
  expect(loadOf(reading)).toEqual({ cpu: 0.5, memory: 0.25 })
  expect(isDeviceLoad(loadOf(reading))).toBe(true)
  expect(isDeviceLoad({ cpu: '0.5', memory: 0.25 })).toBe(false)
})
