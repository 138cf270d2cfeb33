import type { Sample } from '../frame/scenario.ts'
import { Audience, type AudienceOptions } from './audience.ts'
import { type Candidate, reach } from './candidates.ts'
import { rates } from './load-meter.ts'
import { openPublisher, type PublishOptions, publishInWindow } from './publishing.ts'

/** Time for the server's code to be compiled, before anything is measured: a part of what the measurement takes. */
const WARM_UP_SHARE = 0.3

/** Publishes to an audience, and counts what arrives. */
export const measureDeliveries = async (
  candidate: Candidate,
  audienceOptions: AudienceOptions,
  options: PublishOptions,
): Promise<Sample> => {
  const server = await reach(candidate)
  try {
    const audience = await Audience.open(server, candidate, audienceOptions)
    const publisher = await openPublisher(server, candidate)
    await publishInWindow(server, audience, publisher, { ...options, durationMs: options.durationMs * WARM_UP_SHARE })
    const metered = await publishInWindow(server, audience, publisher, options)
    publisher.destroy()
    audience.close()
    return rates(metered.deliveries, metered)
  } finally {
    await server.stop()
  }
}
