import { CHANNELS } from '../shared/channels.ts'
import { DeviceSampler } from './device-sampler.ts'
import type { Feed, Publish } from './feed.ts'

const INTERVAL_MS = 1000

/** Publishes the state of this machine once a second. */
export const startDeviceFeed = (publish: Publish): Feed => {
  const sampler = new DeviceSampler()
  const timer = setInterval(() => void publish(CHANNELS.device, sampler.read()), INTERVAL_MS)
  return {
    close() {
      clearInterval(timer)
      sampler.close()
    },
  }
}
