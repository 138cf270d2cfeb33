import { CHANNELS } from '../shared/channels.ts'
import { changedFields, type DeviceReading, loadOf } from '../shared/device-reading.ts'
import { DeviceSampler } from './device-sampler.ts'
import type { Feed, Publish } from './feed.ts'

const INTERVAL_MS = 1000

/** Publishes the state of this machine once a second: a document of which only what has changed is sent, and its load beside it. */
export const startDeviceFeed = (publish: Publish): Feed => {
  const sampler = new DeviceSampler()
  let last: DeviceReading | undefined
  const timer = setInterval(() => {
    const reading = sampler.read()
    void publish(CHANNELS.device, last ? changedFields(last, reading) : reading, { patch: last !== undefined })
    void publish(CHANNELS.deviceLoad, loadOf(reading))
    last = reading
  }, INTERVAL_MS)
  return {
    close() {
      clearInterval(timer)
      sampler.close()
    },
  }
}
