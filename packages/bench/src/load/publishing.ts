import type { Audience } from './audience.ts'
import type { Candidate, ReachableServer } from './candidates.ts'
import { type Metered, startMeter } from './load-meter.ts'
import { until } from './until.ts'
import { type LoadClient, openWebSocket } from './web-socket-client.ts'

/** Opens a client that publishes, over HTTP/1.1 whatever the subscribers use. */
export const openPublisher = async ({ address }: ReachableServer, { dialect }: Candidate): Promise<LoadClient> => {
  const publisher = await openWebSocket(address, { dialect }, () => {})
  for (const frame of dialect.introduce) publisher.write(frame)
  return publisher
}

export interface PublishOptions {
  readonly durationMs: number
  /** What is published next, in one write. */
  readonly nextFrames: () => Buffer
  /** Deliveries that one write leads to. */
  readonly deliveriesEach: number
  /** Writes under way at most: the next one is made when fewer are not yet with all subscribers. */
  readonly window: number
}

/** Publishes as fast as the messages arrive, and waits until all have. Resolves with the number of deliveries. */
export const publishInWindow = async (
  server: ReachableServer,
  audience: Audience,
  publisher: LoadClient,
  { durationMs, nextFrames, deliveriesEach, window }: PublishOptions,
): Promise<Metered & { readonly deliveries: number }> => {
  const before = audience.received
  const stopMeter = startMeter(server.process)
  const begin = performance.now()
  let writes = 0
  while (performance.now() - begin < durationMs) {
    while (writes - (audience.received - before) / deliveriesEach < window) {
      publisher.write(nextFrames())
      writes++
    }
    await new Promise(setImmediate)
  }
  const deliveries = writes * deliveriesEach
  await until(
    () => audience.received - before >= deliveries,
    () => `${deliveries - (audience.received - before)} messages are missing`,
  )
  return { ...stopMeter(), deliveries }
}
