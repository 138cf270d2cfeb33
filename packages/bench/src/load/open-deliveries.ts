import type { OpenTrial } from '../frame/scenario.ts'
import { Audience, type AudienceOptions } from './audience.ts'
import type { Candidate } from './candidates.ts'
import { rates } from './load-meter.ts'
import { openLoad } from './on-server.ts'
import { openPublisher, type PublishOptions, publishInWindow } from './publishing.ts'

export interface DeliveryOptions extends PublishOptions {
  /** Time for the server's code to be compiled, before anything is measured. */
  readonly warmUpMs: number
}

/** Publishes to an audience, and counts what arrives. */
export const openDeliveries = (
  candidate: Candidate,
  audienceOptions: AudienceOptions,
  { warmUpMs, ...options }: DeliveryOptions,
): Promise<OpenTrial> =>
  openLoad(candidate, async (server) => {
    const audience = await Audience.open(server, candidate, audienceOptions)
    const publisher = await openPublisher(server, candidate)
    await publishInWindow(server, audience, publisher, { ...options, durationMs: warmUpMs })
    return {
      measure: async () => {
        const metered = await publishInWindow(server, audience, publisher, options)
        return rates(metered.deliveries, metered)
      },
      close: () => {
        publisher.destroy()
        audience.close()
      },
    }
  })
